"""Waivers in place: `# halgit: ignore=RULE reason`, on the line of a value or the line above it.

A waiver holds for rules only, never for merge, parameter or reference faults, and only with a reason. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from halgit.pipeline import Finding, Severity

_WAIVER = re.compile(rb"(?:#|//)[ \t]*halgit:[ \t]*ignore=([^\s#]+)[ \t]*([^\r\n]*)")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver: the rule it names (or a pattern of rules), its reason, and its place."""

    rule: str
    reason: str
    file: str
    line: int
    column: int

    def holds(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        near = finding.line in (self.line, self.line + 1)
        return bool(self.reason) and near and finding.file == self.file and fnmatchcase(finding.rule, self.rule)


def waivers(file: str, text: bytes) -> Iterator[Waiver]:
    """Every waiver of a file."""
    if b"halgit:" not in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = _WAIVER.search(line)
        if match:
            rule, reason = (part.decode("utf-8", "replace").strip() for part in match.groups())
            yield Waiver(rule, reason, file, number, match.start() + 1)


def waive(
    findings: Iterable[Finding], texts: Iterable[tuple[str, str, bytes]], rules: Container[str]
) -> tuple[Finding, ...]:
    """The findings without those that are waived, and what is wrong with the waivers themselves.

    `texts` are the layers' files as (layer, file, bytes); `rules` the ids that can be waived.
    """
    known = [(layer, waiver) for layer, file, text in texts for waiver in waivers(file, text)]
    kept: list[Finding] = []
    used: set[Waiver] = set()
    for finding in findings:
        holding = [waiver for _, waiver in known if finding.rule in rules and waiver.holds(finding)]
        used.update(holding)
        if not holding:
            kept.append(finding)
    faults = (_fault(layer, waiver) for layer, waiver in dict.fromkeys(known) if waiver not in used)
    return (*kept, *faults)


def _fault(layer: str, waiver: Waiver) -> Finding:
    if not waiver.reason:
        message = f"The waiver of {waiver.rule} has no reason, so it does not hold."
        return _said("waiver/no-reason", Severity.WARNING, message, "Write why after the rule.", layer, waiver)
    message = f"The waiver of {waiver.rule} waives nothing."
    return _said("waiver/unused", Severity.INFO, message, "Remove it, or correct the rule's name.", layer, waiver)


def _said(rule: str, severity: Severity, message: str, hint: str, layer: str, waiver: Waiver) -> Finding:
    return Finding(rule, severity, message, hint, waiver.file, (), waiver.line, waiver.column, layer)
