"""Large files in the plain block style that programs write, read line by line.

The accounts of a large file consist of a few hundred different lines. Each of them is parsed once; then only its column
says where a value belongs. This takes a fifth of the time of libyaml's events. What is not in this style (a comment
behind a value, a string over several lines, an anchor, a quoted key) is left to the other readers: a file is read here
exactly as they read it, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from halgit.annotations import Any, Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import Value
from halgit.record import Record

_PLAIN: Final = r"[A-Za-z0-9_/.$(](?:[!-\"$-9;-~]|:(?![\s:])(?!$)|(?<!\s)\#(?!\#)| (?![\s#])(?!$))*"
_LINE: Final = lazy_pattern(
    r"(?P<column> *)(?P<dash>(?:- )?)(?:(?P<key>[A-Za-z_][A-Za-z0-9_./-]{0,200}):(?=$| ))?"
    rf""" *(?:'(?P<single>[ -&(-~]*)'|"(?P<double>[ !#-\[\]-~]*)"|(?P<flow>[\[{{][ -~]*)|(?P<plain>{_PLAIN}))?"""
)
_WORD: Final = lazy_pattern(r"[A-Za-z0-9_/.][A-Za-z0-9_/.-]*")
"""Values that need no further look behind a key that was seen before."""

_MOST_FLOWS: Final = 10
"""Brackets of a line; their nesting counts for the depth of the document."""

_VALUE, _OPEN, _COPY, _DASH, _ITEM, _ITEM_COPY, _END = range(7)
"""What a line is: key and value, key alone, key and new list or mapping, `- ` before a key, item, new list as item."""

_Entry = tuple[int, int, str, Any]
"""Column, kind, key and value."""


class OtherStyleError(Exception):
    """The file is not in the style that is read line by line."""


class Scalars(Record):
    """How the text of a file becomes values: plain scalars and keys by their text, and collections in brackets."""

    values: dict[str, Value]
    keys: dict[str, str]
    read_flow: Callable[[bytes], Sequence[Value] | None]


def read_block(text: bytes, scalars: Scalars, max_depth: int) -> Value:
    """Read a document of at most this nesting. Raises OtherStyleError for another style."""
    lines = _Lines(scalars)
    entries: list[_Entry] = []
    for line in text.decode("utf-8").split("\n"):
        entries += lines[line]
    entries.append((-1, _END, "", None))
    value, end = _BlockReader(entries, max_depth - _MOST_FLOWS).collection(0, 1)
    if entries[end][1] != _END:
        raise OtherStyleError
    return value


class _Lines(dict[str, tuple[_Entry, ...]]):
    """The entries of each line."""

    def __init__(self, scalars: Scalars) -> None:
        super().__init__()
        self._scalars = scalars
        self._heads: dict[str, tuple[_Entry, ...]] = {}

    def __missing__(self, line: str) -> tuple[_Entry, ...]:
        head, colon, word = line.partition(": ")
        known = self._heads.get(head)
        if known is not None and _WORD.fullmatch(word):
            column, _, key, _ = known[-1]
            entries = (*known[:-1], (column, _VALUE, key, self._scalars.values[word]))
        else:
            entries = self._parse(line)
            if colon and len(entries) and entries[-1][1] == _VALUE:
                self._heads[head] = entries
        self[line] = entries
        return entries

    def _parse(self, line: str) -> tuple[_Entry, ...]:
        content = line.lstrip(" ")
        if not content or (content[0] == "#" and content.isprintable()):
            return ()
        match = _LINE.fullmatch(line)
        if match is None:
            raise OtherStyleError
        column, is_item, key = len(match["column"]), bool(match["dash"]), match["key"]
        kind, value = self._value(match)
        if key is None:
            if not is_item or kind == _OPEN:
                raise OtherStyleError
            return ((column, _ITEM if kind == _VALUE else _ITEM_COPY, "", value),)
        entry = (column + 2 * is_item, kind, self._scalars.keys[key], value)
        return ((column, _DASH, "", None), entry) if is_item else (entry,)

    def _value(self, match: re.Match[str]) -> tuple[int, Any]:
        """Return the kind and the value of a line, as of one with a key."""
        if match["plain"] is not None:
            return _VALUE, self._scalars.values[match["plain"]]
        if match["flow"] is not None:
            return _COPY, self._flow(match["flow"])
        quoted = match["single"] if match["single"] is not None else match["double"]
        return (_OPEN, None) if quoted is None else (_VALUE, quoted)

    def _flow(self, text: str) -> Callable[[], Value]:
        """Return a function that makes a new collection as the text in brackets says."""
        documents = self._scalars.read_flow(text.encode()) if text.count("[") + text.count("{") <= _MOST_FLOWS else None
        if not documents or len(documents) > 1 or not isinstance(documents[0], (dict, list)):
            raise OtherStyleError
        return partial(_copy, documents[0]) if documents[0] else type(documents[0])


def _copy(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


class _BlockReader:
    def __init__(self, entries: list[_Entry], max_depth: int) -> None:
        self._entries = entries
        self._max_depth = max_depth

    def collection(self, at: int, depth: int) -> tuple[Value, int]:
        """Return the mapping or list whose first entry is given, and the number of the entry after it."""
        column, kind, _, _ = self._entries[at]
        if depth > self._max_depth or kind == _END:
            raise OtherStyleError
        return self._mapping(at, column, depth) if kind < _DASH else self._sequence(at, column, depth)

    def _mapping(self, at: int, column: int, depth: int) -> tuple[dict[str, Value], int]:
        entries = self._entries
        result: dict[str, Value] = {}
        start = at
        inner = 0
        while True:
            here, kind, key, value = entries[at]
            if here != column or kind >= _DASH:
                break
            at += 1
            if kind == _VALUE:
                result[key] = value
            elif kind == _COPY:
                result[key] = value()
            else:
                below, following, _, _ = entries[at]
                if below > column or (below == column and following >= _DASH):
                    before = at
                    result[key], at = self.collection(at, depth + 1)
                    inner += at - before
                else:
                    result[key] = None
        if len(result) != at - start - inner:
            raise OtherStyleError  # a duplicate key
        return result, at

    def _sequence(self, at: int, column: int, depth: int) -> tuple[list[Value], int]:
        entries = self._entries
        result: list[Value] = []
        while True:
            here, kind, _, value = entries[at]
            if here != column or kind < _DASH or kind == _END:
                return result, at
            at += 1
            if kind == _ITEM:
                result.append(value)
            elif kind == _ITEM_COPY:
                result.append(value())
            else:
                item, at = self.collection(at, depth + 1)
                result.append(item)
