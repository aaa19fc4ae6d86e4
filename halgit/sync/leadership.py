"""Leader election: the replica that holds a Lease acts; the others watch.

A Lease counts as abandoned when nobody has written it for its duration on our own clock, so the clocks of two nodes may
differ. Whoever cannot renew stops acting before another one can take over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from halgit.errors import HalgitError
from halgit.remotes.kubernetes_objects import KubernetesObjects, LeaseRecord
from halgit.sync.deployer import Clock

SECONDS = 30
_RENEWALS = 3
"""Tries to renew within the duration of a Lease."""


class LeaseLeadership:
    """Holds one Lease, renewed in a thread. `objects` connects again from time to time: tokens of pods are rotated."""

    def __init__(
        self,
        objects: Callable[[], KubernetesObjects],
        name: str,
        identity: str,
        clock: Clock,
        report: Callable[[str], None],
        seconds: int = SECONDS,
    ) -> None:
        self._objects = objects
        self._name = name
        self._identity = identity
        self._clock = clock
        self._report = report
        self._seconds = seconds
        self._valid_until = 0.0
        self._seen: tuple[str, float] = ("", 0.0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew_forever, name="lease", daemon=True)
        self._failure = ""

    def start(self) -> None:
        """Try once, then keep trying in the background."""
        self.renew()
        self._thread.start()

    def is_leader(self) -> bool:
        """Return whether this replica holds the Lease, with some time left."""
        return self._clock.monotonic() < self._valid_until

    def close(self) -> None:
        """Give the Lease back, so that another replica need not wait."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * self._seconds)
        if self.is_leader():
            self._valid_until = 0.0
            self._guarded(self._release)

    def renew(self) -> None:
        """Renew the Lease, or take it where it is free."""
        begin = self._clock.monotonic()
        if self._guarded(self._take):
            self._valid_until = begin + self._seconds * (_RENEWALS - 1) / _RENEWALS

    def _renew_forever(self) -> None:
        while not self._stop.wait(self._seconds / _RENEWALS / 2):
            self.renew()

    def _guarded(self, act: Callable[[], bool]) -> bool:
        """Return whether it worked; a failure is reported once for each reason."""
        try:
            done = act()
        except HalgitError as reason:
            if str(reason) != self._failure:
                self._report(f"The Lease {self._name} cannot be renewed: {reason}")
            self._failure = str(reason)
            return False
        self._failure = ""
        return done

    def _take(self) -> bool:
        objects = self._objects()
        record = objects.lease(self._name)
        if record is None:
            return objects.create_lease(self._name, self._identity, self._seconds)
        if record.holder != self._identity and not self._is_free(record):
            return False
        return objects.take_lease(record, self._identity, self._seconds)

    def _is_free(self, record: LeaseRecord) -> bool:
        """Return whether nobody holds the Lease: it was given back, or not written for as long as it lasts."""
        now = self._clock.monotonic()
        if self._seen[0] != record.version:
            self._seen = (record.version, now)
        return not record.holder or now - self._seen[1] >= (record.seconds or self._seconds)

    def _release(self) -> bool:
        objects = self._objects()
        record = objects.lease(self._name)
        return record is not None and record.holder == self._identity and objects.take_lease(record, "", self._seconds)
