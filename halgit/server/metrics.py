"""Metrics for Prometheus: requests by operation and code, the queue, commits, retries, days left of certificates."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from halgit.accounts.service import Accounts
from halgit.accounts.views import AccountView, days_until
from halgit.accounts.writer import Writer
from halgit.errors import HalgitError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CERTIFICATES_SECONDS: Final = 300.0
"""Age from which the ends of certificates are read again; the days left are counted at each scrape."""


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "halgit_accounts_requests_total",
            "Requests by operation and HTTP status.",
            ["operation", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "halgit_accounts_request_seconds", "Duration of requests.", ["operation"], registry=self._registry
        )
        self._state = _State()
        self._registry.register(self._state)
        self._reading = threading.Lock()
        self._read_at = float("-inf")

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(operation, str(status)).inc()
        self._seconds.labels(operation).observe(seconds)

    def observe_accounts(self, accounts: Iterable[AccountView]) -> None:
        """Record the ends of certificates."""
        self._state.ends = {account.name: account.expires for account in accounts if account.expires}
        self._read_at = time.monotonic()

    def text(self, accounts: Callable[[], Accounts]) -> bytes:
        """Return the exposition format, also while the store or the operator's files cannot be read."""
        try:
            service = accounts()
        except HalgitError:
            service = None
        if service is not None:
            self._state.writer = service.writer
            self._read_certificates(service)
        return generate_latest(self._registry)

    def _read_certificates(self, service: Accounts) -> None:
        """Read the ends of certificates where they are old, in a thread: a scrape does not wait for the store."""
        if time.monotonic() - self._read_at < _CERTIFICATES_SECONDS or not self._reading.acquire(blocking=False):
            return

        def read() -> None:
            try:
                self.observe_accounts(service.list_accounts())
            except HalgitError:
                self._read_at = time.monotonic()  # the probe tells of the store; the ends of before stay
            finally:
                self._reading.release()

        threading.Thread(target=read, daemon=True, name="certificates").start()


class _State(Collector):
    """The metrics that are read when they are asked for."""

    def __init__(self) -> None:
        self.writer: Writer | None = None
        self.ends: Mapping[str, str] = {}

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the writer, and the days left of each account's certificate."""
        if self.writer is not None:
            waiting, commits, retries = self.writer.queue_length, self.writer.commits, self.writer.retries
            yield GaugeMetricFamily("halgit_accounts_queue_length", "Changes that wait to be written.", waiting)
            yield CounterMetricFamily("halgit_accounts_commits", "Commits written.", commits)
            yield CounterMetricFamily("halgit_accounts_retries", "Conflicts with other writers.", retries)
        days = GaugeMetricFamily("halgit_accounts_certificate_days", "Days left of certificates.", labels=["account"])
        now = datetime.now(timezone.utc)
        for name, end in self.ends.items():
            days.add_metric([name], days_until(end, now) or 0)
        yield days
