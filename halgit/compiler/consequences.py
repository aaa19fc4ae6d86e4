"""Findings that only follow from another one: from a file that cannot be read, a missing base, or a wrong parameter.

They are not reported: who fixes the cause would look in vain for what they are about. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from halgit.annotations import Final
from halgit.pipeline import MISSING, Compiled, Finding, Path, Severity, Value

_OF_LAYERS: Final = frozenset(
    {
        "config/empty",
        "config/missing",
        "config/no-deployment",
        "merge/deletes-nothing",
        "merge/removes-nothing",
        "patch/no-match",
        "patch/no-target",
        "patch/test-failed",
    }
)
"""About something that a layer which cannot be read may contain."""

_OF_PARAMETERS: Final = frozenset(
    {"parameter/no-value", "parameter/required", "parameter/undeclared", "parameter/unused"}
)
"""About a parameter that a layer which cannot be read may declare or set."""

_OF_VALUES: Final = frozenset({"parameter/no-value", "parameter/required"})
"""About a parameter that the operator sets in a file which cannot be read."""

_OF_KEYS: Final = frozenset({"merge/deletes-nothing", "merge/item-without-key", "merge/named-list", "merge/no-key"})
"""About a list whose key is set by `mergeKeys`."""

_UNUSED: Final = frozenset({"profiles/unused", "service-settings/unused"})
"""About files of a deployment that a halconfig may have."""


def lacks_layers(compiled: Compiled) -> bool:
    """Return whether a base is missing: the rules would report everything that it should contain."""
    return any(
        _is_error(one) and (one.rule.startswith("merge/base-") or _hides(one, "bases")) for one in compiled.findings
    )


def is_unreadable(finding: Finding) -> bool:
    """Return whether a file, or a base, cannot be read, so that something is missing in the tree."""
    return _is_error(finding) and (finding.rule.startswith(("yaml/", "merge/base-")) or _hides(finding, "bases"))


def list_following_rules(compiled: Compiled) -> frozenset[str]:
    """Return the rules whose findings can only follow from others of this tree."""
    following: set[str] = set()
    errors = [one for one in compiled.findings if _is_error(one)]
    if lacks_layers(compiled):
        following |= _OF_LAYERS | _OF_PARAMETERS | _OF_KEYS
    if any(_hides(one, "params") for one in errors):
        following |= _OF_PARAMETERS
    if any(_hides(one, "mergeKeys") for one in errors):
        following |= _OF_KEYS
    if any(_is_of_values(one) for one in errors):
        following |= _OF_VALUES
    config = compiled.files["config"].data if "config" in compiled.files else MISSING
    if config is MISSING or not config:
        following |= _UNUSED
    if following or any(one.rule.startswith("yaml/") for one in errors):
        following.add("parameter/unused")
    return frozenset(following)


def _is_error(finding: Finding) -> bool:
    return finding.severity >= Severity.ERROR


def _hides(finding: Finding, key: str) -> bool:
    """Return whether this finding means that a key of a `halgit.yaml` is unknown: unreadable, wrong or misspelled."""
    if not finding.file.endswith("halgit.yaml"):
        return False
    is_wrong = finding.path[:1] in ((), (key,)) and finding.rule.startswith(("yaml/", "settings/"))
    return is_wrong or (finding.rule == "settings/unknown-key" and finding.hint == f"Did you mean {key}?")


def _is_of_values(finding: Finding) -> bool:
    """Return whether values that the operator set are unknown: a variable's file, or that of `--params`."""
    is_of_option = not finding.layer and finding.rule.startswith("yaml/")
    return is_of_option or finding.rule in ("parameter/environment", "parameter/params-file")


def is_of_wrong_parameter(finding: Finding, compiled: Compiled) -> bool:
    """True if a finding is about a value with a parameter that is reported: it has no value, or a wrong one."""
    file = compiled.files.get(finding.file)
    if file is None or file.trace is None or not finding.path or finding.rule.startswith(("parameter/", "yaml/")):
        return False
    if compiled.dialect == "halgit" and _has_use(file.data, finding.path):
        return True
    names = file.trace.at(finding.path).origin.how.removeprefix("parameter ").split(", parameter ")
    return any(name in compiled.parameters and compiled.parameters[name].is_wrong for name in names)


def _has_use(data: Value, path: Path) -> bool:
    """Return whether the value at a path still holds an expression of a parameter."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        else:
            data = data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None
    if not isinstance(data, str) or "${{" not in data:
        return False
    from halgit.parameters.templates import parse_template

    return bool(parse_template(data).uses)


def without_joined_references(findings: Iterable[Finding]) -> dict[Finding, None]:
    """Return each finding once, without those about a reference at a place where parameters would form one."""
    found = dict.fromkeys(findings)
    joined = {(one.file, one.line) for one in found if one.rule == "parameter/joined-reference"}
    return {one: None for one in found if not (one.rule.startswith("reference/") and (one.file, one.line) in joined)}
