"""Keyed lists in finished data: two items of one list must not have the same key.

Which lists are keyed, and by what, is `halgit.halyard.merge_keys`. Looks at data; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from halgit.halyard.merge_keys import KeyNode, build_key_tree
from halgit.merge.diagnostics import Fault, findings
from halgit.merge.draft import as_text, look
from halgit.merge.selection import is_merged, is_spring
from halgit.pipeline import EMPTY, MISSING, File, Finding, Layer, Path, Value


def node_below(node: KeyNode, key: str, spring: bool) -> KeyNode:
    """What is known of the lists under a mapping key; Spring reads `kubernetes.accounts` as the nested form."""
    if not spring or key in node.children or "." not in key:
        return node.child(key)
    for part in key.split("."):
        node = node.child(part)
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


def twice(key: str, name: str) -> tuple[str, str]:
    """What is wrong where two items of a list have one key, and the next step."""
    return f"The list has an item with `{key}` {name} already, in {{other}}.", "Make them one, or change one's key."


class Trees:
    """The keyed lists of each file, with the `mergeKeys` of the layers so far; lowest layer first."""

    def __init__(self) -> None:
        self._extra: dict[str, dict[str, str]] = {}
        self._trees: dict[str, KeyNode] = {}

    def learn(self, layer: Layer) -> None:
        """Add a layer's `mergeKeys`: they hold for it and all layers above it."""
        for path, keys in layer.settings.merge_keys.items():
            self._extra.setdefault(path, {}).update(keys)
            self._trees.pop(path, None)

    def of(self, path: str) -> KeyNode:
        if path not in self._trees:
            self._trees[path] = build_key_tree(path, self._extra.get(path, EMPTY))
        return self._trees[path]


def check_items(files: Mapping[str, File], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """A finding for every item of a keyed list whose key another item of the list has, in files whose data is known."""
    trees = Trees()
    for layer in layers:
        trees.learn(layer)
    return findings((fault for file in files.values() for fault in item_faults(file, trees)), layers)


def item_faults(file: File, trees: Trees) -> Iterator[Fault]:
    """The items of a file that its keyed lists have twice."""
    if file.data is MISSING or file.trace is None or not is_merged(file.path):
        return
    for found in duplicates(file.data, trees.of(file.path), is_spring(file.path)):
        later, earlier = file.trace.at(found.later).origin, file.trace.at(found.earlier).origin
        message, hint = twice(found.key, found.name)
        yield Fault("merge/duplicate-item", later, message, hint, earlier)
