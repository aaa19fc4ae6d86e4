"""A summary in Markdown, for a pull request's comment or a job's summary page."""

from __future__ import annotations

from halgit.pipeline import Finding
from halgit.report.findings import summary_line
from halgit.report.report import Report


def render(report: Report) -> str:
    """A heading with the counts, and a table of the findings."""
    lines = [f"### halgit: {summary_line(report.findings)}"]
    if report.findings:
        lines += ["", "| severity | place | finding | rule |", "|---|---|---|---|"]
        lines += [_row(report, finding) for finding in report.findings]
    return "\n".join(lines)


def _row(report: Report, finding: Finding) -> str:
    place = report.file(finding) + (f":{finding.line}" if finding.line else "")
    words = cell(f"{finding.message} {finding.hint}".strip())
    return f"| {finding.severity} | {code(place)} | {words} | {code(finding.rule)} |"


def cell(text: str) -> str:
    """A text that stays in its cell, and is read as text."""
    for sign in "\\`*_[]<>":
        text = text.replace(sign, "\\" + sign)
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: str) -> str:
    """A text as code, in a cell."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|").replace("\n", " ")
