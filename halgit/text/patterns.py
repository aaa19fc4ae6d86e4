"""Regular expressions from repositories, matched in bounded time. Pure.

The author of a pull request controls the patterns of parameters, and Python's `re` can take years for one such as
`(a+)+$`. The engine of the schema validator is linear except for look-around and back-references, and stops those after
a bounded number of steps.
"""

from __future__ import annotations

import re
from functools import cache

from halgit.annotations import TYPE_CHECKING
from halgit.lazy import lazy_pattern

if TYPE_CHECKING:
    import jsonschema_rs

_STEPS = 100_000
_SIZE = 1 << 20

_PLAIN_ATOM = r"(?:[A-Za-z0-9 _/:@-]|\[-?(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9 _./:@])+-?\])"
_REPEAT = r"(?:[*+]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})"
_SIMPLE = lazy_pattern(rf"(?:{_PLAIN_ATOM}(?:{_REPEAT}|\?)?|\((?:{_PLAIN_ATOM}(?:{_REPEAT}|\?)?)+\)\??)*")
_REPEATS = lazy_pattern(r"[*+]|\{")
_MAX_REPEATS = 2
_LONGEST_TEXT = 1000


def is_valid_pattern(pattern: str) -> bool:
    """Return whether this is a supported regular expression."""
    if _compile_simple(pattern) is not None:
        return True
    try:
        _compile(pattern)
    except ValueError:
        return False
    return True


def matches_pattern(pattern: str, text: str) -> bool:
    """Return whether the whole text matches the pattern. False if the match takes too many steps."""
    simple = _compile_simple(pattern)
    if simple is not None and len(text) <= _LONGEST_TEXT:
        return simple.fullmatch(text) is not None
    return _compile(pattern).is_valid(text)


@cache
def _compile_simple(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern that Python matches in bounded time, which saves loading the other engine; else None.

    That is a sequence of characters, simple classes and optional groups of these, with at most two repetitions: no
    alternatives, no escapes, no repeated groups. Both engines agree about such a pattern.
    """
    if not _SIMPLE.fullmatch(pattern) or len(_REPEATS.findall(pattern)) > _MAX_REPEATS:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


@cache
def _compile(pattern: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs

    bounded = jsonschema_rs.FancyRegexOptions(backtrack_limit=_STEPS, size_limit=_SIZE, dfa_size_limit=_SIZE)
    for one in (pattern, f"^(?:{pattern})$"):
        compiled = jsonschema_rs.Draft202012Validator({"pattern": one}, pattern_options=bounded)
    return compiled
