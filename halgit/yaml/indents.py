"""Lines that are indented wrongly, as causes of a text that does not parse."""

from __future__ import annotations

import re
from typing import Final

from halgit.yaml.stop import Cause, Stop

_KEY: Final = re.compile(r"\s*(?:- +)*(?:\"([^\"]*)\"|'([^']*)'|([^\s#\"'\[{][^:#]*)):(?:\s|$)")
_EMPTY: Final = re.compile(r"\s*(?:- +)*([\w.-]+):\s*(?:\[\]|\{\})\s*(?:#.*)?")
_ITEM: Final = re.compile(r" *-(?:\s|$)")
_BEGINS: Final = re.compile(r" *((?:- +)*)")


def indent_of(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def columns_of(stop: Stop) -> tuple[set[int], set[int]]:
    """The columns at which lines above begin that this line could go on: of items, and of keys."""
    items: set[int] = set()
    keys: set[int] = set()
    number, least = stop.above(), 1 << 30
    while number:
        line = stop.text.line(number)
        if indent_of(line) < least:
            least = indent_of(line)
            dashes = [at for at, char in enumerate(_dashes(line)) if char == "-"]
            items.update(at + 1 for at in dashes)
            keys.add(len(_dashes(line)) + 1)
        number = stop.above(number)
    return items, keys


def _dashes(line: str) -> str:
    found = _BEGINS.match(line)
    return found.group() if found else ""


def lost_parent(stop: Stop) -> Cause | None:
    """Lines indented below `accounts: []`, which has its value already."""
    line, above = stop.text.line(stop.mark.line), stop.text.line(stop.above())
    match = _EMPTY.fullmatch(above)
    if not match or indent_of(line) <= indent_of(above):
        return None
    message = f"this line is indented below {match.group(1)} (line {stop.above()}), which is empty already."
    hint = "Put back the line of its parent, which was lost, or take the [] or {} out."
    return Cause("parent", stop.at(stop.mark.line, indent_of(line) + 1), message, hint)


def stray_blank(stop: Stop) -> Cause | None:
    """A blank before a key that belongs to the root."""
    line = stop.text.line(stop.mark.line)
    first = next((number for number in range(1, stop.mark.line) if _is_content(stop.text.line(number))), 0)
    start = indent_of(stop.text.line(first)) if first else 0
    if "<document start>" in stop.problem and start > indent_of(line):
        message = f"the first key is indented by {start}, and the one on line {stop.mark.line} is not."
        return Cause("indentation", stop.at(first, 1), message, "Take out the blanks before it.")
    key = _KEY.match(line)
    if key and first and indent_of(line) == 1 and start == 0 and not _ITEM.match(line):
        message = f"a stray blank stands before {_name(key)}, and it is neither beside nor below the key above."
        return Cause("indentation", stop.at(stop.mark.line, 1), message, "Take the blank out.")
    return None


def _is_content(line: str) -> bool:
    words = line.strip()
    return bool(words) and words[0] not in "#%" and words != "---"


def _name(key: re.Match[str]) -> str:
    return f"the key {(key.group(1) or key.group(2) or key.group(3) or '').strip()}"


def off_by_columns(stop: Stop, columns: tuple[set[int], set[int]]) -> Cause | None:
    """A line that begins in a column in which nothing above it begins."""
    line = stop.text.line(stop.mark.line)
    item, key = _ITEM.match(line), _KEY.match(line)
    if not (item or key) or not stop.above():
        return None
    column = indent_of(line) + 1
    fitting = columns[0] or columns[1] if item else columns[1]
    what = "this item" if item or key is None else _name(key)
    if column in fitting:
        return None
    mark = stop.at(stop.mark.line, column)
    near = next((one for one in sorted(fitting, reverse=True) if abs(one - column) == 1), None)
    if near:
        message = f"{what} begins one column too far to the {'right' if near < column else 'left'}."
        return Cause("indentation", mark, message, f"Move it to column {near}, where its neighbours begin.")
    where = f"column{'s' if len(fitting) > 1 else ''} {' and '.join(str(one) for one in sorted(fitting))}"
    message = f"{what} begins in column {column}; what stands above, and it could go on, begins in {where}."
    hint = "Indent it as its neighbours, or put back the line of its parent."
    return Cause("indentation", mark, message, hint)
