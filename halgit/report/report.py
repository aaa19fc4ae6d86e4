"""What every report format is given: findings in their places, what is known of their rules, and the lines around."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import EMPTY, Finding, Severity
from halgit.redaction import MASK

_PAIR = re.compile(r"""(["']?)([\w.-]+)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|\'\')*'?|[^\s,}\]#].*)""")


_BEFORE_VALUE = re.compile(r"""^(\s*(?:- +)?(?:(["']?)[\w.-]+\2\s*[:=]\s+)?).*$""")
_IN_ADDRESS = re.compile(r"(://[^/\s:@]*:)(?!encrypted|\$\{)[^/\s@]+(?=@)")


@dataclass(frozen=True, slots=True)
class About:
    """What people are told about a rule."""

    summary: str
    help: str


@dataclass(frozen=True, slots=True)
class Report:
    """Findings for a format. `line` gives the text of a line of a layer's file; `prefix` leads from where the reader
    stands (the root of the work tree) to the source's root, empty or ending with `/`."""

    findings: tuple[Finding, ...]
    rules: Mapping[str, About] = EMPTY
    line: Callable[[str, int], str] = lambda file, line: ""
    prefix: str = ""
    version: str = ""

    def file(self, finding: Finding) -> str:
        """The file of a finding as the reader names it."""
        return self.prefix + finding.file if finding.file else ""

    def excerpt(self, finding: Finding) -> str:
        """The line of a finding, with values of sensitive keys masked; empty where it is not known.

        Of a secret that is found in the open nothing of the line is shown but what stands before the first value.
        """
        line = self.line(finding.file, finding.line) if finding.line else ""
        if finding.rule.startswith("secrets/"):
            return _BEFORE_VALUE.sub(lambda match: match[1] + MASK, line)
        return masked(line)

    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        counted = Counter(finding.severity for finding in self.findings)
        return {str(severity): counted[severity] for severity in sorted(Severity, reverse=True)}


def masked(line: str) -> str:
    """A line of a file as it may be shown: values of keys that say secret are masked, and passwords in addresses.

    A plain value is masked to the end of the line: what ends it depends on lines that are not at hand.
    """

    def hide(match: re.Match[str]) -> str:
        quote, key, sign, value = match.groups()
        if not is_sensitive_key(key) or value.startswith(
            ("encrypted", "${", '"encrypted', "'encrypted", "|", ">", "{")
        ):
            return match.group(0)
        return f"{quote}{key}{quote}{sign}{MASK}"

    return _IN_ADDRESS.sub(rf"\1{MASK}", _PAIR.sub(hide, line))
