"""A Vault with KV version 2 that answers every read after a delay: enough of its API for the benchmark."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = 20
"""Keys of each secret."""


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def serve(port: int, delay: float) -> Iterator[None]:
    """Serve on a port of this machine; each read waits `delay` seconds."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(delay))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _handler(delay: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(delay)
            self._answer(_content(self.path))

        def log_message(self, format: str, *words: object) -> None:
            return

        def _answer(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _content(path: str) -> object:
    if "/sys/internal/ui/mounts/" in path:
        return {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}
    values = {f"key-{number}": f"value-of-{path}-{number}" for number in range(KEYS)}
    return {"data": {"data": values, "metadata": {"version": 1}}}
