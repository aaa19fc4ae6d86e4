"""The catalog of all findings: one entry for each id that halgit reports, whichever package reports it.

`halgit rules`, `docs/rules.md` and SARIF are made from it. Tests compare it with the ids in the code and run each
example. It holds text and no logic; the modules group entries by subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

from halgit.catalog import (
    accounts,
    clouds,
    deployment,
    environment,
    integrations,
    kubernetes,
    layers,
    parameters,
    schema,
    security,
    services,
    settings,
    yaml,
)
from halgit.catalog.entry import Entry

CATALOG: Final[Mapping[str, Entry]] = {
    entry.id: entry
    for module in (
        accounts,
        clouds,
        deployment,
        environment,
        integrations,
        kubernetes,
        kubernetes,
        layers,
        parameters,
        schema,
        security,
        services,
        settings,
        yaml,
    )
    for entry in module.ENTRIES
}
"""Every entry by its id."""


def matches(id: str, patterns: Iterable[str]) -> bool:
    """Whether an id matches one of these patterns: an id, a subject, or a glob such as `kubernetes/*`."""
    return any(fnmatchcase(id, pattern) or id.split("/", 1)[0] == pattern for pattern in patterns)


def is_known(pattern: str) -> bool:
    """Whether a pattern matches any id of the catalog."""
    return any(matches(id, (pattern,)) for id in CATALOG)


def names() -> list[str]:
    """All ids and all subjects, for suggestions."""
    return [*CATALOG, *dict.fromkeys(entry.subject for entry in CATALOG.values())]
