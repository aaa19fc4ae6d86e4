"""Where and how libyaml stopped in a text, and what stands around that place: what causes are found by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from halgit.yaml.lines import Mark, Text
from halgit.yaml.nodes import Node, Stream


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the parser stopped, in words: the fault to be."""

    rule: str
    mark: Mark
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The place where the parser stopped, its own words, and where what it was reading began.

    `last` is the last scalar before the place.
    """

    text: Text
    problem: str
    context: str
    mark: Mark
    began: Mark | None
    last: Node | None

    @classmethod
    def of(cls, text: Text, stream: Stream) -> Stop:
        """How the parser stopped in this text."""
        problem: Any = stream.problem
        at = getattr(problem, "problem_mark", None)
        began = getattr(problem, "context_mark", None)
        return cls(
            text,
            str(getattr(problem, "problem", problem)),
            str(getattr(problem, "context", None) or ""),
            text.mark(at.index) if at else Mark(0, 1, 1),
            text.mark(began.index) if began else None,
            _last_scalar(stream),
        )

    def at(self, line: int, column: int) -> Mark:
        """A place by line and column, both from 1."""
        return Mark(-1, line, column)

    def end_of_line(self) -> int:
        """The index at which the line of the place ends."""
        return self.mark.index - self.mark.column + 1 + len(self.text.line(self.mark.line))

    def lines(self) -> list[int]:
        """The lines to look at: the one where what stopped the parser began, and the one where it stopped."""
        began = [self.began.line] if self.began else []
        return [*began, self.mark.line]

    def above(self, number: int = 0) -> int:
        """The nearest line above this one, or above the place, that holds more than blanks and comments; 0 for none."""
        for line in range((number or self.mark.line) - 1, 0, -1):
            words = self.text.line(line).strip()
            if words and words[0] != "#":
                return line
        return 0


def _last_scalar(stream: Stream) -> Node | None:
    node = stream.roots[-1] if stream.roots else None
    while node is not None and node.items:
        node = node.items[-1]
    return node if node is not None and node.kind == "scalar" else None
