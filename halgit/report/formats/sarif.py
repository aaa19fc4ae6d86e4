"""SARIF 2.1.0, as code scanning services take it: one run, the rules that spoke, a fingerprint for each result."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from halgit.pipeline import Finding, Severity
from halgit.report.report import About, Report
from halgit.text import paths

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report) -> str:
    """The log as text."""
    ids = list(dict.fromkeys(finding.rule for finding in report.findings))
    driver = {
        "name": "halgit",
        "version": report.version,
        "semanticVersion": report.version,
        "informationUri": "https://github.com/opsmx/halgit",
        "rules": [_rule(id, report.rules.get(id)) for id in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(report, finding, ids.index(finding.rule)) for finding in report.findings],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(id: str, about: About | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": id}
    if about:
        rule["shortDescription"] = {"text": about.summary}
        rule["help"] = {"text": about.help}
    return rule


def _result(report: Report, finding: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.hint}".strip()},
        "partialFingerprints": {"halgit/v1": fingerprint(finding)},
    }
    if finding.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(report.file(finding))}}
        if finding.line:
            place["region"] = {"startLine": finding.line, "startColumn": max(1, finding.column)}
        result["locations"] = [{"physicalLocation": place}]
    return result


def fingerprint(finding: Finding) -> str:
    """What stays the same when lines move: rule, file, path and message."""
    parts = (finding.rule, finding.file, paths.format_path(finding.path), finding.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
