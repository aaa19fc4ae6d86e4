"""Findings as lines for people and as JSON objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from halgit.pipeline import Finding, Severity
from halgit.report.table import counted
from halgit.text import paths


def finding_line(finding: Finding, colour: Callable[[str, str], str] = lambda text, name: text) -> str:
    """One finding on one line: place, severity, what, next step, rule."""
    place = finding.file
    if finding.line:
        place += f":{finding.line}" + (f":{finding.column}" if finding.column else "")
    severity = str(finding.severity)
    text = f"{finding.message} {finding.hint}".strip()
    start = f"{colour(place, 'bold')}: " if place else ""
    return f"{start}{colour(severity, severity)}: {text} {colour(f'[{finding.rule}]', 'dim')}"


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as JSON, with the fields of the contract."""
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "path": paths.format_path(finding.path),
        "layer": finding.layer,
        "hint": finding.hint,
    }


def summary_line(findings: Sequence[Finding]) -> str:
    """`2 errors, 1 warning`."""
    counts = Counter(finding.severity for finding in findings)
    parts = [
        counted(counts[severity], str(severity)) for severity in sorted(Severity, reverse=True) if counts[severity]
    ]
    return ", ".join(parts).replace("infos", "notes").replace("1 info", "1 note") or "no findings"
