"""The process around the program: its stdout and stderr, its signals, and what must not leave its memory.

Both streams are UTF-8 whatever the locale says. A stream that was closed before the program began counts as /dev/null.
When the reader of stdout is gone, the program ends as SIGPIPE would end it; when stdout cannot be written, with a
PublishError. Output that stderr cannot take is dropped.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import time
import warnings
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from halgit.annotations import TYPE_CHECKING, Any, NoReturn
from halgit.errors import PublishError

if TYPE_CHECKING:
    from _thread import LockType

    from halgit.cli.output import Output

_SET_DUMPABLE = 4
_SIGEV_THREAD = 2
_GITPYTHON = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": os.devnull}
"""Without these, GitPython runs `git version` when it is imported, with all of our environment."""


class Signalled(BaseException):
    """A signal asked the program to stop; raised in the main thread so that everything is cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_on_signals() -> None:
    """Turn SIGTERM, SIGINT and SIGHUP into Signalled."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Signalled(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)


class TimedOut(BaseException):
    """The run took longer than `--timeout`; raised in the main thread so that everything is cleaned up."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def find_stop(error: BaseException | None) -> Signalled | TimedOut | None:
    """Return what stopped the program if this error only reports it: Python 3.11 wraps what interrupts a class body."""
    while error is not None and not isinstance(error, (Signalled, TimedOut)):
        error = error.__cause__ or error.__context__
    return error


_GRACE = 5.0
"""Seconds after the timeout of a fetch until the run is ended: the fetch names its server, the run cannot."""

_HARD_GRACE = 5.0
"""Seconds after that until a run that no exception reaches (it waits inside a C library) is ended without cleaning up.

Twice as long after that, one whose C code lets no other thread run is ended with the stacks of its threads.
"""

_STACKS = 1.0
"""Seconds for these stacks."""

_LAST_WORDS = 2.0
"""Seconds for the message of a run that is ended without cleaning up: stderr may block."""

TIMED_OUT = 3
"""The exit code of a run that --timeout ended: most likely a source or secret store is too slow."""


def describe_timeout(seconds: float) -> str:
    """Return the reason and the next step for a run that took longer than this."""
    hint = "Raise --timeout, or see with --log-format json where the time goes."
    return f"The run did not finish within {seconds:g} seconds. {hint}"


def call_within_limit(function: Callable[[], Any], seconds: float | None, output: Output) -> Any:
    """Call a function and end the run if it takes longer than `--timeout`, in the main thread only."""
    threading = sys.modules.get("threading")  # it is loaded if another thread can call this
    is_main = threading is None or threading.current_thread() is threading.main_thread()
    if seconds is None or not is_main:
        return function()
    with limit_run(seconds, output):
        return function()


@contextmanager
def limit_run(seconds: float, output: Output) -> Iterator[None]:
    """End the whole run, wherever it is, a little after this time; only for the main thread.

    Raises TimedOut there. A run that this does not end is reported and ended with the exit code TIMED_OUT.
    """
    import faulthandler

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimedOut(seconds)

    running = allocate_lock()
    running.acquire()
    start_new_thread(_end_late, (seconds, output, running))
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
    last = seconds + _GRACE + 3 * _HARD_GRACE
    cancel_exit = _exit_later(last + _STACKS)
    with suppress(OSError, ValueError):
        faulthandler.dump_traceback_later(last, exit=cancel_exit is None, file=2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        if cancel_exit is not None:
            cancel_exit()
        running.release()


def _exit_later(seconds: float) -> Callable[[], object] | None:
    """Have the C library end the process with TIMED_OUT; returns what cancels that, None where it has no timers.

    A timer of POSIX calls `_exit` in a thread of its own (SIGEV_THREAD), whatever the interpreter does.
    """
    from halgit.c_library import Pointer, byref, find_address, find_function, pack

    if sys.platform != "linux":
        return None
    try:
        create, start, delete = (find_function(f"timer_{verb}") for verb in ("create", "settime", "delete"))
    except OSError:
        return None
    timer = Pointer()
    event = pack((TIMED_OUT, 8), (0, 4), (_SIGEV_THREAD, 4), (find_address("_exit"), 8), *[(0, 8)] * 5)
    if create(time.CLOCK_MONOTONIC, event, byref(timer)):
        return None
    whole, fraction = divmod(int(seconds * 1e9), 10**9)
    start(timer, 0, pack((0, 8), (0, 8), (whole, 8), (fraction, 8)), None)
    return lambda: delete(timer)


def _end_late(seconds: float, output: Output, running: LockType) -> None:
    """Report and end a run that is still running after both grace periods; `running` is released at its end."""

    def report() -> None:
        try:
            output.error(describe_timeout(seconds), code=TIMED_OUT)
            output.finish()
        finally:
            reporting.release()

    if running.acquire(timeout=seconds + _GRACE + _HARD_GRACE):
        return
    reporting = allocate_lock()
    reporting.acquire()
    start_new_thread(report, ())
    reporting.acquire(timeout=_LAST_WORDS)
    os._exit(TIMED_OUT)


def harden_process() -> None:
    """Disable core dumps, and warnings of libraries, which would bypass the redactor.

    The limit alone is not enough where the kernel pipes core dumps to a program. On Linux the process is therefore
    marked as not dumpable, which also hides its memory from other processes of the same user.
    """
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        from halgit.c_library import find_function

        find_function("prctl")(_SET_DUMPABLE, 0, 0, 0, 0)
    os.environ |= _GITPYTHON
    warnings.simplefilter("ignore")


def silence_libraries() -> None:
    """Disable log lines of libraries; call this before one is imported that writes any."""
    import logging

    logging.getLogger().addHandler(logging.NullHandler())


# --- streams


class ResultStream(io.TextIOWrapper):
    """stdout, which reports write failures as errors of the program."""

    def write(self, text: str, /) -> int:
        return self._translate_errors(lambda: super(ResultStream, self).write(text))

    def flush(self) -> None:
        self._translate_errors(lambda: super(ResultStream, self).flush() or 0)

    def _translate_errors(self, action: Callable[[], int]) -> int:
        try:
            return action()
        except OSError as error:
            _redirect_to_null(1)
            if error.errno == errno.EPIPE:
                raise Signalled(signal.SIGPIPE) from None
            reason = f"stdout is not writable: {error.strerror}."
            raise PublishError(reason, "Free the disk or redirect stdout to another file.") from None


class MessageStream(io.TextIOWrapper):
    """stderr, which drops what cannot be written."""

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            return super().write(text)
        _redirect_to_null(2)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            return super().flush()
        _redirect_to_null(2)


def open_streams() -> None:
    """Replace Python's stdout and stderr by ours."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = ResultStream(_raw(1), "utf-8", "backslashreplace", "\n", line_buffering=os.isatty(1))
    sys.stderr = MessageStream(_raw(2), "utf-8", "backslashreplace", "\n", line_buffering=True)


def exit_at_once(code: int) -> NoReturn:
    """End the process as `sys.exit` does, but leave its memory to the kernel: freeing it takes as long as a command."""
    import atexit

    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except (PublishError, Signalled):
        code = code or PublishError.exit_code
    sys.stderr.flush()
    os._exit(code)


def _raw(number: int) -> io.BufferedWriter:
    return io.BufferedWriter(io.FileIO(number, "w", closefd=False))


def _redirect_to_null(number: int) -> None:
    """Point a stream to /dev/null, so that flushing its buffer at the end of the process cannot fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
