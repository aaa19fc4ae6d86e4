"""A git server over http on loopback: `git http-backend` behind a small server that can ask for a login, speak TLS,
redirect, break, or hold a request until the test lets it go.
"""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import needs
from servers.repositories import CLEAN


@dataclass
class Request:
    """What came in. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def login(self) -> str:
        """`user:password`, empty where none was sent."""
        kind, _, text = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(text).decode() if kind == "Basic" else text


@dataclass
class Reply:
    """What goes out instead of git's own answer. `ignore_progress` sends nothing and hangs up."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ignore_progress: bool = False


Rule = Callable[[Request], "Reply | None"]


class GitHttpServer:
    """Serves the repositories below `root`, for the length of a with block.

    `token` is asked of every request; with `user` that user name, too. `rule` may answer a request itself.
    `old` leaves out what newer git clients ask for (protocol 2), as old servers and some proxies do.
    """

    def __init__(
        self, root: Path, *, token: str = "", user: str = "", tls: ssl.SSLContext | None = None, old: bool = False
    ) -> None:
        needs.program("git", "git")
        needs.program("git-http-backend", "git")
        self.root = root
        self.token = token
        self.user = user
        self.old = old
        self.rule: Rule = lambda request: None
        self.seen: list[Request] = []
        self.sent = 0
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.tls = tls
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self.server.server_port
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> GitHttpServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def count(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in request.path for request in self.seen)

    def answer(self, request: Request) -> Reply | None:
        """What this server says before git is asked; None lets git answer."""
        reply = self.rule(request)
        if reply is not None or not self.token:
            return reply
        user, _, password = request.login.partition(":")
        if password == self.token and (not self.user or user == self.user):
            return None
        return Reply(401, headers={"WWW-Authenticate": 'Basic realm="git"'})


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up early is what some tests are about."""


def _handler(server: GitHttpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            body = self._body()
            request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
            server.seen.append(request)
            reply = server.answer(request)
            self.close_connection = True
            if reply is None:
                reply = _backend(server, request, body)
            if not reply.ignore_progress:
                self._send(reply)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            headers = {"Content-Length": str(len(reply.body)), "Connection": "close", **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            server.sent += len(reply.body)

        do_GET = do_POST = _any

    return Handler


def _backend(server: GitHttpServer, request: Request, body: bytes) -> Reply:
    path, _, query = request.path.partition("?")
    environment = {
        **CLEAN,
        "GIT_PROJECT_ROOT": str(server.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": "" if server.old else request.headers.get("git-protocol", ""),
        "REMOTE_USER": "somebody" if server.token else "",
    }
    done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    status = int(headers.pop("Status", "200").split()[0])
    return Reply(status, content, headers)
