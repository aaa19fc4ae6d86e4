"""`halgit accounts serve`, a real process on loopback, configured by its environment as the chart does it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from servers.controller import FakeController, controller
from servers.ports import free_port, wait_for
from servers.repositories import Repository

TOKEN = "canary-api-token"
KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: canary-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""


@dataclass
class Server:
    url: str
    process: subprocess.Popen[bytes]
    repository: Repository
    remote: FakeController
    log: Path

    def call(self, method: str, path: str, body: object = None, token: str = TOKEN) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Authorization": f"Bearer {token}"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text[:1] == b"{" else text.decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    repository = Repository(folder / "accounts.git")
    repository.commit({"README": "hello\n"})
    repository.git("checkout", "--quiet", "--detach")
    (folder / "token").write_text(TOKEN + "\n")
    (folder / "key").write_text("canary-encrypt-key")
    port = free_port()
    with controller(folder) as remote, open(folder / "log", "wb") as log:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "HALGIT_REPO": repository.url,
            "HALGIT_REF": "main", "HALGIT_ACCOUNTS_PATH": "accounts/", "HALGIT_LISTEN": f"127.0.0.1:{port}",
            "HALGIT_API_TOKEN_FILE": str(folder / "token"), "HALGIT_ENCRYPT_KEY_FILE": str(folder / "key"),
            "HALGIT_LOG_FORMAT": "json", "HALGIT_CONTROLLER_URL": remote.url,
            "HALGIT_CONTROLLER_CA_FILE": str(remote.ca), "HALGIT_CONTROLLER_CERT_FILE": str(remote.cert),
            "HALGIT_CONTROLLER_KEY_FILE": str(remote.key),
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "halgit", "accounts", "serve"], env=environment, stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            yield Server(f"http://127.0.0.1:{port}", process, repository, remote, folder / "log")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    said = (folder / "log").read_text()
    assert "canary" not in said
    assert all(json.loads(line) for line in said.splitlines())


def test_health_and_metrics_need_no_token(server: Server) -> None:
    assert server.call("GET", "/health", token="") == (200, {"status": "UP"})
    server.call("GET", "/v1/accounts")
    status, text = server.call("GET", "/metrics", token="")
    assert status == 200
    assert 'halgit_accounts_requests_total{operation="list",status="200"} ' in text


ROUTES = (
    ("GET", "/v1/accounts"), ("POST", "/v1/accounts"), ("GET", "/v1/accounts/a"), ("PATCH", "/v1/accounts/a"),
    ("DELETE", "/v1/accounts/a"), ("POST", "/v1/agents/a/manifest"),
)  # fmt: skip


def test_without_the_token_nothing_is_said(server: Server) -> None:
    for token in ("", "another", TOKEN + "x"):
        for method, path in ROUTES:
            assert server.call(method, path, {} if method != "GET" else None, token) == (
                401,
                {"error": {"code": 6, "message": "The token is missing or wrong. Send it as a bearer token."}},
            )


def test_an_account_from_start_to_end(server: Server) -> None:
    body = {"name": "prod-eu", "kubeconfig": KUBECONFIG, "fields": {"cacheThreads": 2}}
    status, told = server.call("POST", "/v1/accounts", body)
    assert (status, told["account"], told["files"]) == (201, "prod-eu", ["clouddriver-local.yml"])
    assert told["revision"] == server.repository.git("rev-parse", "main")
    assert '"add: done"' in server.log.read_text()
    assert server.call("GET", "/v1/accounts") == (200, {"accounts": [{"name": "prod-eu", "provider": "kubernetes"}]})
    status, shown = server.call("GET", "/v1/accounts/prod-eu")
    assert shown["fields"] == {
        "name": "prod-eu", "cacheThreads": 2, "context": "one", "kubeconfigContents": "********",
    }  # fmt: skip
    status, told = server.call("PATCH", "/v1/accounts/prod-eu", {"fields": {"cacheThreads": 3}, "unset": ["context"]})
    assert (status, server.call("GET", "/v1/accounts/prod-eu")[1]["fields"]["cacheThreads"]) == (200, 3)
    assert server.call("POST", "/v1/accounts", body) == (
        409,
        {"error": {"code": 6, "message": "The account prod-eu is refused: accounts/clouddriver-local.yml has a"
                   " kubernetes account of this name already. Correct the request."}},
    )  # fmt: skip
    assert server.call("DELETE", "/v1/accounts/prod-eu")[0] == 200
    assert server.call("DELETE", "/v1/accounts/prod-eu")[0] == 404
    assert server.call("GET", "/v1/accounts/prod-eu")[0] == 404


def test_a_remote_account_and_its_manifest(server: Server) -> None:
    server.remote.names = {"shop": ["kubernetes"]}
    status, told = server.call("POST", "/v1/accounts", {"name": "shop", "agent": "shop"})
    assert (status, told["notes"]) == (201, [])
    status, text = server.call("POST", "/v1/agents/shop/manifest", {"namespace": "opsmx"})
    assert status == 200
    assert "kind: Deployment" in text
    assert server.call("POST", "/v1/agents/shop/manifest", {}) == (
        400,
        {"error": {"code": 2, "message": "namespace is missing. Name the agent's namespace in the remote cluster."}},
    )
    assert server.call("DELETE", "/v1/accounts/shop")[0] == 200


KEYS = "Its keys are name, provider, fields, kubeconfig, context, agent, endpoint."
BODIES: dict[str, tuple[object, str]] = {
    "no JSON": (b"{", "The body is no JSON. Send a JSON object."),
    "a list": ([], f"The body is no JSON object. {KEYS}"),
    "an unknown key": (
        {"nmae": "a"}, f"The body has a key nmae. {KEYS}",
    ),
    "no name": ({}, "name is missing. Name the account."),
    "a number for a text": ({"name": 1}, "name is not a string. Write a text."),
    "fields that are none": ({"name": "a", "fields": [1]}, "fields is no object. Write the fields of the entry."),
    "both": (
        {"name": "a", "agent": "b", "kubeconfig": "c"},
        "A kubeconfig and an agent exclude each other. Give one of them.",
    ),
    "too much": (b"x" * (1024 * 1024 + 1), "The body is larger than 1 MiB. Send less."),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_none_are_refused(server: Server, name: str) -> None:
    body, words = BODIES[name]
    assert server.call("POST", "/v1/accounts", body) == (400, {"error": {"code": 2, "message": words}})


def test_a_store_that_is_gone_is_told_as_a_bad_gateway(server: Server) -> None:
    there, gone = server.repository.folder, server.repository.folder.with_name("gone")
    there.rename(gone)
    try:
        status, told = server.call("GET", "/v1/accounts")
    finally:
        gone.rename(there)
    assert (status, told["error"]["code"]) == (502, 3)
    assert "no git repository found" in told["error"]["message"]


def test_serving_without_a_token_is_wrong_use(tmp_path: Path) -> None:
    from program import halgit

    ran = halgit("accounts", "serve", "--repo", "https://git.example.com/accounts.git", cwd=tmp_path)
    assert (ran.code, ran.err) == (
        2, "halgit: --api-token-file is missing or empty. Callers must show a token; put one in a file.\n",
    )  # fmt: skip
    (tmp_path / "token").write_text("x")
    ran = halgit(
        "accounts", "serve", "--repo", "https://x/y", "--api-token-file", "token", "--listen", "8088", cwd=tmp_path
    )
    assert (ran.code, ran.err) == (2, "halgit: --listen 8088 is no HOST:PORT. Write it as 0.0.0.0:8088.\n")
