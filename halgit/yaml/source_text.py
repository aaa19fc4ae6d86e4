"""A text with its lines: from the index of a character to its line and column, broken where YAML 1.1 breaks lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from halgit.pipeline import Finding, Path, Severity

BREAKS: Final = "\n\r\x85\u2028\u2029"
_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: `index` counts characters from 0, `line` and `column` from 1."""

    index: int
    line: int
    column: int


class SourceText:
    """A whole text. Its lines are found when a place is asked for the first time."""

    def __init__(self, whole: str) -> None:
        self.whole = whole

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _BREAK.finditer(self.whole))]

    def mark(self, index: int) -> Mark:
        """The place of a character."""
        line = bisect_right(self._starts, index)
        return Mark(index, line, index - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """One line, counted from 1, without its break; empty for one that is not there."""
        if not 0 < number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.whole)
        return self.whole[start:end].rstrip(BREAKS)


RULES: Final = {
    "yaml/alias": "an alias (`*name`) without an anchor (`&name`), or inside what it stands for",
    "yaml/alias-limit": "more than 50 aliases to mappings or lists, or aliases that blow the file up",
    "yaml/conflict": "a merge conflict was never resolved",
    "yaml/control-character": "a character no YAML text may hold",
    "yaml/depth": "mappings and lists nested deeper than Halyard reads",
    "yaml/documents": "several documents where one is required",
    "yaml/duplicate-key": "a key stands twice in one mapping; Halyard takes the last one",
    "yaml/encoding": "the file is not UTF-8",
    "yaml/escape": "an escape in double quotes that Halyard does not know",
    "yaml/indentation": "a line is indented by too much or too little",
    "yaml/key": "a key that is a mapping or list, or has no text",
    "yaml/merge-key": "`<<` with something else than a mapping or a list of mappings, or not as a key",
    "yaml/missing-blank": "a colon or dash without the blank that must follow it",
    "yaml/number": "a text that YAML takes for a number, and Java cannot",
    "yaml/parent": "the children of a key are there, their parent's line is not",
    "yaml/placeholder": "a placeholder stands for a whole entry and was not filled in",
    "yaml/quote": "a quote too many or too few",
    "yaml/syntax": "the text is not YAML, or not the YAML that Halyard reads",
    "yaml/tab": "a tab where only blanks may stand",
    "yaml/tag": "a tag Halyard does not take, or not for this value",
    "yaml/template": "a template of Helm, Jinja or the like that was not filled in",
    "yaml/terminal": "colours or progress lines of a terminal were saved with the text",
}
"""Every rule of this room, with what it looks for."""


class FindingCollector:
    """The faults of one text, in the order of their places."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[tuple[str, int, int], Finding] = {}

    def add(self, rule: str, mark: Mark, message: str, hint: str, path: Path = ()) -> None:
        """One more fault; the same rule at the same place counts once."""
        rule = "yaml/" + rule
        at = (rule, mark.line, mark.column)
        finding = Finding(rule, Severity.ERROR, message, hint, self._file, path, mark.line, mark.column)
        self._found.setdefault(at, finding)

    def tells_of(self, line: int, rules: Iterable[str]) -> bool:
        """Whether one of these rules has a fault on this line."""
        names = {"yaml/" + rule for rule in rules}
        return any(rule in names and at == line for rule, at, _ in self._found)

    def sorted(self) -> tuple[Finding, ...]:
        """All of them, from the top of the file down."""
        return tuple(sorted(self._found.values(), key=lambda finding: (finding.line, finding.column)))


UNPRINTABLE: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def decode_text(text: bytes, faults: FindingCollector) -> SourceText | None:
    """The text, without a byte order mark; None where it is none, with the faults that say why."""
    if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        faults.add("encoding", Mark(0, 1, 1), "the file is UTF-16.", "Save it as UTF-8.")
        return None
    try:
        whole = SourceText(text.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as problem:
        before = text[: problem.start].decode("utf-8")
        byte = text[problem.start]
        message = f"the byte 0x{byte:02X} is not UTF-8 (in Latin-1 it is {chr(byte)!r})."
        faults.add("encoding", SourceText(before).mark(len(before)), message, "Save the file as UTF-8.")
        return None
    return None if _unprintable(whole, faults) else whole


def _unprintable(text: SourceText, faults: FindingCollector) -> bool:
    """Whether there is a character that no YAML may hold; a fault for the first on each line, or the first colour."""
    if colour := _COLOUR.search(text.whole):
        message = "colours of a terminal stand in the text."
        hint = "Save it again without colours and without lines that tell of progress (hal --color false --quiet)."
        faults.add("terminal", text.mark(colour.start()), message, hint)
        return True
    lines = set()
    for match in UNPRINTABLE.finditer(text.whole):
        mark = text.mark(match.start())
        if mark.line not in lines:
            message = f"the character U+{ord(match.group()):04X} may not stand in YAML."
            hint = 'Remove it; where it is meant, write it as an escape in double quotes ("\\x07").'
            faults.add("control-character", mark, message, hint)
            lines.add(mark.line)
    return bool(lines)
