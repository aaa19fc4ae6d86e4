"""Everything the program says, in one place: results to stdout, the rest to stderr, all of it through the redactor.

Nothing else in `cli/` prints. Colours and progress only on a terminal; `--log-format json` makes every line on stderr
one JSON object. The reason of a failure also goes to the pod's termination message file where there is one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from halgit.pipeline import Finding
from halgit.publish import write_reason
from halgit.redaction import Redactor

TERMINATION_FILE = "/dev/termination-log"
_COLOURS = {"error": "31", "warning": "33", "info": "36", "bold": "1", "dim": "2", "green": "32"}


class Output:
    """The program's mouth. One per process; `current()` makes it.

    `json` is what the command was told; `json_errors` what the command line asks for before any command is found.
    """

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self.redactor = Redactor()
        self.json = False
        self.json_errors = False
        self.log_json = False
        self.verbose = True
        self._answer: dict[str, Any] | None = None
        self._status = False

    @classmethod
    def current(cls) -> Output:
        """The output on this process's streams."""
        return cls(sys.stdout, sys.stderr)

    def expect(self, arguments: Sequence[str]) -> None:
        """Take from the command line how errors are to be told, for those that come before it is understood."""
        self.json_errors = _given(arguments, "--format", "HALGIT_FORMAT") == "json"
        self.log_json = _given(arguments, "--log-format", "HALGIT_LOG_FORMAT") == "json"

    def colour(self, text: str, name: str, *, err: bool = False) -> str:
        """The text in a colour where the stream is a terminal that wants colours."""
        stream = self._err if err else self._out
        if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return text
        return f"\033[{_COLOURS[name]}m{text}\033[0m"

    def result(self, text: str) -> None:
        """A line, or lines, of the result, to stdout."""
        self._clear()
        self._out.write(self.redactor.clean(text) + "\n")

    def answer(self, value: Mapping[str, Any]) -> None:
        """The one JSON object of `--format json`; printed at the end, with `error` added on failure."""
        self._answer = dict(value)

    def add(self, **fields: Any) -> None:
        """Further fields of the JSON object."""
        self._answer = {**(self._answer or {}), **fields}

    def width(self) -> int | None:
        """The columns of the terminal that results go to; None where they go elsewhere or it is not known."""
        return (os.get_terminal_size(self._out.fileno()).columns or None) if self._out.isatty() else None

    def say(self, text: str, **fields: Any) -> None:
        """A line for people, to stderr."""
        self._clear()
        clean = self.redactor.clean(text)
        if self.log_json:
            self._err.write(self.redactor.clean(json.dumps({"message": clean, **fields}, ensure_ascii=False)) + "\n")
        else:
            self._err.write(clean + "\n")

    def progress(self, what: str) -> None:
        """What long work is doing now: one line that replaces itself, on a terminal only (or a JSON log line)."""
        if self.log_json:
            self.say(what, level="progress")
        elif self._err.isatty():
            self._err.write("\r\033[K" + self.redactor.clean(what)[:110])
            self._err.flush()
            self._status = True

    def error(self, text: str, *, code: int, findings: Sequence[Finding] = ()) -> None:
        """The reason the program fails: to stderr, into the JSON answer, and to the pod."""
        clean = self.redactor.clean(text)
        if self.log_json:
            self.say(clean, level="error", code=code)
        else:
            self.say(self.colour("halgit:", "error", err=True) + " " + clean)
        if self.json or self.json_errors:
            self.add(error={"code": code, "message": clean})
        lines = [clean, *(f"{f.file}:{f.line}: {f.message}" for f in findings[:20])]
        write_reason(os.environ.get("HALGIT_TERMINATION_FILE", TERMINATION_FILE), self.redactor.clean("\n".join(lines)))

    def finish(self) -> None:
        """Print the JSON answer, if one is due, and flush."""
        self._clear()
        if self.json or self._answer:
            text = json.dumps(self._answer or {}, ensure_ascii=False, indent=2)
            self._out.write(self.redactor.clean(text) + "\n")
        self._err.flush()
        self._out.flush()

    def _clear(self) -> None:
        if self._status:
            self._err.write("\r\033[K")
            self._status = False


def _given(arguments: Sequence[str], option: str, variable: str) -> str:
    """The last value of an option on a command line that is not parsed yet, else of its variable."""
    found = os.environ.get(variable, "")
    for text, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if text == option:
            found = following
        elif text.startswith(f"{option}="):
            found = text.partition("=")[2]
    return found
