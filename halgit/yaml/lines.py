"""A text with its lines: from the index of a character to its line and column, broken where YAML 1.1 breaks lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final

BREAKS: Final = "\n\r\x85\u2028\u2029"
_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: `index` counts characters from 0, `line` and `column` from 1."""

    index: int
    line: int
    column: int


class Text:
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
