"""What the disk refuses, in words: every OSError of publishing becomes a PublishError here, and only here.

Nothing is tried again and nothing is cleaned up here; whoever was writing has done that before.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from halgit.errors import PublishError

_FULL = ("the disk is full", "Free some space, then run again.")
_READ_ONLY = ("the file system is read-only", "Mount it writable, or choose another place.")
_DENIED = ("permission is denied to user id {user}", "Run halgit as the owner of the place, or choose another.")
_BROKEN = ("the disk reports an error", "Check the disk, then run again.")
_BUSY = ("something is mounted there", "Unmount it, or choose another place.")
_NO_LOCK = ("the file system has no locks", "Choose a place on another file system.")
_LONG = ("the name is too long", "Choose a shorter one.")

_WORDS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EIO: _BROKEN,
    errno.EBUSY: _BUSY,
    errno.ENOLCK: _NO_LOCK,
    errno.ENAMETOOLONG: _LONG,
}


def nothing_more() -> str:
    """The account of a write that has nothing to add."""
    return ""


@contextmanager
def reported(place: Path, account: Callable[[], str] = nothing_more) -> Iterator[None]:
    """Turn an OSError within into a PublishError about `place`; `account` says how things stand after it."""
    try:
        yield
    except OSError as error:
        what, hint = _words(error)
        where = f"{error.filename}: " if error.filename and str(error.filename) != str(place) else ""
        message = f"{place}: cannot be written: {where}{what}. {account()}".rstrip()
        raise PublishError(message, hint) from error


def _words(error: OSError) -> tuple[str, str]:
    unknown = (f"the system says: {error.strerror or error}", "Mend that, then run again.")
    what, hint = _WORDS.get(error.errno or 0, unknown)
    return what.replace("{user}", str(os.geteuid())), hint
