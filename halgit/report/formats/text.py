"""Findings for people: place, words, and the line itself with a mark under the column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from halgit.report.findings import finding_line, summary_line
from halgit.report.report import Report

Colour = Callable[[str, str], str]


def plain(text: str, name: str) -> str:
    """No colour."""
    return text


def render(report: Report, colour: Colour = plain) -> str:
    """Each finding with its line, then how many there are."""
    parts = []
    for finding in report.findings:
        parts.append(finding_line(replace(finding, file=report.file(finding)), colour))
        line = report.excerpt(finding)
        if line.strip():
            shown = line.rstrip()[:160]
            parts.append(f"    {finding.line} | {shown}")
            if 0 < finding.column <= len(shown):
                parts.append(" " * (len(str(finding.line)) + 7 + finding.column - 1) + colour("^", "bold"))
    return "\n".join([*parts, summary_line(report.findings).capitalize() + "."])
