"""The decoded text of a YAML file: its characters, lines and positions, and the findings in it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import Finding, Path, Severity
from halgit.record import Record

BREAKS: Final = "\n\r\x85\u2028\u2029"
_BREAK: Final = lazy_pattern("\r\n|[\r\n\x85\u2028\u2029]")


class Mark(Record):
    """A position: `index` counts characters from 0, `line` and `column` count from 1."""

    index: int
    line: int
    column: int


class SourceText:
    """The characters of a file. Line starts are computed when a position is first requested.

    Lines end where YAML 1.1 ends them, which includes U+0085, U+2028 and U+2029.
    """

    def __init__(self, whole: str) -> None:
        self.whole = whole

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _BREAK.finditer(self.whole))]

    def mark(self, index: int) -> Mark:
        """Return the position of a character."""
        line = bisect_right(self._starts, index)
        return Mark(index, line, index - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Return one line, counted from 1, without its line break; an empty string for a line that does not exist."""
        if not 0 < number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.whole)
        return self.whole[start:end].rstrip(BREAKS)


class FindingCollector:
    """Collects the findings of one file. Messages name Halyard as its reader, and become those of another `reader`."""

    def __init__(self, file: str, reader: str = "Halyard") -> None:
        self._file, self._reader = file, reader
        self._found: dict[tuple[str, int, int], Finding] = {}

    def add(
        self,
        rule: str,
        mark: Mark,
        message: str,
        hint: str,
        path: Path = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a finding. The same rule at the same position counts once."""
        at = (rule, mark.line, mark.column)
        message = message.replace("Halyard", self._reader)
        finding = Finding(rule, severity, message, hint, self._file, path, mark.line, mark.column)
        self._found.setdefault(at, finding)

    def has_finding(self, line: int, rules: Iterable[str]) -> bool:
        """Return whether one of these rules has a finding on this line."""
        names = set(rules)
        return any(rule in names and at == line for rule, at, _ in self._found)

    def sorted(self) -> tuple[Finding, ...]:
        """Return all findings in the order of the file."""
        return tuple(sorted(self._found.values(), key=lambda finding: (finding.line, finding.column)))


UNPRINTABLE: Final = lazy_pattern(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNPRINTABLE_ASCII: Final = lazy_pattern(r"[^\t\n\r\x20-\x7e]")
"""`UNPRINTABLE` for ASCII text; the ranges of the other take long to compile."""
_TERMINAL_COLOR: Final = lazy_pattern(r"\x1b\[[0-9;]*[A-Za-z]")


def decode_text(text: bytes, findings: FindingCollector) -> SourceText | None:
    """Decode UTF-8 and drop the byte order mark. Return None, with findings, if the bytes are not valid YAML text."""
    if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        findings.add("yaml/encoding", Mark(0, 1, 1), "the file is encoded in UTF-16.", "Save it as UTF-8.")
        return None
    try:
        whole = SourceText(text.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as problem:
        before = text[: problem.start].decode("utf-8")
        byte = text[problem.start]
        message = f"the byte 0x{byte:02X} is not UTF-8 (in Latin-1 it is {chr(byte)!r})."
        findings.add("yaml/encoding", SourceText(before).mark(len(before)), message, "Save the file as UTF-8.")
        return None
    return None if _has_unprintable(whole, findings) else whole


def _has_unprintable(text: SourceText, findings: FindingCollector) -> bool:
    """Return whether the text has characters that YAML does not allow. Reports the first on each line."""
    if color := _TERMINAL_COLOR.search(text.whole):
        message = "the file contains terminal color codes."
        hint = "Save the output again without colors and progress lines (hal --color false --quiet)."
        findings.add("yaml/terminal", text.mark(color.start()), message, hint)
        return True
    lines = set()
    pattern = _UNPRINTABLE_ASCII if text.whole.isascii() else UNPRINTABLE
    for match in pattern.finditer(text.whole):
        mark = text.mark(match.start())
        if mark.line not in lines:
            message = f"the character U+{ord(match.group()):04X} is not allowed in YAML."
            hint = 'Remove it, or write it as an escape in double quotes ("\\x07").'
            findings.add("yaml/control-character", mark, message, hint)
            lines.add(mark.line)
    return bool(lines)
