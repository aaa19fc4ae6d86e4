"""Phrases that messages of several packages share. Pure; names types of values, never a value."""

from __future__ import annotations

from collections.abc import Iterable

from halgit.pipeline import PlainScalar, Value
from halgit.redaction import Secret, SecretText


def find_similar(word: str, names: Iterable[str], count: int, cutoff: float) -> list[str]:
    """Find the names most similar to a word, the best first, as `difflib.get_close_matches` does.

    Names that have too few letters in common are dropped before `difflib` is imported.
    """
    candidates = [name for name in names if _bound_similarity(word, name) >= cutoff]
    if not candidates:
        return []
    from difflib import get_close_matches

    return get_close_matches(word, candidates, n=count, cutoff=cutoff)


def _bound_similarity(one: str, two: str) -> float:
    """Return the share of letters that two words have in common in any order; no similarity is greater."""
    common = sum(min(one.count(letter), two.count(letter)) for letter in set(one))
    return 2 * common / ((len(one) + len(two)) or 1)


def find_nearest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """Find the known word most similar to a word, ignoring case. None if none reaches `cutoff` (1: equal)."""
    by_lower = {name.lower(): name for name in known}
    found = find_similar(word.lower(), by_lower, 1, cutoff)
    return by_lower[found[0]] if found else None


def suggest_nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return `Did you mean X?` for a word similar to a known one, else `otherwise`."""
    near = find_nearest(word, known)
    return f"Did you mean {near}?" if near else otherwise


def join_words(words: Iterable[str]) -> str:
    """Join words for a sentence: `a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def add_article(noun: str) -> str:
    """Put `a` or `an` before a key, a type or a provider, by its first letter; `null` has no article.

    A `u` is read as in `user` and `URL`: words such as `unit` are more frequent here than `unknown`.
    """
    return noun if noun == "null" else f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"


def describe_kind(value: Value) -> str:
    """Describe the type of a value for a message; never the value itself."""
    if value is None:
        return "null"
    if isinstance(value, PlainScalar):
        return "a date"
    if isinstance(value, (Secret, SecretText)):
        return "a secret"
    names = {bool: "a boolean", int: "an integer", float: "a number", list: "a list", dict: "a mapping"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a string")
