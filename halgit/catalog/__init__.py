"""The catalog of all findings: one entry for each id that halgit reports, whichever package reports it.

`halgit rules`, `docs/rules.md` and SARIF are made from it. Tests compare it with the ids in the code and run each
example. It holds text and no logic; the modules group entries by subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module

from halgit.annotations import TYPE_CHECKING, Final
from halgit.catalog.entry import Entry

_MODULES: Final = (
    "accounts",
    "clouds",
    "deployment",
    "dynamic_accounts",
    "environment",
    "integrations",
    "kubernetes",
    "layers",
    "parameters",
    "references",
    "schema",
    "security",
    "services",
    "service_settings",
    "settings",
    "sources",
    "yaml",
)

if TYPE_CHECKING:
    CATALOG: Final[Mapping[str, Entry]] = {}
    """Every entry by its id. Its texts are loaded at first use."""


def __getattr__(name: str) -> Mapping[str, Entry]:
    if name != "CATALOG":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _load()


@cache
def _load() -> Mapping[str, Entry]:
    modules = [import_module(f"{__name__}.{module}") for module in _MODULES]
    return {entry.id: entry for module in modules for entry in module.ENTRIES}


def matches(id: str, patterns: Iterable[str]) -> bool:
    """Return whether an id matches one of these patterns: an id, a subject, or a glob such as `kubernetes/*`."""
    return any(fnmatchcase(id, pattern) or id.split("/", 1)[0] == pattern for pattern in patterns)


def is_known(pattern: str) -> bool:
    """Return whether a pattern matches any id of the catalog."""
    return any(matches(id, (pattern,)) for id in _load())


def names() -> list[str]:
    """All ids and all subjects, for suggestions."""
    return [*_load(), *dict.fromkeys(entry.subject for entry in _load().values())]
