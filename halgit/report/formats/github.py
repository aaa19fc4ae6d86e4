"""Workflow commands of GitHub Actions: an annotation on the line of each finding."""

from __future__ import annotations

from halgit.pipeline import Finding, Severity
from halgit.report.report import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    """A line for each finding."""
    return "\n".join(_line(report, finding) for finding in report.findings)


def _line(report: Report, finding: Finding) -> str:
    fields = {"file": report.file(finding), "line": finding.line, "col": finding.column, "title": finding.rule}
    given = ",".join(f"{name}={_property(str(value))}" for name, value in fields.items() if value)
    return f"::{_COMMANDS[finding.severity]} {given}::{_data(f'{finding.message} {finding.hint}'.strip())}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
