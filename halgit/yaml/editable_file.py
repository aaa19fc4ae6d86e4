"""A YAML file whose block collections are changed entry by entry, as replacements of ranges of its text.

Every byte outside a replaced range stays: comments, quotes, order, anchors. The caller reads the result again and
refuses it if it does not mean what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from halgit.pipeline import MISSING, AbsentType, Path, Value
from halgit.yaml.emitter import dump
from halgit.yaml.locator import get_key_text
from halgit.yaml.parser import Node, compose
from halgit.yaml.scalar_writer import EditError, ScalarWriter

_COLLECTIONS = (dict, list)


class Splice(NamedTuple):
    """A range of characters of a file and the text that replaces it."""

    start: int
    end: int
    text: str


class EditableFile:
    """A file and its nodes, with the edits of one collection entry."""

    def __init__(self, text: bytes) -> None:
        self._text = text.decode("utf-8")
        self._end = "\r\n" if "\r\n" in self._text else "\n"
        roots = compose(text).roots
        self.root = roots[0] if roots else None

    def node(self, path: Path) -> Node | None:
        """Return the node at a path. Aliases are not followed, since their target is elsewhere in the file."""
        node = self.root
        for step in path:
            if node is None:
                return None
            if node.kind == "sequence" and isinstance(step, int):
                node = node.items[step] if step < len(node.items) else None
            elif node.kind == "mapping":
                node = next((value for key, value in node.pairs() if get_key_text(key) == step), None)
            else:
                return None
        return node

    def apply(self, splices: Iterable[Splice]) -> bytes:
        """Return the text with these ranges replaced. Of two insertions at one place the later one comes first."""
        text = self._text
        for start, end, new in sorted(splices, key=lambda one: one[:2], reverse=True):
            text = text[:start] + new + text[end:]
        return text.encode("utf-8")

    def rewrite(self, data: Value) -> Splice:
        """Rewrite the document. The text before and after it stays."""
        if self.root is None or self.root.end.index == self.root.start.index:
            glue = "" if not self._text or self._text.endswith("\n") else self._end
            return Splice(len(self._text), len(self._text), glue + self._lines(dump(data), 0))
        return self._replaced(self.root.start.index, self._last(self.root), self._lines(dump(data), 0))

    def put(self, parent: Node, step: str | int, value: Value | AbsentType) -> Splice:
        """Set or remove one entry of a block collection."""
        if parent.kind == "mapping":
            pairs = list(parent.pairs())
            number = next((n for n, (key, _) in enumerate(pairs) if get_key_text(key) == step), None)
            if number is None:
                return self.append(parent, {step: value})
            key, old = pairs[number]
            following = pairs[number + 1][0] if number + 1 < len(pairs) else None
            return self._entry(key, old, {step: value}, following)
        assert isinstance(step, int)
        if step == len(parent.items):
            return self.append(parent, [value])
        item = parent.items[step]
        if value is MISSING:
            return self._cut(self._text.rfind("-", 0, item.start.index), item, None)
        if item.kind == "scalar" and item.end.index > item.start.index and not isinstance(value, _COLLECTIONS):
            return self._spliced(item, value)
        pad = max(0, item.start.column - 3)
        lines = self._lines(dump([value]), pad)[pad:].removeprefix("- ")
        return self._replaced(item.start.index, self._last(item), lines)

    def _entry(self, key: Node, old: Node, pair: dict[str | int, Value], following: Node | None) -> Splice:
        ((_, value),) = pair.items()
        if value is MISSING:
            return self._cut(key.start.index, old, following)
        if old.kind == "scalar" and old.end.index > old.start.index and not isinstance(value, _COLLECTIONS):
            return self._spliced(old, value)
        pad = key.start.column - 1
        return self._replaced(
            key.start.index, max(self._last(old), key.end.index + 1), self._lines(dump(pair), pad)[pad:]
        )

    def _spliced(self, node: Node, value: Value) -> Splice:
        return Splice(node.start.index, node.end.index, ScalarWriter(self._text, node, flow=False).write(value))

    def append(self, parent: Node, data: Value) -> Splice:
        """Append entries to a block collection, before the comments that follow it."""
        pad = parent.start.column - 1
        end = self._line_end(self._last(parent))
        glue = "" if self._text[:end].endswith("\n") else self._end
        return Splice(end, end, glue + self._lines(dump(data), pad))

    def cut_leading(self, parent: Node, kept: Node) -> Splice | None:
        """Remove the keys before `kept` if the first one shares its line with a dash; None if it does not."""
        start = parent.items[0].start.index
        line = self._text.rfind("\n", 0, start) + 1
        return Splice(start, kept.start.index, "") if self._text[line:start].strip() else None

    def _cut(self, start: int, node: Node, following: Node | None) -> Splice:
        """Delete the entry that begins at `start`, with its lines if they contain nothing else."""
        line = self._text.rfind("\n", 0, start) + 1
        if not self._text[line:start].strip():
            return Splice(line, self._line_end(self._last(node)), "")
        if following is None:
            raise EditError("The entry shares its line with another entry.")
        return Splice(start, following.start.index, "")

    def _replaced(self, start: int, end: int, lines: str) -> Splice:
        """Replace a range. A comment after it stays after a single line, or moves above several lines."""
        lines = lines.removesuffix(self._end)
        rest = self._text[end : self._line_end(end)]
        comment = rest.strip()
        if comment and self._end in lines:
            line = self._text.rfind("\n", 0, start) + 1
            pad = " " * (len(self._text[line:start]) - len(self._text[line:start].lstrip()))
            head = pad + comment + self._end + self._text[line:start]
            return Splice(line, self._line_end(end), head + lines + self._end)
        return Splice(start, end, lines)

    def _lines(self, dumped: bytes, pad: int) -> str:
        lines = dumped.decode().split("\n")
        return self._end.join(" " * pad + line if line else line for line in lines)

    def _line_end(self, index: int) -> int:
        """Return the index after the line break of this line."""
        if index and self._text[index - 1] == "\n":
            return index
        found = self._text.find("\n", index)
        return len(self._text) if found < 0 else found + 1

    def _last(self, node: Node) -> int:
        """Return where the content of a node ends. libyaml ends block nodes at the token that follows them."""
        if node.kind in {"mapping", "sequence"} and not node.flow and node.items:
            return max(self._last(node.items[-1]), node.items[-2].end.index + 1 if node.kind == "mapping" else 0)
        if node.style in {"|", ">"}:
            return node.start.index + len(self._text[node.start.index : node.end.index].rstrip())
        return node.end.index
