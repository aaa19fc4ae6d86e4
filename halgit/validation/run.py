"""Runs the rules and settles their severities: the operator's choice, then the repository's, then the rule's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from halgit.pipeline import Compiled, Finding, RuleSettings, Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View


def chosen(rules: Iterable[Rule], select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """The rules whose id is selected (all where nothing is) and not ignored. Globs over ids: `kubernetes/*`."""
    return tuple(rule for rule in rules if (not select or _named(rule.id, select)) and not _named(rule.id, ignore))


def names_any(rules: Iterable[Rule], pattern: str) -> bool:
    """Whether a pattern of --select, --ignore or `rules.ignore` names a rule at all."""
    return any(_named(rule.id, (pattern,)) for rule in rules)


def _named(rule: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(rule, pattern) or rule.split("/", 1)[0] == pattern for pattern in patterns)


def validate(
    compiled: Compiled, rules: Iterable[Rule], *, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Every finding of the chosen rules, in the rendered tree's paths, rule by rule."""
    view = View(compiled)
    wanted = chosen(rules, select, (*ignore, *compiled.rules.ignore))
    return tuple(
        finding(rule, hit, compiled.rules, aside=_aside(view, rule, hit)) for rule in wanted for hit in rule.check(view)
    )


_WHOLE: Final = frozenset({"schema/", "deployment/named-twice"})
"""Rules whose faults stop Halyard in whichever deployment they stand: it binds the halconfig as a whole."""


def _aside(view: View, rule: Rule, hit: Hit) -> bool:
    """Whether a hit is about a deployment that is not the rendered one: `hal deploy apply` does not look at it."""
    if hit.file != "config" or len(hit.path) < 2 or view.deployment is None or rule.id.startswith(tuple(_WHOLE)):
        return False
    return hit.path[0] == "deploymentConfigurations" and hit.path[1] != view.deployment.path[1]


def finding(rule: Rule, hit: Hit, said: RuleSettings, *, aside: bool = False) -> Finding:
    """A hit as a finding, with the severity that holds for it; beside the rendered deployment nothing is an error."""
    own = hit.severity or rule.severity
    severity = said.severity.get(rule.id, min(own, Severity.WARNING) if aside else own)
    return Finding(rule.id, severity, hit.message, hit.hint or rule.fix, hit.file, hit.path, hit.line, hit.column)
