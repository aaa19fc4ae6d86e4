"""JSON pointers whose segments can also pick a list item by one of its values: `/accounts/[name=prod]/context`.

RFC 6901, with `[key=value]` segments beside positions and `-`. Knows nothing of operations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Pick:
    """A segment in brackets: the list item whose `key` (dotted where it lies deeper) reads `value`.

    `text` is the segment as it was written: in a mapping it is a key like any other.
    """

    key: str
    value: str
    text: str


Segment: TypeAlias = str | Pick

_SEGMENT = re.compile(r"/(\[[^\[\]=/]+=.*?\](?=/|$)|[^/]*)", re.DOTALL)
_PICK = re.compile(r"\[([^\[\]=/]+)=(.*)\]", re.DOTALL)
_BAD_ESCAPE = re.compile(r"~(?![01])")


def parse(text: str) -> tuple[Segment, ...] | None:
    """The segments of a pointer; None where it is none: no `/` at its head, or a `~` that escapes nothing.

    In brackets `/` and `]` may stand as they are; only `]/` inside a value needs its slash written as `~1`.
    """
    if text == "":
        return ()
    if not text.startswith("/") or _BAD_ESCAPE.search(text):
        return None
    return tuple(map(_segment, _SEGMENT.findall(text)))


def _segment(text: str) -> Segment:
    plain = text.replace("~1", "/").replace("~0", "~")
    picked = _PICK.fullmatch(text)
    if picked is None:
        return plain
    key, value = (part.replace("~1", "/").replace("~0", "~") for part in picked.groups())
    return Pick(key, value, plain)
