"""Positions of values in a YAML file. Computed on request by parsing the file again; never kept with the values.

Positions come straight from libyaml's events, and parsing ends with the last position. Only a file in which a path
leads through an alias, a duplicate key or a key that is no string is parsed into nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from halgit.annotations import Any, Final, TypeAlias
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Position
from halgit.record import Record
from halgit.yaml.constructor import Constructor
from halgit.yaml.libyaml import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    YAMLError,
    open_parser,
)
from halgit.yaml.parser import Node, Pair, compose, compose_scalar, is_merge_key
from halgit.yaml.reader import MAX_DEPTH
from halgit.yaml.source_text import BREAKS, FindingCollector


class Scalar(Record):
    """One scalar of a file. `key` is true for a mapping key; `path` is then the path of its value.

    `plain` is true without quotes, `flow` inside `[...]` or `{...}`. `line` and `column` count from 1.
    """

    path: Path
    text: str
    plain: bool
    line: int
    column: int
    flow: bool
    key: bool


def locate(text: bytes, path: Path, *, key: bool = False) -> Position | None:
    """Return the position of a value, or of its key; None for an unknown path."""
    return locate_all(text, [path], keys=key).get(path)


def locate_all(text: bytes, paths: Iterable[Path], *, keys: bool = False) -> dict[Path, Position]:
    """Return the positions of many values with one parse. Unknown paths are skipped.

    A mapping or list that begins below its key has the position of the key: there a reader looks for it.
    """
    wanted = dict.fromkeys(paths)
    try:
        return _EventLocator(text, wanted, is_key=keys).positions()
    except _NeedsNodesError:
        return _locate_in_nodes(text, wanted, keys)


def _locate_in_nodes(text: bytes, paths: Iterable[Path], keys: bool) -> dict[Path, Position]:
    roots = compose(text).roots
    found: dict[Path, Position] = {}
    known: KeyIndex = {}
    for path in paths:
        trail = find_nodes(roots[0], path, want_key=keys, known=known) if roots else []
        if trail and _is_block(trail[-1]) and path and isinstance(path[-1], str):
            key = find_nodes(roots[0], path, want_key=True, known=known)[-1]
            trail = [key if key.start.line < trail[-1].start.line else trail[-1]]
        if trail:
            found[path] = Position(trail[-1].start.line, trail[-1].start.column)
    return found


def _is_block(node: Node) -> bool:
    return node.kind in ("mapping", "sequence") and not node.flow


# --- events ----------------------------------------------------------------------------------------------------


class _NeedsNodesError(Exception):
    """The position depends on more than the order of events."""


class _Complete(Exception):
    """Every position is known, or parsing cannot continue."""


_Wanted: TypeAlias = dict[Any, Any]
"""Paths as a tree of steps, each with the tree below it. The key _PATH holds the path that ends there."""

_PATH: Final = object()
_UNUSUAL_LINE: Final = lazy_pattern(r"\n( *)[\"'?&!*]")
"""A line that may begin with a key in another spelling."""

_OTHER_SPELLINGS: Final = frozenset({"true", "false", "null", "NaN", "Infinity"})
"""Keys that plain scalars of other spelling become, such as `yes` and `.nan`."""


class _EventLocator:
    """Finds the positions of paths in the first document; skips everything that contains none of them."""

    def __init__(self, text: bytes, paths: Iterable[Path], *, is_key: bool) -> None:
        self._text = text
        self._is_key = is_key
        self._wanted: _Wanted = {}
        self._missing = 0
        for path in paths:
            here = self._wanted
            for step in path:
                here = here.setdefault(step, {})
            here[_PATH] = path
            self._missing += 1
        self._found: dict[Path, Position] = {}
        self._open: list[list[Any]] = []
        self._texts: dict[tuple[str, bool, str | None], str] = {}
        self._next: Callable[[], Any] = open_parser(text).get_event

    def positions(self) -> dict[Path, Position]:
        """Return the positions. Raises _NeedsNodesError if events do not suffice."""
        try:
            self._next()
            if self._missing and isinstance(self._next(), DocumentStartEvent):
                self._value(self._next(), self._wanted, 0, None)
        except (_Complete, YAMLError):
            pass
        return self._found

    def _value(self, event: Any, wanted: _Wanted, depth: int, key: Any) -> None:
        """Take a node that paths lead to or through; `key` is the event of its key."""
        if _PATH in wanted:
            self._record(wanted[_PATH], key if key is not None and (self._is_key or _is_below(event, key)) else event)
        kind = event.__class__
        if kind is AliasEvent:
            if len(wanted) > (_PATH in wanted):
                raise _NeedsNodesError
            return
        if depth >= MAX_DEPTH:
            raise _Complete
        if kind is MappingStartEvent:
            self._mapping(event, wanted, depth + 1)
        elif kind is SequenceStartEvent:
            self._sequence(wanted, depth + 1)

    def _record(self, path: Path, event: Any) -> None:
        mark = event.start_mark
        self._found[path] = Position(mark.line + 1, mark.column + 1)
        self._missing -= 1
        if not self._missing:
            self._stop_if_unique()

    def _stop_if_unique(self) -> None:
        if all(self._is_unique(key) for keys in self._open for key in keys):
            raise _Complete

    def _is_unique(self, key: Any) -> bool:
        """Return whether no later key of an open block mapping can equal this one, as its text and column show.

        Such a key would begin a line in the same column, either with the same text or with a quote or an indicator.
        """
        if key is None or self._whole is None:
            return False
        column = key.start_mark.column
        if column in self._unusual_columns:
            return False
        return self._whole.find("\n" + " " * column + key.value, key.end_mark.index) < 0

    @cached_property
    def _whole(self) -> str | None:
        """The text, whose characters marks count; None if its lines may end in another way than with a newline."""
        try:
            whole = self._text.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError:
            return None
        return None if any(one in whole for one in BREAKS if one != "\n") else whole

    @cached_property
    def _unusual_columns(self) -> set[int]:
        return {len(match[1]) for match in _UNUSUAL_LINE.finditer(self._whole or "")}

    def _mapping(self, start: Any, wanted: _Wanted, depth: int) -> None:
        seen: set[str] = set()
        keys: list[Any] = []
        self._open.append(keys)
        while (key := self._next()).__class__ is not MappingEndEvent:
            text = self._key(key, depth)
            below = wanted.get(text)
            if below is None:
                self._skip(self._next(), depth)
                continue
            if text in seen:
                raise _NeedsNodesError
            seen.add(text)
            keys.append(key if text == key.value and _is_in_block(start, key) else None)
            self._value(self._next(), below, depth, key)
        self._close()

    def _key(self, event: Any, depth: int) -> str:
        if event.__class__ is not ScalarEvent:
            raise _NeedsNodesError
        if depth >= MAX_DEPTH:
            raise _Complete
        spelling = (event.value, event.implicit[0], event.tag)
        if spelling not in self._texts:
            self._texts[spelling] = get_key_text(compose_scalar(event))
        return self._texts[spelling]

    def _sequence(self, wanted: _Wanted, depth: int) -> None:
        position = 0
        while (event := self._next()).__class__ is not SequenceEndEvent:
            below = wanted.get(position)
            if below is None:
                self._skip(event, depth)
            else:
                self._value(event, below, depth, None)
            position += 1

    def _close(self) -> None:
        """Leave a mapping: there may be fewer keys now that could follow a second time."""
        self._open.pop()
        if not self._missing:
            self._stop_if_unique()

    def _skip(self, event: Any, depth: int) -> None:
        following, level = self._next, 0
        while True:
            kind = event.__class__
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                level += 1
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                level -= 1
            elif kind is ScalarEvent and depth + level >= MAX_DEPTH:
                raise _Complete
            if level == 0:
                return
            if depth + level > MAX_DEPTH:
                raise _Complete
            event = following()


def _is_below(value: Any, key: Any) -> bool:
    """Return whether a value is a collection in block style that begins below its key."""
    is_block = value.__class__ in (MappingStartEvent, SequenceStartEvent) and not value.flow_style
    return is_block and bool(value.start_mark.line > key.start_mark.line)


def _is_in_block(mapping: Any, key: Any) -> bool:
    """Return whether a key is plain and begins in the column in which all keys of its block mapping begin."""
    is_plain = key.implicit[0] and not key.anchor and key.value[:1].isalpha() and key.value not in _OTHER_SPELLINGS
    is_block = not (mapping.flow_style or mapping.anchor or mapping.tag)
    return is_plain and is_block and bool(key.start_mark.column == mapping.start_mark.column)


# --- nodes -----------------------------------------------------------------------------------------------------


KeyIndex: TypeAlias = "dict[Node, dict[str | int, Pair]]"
"""The pairs of mappings by their keys, so that looking up many paths takes time for each mapping only once."""


def find_nodes(node: Node | None, path: Path, *, want_key: bool = False, known: KeyIndex | None = None) -> list[Node]:
    """Return the nodes from the root to the value at a path, or to its key; empty for an unknown path.

    A key that a mapping has from a source of its `<<` is found in that source. `known` is shared by several calls for
    the same document.
    """
    known = {} if known is None else known
    trail = [node] if node is not None else []
    for depth, step in enumerate(path):
        node = trail[-1].resolved() if trail else None
        if node is None:
            return []
        is_key = want_key and depth == len(path) - 1
        below: list[Node] = []
        if node.kind == "sequence" and isinstance(step, int) and step < len(node.items):
            below = [node.items[step]]
        elif node.kind == "mapping":
            below = _find_value(node, step, is_key, known, set())
        if not below:
            return []
        trail += below
    return trail


def _find_value(node: Node, step: str | int, is_key: bool, known: KeyIndex, seen: set[Node]) -> list[Node]:
    """Return the nodes from a mapping to the value or key of this name: several if they are those of a `<<`."""
    if node not in known:
        known[node] = {get_key_text(pair[0]): pair for pair in node.pairs()}
    found = known[node].get(step)
    if found is not None:
        return [found[0] if is_key else found[1]]
    seen.add(node)
    for key, value in node.pairs():
        if is_merge_key(key):
            for source in value.resolved().items if value.resolved().kind == "sequence" else [value]:
                target = source.resolved()
                if target.kind == "mapping" and target not in seen:
                    below = _find_value(target, step, is_key, known, seen)
                    if below:
                        return [value, source, *below]
    return []


def get_key_text(node: Node) -> str:
    """Return a mapping key as the string it has in a path."""
    return str(Constructor(FindingCollector("")).key(node))


def list_scalars(text: bytes) -> list[Scalar]:
    """List the scalars of the first document in order. Aliases are not expanded."""
    roots = compose(text).roots
    found: list[Scalar] = []
    if roots:
        _gather(roots[0], (), False, found)
    return found


def find_offset(text: bytes, document: int, path: Path) -> int:
    """Return how many characters into the text the value at a path of one of its documents starts; 0 if unknown."""
    roots = compose(text).roots
    trail = find_nodes(roots[document], path) if document < len(roots) else []
    return trail[-1].start.index if trail else 0


def _gather(node: Node, path: Path, flow: bool, found: list[Scalar]) -> None:
    if node.kind == "scalar":
        found.append(_scalar(node, path, flow, key=False))
    elif node.kind == "sequence":
        for position, item in enumerate(node.items):
            _gather(item, (*path, position), flow or node.flow, found)
    elif node.kind == "mapping":
        for key, value in node.pairs():
            here = (*path, get_key_text(key))
            found.append(_scalar(key, here, flow or node.flow, key=True))
            _gather(value, here, flow or node.flow, found)


def _scalar(node: Node, path: Path, flow: bool, *, key: bool) -> Scalar:
    return Scalar(path, node.text, node.style == "", node.start.line, node.start.column, flow, key)
