"""Globs over POSIX paths, matched in linear time. Pure.

`*` and `?` stay within a folder, `**` crosses folders, and `**/` stands for any number of folders. The author of a pull
request controls the globs, and a regular expression takes years for one with many stars; only simple globs become one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from halgit.annotations import Final
from halgit.lazy import lazy_pattern

_TOKENS: Final = lazy_pattern(r"\*\*/|\*\*|\*|\?|[^*?]", re.DOTALL)
_REPEATS: Final = frozenset({"*", "**", "**/"})
_EXPRESSIONS: Final = {"**/": r"(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_MAX_REPEATS: Final = 2
"""Stars up to which a regular expression cannot take longer than the square of the path."""


def matches_glob(pattern: str, path: str) -> bool:
    """Return whether the whole path matches the glob."""
    return _compile(pattern)(path)


def matches_any(path: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the globs matches this path."""
    return any(_compile(pattern)(path) for pattern in patterns)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> Callable[[str], bool]:
    start = pattern.removesuffix("**")
    if "*" not in start and "?" not in start:  # a path, or all below a folder
        return lambda path: path == pattern or (start is not pattern and path.startswith(start))
    tokens = tuple(_TOKENS.findall(pattern))
    if sum(token in _REPEATS for token in tokens) > _MAX_REPEATS:
        return lambda path: _simulate(tokens, path)
    expression = re.compile("".join(_EXPRESSIONS.get(token) or re.escape(token) for token in tokens), re.DOTALL)
    return lambda path: expression.fullmatch(path) is not None


def _simulate(tokens: tuple[str, ...], path: str) -> bool:
    """Follow all ways through the glob at once. A state is a token, and whether `**/` is inside a folder's name."""
    states = _skip_repeats(tokens, {(0, False)})
    for sign in path:
        states = _skip_repeats(tokens, {after for state in states for after in _step(tokens, state, sign)})
        if not states:
            return False
    return (len(tokens), False) in states


def _step(tokens: tuple[str, ...], state: tuple[int, bool], sign: str) -> Iterable[tuple[int, bool]]:
    at, is_inside = state
    token = tokens[at] if at < len(tokens) else ""
    if token == "**/":
        return [(at, sign != "/")] if sign != "/" or is_inside else ()
    if token == "**" or (token == "*" and sign != "/"):
        return [(at, False)]
    return [(at + 1, False)] if token == sign or (token == "?" and sign != "/") else ()


def _skip_repeats(tokens: tuple[str, ...], states: set[tuple[int, bool]]) -> set[tuple[int, bool]]:
    """Add the states behind repeats, which may stand for nothing."""
    found = set(states)
    for at, is_inside in states:
        while not is_inside and at < len(tokens) and tokens[at] in _REPEATS:
            at += 1
            found.add((at, False))
    return found
