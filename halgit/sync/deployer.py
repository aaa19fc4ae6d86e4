"""One deploy through Halyard, from an idle daemon to a known outcome; made for what the daemon really does.

Halyard has no lock: two deploys share `staging`, and a deploy reads the tree to its end (profiles while it generates,
what it staged while its children apply, the halconfig for its backup). So every request goes through here, one deploy
at a time, and the caller publishes only while `wait_until_idle` holds. A task that the daemon forgot is deployed again,
a poll may fail, and our own deadline ends a task that Halyard does not end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from halgit.errors import DeployError, RemoteError, UnreachableError
from halgit.pipeline import EMPTY
from halgit.record import Record, field
from halgit.remotes.halyard import DeployRequest, Halyard, Task, service_of


class Clock(Protocol):
    """Time for the loop; seconds."""

    def monotonic(self) -> float: ...

    def now(self) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Limits(Record):
    """Time limits in seconds. `reruns` is how often a lost deploy is started again at once.

    `poll` is not less than a second against a real daemon: each poll returns every event of the task.
    """

    start: float = 300.0
    deploy: float = 2400.0
    poll: float = 1.5
    ending: float = 60.0
    reruns: int = 3


class DeployResult(Record):
    """A task that ended. `services` is the state of each child by its service."""

    task: Task
    seconds: float
    services: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    @property
    def succeeded(self) -> bool:
        return self.task.state == "SUCCEEDED"


Started = Callable[[str], None]
"""Receives the id of a task as soon as Halyard names it."""
Progress = Callable[[str], None]


class Deployer:
    """Deploys through one daemon. Only one thread may use it."""

    def __init__(self, halyard: Halyard, limits: Limits, clock: Clock, progress: Progress) -> None:
        self._halyard = halyard
        self._limits = limits
        self._clock = clock
        self._progress = progress

    def wait_until_up(self) -> None:
        """Wait for the daemon to answer. Raises DeployError after `limits.start` seconds."""
        end = self._clock.monotonic() + self._limits.start
        while not self._halyard.is_up():
            if self._clock.monotonic() >= end:
                raise DeployError(
                    f"Halyard at {self._halyard.address} is not up after {self._limits.start:g} seconds.",
                    "See the daemon's log, and check --halyard-url.",
                )
            self._clock.sleep(min(self._limits.poll, 2.0))

    def is_idle(self) -> bool:
        """Return whether no task of the daemon uses the tree now. Raises RemoteError."""
        return not any(task.uses_tree for task in self._halyard.running())

    def wait_until_idle(self) -> None:
        """Wait for every task that uses the tree, whoever started it. Raises DeployError after the deadline."""
        end = self._clock.monotonic() + self._limits.deploy
        while True:
            if self._idle_or_unknown():
                return
            if self._clock.monotonic() >= end:
                raise DeployError(
                    f"Halyard at {self._halyard.address} has run other tasks for {self._limits.deploy:g} seconds.",
                    "Interrupt them, or restart the daemon.",
                )
            self._clock.sleep(self._limits.poll)

    def wait_until_unused(self) -> None:
        """Wait until no task uses the tree, or the daemon has not answered for as long as it takes to start."""
        end = self._clock.monotonic() + self._limits.start
        while not self._halyard.is_up():
            if self._clock.monotonic() >= end:
                return
            self._clock.sleep(min(self._limits.poll, 2.0))
        self.wait_until_idle()

    def _idle_or_unknown(self) -> bool:
        """Return whether nothing runs; false while the daemon does not answer."""
        try:
            return self.is_idle()
        except RemoteError:
            return False

    def deploy(self, request: DeployRequest, started: Started) -> DeployResult:
        """Deploy and wait for the end; a lost task is deployed again. Raises DeployError if the outcome is unknown."""
        for _ in range(self._limits.reruns + 1):
            self.wait_until_up()
            self.wait_until_idle()
            begin = self._clock.monotonic()
            task = self._start(request)
            if task is not None:
                started(task.uuid)
                ended = self._follow(task.uuid)
                if ended is not None:
                    return _result(ended, self._clock.monotonic() - begin)
            self._progress("Halyard lost the deploy (it was restarted); deploying again")
        message = f"Halyard lost the deploy {self._limits.reruns + 1} times, so its outcome is unknown."
        raise DeployError(message, "See why the daemon restarts.")

    def adopt(self, uuid: str) -> DeployResult | None:
        """Wait for a deploy that an earlier run of halgit started; None if the daemon does not know it any more."""
        self.wait_until_up()
        begin = self._clock.monotonic()
        ended = self._follow(uuid)
        return _result(ended, self._clock.monotonic() - begin) if ended else None

    def _start(self, request: DeployRequest) -> Task | None:
        """Send the deploy; None if nobody knows whether it was received. Raises DeployError for a refusal."""
        try:
            return self._halyard.deploy(request)
        except UnreachableError:
            return None
        except RemoteError as reason:
            raise DeployError(f"Halyard refuses the deploy: {reason.message}", reason.hint) from None

    def _follow(self, uuid: str) -> Task | None:
        """The task once it and its children have ended; None if the daemon lost it. Raises DeployError."""
        end = self._clock.monotonic() + self._limits.deploy
        over: float | None = None
        shown = ""
        while True:
            known, task = self._poll(uuid)
            now = self._clock.monotonic()
            if known and task is None:
                return None
            if task is not None and task.is_terminal:
                over = over or now + self._limits.ending
                if task.is_over or now >= over:
                    return task
            if task is not None and task.progress != shown:
                shown = task.progress
                self._progress(shown)
            if now >= end:
                return self._end(uuid)
            self._clock.sleep(self._limits.poll)

    def _poll(self, uuid: str) -> tuple[bool, Task | None]:
        """True if the daemon answered, and the task. Polls fail while events are appended or the daemon restarts."""
        try:
            return True, self._halyard.task(uuid)
        except RemoteError:
            return False, None

    def _end(self, uuid: str) -> Task:
        """Interrupt a task past our deadline, and wait a little for it to fail. Raises DeployError."""
        after = f"Halyard has not ended the deploy after {self._limits.deploy:g} seconds"
        end = self._clock.monotonic() + self._limits.ending
        while self._clock.monotonic() < end:
            try:
                self._halyard.interrupt(uuid)
                task = self._halyard.task(uuid)
            except RemoteError:
                task = None
            if task is None:
                break
            if task.is_over:
                raise DeployError(f"{after}, so halgit interrupted it.", "See the daemon's log.")
            self._clock.sleep(self._limits.poll)
        raise DeployError(f"{after}, and does not end it when asked to.", "Restart the daemon.")


def _result(task: Task, seconds: float) -> DeployResult:
    return DeployResult(task, seconds, {service_of(child): child.state for child in task.children})
