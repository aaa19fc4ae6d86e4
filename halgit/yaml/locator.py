"""Where a value stands in a YAML text. Looked up on demand, by composing the text again; never kept with the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from halgit.pipeline import Path, Position
from halgit.yaml.constructor import Constructor
from halgit.yaml.parser import Node, compose
from halgit.yaml.source_text import FindingCollector


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar of a text. `key` is whether it is a mapping key; `path` is then the path of its value.

    `plain` is whether it stands without quotes, `flow` whether inside `[...]` or `{...}`. Places count from 1.
    """

    path: Path
    text: str
    plain: bool
    line: int
    column: int
    flow: bool
    key: bool


def locate(text: bytes, path: Path, *, key: bool = False) -> Position | None:
    """The place of a value, or of its key; None where there is no such path."""
    return locate_all(text, [path], keys=key).get(path)


def locate_all(text: bytes, paths: Iterable[Path], *, keys: bool = False) -> dict[Path, Position]:
    """The places of many values at the cost of one look; paths that are not there are left out."""
    roots = compose(text).roots
    found: dict[Path, Position] = {}
    for path in paths:
        node = _follow(roots[0], path, keys) if roots else None
        if node is not None:
            found[path] = Position(node.start.line, node.start.column)
    return found


def _follow(node: Node | None, path: Path, want_key: bool) -> Node | None:
    trail = find_nodes(node, path, want_key=want_key)
    return trail[-1] if trail else None


def find_nodes(node: Node | None, path: Path, *, want_key: bool = False) -> list[Node]:
    """The nodes from the root to the value at this path, or to its key; empty where there is no such path."""
    trail = [node] if node is not None else []
    for depth, step in enumerate(path):
        while node is not None and node.kind == "alias":
            node = node.target
        if node is None:
            return []
        below: Node | None = None
        if node.kind == "sequence" and isinstance(step, int) and step < len(node.items):
            below = node.items[step]
        elif node.kind == "mapping":
            for key, value in node.pairs():
                if get_key_text(key) == step:
                    below = key if want_key and depth == len(path) - 1 else value
        if below is None:
            return []
        node = below
        trail.append(node)
    return trail


def get_key_text(node: Node) -> str:
    """A mapping key as the text it has in a path."""
    return str(Constructor(FindingCollector("")).key(node))


def list_scalars(text: bytes) -> list[Scalar]:
    """Every scalar of the first document, in the order of the file, what stands under aliases only once."""
    roots = compose(text).roots
    found: list[Scalar] = []
    if roots:
        _gather(roots[0], (), False, found)
    return found


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
