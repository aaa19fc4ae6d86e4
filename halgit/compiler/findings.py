"""What is wrong with a merged tree, all of it: merge, parameter and reference faults, and the rules where wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from halgit import catalog
from halgit.compiler.locator import Places, in_order
from halgit.errors import FindingsError, UsageError
from halgit.merge import selection
from halgit.operator_settings import OperatorSettings
from halgit.pipeline import MISSING, Compiled, Finding, Origin, Path, Severity
from halgit.report.findings import summary_line
from halgit.secrets import SecretPlan
from halgit.text.phrases import suggest_nearest
from halgit.validation import policy
from halgit.validation.rule import validate
from halgit.validation.rules import ALL

_OF_NO_USE: Final = frozenset({"waiver/unused", "parameter/unused"})


def settle(compiled: Compiled, plan: SecretPlan, operator: OperatorSettings, places: Places) -> tuple[Finding, ...]:
    """Every finding, each once and in its place. Without `operator.validate` only the compiler's own."""
    found = [*compiled.findings, *plan.findings]
    half, follows = _lacks_layers(compiled), _consequences(compiled)
    if operator.validate and not half:
        found += validate(compiled, ALL, select=operator.select)
        found += _misnamed(compiled, places)
        found += _idle(compiled, places)
    found = [one for one in found if one.rule not in follows]
    placed = dict.fromkeys(places.put(policy.apply_settings(found, compiled.rules, operator.ignore)))
    if half or not operator.validate:
        return tuple(placed)
    return in_order(policy.waive(placed, places.texts()))


def _lacks_layers(compiled: Compiled) -> bool:
    """Whether a base is not there: what stood in it would be missed by the rules, one by one."""
    return any(
        one.severity >= Severity.ERROR and (one.rule.startswith("merge/base-") or _keeps_bases(one))
        for one in compiled.findings
    )


def _keeps_bases(finding: Finding) -> bool:
    """Whether this fault of a `halgit.yaml` hides its bases: it cannot be read, they are wrong, or misspelt."""
    if not finding.file.endswith("halgit.yaml"):
        return False
    wrong = finding.path[:1] in ((), ("bases",)) and finding.rule.startswith(("yaml/", "settings/"))
    return wrong or (finding.rule == "settings/unknown-key" and finding.hint == "Did you mean bases?")


def _consequences(compiled: Compiled) -> frozenset[str]:
    """The rules whose findings would only follow from a file that cannot be read, or from an empty halconfig."""
    unread = any(one.rule.startswith("yaml/") and one.severity >= Severity.ERROR for one in compiled.findings)
    config = compiled.files["config"].data if "config" in compiled.files else MISSING
    if config is MISSING or not config:
        return frozenset({"parameter/unused", "profiles/unused", "service-settings/unused"})
    return frozenset({"parameter/unused"} if unread or _lacks_layers(compiled) else ())


def check_names(option: str, patterns: Iterable[str]) -> None:
    """Raises UsageError for a pattern of --select or --ignore that names no rule: it would pass everything."""
    for pattern in patterns:
        if not catalog.is_known(pattern):
            raise UsageError(f"{option}: there is no rule {pattern}.", _nearest(pattern))


def _misnamed(compiled: Compiled, places: Places) -> Iterator[Finding]:
    """A warning for each name under `rules` of a halgit.yaml that is no rule's."""
    for layer in compiled.layers:
        rules = layer.settings.rules
        wrong: list[tuple[Path, str]] = [
            (("rules", "ignore", number), name)
            for number, name in enumerate(rules.ignore)
            if not catalog.is_known(name)
        ]
        wrong += [(("rules", "severity", name), name) for name in rules.severity if name not in catalog.CATALOG]
        for path, name in wrong:
            at = places.of(Origin(layer.id, layer.settings.file, path))
            where = (layer.settings.file, path, at.line, at.column, layer.id.name)
            yield Finding(
                "settings/no-such-rule", Severity.WARNING, f"There is no rule {name}.", _nearest(name), *where
            )


def _idle(compiled: Compiled, places: Places) -> Iterator[Finding]:
    """A warning for each `include` that names no file of its layer."""
    for layer in compiled.layers:
        for number, glob in enumerate(layer.settings.include):
            if not any(selection.matches(path, (glob,)) for path in layer.paths):
                path: Path = ("include", number)
                at = places.of(Origin(layer.id, layer.settings.file, path))
                where = (layer.settings.file, path, at.line, at.column, layer.id.name)
                message, hint = f"No file of the layer matches {glob}.", "Correct the pattern, or take it out."
                yield Finding("settings/include-nothing", Severity.WARNING, message, hint, *where)


def _nearest(name: str) -> str:
    return suggest_nearest(name, catalog.names(), "See `halgit rules`.")


def together(every: Sequence[tuple[Compiled, Sequence[Finding]]]) -> tuple[Finding, ...]:
    """The findings of several overlays, each once.

    That something is of no use (a waiver, a parameter) counts only where none of the overlays that have its layer
    uses it.
    """
    findings = dict.fromkeys(finding for _, found in every for finding in found)
    said = Counter(place for _, found in every for place in {_place(finding) for finding in found})
    has = Counter(name for compiled, _ in every for name in {layer.id.name for layer in compiled.layers})

    def holds(finding: Finding) -> bool:
        return finding.rule not in _OF_NO_USE or said[_place(finding)] == (has[finding.layer] or len(every))

    return in_order(finding for finding in findings if holds(finding))


def _place(finding: Finding) -> tuple[str, str, int, str]:
    """What a finding is about, whatever the overlay makes of the next step."""
    return finding.rule, finding.file, finding.line, finding.message


def refuse(findings: Sequence[Finding], least: Severity, *, written: str = "nothing was written") -> None:
    """Raises FindingsError where a finding is at or above this severity."""
    bad = [finding for finding in findings if finding.severity >= least]
    if bad:
        counted = "; ".join(part for part in (summary_line(bad), written) if part)
        raise FindingsError(f"{counted}.", findings, "Mend what is listed above.")
