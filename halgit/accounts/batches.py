"""Changes that wait, and the content of the commit that several of them become. Pure."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

from halgit.accounts.accounts_file import AccountsFile, Entry
from halgit.accounts.changes import Edited
from halgit.accounts.commits import CommitLine, write_message
from halgit.accounts.requests import Request, Written
from halgit.accounts.stores import FILE, FOLDER
from halgit.accounts.views import describe_changes
from halgit.errors import HalgitError
from halgit.pipeline import Value
from halgit.record import Record, field
from halgit.validation.account_access import SERVED


class Job(Record, frozen=False):
    """A change that waits, and how it ended: `done` is set once it has a result or an error."""

    request: Request
    deadline: float
    done: threading.Event = field(default_factory=threading.Event)
    result: Written | None = None
    error: HalgitError | None = None


class Batch(Record):
    """Content of one commit: the new file, further files, and the jobs with their changes."""

    before: bytes | None
    file: AccountsFile
    changes: Mapping[str, bytes | None]
    edits: Sequence[tuple[Job, CommitLine, Written]]

    @property
    def message(self) -> str:
        """The message of its commit."""
        return write_message([line for _, line, _ in self.edits])


def write_line(request: Request, edited: Edited) -> CommitLine:
    """Return the line of the commit for a change."""
    change = request.change
    provider = change.provider or (edited.before.provider if edited.before else "")
    return CommitLine(change.verb, provider, change.name, request.author, request.key, request.digest)


def finish_jobs(jobs: Iterable[Job], reason: HalgitError) -> None:
    """End those that have not ended with this error."""
    for job in jobs:
        if not job.done.is_set():
            job.error = reason
            job.done.set()


def order_changes(
    changes: Mapping[str, bytes | None], before: bytes | None, file: AccountsFile
) -> dict[str, bytes | None]:
    """Return files to write, then the accounts file, then files to delete."""
    ordered: dict[str, bytes | None] = {path: text for path, text in changes.items() if text is not None}
    if file.text != (before or b""):
        ordered[FILE] = file.text
    return ordered | {path: None for path, text in changes.items() if text is None}


def describe_edit(edited: Edited, files: tuple[str, ...]) -> Written:
    """Return the result of an edit that writes or deletes these files."""
    before = edited.before.fields if edited.before else None
    return Written(before, edited.after, files, edited.notes, "", tuple(describe_changes(before, edited.after)))


def list_kubeconfigs(entry: Mapping[str, Value] | None) -> list[str]:
    """Return the kubeconfig of ours that an entry names."""
    value = Entry("", (), entry or {}).get("kubeconfigFile")
    path = value.removeprefix(SERVED) if isinstance(value, str) and value.startswith(SERVED) else ""
    return [path] if path.startswith(f"{FOLDER}/") else []


def list_unused(edited: Edited) -> list[str]:
    """Return the kubeconfigs of ours that the entry named before, and no entry names any more."""
    named = list_kubeconfigs(edited.before.fields if edited.before else None)
    if not named:
        return []
    kept = {path for entry in edited.file.entries for path in list_kubeconfigs(entry.fields)}
    return [path for path in named if path not in kept]
