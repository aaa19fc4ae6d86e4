"""Rules that say what the schemas find: keys and values that Halyard, or the reader of another file, refuses.

One rule for each kind of fault, so that each can be chosen, waived and explained; `schema` finds them all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from halgit.catalog.schema import ENTRIES
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View


def _of(rule: str) -> Callable[[View], Iterator[Hit]]:
    def check(view: View) -> Iterator[Hit]:
        for one in view.refused:
            if one.rule == rule:
                yield Hit(one.path, one.message, one.file, one.hint, one.line, one.column, one.severity)

    return check


RULES = tuple(Rule(entry.id, _of(entry.id)) for entry in ENTRIES if entry.subject == "schema")
