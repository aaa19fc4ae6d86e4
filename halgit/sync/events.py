"""What happens in `sync` that somebody outside may want to know, and who is informed of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from halgit.pipeline import Finding, SourceId
from halgit.record import Record
from halgit.sync.state import Services

EventKind = Literal["refused", "held", "deploying", "deployed", "failed", "rolled-back", "drift", "warning"]


class SyncEvent(Record):
    """One thing that happened, with secrets masked. `summary` is a line for people.

    `services` are those it is about, empty for all; `sources` are those of the revision that it happened to; `previous`
    is the revision that was deployed before.
    """

    kind: EventKind
    summary: str
    revision: str = ""
    sources: tuple[SourceId, ...] = ()
    services: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    previous: str = ""


Report = Callable[[SyncEvent], None]
"""Receives each event once. It must not raise for a system that does not answer."""


def show_services(services: Services) -> list[str]:
    """The services as data; `*` stands for all of them."""
    return ["*"] if services is None else list(services)


def name_services(services: Services) -> str:
    """The services in a sentence."""
    return "all services" if services is None else ", ".join(services)


def short_revision(revision: str) -> str:
    """A revision as people write it: the first 12 characters of each source's."""
    return "+".join(part[:12] for part in revision.split("+"))
