"""Positions of values in a YAML file. Computed on request by parsing the file again; never kept with the values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from halgit.pipeline import Path, Position
from halgit.record import Record
from halgit.yaml.constructor import Constructor
from halgit.yaml.parser import Node, Pair, compose
from halgit.yaml.source_text import FindingCollector


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
    """Return the positions of many values with one parse. Unknown paths are skipped."""
    roots = compose(text).roots
    found: dict[Path, Position] = {}
    known: KeyIndex = {}
    for path in paths:
        node = _follow(roots[0], path, keys, known) if roots else None
        if node is not None:
            found[path] = Position(node.start.line, node.start.column)
    return found


def _follow(node: Node | None, path: Path, want_key: bool, known: KeyIndex) -> Node | None:
    trail = find_nodes(node, path, want_key=want_key, known=known)
    return trail[-1] if trail else None


KeyIndex: TypeAlias = "dict[Node, dict[str | int, Pair]]"
"""The pairs of mappings by their keys, so that looking up many paths takes time for each mapping only once."""


def find_nodes(node: Node | None, path: Path, *, want_key: bool = False, known: KeyIndex | None = None) -> list[Node]:
    """Return the nodes from the root to the value at a path, or to its key; empty for an unknown path.

    `known` is shared by several calls for the same document.
    """
    known = {} if known is None else known
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
            if node not in known:
                known[node] = {get_key_text(pair[0]): pair for pair in node.pairs()}
            found = known[node].get(step)
            if found is not None:
                below = found[0] if want_key and depth == len(path) - 1 else found[1]
        if below is None:
            return []
        node = below
        trail.append(node)
    return trail


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
