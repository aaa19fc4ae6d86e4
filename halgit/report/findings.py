"""A report of findings: what every format gets, findings as lines and JSON, masked excerpts, baselines."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from halgit.annotations import Any
from halgit.errors import UsageError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import Finding, Severity
from halgit.record import Record
from halgit.redaction import MASK
from halgit.report.tables import counted
from halgit.text import paths

Paint = Callable[[str, str], str]
"""Colors a text with the color of this name."""

_PAIR = r"""(["']?)([\w.-]+)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|\'\')*'?|[^\s,}\]#].*)"""
_BEFORE_VALUE = r"""^(\s*(?:- +)?(?:(["']?)[\w.-]+\2\s*[:=]\s+)?).*$"""
_PASSWORD_IN_URL = r"(://[^/\s:@]*:)(?!encrypted|\$\{)[^/\s@]+(?=@)"
_NO_SECRET = ("encrypted", "${", '"encrypted', "'encrypted", "|", ">", "{")
"""First characters of a value that is a reference, or that is written on the following lines."""


def plain(text: str, name: str) -> str:
    """Return the text without a color."""
    return text


class Report(Record):
    """Findings for a format.

    `line` returns the text of a line of a layer's file. `prefix` is the path from the reader's folder (the root of
    the work tree) to the source's root, empty or ending with `/`. `own` are the reader's own files, such as that of
    `--params`.
    """

    findings: tuple[Finding, ...]
    line: Callable[[str, int], str] = lambda file, line: ""
    prefix: str = ""
    version: str = ""
    own: frozenset[str] = frozenset()

    def file(self, finding: Finding) -> str:
        """Return the file of a finding as the reader names it."""
        is_inside = finding.file and (finding.layer or finding.file not in self.own)
        return self.prefix + finding.file if is_inside else finding.file

    def excerpt(self, finding: Finding) -> str:
        """Return the line of a finding, with values of sensitive keys masked; empty if the line is unknown.

        For a plain-text secret, everything from the first value on is masked.
        """
        line = self.line(finding.file, finding.line) if finding.line else ""
        if finding.rule.startswith("secrets/"):
            return re.sub(_BEFORE_VALUE, lambda match: match[1] + MASK, line)
        return mask_line(line)

    def counts(self) -> dict[str, int]:
        """Count the findings of each severity."""
        counts = Counter(finding.severity for finding in self.findings)
        return {str(severity): counts[severity] for severity in sorted(Severity, reverse=True)}


def mask_line(line: str) -> str:
    """Mask values of sensitive keys, and passwords in URLs, in a line of a file.

    An unquoted value is masked to the end of the line, because later lines decide where it ends.
    """

    def mask(match: re.Match[str]) -> str:
        quote, key, sign, value = match.groups()
        if not is_sensitive_key(key):
            return f"{quote}{key}{quote}{sign}{mask_line(value)}"
        if value.startswith(_NO_SECRET):
            return match.group(0)
        return f"{quote}{key}{quote}{sign}{MASK}"

    return re.sub(_PASSWORD_IN_URL, rf"\1{MASK}", re.sub(_PAIR, mask, line))


def finding_line(finding: Finding, paint: Paint = plain) -> str:
    """Format one finding on one line: location, severity, message, hint, rule."""
    location = finding.file
    if finding.line:
        location += f":{finding.line}" + (f":{finding.column}" if finding.column else "")
    severity = str(finding.severity)
    text = f"{finding.message} {finding.hint}".strip()
    start = f"{paint(location, 'bold')}: " if location else ""
    return f"{start}{paint(severity, severity)}: {text} {paint(f'[{finding.rule}]', 'dim')}"


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON data."""
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
    """Count findings by severity: `2 errors, 1 warning`."""
    counts = Counter(finding.severity for finding in findings)
    parts = [
        counted(counts[severity], str(severity)) for severity in sorted(Severity, reverse=True) if counts[severity]
    ]
    return ", ".join(parts).replace("infos", "notes").replace("1 info", "1 note") or "no findings"


def without_baseline(findings: Iterable[Finding], baseline: bytes) -> tuple[Finding, ...]:
    """Return the findings that a baseline, an earlier JSON report, does not list.

    Findings are compared by rule, layer, path and message, and by the end of the file's path: they stay known when
    lines move, and when the source is named in another way. Raises UsageError if the text is not a JSON report of
    `halgit validate`.
    """
    known: dict[tuple[str, ...], list[str]] = {}
    try:
        for entry in json.loads(baseline)["findings"]:
            known.setdefault(tuple(str(entry[name]) for name in _IDENTITY), []).append(f"/{entry['file']}")
    except (ValueError, RecursionError, KeyError, TypeError):
        hint = "Create one with `halgit validate --format json --output FILE`."
        raise UsageError("--baseline: the file is not a JSON report.", hint) from None
    return tuple(one for one in findings if not _is_known(one, known))


_IDENTITY = ("rule", "layer", "path", "message")


def _is_known(finding: Finding, known: Mapping[tuple[str, ...], list[str]]) -> bool:
    """Whether a baseline lists a finding. It names files with the way to the source, which may differ now."""
    same = known.get((finding.rule, finding.layer, paths.format_path(finding.path), finding.message), ())
    return any(file.endswith(f"/{finding.file}") for file in same)


def identity(finding: Finding) -> tuple[str, ...]:
    """Return what identifies a finding when lines move."""
    return finding.rule, finding.file, paths.format_path(finding.path), finding.message
