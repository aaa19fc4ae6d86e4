"""A bound on the problems that are reported one by one. Pure.

A file of a repository can have a hundred thousand problems of one kind; the place, the hint and the excerpt of each
cost more than finding it, and nobody reads them. The first ones of a kind are reported, and the number of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from halgit.annotations import Any, Final, TypeVar
from halgit.pipeline import Finding
from halgit.record import replace

Item = TypeVar("Item", bound=Any)

MAX_REPEATS: Final = 500
"""Problems of one kind in one file that are reported one by one."""


def limit_repeats(items: Iterable[Item], kind: Callable[[Item], Hashable], most: int = MAX_REPEATS) -> list[Item]:
    """Return the first items of each kind, and one more that counts the rest; they have a `message` and a `hint`.

    The one that counts is at the place of the last of its kind.
    """
    kept: list[Item] = []
    counts: dict[Hashable, int] = {}
    last: dict[Hashable, Item] = {}
    for item in items:
        key = kind(item)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= most:
            kept.append(item)
        else:
            last[key] = item
    for key, item in last.items():
        more = f"{counts[key] - most} more findings of this rule are not listed."
        kept.append(replace(item, message=more, hint="Fix the listed ones first."))
    return kept


def limit_findings(findings: Iterable[Finding], most: int = MAX_REPEATS) -> list[Finding]:
    """Return the first findings of each rule and severity in each file, and one more that counts the rest."""
    return limit_repeats(findings, lambda one: (one.rule, one.severity, one.file, one.layer), most)
