"""Why a text does not parse, in words that name the likely cause rather than the parser's state."""

from __future__ import annotations

from typing import Any

from halgit.yaml.faults import Faults
from halgit.yaml.lines import Mark, Text
from halgit.yaml.nodes import Stream


def explain(text: Text, stream: Stream, faults: Faults) -> None:
    """The fault for what stopped the parser."""
    problem: Any = stream.problem
    at = getattr(problem, "problem_mark", None)
    mark = Mark(at.index, at.line + 1, at.column + 1) if at else Mark(0, 1, 1)
    faults.add("syntax", mark, f"{getattr(problem, 'problem', problem)}.", "Correct the line.")
