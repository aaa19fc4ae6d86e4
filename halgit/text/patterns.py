"""Regular expressions that repositories bring along, matched in bounded time. Pure.

Whoever writes a pull request writes the patterns of its parameters, and Python's `re` can take years over one such as
`(a+)+$`. The engine of the schema validator does not: it is linear but for look-around and back references, and gives
up on those after a bounded number of steps.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jsonschema_rs

_STEPS = 100_000
_SIZE = 1 << 20


def is_valid_pattern(pattern: str) -> bool:
    """Whether this is a regular expression that can be matched."""
    try:
        _whole(pattern)
    except ValueError:
        return False
    return True


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern. One that takes too many steps does not fit."""
    return _whole(pattern).is_valid(text)


@cache
def _whole(pattern: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs

    bounded = jsonschema_rs.FancyRegexOptions(backtrack_limit=_STEPS, size_limit=_SIZE, dfa_size_limit=_SIZE)
    for one in (pattern, f"^(?:{pattern})$"):
        compiled = jsonschema_rs.Draft202012Validator({"pattern": one}, pattern_options=bounded)
    return compiled
