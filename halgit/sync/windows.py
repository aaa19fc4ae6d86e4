"""Maintenance windows: when a deploy may start. `Mon-Fri 09:00-17:00 Europe/Berlin`, as many as are needed. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from halgit.errors import UsageError
from halgit.lazy import lazy_pattern
from halgit.record import Record

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = lazy_pattern(
    r"(?:(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+)?(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)(?:\s+(?P<zone>\S+))?"
)
_HINT = "Write 'Mon-Fri 09:00-17:00 Europe/Berlin'; days and time zone may be omitted (every day, UTC)."


class Window(Record):
    """A time of day on some days of the week. One that ends before it starts ends on the next day."""

    text: str
    days: frozenset[int]
    start: time
    end: time
    zone: tzinfo

    def is_open(self, now: datetime) -> bool:
        """Return whether this moment, with its time zone, is inside the window."""
        here = now.astimezone(self.zone)
        clock, day = here.time().replace(tzinfo=None), here.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= clock < self.end
        before = (here - timedelta(days=1)).weekday()
        return (day in self.days and clock >= self.start) or (before in self.days and clock < self.end)


def parse_window(text: str) -> Window:
    """A window as the operator writes it. Raises UsageError."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--window {text!r} is not a maintenance window.", _HINT)
    try:
        start, end = (time.fromisoformat(match[name]) for name in ("start", "end"))
        zone = ZoneInfo(match["zone"]) if match["zone"] else timezone.utc
    except ValueError:
        raise UsageError(f"--window {text!r} has a time that does not exist.", _HINT) from None
    except (ZoneInfoNotFoundError, OSError):
        raise UsageError(
            f"--window {text!r} names an unknown time zone.", "Use a name such as Europe/Berlin."
        ) from None
    return Window(text.strip(), _days(text, match["days"]), start, end, zone)


def _days(text: str, names: str | None) -> frozenset[int]:
    if not names:
        return frozenset(range(7))
    found: set[int] = set()
    for part in names.lower().split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise UsageError(f"--window {text!r} has an unknown day.", _HINT)
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {number % 7 for number in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def is_any_open(windows: tuple[Window, ...], now: datetime) -> bool:
    """Return whether a deploy may start now: there are no windows, or one of them is open."""
    return not windows or any(window.is_open(now) for window in windows)
