"""Findings as the `validate` object: `findings` and `summary`."""

from __future__ import annotations

import json
from typing import Any

from halgit.report.findings import finding_json
from halgit.report.report import Report


def value(report: Report) -> dict[str, Any]:
    """The object itself."""
    findings = [{**finding_json(finding), "file": report.file(finding)} for finding in report.findings]
    return {"findings": findings, "summary": report.counts()}


def render(report: Report) -> str:
    """The object as text."""
    return json.dumps(value(report), indent=2, ensure_ascii=False)
