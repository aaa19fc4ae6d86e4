"""A YAML text as a tree of nodes with their places: what reading with care, locating and splicing stand on.

libyaml parses; this only stacks its events. It is several times slower than reading for the values alone, so it is
used where something has to be said about a text, or where the text is out of the ordinary. It resolves and decides
nothing, and stops at the first thing libyaml cannot parse, with all nodes up to there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, DocumentStartEvent, Event, MappingStartEvent, ScalarEvent

from halgit.yaml.libyaml import parser
from halgit.yaml.lines import Mark

Kind = Literal["scalar", "sequence", "mapping", "alias"]

PREFIX: Final = "tag:yaml.org,2002:"

DEEPEST: Final = 51
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


def is_merge(key: Node) -> bool:
    """Whether a key is `<<`, which brings in the keys of other mappings."""
    key = key.resolved()
    return key.kind == "scalar" and (key.tag == PREFIX + "merge" or (key.plain and key.text == "<<"))


_PROPERTIES: Final = re.compile(r"[&!]\S*(?:\s+(?:#.*)?)*")


def content_start(whole: str, node: Node) -> int:
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
    events = parser(text)
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
        if len(self._open) >= DEEPEST and node.kind != "alias":
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
