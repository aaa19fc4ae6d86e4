"""How a new value is written in the place of a scalar: in the style of the old one if that can express it."""

from __future__ import annotations

import re

from halgit.annotations import Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import PlainScalar, Value
from halgit.yaml.emitter import dump, format_block, is_plain, is_printable, quote_double, quote_single
from halgit.yaml.parser import Node, find_content_start

_ANCHOR: Final = lazy_pattern(r"(?:!\S*\s+)*(&\S+)")
_SAFE_IN_FLOW: Final = lazy_pattern(r"[A-Za-z0-9_./(^$+~;=@&*!|-][^,\[\]{}?\"'`#]*")
_HEADER: Final = lazy_pattern(r"([|>])([-+0-9]*)[ \t]*(#[^\r\n]*)?(\r\n|\r|\n)?")
_BREAKS_AT_END: Final = lazy_pattern(r"(?:(?:\r\n|\r|\n)[ ]*)*\Z")
_DASHES: Final = lazy_pattern(r" *(?:- +)*")


class EditError(ValueError):
    """An edit that would change something else, or after which the file could not be read; `hint` may be empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ScalarWriter:
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
