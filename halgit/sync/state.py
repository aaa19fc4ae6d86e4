"""State of `sync` across its own restarts: what was deployed last, and what still waits to be.

One small JSON file beside the tree. It holds revisions, digests and names of services, never a value. If it is lost,
everything is deployed once more. Pure: the caller reads and writes the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from halgit.pipeline import SourceId
from halgit.record import Record, list_fields, replace, to_dict

_FORMAT = 1

Services = tuple[str, ...] | None
"""The services that a deploy is for; None stands for all of them, and an empty tuple for none."""


class Deployed(Record):
    """The last deploy that succeeded. `at` is in seconds since 1970.

    `digest` is of the tree's files, `backup` of the copy of the halconfig that Halyard makes at the end of a deploy,
    `lock` the text of a lock file with the one entry that renders this tree again, empty if it was not rendered here.
    """

    digest: str
    revision: str = ""
    at: float = 0.0
    backup: str = ""
    lock: str = ""


class Pending(Record):
    """A published tree that is not deployed yet. `task` is its running deploy, `attempts` counts failed ones."""

    digest: str
    services: Services
    revision: str = ""
    task: str = ""
    attempts: int = 0
    lock: str = ""


class SyncState(Record):
    """Everything that is remembered. `rejected` is the revision that was rolled back: it is not rendered again."""

    deployment: str = "default"
    deployed: Deployed | None = None
    pending: Pending | None = None
    rejected: str = ""

    def with_published(self, before: str, digest: str, services: Services, revision: str, lock: str) -> SyncState:
        """The state after the tree of digest `before` is replaced; `services` are those that the change reaches.

        What waited is replaced, and its services are deployed with it. If nothing waited and no service is reached,
        the new tree counts as deployed.
        """
        if before == digest and self.pending is not None and self.pending.digest == digest:
            return replace(self, pending=replace(self.pending, revision=revision, lock=lock))
        current = self.deployed is not None and self.deployed.digest == before and self.pending is None
        if current and services == ():
            assert self.deployed is not None
            return replace(self, deployed=replace(self.deployed, digest=digest, revision=revision, lock=lock))
        waiting = self.pending.services if self.pending else () if current else None
        return replace(self, pending=Pending(digest, merged_services(waiting, services), revision, lock=lock))

    def with_task(self, task: str) -> SyncState:
        """The state while a deploy runs for what is pending."""
        assert self.pending is not None
        return replace(self, pending=replace(self.pending, task=task))

    def with_failure(self) -> SyncState:
        """The state after a deploy of what is pending has failed."""
        assert self.pending is not None
        return replace(self, pending=replace(self.pending, task="", attempts=self.pending.attempts + 1))

    def with_success(self, at: float, backup: str) -> SyncState:
        """The state after what was pending was deployed."""
        assert self.pending is not None
        one = self.pending
        return replace(self, deployed=Deployed(one.digest, one.revision, at, backup, one.lock), pending=None)


def merged_services(first: Services, second: Services) -> Services:
    """The services of both; all of them if either means all."""
    if first is None or second is None:
        return None
    return tuple(dict.fromkeys((*first, *second)))


def encode_state(state: SyncState) -> bytes:
    """The bytes of the state file; the same for the same state."""
    return json.dumps({"format": _FORMAT, **to_dict(state)}, indent=2, ensure_ascii=False).encode() + b"\n"


def parse_state(text: bytes) -> SyncState | None:
    """The state that a file holds; None for anything that is not one, as after a lost volume."""
    try:
        data = json.loads(text)
        if data["format"] != _FORMAT:
            return None
        deployed, pending = data["deployed"], data["pending"]
        if pending and pending["services"] is not None:
            pending["services"] = tuple(str(name) for name in pending["services"])
        return SyncState(
            str(data["deployment"]),
            Deployed(**_known(Deployed, deployed)) if deployed else None,
            Pending(**_known(Pending, pending)) if pending else None,
            str(data["rejected"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _known(kind: type[Deployed] | type[Pending], data: Mapping[str, Any]) -> dict[str, Any]:
    names = list_fields(kind)
    return {name: value for name, value in data.items() if name in names}


def tree_digest(marks: Mapping[str, str]) -> str:
    """One digest for a tree, from the marks of its files by path; the same marks give the same digest."""
    lines = "".join(f"{path}\0{mark}\n" for path, mark in sorted(marks.items()))
    return "sha256:" + hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def revision_of(sources: tuple[SourceId, ...]) -> str:
    """The revisions of all sources as one text: a commit for each git source, a digest for S3 and Vault."""
    return "+".join(source.revision for source in sources)
