"""The words a layer can say to the merge: `$patch` in a mapping, `$list` at the head of a list, `$value` for a value.

Reads them and finds what is wrong with how they are written; what they do is decided in `laying`. Changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from halgit.pipeline import MISSING, Path, Value
from halgit.text.phrases import join_words, suggest_nearest

PATCH, LIST, VALUE = "$patch", "$list", "$value"
WORDS = (PATCH, LIST, VALUE)
_PATCHES = ("delete", "replace", "merge")
_LISTS = ("append", "prepend", "replace", "merge")

_IN_TEXT = re.compile(rb"\$[A-Za-z]")
_WORD = re.compile(r"\$[A-Za-z]")

_JSON_SCHEMA = frozenset(
    {"$schema", "$id", "$ref", "$defs", "$comment", "$anchor", "$vocabulary", "$dynamicRef", "$dynamicAnchor"}
)
"""Keys that look like a directive and are some schema's own; Orca's jobs and webhooks can carry one."""

Wrong = tuple[str, Path, str, str]
"""A rule, a path, what is wrong there, and the next step."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a mapping says to the merge, and the keys that are its own (`rest`)."""

    patch: str = ""
    value: Value = MISSING
    rest: Value = MISSING


def in_text(text: bytes) -> bool:
    """Whether a file can hold a directive at all: most hold none, and need not be searched."""
    return _IN_TEXT.search(text) is not None


def inside(value: Value) -> bool:
    """Whether a value holds a key that looks like a directive."""
    if isinstance(value, dict):
        return any(key[:1] == "$" for key in value) or any(map(inside, value.values()))
    return isinstance(value, list) and any(map(inside, value))


def of_mapping(value: dict[str, Value], path: Path, known: Container[str] | None) -> tuple[Said, list[Wrong]]:
    """The directives of a mapping. `known` are keys that are data here whatever they look like; None: all but ours."""
    rest = {key: item for key, item in value.items() if not _is_word(key, known)}
    if len(rest) == len(value):
        return Said(rest=value), []
    wrong = list(_faults(value, rest, path))
    patch = value.get(PATCH)
    return Said(patch if patch in _PATCHES else "", value.get(VALUE, MISSING), rest), wrong


def of_list(value: list[Value], path: Path) -> tuple[str | None, list[Wrong]]:
    """What the head of a list says: empty for nothing, None where it makes no sense."""
    head = value[0] if value else None
    if not isinstance(head, dict) or LIST not in head:
        return "", []
    at = (*path, 0, LIST)
    if head[LIST] not in _LISTS:
        return None, [(_UNKNOWN, at, "`$list` does not know this word.", f"It takes {join_words(_LISTS)}.")]
    if len(head) > 1:
        return None, [(_MISPLACED, at, "`$list` has other keys beside it.", "Give them an item of their own below it.")]
    return head[LIST], []


_UNKNOWN, _MISPLACED = "merge/unknown-directive", "merge/misplaced-directive"


def _is_word(key: str, known: Container[str] | None) -> bool:
    if key in WORDS:
        return True
    return known is not None and _WORD.match(key) is not None and key not in known and key not in _JSON_SCHEMA


def _faults(value: dict[str, Value], rest: dict[str, Value], path: Path) -> Iterator[Wrong]:
    for key in value:
        if key not in rest and key not in WORDS:
            yield _UNKNOWN, (*path, key), f"`{key}` is no directive.", _instead(key)
    if LIST in value:
        hint = "Write `- $list: ...` as the first element of the list it concerns."
        yield _MISPLACED, (*path, LIST), "`$list` stands in a mapping, or not at the head of its list.", hint
    patch = value.get(PATCH, MISSING)
    if patch is not MISSING and patch not in _PATCHES:
        yield _UNKNOWN, (*path, PATCH), "`$patch` does not know this word.", f"It takes {join_words(_PATCHES)}."
    if VALUE in value and (rest or patch not in (MISSING, "replace")):
        hint = "Let it stand alone, or with `$patch: replace`."
        yield _MISPLACED, (*path, VALUE), "`$value` gives the whole value, so what stands beside it is lost.", hint


def _instead(key: str) -> str:
    if key.startswith("$deleteFromPrimitiveList"):
        return "halgit replaces a list of plain values whole: write the list as it is to be."
    if key.startswith(("$setElementOrder", "$retainKeys")):
        return "That is kustomize's; halgit keeps the base's order, and `$patch: replace` drops all other keys."
    return suggest_nearest(key, WORDS, f"There are {join_words(WORDS)}; a key of this name can be set with `patches`.")
