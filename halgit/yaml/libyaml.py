"""libyaml as PyYAML wraps it: the only module that imports PyYAML.

PyYAML also has a parser written in Python, whose patterns it compiles when it is imported. halgit does not use that
parser, so its patterns are compiled at first use: that halves the time of the import.
"""

from __future__ import annotations

import re
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from halgit.annotations import Any, Protocol
from halgit.errors import HalgitError
from halgit.lazy import lazy_pattern


@contextmanager
def _patterns_deferred() -> Iterator[None]:
    """Let the imports in this block get patterns that are compiled at first use. Other threads notice nothing."""
    compile_now: Callable[..., Any] = re.compile
    importer = get_ident()

    def compile_later(pattern: Any, flags: int = 0) -> Any:
        return lazy_pattern(pattern, flags) if get_ident() == importer else compile_now(pattern, flags)

    re.compile = compile_later
    try:
        yield
    finally:
        re.compile = compile_now


with _patterns_deferred():
    import yaml
    from yaml import MarkedYAMLError, YAMLError
    from yaml.events import (
        AliasEvent,
        CollectionEndEvent,
        CollectionStartEvent,
        DocumentStartEvent,
        Event,
        MappingEndEvent,
        MappingStartEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
        StreamEndEvent,
    )


class EventParser(Protocol):
    """The part of PyYAML's parser that this package uses."""

    def get_event(self) -> Event | None: ...

    def dispose(self) -> None: ...


def open_parser(text: bytes) -> EventParser:
    """Open a libyaml parser at the start of a text. Raises HalgitError if PyYAML was built without libyaml."""
    if not yaml.__with_libyaml__:
        raise HalgitError("PyYAML was built without libyaml.", "Install PyYAML from its wheel (pip install PyYAML).")
    return yaml.CSafeLoader(text)


__all__ = [
    "AliasEvent",
    "CollectionEndEvent",
    "CollectionStartEvent",
    "DocumentStartEvent",
    "Event",
    "EventParser",
    "MappingEndEvent",
    "MappingStartEvent",
    "MarkedYAMLError",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "YAMLError",
    "open_parser",
]
