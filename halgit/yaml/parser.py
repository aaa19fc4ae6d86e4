"""The door to libyaml, through PyYAML: a parser of events for one text. Resolves nothing and makes no values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, DocumentStartEvent, Event, MappingStartEvent, ScalarEvent

from halgit.errors import HalgitError
from halgit.yaml.source_text import Mark, SourceText


class EventParser(Protocol):
    """What is used of PyYAML's parser."""

    def get_event(self) -> Event | None: ...

    def dispose(self) -> None: ...


def open_parser(text: bytes) -> EventParser:
    """A parser at the start of a text. Raises HalgitError where PyYAML was built without libyaml."""
    if not yaml.__with_libyaml__:
        raise HalgitError(
            "This PyYAML is built without libyaml.", "Install PyYAML from its wheel (pip install PyYAML)."
        )
    return yaml.CSafeLoader(text)


Kind = Literal["scalar", "sequence", "mapping", "alias"]

TAG_PREFIX: Final = "tag:yaml.org,2002:"

MAX_DEPTH: Final = 51
"""How many collections may stand inside one another, counted as SnakeYAML 1.31 does (its limit of 50, and the root)."""


@dataclass(slots=True, eq=False)
class Node:
    """One node. `items` of a mapping are its keys and values in turn; `target` is what an alias stands for.

    `plain` is whether a scalar's text decides its type: it stands without quotes and without a tag.
    """

    kind: Kind
    start: Mark
    end: Mark
    tag: str | None = None
    anchor: str | None = None
    text: str = ""
    style: str = ""
    plain: bool = False
    flow: bool = False
    items: list[Node] = field(default_factory=list)
    target: Node | None = None

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Keys with their values; a last key whose value could not be parsed is left out."""
        return zip(self.items[::2], self.items[1::2], strict=False)

    def resolved(self) -> Node:
        """The node itself, or what an alias stands for; the alias where that is nothing."""
        return self.target if self.kind == "alias" and self.target is not None else self


Pair = tuple[Node, Node]


def is_merge_key(key: Node) -> bool:
    """Whether a key is `<<`, which brings in the keys of other mappings."""
    key = key.resolved()
    return key.kind == "scalar" and (key.tag == TAG_PREFIX + "merge" or (key.plain and key.text == "<<"))


_PROPERTIES: Final = re.compile(r"[&!]\S*(?:\s+(?:#.*)?)*")


def find_content_start(whole: str, node: Node) -> int:
    """Where a scalar itself starts, after its anchor and tag; a node's `start` is where those start."""
    index = node.start.index
    while match := _PROPERTIES.match(whole, index, node.end.index):
        index = match.end()
    return index


@dataclass(slots=True)
class Stream:
    """The documents of a text: their roots, where each starts, and how many nodes they have together.

    `problem` is what stopped the parser, `too_deep` where nesting passed the limit.
    """

    roots: list[Node] = field(default_factory=list)
    starts: list[Mark] = field(default_factory=list)
    count: int = 0
    problem: yaml.YAMLError | None = None
    too_deep: Mark | None = None


def compose(text: bytes) -> Stream:
    """All documents of a text. Never raises for what the text holds."""
    stream = Stream()
    events = open_parser(text)
    composer = _Composer(stream)
    try:
        while stream.too_deep is None and (event := events.get_event()) is not None:
            composer.take(event)
    except yaml.MarkedYAMLError as problem:
        stream.problem = problem
        if "nesting depth" in str(problem.problem):  # libyaml counts to a thousand in one line, before it gives any
            stream.too_deep = stream.too_deep or _mark(problem.problem_mark)
    except yaml.YAMLError as problem:
        stream.problem = problem
    finally:
        events.dispose()
    return stream


class _Composer:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._open: list[Node] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self._anchors = {}
            self._stream.starts.append(_mark(event.start_mark))
        elif isinstance(event, CollectionEndEvent):
            self._open.pop().end = _mark(event.end_mark)
        elif isinstance(event, (ScalarEvent, AliasEvent)):
            self._add(_leaf(event, self._anchors))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        kind: Kind = "mapping" if isinstance(event, MappingStartEvent) else "sequence"
        mark = _mark(event.start_mark)
        node = Node(kind, mark, mark, tag=_tag(event), anchor=event.anchor, flow=bool(event.flow_style))
        self._add(node)
        self._open.append(node)

    def _add(self, node: Node) -> None:
        self._stream.count += 1
        if len(self._open) >= MAX_DEPTH and node.kind != "alias":
            self._stream.too_deep = self._stream.too_deep or node.start
        if node.anchor:
            self._anchors[node.anchor] = node
        (self._open[-1].items if self._open else self._stream.roots).append(node)


def _leaf(event: Any, anchors: dict[str, Node]) -> Node:
    start, end = _mark(event.start_mark), _mark(event.end_mark)
    if isinstance(event, AliasEvent):
        name = str(event.anchor)
        return Node("alias", start, end, text=name, target=anchors.get(name))
    return Node(
        "scalar",
        start,
        end,
        tag=_tag(event),
        anchor=event.anchor,
        text=event.value,
        style=event.style or "",
        plain=event.implicit[0] or event.tag == "!",
    )


def _tag(event: Any) -> str | None:
    """The tag; `!` alone is none."""
    return None if event.tag == "!" else event.tag


def _mark(mark: Any) -> Mark:
    return Mark(mark.index, mark.line + 1, mark.column + 1)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why the parser stopped, in words: the fault to be."""

    rule: str
    mark: Mark
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """The place where the parser stopped, its own words, and where what it was reading began.

    `last` is the last scalar before the place.
    """

    text: SourceText
    problem: str
    context: str
    mark: Mark
    began: Mark | None
    last: Node | None

    @classmethod
    def of(cls, text: SourceText, stream: Stream) -> ParseFailure:
        """How the parser stopped in this text."""
        problem: Any = stream.problem
        at = getattr(problem, "problem_mark", None)
        began = getattr(problem, "context_mark", None)
        return cls(
            text,
            str(getattr(problem, "problem", problem)),
            str(getattr(problem, "context", None) or ""),
            text.mark(at.index) if at else Mark(0, 1, 1),
            text.mark(began.index) if began else None,
            _last_scalar(stream),
        )

    def at(self, line: int, column: int) -> Mark:
        """A place by line and column, both from 1."""
        return Mark(-1, line, column)

    def end_of_line(self) -> int:
        """The index at which the line of the place ends."""
        return self.mark.index - self.mark.column + 1 + len(self.text.line(self.mark.line))

    def lines(self) -> list[int]:
        """The lines to look at: the one where what stopped the parser began, and the one where it stopped."""
        began = [self.began.line] if self.began else []
        return [*began, self.mark.line]

    def above(self, number: int = 0) -> int:
        """The nearest line above this one, or above the place, that holds more than blanks and comments; 0 for none."""
        for line in range((number or self.mark.line) - 1, 0, -1):
            words = self.text.line(line).strip()
            if words and words[0] != "#":
                return line
        return 0


def _last_scalar(stream: Stream) -> Node | None:
    node = stream.roots[-1] if stream.roots else None
    while node is not None and node.items:
        node = node.items[-1]
    return node if node is not None and node.kind == "scalar" else None
