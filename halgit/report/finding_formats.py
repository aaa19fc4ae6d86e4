"""The formats of a report of findings: text, JSON, SARIF, JUnit, GitHub annotations, Markdown.

To add a format, write a function from a `Report` to a text and list it in `FORMATS`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping

from halgit.annotations import TYPE_CHECKING, Any
from halgit.pipeline import Finding, Severity
from halgit.record import replace
from halgit.report.findings import Paint, Report, finding_json, finding_line, identity, plain, summary_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LONGEST_EXCERPT = 160


def text(report: Report, paint: Paint = plain) -> str:
    """Format each finding with its line and a mark below the column, then the counts."""
    parts = []
    for finding in report.findings:
        parts.append(finding_line(replace(finding, file=report.file(finding)), paint))
        excerpt = report.excerpt(finding).rstrip()[:_LONGEST_EXCERPT]
        if excerpt.strip():
            parts.append(f"    {finding.line} | {excerpt}")
            if 0 < finding.column <= len(excerpt):
                parts.append(" " * (len(str(finding.line)) + 7 + finding.column - 1) + paint("^", "bold"))
    return "\n".join([*parts, summary_line(report.findings).capitalize() + "."])


# --- JSON


def json_value(report: Report) -> dict[str, Any]:
    """Return the `validate` object: `findings` and `summary`."""
    findings = [{**finding_json(finding), "file": report.file(finding)} for finding in report.findings]
    return {"findings": findings, "summary": report.counts()}


def json_text(report: Report) -> str:
    """Format the `validate` object."""
    return json.dumps(json_value(report), indent=2, ensure_ascii=False)


# --- SARIF 2.1.0, as code scanning services take it: one run, the rules it uses, a fingerprint for each result

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(report: Report) -> str:
    """Format a SARIF 2.1.0 log."""
    ids = list(dict.fromkeys(finding.rule for finding in report.findings))
    driver = {
        "name": "halgit",
        "version": report.version,
        "semanticVersion": report.version,
        "informationUri": "https://github.com/opsmx/halgit",
        "rules": [_sarif_rule(id) for id in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(report, finding, ids.index(finding.rule)) for finding in report.findings],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _sarif_rule(id: str) -> dict[str, Any]:
    """Describe one finding id, as a viewer shows it beside its results."""
    from halgit.catalog import CATALOG
    from halgit.report import explanation

    rule: dict[str, Any] = {"id": id}
    entry = CATALOG.get(id)
    if entry:
        rule["shortDescription"] = {"text": entry.summary}
        rule["fullDescription"] = {"text": f"{entry.summary} {entry.halyard} {entry.impact}"}
        rule["help"] = {"text": explanation.text(entry), "markdown": explanation.markdown(entry)}
        rule["helpUri"] = entry.uri
        rule["defaultConfiguration"] = {"level": _LEVELS[entry.severity]}
    return rule


def _sarif_result(report: Report, finding: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.hint}".strip()},
        "partialFingerprints": {"halgit/v1": fingerprint(finding)},
    }
    if finding.file:
        from urllib.parse import quote

        location: dict[str, Any] = {"artifactLocation": {"uri": quote(report.file(finding))}}
        if finding.line:
            location["region"] = {"startLine": finding.line, "startColumn": max(1, finding.column)}
        result["locations"] = [{"physicalLocation": location}]
    return result


def fingerprint(finding: Finding) -> str:
    """Return a digest of the finding that stays the same when lines move."""
    import hashlib

    return hashlib.sha256("\0".join(identity(finding)).encode()).hexdigest()[:32]


# --- JUnit XML: a suite for each file, a test case for each finding, failed if it is an error


def junit(report: Report) -> str:
    """Format a JUnit document. Without findings it holds one passed test, because readers reject an empty one.

    Names hold no line numbers, so that a forge recognizes a test when lines move.
    """
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    suites = Element("testsuites", name="halgit")
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        by_file[report.file(finding) or "halgit"].append(finding)
    for file, findings in by_file.items():
        failures = sum(finding.severity is Severity.ERROR for finding in findings)
        suite = SubElement(suites, "testsuite", name=_xml(file), tests=str(len(findings)), failures=str(failures))
        names: dict[str, int] = defaultdict(int)
        for finding in findings:
            _junit_case(suite, finding, file, _junit_name(finding, names))
    if not by_file:
        suite = SubElement(suites, "testsuite", name="halgit", tests="1", failures="0")
        SubElement(suite, "testcase", name="no findings", classname="halgit")
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode")


def _junit_name(finding: Finding, names: dict[str, int]) -> str:
    """Return the rule and path of a finding, numbered from the second one of the same name in a file on."""
    path = identity(finding)[2]
    name = f"{finding.rule} {path}".strip()
    names[name] += 1
    return _xml(name if names[name] == 1 else f"{name} ({names[name]})")


def _junit_case(suite: Element, finding: Finding, file: str, name: str) -> None:
    from xml.etree.ElementTree import SubElement

    case = SubElement(suite, "testcase", name=name, classname=_xml(file), file=_xml(file), line=str(finding.line))
    words = _xml(f"{file}:{finding.line}:{finding.column}: {finding.message} {finding.hint}".strip())
    if finding.severity is Severity.ERROR:
        SubElement(case, "failure", message=_xml(finding.message), type=finding.rule).text = words
    else:
        SubElement(case, "system-out").text = f"{finding.severity}: {words}"


def _xml(text: str) -> str:
    """Replace the characters that XML 1.0 does not permit."""
    import re

    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


# --- workflow commands of GitHub Actions: an annotation on the line of each finding

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def github(report: Report) -> str:
    """Format one workflow command for each finding."""
    return "\n".join(_github_command(report, finding) for finding in report.findings)


def _github_command(report: Report, finding: Finding) -> str:
    fields = {"file": report.file(finding), "line": finding.line, "col": finding.column, "title": finding.rule}
    properties = ",".join(f"{name}={_github_property(str(value))}" for name, value in fields.items() if value)
    return f"::{_COMMANDS[finding.severity]} {properties}::{_github_data(f'{finding.message} {finding.hint}'.strip())}"


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


# --- Markdown, for a pull request's comment or a job's summary page


def markdown(report: Report) -> str:
    """Format a heading with the counts, and a table of the findings."""
    lines = [f"### halgit: {summary_line(report.findings)}"]
    if report.findings:
        lines += ["", "| severity | location | finding | rule |", "|---|---|---|---|"]
        lines += [_markdown_row(report, finding) for finding in report.findings]
    return "\n".join(lines)


def _markdown_row(report: Report, finding: Finding) -> str:
    location = report.file(finding) + (f":{finding.line}" if finding.line else "")
    words = markdown_cell(f"{finding.message} {finding.hint}".strip())
    return f"| {finding.severity} | {markdown_code(location)} | {words} | {markdown_code(finding.rule)} |"


def markdown_cell(text: str) -> str:
    """Escape a text for a table cell, so that it is read as text."""
    for sign in "\\`*_[]<>":
        text = text.replace(sign, "\\" + sign)
    return text.replace("|", "\\|").replace("\n", " ")


def markdown_code(text: str) -> str:
    """Format a text as code in a table cell."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|").replace("\n", " ")


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text,
    "json": json_text,
    "sarif": sarif,
    "junit": junit,
    "github": github,
    "markdown": markdown,
}
