"""YAML as Halyard's parser, SnakeYAML 1.31 with its SafeConstructor, reads it: values and all findings.

An ordinary file goes straight from libyaml's events into dicts and lists. Anything unusual (a tag, a merge key, a
duplicate key, a tab, an error) makes `node_reader` read the file again, node by node. Never raises for invalid input.
"""

from __future__ import annotations

from collections.abc import Callable

from halgit.annotations import Any, Final
from halgit.pipeline import MISSING, Finding, PlainScalar, Severity, Value
from halgit.record import Record
from halgit.yaml.libyaml import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
    open_parser,
)
from halgit.yaml.resolver import InvalidScalarError, ResolverCache, to_java_string

_SUSPICIOUS: Final = (
    (b"\t", (b"\t",)),
    (b"\r", (b"\r",)),
    (b"\\", (b"\\/",)),
    (b"#", (b"|#", b">#", b"-#", b"+#")),
)
_SUSPICIOUS_WIDE: Final = (b"\x85", b"\xe2\x80", b"\xef\xbb\xbf")
"""Bytes that need the node reader. Single searches are cheaper than a regular expression, those of a byte cheapest."""

LARGE: Final = 32 * 1024
"""Bytes from which the reading of lines saves more than it costs to load."""

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-16, which libyaml reads and every other step here does not."""

MAX_DEPTH: Final = 51
"""The maximum nesting of collections, counted as SnakeYAML 1.31 does (its limit of 50, and the root)."""

MAX_DOCUMENTS: Final = 1_000
"""More documents in one file are refused: no configuration has them, and each costs a merge and a schema check."""

MAX_VALUES: Final = 400_000
"""Lines and commas of one file: about the keys and items that it can have."""


_MAX_ALIASES: Final = 50
_MAX_ALIASED: Final = 10_000
"""The number of aliases of a file, and of the values they stand for, above which the node reader applies the limits."""


class ReadResult(Record):
    """The content of a file. `documents` is empty if it cannot be parsed; `findings` then says why."""

    documents: tuple[Value, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def data(self) -> Value:
        """The first document, or None."""
        return self.documents[0] if self.documents else None


def read(text: bytes, file: str, *, many: bool = False) -> ReadResult:
    """Read the documents of a file and all findings, which name `file`.

    `many` reads as Spring Boot reads profiles: several documents, any number of aliases, and a duplicate key is an
    error. Without it the file is read as Halyard reads the halconfig: one document, at most 50 aliases, and of two
    equal keys the last is used, which is a warning.
    """
    starts = text.count(b"\n---")
    if starts > MAX_DOCUMENTS:
        message = f"The file has more than {MAX_DOCUMENTS} YAML documents."
        return ReadResult((), (Finding("yaml/documents", Severity.ERROR, message, "Split the file.", file),))
    if text.count(b"\n") + text.count(b",") > MAX_VALUES:
        message = f"The file has more than {MAX_VALUES} lines and commas, so that reading it would take too long."
        return ReadResult((), (Finding("yaml/size", Severity.ERROR, message, "Split the file.", file),))
    if not starts and not _is_suspicious(text):
        documents = _read_lines(text) or _read_events(text)
        if documents is not None and (many or len(documents) <= 1):
            return ReadResult(documents)
    from halgit.yaml.node_reader import read_nodes

    documents, findings = read_nodes(text, file, many=many)
    return ReadResult(documents, findings)


class _Unusual(Exception):
    """The file needs the node reader."""


class _Keys(dict[str, str]):
    """A cache of unquoted keys: a string, or Plain for a key of another type."""

    def __missing__(self, text: str) -> str:
        if text == "<<":
            raise _Unusual
        value = _VALUES[text]
        key = (
            str(value)
            if isinstance(value, str) and not isinstance(value, PlainScalar)
            else PlainScalar(to_java_string(value))
        )
        if len(self) > 100_000:
            self.clear()
        self[text] = key
        return key


def _read_lines(text: bytes) -> tuple[Value, ...] | None:
    """Return the document of a large file that is read line by line; None if it is not in that style."""
    if len(text) < LARGE:
        return None
    from halgit.yaml.block_reader import OtherStyleError, Scalars, read_block

    try:
        return (read_block(text, Scalars(_VALUES, _KEYS, _read_events), MAX_DEPTH - 1),)
    except (OtherStyleError, InvalidScalarError, UnicodeDecodeError):
        return None


def _read_events(text: bytes) -> tuple[Value, ...] | None:
    """Return the documents of a file; None if the node reader has to read it."""
    try:
        documents = _EventReader(text).documents()
        return None if b"?" in text and _has_question_in_flow(text) else documents
    except (_Unusual, InvalidScalarError, YAMLError):
        return None


def _is_suspicious(text: bytes) -> bool:
    """Return whether a text has bytes that need the node reader."""
    if any(byte in text and any(one in text for one in parts) for byte, parts in _SUSPICIOUS):
        return True
    return not text.isascii() and (text.startswith(_UTF_16) or any(one in text for one in _SUSPICIOUS_WIDE))


_VALUES: Final = ResolverCache()
_KEYS: Final = _Keys()


class _EventReader:
    """Builds values directly from events. Raises _Unusual for anything that needs the node reader."""

    def __init__(self, text: bytes) -> None:
        self._next = open_parser(text).get_event
        self._may_alias = b"&" in text
        self._anchors: dict[str, Value] = {}
        self._aliases = 0
        self._aliased = 0

    def documents(self) -> tuple[Value, ...]:
        found = []
        self._next()
        while self._next().__class__ is not StreamEndEvent:
            self._anchors = {}
            found.append(self._value(self._next(), 0))
            self._next()
        return tuple(found)

    def _value(self, event: Any, depth: int) -> Value:
        kind = event.__class__
        if kind is AliasEvent:
            return self._alias(event.anchor, depth)
        if event.anchor:
            self._open_anchor(event.anchor)
        if kind is ScalarEvent:
            plain, quoted = event.implicit
            if not plain and not quoted:
                raise _Unusual
            result = _VALUES[event.value] if plain else event.value
        elif (kind is MappingStartEvent or kind is SequenceStartEvent) and event.implicit and depth < MAX_DEPTH - 1:
            result = self._mapping(depth + 1) if kind is MappingStartEvent else self._sequence(depth + 1)
        else:
            raise _Unusual
        if event.anchor:
            self._anchors[event.anchor] = result
        return result

    def _open_anchor(self, name: str) -> None:
        """Note an anchor whose value follows. A name that is used again is left to the node reader."""
        if name in self._anchors:
            raise _Unusual
        self._anchors[name] = MISSING

    def _alias(self, name: str, depth: int) -> Value:
        """Return the value of an anchor. Aliases that are many or large are left to the node reader."""
        self._aliases += 1
        value = self._anchors.get(name, MISSING)
        if value is MISSING or self._aliases > _MAX_ALIASES:
            raise _Unusual
        self._count(value, depth)
        return value

    def _count(self, value: Value, depth: int) -> None:
        self._aliased += 1
        if self._aliased > _MAX_ALIASED or depth >= MAX_DEPTH:
            raise _Unusual
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._count(child, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Value]:
        following, value, values, keys, may_alias = self._next, self._value, _VALUES, _KEYS, self._may_alias
        result: dict[str, Value] = {}
        count = 0
        while (event := following()).__class__ is ScalarEvent:
            plain, quoted = event.implicit
            if may_alias and event.anchor:
                raise _Unusual
            if plain:
                key = keys[event.value]
            elif quoted:
                key = event.value
            else:
                raise _Unusual
            count += 1
            event = following()
            if event.__class__ is ScalarEvent and event.implicit[0] and not (may_alias and event.anchor):
                result[key] = values[event.value]
            else:
                result[key] = value(event, depth)
        if event.__class__ is not MappingEndEvent or len(result) != count:
            raise _Unusual
        return result

    def _sequence(self, depth: int) -> list[Value]:
        following, value, values, may_alias = self._next, self._value, _VALUES, self._may_alias
        result: list[Value] = []
        while (event := following()).__class__ is not SequenceEndEvent:
            if event.__class__ is ScalarEvent and event.implicit[0] and not (may_alias and event.anchor):
                result.append(values[event.value])
            else:
                result.append(value(event, depth))
        return result


def _has_question_in_flow(text: bytes) -> bool:
    """Return whether an unquoted string inside `[...]` or `{...}` contains a `?`. Raises YAMLError."""
    following: Callable[[], Any] = open_parser(text).get_event
    flow: list[bool] = []
    while (event := following()).__class__ is not StreamEndEvent:
        kind = event.__class__
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            flow.append(bool(event.flow_style) or any(flow[-1:]))
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            flow.pop()
        elif kind is ScalarEvent and event.implicit[0] and "?" in event.value and any(flow[-1:]):
            return True
    return False
