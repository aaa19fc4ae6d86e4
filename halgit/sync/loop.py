"""The loop: ask the sources for their revision, pass on what changed, retry what failed, stand by where another acts.

A round without a change costs one question for each source and a `stat` for each file of the tree.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from halgit.errors import DeployError, FindingsError, HalgitError
from halgit.sources import Watch
from halgit.sync.deployer import Clock
from halgit.sync.settings import SyncSettings
from halgit.sync.status import StatusBoard
from halgit.sync.synchronizer import Synchronizer

_LONGEST_RETRY = 900.0
_JITTER = 0.1
_SLICE = 1.0
"""In seconds: how long a signal may go unnoticed."""


class Leadership(Protocol):
    """Leader election. `is_leader` is asked before each round and each deploy."""

    def is_leader(self) -> bool: ...


class Alone:
    """The leadership of the only replica."""

    def is_leader(self) -> bool:
        return True


class Wake:
    """Ends the pause between two rounds; from a webhook, a signal, or another thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._is_called = False
        self._is_full = False

    def call(self) -> None:
        """Start the next round now."""
        self._is_called = True
        self._event.set()

    def call_from_signal(self) -> None:
        """Start a round within a second, and render even if no source has changed.

        It takes no lock: a signal may interrupt the very thread that waits.
        """
        self._is_full = True
        self._is_called = True

    def wait(self, seconds: float) -> None:
        """Wait for a call, or this long."""
        end = time.monotonic() + seconds
        while not self._is_called and (left := end - time.monotonic()) > 0:
            if self._event.wait(min(left, _SLICE)):
                return

    def take(self) -> bool:
        """Forget the calls so far; whether one of them asked for a full round."""
        self._event.clear()
        full = self._is_full
        self._is_called = self._is_full = False
        return full


class Loop:
    """Rounds until the process ends. `report` receives each failure."""

    def __init__(
        self,
        settings: SyncSettings,
        synchronizer: Synchronizer,
        watches: Sequence[Watch],
        board: StatusBoard,
        wake: Wake,
        clock: Clock,
        report: Callable[[HalgitError], None],
        leadership: Leadership | None = None,
    ) -> None:
        self._settings = settings
        self._synchronizer = synchronizer
        self._watches = watches
        self._board = board
        self._wake = wake
        self._clock = clock
        self._report = report
        self._leadership = leadership or Alone()
        self._seen: tuple[str, ...] | None = None
        self._retries = 0
        self._retry_at: float | None = None
        self._refresh_at = 0.0
        self._hold = ""

    def run(self) -> None:
        """Run rounds; only a signal or a bug ends them."""
        while True:
            self.round()
            self._wake.wait(self.pause())

    def pause(self) -> float:
        """Seconds until the next round, with jitter; a retry that is due earlier shortens it."""
        pause = self._settings.interval * random.uniform(1 - _JITTER, 1 + _JITTER)
        if self._retry_at is not None:
            pause = min(pause, max(0.1, self._retry_at - self._clock.monotonic()))
        return pause

    def round(self) -> None:
        """One look, and what follows from it."""
        self._board.look()
        full = self._wake.take()
        if not self._leadership.is_leader():
            self._board.set(phase="standby", leader=False)
            self._board.set_ready()
            self._seen = None
            return
        if self._seen is None:
            self._synchronizer.reload()
        self._board.set(leader=True)
        revisions = self._look()
        drifted = self._drifted() and self._settings.self_heal
        if full or drifted or self._is_due(revisions):
            self._advance(revisions)

    def _look(self) -> tuple[str, ...] | None:
        """The revisions of all sources; those that were seen last where one does not answer."""
        try:
            with self._board.step("watch"):
                return tuple(watch.revision() for watch in self._watches)
        except HalgitError as reason:
            if self._seen is not None:
                self._fail(reason)
            return self._seen

    def _is_due(self, revisions: tuple[str, ...] | None) -> bool:
        now = self._clock.monotonic()
        if self._seen is None or revisions != self._seen:
            return True
        if self._retry_at is not None and now >= self._retry_at:
            return True
        if self._settings.refresh and now >= self._refresh_at:
            return True
        return self._synchronizer.hold != self._hold

    def _advance(self, revisions: tuple[str, ...] | None) -> None:
        self._seen = revisions if revisions is not None else ()
        self._hold = self._synchronizer.hold
        self._refresh_at = self._clock.monotonic() + self._settings.refresh
        try:
            self._synchronizer.advance()
        except HalgitError as reason:
            self._fail(reason)
            return
        self._retries, self._retry_at = 0, None
        if self._synchronizer.is_held_by_check:
            self._retry_at = self._clock.monotonic() + self._settings.interval
        self._drifted()

    def _fail(self, reason: HalgitError) -> None:
        """Record a failure, and plan the retry. Findings wait for a change: the same ones would follow."""
        self._board.fail(reason)
        self._report(reason)
        if isinstance(reason, (FindingsError, DeployError)) and not self._synchronizer.is_waiting:
            self._retry_at = None
            return
        pause = min(_LONGEST_RETRY, self._settings.retry * 2**self._retries) * random.uniform(1 - _JITTER, 1 + _JITTER)
        self._retries = min(self._retries + 1, 10)
        self._retry_at = self._clock.monotonic() + pause

    def _drifted(self) -> bool:
        return bool(self._synchronizer.check_drift())
