"""Walks two documents in parallel and yields the leaves that differ; items of keyed lists are matched by key.

Nothing is masked here: only `comparison.py` may use the result.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit.halyard.merge_keys import NO_KEYS, KeyNode
from halgit.pipeline import MISSING, Path, PlainScalar, Value
from halgit.record import Record
from halgit.text import paths
from halgit.yaml import to_java_string

_ORDERED = ("initContainers",)
"""Keyed lists whose order counts: Kubernetes runs the containers one after the other."""

_IDENTIFYING = ("name", "label", "id")
"""The keys that identify items of other lists, if every item has a unique one; the order of these lists counts."""


class Place(Record):
    """A location on both sides: its path on each (list indexes may differ), and the path as people write it."""

    before: Path = ()
    after: Path = ()
    shown: str = ""
    account: tuple[str, str, str] = ("", "", "")
    """The account that contains it: the path of the account, its kind, its name."""

    def key(self, key: str) -> Place:
        shown = self.shown + ("." if self.shown else "") + paths.quote_key(key)
        return Place((*self.before, key), (*self.after, key), shown, self.account)

    def item(self, old: int, new: int, what: str) -> Place:
        return Place((*self.before, old), (*self.after, new), f"{self.shown}[{what}]", self.account)


class Leaf(Record):
    """One location that differs, with both values; MISSING on a side without one."""

    place: Place
    before: Value
    after: Value


def differing_leaves(before: Value, after: Value, node: KeyNode) -> Iterator[Leaf]:
    """Yield every leaf that differs, in the order of the after side; removed keys follow the keys of their parent."""
    yield from _walk(before, after, node, Place())


_ROOT = Place()


def list_leaves(value: Value, node: KeyNode, place: Place = _ROOT) -> Iterator[tuple[Place, Value]]:
    """Yield every leaf of one document; a list whose items have no keys is a leaf, as is an empty mapping or list."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from list_leaves(item, node.child(str(key)), place.key(key))
        return
    keys = (node.key,) if isinstance(value, list) and node.key else _IDENTIFYING
    for key in keys if isinstance(value, list) and value else ():
        items = _by_key(value, key)
        if items is not None:
            for name, (number, item) in items.items():
                here = _with_account(place.item(number, number, paths.format_selector(key, name)), name)
                yield from list_leaves(item, node if node.key else NO_KEYS, here)
            return
    yield place, value


def is_same(before: Value, after: Value) -> bool:
    """Return whether two values mean the same: the order of keys does not count, the type of a scalar does."""
    if before is after:
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(is_same(value, after[key]) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(is_same, before, after))
    if isinstance(before, str) and isinstance(after, str):
        return str(before) == str(after) and isinstance(before, PlainScalar) == isinstance(after, PlainScalar)
    return type(before) is type(after) and bool(before == after)


def _walk(before: Value, after: Value, node: KeyNode, place: Place) -> Iterator[Leaf]:
    if before is after:
        return
    kind = dict if _both(before, after, dict) else list if _both(before, after, list) else None
    if kind is dict and (before or after):
        old, new = before or {}, after or {}
        for key in (*new, *(key for key in old if key not in new)):
            yield from _walk(old.get(key, MISSING), new.get(key, MISSING), node.child(str(key)), place.key(key))
    elif kind is list and (before or after):
        yield from _list(before, after, node, place)
    elif not is_same(before, after):
        yield Leaf(place, before, after)


def _both(before: Value, after: Value, kind: type) -> bool:
    """Return whether both sides are of this type; a missing side counts as empty."""
    return all(isinstance(side, kind) or side is MISSING for side in (before, after))


def _list(before: Value, after: Value, node: KeyNode, place: Place) -> Iterator[Leaf]:
    keys = (node.key,) if node.key else _IDENTIFYING if before and after else ()
    old, new = before or [], after or []
    for key in keys:
        olds, news = _by_key(old, key), _by_key(new, key)
        if olds is not None and news is not None:
            yield from _items(olds, news, key, node, place)
            if node.key is None or any(step in place.after for step in _ORDERED):
                yield from _order(list(olds), list(news), place)
            return
    if not is_same(before, after):
        yield Leaf(place, before, after)


def _items(
    old: dict[str, tuple[int, Value]], new: dict[str, tuple[int, Value]], key: str, node: KeyNode, place: Place
) -> Iterator[Leaf]:
    for name in (*new, *(name for name in old if name not in new)):
        number, was = old.get(name, (0, MISSING))
        other, now = new.get(name, (0, MISSING))
        here = _with_account(place.item(number, other, paths.format_selector(key, name)), name)
        if was is MISSING or now is MISSING:
            yield Leaf(here, was, now)
        else:
            yield from _walk(was, now, node if node.key else NO_KEYS, here)


def _order(old: list[str], new: list[str], place: Place) -> Iterator[Leaf]:
    """Yield a leaf if the items that both sides have are in another order."""
    kept, now = [name for name in old if name in new], [name for name in new if name in old]
    if kept != now:
        yield Leaf(Place(place.before, place.after, f"{place.shown} (order)", place.account), list(kept), list(now))


def _with_account(place: Place, name: str) -> Place:
    """Return the place with its account set, if it is an item of `accounts` or `masters` outside another account."""
    steps = place.after[:-1]
    if place.account[0] or not steps or steps[-1] not in ("accounts", "masters"):
        return place
    kind = [str(step) for step in steps[:-1] if isinstance(step, str) and step not in _ABOVE]
    named = place.shown.split(".serviceIntegrations[name=")
    if len(named) > 1:
        kind.append(named[1].split("]")[0])
    return Place(place.before, place.after, place.shown, (place.shown, ".".join(kind), name))


_ABOVE = ("deploymentConfigurations", "providers", "serviceIntegrations")


def _by_key(items: list[Value], key: str) -> dict[str, tuple[int, Value]] | None:
    """Return the items by key; None if an item has no key or two items share one."""
    found: dict[str, tuple[int, Value]] = {}
    for number, item in enumerate(items):
        name = paths.join_values(_text_at(item, part) for part in paths.split_key(key))
        if name is None:
            return None
        found[name] = (number, item)
    return found if len(found) == len(items) else None


def _text_at(item: Value, key: str) -> str | None:
    """Return the scalar at a (dotted) key of an item as Halyard's string of it; None if there is none."""
    for part in (key,) if isinstance(item, dict) and key in item else key.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return to_java_string(item) if isinstance(item, (str, int, float, bool)) else None
