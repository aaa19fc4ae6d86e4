"""All output of the program: results to stdout, messages to stderr, all of it through the redactor.

Nothing else in `cli/` prints. Colors and progress appear on terminals only. `--log-format json` writes every line on
stderr as one JSON object. The reason of a failure also goes to the pod's termination message file, if there is one.
"""

from __future__ import annotations

import json
import os
import re
import sys
from _thread import RLock
from collections.abc import Mapping, Sequence

from halgit.annotations import TYPE_CHECKING, Any, TextIO, cast
from halgit.errors import PublishError
from halgit.pipeline import Finding
from halgit.redaction import Redactor

if TYPE_CHECKING:
    from halgit.report.tables import Layout

TERMINATION_FILE = "/dev/termination-log"
_CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
"""Control characters but tab and newline, and those that change the direction of text."""

_COLORS = {"error": "31", "warning": "33", "info": "36", "bold": "1", "dim": "2", "green": "32"}


class Output:
    """The output of the process; `current()` creates it.

    `json` is what the command was asked for, `json_errors` what the command line asks for before it is parsed.
    """

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._lock = RLock()
        self._mark = os.urandom(8).hex() + ":"
        self.redactor = Redactor()
        self.json = False
        self.json_errors = False
        self.log_json = False
        self.color = "auto"
        self._answer: dict[str, Any] | None = None
        self._has_status = False
        self._failure: PublishError | None = None

    @classmethod
    def current(cls) -> Output:
        """Return the output on this process's streams."""
        return cls(sys.stdout, sys.stderr)

    def read_arguments(self, arguments: Sequence[str]) -> None:
        """Take the output options from an unparsed command line, for errors that precede the parser."""
        self.json_errors = _last_value(arguments, "--format", "HALGIT_FORMAT") == "json"
        self.log_json = _last_value(arguments, "--log-format", "HALGIT_LOG_FORMAT") == "json"
        self.color = _last_value(arguments, "--color", "HALGIT_COLOR") or "auto"

    # --- colors

    def paint(self, text: str, name: str) -> str:
        """Color a text for stdout."""
        return self._painted(text, name) if self._has_color(self._out) else text

    def paint_message(self, text: str, name: str) -> str:
        """Color a text for stderr."""
        return self._painted(text, name) if self._has_color(self._err) else text

    def _painted(self, text: str, name: str) -> str:
        """Put our own marks around a text, which `_clean` turns into colors: nobody else can write them."""
        return f"{self._mark}{_COLORS[name]};{text}{self._mark}0;"

    def _has_color(self, stream: TextIO) -> bool:
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") != "0":
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    def layout(self) -> Layout:
        """Return how tables are laid out on the terminal that results go to, or elsewhere."""
        from halgit.report.tables import Layout

        return Layout(_columns(self._out), self.redactor.clean)

    def clean(self, text: str) -> str:
        """Mask secrets, and escape control characters, which could drive a terminal or the log of a forge."""
        return self.escape(self.redactor.clean(text))

    def clean_json(self, text: str) -> str:
        """Mask the values of an encoded JSON document one by one, so that it stays the same document."""
        return _encode(self.redactor.clean_data(json.loads(text)), indent=2)

    def escape(self, text: str) -> str:
        """Escape control characters and those that change the direction of text; our own marks become colors."""
        is_plain = text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()
        clean = text if is_plain else re.sub(_CONTROL, lambda match: ascii(match[0])[1:-1], text)
        return re.sub(rf"{self._mark}(\d+);", "\033[\\1m", clean) if self._mark in clean else clean

    # --- results

    def result(self, text: str, *, is_masked: bool = False) -> None:
        """Write lines of the result to stdout; `is_masked`: every value was masked before it was encoded."""
        clean = self.escape(text) if is_masked else self.clean(text)
        with self._lock:
            self._clear_status()
            self._out.write(clean + "\n")

    def answer(self, value: Mapping[str, Any]) -> None:
        """Set the one JSON object of `--format json`; it is printed at the end, with `error` on failure."""
        self._answer = dict(value)

    def add(self, **fields: Any) -> None:
        """Add fields to the JSON object."""
        self._answer = {**(self._answer or {}), **fields}

    # --- messages

    def message(self, text: str, **fields: Any) -> None:
        """Write a line to stderr, after the results so far; `fields` go into its JSON object."""
        clean = self.clean(text)
        if self.log_json:
            clean = _encode({"message": clean, **cast("dict[str, Any]", self.redactor.clean_data(fields))})
        with self._lock:
            self._clear_status()
            self._flush_results()
            self._err.write(clean + "\n")

    def warning(self, text: str) -> None:
        """Write a warning to stderr."""
        self.message(f"{self.paint_message('warning', 'warning')}: {text}", level="warning")

    def progress(self, text: str) -> None:
        """Show what the program does now: a line that replaces itself, on terminals only, or a JSON log line."""
        if self.log_json:
            self.message(text, level="progress")
        elif self._err.isatty():
            columns = _columns(self._err) or 80
            with self._lock:
                self._err.write("\r\033[K" + self.clean(text)[: columns - 1])
                self._err.flush()
                self._has_status = True

    def error(self, text: str, *, code: int, findings: Sequence[Finding] = ()) -> None:
        """Report why the program fails: on stderr, in the JSON object, and in the pod's termination message."""
        from halgit.publish import write_termination_message

        clean = self.redactor.clean(text)
        if self.log_json:
            self.message(clean, level="error", code=code)
        else:
            self.message(self.paint_message("halgit:", "error") + " " + clean)
        if self.json or self.json_errors:
            self.add(error={"code": code, "message": clean})
        lines = [clean, *(f"{one.file}:{one.line}: {one.message}" for one in findings[:20])]
        write_termination_message(
            os.environ.get("HALGIT_TERMINATION_FILE", TERMINATION_FILE), self.redactor.clean("\n".join(lines))
        )

    def finish(self) -> None:
        """Print the JSON object, if there is one, and flush. Raises PublishError if stdout is not writable."""
        with self._lock:
            self._clear_status()
            if self.json or self._answer:
                self._out.write(_encode(self.redactor.clean_data(self._answer or {}), indent=2) + "\n")
            self._err.flush()
            self._flush_results()
            if self._failure:
                raise self._failure

    def _flush_results(self) -> None:
        """Flush stdout, so that both streams keep their order where they are one; a failure waits for `finish`."""
        try:
            self._out.flush()
        except PublishError as error:
            self._failure = error

    def _clear_status(self) -> None:
        if self._has_status:
            self._err.write("\r\033[K")
            self._err.flush()
            self._has_status = False


def _encode(value: object, indent: int | None = None) -> str:
    """Encode JSON; control characters and those that change the direction of text as escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return re.sub(_CONTROL, lambda match: f"\\u{ord(match[0]):04x}", text)


def _columns(stream: TextIO) -> int | None:
    """Return the columns of a terminal, or of COLUMNS; None for another stream or an unknown width."""
    if not stream.isatty():
        return None
    if (columns := os.environ.get("COLUMNS", "")).isdecimal() and int(columns):
        return int(columns)
    return os.get_terminal_size(stream.fileno()).columns or None


def _last_value(arguments: Sequence[str], option: str, variable: str) -> str:
    """Return the last value of an option on an unparsed command line, or else of its variable."""
    value = os.environ.get(variable, "")
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == option:
            value = following
        elif argument.startswith(f"{option}="):
            value = argument.partition("=")[2]
    return value
