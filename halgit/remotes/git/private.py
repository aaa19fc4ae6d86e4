"""Folders for this user alone, each for the length of one run, and the removal of those that killed runs left.

A run holds a lock on a file of its folder; a folder whose lock is free belongs to no run any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from typing import Final

from halgit.errors import RemoteError
from halgit.operator_settings import Access

_PREFIX: Final = "halgit-git-"
_HELD: Final = "held"


class PrivateFolder:
    """A new folder where the operator keeps temporary files. Raises RemoteError where there is no place for it."""

    def __init__(self, access: Access) -> None:
        top = access.environment.get("TMPDIR") or tempfile.gettempdir()
        _sweep(top)
        try:
            self.path = tempfile.mkdtemp(prefix=_PREFIX, dir=top)
        except OSError as reason:
            raise RemoteError(
                f"There is no place for temporary files: {top}: {reason.strerror}.",
                "Point TMPDIR at a folder that can be written.",
            ) from None
        # Locked before it has the name that others look for.
        early = os.path.join(self.path, _HELD + ".new")
        self._lock = os.open(early, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(early, os.path.join(self.path, _HELD))

    def close(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep(top: str) -> None:
    """Remove this user's folders that no run holds any more; what cannot be removed is left."""
    with suppress(OSError), os.scandir(top) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and _is_ours(entry) and _is_free(os.path.join(entry.path, _HELD)):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    told = entry.stat(follow_symlinks=False)
    return stat.S_ISDIR(told.st_mode) and told.st_uid == os.geteuid()


def _is_free(lock: str) -> bool:
    try:
        file = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True
