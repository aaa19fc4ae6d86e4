"""Dates as SnakeYAML reads them: a YAML 1.1 timestamp to Java's milliseconds since 1970.

Lenient like Java's calendar (month 13 is January of the next year, day 0 the last of the month before), Julian before
15 October 1582, and UTC where no zone is given or the zone is none. Pure; never asks the clock.
"""

from __future__ import annotations

import re
from typing import Final

_PARTS: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:Z|([-+]\d{1,2})(?::(\d\d))?))?)?",
    re.ASCII,
)
_DAY = 24 * 60 * 60 * 1000
_FIRST_GREGORIAN = -141427
"""15 October 1582, in days since 1970."""


def epoch_milliseconds(text: str) -> int:
    """Milliseconds since 1970 in UTC; raises ValueError for a text that is no YAML 1.1 timestamp."""
    match = _PARTS.fullmatch(text)
    if not match:
        raise ValueError("not a timestamp")
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    time = 0
    if match.group(4):
        hour, minute, second = (int(part) for part in match.group(4, 5, 6))
        time = ((hour * 60 + minute) * 60 + second) * 1000 + _milliseconds(match.group(6), match.group(7))
        time -= _zone(match.group(8), match.group(9))
    return _days(year, month, day) * _DAY + time


def _milliseconds(second: str, fraction: str | None) -> int:
    """Rounded the way Java does it, through a double."""
    if not fraction:
        return 0
    value = float(f"{second}.{fraction}")
    return int((value - int(value)) * 1000 + 0.5)


def _zone(hours: str | None, minutes: str | None) -> int:
    """The zone's offset in milliseconds; Java takes one that cannot be (hours over 23, minutes over 59) as UTC."""
    if hours is None:
        return 0
    shift, extra = int(hours[1:]), int(minutes or 0)
    if shift > 23 or extra > 59:
        return 0
    return (shift * 60 + extra) * 60_000 * (-1 if hours[0] == "-" else 1)


def _days(year: int, month: int, day: int) -> int:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    gregorian = _count(year, month, gregorian=True) + day - 1
    return gregorian if gregorian >= _FIRST_GREGORIAN else _count(year, month, gregorian=False) + day - 1


def _count(year: int, month: int, *, gregorian: bool) -> int:
    """Days from 1970 to the first of a month."""
    if month < 3:
        year, month = year - 1, month + 12
    leaps = year // 4 - year // 100 + year // 400 if gregorian else year // 4 - 2
    return 365 * year + leaps + (153 * (month - 3) + 2) // 5 - 719_468
