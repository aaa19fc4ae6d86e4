"""Two documents side by side: the leaves that differ, with items of keyed lists found by their keys.

Nothing is masked here: what comes out is for `comparing.py` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from halgit import paths
from halgit.halyard.merge_keys import KeyNode
from halgit.tree import MISSING, Path, Value
from halgit.yaml import java_text


@dataclass(frozen=True, slots=True)
class Leaf:
    """One place that differs: its path on either side (the after side's where it is there), as it is shown, and both
    values; MISSING on a side that has none."""

    path: Path
    shown: str
    before: Value
    after: Value


def differing(before: Value, after: Value, node: KeyNode) -> Iterator[Leaf]:
    """Every leaf that differs, in the order of the after side; what is gone comes where its parent stands."""
    yield from _walk(before, after, node, (), "")


def _walk(before: Value, after: Value, node: KeyNode, path: Path, shown: str) -> Iterator[Leaf]:
    if _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*after, *(key for key in before if key not in after)):
            below = shown + ("." if shown else "") + paths.quoted(key)
            yield from _walk(
                before.get(key, MISSING), after.get(key, MISSING), node.below(str(key)), (*path, key), below
            )
    elif node.key and isinstance(before, list) and isinstance(after, list):
        yield from _items(before, after, node, path, shown)
    else:
        yield Leaf(path, shown, before, after)


def _items(before: list[Value], after: list[Value], node: KeyNode, path: Path, shown: str) -> Iterator[Leaf]:
    key = node.key or ""
    old, new = _by_key(before, key), _by_key(after, key)
    if old is None or new is None:
        yield Leaf(path, shown, before, after)
        return
    for name in (*new, *(name for name in old if name not in new)):
        number, item = new.get(name) or old[name]
        was = old[name][1] if name in old else MISSING
        now = item if name in new else MISSING
        here = f"{shown}[{key}={paths.quoted(name)}]"
        if was is MISSING or now is MISSING:
            yield Leaf((*path, number), here, was, now)
        else:
            yield from _walk(was, now, node, (*path, number), here)


def _by_key(items: list[Value], key: str) -> dict[str, tuple[int, Value]] | None:
    """Items by their key; None where one has none, or two have the same."""
    found: dict[str, tuple[int, Value]] = {}
    for number, item in enumerate(items):
        value = item
        for part in (key,) if isinstance(item, dict) and key in item else key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, (str, int, float, bool)):
            return None
        found[java_text(value)] = (number, item)
    return found if len(found) == len(items) else None


def _same(before: Value, after: Value) -> bool:
    if before is after:
        return True
    scalars = (str, int, float, bool, bytes)
    if isinstance(before, scalars) and isinstance(after, scalars):
        return type(before) is type(after) and before == after
    return bool(before == after) and not isinstance(before, (dict, list))
