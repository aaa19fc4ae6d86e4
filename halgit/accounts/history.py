"""The history that a store without commits has: the newest changes, stored with the accounts in one object. Pure.

S3 and Vault replace an object as a whole, so that a change and its line of history are written together or not at all.
In a file the lines are comments, which Spring does not read; in a secret they are the field `halgit.history`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from halgit.record import Record
from halgit.remotes.git.push import LogEntry

LARGEST: Final = 64 * 1024
"""Bytes of history that an object holds; older lines are dropped."""

_LINE: Final = b"#: {"
_SECTION, _FIELD = "halgit", "history"


class Line(Record):
    """One write: `id` is unique, so that a writer whose answer was lost finds its own; `revision` is what it led to."""

    id: str
    date: str
    message: str
    revision: str

    def as_entry(self) -> LogEntry:
        """Return it as git would report it."""
        return LogEntry(self.revision, "", self.date, self.message)


def split_file(text: bytes) -> tuple[bytes, tuple[Line, ...]]:
    """Return a file without its lines of history, and these, the oldest first."""
    if _LINE not in text:
        return text, ()
    rows = text.splitlines(keepends=True)
    lines = [line for row in rows if row.startswith(_LINE) and (line := _parse(row[2:].decode("utf-8", "replace")))]
    return b"".join(row for row in rows if not row.startswith(_LINE)), tuple(lines)


def join_file(text: bytes, lines: Sequence[Line]) -> bytes:
    """Return the file with its history at the end."""
    end = b"" if text.endswith(b"\n") or not text else b"\n"
    return text + end + b"".join(b"#: " + row.encode() + b"\n" for row in _rows(lines))


def split_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Line, ...]]:
    """Return the values of a secret without their history, and this, the oldest first."""
    section = values.get(_SECTION)
    if not isinstance(section, Mapping) or _FIELD not in section:
        return dict(values), ()
    lines = tuple(line for row in str(section[_FIELD]).splitlines() if (line := _parse(row)))
    others = {key: value for key, value in section.items() if key != _FIELD}
    return {key: others if key == _SECTION else value for key, value in values.items() if key != _SECTION or others}, (
        lines
    )


def join_values(values: Mapping[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
    """Return the values of a secret with their history."""
    section = values.get(_SECTION)
    others = dict(section) if isinstance(section, Mapping) else {}
    return {**values, _SECTION: {**others, _FIELD: "\n".join(_rows(lines))}}


def _rows(lines: Sequence[Line]) -> list[str]:
    """The newest lines as JSON in ASCII, which holds neither newlines nor `${`, at most LARGEST bytes of them."""
    rows: list[str] = []
    left = LARGEST
    for line in reversed(lines):
        row = json.dumps([line.id, line.date, line.message, line.revision]).replace("$", "\\u0024")
        row = f'{{"change": {row}}}'
        left -= len(row)
        if left < 0 and rows:
            break
        rows.append(row)
    return rows[::-1]


def _parse(row: str) -> Line | None:
    try:
        change = json.loads(row)["change"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(change, list) or len(change) != 4 or not all(isinstance(one, str) for one in change):
        return None
    return Line(*change)
