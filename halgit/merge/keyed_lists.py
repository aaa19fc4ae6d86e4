"""Keyed lists in finished data: two items of one list must not have the same key.

Which lists are keyed, and by what, is `halgit.halyard.merge_keys`. Looks at data; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from halgit.halyard.merge_keys import KeyNode
from halgit.merge.draft import as_text, look
from halgit.pipeline import MISSING, Path, Value


def node_below(node: KeyNode, key: str, spring: bool) -> KeyNode:
    """What is known of the lists under a mapping key; Spring reads `kubernetes.accounts` as the nested form."""
    if not spring or key in node.children or "." not in key:
        return node.below(key)
    for part in key.split("."):
        node = node.below(part)
    return node


def item_key(item: Value, key: str) -> str | None:
    """The value of an item's key (dotted where it lies deeper) as Halyard's text of it; None where it has none."""
    if not isinstance(item, dict):
        return None
    value = look(item, (key,))
    if value is MISSING and "." in key:
        value = look(item, key.split("."))
    return as_text(value)


class Twice(NamedTuple):
    """Two items of one list that have one key: `name` is its value."""

    key: str
    name: str
    later: Path
    earlier: Path


def duplicates(data: Value, node: KeyNode, spring: bool) -> list[Twice]:
    """Every item whose key an earlier item of its list has."""
    found: list[Twice] = []
    _search(data, node, spring, (), found)
    return found


def _search(data: Value, node: KeyNode, spring: bool, path: Path, found: list[Twice]) -> None:
    if isinstance(data, dict):
        for key in _known_keys(data, node, spring):
            _search(data[key], node_below(node, key, spring), spring, (*path, key), found)
    elif isinstance(data, list):
        if node.key is not None:
            found += _twice(data, node.key, path)
        if node.children or node.any:
            for at, item in enumerate(data):
                _search(item, node, spring, (*path, at), found)


def _known_keys(data: dict[str, Value], node: KeyNode, spring: bool) -> list[str]:
    """The keys of a mapping below which keyed lists can stand."""
    if node.any is not None:
        return list(data)
    known = [key for key in node.children if key in data]
    return known + [key for key in data if "." in key and key not in node.children] if spring else known


def _twice(items: list[Value], key: str, path: Path) -> Iterator[Twice]:
    first: dict[str, int] = {}
    for at, item in enumerate(items):
        text = item_key(item, key)
        if text is None:
            continue
        if text in first:
            yield Twice(key, text, (*path, at), (*path, first[text]))
        else:
            first[text] = at
