"""Tables for people: aligned columns without borders, wrapped to the width of a terminal. And counted nouns.

A cell is masked before it is wrapped or cut: a secret that is split over two lines would not be found any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

from halgit.annotations import Final
from halgit.record import Record

GAP = "  "
NARROWEST = 12
"""In columns: no cell is wrapped to less than this, or than its longest word."""


class Layout(Record):
    """The columns of the terminal (None: output to a file or pipe), and the function that masks secrets in a text."""

    columns: int | None = None
    clean: Callable[[str], str] = str

    def shorten(self, text: str, longest: int) -> str:
        """Mask a text, then cut it after `longest` characters."""
        masked = self.clean(text)
        return masked if len(masked) <= longest else f"{masked[:longest]}..."


PLAIN_LAYOUT: Final = Layout()


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "", layout: Layout = PLAIN_LAYOUT
) -> str:
    """Format rows below a head, each cell masked first; the last column is not padded.

    On a terminal the widest cells are wrapped until the table fits.
    """
    masked = [[layout.clean(cell) for cell in row] for row in rows]
    cells = [list(head), *masked] if any(head) else masked
    if not cells:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    if layout.columns:
        least = [max(NARROWEST, *(len(word) for row in cells for word in row[at].split())) for at in range(len(head))]
        widths = _fit(widths, least, layout.columns - len(indent) - len(GAP) * (len(widths) - 1))
    return "\n".join(line for row in cells for line in _lines(row, widths, indent))


def _fit(widths: list[int], least: list[int], available: int) -> list[int]:
    """Narrow the widest columns, none below its least width, until the sum of all fits if that is possible."""
    fitted = list(widths)
    while sum(fitted) > available:
        shrinkable = [column for column, width in enumerate(fitted) if width > least[column]]
        if not shrinkable:
            break
        fitted[max(shrinkable, key=fitted.__getitem__)] -= 1
    return fitted


def _lines(row: Sequence[str], widths: Sequence[int], indent: str) -> list[str]:
    wrapped = [_wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for parts in zip_longest(*wrapped, fillvalue=""):
        padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
        lines.append((indent + GAP.join(padded)).rstrip())
    return lines


def _wrap(cell: str, width: int) -> list[str]:
    if len(cell) <= width:
        return [cell]
    import textwrap

    # A long word stays whole, so that it can be copied.
    return textwrap.wrap(cell, width, break_on_hyphens=False, break_long_words=False)


def counted(number: int, singular: str, plural: str = "") -> str:
    """Format a number with its noun: `1 file`, `2 files`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
