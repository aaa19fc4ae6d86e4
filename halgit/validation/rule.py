"""The type of a rule, and the run of all of them over one tree.

A rule looks at a `View` and yields `Hit`s. Its texts and its default severity are in the catalog. It knows no
positions: the compiler finds the layer's line behind each path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from halgit.annotations import Final
from halgit.pipeline import Compiled, Finding, Path, Severity
from halgit.record import Record
from halgit.validation.view import View


class Hit(Record):
    """One thing a rule found: its file and path in the rendered tree, the message, and a hint of its own.

    `message` is a sentence that names the thing; it never holds a secret's value. `line` and `column` only where
    the file is no document of the tree with paths. An empty `hint` takes the catalog's fix.
    """

    path: Path
    message: str
    file: str = "config"
    hint: str = ""
    line: int = 0
    column: int = 0
    severity: Severity | None = None


class Rule(Record):
    """One rule: its id in the catalog, and the function that looks for it."""

    id: str
    check: Callable[[View], Iterable[Hit]]


def validate(
    compiled: Compiled, rules: Iterable[Rule] | Callable[[View], Iterable[Rule]], *, select: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """Every finding of the selected rules (all without `select`), in the rendered tree's paths, rule by rule.

    `rules` may be a function that lists those that can find something.
    """
    view = View(compiled)
    rules = rules(view) if callable(rules) else rules
    if select:
        from halgit import catalog

        rules = [rule for rule in rules if catalog.matches(rule.id, select)]
    return tuple(_finding(view, rule, hit) for rule in rules for hit in rule.check(view))


_WHOLE: Final = ("schema/", "deployment/duplicate-name")
"""Rules whose findings stop Halyard in whichever deployment they are: it binds the halconfig as a whole."""


def _is_other_deployment(view: View, rule: Rule, hit: Hit) -> bool:
    """True if a hit is about a deployment that is not the rendered one: `hal deploy apply` does not look at it."""
    if hit.file != "config" or len(hit.path) < 2 or view.deployment is None or rule.id.startswith(_WHOLE):
        return False
    return hit.path[0] == "deploymentConfigurations" and hit.path[1] != view.deployment.path[1]


def _finding(view: View, rule: Rule, hit: Hit) -> Finding:
    """A hit as a finding. Outside of the rendered deployment nothing is an error."""
    from halgit.catalog import CATALOG

    entry = CATALOG[rule.id]
    severity = hit.severity or entry.severity
    if _is_other_deployment(view, rule, hit):
        severity = min(severity, Severity.WARNING)
    return Finding(rule.id, severity, hit.message, hit.hint or entry.fix, hit.file, hit.path, hit.line, hit.column)
