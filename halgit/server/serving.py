"""The server process: uvicorn with TLS and client certificates, limits on headers and connections, an orderly end."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from halgit.record import Record

_CERT_OPTIONAL: Final = 1
"""ssl.CERT_OPTIONAL: a client may show a certificate."""
_HEADER_BYTES: Final = 32 * 1024
_IDLE_SECONDS: Final = 15
_STOP_SECONDS: Final = 4


class Listening(Record):
    """Address to serve at, and the files of TLS; without them it is plain HTTP."""

    host: str
    port: int
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""


class _Protocol(H11Protocol):
    """HTTP with the name of the client's certificate in the request, and an end to clients that send no request."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        name = _common_name(transport.get_extra_info("ssl_object"))
        inner = self.app

        async def named(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})["halgit.client"] = name
            await inner(scope, receive, send)

        self.app = named
        self._first = self.loop.call_later(_IDLE_SECONDS, self._end_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._first.cancel()
        super().connection_lost(exc)

    def _end_if_idle(self) -> None:
        """Close a connection whose first request has not arrived."""
        cycle: Any = self.cycle
        if cycle is None and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Refuses what waits in the queue as soon as a signal comes."""

    def __init__(self, config: uvicorn.Config, writers: Any) -> None:
        super().__init__(config)
        self._writers = writers

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        for writer in self._writers():
            writer.stop(_STOP_SECONDS - 1)


def serve(app: FastAPI, listening: Listening, writers: Any) -> None:
    """Serve until a signal comes. `writers` returns the writers that are in use."""
    tls: dict[str, Any] = {}
    if listening.cert_file:
        tls = {"ssl_certfile": listening.cert_file, "ssl_keyfile": listening.key_file or None}
    if listening.client_ca_file:
        tls |= {"ssl_ca_certs": listening.client_ca_file, "ssl_cert_reqs": _CERT_OPTIONAL}
    config = uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=_Protocol,
        ws="none",
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        backlog=1024,
        **tls,
    )
    asyncio.run(_Server(config, writers).serve())


def serve_beside(app: FastAPI, host: str, port: int) -> None:
    """Serve plain HTTP on another address until the process ends, in a thread of its own; exits where it is in use."""
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)
    socket = config.bind_socket()
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True, name="metrics").start()


def _common_name(tls: Any) -> str:
    """The common name of a client's certificate, which TLS has verified; empty for none."""
    certificate = tls.getpeercert() if tls is not None else None
    subject: Any = certificate.get("subject", ()) if certificate else ()
    return next((value for part in subject for key, value in part if key == "commonName"), "")
