"""Middleware for every request: its id, its size, its time, the number of requests, and the headers of each answer."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from halgit.record import Record
from halgit.server.problems import LimitError, of_error

_ID: Final = re.compile(r"[-_.A-Za-z0-9]{1,64}")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types lit-html"
)
_DISCARDED: Final = 16
"""A body that is too large is read up to so many times the limit, then the connection is closed."""
_ALWAYS: Final = {"/livez", "/health"}
"""Probes of the process, which too many requests do not stop."""
_STOPPED: Final = LimitError(
    503,
    "The server stopped before the request was answered; a change may be written.",
    "Send the request again with the same Idempotency-Key.",
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Limits(Record):
    """Limits of the server: bytes of a body and of the headers, seconds to send a body, requests at once."""

    body: int = 1024 * 1024
    headers: int = 32 * 1024
    seconds: float = 15.0
    requests: int = 512


class Guard:
    """ASGI middleware. `count` receives the operation, the status and the seconds of each request."""

    def __init__(self, app: ASGIApp, limits: Limits, count: Callable[[str, int, float], None]) -> None:
        self._app = app
        self._limits = limits
        self._count = count
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)
        started, status = time.monotonic(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                names = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", state["request_id"].encode()),
                    *(pair for pair in HEADERS if pair[0] not in names),
                ]
            await send(message)

        self._running += 1
        try:
            await self._guarded(scope, receive, answer)
        except asyncio.CancelledError:
            # The server stops: refuse what still waits, unless its answer has begun.
            if status:
                raise
            await _refuse(_STOPPED, scope, receive, answer)
        finally:
            self._running -= 1
            if status:
                self._count(state.get("operation", "other"), status, time.monotonic() - started)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._running > self._limits.requests and scope["path"] not in _ALWAYS:
                raise LimitError(429, "There are too many requests.", "Try again later.")
            if sum(len(name) + len(value) for name, value in scope["headers"]) > self._limits.headers:
                raise LimitError(431, f"The headers are larger than {self._limits.headers} bytes.", "Send less.")
            body = await self._read(scope, receive)
        except LimitError as reason:
            await _refuse(reason, scope, receive, send)
            return
        if body is None:
            return
        delivered = False

        async def replay() -> Message:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, within its limits; None if the client has gone before its end."""
        length = _header(scope, b"content-length")
        is_large = length.isdigit() and int(length) > self._limits.body
        try:
            return await asyncio.wait_for(self._collect(receive, keep=not is_large), self._limits.seconds)
        except asyncio.TimeoutError:
            raise LimitError(408, "The body did not arrive in time.", "Send it faster.") from None

    async def _collect(self, receive: Receive, *, keep: bool) -> bytes | None:
        """The body. One that is too large is read and discarded, so that the client gets the answer; up to a bound."""
        parts: list[bytes] = []
        size = 0
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message.get("body", b""))
            keep = keep and size <= self._limits.body
            if keep:
                parts.append(message.get("body", b""))
            ends = not message.get("more_body")
            if not keep and (ends or size > _DISCARDED * self._limits.body):
                raise _too_large(self._limits.body)
            if ends:
                return b"".join(parts)


async def _refuse(reason: LimitError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, and end the connection: what follows of the request is not read."""
    answer = of_error(Request(scope), reason)
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)


def _too_large(limit: int) -> LimitError:
    return LimitError(413, f"The body is larger than {limit} bytes.", "Send less.")


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _request_id(scope: Scope) -> str:
    asked = _header(scope, b"x-request-id")
    return asked if _ID.fullmatch(asked) else new_request_id()


def new_request_id() -> str:
    """Return an id for a request that has none."""
    return secrets.token_hex(8)
