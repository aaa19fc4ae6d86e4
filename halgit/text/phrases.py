"""Turns of phrase that messages of several rooms share. Pure; names kinds of values, never a value."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from halgit.pipeline import PlainScalar, Value
from halgit.redaction import Secret, SecretText


def find_nearest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word most like this one, letter case aside; None where none is as like as `cutoff` (1: the same)."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def suggest_nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """`Did you mean X?` for a word like a known one, else the other sentence."""
    near = find_nearest(word, known)
    return f"Did you mean {near}?" if near else otherwise


def join_words(words: Iterable[str]) -> str:
    """Words as a sentence has them: `a`, `a and b`, `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def describe_kind(value: Value) -> str:
    """What a value is, as a message says it; never the value itself."""
    if value is None:
        return "nothing"
    if isinstance(value, PlainScalar):
        return "a date"
    if isinstance(value, (Secret, SecretText)):
        return "a secret"
    names = {bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a mapping"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a text")
