"""YAML text as a tree of nodes with positions, parsed by libyaml through PyYAML.

Reading for the values alone (`reader`) is several times faster; nodes are built only where a finding, a position or
an edit needs them. Nothing here resolves or judges a scalar. Parsing stops at the first error and keeps all nodes
before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from halgit.annotations import Any, Final, Literal
from halgit.lazy import lazy_pattern
from halgit.record import Record, field
from halgit.yaml.libyaml import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    YAMLError,
    open_parser,
)
from halgit.yaml.reader import MAX_DEPTH
from halgit.yaml.source_text import Mark, SourceText

Kind = Literal["scalar", "sequence", "mapping", "alias"]

TAG_PREFIX: Final = "tag:yaml.org,2002:"


class Node(Record, frozen=False, eq=False):
    """One node. The `items` of a mapping are its keys and values in turn; `target` is the node an alias refers to.

    `plain` is true for a scalar without quotes and tag, whose text decides its type.
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
        """Iterate over keys and values. Drops a last key whose value could not be parsed."""
        return zip(self.items[::2], self.items[1::2], strict=False)

    def resolved(self) -> Node:
        """Return the target of an alias, or the node itself."""
        return self.target if self.kind == "alias" and self.target is not None else self


Pair = tuple[Node, Node]


def is_merge_key(key: Node) -> bool:
    """Return whether a key is the merge key `<<`."""
    key = key.resolved()
    return key.kind == "scalar" and (key.tag == TAG_PREFIX + "merge" or (key.plain and key.text == "<<"))


_PROPERTIES: Final = lazy_pattern(r"[&!]\S*(?:\s+(?:#.*)?)*")


def find_content_start(whole: str, node: Node) -> int:
    """Return the index of a scalar after its anchor and tag, where `node.start` begins."""
    index = node.start.index
    while match := _PROPERTIES.match(whole, index, node.end.index):
        index = match.end()
    return index


class Stream(Record, frozen=False):
    """The documents of a text: their roots, where each starts, and the number of nodes in all of them.

    `problem` is the parse error, `too_deep` the position where the nesting exceeds `MAX_DEPTH`.
    """

    roots: list[Node] = field(default_factory=list)
    starts: list[Mark] = field(default_factory=list)
    count: int = 0
    problem: YAMLError | None = None
    too_deep: Mark | None = None


def compose(text: bytes) -> Stream:
    """Parse all documents of a text. Never raises for invalid input."""
    stream = Stream()
    events = open_parser(text)
    composer = _Composer(stream)
    try:
        while stream.too_deep is None and (event := events.get_event()) is not None:
            composer.take(event)
    except MarkedYAMLError as problem:
        stream.problem = problem
        if "nesting depth" in str(problem.problem):  # libyaml fails at 1000 levels before any event
            stream.too_deep = stream.too_deep or _mark(problem.problem_mark)
    except YAMLError as problem:
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
        elif isinstance(event, CollectionStartEvent):
            self._begin(event)

    def _begin(self, event: CollectionStartEvent) -> None:
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
    if isinstance(event, AliasEvent):
        name = str(event.anchor)
        start, end = _mark(event.start_mark), _mark(event.end_mark)
        return Node("alias", start, end, text=name, target=anchors.get(name))
    return compose_scalar(event)


def compose_scalar(event: Any) -> Node:
    """Return the node of a scalar's event."""
    return Node(
        "scalar",
        _mark(event.start_mark),
        _mark(event.end_mark),
        tag=_tag(event),
        anchor=event.anchor,
        text=event.value,
        style=event.style or "",
        plain=event.implicit[0] or event.tag == "!",
    )


def _tag(event: Any) -> str | None:
    """Return the tag, or None for the non-specific tag `!`."""
    return None if event.tag == "!" else event.tag


def _mark(mark: Any) -> Mark:
    return Mark(mark.index, mark.line + 1, mark.column + 1)


class Diagnosis(Record):
    """The likely cause of a parse error, as the parts of a finding."""

    rule: str
    mark: Mark
    message: str
    hint: str


class ParseFailure(Record):
    """Position and reason of a syntax error: libyaml's message, its context, and where the context starts.

    `last` is the last scalar before the error.
    """

    text: SourceText
    problem: str
    context: str
    mark: Mark
    context_start: Mark | None
    last: Node | None

    @classmethod
    def from_stream(cls, text: SourceText, stream: Stream) -> ParseFailure:
        """Describe the parse error of a stream."""
        problem: Any = stream.problem
        at = getattr(problem, "problem_mark", None)
        context_start = getattr(problem, "context_mark", None)
        return cls(
            text,
            str(getattr(problem, "problem", problem)),
            str(getattr(problem, "context", None) or ""),
            text.mark(at.index) if at else Mark(0, 1, 1),
            text.mark(context_start.index) if context_start else None,
            _last_scalar(stream),
        )

    def position(self, line: int, column: int) -> Mark:
        """Return a position by line and column, both counted from 1."""
        return Mark(-1, line, column)

    def end_of_line(self) -> int:
        """Return the index of the end of the line with the error."""
        return self.mark.index - self.mark.column + 1 + len(self.text.line(self.mark.line))

    def lines(self) -> list[int]:
        """Return the numbers of the lines where the context context_start and where the parser stopped."""
        context_start = [self.context_start.line] if self.context_start else []
        return [*context_start, self.mark.line]

    def find_line_above(self, number: int = 0) -> int:
        """Return the nearest line above `number` (default: the error) that is not blank or a comment; 0 if none."""
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
