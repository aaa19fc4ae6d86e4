"""Reads YAML as Halyard's parser, SnakeYAML 1.31 with its SafeConstructor, reads it: values and all faults at once.

An ordinary text goes straight from libyaml's events into dicts and lists. At the first thing out of the ordinary (an
alias, a tag, a key twice, a tab, an error) the text is read again with care, node by node. Never raises for bad input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from halgit.pipeline import Finding, Plain, Value
from halgit.yaml.node_reader import read_nodes
from halgit.yaml.parser import MAX_DEPTH, open_parser
from halgit.yaml.resolver import InvalidScalarError, ResolverCache, to_java_string

_SUSPICIOUS: Final = (b"\t", b"\\/", b"|#", b">#", b"-#", b"+#", b"\n---", b"\r", b"\x85", b"\xe2\x80", b"\xef\xbb\xbf")
"""What is a reason to read with care. Each is looked for by itself: a dozen searches are cheaper than one pattern."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a text holds. `documents` is empty where it cannot be parsed; then `faults` says why."""

    documents: tuple[Value, ...]
    faults: tuple[Finding, ...] = ()

    @property
    def data(self) -> Value:
        """The first document; None where there is none."""
        return self.documents[0] if self.documents else None


def read(text: bytes, file: str, *, many: bool = False) -> ReadResult:
    """The documents of a text, with every fault in it. `file` is how the faults name it; `many` allows several."""
    if not any(one in text for one in _SUSPICIOUS):
        try:
            documents = _Straight(text).documents()
            if many or len(documents) <= 1:
                return ReadResult(documents)
        except (_Unusual, InvalidScalarError, yaml.YAMLError):
            pass
    documents, faults = read_nodes(text, file, many=many)
    return ReadResult(documents, faults)


class _Unusual(Exception):
    """Something that has to be read with care."""


class _Keys(dict[str, str]):
    """What an unquoted key is: a text, or Plain for one that is no text to YAML."""

    def __missing__(self, text: str) -> str:
        if text == "<<":
            raise _Unusual
        value = _VALUES[text]
        key = str(value) if isinstance(value, str) and not isinstance(value, Plain) else Plain(to_java_string(value))
        if len(self) > 100_000:
            self.clear()
        self[text] = key
        return key


_VALUES: Final = ResolverCache()
_KEYS: Final = _Keys()


class _Straight:
    """From events to values with nothing in between; raises _Unusual at what has to be looked at."""

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
            made = self._mapping(depth + 1) if kind is MappingStartEvent else self._sequence(depth + 1)
            if not (self._questions and made and event.flow_style):
                return made
        raise _Unusual

    def _mapping(self, depth: int) -> dict[str, Value]:
        following, value, values, keys = self._next, self._value, _VALUES, _KEYS
        made: dict[str, Value] = {}
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
                made[key] = values[event.value]
            else:
                made[key] = value(event, depth)
        if event.__class__ is not MappingEndEvent or len(made) != count:
            raise _Unusual
        return made

    def _sequence(self, depth: int) -> list[Value]:
        following, value, values = self._next, self._value, _VALUES
        made: list[Value] = []
        while (event := following()).__class__ is not SequenceEndEvent:
            if event.__class__ is ScalarEvent and event.implicit[0]:
                made.append(values[event.value])
            else:
                made.append(value(event, depth))
        return made
