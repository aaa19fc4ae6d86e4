"""The time zones Java knows by name: what Halyard accepts as a deployment's `timezone`, in exactly these letters."""

from __future__ import annotations

from functools import cache

from halgit.halyard.data import table


@cache
def time_zones() -> frozenset[str]:
    """Every id of `java.util.TimeZone`. Halyard compares letter by letter; `GMT+1` and the like are not among them."""
    return frozenset(table("time-zones")["zones"])
