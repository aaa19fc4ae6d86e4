"""What is wrong with a merged tree, all of it: merge, parameter and reference faults, and the rules where wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from halgit.compiler.places import Places, in_order
from halgit.errors import FindingsError
from halgit.operator import OperatorSettings
from halgit.report.findings import summary_line
from halgit.reveal import Survey
from halgit.tree import Finding, Merged, Severity
from halgit.validation import run
from halgit.validation.rules import ALL
from halgit.validation.waivers import waive

_OF_NO_USE: Final = frozenset({"waiver/unused", "parameter/unused"})


def settle(merged: Merged, survey: Survey, operator: OperatorSettings, places: Places) -> tuple[Finding, ...]:
    """Every finding, each once and in its place. Without `operator.validate` only the compiler's own."""
    found = [*merged.findings, *survey.findings]
    if operator.validate:
        found += run.validate(merged, ALL, select=operator.select, ignore=operator.ignore)
    placed = dict.fromkeys(places.put(found))
    if not operator.validate:
        return tuple(placed)
    return in_order(waive(placed, places.texts(), {rule.id for rule in ALL}))


def together(every: Sequence[tuple[Merged, Sequence[Finding]]]) -> tuple[Finding, ...]:
    """The findings of several overlays, each once.

    That something is of no use (a waiver, a parameter) counts only where none of the overlays that have its layer
    uses it.
    """
    findings = dict.fromkeys(finding for _, found in every for finding in found)
    said = Counter(place for _, found in every for place in {_place(finding) for finding in found})
    has = Counter(name for merged, _ in every for name in {layer.id.name for layer in merged.layers})

    def holds(finding: Finding) -> bool:
        return finding.rule not in _OF_NO_USE or said[_place(finding)] == (has[finding.layer] or len(every))

    return in_order(finding for finding in findings if holds(finding))


def _place(finding: Finding) -> tuple[str, str, int, str]:
    """What a finding is about, whatever the overlay makes of the next step."""
    return finding.rule, finding.file, finding.line, finding.message


def refuse(findings: Sequence[Finding], least: Severity, *, written: str = "nothing was written") -> None:
    """Raises FindingsError where a finding is at or above this severity."""
    bad = [finding for finding in findings if finding.severity >= least]
    if bad:
        counted = "; ".join(part for part in (summary_line(bad), written) if part)
        raise FindingsError(f"{counted}.", findings, "Mend what is listed above.")
