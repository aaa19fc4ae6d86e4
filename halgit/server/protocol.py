"""HTTP/1.1 of the server: uvicorn's, with deadlines for slow clients, a limit of connections, and refusals as problems.

What uvicorn refuses before there is a request never reaches the application; it is answered and counted here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from halgit.server.guard import HEADERS, new_request_id
from halgit.server.problems import MEDIA, RETRY_SECONDS, describe

IDLE_SECONDS: Final = 15
"""Seconds for the headers of a request, between requests, and for a client that does not read its answer."""
CONNECTIONS: Final = 768
"""Connections at once: more than requests at once, so that those who send bodies slowly do not lock out the others."""
CLIENT: Final = "halgit.client"
"""The extension of a request that holds the name in the client's certificate."""


class Protocol(H11Protocol):
    """One connection. `count` receives the operation, the status and the seconds of a request that is refused here."""

    def __init__(self, *arguments: Any, count: Callable[[str, int, float], None], **more: Any) -> None:
        super().__init__(*arguments, **more)
        # Its warnings tell of clients, whom it refuses; they are counted.
        self.logger = logging.getLogger("uvicorn.protocol")
        self.logger.setLevel(logging.ERROR)
        self._count = count
        self._headers_end: asyncio.TimerHandle | None = None
        self._unread_end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Put the name of the client's certificate into each request; refuse one connection too many."""
        super().connection_made(transport)
        name, inner = _common_name(transport.get_extra_info("ssl_object")), self.app

        async def named(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CLIENT] = name
            await inner(scope, receive, send)

        self.app = named
        if len(self.connections) > CONNECTIONS:
            self._refuse(503, "There are too many connections.", "Try again later.")
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Read; the deadline for headers does not move with each byte that arrives."""
        if not self.transport.is_closing():
            super().data_received(data)
            self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        for timer in (self._headers_end, self._unread_end):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give a client who does not read its answer until the deadline."""
        super().pause_writing()
        self._unread_end = self.loop.call_later(IDLE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        if self._unread_end is not None:
            self._unread_end.cancel()

    def on_response_complete(self) -> None:
        """Close for good after the deadline, where an answer that ends the connection is not read."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.loop.call_later(IDLE_SECONDS, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also one whose client has not read the last answer."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(IDLE_SECONDS, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not a request; h11 knows the status."""
        fault = sys.exc_info()[1]
        status = fault.error_status_hint if isinstance(fault, h11.RemoteProtocolError) else 400
        self._refuse(status, "The request is not valid HTTP.", "Send HTTP/1.1 with headers of at most 32 KiB.")

    def _watch_headers(self) -> None:
        waits = self.conn.their_state is h11.IDLE
        if waits and self._headers_end is None:
            self._headers_end = self.loop.call_later(IDLE_SECONDS, self.transport.close)
        elif not waits and self._headers_end is not None:
            self._headers_end.cancel()
            self._headers_end = None

    def _refuse(self, status: int, detail: str, hint: str) -> None:
        """Send a problem, unless an answer has begun, and close."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            number = new_request_id()
            body = json.dumps(describe(status, detail, hint, request_id=number)).encode()
            headers = [
                *HEADERS, (b"content-type", MEDIA.encode()), (b"content-length", str(len(body)).encode()),
                (b"x-request-id", number.encode()), (b"connection", b"close"),
            ]  # fmt: skip
            if status == 503:
                headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
            reason = HTTPStatus(status).phrase.encode()
            for event in (h11.Response(status_code=status, headers=headers, reason=reason), h11.Data(data=body)):
                self.transport.write(self.conn.send(event) or b"")
            self._count("other", status, 0.0)
        self.transport.close()
        self.loop.call_later(IDLE_SECONDS, self.transport.abort)


def _common_name(tls: Any) -> str:
    """The common name of a client's certificate, which TLS has verified; empty for none."""
    certificate = tls.getpeercert() if tls is not None else None
    subject: Any = certificate.get("subject", ()) if certificate else ()
    return next((value for part in subject for key, value in part if key == "commonName"), "")
