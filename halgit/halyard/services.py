"""The services Halyard deploys: their names, which of them run, and what reaches them.

Pure functions over a halconfig and the service-settings; nothing here reads a file or judges a value.
"""

from __future__ import annotations

from halgit.halyard.data import table

_TABLE = table("services")["services"]

SERVICES: tuple[str, ...] = tuple(_TABLE)
"""The canonical names of all services of all modes; the file of a service's settings is `<name>.yml`."""

SPRING: tuple[str, ...] = tuple(name for name, entry in _TABLE.items() if entry["spring"])
"""The services that are Spring programs, and so take profiles by name."""


def base(service: str) -> str:
    """The service this one is a part of: `clouddriver` for `clouddriver-rw`. Raises KeyError for an unknown name."""
    return str(_TABLE[service]["base"])
