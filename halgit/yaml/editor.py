"""Edits of YAML files that people maintain. Every other byte stays: comments, quotes, order, anchors.

`edit` sets or removes the value at a path and writes new values in block style with the surrounding indentation. The
result is read again: an edit that would change anything else is refused. `replace_scalars` replaces scalars where they
are. A new scalar keeps the style of the old one if that style can express it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, AbsentType, Path, PlainScalar, Value
from halgit.redaction import Secret, SecretText
from halgit.yaml.emitter import dump, format_block, is_plain, is_printable, quote_double, quote_single
from halgit.yaml.locator import KeyIndex, find_nodes, get_key_text
from halgit.yaml.parser import Node, compose, find_content_start
from halgit.yaml.reader import read

_COLLECTIONS: Final = (dict, list)


class EditError(ValueError):
    """The path cannot be changed without changing another value, or the file cannot be edited."""


def edit(text: bytes, path: Path, value: Value | AbsentType) -> bytes:
    """Set the value at a path, or remove it if `value` is MISSING. Returns the new file.

    The length of a list as last step appends. AbsentType parents are created. Raises EditError for a file that does not
    parse or has several documents, a path through a scalar, and an edit that would change anything else.
    """
    before = read(text, "")
    if before.findings:
        raise EditError(before.findings[0].message)
    return edit_parsed(text, before.data, path, value)[0]


def edit_parsed(text: bytes, data: Value, path: Path, value: Value | AbsentType) -> tuple[bytes, Value]:
    """Do as `edit` for a file whose data is known already; returns its data afterwards, too."""
    if value is MISSING and _at(data, path[:-1]) == apply_change(_at(data, path[:-1]), path[-1:], MISSING):
        raise EditError("Nothing to remove at this path.")
    wanted = apply_change(data, path, value)
    after = _edited(text, data, path, value) if path else dump(value)
    again = read(after, "")
    if again.findings or dump(again.data) != dump(wanted):
        raise EditError("This edit would also change other values of the file.")
    return after, again.data


def apply_change(data: Value, path: Path, value: Value | AbsentType) -> Value:
    """Return the data with the value at a path set or removed. The argument is not changed."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    data = ({} if isinstance(step, str) else []) if data is None else data
    if isinstance(data, dict) and isinstance(step, str):
        below = apply_change(data.get(step), rest, value) if rest else value
        if below is MISSING:
            return {key: one for key, one in data.items() if key != step}
        return {**data, step: below}
    if isinstance(data, list) and isinstance(step, int) and step <= len(data):
        here = data[step] if step < len(data) else None
        below = apply_change(here, rest, value) if rest else value
        return [*data[:step], *([] if below is MISSING else [below]), *data[step + 1 :]]
    raise EditError(f"The path step {step} does not exist.")


def _edited(text: bytes, data: Value, path: Path, value: Value | AbsentType) -> bytes:
    """Make the change as deep in the text as possible; a flow collection is rewritten as a whole."""
    file = _EditableFile(text)
    for depth in range(len(path), 0, -1):
        here, rest = path[:depth], path[depth:]
        parent = file.node(here[:-1])
        if parent is None or parent.flow or parent.kind not in {"mapping", "sequence"}:
            continue
        new = apply_change(_at(data, here), rest, value)
        if new is MISSING and len(_at(data, here[:-1])) == 1:
            return _edited(text, data, here[:-1], [] if parent.kind == "sequence" else {})
        return file.put(parent, here[-1], new)
    return file.rewrite(apply_change(data, path, value))


def _at(data: Value, path: Path) -> Value:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        else:
            data = data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None
    return data


class _EditableFile:
    """A file and its nodes, with the edits of one collection entry."""

    def __init__(self, text: bytes) -> None:
        self._bytes = text
        self._text = text.decode("utf-8")
        self._end = "\r\n" if "\r\n" in self._text else "\n"
        roots = compose(text).roots
        self._root = roots[0] if roots else None

    def node(self, path: Path) -> Node | None:
        """Return the node at a path. Aliases are not followed, since their target is elsewhere in the file."""
        node = self._root
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

    def rewrite(self, data: Value) -> bytes:
        """Rewrite the document. The text before and after it stays."""
        if self._root is None or self._root.end.index == self._root.start.index:
            head = self._text if not self._text or self._text.endswith("\n") else self._text + self._end
            return (head + self._lines(dump(data), 0)).encode()
        return self._replaced(self._root.start.index, self._last(self._root), self._lines(dump(data), 0))

    def put(self, parent: Node, step: str | int, value: Value | AbsentType) -> bytes:
        """Set or remove one entry of a block collection."""
        if parent.kind == "mapping":
            pairs = list(parent.pairs())
            number = next((n for n, (key, _) in enumerate(pairs) if get_key_text(key) == step), None)
            if number is None:
                return self._append(parent, {step: value})
            key, old = pairs[number]
            following = pairs[number + 1][0] if number + 1 < len(pairs) else None
            return self._entry(key, old, {step: value}, following)
        assert isinstance(step, int)
        if step == len(parent.items):
            return self._append(parent, [value])
        item = parent.items[step]
        if value is MISSING:
            return self._cut(self._text.rfind("-", 0, item.start.index), item, None)
        if item.kind == "scalar" and item.end.index > item.start.index and not isinstance(value, _COLLECTIONS):
            return self._spliced(item, value)
        pad = max(0, item.start.column - 3)
        lines = self._lines(dump([value]), pad)[pad:].removeprefix("- ")
        return self._replaced(item.start.index, self._last(item), lines)

    def _entry(self, key: Node, old: Node, pair: dict[str | int, Value], following: Node | None) -> bytes:
        ((_, value),) = pair.items()
        if value is MISSING:
            return self._cut(key.start.index, old, following)
        if old.kind == "scalar" and old.end.index > old.start.index and not isinstance(value, _COLLECTIONS):
            return self._spliced(old, value)
        pad = key.start.column - 1
        return self._replaced(
            key.start.index, max(self._last(old), key.end.index + 1), self._lines(dump(pair), pad)[pad:]
        )

    def _spliced(self, node: Node, value: Value) -> bytes:
        path = self._path(self._root, node, ())
        assert path is not None
        return replace_scalars(self._bytes, {path: value})

    def _path(self, node: Node | None, wanted: Node, here: Path) -> Path | None:
        if node is wanted:
            return here
        if node is None or node.kind not in {"mapping", "sequence"}:
            return None
        below = (
            ((get_key_text(key), value) for key, value in node.pairs())
            if node.kind == "mapping"
            else enumerate(node.items)
        )
        return next(
            (found for step, one in below if (found := self._path(one, wanted, (*here, step))) is not None), None
        )

    def _append(self, parent: Node, data: Value) -> bytes:
        """Append an entry to a block collection, before the comments that follow it."""
        pad = parent.start.column - 1
        end = self._line_end(self._last(parent))
        head = self._text[:end]
        glue = "" if head.endswith("\n") else self._end
        return (head + glue + self._lines(dump(data), pad) + self._text[end:]).encode()

    def _cut(self, start: int, node: Node, following: Node | None) -> bytes:
        """Delete the entry that begins at `start`, with its lines if they contain nothing else."""
        line = self._text.rfind("\n", 0, start) + 1
        if not self._text[line:start].strip():
            return (self._text[:line] + self._text[self._line_end(self._last(node)) :]).encode()
        if following is None:
            raise EditError("The entry shares its line with another entry.")
        return (self._text[:start] + self._text[following.start.index :]).encode()

    def _replaced(self, start: int, end: int, lines: str) -> bytes:
        """Replace a range. A comment after it stays after a single line, or moves above several lines."""
        lines = lines.removesuffix(self._end)
        rest = self._text[end : self._line_end(end)]
        comment = rest.strip()
        if comment and self._end in lines:
            line = self._text.rfind("\n", 0, start) + 1
            pad = " " * (len(self._text[line:start]) - len(self._text[line:start].lstrip()))
            head = self._text[:line] + pad + comment + self._end + self._text[line:start]
            return (head + lines + self._end + self._text[self._line_end(end) :]).encode()
        return (self._text[:start] + lines + self._text[end:]).encode()

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


_ANCHOR: Final = lazy_pattern(r"(?:!\S*\s+)*(&\S+)")
_SAFE_IN_FLOW: Final = lazy_pattern(r"[A-Za-z0-9_./(^$+~;=@&*!|-][^,\[\]{}?\"'`#]*")
_HEADER: Final = lazy_pattern(r"([|>])([-+0-9]*)[ \t]*(#[^\r\n]*)?(\r\n|\r|\n)?")
_BREAKS_AT_END: Final = lazy_pattern(r"(?:(?:\r\n|\r|\n)[ ]*)*\Z")
_DASHES: Final = lazy_pattern(r" *(?:- +)*")


def replace_scalars(text: bytes, changes: Mapping[Path, Value], *, opened: bool = False) -> bytes:
    """Replace scalars by path, each with a scalar of exactly that value. Raises KeyError for an unknown path."""
    whole = text.decode("utf-8")
    mark = whole[:1] == "\ufeff"
    whole = whole.removeprefix("\ufeff")
    roots = compose(text).roots
    places = []
    known: KeyIndex = {}
    for path, value in changes.items():
        trail = find_nodes(roots[0], path, known=known) if roots else []
        if not trail or trail[-1].kind != "scalar":
            raise KeyError(path)
        places.append((trail[-1], any(above.flow for above in trail), value))
    for node, flow, value in sorted(places, key=lambda each: each[0].start.index, reverse=True):
        if isinstance(value, (Secret, SecretText)):
            if not opened:
                raise TypeError("a secret must be opened before it is written")
            value = value.open()
        written = _ScalarWriter(whole, node, flow).write(value)
        whole = whole[: node.start.index] + written + whole[node.end.index :]
    return ("\ufeff" * mark + whole).encode("utf-8")


def replace_in_documents(text: bytes, changes: Mapping[tuple[int, Path], Value]) -> list[str | Secret]:
    """Replace scalars in a file of several documents, each named by the number of its document and its path.

    Returns the parts of the new text. A scalar with a secret value becomes a `Secret` as a whole, quotes included.
    """
    whole = text.decode("utf-8")
    parts: list[str | Secret] = ["\ufeff" * (whole[:1] == "\ufeff")]
    whole = whole.removeprefix("\ufeff")
    roots, done = compose(text).roots, 0
    found: dict[int, tuple[Node, bool, Value]] = {}
    known: KeyIndex = {}
    for (number, path), value in changes.items():
        trail = find_nodes(roots[number], path, known=known)
        if any(above.kind == "alias" for above in trail):
            continue  # the anchor's own path replaces the value
        found.setdefault(trail[-1].start.index, (trail[-1], any(above.flow for above in trail), value))
    for start, (node, flow, value) in sorted(found.items()):
        writer = _ScalarWriter(whole, node, flow)
        is_secret = isinstance(value, (Secret, SecretText))
        written: str | Secret = Secret(writer.write(value.open()), str(path)) if is_secret else writer.write(value)
        parts += [whole[done:start], written]
        done = node.end.index
    return [*parts, whole[done:]]


class _ScalarWriter:
    """One scalar of a file, and how another value is written in its place."""

    def __init__(self, whole: str, node: Node, flow: bool) -> None:
        self._whole = whole
        self._node = node
        self._flow = flow
        self._begin = find_content_start(whole, node)
        self._old = whole[self._begin : node.end.index]

    def write(self, value: Value) -> str:
        """Return the new text from the start of the node to its end."""
        anchor = _ANCHOR.match(self._whole, self._node.start.index, self._begin)
        head = f"{anchor.group(1)} " if anchor else self._lead()
        if self._node.style in {"|", ">"}:
            return head + self._for_block(value)
        return head + self._on_one_line(value)

    def _lead(self) -> str:
        """Return what must precede the value of an empty node: the space after the colon, or the colon."""
        if self._node.start.index != self._node.end.index:
            return ""
        before = self._whole[: self._node.start.index]
        if before.endswith((":", "-")):
            return " "
        return ": " if self._flow and not before.rstrip().endswith((":", ",", "[")) else ""

    def _on_one_line(self, value: Value) -> str:
        if not isinstance(value, str) or isinstance(value, PlainScalar):
            return dump(value).decode().rstrip("\n")
        text = str(value)
        if self._node.style == "" and is_plain(text) and (not self._flow or _fits_in_flow(text)):
            return text
        return quote_double(text) if self._node.style == '"' or not is_printable(text) else quote_single(text)

    # --- blocks ---

    def _for_block(self, value: Value) -> str:
        header = _HEADER.match(self._old)
        comment = f" {header.group(3)}" if header and header.group(3) else ""
        line_break = header.group(4) if header and header.group(4) else "\n"
        tail = _tail(self._old)
        new = self._block(value)
        if new is None:
            return self._on_one_line_of_block(value) + comment + tail
        first, _, rest = new.partition("\n")
        if first.endswith("+"):
            tail = "\n"
        elif not tail and isinstance(value, str) and value.endswith("\n"):
            tail = line_break
        return (f"{first}{comment}\n{rest}{tail}").replace("\r\n", "\n").replace("\n", line_break)

    def _on_one_line_of_block(self, value: Value) -> str:
        return (
            quote_double(str(value))
            if isinstance(value, str) and not isinstance(value, PlainScalar)
            else self._on_one_line(value)
        )

    def _block(self, value: Value) -> str | None:
        """Return the value as a block scalar at the current indentation; None if a block cannot express it."""
        if not isinstance(value, str) or isinstance(value, PlainScalar) or not value.strip("\n") or self._flow:
            return None
        new = format_block(str(value), self._pad())
        if new[0] != "|" or new[1] == "2":
            return None
        folds = self._node.style == ">" and not re.search(r"^[ \t]", value, re.MULTILINE)
        return _folded(new) if folds else new

    def _pad(self) -> str:
        """Return the indentation of the block's lines, or a fitting one if it has no lines."""
        lines = self._old.splitlines()[1:]
        content = next((line for line in self._node.text.split("\n") if line.strip(" ")), None)
        line = next((line for line in lines if line.strip(" ")), None)
        if content is not None and line is not None:
            return " " * (_count_spaces(line) - _count_spaces(content))
        start = self._whole.rfind("\n", 0, self._begin) + 1
        dashes = _DASHES.match(self._whole, start)
        return " " * (len(dashes.group() if dashes else "") + 2)


def _count_spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _tail(old: str) -> str:
    """Return the line breaks and blank lines at the end of a block."""
    found = _BREAKS_AT_END.search(old)
    return found.group() if found else ""


def _folded(literal: str) -> str:
    """Convert a literal block without indented lines to a folded one, which doubles each inner line break."""
    header, _, body = literal.partition("\n")
    inner = body.rstrip("\n")
    return f">{header[1:]}\n" + re.sub(r"\n+", lambda breaks: breaks.group() + "\n", inner) + body[len(inner) :]


def _fits_in_flow(text: str) -> bool:
    """Return whether a plain scalar of block style is also plain inside a flow collection."""
    return bool(_SAFE_IN_FLOW.fullmatch(text)) and not re.search(r":(?![A-Za-z0-9_/])", text)
