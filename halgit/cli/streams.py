"""The process's own stdout and stderr: UTF-8 whatever the locale says, and no surprise where they lead nowhere.

A stream that was closed before the program began counts as /dev/null. Where nobody reads stdout any more the program
ends as SIGPIPE would end it; where it cannot be written, as a tree that cannot be. What stderr cannot take is lost.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from halgit.errors import PublishError


class Signalled(BaseException):
    """A signal asked the program to stop; raised in the main thread so that everything is cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Results(io.TextIOWrapper):
    """stdout, with the reasons why it cannot be written as errors of the program."""

    def write(self, text: str, /) -> int:
        return self._or_say(lambda: super(Results, self).write(text))

    def flush(self) -> None:
        self._or_say(lambda: super(Results, self).flush() or 0)

    def _or_say(self, act: Callable[[], int]) -> int:
        try:
            return act()
        except OSError as error:
            _lead_nowhere(1)
            if error.errno == errno.EPIPE:
                raise Signalled(signal.SIGPIPE) from None
            reason = f"stdout cannot be written: {error.strerror}."
            raise PublishError(reason, "Mend that, or lead stdout elsewhere.") from None


class Words(io.TextIOWrapper):
    """stderr: a line that cannot be written there has no other place."""

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            return super().write(text)
        _lead_nowhere(2)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            return super().flush()
        _lead_nowhere(2)


def open_streams() -> None:
    """Put both in the place of Python's own."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdout = Results(_raw(1), "utf-8", "backslashreplace", "\n", line_buffering=os.isatty(1))
    sys.stderr = Words(_raw(2), "utf-8", "backslashreplace", "\n", line_buffering=True)


def _raw(number: int) -> io.BufferedWriter:
    return io.BufferedWriter(io.FileIO(number, "w", closefd=False))


def _lead_nowhere(number: int) -> None:
    """What still waits in the buffer is written at the end of the process, where nothing can go wrong any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
