"""What occurs in a document, gathered in one walk: its keys, its strings, and the kinds of its other values.

Most searches of a document look for what it does not contain. They ask here first, and walk only if there is something
to find. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property

from halgit.annotations import Generic, TypeVar
from halgit.pipeline import Value

T = TypeVar("T")


class Vocabulary:
    """The distinct contents of one document.

    `mappings` are its mappings, each once; `keys` and `strings` their keys and all its strings; `kinds` the types of
    all other scalars. `is_shared` says that several aliases share a node, `has_null_items` that a list has a null.
    """

    def __init__(self, document: Value) -> None:
        self.mappings: list[dict[str, Value]] = []
        self.keys: set[str] = set()
        self.strings: set[str] = set()
        self.kinds: set[type] = set()
        self.lists = 0
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
        seen: set[int] = set()
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
                values = node.values()
                if not _USUAL_KEYS.issuperset(map(type, node)):
                    self.has_unusual_keys = True
            else:
                self.lists += 1
                values = node
                if None in node:
                    self.has_null_items = True
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

    def _add_scalar(self, value: Value) -> None:
        if value.__class__ is not str:
            self.kinds.add(value.__class__)
        if isinstance(value, str):
            self.strings.add(value)


_USUAL_KEYS = frozenset({str})
_MOST = 32
"""How many documents are remembered."""

_KNOWN: dict[int, tuple[Value, Vocabulary]] = {}


def gather_vocabulary(document: Value) -> Vocabulary:
    """Return the vocabulary of a document. Those of the last documents are remembered: several searches need them."""
    known = _KNOWN.get(id(document))
    if known is not None and known[0] is document:
        return known[1]
    vocabulary = Vocabulary(document)
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

    def get(self, item: Value, compute: Callable[[], T], *arguments: Hashable) -> T:
        """Return the result for an item and further arguments of the function, computed at most once."""
        key = id(item), *arguments
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[key] = item, compute()
        return known[1]
