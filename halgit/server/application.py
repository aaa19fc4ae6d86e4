"""The application: the API, its description, the page, and what is asked of the process itself."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any, Final

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from halgit.accounts.service import Accounts
from halgit.errors import HalgitError
from halgit.server import problems
from halgit.server.authentication import Authentication
from halgit.server.guard import HEADERS, Guard, Limits
from halgit.server.metrics import CONTENT_TYPE, Metrics
from halgit.server.routes import Log, Services, build_router

_THREADS: Final = 256
_CHECKED_SECONDS: Final = 5.0
_PAGE: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/views.js": ("views.js", "text/javascript; charset=utf-8"),
    "/lit-html.js": ("lit-html.js", "text/javascript; charset=utf-8"),
}


def build_application(
    accounts: Callable[[], Accounts],
    authentication: Authentication,
    log: Log,
    limits: Limits | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """Return the application. `accounts` returns the service as the operator's files are now.

    Metrics that are passed are counted and not served; see `build_metrics_application`.
    """
    own, metrics = metrics is None, metrics or Metrics()
    app = FastAPI(
        title="halgit accounts",
        version="1",
        description="Dynamic accounts of Clouddriver: listed, changed and connected to remote clusters.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.include_router(build_router(Services(accounts, authentication, metrics, log)))
    _add_probes(app, accounts)
    if own:
        _add_metrics(app, accounts, metrics)
    _add_page(app)
    app.add_exception_handler(RequestValidationError, _on_validation)
    _add_guard(app, metrics, limits or Limits())
    return app


def _add_guard(app: FastAPI, metrics: Metrics, limits: Limits) -> None:
    app.state.count = metrics.count
    app.add_exception_handler(HalgitError, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
    app.add_middleware(Guard, limits=limits, count=metrics.count)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


async def _on_error(request: Request, error: Any) -> Response:
    return problems.of_error(request, error)


async def _on_bug(request: Request, error: Exception) -> Response:
    """The answer to an error that nobody expected; the server logs it with its trace. It has not passed the guard."""
    answer = problems.problem(request, 500, "The server has a bug.", "Report it with the log of this request.")
    for name, value in ((b"x-request-id", request.state.request_id.encode()), *HEADERS):
        answer.headers[name.decode()] = value.decode()
    request.app.state.count(getattr(request.state, "operation", "other"), 500, 0.0)
    return answer


async def _on_validation(request: Request, error: Any) -> Response:
    return problems.of_validation(request, error)


async def _on_http(request: Request, error: Any) -> Response:
    return problems.of_http(request, error)


def build_metrics_application(accounts: Callable[[], Accounts], metrics: Metrics) -> FastAPI:
    """Return an application that serves only these metrics, for an address of their own."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    _add_metrics(app, accounts, metrics)
    _add_guard(app, metrics, Limits())
    return app


def _add_metrics(app: FastAPI, accounts: Callable[[], Accounts], metrics: Metrics) -> None:
    async def numbers(request: Request) -> Response:
        return Response(await run_in_threadpool(metrics.text, accounts), media_type=CONTENT_TYPE)

    app.add_route("/metrics", numbers, ["GET"], include_in_schema=False)


def _add_probes(app: FastAPI, accounts: Callable[[], Accounts]) -> None:
    readiness = _Readiness(accounts)

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "UP"})

    async def ready(request: Request) -> Response:
        faults = await run_in_threadpool(readiness.faults)
        body = {"status": "DOWN" if faults else "UP", "faults": faults}
        return JSONResponse(body, 503 if faults else 200)

    for path, answer in (("/livez", live), ("/health", live), ("/readyz", ready)):
        app.add_route(path, answer, ["GET"], include_in_schema=False)


class _Readiness:
    """Whether the store and the controller answer, asked at most every few seconds, and by one probe at a time."""

    def __init__(self, accounts: Callable[[], Accounts]) -> None:
        self._accounts = accounts
        self._asked = float("-inf")
        self._faults = ["The store has not been read yet."]
        self._checking = threading.Lock()

    def faults(self) -> list[str]:
        """Return what is not reachable; messages hold no secret."""
        if time.monotonic() - self._asked > _CHECKED_SECONDS and self._checking.acquire(blocking=False):
            try:
                self._faults = [*self._check()]
                self._asked = time.monotonic()
            finally:
                self._checking.release()
        return self._faults

    def _check(self) -> list[str]:
        faults = []
        try:
            accounts = self._accounts()
            accounts.writer.read()
        except HalgitError as reason:
            return [reason.message]
        if accounts.controller is not None:
            try:
                accounts.list_agents(retry=False)
            except HalgitError as reason:
                faults.append(reason.message)
        return faults


def _add_page(app: FastAPI) -> None:
    folder = resources.files("halgit.server") / "page"
    for path, (name, media) in _PAGE.items():
        content = (folder / name).read_bytes()
        headers = {"Cache-Control": "no-cache", "ETag": f'"{hashlib.sha256(content).hexdigest()[:24]}"'}

        async def answer(
            request: Request, content: bytes = content, media: str = media, headers: dict[str, str] = headers
        ) -> Response:
            if headers["ETag"] in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            return Response(content, media_type=media, headers=headers)

        app.add_route(path, answer, ["GET"], include_in_schema=False)
