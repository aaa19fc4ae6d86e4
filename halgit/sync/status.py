"""Status of `sync`, present and past: the loop writes it, others read it, in any thread.

It holds revisions, digests, times, messages and findings that have passed the redactor, never a value. Times are in
seconds since 1970.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from halgit.errors import (
    DeployError,
    FindingsError,
    HalgitError,
    PublishError,
    SecretError,
    SourceError,
    UsageError,
)
from halgit.pipeline import Finding
from halgit.report.findings import finding_json

KINDS: Final[tuple[tuple[type[HalgitError], str], ...]] = (
    (FindingsError, "validation"),
    (SourceError, "source"),
    (SecretError, "secret"),
    (PublishError, "publish"),
    (DeployError, "deploy"),
    (UsageError, "usage"),
)
_MOST_FINDINGS: Final = 50


def kind_of(error: HalgitError) -> str:
    """The kind of a failure, as metrics and status name it."""
    return next((name for kind, name in KINDS if isinstance(error, kind)), "remote")


class StatusBoard:
    """The state of one `sync`. Every method may be called from any thread."""

    def __init__(self, now: Callable[[], float], clean: Callable[[str], str]) -> None:
        self._now = now
        self.clean = clean
        self._lock = threading.Lock()
        self._fields: dict[str, Any] = {
            "phase": "starting",
            "message": "",
            "desiredRevision": "",
            "publishedRevision": "",
            "deployedRevision": "",
            "deployedAt": 0.0,
            "lastSuccess": 0.0,
            "lastLook": 0.0,
            "pendingServices": [],
            "held": "",
            "drift": [],
            "plan": None,
            "services": {},
            "findings": [],
            "error": None,
            "leader": True,
            "synchronized": False,
        }
        self._is_ready = False
        self._beat = now()
        self.started = now()
        self.rounds = 0
        self.failures: Counter[str] = Counter()
        self.durations: dict[str, tuple[int, float]] = {}
        self.deploys: Counter[str] = Counter()

    def beat(self) -> None:
        """Say that the loop is alive."""
        with self._lock:
            self._beat = self._now()

    def is_alive(self, longest: float) -> bool:
        """Return whether the loop has shown itself within the last `longest` seconds."""
        with self._lock:
            return self._now() - self._beat <= longest

    def is_ready(self) -> bool:
        """Return whether one pass has ended without a failure since the start. A later failure does not undo it."""
        with self._lock:
            return self._is_ready

    def set_ready(self) -> None:
        """Record that a pass ended without a failure, or that another replica acts."""
        with self._lock:
            self._is_ready = True

    def set(self, **fields: Any) -> None:
        """Set fields of the status; texts pass the redactor."""
        with self._lock:
            self._beat = self._now()
            for name, value in fields.items():
                self._fields[name] = self.clean(value) if isinstance(value, str) else value

    def look(self) -> None:
        """Count a round."""
        with self._lock:
            self.rounds += 1
            self._beat = self._fields["lastLook"] = self._now()

    def set_findings(self, findings: Sequence[Finding]) -> None:
        """Replace the findings that are shown, the worst first."""
        worst = sorted(findings, key=lambda one: -one.severity)[:_MOST_FINDINGS]
        rows = [
            {key: self.clean(value) if isinstance(value, str) else value for key, value in finding_json(one).items()}
            for one in worst
        ]
        with self._lock:
            self._fields["findings"] = rows

    def fail(self, error: HalgitError) -> None:
        """Record a failure, by its kind."""
        kind = kind_of(error)
        with self._lock:
            self.failures[kind] += 1
            self._fields["error"] = {"kind": kind, "code": error.exit_code, "message": self.clean(str(error))}
            self._fields["synchronized"] = False

    def succeed(self) -> None:
        """Record that what is desired is deployed."""
        with self._lock:
            self._fields.update(error=None, synchronized=True, lastSuccess=self._now())

    def clear_error(self) -> None:
        """Forget the last failure, where the next step did not repeat it."""
        with self._lock:
            self._fields["error"] = None

    def count_deploy(self, state: str) -> None:
        """Count a deploy by how it ended."""
        with self._lock:
            self.deploys[state] += 1

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, and show it as the phase while it runs."""
        begin = self._now()
        self.set(phase=name)
        try:
            yield
        finally:
            with self._lock:
                count, seconds = self.durations.get(name, (0, 0.0))
                self.durations[name] = (count + 1, seconds + max(0.0, self._now() - begin))
            self.set(phase="idle")

    def snapshot(self) -> Mapping[str, Any]:
        """The status as one JSON object."""
        with self._lock:
            steps = {name: {"count": count, "seconds": round(seconds, 3)} for name, (count, seconds) in
                     self.durations.items()}  # fmt: skip
            return {**self._fields, "rounds": self.rounds, "failures": dict(self.failures),
                    "deploys": dict(self.deploys), "steps": steps, "startedAt": self.started,
                    "now": self._now()}  # fmt: skip
