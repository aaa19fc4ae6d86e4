"""What can be wrong with a YAML text: the rules by name, and the list that faults of one text are gathered in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from halgit.pipeline import Finding, Path, Severity
from halgit.yaml.lines import Mark

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


class Faults:
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
