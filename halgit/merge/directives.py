"""Merge directives: `$patch` in a mapping, `$list` in the first element of a list, `$value` for a whole value.

Parses directives and reports how they are misused. `document_merger` applies them.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, Value
from halgit.record import Record
from halgit.text.phrases import join_words, suggest_nearest

PATCH, LIST, VALUE = "$patch", "$list", "$value"
DIRECTIVES = (PATCH, LIST, VALUE)
_PATCH_VALUES = ("delete", "replace", "merge")
_LIST_VALUES = ("append", "prepend", "replace", "merge")
_UNKNOWN, _MISPLACED = "merge/unknown-directive", "merge/misplaced-directive"

_IN_BYTES = lazy_pattern(rb"\$[A-Za-z]")
_LOOKS_LIKE_DIRECTIVE = lazy_pattern(r"\$[A-Za-z]")

_JSON_SCHEMA = frozenset(
    {"$schema", "$id", "$ref", "$defs", "$comment", "$anchor", "$vocabulary", "$dynamicRef", "$dynamicAnchor"}
)
"""Keys of JSON Schema that look like directives; the jobs and webhooks of Orca can contain a schema."""

Problem = tuple[str, Path, str, str]
"""Rule, path, message and hint."""


class MappingDirectives(Record):
    """The directives of a mapping, and its own keys (`rest`)."""

    patch: str = ""
    value: Value = MISSING
    rest: Value = MISSING


def may_contain_directives(text: bytes) -> bool:
    """Return whether a file can contain a directive; a quick check, for most files contain none."""
    return _IN_BYTES.search(text) is not None


def contains_directive(value: Value) -> bool:
    """Return whether a value contains a key that looks like a directive."""
    if isinstance(value, dict):
        return any(key[:1] == "$" for key in value) or any(map(contains_directive, value.values()))
    return isinstance(value, list) and any(map(contains_directive, value))


def parse_mapping(
    value: dict[str, Value], path: Path, known: Container[str] | None
) -> tuple[MappingDirectives, list[Problem]]:
    """Split a mapping into directives and data.

    `known` are keys that are data here even if they look like directives; with None only halgit's own three are
    directives.
    """
    rest = {key: item for key, item in value.items() if not _is_directive(key, known)}
    if len(rest) == len(value):
        return MappingDirectives(rest=value), []
    problems = list(_mapping_problems(value, rest, path))
    patch = value.get(PATCH)
    return MappingDirectives(patch if patch in _PATCH_VALUES else "", value.get(VALUE, MISSING), rest), problems


def parse_list(value: list[Value], path: Path) -> tuple[str | None, list[Problem]]:
    """Return the list's `$list` directive: empty if it has none, None if it is invalid."""
    head = value[0] if value else None
    if not isinstance(head, dict) or LIST not in head:
        return "", []
    at = (*path, 0, LIST)
    if head[LIST] not in _LIST_VALUES:
        return None, [(_UNKNOWN, at, "Unknown value of `$list`.", f"Use {join_words(_LIST_VALUES)}.")]
    if len(head) > 1:
        hint = "Move the other keys to an item of their own below it."
        return None, [(_MISPLACED, at, "`$list` must be the only key of its element.", hint)]
    return head[LIST], []


def _is_directive(key: str, known: Container[str] | None) -> bool:
    if key in DIRECTIVES:
        return True
    return (
        known is not None
        and _LOOKS_LIKE_DIRECTIVE.match(key) is not None
        and key not in known
        and key not in _JSON_SCHEMA
    )


def _mapping_problems(value: dict[str, Value], rest: dict[str, Value], path: Path) -> Iterator[Problem]:
    for key in value:
        if key not in rest and key not in DIRECTIVES:
            yield _UNKNOWN, (*path, key), f"Unknown directive `{key}`.", _alternative(key)
    if LIST in value:
        hint = "Write `- $list: ...` as the first element of the list."
        yield _MISPLACED, (*path, LIST), "`$list` must be in the first element of a list.", hint
    patch = value.get(PATCH, MISSING)
    if patch is not MISSING and patch not in _PATCH_VALUES:
        yield _UNKNOWN, (*path, PATCH), "Unknown value of `$patch`.", f"Use {join_words(_PATCH_VALUES)}."
    if VALUE in value and (rest or patch not in (MISSING, "replace")):
        hint = "Use it alone, or with `$patch: replace` only."
        message = "`$value` replaces the whole value, so its sibling keys would be lost."
        yield _MISPLACED, (*path, VALUE), message, hint


def _alternative(key: str) -> str:
    """Return what to write instead of an unknown directive."""
    if key.startswith("$deleteFromPrimitiveList"):
        return "halgit replaces a list of scalars as a whole. Write the complete list."
    if key.startswith(("$setElementOrder", "$retainKeys")):
        return (
            "halgit does not support this kustomize directive: it keeps the order of the base, and `$patch: replace` "
            "drops all other keys."
        )
    return suggest_nearest(
        key, DIRECTIVES, f"The directives are {join_words(DIRECTIVES)}. Set a key of this name with `patches`."
    )
