"""The time zones Java knows, which a deployment's `timezone` must be one of."""

from __future__ import annotations

import pytest

from halgit.halyard.resources import list_time_zones


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "UTC", "GMT", "Asia/Kolkata", "PST"])
def test_known_zones(zone: str) -> None:
    assert zone in list_time_zones()


@pytest.mark.parametrize("zone", ["europe/berlin", "GMT+1", "Berlin", "", "UTC+2", " UTC"])
def test_what_java_would_read_and_halyard_refuses(zone: str) -> None:
    assert zone not in list_time_zones()
