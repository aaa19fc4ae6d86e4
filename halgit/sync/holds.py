"""Holds on publishing and deploying: a suspension, a closed maintenance window, a check that is not green.

A hold never hides a fault: sources are still rendered and validated, and the plan is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from halgit.pipeline import SourceId
from halgit.sync.deployer import Clock
from halgit.sync.settings import SyncSettings
from halgit.sync.windows import is_any_open

Check = Callable[[Sequence[SourceId]], str]
"""Gives why these sources may not be deployed yet; empty where they may."""


class Holds:
    """Everything that can hold a deploy back. `suspended` answers for suspensions outside this machine."""

    def __init__(
        self,
        settings: SyncSettings,
        clock: Clock,
        suspended: Callable[[], str] = lambda: "",
        checks: Check = lambda sources: "",
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._suspended = suspended
        self._checks = checks

    def reason(self, sources: Sequence[SourceId] = ()) -> str:
        """Return why there is a hold now, else an empty string. Required checks count only for named sources."""
        settings = self._settings
        if settings.plan_only:
            return "--plan-only is set"
        if settings.suspend_file is not None and settings.suspend_file.exists():
            return f"{settings.suspend_file} exists"
        suspended = self._suspended()
        if suspended:
            return suspended
        if not is_any_open(settings.windows, datetime.fromtimestamp(self._clock.now(), timezone.utc)):
            return "no maintenance window is open"
        return self._checks(sources) if sources else ""
