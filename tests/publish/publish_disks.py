"""Disks for tests of publishing: the real one, stopped, broken or without exchange at a chosen operation."""

from __future__ import annotations

import errno
import os
import signal
from typing import Any, NoReturn

from halgit.publish import Disk

CHANGES = (
    "mkdir", "create", "open", "write", "truncate", "sync", "close", "sync_folder", "chmod", "set_time", "give_group",
    "rename", "exchange", "unlink", "rmdir", "lock",
)  # fmt: skip


class Watched(Disk):
    """The real disk, with a word before each operation that changes something. `way` says what the system lacks.

    It does not wait for the platter: a killed process loses nothing that the system has, and tests are many.
    """

    def __init__(self, way: str = "exchange") -> None:
        self.way = way
        self.log: list[tuple[str, tuple[Any, ...]]] = []

    def mounted(self, path: Any) -> bool:
        return self.way == "mount" or super().mounted(path)

    def before(self, what: str, arguments: tuple[Any, ...]) -> None:
        self.log.append((what, arguments))

    def lack(self) -> None:
        if self.way == "journal":
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def _watched(name: str) -> Any:
    real = getattr(Disk, name)

    def operation(self: Watched, *arguments: Any) -> Any:
        self.before(name, arguments)
        if name == "exchange":
            self.lack()
        if name in ("sync", "sync_folder"):
            return None
        return real(self, *arguments)

    return operation


for _name in CHANGES:
    setattr(Watched, _name, _watched(_name))


class Deadly(Watched):
    """Kills the process before its n-th operation; a write is killed half-way."""

    def __init__(self, way: str, last: int) -> None:
        super().__init__(way)
        self.last = last

    def before(self, what: str, arguments: tuple[Any, ...]) -> None:
        super().before(what, arguments)
        if len(self.log) == self.last:
            if what == "write":
                Disk.write(self, arguments[0], arguments[1][: len(arguments[1]) // 2])
            self.end()

    def end(self) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")


class Dead(BaseException):
    """The end of a process that a test only pretends to kill."""


class Dying(Deadly):
    """Like Deadly, without ending the process: nothing can be done any more, and open files are closed by the test."""

    def __init__(self, way: str, last: int) -> None:
        super().__init__(way, last)
        self.open_files: set[int] = set()

    def before(self, what: str, arguments: tuple[Any, ...]) -> None:
        if len(self.log) >= self.last:
            raise Dead
        super().before(what, arguments)

    def lock(self, path: Any) -> int | None:
        return self._opened(super().lock(path))

    def create(self, path: Any) -> int:
        return self._opened(super().create(path))

    def close(self, descriptor: int) -> None:
        super().close(descriptor)
        self.open_files.discard(descriptor)

    def _opened(self, descriptor: Any) -> Any:
        if descriptor is not None:
            self.open_files.add(descriptor)
        return descriptor

    def end(self) -> NoReturn:
        raise Dead

    def bury(self) -> None:
        for descriptor in self.open_files:
            os.close(descriptor)


class Failing(Watched):
    """Raises an error instead of its n-th operation; `goes_on` makes every operation after it fail as well."""

    def __init__(self, way: str, last: int, error: BaseException, *, goes_on: bool = False) -> None:
        super().__init__(way)
        self.last = last
        self.error = error
        self.goes_on = goes_on

    def before(self, what: str, arguments: tuple[Any, ...]) -> None:
        super().before(what, arguments)
        count = len(self.log)
        if count == self.last or (self.goes_on and count > self.last):
            if what == "close":
                os.close(arguments[0])
            raise self.error
