"""All findings about a compiled tree: of merge, parameters and references, and of the rules unless switched off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from halgit.annotations import TYPE_CHECKING, Final
from halgit.compiler.consequences import (
    is_of_wrong_parameter,
    lacks_layers,
    list_following_rules,
    without_joined_references,
)
from halgit.compiler.locator import Locator, sort_findings
from halgit.errors import FindingsError, UsageError
from halgit.operator_settings import OperatorSettings
from halgit.pipeline import Compiled, Finding, Layer, Origin, Path, Severity
from halgit.record import replace
from halgit.text.globs import matches_any
from halgit.text.limits import MAX_REPEATS, limit_findings
from halgit.validation import policy
from halgit.validation.rule import validate
from halgit.validation.rules import list_rules, trust

if TYPE_CHECKING:
    from halgit.secrets import SecretPlan


_UNUSED: Final = frozenset({"waiver/unused", "parameter/unused"})
"""Findings about something unused, which count only if no overlay uses it."""


def collect_findings(
    compiled: Compiled, plan: SecretPlan, operator: OperatorSettings, locator: Locator
) -> tuple[Finding, ...]:
    """Return every finding once, with its place. Without `operator.validate` only the compiler's own."""
    found = [*compiled.findings, *plan.findings]
    is_incomplete, following = lacks_layers(compiled), list_following_rules(compiled)
    if operator.validate and not is_incomplete:
        found += validate(compiled, list_rules, select=operator.select)
        found += _unknown_rules(compiled, locator)
        found += _unmatched_includes(compiled, locator)
    if operator.trust.deny_commands:
        found = [*(one for one in found if not policy.is_operators(one.rule)), *find_commands(compiled, is_denied=True)]
    allowed = {"trust/loads-plugin"} if operator.trust.allow_plugins else set()
    found = [one for one in found if one.rule not in following and one.rule not in allowed]
    found = [one for one in limit_findings(found, MAX_REPEATS + 1) if not is_of_wrong_parameter(one, compiled)]
    found = list(policy.apply_settings(found, compiled.rules, operator.ignore))
    located = without_joined_references(locator.locate_findings(found))
    if not located and not operator.validate:
        return ()
    kept, remarks = policy.waive(located, locator.texts())
    if operator.validate and not is_incomplete:
        kept += policy.apply_settings(remarks, compiled.rules, operator.ignore)
    return sort_findings(kept)


def filter_findings(
    found: Iterable[Finding], compiled: Compiled, operator: OperatorSettings, locator: Locator
) -> tuple[Finding, ...]:
    """Apply the users' decisions to located findings that come after validation."""
    kept = policy.apply_settings(found, compiled.rules, operator.ignore)
    return sort_findings(policy.waive(kept, locator.texts())[0]) if kept else ()


def is_late(finding: Finding) -> bool:
    """Return whether a finding comes after validation, and can change although no source does."""
    from halgit.catalog import CATALOG

    return CATALOG[finding.rule].late


def find_commands(compiled: Compiled, *, is_denied: bool = False) -> tuple[Finding, ...]:
    """Find the fields by which the repository runs a program or reads a file of a pod; errors if they are denied."""
    found = validate(compiled, trust.RULES)
    return tuple(replace(one, severity=Severity.ERROR) for one in found) if is_denied else found


# --- settings that name rules and files ------------------------------------------------------------------------


def check_rule_names(option: str, patterns: Iterable[str]) -> None:
    """Raise UsageError for a pattern of --select or --ignore that matches no rule."""
    from halgit import catalog

    for pattern in patterns:
        if not catalog.is_known(pattern):
            raise UsageError(f"{option}: rule {pattern} not found.", _nearest_rule(pattern))


def _unknown_rules(compiled: Compiled, locator: Locator) -> Iterator[Finding]:
    """Yield a warning for each unknown rule under `rules` of a halgit.yaml."""
    for layer in compiled.layers:
        rules = layer.settings.rules
        if not rules.ignore and not rules.severity:
            continue
        from halgit import catalog

        unknown: list[tuple[Path, str]] = [
            (("rules", "ignore", number), name)
            for number, name in enumerate(rules.ignore)
            if not catalog.is_known(name)
        ]
        unknown += [(("rules", "severity", name), name) for name in rules.severity if name not in catalog.CATALOG]
        for path, name in unknown:
            message = f"There is no rule {name}."
            yield _settings_warning("settings/no-such-rule", message, _nearest_rule(name), layer, path, locator)


def _unmatched_includes(compiled: Compiled, locator: Locator) -> Iterator[Finding]:
    """Yield a warning for each `include` that matches no file of its layer."""
    for layer in compiled.layers:
        for number, glob in enumerate(layer.settings.include):
            if not any(matches_any(path, (glob,)) for path in layer.paths):
                message, hint = f"No file of the layer matches {glob}.", "Correct the pattern, or remove it."
                yield _settings_warning("settings/include-nothing", message, hint, layer, ("include", number), locator)


def _settings_warning(rule: str, message: str, hint: str, layer: Layer, path: Path, locator: Locator) -> Finding:
    file = layer.settings.file
    at = locator.position(Origin(layer.id, file, path))
    where = (file, path, at.line, at.column, layer.id.name)
    return Finding(rule, Severity.WARNING, message, hint, *where)


def _nearest_rule(name: str) -> str:
    from halgit import catalog
    from halgit.text.phrases import suggest_nearest

    return suggest_nearest(name, catalog.names(), "See `halgit rules`.")


# --- several overlays, and the verdict -------------------------------------------------------------------------


def combine_findings(overlays: Sequence[tuple[Compiled, Sequence[Finding]]]) -> tuple[Finding, ...]:
    """Return the findings of several overlays, each once.

    A finding that something is unused (a waiver, a parameter) counts only if every overlay with its layer has it.
    """
    unique = dict.fromkeys(finding for _, findings in overlays for finding in findings)
    reported = Counter(key for _, findings in overlays for key in {_subject(finding) for finding in findings})
    with_layer = Counter(name for compiled, _ in overlays for name in {layer.id.name for layer in compiled.layers})

    def counts(finding: Finding) -> bool:
        expected = with_layer[finding.layer] or len(overlays)
        return finding.rule not in _UNUSED or reported[_subject(finding)] == expected

    return sort_findings(finding for finding in unique if counts(finding))


def _subject(finding: Finding) -> tuple[str, str, int, str]:
    """Return what a finding is about; its hint may differ between overlays."""
    return finding.rule, finding.file, finding.line, finding.message


def require_below(findings: Sequence[Finding], least: Severity, *, written: str = "nothing was written") -> None:
    """Raise FindingsError if a finding is at or above this severity. `written` completes the message."""
    failing = [finding for finding in findings if finding.severity >= least]
    if failing:
        from halgit.report.findings import summary_line

        summary = "; ".join(part for part in (summary_line(failing), written) if part)
        raise FindingsError(f"{summary}.", findings, "Fix the findings listed above.")
