"""A document as a schema validator can take it, and as Jackson or Spring sees it.

Secrets and texts with secrets become empty texts, bytes and dates what Java makes of them, floats stay floats. What is
ordinary (nearly every document) is handed on as it is: no copy is made. Judges nothing.
"""

from __future__ import annotations

from halgit import yaml as hyaml
from halgit.annotations import Any, Final
from halgit.pipeline import Path, PlainScalar, Value
from halgit.redaction import Secret, SecretText
from halgit.vocabulary import Vocabulary

LARGEST: Final = 2_000_000
"""Nodes a document may have once every alias is written out. Halyard would run out of memory far below."""

_ORDINARY: Final = frozenset({str, int, bool, type(None)})


def is_ordinary(vocabulary: Vocabulary) -> bool:
    """Return whether a document can be validated as it is, without a copy."""
    return not vocabulary.has_unusual_keys and vocabulary.kinds <= _ORDINARY


def size(data: Value, known: dict[int, int] | None = None) -> int:
    """The number of nodes with every alias written out. What is shared is counted once and multiplied."""
    known = {} if known is None else known
    if not isinstance(data, (dict, list)):
        return 1
    if id(data) not in known:
        below = data.values() if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(size(child, known) for child in below)
    return known[id(data)]


def prepared(data: Value, *, jackson: bool, known: dict[int, Value] | None = None) -> Value:
    """A copy that a schema validator takes. With `jackson`, dates are milliseconds and floats never look whole.

    Bytes get a space, because Jackson takes them for strings and not for addresses.
    """
    known = {} if known is None else known
    if isinstance(data, (dict, list)):
        if id(data) not in known:
            known[id(data)] = (
                {str(key): prepared(value, jackson=jackson, known=known) for key, value in data.items()}
                if isinstance(data, dict)
                else [prepared(value, jackson=jackson, known=known) for value in data]
            )
        return known[id(data)]
    return _scalar(data, jackson)


def _scalar(value: Value, jackson: bool) -> Any:
    if isinstance(value, (Secret, SecretText)):
        return ""
    if isinstance(value, PlainScalar):
        text = hyaml.to_java_string(value)
        return int(text) if jackson and len(text) < 300 and text.lstrip("-").isdigit() else str(value)
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode("ascii") + " ="
    if isinstance(value, str):
        return str(value)
    return _float(value) if isinstance(value, float) else value


def _float(value: float) -> float | str:
    """A float that is not an integer and truncates to the same: to JSON Schema 1.0 is an integer, to Jackson not.

    Infinity is a string, which fits where Jackson takes it: in a string field.
    """
    import math

    if math.isnan(value):
        return 0.5
    if math.isinf(value):
        return "Infinity"
    return value + math.copysign(0.5, value) if value.is_integer() and abs(value) < 2**52 else value


def nulls(data: Value) -> tuple[list[Path], list[Path]]:
    """Return the places of list items without a value, and of keys that are null."""
    items: list[Path] = []
    keys: list[Path] = []
    stack: list[tuple[Path, Value]] = [((), data)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            stack.extend(((*path, key), value) for key, value in node.items())
            keys.extend((*path, key) for key, value in node.items() if is_null(key) and value is not None)
        elif isinstance(node, list):
            stack.extend(((*path, number), value) for number, value in enumerate(node))
            items.extend((*path, number) for number, value in enumerate(node) if value is None)
    return items, keys


def is_null(key: str) -> bool:
    """Return whether a mapping's key is null: it stands there as `null`, `~` or nothing at all."""
    return isinstance(key, PlainScalar) and key == "null"
