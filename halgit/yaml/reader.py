"""YAML as Halyard's parser, SnakeYAML 1.31 with its SafeConstructor, reads it: values and all findings.

An ordinary file goes straight from libyaml's events into dicts and lists. Anything unusual (an alias, a tag, a
duplicate key, a tab, an error) makes `node_reader` read the file again, node by node. Never raises for invalid input.
"""

from __future__ import annotations

from halgit.annotations import Any, Final
from halgit.pipeline import Finding, PlainScalar, Severity, Value
from halgit.record import Record
from halgit.yaml.libyaml import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
    open_parser,
)
from halgit.yaml.parser import MAX_DEPTH
from halgit.yaml.resolver import InvalidScalarError, ResolverCache, to_java_string

_SUSPICIOUS: Final = (b"\t", b"\\/", b"|#", b">#", b"-#", b"+#", b"\n---", b"\r", b"\x85", b"\xe2\x80", b"\xef\xbb\xbf")
"""Bytes that need the node reader. A dozen single searches are cheaper than one regular expression."""

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-16, which libyaml reads and every other step here does not."""

MAX_DOCUMENTS: Final = 1_000
"""More documents in one file are refused: no configuration has them, and each costs a merge and a schema check."""

MAX_VALUES: Final = 400_000
"""Lines and commas of one file: about the keys and items that it can have."""


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
    if text.count(b"\n---") > MAX_DOCUMENTS:
        message = f"The file has more than {MAX_DOCUMENTS} YAML documents."
        return ReadResult((), (Finding("yaml/documents", Severity.ERROR, message, "Split the file.", file),))
    if text.count(b"\n") + text.count(b",") > MAX_VALUES:
        message = f"The file has more than {MAX_VALUES} lines and commas, so that reading it would take too long."
        return ReadResult((), (Finding("yaml/size", Severity.ERROR, message, "Split the file.", file),))
    if not text.startswith(_UTF_16) and not any(one in text for one in _SUSPICIOUS):
        try:
            documents = _EventReader(text).documents()
            if many or len(documents) <= 1:
                return ReadResult(documents)
        except (_Unusual, InvalidScalarError, YAMLError):
            pass
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


_VALUES: Final = ResolverCache()
_KEYS: Final = _Keys()


class _EventReader:
    """Builds values directly from events. Raises _Unusual for anything that needs the node reader."""

    def __init__(self, text: bytes) -> None:
        self._next = open_parser(text).get_event
        self._questions = b"?" in text

    def documents(self) -> tuple[Value, ...]:
        found = []
        self._next()
        while self._next().__class__ is not StreamEndEvent:
            found.append(self._value(self._next(), 0))
            self._next()
        return tuple(found)

    def _value(self, event: Any, depth: int) -> Value:
        kind = event.__class__
        if kind is ScalarEvent:
            plain, quoted = event.implicit
            if plain:
                return _VALUES[event.value]
            if quoted:
                return event.value
        elif (kind is MappingStartEvent or kind is SequenceStartEvent) and event.implicit and depth < MAX_DEPTH - 1:
            result = self._mapping(depth + 1) if kind is MappingStartEvent else self._sequence(depth + 1)
            if not (self._questions and result and event.flow_style):
                return result
        raise _Unusual

    def _mapping(self, depth: int) -> dict[str, Value]:
        following, value, values, keys = self._next, self._value, _VALUES, _KEYS
        result: dict[str, Value] = {}
        count = 0
        while (event := following()).__class__ is ScalarEvent:
            plain, quoted = event.implicit
            if plain:
                key = keys[event.value]
            elif quoted:
                key = event.value
            else:
                raise _Unusual
            count += 1
            event = following()
            if event.__class__ is ScalarEvent and event.implicit[0]:
                result[key] = values[event.value]
            else:
                result[key] = value(event, depth)
        if event.__class__ is not MappingEndEvent or len(result) != count:
            raise _Unusual
        return result

    def _sequence(self, depth: int) -> list[Value]:
        following, value, values = self._next, self._value, _VALUES
        result: list[Value] = []
        while (event := following()).__class__ is not SequenceEndEvent:
            if event.__class__ is ScalarEvent and event.implicit[0]:
                result.append(values[event.value])
            else:
                result.append(value(event, depth))
        return result
