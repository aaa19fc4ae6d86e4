"""A YAML file changed as a whole so that it means other data: what both have keeps its comments, quotes and layout.

All changes are made in one pass over the text, so that thousands of removed keys take no longer than one.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit.pipeline import MISSING, Value
from halgit.yaml.editable_file import EditableFile, Splice
from halgit.yaml.emitter import dump
from halgit.yaml.locator import get_key_text
from halgit.yaml.parser import Node
from halgit.yaml.reader import read
from halgit.yaml.scalar_writer import EditError


def rewrite(text: bytes, wanted: Value) -> bytes:
    """Return the file changed so that it means `wanted`; the order of keys may differ.

    A mapping or list that changes inside flow style, and a list that has another length, is written again from its
    data. A file that cannot be changed in place is written again as a whole, without its comments.
    """
    before = read(text, "")
    if _is_same(before.data, wanted):
        return text
    file = EditableFile(text)
    try:
        after = file.apply(_changes(file, file.root, before.data, wanted)) if file.root is not None else b""
    except EditError:
        return dump(wanted)
    again = read(after, "")
    return after if not again.findings and _is_same(again.data, wanted) else dump(wanted)


def _changes(file: EditableFile, node: Node | None, old: Value, new: Value) -> Iterator[Splice]:
    """Yield the replacements of ranges below a block collection; those of outer collections come last."""
    if node is None or not _is_editable(node, old, new):
        raise EditError("The root of the file is written again.")
    if node.kind == "sequence":
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _change_entry(file, node, number, node.items[number], before, after)
        return
    kept = [(key, value) for key, value in node.pairs() if get_key_text(key) in new]
    cut = [get_key_text(key) for key, _ in node.pairs() if get_key_text(key) not in new]
    first = get_key_text(node.items[0])
    if first in cut and (leading := file.cut_leading(node, kept[0][0])):
        yield leading
        cut = cut[[get_key_text(key) for key, _ in node.pairs()].index(get_key_text(kept[0][0])) :]
    for name in cut:
        yield file.put(node, name, MISSING)
    for key, value in kept:
        step = get_key_text(key)
        yield from _change_entry(file, node, step, value, old[step], new[step])
    added = {key: value for key, value in new.items() if key not in old}
    if added:
        yield file.append(node, added)


def _change_entry(
    file: EditableFile, parent: Node, step: str | int, node: Node, old: Value, new: Value
) -> Iterator[Splice]:
    if _is_same(old, new):
        return
    if _is_editable(node, old, new):
        yield from _changes(file, node, old, new)
    else:
        yield file.put(parent, step, new)


def _is_editable(node: Node, old: Value, new: Value) -> bool:
    """Whether the change can be made inside the collection: in block style, with something that stays."""
    if node.flow or node.kind not in ("mapping", "sequence"):
        return False
    if isinstance(old, dict) and isinstance(new, dict):
        return any(key in new for key in old) and all(get_key_text(key) in old for key, _ in node.pairs())
    return isinstance(old, list) and isinstance(new, list) and len(old) == len(new)


def _is_same(left: Value, right: Value) -> bool:
    """Whether two values are equal, types included; keys may have another order."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return type(left) is type(right) and bool(left == right or left is right)
