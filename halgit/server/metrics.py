"""Metrics for Prometheus: requests by operation and code, the queue, commits, retries, days left of certificates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from halgit.accounts.views import AccountView
from halgit.accounts.writer import Writer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


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
        self._queue = Gauge("halgit_accounts_queue_length", "Changes that wait to be written.", registry=self._registry)
        self._commits = Gauge("halgit_accounts_commits_total", "Commits written.", registry=self._registry)
        self._retries = Gauge("halgit_accounts_retries_total", "Conflicts with other writers.", registry=self._registry)
        self._days = Gauge(
            "halgit_accounts_certificate_days", "Days left of certificates.", ["account"], registry=self._registry
        )

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(operation, str(status)).inc()
        self._seconds.labels(operation).observe(seconds)

    def observe_accounts(self, accounts: Iterable[AccountView]) -> None:
        """Record the days left of certificates."""
        now = datetime.now(timezone.utc)
        self._days.clear()
        for account in accounts:
            left = account.days_left(now)
            if left is not None:
                self._days.labels(account.name).set(left)

    def text(self, writer: Writer) -> bytes:
        """Return the exposition format."""
        self._queue.set(writer.queue_length)
        self._commits.set(writer.commits)
        self._retries.set(writer.retries)
        return generate_latest(self._registry)
