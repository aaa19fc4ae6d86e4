"""Extraction of a part of a YAML file as a file of its own, with its comments.

The lines of a block mapping are cut out and moved to the left margin. What cannot be cut (flow style, an alias whose
anchor is elsewhere) is written again from its data, without comments.
"""

from __future__ import annotations

from halgit.pipeline import Path, Value
from halgit.yaml.editor import edit
from halgit.yaml.emitter import dump
from halgit.yaml.locator import find_nodes
from halgit.yaml.parser import Node, compose
from halgit.yaml.reader import read


def extract(text: bytes, document: int, path: Path) -> bytes:
    """Return the value at a path of one document as a file; as a block of text if the value is a string."""
    data = read(text, "", many=True).documents[document]
    for step in path:
        data = data[step]
    if isinstance(data, str):
        return data.encode("utf-8")
    trail = find_nodes(compose(text).roots[document], path)
    cut = _cut(text.decode("utf-8").removeprefix("\ufeff"), trail) if trail else None
    if cut is not None and _means(cut, data):
        return cut
    return dump(data)


def prepend_item(text: bytes, path: Path, item: dict[str, Value]) -> bytes:
    """Insert a mapping of one scalar before the first item of a list. Comments are kept in a block list."""
    trail = find_nodes(compose(text).roots[0], path)
    node, whole = trail[-1], text.decode("utf-8")
    if node.flow or whole[node.start.index : node.start.index + 1] != "-":
        data = read(text, "").data
        for step in path:
            data = data[step]
        return edit(text, path, [item, *data])
    line = f"- {dump(item).decode().strip()}\n" + " " * (node.start.column - 1)
    return (whole[: node.start.index] + line + whole[node.start.index :]).encode("utf-8")


def _cut(text: str, trail: list[Node]) -> bytes | None:
    node = trail[-1]
    if node.kind != "mapping" or node.flow or node.anchor:
        return None
    lines = text.splitlines(keepends=True)
    column = node.start.column - 1
    first = _first_line(lines, node, trail[-2] if len(trail) > 1 else None)
    cut = []
    for line in lines[first : _end_line(lines, node)]:
        indentation = len(line) - len(line.lstrip(" "))
        cut.append(line[min(column, indentation) :] if line.strip() else "\n")
    return ("".join(cut).rstrip() + "\n").encode("utf-8")


def _first_line(lines: list[str], node: Node, parent: Node | None) -> int:
    """Return the index of the first line: that of the node, or of the comments directly above it."""
    first = node.start.line - 1
    column = node.start.column - 1
    while first > 0 and parent is not None:
        above = lines[first - 1]
        if not above.lstrip().startswith("#") or len(above) - len(above.lstrip(" ")) < column:
            break
        first -= 1
    return first


def _end_line(lines: list[str], node: Node) -> int:
    """Return the index after the last line: comments that are less indented belong to what follows."""
    last = node.end.line - 1 + (1 if node.end.column > 1 and lines[node.end.line - 1 : node.end.line] else 0)
    last = min(last, len(lines))
    column = node.start.column - 1
    while last > node.start.line:
        line = lines[last - 1]
        indentation = len(line) - len(line.lstrip(" "))
        if line.strip() and indentation >= column:
            break
        last -= 1
    return last


def _means(cut: bytes, data: Value) -> bool:
    again = read(cut, "")
    return not again.findings and dump(again.data) == dump(data)
