"""Keyed lists: the keys of each file's lists, the key of an item, and items that have the same key.

The table of keyed lists is `halgit.halyard.merge_keys`; `mergeKeys` of the layers adds to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from halgit.halyard.merge_keys import KeyNode, build_key_tree
from halgit.merge.diagnostics import Diagnostic, to_findings
from halgit.merge.draft import key_as_text, respelled_scalar, scalar_at
from halgit.merge.selection import is_merged, is_spring
from halgit.pipeline import EMPTY, MISSING, File, Finding, Layer, Path, Value
from halgit.record import Record, replace
from halgit.text.paths import SEPARATOR, join_values, relax_name, split_key
from halgit.text.phrases import join_words


class KeyedLists:
    """The keyed lists of each file, with the `mergeKeys` of the layers added so far, lowest layer first."""

    def __init__(self) -> None:
        self._extra: dict[str, dict[str, str]] = {}
        self._trees: dict[str, KeyNode] = {}

    def add_layer(self, layer: Layer) -> None:
        """Add a layer's `mergeKeys`, which apply to it and to all layers above it."""
        for path, keys in layer.settings.merge_keys.items():
            self._extra.setdefault(path, {}).update(keys)
            self._trees.pop(path, None)

    def for_file(self, path: str) -> KeyNode:
        """Return the root of the keyed lists of one file."""
        if path not in self._trees:
            extra = self._extra.get(path, EMPTY)
            is_plain_profile = not extra and is_spring(path) and "/profiles/" in path
            self._trees[path] = _profile_tree() if is_plain_profile else _build_tree(path, extra)
        return self._trees[path]


@cache
def _profile_tree() -> KeyNode:
    """Return the keyed lists that every profile has."""
    return _build_tree("default/profiles/spinnaker.yml", EMPTY)


def _build_tree(path: str, extra: Mapping[str, str]) -> KeyNode:
    """Return the keyed lists of a file, under all spellings that Spring binds alike if Spring reads it."""
    tree = build_key_tree(path, extra)
    return _with_spellings(tree) if is_spring(path) else tree


def _with_spellings(node: KeyNode) -> KeyNode:
    """Return the tree with every key in the uniform form too, in which Spring compares names."""
    children = {key: _with_spellings(child) for key, child in node.children.items()}
    for key, child in list(children.items()):
        children.setdefault(relax_name(key), child)
    return replace(node, children=children, any=_with_spellings(node.any) if node.any else None)


def node_below(node: KeyNode, key: str, spring: bool) -> KeyNode:
    """Return the node below a mapping key. Spring reads `kubernetes.accounts` like the nested form."""
    if not spring or key in node.children or not node.children:
        return node.child(key)
    for part in key.split("."):
        node = node.child(part if part in node.children else relax_name(part))
    return node


def item_key(item: Value, key: str) -> str | None:
    """Return the value of an item's key (dotted if nested) as Halyard's string of it; None if it has none.

    A compound key is its parts with a comma between them.
    """
    if not isinstance(item, dict):
        return None
    if SEPARATOR in key:
        return join_values(item_key(item, part) for part in split_key(key))
    value = scalar_at(item, (key,))
    if value is MISSING and "." in key:
        value = scalar_at(item, key.split("."))
    return key_as_text(respelled_scalar(item, key) if value is MISSING else value)


class DuplicateItem(Record):
    """Two items of one list with the same key; `name` is its value."""

    key: str
    name: str
    later: Path
    earlier: Path


def find_duplicates(data: Value, node: KeyNode, spring: bool) -> list[DuplicateItem]:
    """Return every item whose key an earlier item of its list has."""
    found: list[DuplicateItem] = []
    _search(data, node, spring, (), found)
    return found


def _search(data: Value, node: KeyNode, spring: bool, path: Path, found: list[DuplicateItem]) -> None:
    if isinstance(data, dict):
        for key in _keys_with_lists(data, node, spring):
            _search(data[key], node_below(node, key, spring), spring, (*path, key), found)
    elif isinstance(data, list):
        if node.key is not None:
            found += _duplicates_of_list(data, node.key, path)
        if node.children or node.any:
            for at, item in enumerate(data):
                _search(item, node, spring, (*path, at), found)


def _keys_with_lists(data: dict[str, Value], node: KeyNode, spring: bool) -> list[str]:
    """Return the keys of a mapping that can have keyed lists below them."""
    if node.any is not None:
        return list(data)
    known = [key for key in node.children if data.get(key)]
    if not spring:
        return known
    children = node.children
    return known + [key for key in data if key not in children and ("." in key or relax_name(key) in children)]


def _duplicates_of_list(items: list[Value], key: str, path: Path) -> Iterator[DuplicateItem]:
    first: dict[str, int] = {}
    for at, item in enumerate(items):
        text = item_key(item, key)
        if text is None:
            continue
        if text in first:
            yield DuplicateItem(key, text, (*path, at), (*path, first[text]))
        else:
            first[text] = at


def quote_names(key: str) -> str:
    """Return the names of a key as messages show them."""
    return join_words([f"`{part}`" for part in split_key(key)])


def duplicate_item_message(key: str, name: str) -> tuple[str, str]:
    """Return message and hint for two items with the same key; `{other}` is the place of the first."""
    message = f"An item with {quote_names(key)} {name} already exists at {{other}}."
    return message, "Combine the two items, or change one of the keys."


def duplicate_item_diagnostics(file: File, keyed_lists: KeyedLists) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each duplicate item of a merged file."""
    if file.data is MISSING or file.trace is None or not is_merged(file.path):
        return
    for found in find_duplicates(file.data, keyed_lists.for_file(file.path), is_spring(file.path)):
        later, earlier = file.trace.at(found.later).origin, file.trace.at(found.earlier).origin
        message, hint = duplicate_item_message(found.key, found.name)
        yield Diagnostic("merge/duplicate-item", later, message, hint, earlier)


def check_items(files: Mapping[str, File], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """Return a finding for each duplicate item in these files, whose `data` must be known."""
    keyed_lists = KeyedLists()
    for layer in layers:
        keyed_lists.add_layer(layer)
    found = (one for file in files.values() for one in duplicate_item_diagnostics(file, keyed_lists))
    return to_findings(found, layers)
