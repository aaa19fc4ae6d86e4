"""What occurs in a document, gathered in one walk: its keys, its strings, and the kinds of its other values.

Most searches of a document look for what it does not contain. They ask here first, and walk only if there is something
to find. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property, partial

from halgit.annotations import Generic, TypeVar
from halgit.pipeline import Value

T = TypeVar("T")


class Vocabulary:
    """The distinct contents of one document.

    `mappings` are its mappings, each once; `keys` and `strings` their keys and all its strings; `kinds` the types of
    all other scalars. `is_shared` says that several aliases share a node, `has_null_items` that a list has a null.
    `long_lists` are the identities of the items of long lists, `ids` those of mappings and lists during the walk.
    """

    def __init__(self, document: Value) -> None:
        self.mappings: list[dict[str, Value]] = []
        self.keys: set[str] = set()
        self.strings: set[str] = set()
        self.kinds: set[type] = set()
        self.lists = 0
        self.ids: set[int] = set()
        self.long_lists: set[int] = set()
        self._added: set[_Traits] = set()
        self.is_shared = False
        self.has_null_items = False
        self.has_unusual_keys = False
        if isinstance(document, (dict, list)):
            self._gather(document)
        else:
            self._add_scalar(document)

    @property
    def collections(self) -> int:
        """The number of mappings and lists, each counted once."""
        return len(self.mappings) + self.lists

    def contains(self, *parts: str) -> bool:
        """Return whether a string of the document contains one of these texts."""
        return any(part in self._text for part in parts)

    @cached_property
    def _text(self) -> str:
        return "\n".join(self.strings)

    def _gather(self, document: dict[str, Value] | list[Value]) -> None:
        mappings, keys, strings, kinds = self.mappings, self.keys, self.strings, self.kinds
        seen = self.ids
        stack: list[Value] = [document]
        while stack:
            node = stack.pop()
            if id(node) in seen:
                self.is_shared = True
                continue
            seen.add(id(node))
            if node.__class__ is dict:
                mappings.append(node)
                keys.update(node)
                values: Iterable[Value] = node.values()
                if not _USUAL_KEYS.issuperset(map(type, node)):
                    self.has_unusual_keys = True
            else:
                self.lists += 1
                self.has_null_items = self.has_null_items or None in node
                values = node if len(node) < _MANY else self._add_long_list(node)
            for value in values:
                kind = value.__class__
                if kind is str:
                    strings.add(value)
                elif kind is bool or kind is int:
                    kinds.add(kind)
                elif kind is dict or kind is list:
                    stack.append(value)
                else:
                    self._add_scalar(value)

    def _add_long_list(self, items: list[Value]) -> Iterable[Value]:
        """Add the items that another document has as well; return those that remain to be gathered."""
        is_known = _has_known_items(items)
        self.long_lists.update(map(id, items))
        return self._add_items(items) if is_known else items

    def _add_items(self, items: list[Value]) -> Iterator[Value]:
        """Add the items of a list that another document has as well, each gathered once; yield the others."""
        for item in items:
            if item.__class__ is not dict:
                yield item
                continue
            part = _PARTS.get(item, partial(_Part, item))
            if self.ids.isdisjoint(part.ids):
                self._add(part)
            else:
                yield item

    def _add(self, part: _Part) -> None:
        self.mappings += part.mappings
        self.ids.update(part.ids)
        self.strings.update(part.strings)
        self.lists += part.lists
        if part.traits not in self._added:
            self._added.add(part.traits)
            keys, kinds, is_shared, has_null_items, has_unusual_keys = part.traits
            self.keys |= keys
            self.kinds |= kinds
            self.is_shared = self.is_shared or is_shared
            self.has_null_items = self.has_null_items or has_null_items
            self.has_unusual_keys = self.has_unusual_keys or has_unusual_keys

    def _add_scalar(self, value: Value) -> None:
        if value.__class__ is not str:
            self.kinds.add(value.__class__)
        if isinstance(value, str):
            self.strings.add(value)


_Traits = tuple[frozenset[str], frozenset[type], bool, bool, bool]
"""Keys, kinds and the three flags of a vocabulary: most items of a list have the same."""


class _Part:
    """The vocabulary of one item of a list, to be added to those of several documents."""

    __slots__ = ("ids", "lists", "mappings", "strings", "traits")

    def __init__(self, item: Value) -> None:
        words = Vocabulary(item)
        self.mappings = tuple(words.mappings)
        self.strings = tuple(words.strings)
        self.ids = tuple(words.ids)
        self.lists = words.lists
        flags = words.is_shared, words.has_null_items, words.has_unusual_keys
        traits = frozenset(words.keys), frozenset(words.kinds), *flags
        latest = _LATEST[0]
        self.traits: _Traits = latest if latest is not None and latest == traits else traits
        _LATEST[0] = self.traits  # one object for the items of a list, which is compared at no cost


_LATEST: list[_Traits | None] = [None]
_USUAL_KEYS = frozenset({str})
_MANY = 50
"""Items from which a list is looked up among those of other documents."""
_MOST = 32
"""How many documents are remembered."""

_KNOWN: dict[int, tuple[Value, Vocabulary]] = {}


def _has_known_items(items: list[Value]) -> bool:
    """Return whether a document before has items of this list: overlays share those that they do not change."""
    some = {id(item) for item in (items[0], items[len(items) // 2], items[-1]) if isinstance(item, dict)}
    return any(not some.isdisjoint(vocabulary.long_lists) for _, vocabulary in _KNOWN.values())


def gather_vocabulary(document: Value) -> Vocabulary:
    """Return the vocabulary of a document. Those of the last documents are remembered: several searches need them."""
    known = _KNOWN.get(id(document))
    if known is not None and known[0] is document:
        return known[1]
    vocabulary = Vocabulary(document)
    vocabulary.ids.clear()
    while len(_KNOWN) >= _MOST:
        _KNOWN.pop(next(iter(_KNOWN)), None)
    _KNOWN[id(document)] = (document, vocabulary)
    return vocabulary


class ItemCache(Generic[T]):
    """Remembers the result of a pure function of a list item by the item's identity.

    Overlays share the items that they do not change, such as most accounts. The cache keeps the items, so that no other
    value gets their identity, and forgets all of them when there are too many.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._known: dict[tuple[object, ...], tuple[Value, T]] = {}

    def get(self, item: Value | bytes, compute: Callable[[], T], *arguments: Hashable) -> T:
        """Return the result for an item and further arguments of the function, computed at most once."""
        key = id(item), *arguments
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[key] = item, compute()
        return known[1]


_PARTS: ItemCache[_Part] = ItemCache()
"""The items that several documents share."""
