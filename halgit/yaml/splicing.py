"""Replaces single scalars in a YAML text and leaves every other byte as it is.

A new scalar keeps the style of the old one where that style can say it: plain stays plain where no reader takes the
text for something else, quotes stay the same quotes, a block stays a block. Anchors and comments stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from halgit.pipeline import Path, Plain, Value
from halgit.redaction import Secret, Woven
from halgit.yaml.emitting import block, dump
from halgit.yaml.nodes import Node, compose, content_start
from halgit.yaml.places import follow
from halgit.yaml.quoting import double, is_plain, is_printable, single

_ANCHOR: Final = re.compile(r"(?:!\S*\s+)*(&\S+)")
_SAFE_IN_FLOW: Final = re.compile(r"[A-Za-z0-9_./(^$+~;=@&*!|-][^,\[\]{}?\"'`#]*")
_HEADER: Final = re.compile(r"([|>])([-+0-9]*)[ \t]*(#[^\r\n]*)?(\r\n|\r|\n)?")
_BREAKS_AT_END: Final = re.compile(r"(?:(?:\r\n|\r|\n)[ ]*)*\Z")
_DASHES: Final = re.compile(r" *(?:- +)*")


def splice(text: bytes, changes: Mapping[Path, Value], *, opened: bool = False) -> bytes:
    """The text with these scalars replaced. The new ones mean exactly the given values; KeyError for a lost path."""
    whole = text.decode("utf-8")
    mark = whole[:1] == "\ufeff"
    whole = whole.removeprefix("\ufeff")
    roots = compose(text).roots
    places = []
    for path, value in changes.items():
        trail = follow(roots[0], path) if roots else []
        if not trail or trail[-1].kind != "scalar":
            raise KeyError(path)
        places.append((trail[-1], any(above.flow for above in trail), value))
    for node, flow, value in sorted(places, key=lambda each: each[0].start.index, reverse=True):
        if isinstance(value, (Secret, Woven)):
            if not opened:
                raise TypeError("a secret is to be opened before it is written")
            value = value.open()
        written = _Place(whole, node, flow).written(value)
        whole = whole[: node.start.index] + written + whole[node.end.index :]
    return ("\ufeff" * mark + whole).encode("utf-8")


class _Place:
    """One scalar of a text, and how another is written in its place."""

    def __init__(self, whole: str, node: Node, flow: bool) -> None:
        self._whole = whole
        self._node = node
        self._flow = flow
        self._begin = content_start(whole, node)
        self._old = whole[self._begin : node.end.index]

    def written(self, value: Value) -> str:
        """What stands from the node's start to its end from now on."""
        anchor = _ANCHOR.match(self._whole, self._node.start.index, self._begin)
        head = f"{anchor.group(1)} " if anchor else self._lead()
        if self._node.style in {"|", ">"}:
            return head + self._for_block(value)
        return head + self._on_one_line(value)

    def _lead(self) -> str:
        """What must come first where nothing stood: the blank after the colon, or the colon."""
        if self._node.start.index != self._node.end.index:
            return ""
        before = self._whole[: self._node.start.index]
        if before.endswith((":", "-")):
            return " "
        return ": " if self._flow and not before.rstrip().endswith((":", ",", "[")) else ""

    def _on_one_line(self, value: Value) -> str:
        if not isinstance(value, str) or isinstance(value, Plain):
            return dump(value).decode().rstrip("\n")
        text = str(value)
        if self._node.style == "" and is_plain(text) and (not self._flow or _fits_in_flow(text)):
            return text
        return double(text) if self._node.style == '"' or not is_printable(text) else single(text)

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
            double(str(value)) if isinstance(value, str) and not isinstance(value, Plain) else self._on_one_line(value)
        )

    def _block(self, value: Value) -> str | None:
        """The value as a block at the indentation that is there; None where a block cannot say it."""
        if not isinstance(value, str) or isinstance(value, Plain) or not value.strip("\n") or self._flow:
            return None
        new = block(str(value), self._pad())
        if new[0] != "|" or new[1] == "2":
            return None
        folds = self._node.style == ">" and not re.search(r"^[ \t]", value, re.MULTILINE)
        return _folded(new) if folds else new

    def _pad(self) -> str:
        """The blanks before the lines of the block, or those that fit where it has no line yet."""
        lines = self._old.splitlines()[1:]
        said = next((line for line in self._node.text.split("\n") if line.strip(" ")), None)
        line = next((line for line in lines if line.strip(" ")), None)
        if said is not None and line is not None:
            return " " * (_blanks(line) - _blanks(said))
        start = self._whole.rfind("\n", 0, self._begin) + 1
        dashes = _DASHES.match(self._whole, start)
        return " " * (len(dashes.group() if dashes else "") + 2)


def _blanks(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _tail(old: str) -> str:
    """The line breaks, and lines of nothing but blanks, at the end of a block."""
    found = _BREAKS_AT_END.search(old)
    return found.group() if found else ""


def _folded(literal: str) -> str:
    """A literal block whose lines all begin with a character, as a folded one: each break between lines is doubled."""
    header, _, body = literal.partition("\n")
    inner = body.rstrip("\n")
    return f">{header[1:]}\n" + re.sub(r"\n+", lambda breaks: breaks.group() + "\n", inner) + body[len(inner) :]


def _fits_in_flow(text: str) -> bool:
    """Whether a text that is plain in block style is so inside brackets too."""
    return bool(_SAFE_IN_FLOW.fullmatch(text)) and not re.search(r":(?![A-Za-z0-9_/])", text)
