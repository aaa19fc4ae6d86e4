"""Columns for people: aligned, without borders, the same on a terminal and in a log."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "") -> str:
    """Rows under a head, each column as wide as its widest cell; the last one is not padded."""
    cells = [list(head), *[list(row) for row in rows]] if any(head) else [list(row) for row in rows]
    widths = [max(len(row[number]) for row in cells) for number in range(len(head))] if cells else []
    lines = []
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append((indent + "  ".join([*padded, row[-1]])).rstrip())
    return "\n".join(lines)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
