"""Operator settings of `sync`; nothing in a repository changes any of them."""

from __future__ import annotations

from pathlib import Path

from halgit.record import Record
from halgit.remotes.halyard import ProblemSeverity
from halgit.sync.windows import Window


class SyncSettings(Record):
    """The place of the tree, what is deployed of it, and when. Times are in seconds.

    `deployment` empty is what the repository names. `attempts` is how often one tree is deployed before it is rolled
    back, or left to a later retry. `refresh` renders again without a change, so that rotated secrets are noticed; 0
    never does. `retry` is the pause after a first failure; it doubles with each further one.
    """

    target: Path
    state_file: Path
    daemon_config: Path | None = None
    group_access: bool = False
    wait: float = 60.0
    deployment: str = ""
    tolerated: ProblemSeverity = "WARNING"
    full: bool = False
    delete_orphaned: bool = False
    completion_minutes: int = 0
    rollback: bool = False
    attempts: int = 3
    self_heal: bool = False
    plan_only: bool = False
    suspend_file: Path | None = None
    windows: tuple[Window, ...] = ()
    interval: float = 60.0
    retry: float = 10.0
    refresh: float = 3600.0
    locked: bool = False
    required_checks: tuple[str, ...] = ()
