"""Extraction of a part of a YAML file as a file of its own, with its comments.

The lines of a block mapping are cut out and moved to the left margin. What cannot be cut (flow style, an alias whose
anchor is elsewhere) is written again from its data, without comments.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

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
    root = compose(text).roots[document]
    trail = find_nodes(root, path)
    keys = find_nodes(root, path, want_key=True) if path and isinstance(path[-1], str) else []
    cut = _cut(text.decode("utf-8").removeprefix("\ufeff"), trail, keys[-1] if keys else None) if trail else None
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


def prepend_keys(text: bytes, path: Path, values: Mapping[str, Value]) -> bytes:
    """Insert keys before the first key of a mapping, and before the comments above that. It must not have the keys."""
    trail = find_nodes(compose(text).roots[0], path)
    key = find_nodes(compose(text).roots[0], path, want_key=True)[-1]
    node, whole = trail[-1], text.decode("utf-8")
    if node.flow or node.start.line == key.start.line:
        old = read(text, "").data
        for step in path:
            old = old[step]
        return edit(text, path, {**values, **old})
    start = whole.index("\n", key.end.index) + 1
    pad = " " * (node.start.column - 1)
    lines = "".join(pad + line for line in dump(dict(values)).decode().splitlines(keepends=True))
    return (whole[:start] + lines + whole[start:]).encode("utf-8")


def rename_key(text: bytes, path: Path, name: str) -> bytes:
    """Rename the key at the end of a path. Its value stays where it is, with its comments."""
    trail = find_nodes(compose(text).roots[0], path, want_key=True)
    whole = text.decode("utf-8")
    start, end = trail[-1].start.index, trail[-1].end.index
    return (whole[:start] + dump(name).decode().strip() + whole[end:]).encode("utf-8")


def list_comments(text: bytes) -> list[tuple[int, str]]:
    """List the comments of all documents, each with its line, counted from 1, and its text from the `#`."""
    whole = text.decode("utf-8").removeprefix("\ufeff")
    taken = [one for root in compose(text).roots for one in _scalar_ranges(root)]
    found, at, line = [], 0, 1
    for one in re.finditer(r"(?:^|(?<=[ \t]))#[^\n]*", whole, re.MULTILINE):
        if any(start < one.start() < end for start, end in _near(taken, one.start())):
            continue
        line += whole.count("\n", at, one.start())
        at = one.start()
        found.append((line, one.group().rstrip()))
    return found


def _near(ranges: list[tuple[int, int]], index: int) -> list[tuple[int, int]]:
    """Return the last range that begins before an index."""
    position = bisect_left(ranges, (index, 0))
    return ranges[max(0, position - 1) : position]


def _scalar_ranges(node: Node) -> Iterator[tuple[int, int]]:
    """Yield where each scalar begins and ends; a block scalar begins after its header, which may have a comment."""
    if node.kind == "scalar":
        header = 0 if node.style not in ("|", ">") else 1
        yield node.start.index + header, node.end.index
    for one in node.items:
        yield from _scalar_ranges(one)


def _cut(text: str, trail: list[Node], key: Node | None) -> bytes | None:
    node = trail[-1]
    if node.kind != "mapping" or node.flow or node.anchor:
        return None
    lines = text.splitlines(keepends=True)
    column = node.start.column - 1
    first = node.start.line - 1
    is_item = len(trail) > 1 and trail[-2].kind == "sequence"
    if is_item:
        lines[first] = " " * column + lines[first][column:]
    elif key is not None and key.start.line == node.start.line:
        return None
    start = first if is_item or key is None else key.start.line
    above = _comments_of_key(lines, key, text) if key is not None and not is_item else []
    cut = [*above, *(_without_indentation(line, column) for line in lines[start : _end_line(lines, node)])]
    return ("".join(cut).strip("\n").rstrip() + "\n").encode("utf-8")


def _without_indentation(line: str, column: int) -> str:
    indentation = len(line) - len(line.lstrip(" "))
    return line[min(column, indentation) :] if line.strip() else "\n"


def _comments_of_key(lines: list[str], key: Node, text: str) -> list[str]:
    """Return the comments above a key, up to a line that is more indented, and the one behind it."""
    column, first = key.start.column - 1, key.start.line - 1
    start = first
    while start > 0:
        above = lines[start - 1]
        if above.strip() and (not above.lstrip().startswith("#") or len(above) - len(above.lstrip(" ")) > column):
            break
        start -= 1
    found = [line.lstrip(" ") if line.strip() else "\n" for line in lines[start:first]]
    behind = lines[first][key.end.column :].strip()
    return [*found, *([behind + "\n"] if behind.startswith("#") else [])]


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
