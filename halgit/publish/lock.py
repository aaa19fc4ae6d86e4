"""The lock of a target: one run at a time, with a bounded wait.

The system releases the lock when its process dies, so a lock file that is left behind blocks nothing. The work folder
is removed with the lock unless something in it is still needed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from halgit.errors import PublishError
from halgit.publish.filesystem import Disk, Modes
from halgit.publish.target import IGNORE, LEFTOVERS, PREVIOUS

_LOCK = "lock"
_PAUSE = 0.05


@contextmanager
def lock_target(work_folder: Path, target: Path, wait: float, modes: Modes, disk: Disk) -> Iterator[None]:
    """Hold the private folder for this run alone. Raises PublishError when another holds it for `wait` seconds."""
    descriptor = _acquire(work_folder, target, wait, modes, disk)
    try:
        disk.truncate(descriptor)
        disk.write(descriptor, b"%d\n" % os.getpid())
        with suppress(PermissionError):
            disk.chmod(descriptor, modes.file)
        _hide_from_git(work_folder, disk)
        yield
    finally:
        _release(work_folder, descriptor, disk)


def _acquire(work_folder: Path, target: Path, wait: float, modes: Modes, disk: Disk) -> int:
    end = time.monotonic() + wait
    while True:
        descriptor = _try_lock(work_folder, modes, disk)
        if descriptor is not None:
            return descriptor
        if time.monotonic() >= end:
            raise PublishError(
                f"{target}: another halgit run is writing it{_holder(work_folder, disk)}.",
                "Wait for it to finish and run again.",
            )
        time.sleep(_PAUSE)


def _try_lock(work_folder: Path, modes: Modes, disk: Disk) -> int | None:
    with suppress(FileExistsError):
        disk.mkdir(work_folder, modes.folder)
    try:
        return disk.lock(work_folder / _LOCK)
    except FileNotFoundError:
        return None  # the run before has just taken its folder away
    except BaseException:
        with suppress(OSError):
            disk.rmdir(work_folder)
        raise


def _holder(work_folder: Path, disk: Disk) -> str:
    try:
        text = disk.read(work_folder / _LOCK).strip()
    except OSError:
        return ""
    return f" (process {text.decode()})" if text.isdigit() else ""


def _hide_from_git(work_folder: Path, disk: Disk) -> None:
    """Keep the secrets of an unfinished tree from being added to a repository the target lies in."""
    with suppress(FileExistsError):
        descriptor = disk.create(work_folder / IGNORE)
        try:
            disk.write(descriptor, b"*\n")
        finally:
            disk.close(descriptor)


def _release(work_folder: Path, descriptor: int, disk: Disk) -> None:
    """Give the lock back. The lock file goes last: once it is gone, another run may have begun here."""
    try:
        needed = {IGNORE} if (LEFTOVERS | {PREVIOUS}) & set(disk.names(work_folder)) else set()
        for name in (IGNORE, _LOCK):
            if name not in needed:
                with suppress(OSError):
                    disk.unlink(work_folder / name)
        with suppress(OSError):
            disk.rmdir(work_folder)
    finally:
        disk.close(descriptor)
