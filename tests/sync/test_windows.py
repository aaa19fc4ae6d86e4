"""Maintenance windows: days, nights, time zones and the hour that a change of clocks repeats."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from halgit.errors import UsageError
from halgit.sync.windows import is_any_open, parse_window


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        ("Mon-Fri 09:00-17:00", "2026-11-26T09:00", True),
        ("Mon-Fri 09:00-17:00", "2026-11-26T17:00", False),
        ("Mon-Fri 09:00-17:00", "2026-11-28T12:00", False),
        ("Sat,Sun 00:00-23:59", "2026-11-28T12:00", True),
        ("Fri-Mon 09:00-17:00", "2026-11-30T12:00", True),
        ("Fri-Mon 09:00-17:00", "2026-12-01T12:00", False),
        ("22:00-04:00", "2026-11-26T23:00", True),
        ("22:00-04:00", "2026-11-26T03:59", True),
        ("22:00-04:00", "2026-11-26T12:00", False),
        ("Fri 22:00-04:00", "2026-11-28T03:00", True),
        ("Fri 22:00-04:00", "2026-11-27T03:00", False),
        ("09:00-17:00 Europe/Berlin", "2026-07-01T07:30", True),
        ("09:00-17:00 Europe/Berlin", "2026-12-01T07:30", False),
        ("02:00-03:00 Europe/Berlin", "2026-10-25T00:30", True),
        ("02:00-03:00 Europe/Berlin", "2026-10-25T01:30", True),
        ("02:00-03:00 Europe/Berlin", "2026-10-25T02:30", False),
    ],
)
def test_a_window_is_open_as_its_zone_sees_the_clock(window: str, moment: str, is_open: bool) -> None:
    assert parse_window(window).is_open(at(moment)) is is_open


def test_without_a_window_it_is_always_open() -> None:
    assert is_any_open((), at("2026-11-26T03:00"))
    two = (parse_window("09:00-10:00"), parse_window("12:00-13:00"))
    assert is_any_open(two, at("2026-11-26T12:30"))
    assert not is_any_open(two, at("2026-11-26T11:30"))


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("always", "--window 'always' is not a maintenance window."),
        ("Mon-Xxx 09:00-17:00", "--window 'Mon-Xxx 09:00-17:00' has an unknown day."),
        ("09:00-25:00", "--window '09:00-25:00' has a time that does not exist."),
        ("09:00-17:00 Mars/X", "--window '09:00-17:00 Mars/X' names an unknown time zone."),
        ("09:00-17:00 ../../etc/passwd", "names an unknown time zone|time that does not exist"),
    ],
)
def test_what_is_no_window_is_refused_in_words(window: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_window(window)
    assert caught.value.message == message or any(part in caught.value.message for part in message.split("|"))
