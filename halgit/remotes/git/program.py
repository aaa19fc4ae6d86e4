"""How git is run: through GitPython, but with an environment made from scratch and a time limit that holds.

GitPython itself would hand the whole environment of this process, with every secret in it, to each git it starts,
and on a timeout would miss children that git started meanwhile, so its `execute` is replaced; objects are read by its
own `cat-file` processes. Which command to run, and against what server, is never decided here.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from halgit.errors import Missing, Unreachable

if TYPE_CHECKING:
    from git import Git

NO_GIT = Missing("The program git is not there.", "Install git (2.31 or newer) and put it on the PATH.")

ANSWER = "HALGIT_ANSWER"
"""The variable with the number of the open file that a password waits in."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said and how it ended."""

    status: int
    output: bytes
    words: str


class Running:
    """The programs that run for one run of halgit, in whatever threads; `stop` ends them and lets none go on."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        self.stopped = False

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            for process in self._processes:
                _kill(process)

    @contextmanager
    def holding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Run the block while the program runs. Raises KeyboardInterrupt when it was stopped meanwhile or before."""
        with self._lock:
            self._processes.add(process)
            if self.stopped:
                _kill(process)
        try:
            yield
        finally:
            with self._lock:
                self._processes.discard(process)
        if self.stopped:
            raise KeyboardInterrupt


def command_type(running: Running) -> type[Git]:
    """GitPython's `Git` with `start` and `finish` in place of its own way to run git."""
    try:
        from git import Git
    except ImportError:
        raise NO_GIT from None

    class Command(Git):
        """Commands see `environment()` only, and of open files the one ANSWER names in it."""

        def execute(  # type: ignore[override]
            self,
            command: Sequence[str],
            istream: int | IO[bytes] | None = None,
            as_process: bool = False,
            kill_after_timeout: float | None = None,
            **_: Any,
        ) -> Any:
            process = start(command, str(self.working_dir), self.environment(), istream)
            return self.AutoInterrupt(process, command) if as_process else finish(process, running, kill_after_timeout)

    return Command


def start(
    command: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    stdin: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that it can be ended with all it started.

    It sees this environment only, and of open files its standard streams and the one whose number ANSWER holds.
    """
    try:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[int(environment[ANSWER])] if ANSWER in environment else [],
            start_new_session=True,
        )
    except FileNotFoundError:
        if command[0] == "git":
            raise NO_GIT from None
        raise Missing(f"The program {command[0]} is not there.", f"Install {command[0]}.") from None


def finish(process: subprocess.Popen[bytes], running: Running, limit: float | None = None) -> Answer:
    """Wait for the program's answer; raises Unreachable after `limit` seconds, when it and its children are gone."""
    with running.holding(process), process:
        try:
            output, words = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise Unreachable(f"no answer within {limit:g} seconds.") from None
        except BaseException:
            _end(process)
            raise
    return Answer(process.returncode, output, words.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole session and take in what is left of its output."""
    if _kill(process):
        process.communicate()


def _kill(process: subprocess.Popen[bytes]) -> bool:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
