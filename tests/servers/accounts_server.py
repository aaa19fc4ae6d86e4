"""`halgit accounts serve` as a process of its own, with a git repository and a controller on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from servers.controller import FakeController, controller
from servers.ports import free_port, wait_for
from servers.repositories import Repository

ADMIN, READER, WRITER, OLD = "canary-admin-token", "canary-reader-token", "canary-writer-token", "canary-old-token"
KEY = "canary-encrypt-key"


@dataclass
class Answer:
    status: int
    body: Any
    headers: Message


@dataclass
class AccountServer:
    """The running server."""

    url: str
    process: subprocess.Popen[bytes]
    repository: Repository
    remote: FakeController
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def call(
        self, method: str, path: str, body: object = None, token: str = ADMIN, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; JSON in and out."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(self.url + path, data, {**sent, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, text, got = response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            with error:
                status, text, got = error.code, error.read(), error.headers
        is_json = "json" in (got.get("Content-Type") or "")
        return Answer(status, json.loads(text) if is_json else text.decode(), got)


@contextmanager
def account_server(folder: Path, *arguments: str, **environment: str) -> Iterator[AccountServer]:
    """A server for the length of a with block; its log never holds a canary."""
    folder.mkdir(exist_ok=True)
    repository = Repository(folder / "accounts.git")
    repository.commit({"README": "hello\n"})
    repository.git("checkout", "--quiet", "--detach")
    (folder / "key").write_text(KEY)
    (folder / "token").write_text(ADMIN + "\n")
    tokens = (("reader", READER, "reader", ""), ("writer", WRITER, "writer", ""), ("old", OLD, "admin", "2020-01-01"))
    lines = [
        f"- {{name: {name}, sha256: {hashlib.sha256(text.encode()).hexdigest()}, role: {role}"
        + (f", expires: {end}}}" if end else "}")
        for name, text, role, end in tokens
    ]
    (folder / "tokens.yml").write_text("tokens:\n" + "\n".join(lines) + "\n")
    port = free_port()
    with controller(folder) as remote, open(folder / "log", "wb") as log:
        settings = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "HALGIT_REPO": repository.url,
            "HALGIT_REF": "main", "HALGIT_ACCOUNTS_PATH": "accounts/", "HALGIT_LISTEN": f"127.0.0.1:{port}",
            "HALGIT_API_TOKEN_FILE": str(folder / "token"), "HALGIT_API_TOKENS_FILE": str(folder / "tokens.yml"),
            "HALGIT_ENCRYPT_KEY_FILE": str(folder / "key"), "HALGIT_LOG_FORMAT": "json",
            "HALGIT_CONTROLLER_URL": remote.url, "HALGIT_CONTROLLER_CA_FILE": str(remote.ca),
            "HALGIT_CONTROLLER_CERT_FILE": str(remote.cert), "HALGIT_CONTROLLER_KEY_FILE": str(remote.key),
            **environment,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "halgit", "accounts", "serve", *arguments], env=settings, stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            yield AccountServer(f"http://127.0.0.1:{port}", process, repository, remote, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    assert "canary" not in (folder / "log").read_text()
