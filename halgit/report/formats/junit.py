"""JUnit XML: a test case for each finding, failed where it is an error, in a suite for each file."""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from halgit.pipeline import Finding, Severity
from halgit.report.report import Report

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The document as text. Without findings it holds one passed test, so that no reader takes it for a failure."""
    suites = Element("testsuites", name="halgit")
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        by_file[report.file(finding) or "halgit"].append(finding)
    for file, findings in by_file.items():
        failures = sum(finding.severity is Severity.ERROR for finding in findings)
        suite = SubElement(suites, "testsuite", name=_clean(file), tests=str(len(findings)), failures=str(failures))
        for finding in findings:
            _case(suite, finding, file)
    if not by_file:
        suite = SubElement(suites, "testsuite", name="halgit", tests="1", failures="0")
        SubElement(suite, "testcase", name="no findings", classname="halgit")
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode")


def _case(suite: Element, finding: Finding, file: str) -> None:
    name = f"{finding.rule} line {finding.line}" if finding.line else finding.rule
    case = SubElement(suite, "testcase", name=name, classname=_clean(file), file=_clean(file), line=str(finding.line))
    words = _clean(f"{file}:{finding.line}:{finding.column}: {finding.message} {finding.hint}".strip())
    if finding.severity is Severity.ERROR:
        SubElement(case, "failure", message=_clean(finding.message), type=finding.rule).text = words
    else:
        SubElement(case, "system-out").text = f"{finding.severity}: {words}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("?", text)
