"""The routes. Each takes a request apart, calls the service, and says in the log what was done, never with a value."""

from __future__ import annotations

import hmac
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from halgit.accounts.service import Accounts
from halgit.accounts.writer import Written
from halgit.errors import HalgitError, UsageError
from halgit.server.requests import Say, added, agent, answer, status, updated

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

_LARGEST = 1024 * 1024


class _Counts:
    """Requests by route and status, as Prometheus reads them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, int]] = Counter()

    def add(self, what: str, code: int) -> None:
        with self._lock:
            self._seen[what, code] += 1

    def text(self) -> str:
        """The exposition format."""
        with self._lock:
            rows = sorted(self._seen.items())
        lines = [
            f'halgit_accounts_requests_total{{operation="{what}",status="{code}"}} {n}' for (what, code), n in rows
        ]
        head = ["# HELP halgit_accounts_requests_total Requests by operation and HTTP status."]
        return "\n".join([*head, "# TYPE halgit_accounts_requests_total counter", *lines, ""])


def application(accounts: Callable[[], Accounts], token: str, say: Say) -> FastAPI:
    """The application. `accounts` makes the service anew for each request, so that a rotated credential is read."""
    from fastapi import FastAPI

    app = FastAPI(title="halgit accounts", docs_url=None, redoc_url=None, openapi_url=None)
    routes = _Routes(accounts, token, say)
    app.add_route("/health", routes.health, ["GET"])
    app.add_route("/metrics", routes.metrics, ["GET"])
    for path, what, method in _ROUTES:
        app.add_route(path, routes.endpoint(what), [method])
    return app


_ROUTES: Final = (
    ("/v1/accounts", "list", "GET"),
    ("/v1/accounts", "add", "POST"),
    ("/v1/accounts/{name}", "show", "GET"),
    ("/v1/accounts/{name}", "update", "PATCH"),
    ("/v1/accounts/{name}", "remove", "DELETE"),
    ("/v1/agents/{name}/manifest", "manifest", "POST"),
)


class _Routes:
    """What each route does. An operation gets the name in the path and the body, and gives a status and an answer."""

    def __init__(self, accounts: Callable[[], Accounts], token: str, say: Say) -> None:
        self._accounts = accounts
        self._token = token
        self._say = say
        self._counts = _Counts()
        self._operations: dict[str, Callable[[str, Any], tuple[int, dict[str, Any] | bytes]]] = {
            "list": self._list,
            "show": self._show,
            "add": self._add,
            "update": self._update,
            "remove": self._remove,
            "manifest": self._manifest,
        }

    async def health(self, request: Request) -> Response:
        return _reply(200, {"status": "UP"})

    async def metrics(self, request: Request) -> Response:
        from fastapi import Response

        return Response(self._counts.text(), media_type="text/plain; version=0.0.4")

    def endpoint(self, what: str) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of one operation."""
        operation = self._operations[what]

        async def respond(request: Request) -> Response:
            code, told = await self._answered(request, what, operation)
            self._counts.add(what, code)
            return _reply(code, told)

        return respond

    async def _answered(
        self, request: Request, what: str, operation: Callable[[str, Any], tuple[int, dict[str, Any] | bytes]]
    ) -> tuple[int, dict[str, Any] | bytes]:
        from fastapi.concurrency import run_in_threadpool

        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self._token.encode()):
            return 401, {"error": {"code": 6, "message": "The token is missing or wrong. Send it as a bearer token."}}
        try:
            body = await _body(request)
            done = await run_in_threadpool(operation, request.path_params.get("name", ""), body)
        except HalgitError as error:
            self._say(f"{what}: {error}", level="error")
            return status(error), answer(error)
        self._say(f"{what}: done")
        return done

    def _list(self, name: str, body: Any) -> tuple[int, dict[str, Any] | bytes]:
        found = self._accounts().listed()
        return 200, {"accounts": [{"name": one.name, "provider": one.provider} for one in found]}

    def _show(self, name: str, body: Any) -> tuple[int, dict[str, Any] | bytes]:
        entry = self._accounts().shown(name)
        return 200, {"name": entry.name, "provider": entry.provider, "fields": entry.fields}

    def _add(self, name: str, body: Any) -> tuple[int, dict[str, Any] | bytes]:
        provider, own, fields, access = added(body)
        return 201, _told(own, self._accounts().add(provider, own, fields, access))

    def _update(self, name: str, body: Any) -> tuple[int, dict[str, Any] | bytes]:
        fields, access = updated(body)
        return 200, _told(name, self._accounts().update(name, fields, access))

    def _remove(self, name: str, body: Any) -> tuple[int, dict[str, Any] | bytes]:
        return 200, _told(name, self._accounts().remove(name))

    def _manifest(self, name: str, body: Any) -> tuple[int, dict[str, Any] | bytes]:
        return 200, self._accounts().manifest(agent(name, body))


async def _body(request: Request) -> Any:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST:
            raise UsageError("The body is larger than 1 MiB.", "Send less.")
    try:
        return json.loads(content or b"{}")
    except ValueError:
        raise UsageError("The body is no JSON.", "Send a JSON object.") from None


def _reply(code: int, told: dict[str, Any] | bytes) -> Response:
    from fastapi import Response

    if isinstance(told, bytes):
        return Response(told, code, media_type="application/yaml")
    return Response(json.dumps(told, ensure_ascii=False, default=str), code, media_type="application/json")


def _told(name: str, written: Written) -> dict[str, Any]:
    return {"account": name, "revision": written.revision, "files": written.files, "notes": written.notes}
