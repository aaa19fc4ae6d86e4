"""Users' decisions about findings: ignored rules, other severities, and waivers in place.

A waiver is `# halgit: ignore=RULE reason`, on the line of a value or the line above it; it needs a reason. All of this
applies to every finding, whichever package reports it, except to those after which no tree can be rendered
(`Entry.fatal`), and to `trust/*`, about which only the operator decides. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from halgit.lazy import lazy_pattern
from halgit.pipeline import Finding, RuleSettings, Severity
from halgit.record import Record, replace

_WAIVER = lazy_pattern(rb"(?:#|//)[ \t]*halgit:[ \t]*ignore=([^\s#]+)[ \t]*([^\r\n]*)")


class Waiver(Record):
    """One waiver: the rule it names (or a pattern of rules), its reason, and its place."""

    rule: str
    reason: str
    file: str
    line: int
    column: int

    def matches(self, finding: Finding) -> bool:
        """Return whether it is about this finding."""
        from fnmatch import fnmatchcase

        near = finding.line in (self.line, self.line + 1)
        return bool(self.reason) and near and finding.file == self.file and fnmatchcase(finding.rule, self.rule)


def waivers(file: str, text: bytes) -> Iterator[Waiver]:
    """Every waiver of a file."""
    if b"halgit:" not in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = _WAIVER.search(line)
        if match:
            rule, reason = (part.decode("utf-8", "replace").strip() for part in match.groups())
            yield Waiver(rule, reason, file, number, match.start() + 1)


def apply_settings(
    findings: Iterable[Finding], settings: RuleSettings, ignore: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """The findings without ignored ones (by the operator or the repository), with the repository's severities."""
    findings = tuple(findings)
    if not findings:
        return ()
    from halgit import catalog

    both = (*ignore, *settings.ignore)
    kept: list[Finding] = []
    for finding in findings:
        if _is_fatal(finding.rule):
            kept.append(finding)
        elif not catalog.matches(finding.rule, ignore if is_operators(finding.rule) else both):
            kept.append(
                finding if is_operators(finding.rule) else replace(finding, severity=_severity(finding, settings))
            )
    return tuple(kept)


def is_operators(id: str) -> bool:
    """Return whether only the operator decides about this rule, and no repository setting or waiver applies to it."""
    return id.startswith("trust/")


def _severity(finding: Finding, settings: RuleSettings) -> Severity:
    return settings.severity.get(finding.rule, finding.severity)


def _is_fatal(id: str) -> bool:
    from halgit.catalog import CATALOG

    return id in CATALOG and CATALOG[id].fatal


def waive(findings: Iterable[Finding], texts: Iterable[tuple[str, str, bytes]]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings without those that are waived, and what is wrong with the waivers themselves.

    `texts` are the layers' files as (layer, file, bytes).
    """
    known = [(layer, waiver) for layer, file, text in texts for waiver in waivers(file, text)]
    kept: list[Finding] = []
    used: set[Waiver] = set()
    fatal: set[Waiver] = set()
    for finding in findings:
        matching = [waiver for layer, waiver in known if finding.layer in ("", layer) and waiver.matches(finding)]
        is_fixed = _is_fatal(finding.rule) or is_operators(finding.rule)
        (fatal if is_fixed else used).update(matching)
        if not matching or is_fixed:
            kept.append(finding)
    unused = [(layer, waiver) for layer, waiver in dict.fromkeys(known) if waiver not in used]
    remarks = [
        _waiver_finding(layer, waiver, is_fatal=waiver in fatal)
        for layer, waiver in unused
        if not waiver.reason or not _may_match_later(waiver)
    ]
    return kept, remarks


def _may_match_later(waiver: Waiver) -> bool:
    """Return whether a waiver is for a rule whose findings come after validation."""
    from fnmatch import fnmatchcase

    from halgit.catalog import CATALOG

    return any(entry.late and fnmatchcase(entry.id, waiver.rule) for entry in CATALOG.values())


def _waiver_finding(layer: str, waiver: Waiver, *, is_fatal: bool) -> Finding:
    if not waiver.reason:
        message = f"The waiver of {waiver.rule} has no reason, so it is not applied."
        return _finding("waiver/no-reason", Severity.WARNING, message, "Add the reason after the rule.", layer, waiver)
    if is_fatal:
        why = "only the operator decides about it" if is_operators(waiver.rule) else "no tree can be rendered after it"
        message = f"{waiver.rule} cannot be waived: {why}."
        return _finding("waiver/unused", Severity.INFO, message, "Fix the finding.", layer, waiver)
    message = f"The waiver of {waiver.rule} does not match any finding."
    return _finding("waiver/unused", Severity.INFO, message, "Remove it, or correct the rule.", layer, waiver)


def _finding(rule: str, severity: Severity, message: str, hint: str, layer: str, waiver: Waiver) -> Finding:
    return Finding(rule, severity, message, hint, waiver.file, (), waiver.line, waiver.column, layer)
