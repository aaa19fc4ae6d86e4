"""A reverse proxy on loopback that counts requests and can answer, delay or break them itself.

It stands between halgit and a real server, so that faults are injected without touching either.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Answer:
    """What goes out instead of the upstream's answer. `cut` sends less than Content-Length says, then hangs up."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Rule = Callable[[Request], "Answer | None"]
Change = Callable[[Request, bytes], bytes]


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up early is what some tests are about."""


class Relay:
    """The running proxy. `rule` may answer a request itself; `rewrite` a path, `change` a body of the upstream."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.seen: list[Request] = []
        self.rule: Rule = lambda request: None
        self.change: Change = lambda request, body: body
        self.rewrite: Callable[[str], str] = lambda path: path
        self.after: Callable[[Request], None] = lambda request: None
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def count(self, part: str, method: str = "") -> int:
        """How many requests had this in their path."""
        return sum(part in request.path and request.method in (method or request.method) for request in self.seen)


class Crowd:
    """A rule that holds requests until so many are there at once; `most` is how many there were. Others pass."""

    def __init__(self, size: int, part: str = "") -> None:
        self.most = 0
        self._part = part
        self._now = 0
        self._lock = threading.Lock()
        self._gate = threading.Barrier(size, timeout=20)

    def __call__(self, request: Request) -> Answer | None:
        if self._part not in request.path:
            return None
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            self._gate.wait()
            time.sleep(_FOR_ONE_MORE)
        finally:
            with self._lock:
                self._now -= 1
        return None


_FOR_ONE_MORE = 0.2
"""Seconds a full crowd waits, so that one that should not come is seen."""


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
            relay.seen.append(request)
            answer = relay.rule(request) or self._forward(request, body)
            relay.after(request)
            self._send(answer)

        def _forward(self, request: Request, body: bytes) -> Answer:
            upstream = urlsplit(relay.upstream)
            connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=60)
            try:
                connection.request(request.method, relay.rewrite(request.path), body, dict(self.headers.items()))
                response = connection.getresponse()
                headers = {k: v for k, v in response.getheaders() if k.lower() not in _OURS}
                data = response.read()
                if request.method == "HEAD":
                    headers["Content-Length"] = response.headers.get("Content-Length") or "0"
                return Answer(response.status, relay.change(request, data), headers)
            finally:
                connection.close()

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
            self.close_connection = True

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_LIST = _any

    return Handler


_OURS = {"content-length", "transfer-encoding", "connection", "date", "server"}


@contextmanager
def relay(upstream: str) -> Iterator[Relay]:
    """A relay in front of this URL, for the length of a with block."""
    running = Relay(upstream)
    thread = threading.Thread(target=running.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.server.shutdown()
        running.server.server_close()
        thread.join()
