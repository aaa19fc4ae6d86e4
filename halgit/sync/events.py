"""Events of `sync` for the outside, and their receivers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from halgit.pipeline import Finding, SourceId
from halgit.record import Record, replace
from halgit.sync.state import Services, revision_of

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


class EventSender:
    """Sends each event to everybody who is informed, with secrets masked; `clean` masks them."""

    def __init__(self, reports: Sequence[Report], clean: Callable[[str], str]) -> None:
        self._reports = reports
        self._clean = clean
        self.previous = ""

    def send(
        self,
        kind: EventKind,
        text: str,
        sources: tuple[SourceId, ...] = (),
        services: Services = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        """Report that something happened. `previous` is the revision that was deployed before it."""
        text, clean = self._clean(text), self._clean
        shown = tuple(replace(one, message=clean(one.message), hint=clean(one.hint)) for one in findings)
        event = SyncEvent(kind, text, revision_of(sources), sources, services or (), shown, self.previous)
        for report in self._reports:
            report(event)
