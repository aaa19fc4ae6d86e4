"""The HTTP side of `halgit sync`: probes, metrics, status and webhooks. It reads the status board and wakes the loop.

    GET  /livez    200 while the loop shows itself          GET /metrics   for Prometheus
    GET  /readyz   200 once a pass ended without a failure  GET /status    one JSON object
    POST /webhook  of GitHub, GitLab, Bitbucket or Gitea, signed with --webhook-secret-file

Nothing that a request holds reaches the loop: a webhook only makes it look earlier.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from halgit.errors import UsageError
from halgit.sync.status import StatusBoard
from halgit.sync.webhooks import is_authentic

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

_LARGEST: Final = 25 * 1024 * 1024
"""Largest payload that GitHub sends, in bytes."""
_LONGEST_SILENCE: Final = 600.0
_LONGEST_START: Final = 15.0

_GAUGES: Final = (
    ("synchronized", "synchronized", "Whether the desired revision is deployed."),
    ("leader", "leader", "Whether this replica acts."),
    ("lastSuccess", "last_success_timestamp_seconds", "When everything desired was found or made deployed."),
    ("lastLook", "last_look_timestamp_seconds", "When the last round began."),
    ("deployedAt", "deployed_timestamp_seconds", "When the last successful deploy ended."),
)


class SyncServer:
    """The server in threads of its own. `secrets` gives the secrets of webhooks as they are now."""

    def __init__(self, board: StatusBoard, wake: Callable[[], None], secrets: Callable[[], Iterable[bytes]]) -> None:
        self._routes = _Routes(board, wake, secrets)
        self._running: list[tuple[Any, threading.Thread]] = []

    def start(self, address: tuple[str, int], webhooks: tuple[str, int] | None = None) -> None:
        """Serve from now on; webhooks at an address of their own where one is named.

        Raises UsageError where the server extra is missing or an address is not free.
        """
        try:
            import uvicorn

            main = self._routes.application(webhooks=webhooks is None)
            apart = self._routes.webhook_application()
        except ImportError:
            raise UsageError("--listen needs the server extra.", "pip install 'halgit[server]'") from None
        for app, place, option in ((main, address, "--listen"), (apart, webhooks, "--webhook-listen")):
            if place:
                host, port = place
                config = uvicorn.Config(
                    app, host=host, port=port, log_level="critical", access_log=False, lifespan="off"
                )
                self._serve(uvicorn.Server(config), f"{option}: cannot listen at {host}:{port}.")

    def _serve(self, running: Any, problem: str) -> None:
        thread = threading.Thread(target=running.run, name="sync-server", daemon=True)
        thread.start()
        self._running.append((running, thread))
        end = time.monotonic() + _LONGEST_START
        while not running.started:
            if not thread.is_alive() or time.monotonic() > end:
                raise UsageError(problem, "Choose another address or port.")
            time.sleep(0.02)

    def close(self) -> None:
        """Stop serving."""
        for running, _ in self._running:
            running.should_exit = True
        for _, thread in self._running:
            thread.join(timeout=5)


class _Routes:
    def __init__(self, board: StatusBoard, wake: Callable[[], None], secrets: Callable[[], Iterable[bytes]]) -> None:
        self._board = board
        self._wake = wake
        self._secrets = secrets
        self._registry = _registry(board)

    def application(self, *, webhooks: bool = True) -> FastAPI:
        """The application with all routes, those of webhooks only where they have no address of their own."""
        app = _new_application()
        app.add_route("/livez", self.livez, ["GET"])
        app.add_route("/readyz", self.readyz, ["GET"])
        app.add_route("/metrics", self.metrics, ["GET"])
        app.add_route("/status", self.status, ["GET"])
        if webhooks:
            app.add_route("/webhook", self.webhook, ["POST"])
        return app

    def webhook_application(self) -> FastAPI:
        """The application that receives webhooks and nothing else."""
        app = _new_application()
        app.add_route("/webhook", self.webhook, ["POST"])
        return app

    async def livez(self, request: Request) -> Response:
        alive = self._board.is_alive(_LONGEST_SILENCE)
        return _text(200 if alive else 503, "ok" if alive else "the loop has not shown itself for 10 minutes")

    async def readyz(self, request: Request) -> Response:
        ready = self._board.is_ready()
        return _text(200 if ready else 503, "ok" if ready else "no pass has ended without a failure yet")

    async def status(self, request: Request) -> Response:
        from fastapi import Response

        body = json.dumps(self._board.snapshot(), ensure_ascii=False, default=str)
        return Response(body, 200, media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        from fastapi import Response
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def webhook(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST:
                return _text(413, "the body is larger than 25 MiB")
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not is_authentic(headers, body, self._secrets()):
            return _text(401, "the signature is missing or wrong")
        self._wake()
        return _text(202, "looking")


def _new_application() -> FastAPI:
    from fastapi import FastAPI

    return FastAPI(title="halgit sync", docs_url=None, redoc_url=None, openapi_url=None)


def _text(code: int, text: str) -> Response:
    from fastapi import Response

    return Response(text + "\n", code, media_type="text/plain")


def _registry(board: StatusBoard) -> Any:
    """A registry of Prometheus that reads the board when it is asked."""
    from prometheus_client.registry import Collector, CollectorRegistry

    class BoardCollector(Collector):
        def collect(self) -> Iterator[Any]:
            yield from _metrics(board.snapshot())

    registry = CollectorRegistry()
    registry.register(BoardCollector())
    return registry


def _metrics(status: Mapping[str, Any]) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, SummaryMetricFamily

    for field, name, text in _GAUGES:
        yield GaugeMetricFamily(f"halgit_sync_{name}", text, value=float(status[field]))
    yield GaugeMetricFamily(
        "halgit_sync_held", "Whether something holds deploys back.", value=float(bool(status["held"]))
    )
    yield GaugeMetricFamily(
        "halgit_sync_drift", "Number of differences from what was deployed.", value=len(status["drift"])
    )
    age = max(0.0, status["now"] - status["deployedAt"]) if status["deployedAt"] else float("nan")
    yield GaugeMetricFamily("halgit_sync_deployed_age_seconds", "Age of the last successful deploy.", value=age)
    revision = InfoMetricFamily("halgit_sync_revision", "The desired, the published and the deployed revision.")
    revision.add_metric([], {name: status[f"{name}Revision"] for name in ("desired", "published", "deployed")})
    yield revision
    yield CounterMetricFamily("halgit_sync_rounds", "Rounds since the start.", value=status["rounds"])
    failures = CounterMetricFamily("halgit_sync_failures", "Failures by kind.", labels=["kind"])
    for kind, count in status["failures"].items():
        failures.add_metric([kind], count)
    yield failures
    deploys = CounterMetricFamily("halgit_sync_deploys", "Deploys by how they ended.", labels=["state"])
    for state, count in status["deploys"].items():
        deploys.add_metric([state.lower()], count)
    yield deploys
    steps = SummaryMetricFamily("halgit_sync_step_seconds", "Duration by step.", labels=["step"])
    for step, figures in status["steps"].items():
        steps.add_metric([step], count_value=figures["count"], sum_value=figures["seconds"])
    yield steps
