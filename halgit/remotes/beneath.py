"""Open a file below an open directory, so that no link or rename meanwhile leads out of it.

On Linux the kernel resolves the path with `openat2` and RESOLVE_BENEATH. Where it lacks that call (before 5.6, another
system, a sandbox that forbids it), each folder is opened in turn without following links.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import cache

from halgit.annotations import Final

READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
"""Without waiting: a pipe without a writer does not block."""
FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_OPENAT2: Final = 437
"""The number of the system call, the same on every architecture of Linux that Python supports."""
_NO_MAGIC_LINKS: Final = 0x02
_NO_LINKS: Final = 0x04
_BENEATH: Final = 0x08
_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.EPERM, errno.E2BIG, errno.EINVAL})
_ATTEMPTS: Final = 16
"""Calls until one is not disturbed by a rename elsewhere, for which the kernel gives EAGAIN."""


def open_beneath(directory: int, path: str, flags: int = READ) -> int:
    """Open a file (with FOLDER a folder) to read it; `path` is relative and has no link in it. Raises OSError."""
    call = _find_openat2()
    for _ in range(_ATTEMPTS if call else 0):
        assert call is not None
        descriptor, number = call(directory, os.fsencode(path), flags)
        if descriptor >= 0:
            return descriptor
        if number in _UNSUPPORTED:
            break
        if number != errno.EAGAIN:
            raise OSError(number, os.strerror(number), path)
    return walk_beneath(directory, path, flags)


def walk_beneath(directory: int, path: str, flags: int = READ) -> int:
    """Open a file or folder one step at a time, never through a link. Raises OSError."""
    *folders, name = path.split("/")
    if ".." in folders or name == "..":
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
    here = os.dup(directory)
    try:
        for folder in folders:
            below = os.open(folder, FOLDER, dir_fd=here)
            os.close(here)
            here = below
        return os.open(name, flags, dir_fd=here)
    finally:
        os.close(here)


@cache
def _find_openat2() -> Callable[[int, bytes, int], tuple[int, int]] | None:
    """Return the system call, which gives a descriptor or -1 and the error number; None on another system."""
    if sys.platform != "linux":
        return None
    from halgit.c_library import Int, Long, Size, find_function, get_errno, pack

    syscall = find_function("syscall", returns_long=True)

    def call(directory: int, path: bytes, flags: int) -> tuple[int, int]:
        how = pack((flags, 8), (0, 8), (_BENEATH | _NO_LINKS | _NO_MAGIC_LINKS, 8))
        descriptor = syscall(Long(_OPENAT2), Int(directory), path, how, Size(len(how)))
        return descriptor, get_errno()

    return call
