"""The process of `halgit accounts serve`: bytes that are not HTTP, slow clients, limits, TLS, its end, its log."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import needs
import pytest
from servers.accounts_server import ADMIN, WRITER, AccountServer, account_server
from servers.controller import Authority, key_pem, pem

POD: dict[str, Any] = {"serviceAccount": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountServer]:
    with account_server(tmp_path_factory.mktemp("serving")) as running:
        yield running


def connect(server: AccountServer, timeout: float = 40) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout)


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def parse(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """The status, the headers and the body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, value in pairs}, body


POST = b"POST /v1/accounts HTTP/1.1\r\nHost: x\r\n"
NOT_HTTP = (
    ("TLS to the port of HTTP", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ("no host", b"GET /livez HTTP/1.1\r\n\r\n", 400),
    ("a negative length", POST + b"Content-Length: -1\r\n\r\n", 400),
    ("an unknown encoding", POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    ("a broken chunk", POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ("headers without an end", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200_000, 431),
)


@pytest.mark.parametrize("case", NOT_HTTP, ids=[one[0] for one in NOT_HTTP])
def test_bytes_that_are_not_http_are_answered_with_a_problem(
    server: AccountServer, case: tuple[str, bytes, int]
) -> None:
    _, sent, expected = case
    with connect(server) as connection:
        connection.sendall(sent)
        status, headers, body = parse(read_all(connection))
    assert (status, headers["content-type"], headers["connection"]) == (expected, "application/problem+json", "close")
    problem = json.loads(body)
    assert (problem["status"], problem["requestId"]) == (expected, headers["x-request-id"])
    assert "default-src 'none'" in headers["content-security-policy"]
    counted = f'halgit_accounts_requests_total{{operation="other",status="{expected}"}}'
    assert counted in server.call("GET", "/metrics", token="").body


def test_a_request_that_ends_early_changes_nothing(server: AccountServer) -> None:
    assert server.call("POST", "/v1/accounts", {"name": "early", "fields": POD}).status == 201
    with connect(server) as connection:
        head = f"DELETE /v1/accounts/early HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n"
        connection.sendall(f"{head}Content-Length: 10\r\n\r\nabc".encode())
    time.sleep(0.5)
    assert server.call("GET", "/v1/accounts/early").status == 200
    assert server.call("DELETE", "/v1/accounts/early").status == 200


def test_slow_clients_are_ended_at_every_step(server: AccountServer) -> None:
    """Each has 15 seconds; a byte now and then does not buy more."""

    def trickle(first: bytes, byte: bytes) -> bytes:
        with connect(server) as connection:
            connection.sendall(first)
            connection.settimeout(1)
            received, end = b"", time.monotonic() + 30
            while time.monotonic() < end:
                try:
                    data = connection.recv(65536)
                    if not data:
                        return received
                    received += data
                except TimeoutError:
                    connection.sendall(byte)
                except ConnectionError:
                    return received
            raise AssertionError("the connection is still open")

    def never_read() -> bytes:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(40)
            connection.connect(("127.0.0.1", int(server.url.rsplit(":", 1)[1])))
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 400)
            time.sleep(18)
            received = read_all(connection)
            assert received.count(b"HTTP/1.1 200") < 400
            return received

    cases = {
        "nothing": (b"", b""),
        "headers": (b"GET /livez HTTP/1.1\r\n", b"A"),
        "headers of the second request": (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"A"),
        "the body": (POST + b"Content-Length: 100000\r\n\r\n", b"A"),
    }
    with ThreadPoolExecutor() as pool:
        unread = pool.submit(never_read)
        answers = dict(zip(cases, pool.map(lambda case: trickle(*case), cases.values()), strict=True))
        unread.result()
    assert (answers["nothing"], answers["headers"]) == (b"", b"")
    assert answers["headers of the second request"].count(b"HTTP/1.1 200") == 1
    status, headers, body = parse(answers["the body"])
    assert (status, headers["connection"], json.loads(body)["status"]) == (408, "close", 408)


def test_one_connection_too_many_is_refused_and_probes_are_not(server: AccountServer) -> None:
    opened: list[socket.socket] = []
    try:
        for _ in range(512):
            opened.append(connect(server))
            opened[-1].sendall(POST + b"Content-Length: 10\r\n\r\nabc")
        assert server.call("GET", "/v1/accounts").status == 429
        assert server.call("GET", "/livez", token="").status == 200
        opened += [connect(server) for _ in range(256)]
        with connect(server) as refused:
            status, headers, body = parse(read_all(refused))
        assert (status, headers["retry-after"], json.loads(body)["status"]) == (503, "2", 503)
    finally:
        for one in opened:
            one.close()
    end = time.monotonic() + 20
    while server.call("GET", "/v1/accounts").status != 200:
        assert time.monotonic() < end, "the server does not recover"
        time.sleep(0.1)


def test_a_stop_refuses_what_a_store_does_not_answer(tmp_path: Path) -> None:
    with account_server(tmp_path) as server:
        hook = server.repository.folder / ".git" / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nsleep 20\n")
        hook.chmod(0o755)
        answers: dict[str, Any] = {}

        def write(name: str) -> None:
            answers[name] = server.call("POST", "/v1/accounts", {"name": name, "fields": POD}, WRITER)

        def send_slowly() -> None:
            with connect(server) as connection:
                connection.sendall(POST + b"Content-Length: 10\r\n\r\nabc")
                answers["slow"] = parse(read_all(connection))

        threads = [threading.Thread(target=write, args=("first",)), threading.Thread(target=send_slowly)]
        threads += [threading.Thread(target=write, args=(f"later{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
            time.sleep(0.2)
        time.sleep(0.5)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert time.monotonic() - started < 5
        for thread in threads:
            thread.join()
        assert (answers.pop("slow")[0], {one.status for one in answers.values()}) == (503, {503})
        assert "a change may be written" in answers["first"].body["detail"]
        assert "was not written" in answers["later1"].body["detail"]
        lines = [json.loads(line) for line in server.log.splitlines()]
        results = {line["account"]: line["result"] for line in lines if "what" in line}
        assert results == {"first": "unknown (the server stopped)"} | {
            f"later{number}": "refused (BusyError)" for number in range(4)
        }


def test_files_that_become_unusable_are_reported_in_the_log_and_not_to_callers(tmp_path: Path) -> None:
    with account_server(tmp_path) as server:
        assert server.call("GET", "/v1/accounts", token=WRITER).status == 200
        tokens, key = tmp_path / "tokens.yml", tmp_path / "key"
        good = tokens.read_text()
        tokens.write_text("tokens: [{name: x}]\n")
        for _ in range(3):
            answer = server.call("GET", "/v1/accounts", token=WRITER)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert answer.body["detail"] == "The server's settings are not usable now."
        assert server.log.count("tokens.yml: tokens[0]: sha256 is not 64 hexadecimal digits") == 1
        tokens.write_text(good)
        assert server.call("GET", "/v1/accounts", token=WRITER).status == 200
        secret = key.read_bytes()
        key.unlink()
        assert server.call("GET", "/v1/accounts").status == 503
        assert server.call("GET", "/readyz", token="").status == 503
        assert server.call("GET", "/metrics", token="").status == 200
        assert server.log.count(f"{key}: No such file or directory.") == 1
        key.write_bytes(secret)
        assert server.call("GET", "/v1/accounts").status == 200


def test_a_bug_is_a_problem_too() -> None:
    from halgit.server.application import build_application
    from halgit.server.authentication import Authentication, Token

    def broken() -> Any:
        raise RuntimeError("canary")

    token = Token("t", hashlib.sha256(b"t").hexdigest(), "admin")
    app = build_application(broken, Authentication(lambda: [token]), lambda text, **fields: None)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/v1/accounts", "raw_path": b"/v1/accounts", "query_string": b"",
        "headers": [(b"authorization", b"Bearer t"), (b"x-request-id", b"mine")], "http_version": "1.1",
        "scheme": "http", "server": ("x", 80), "client": ("x", 1), "root_path": "",
    }  # fmt: skip
    with pytest.raises(RuntimeError):
        asyncio.run(app(scope, receive, send))
    start, body = sent
    headers = dict(start["headers"])
    assert (start["status"], headers[b"content-type"]) == (500, b"application/problem+json")
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    problem = json.loads(body["body"])
    assert (problem["detail"], problem["requestId"]) == ("The server has a bug.", "mine")


# --- TLS


def _client(authority: Authority, name: str) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return pem(authority.sign(subject, key.public_key())) + key_pem(key)


def _write_tls(folder: Path, authority: Authority) -> None:
    certificate, key = authority.issue({}, name="127.0.0.1")
    for name, content in (("own-key", key), ("own", certificate), ("ca", pem(authority.certificate))):
        (folder / name).write_bytes(content)


def _tls_arguments(folder: Path) -> list[str]:
    return ["--tls-cert-file", str(folder / "own"), "--tls-key-file", str(folder / "own-key"),
            "--client-ca-file", str(folder / "ca"), "--client-roles", "ci-robot=writer"]  # fmt: skip


def test_mutual_tls_gives_a_role_and_files_are_read_again(tmp_path: Path) -> None:
    """Certificates that were renewed, also by another CA, are used without a restart."""
    curl = needs.program("curl", "curl")
    before, after = Authority(), Authority()
    _write_tls(tmp_path, before)
    for authority, at in ((before, "before"), (after, "after")):
        (tmp_path / f"{at}-ca").write_bytes(pem(authority.certificate))
        for name in ("ci-robot", "stranger"):
            (tmp_path / f"{at}-{name}").write_bytes(_client(authority, name))
    with account_server(tmp_path / "server", *_tls_arguments(tmp_path)) as server:
        url = server.url.replace("http:", "https:")

        def ask(path: str, ca: str, client: str, *more: str) -> str:
            command = [curl, "--silent", "--cacert", tmp_path / ca, *(["--cert", tmp_path / client] if client else [])]
            done = subprocess.run(
                [*map(str, command), *more, "-w", "\n%{http_code}", url + path],
                capture_output=True, check=False, text=True,
            )  # fmt: skip
            return done.stdout

        assert json.loads(ask("/v1/me", "before-ca", "before-ci-robot").split("\n")[0])["name"] == "ci-robot"
        assert ask("/v1/me", "before-ca", "").endswith("\n401")
        assert ask("/v1/me", "before-ca", "before-stranger").endswith("\n401")
        assert ask("/v1/me", "before-ca", "after-ci-robot").endswith("\n000")
        remove = ("-X", "DELETE")
        assert ask("/v1/accounts/x", "before-ca", "before-ci-robot", *remove).endswith("\n404")
        for header in ("Sec-Fetch-Site: cross-site", "Origin: https://evil.example.com"):
            assert ask("/v1/accounts/x", "before-ca", "before-ci-robot", *remove, "-H", header).endswith("\n403")

        (tmp_path / "own").write_bytes(b"half written")
        assert ask("/livez", "before-ca", "").endswith("\n200")
        assert "The files of TLS before are still used" in server.log
        _write_tls(tmp_path, after)
        assert ask("/livez", "before-ca", "").endswith("\n000")
        assert json.loads(ask("/v1/me", "after-ca", "after-ci-robot").split("\n")[0])["name"] == "ci-robot"
        assert ask("/v1/me", "after-ca", "before-ci-robot").endswith("\n000")

        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with connect(server) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(plain)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("own", b"", "--tls-cert-file {folder}/own, --tls-key-file {folder}/own-key: OpenSSL does not accept them"),
        ("own-key", None, "--tls-cert-file {folder}/own, --tls-key-file {folder}/own-key: No such file or directory."),
        ("ca", b"x", "--client-ca-file {folder}/ca: OpenSSL does not accept them"),
    ],
)
def test_files_of_tls_that_cannot_be_used_are_named(
    tmp_path: Path, file: str, content: bytes | None, message: str
) -> None:
    _write_tls(tmp_path, Authority())
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    (tmp_path / "token").write_text("t")
    done = subprocess.run(
        [sys.executable, "-m", "halgit", "accounts", "serve", "--repo", f"file://{tmp_path}", "--listen", "127.0.0.1:1",
         "--api-token-file", str(tmp_path / "token"), *_tls_arguments(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert message.format(folder=tmp_path) in done.stderr
