"""Regular expressions from repositories, matched in bounded time. Pure.

The author of a pull request controls the patterns of parameters, and Python's `re` can take years for one such as
`(a+)+$`. The engine of the schema validator is linear except for look-around and back-references, and stops those after
a bounded number of steps.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jsonschema_rs

_STEPS = 100_000
_SIZE = 1 << 20


def is_valid_pattern(pattern: str) -> bool:
    """Return whether this is a supported regular expression."""
    try:
        _compile(pattern)
    except ValueError:
        return False
    return True


def matches_pattern(pattern: str, text: str) -> bool:
    """Return whether the whole text matches the pattern. False if the match takes too many steps."""
    return _compile(pattern).is_valid(text)


@cache
def _compile(pattern: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs

    bounded = jsonschema_rs.FancyRegexOptions(backtrack_limit=_STEPS, size_limit=_SIZE, dfa_size_limit=_SIZE)
    for one in (pattern, f"^(?:{pattern})$"):
        compiled = jsonschema_rs.Draft202012Validator({"pattern": one}, pattern_options=bounded)
    return compiled
