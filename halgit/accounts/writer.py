"""Changes from request to commit: those that wait together become one commit, and each caller gets its own result.

A thread that brings a change either finds nobody writing and writes all that waits, or waits for its result. Between
processes a change is applied again on what the other writer left, after a pause with full jitter, until its deadline.
A kubeconfig is a `{cipher}` value of the entry if there is a key, and a file under a new name only if the operator
permits plain text: Clouddriver never reads a file again whose name it knows.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from halgit.accounts.accounts_file import AccountsFile, rotate_values
from halgit.accounts.batches import (
    Batch,
    Job,
    describe_edit,
    finish_jobs,
    list_kubeconfigs,
    list_unused,
    order_changes,
    write_line,
)
from halgit.accounts.changes import Change, apply_change
from halgit.accounts.checks import Policy
from halgit.accounts.cipher import Cipher
from halgit.accounts.commits import CommitLine, last_changes
from halgit.accounts.requests import Answers, KeyReusedError, Request, Written
from halgit.accounts.stores import FILE, Session, Store
from halgit.errors import AccountError, ConflictError, HalgitError, UnreachableError
from halgit.operator_settings import Progress, ignore_progress
from halgit.record import replace
from halgit.report.tables import counted

DEADLINE: Final = 60.0
_PAUSE: Final = 4.0
"""The longest pause after a conflict, as a multiple of what an attempt takes."""
_CONTENDED_SECONDS: Final = 10.0
"""Seconds after a conflict during which other writers are assumed to be active."""
_LARGEST_BATCH: Final = 100
_GATHERING_SECONDS: Final = 0.1
"""The longest wait for further changes before a batch."""


class BusyError(AccountError):
    """The change was not written in time, or the writer is stopping; the same request may be sent again."""


class Writer:
    """The only writer of a store in this process; safe for several threads. `deadline` is in seconds."""

    def __init__(
        self,
        store: Store,
        policy: Policy | None = None,
        *,
        progress: Progress = ignore_progress,
        deadline: float = DEADLINE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.store = store
        self.policy = policy or Policy()
        self.retries = 0
        self.commits = 0
        self._progress = progress
        self._deadline = deadline
        self._sleep = sleep
        self._waiting: deque[Job] = deque()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._session: Session | None = None
        self._answers = Answers(FILE)
        self._known: AccountsFile | None = None
        self._last_batch, self._batch_seconds = 1, 0.0
        self._attempt_seconds = 0.1
        self._conflicted = float("-inf")
        self._stopping = False
        self._stop_at = 0.0

    @property
    def queue_length(self) -> int:
        """Number of waiting changes."""
        return len(self._waiting)

    def read(self) -> tuple[AccountsFile, str]:
        """Return the file as it is now, with its revision. Raises AccountError and RemoteErrors."""
        with self._turn:
            session = self._refreshed()
            return self._parsed(session.read(FILE) or b""), session.revision

    def find_kubeconfig(self, name: str, text: bytes) -> str:
        """Return the path of the kubeconfig file of an account if it has this content; else an empty string."""
        with self._turn:
            session = self._refreshed()
            entries = self._parsed(session.read(FILE) or b"").find(name)
            paths = [path for entry in entries for path in list_kubeconfigs(entry.fields)]
            return next((path for path in paths if session.read(path) == text), "")

    def history(self) -> dict[str, tuple[str, str]]:
        """Return who changed each account last, and when (ISO 8601), as far as the store's history tells."""
        with self._turn:
            log = self._refreshed().history()
        return last_changes(log)

    def write(self, request: Request) -> Written:
        """Make a change; returns when it is committed. Raises AccountError if it is refused, and RemoteErrors."""
        job = Job(request, time.monotonic() + self._deadline)
        with self._lock:
            if self._stopping:
                raise _stopped()
            self._waiting.append(job)
        while not job.done.is_set():
            if self._turn.acquire(timeout=0.05):
                try:
                    self._write_waiting(job)
                finally:
                    self._turn.release()
            elif self._has_stopped():
                raise BusyError(
                    "The server stopped before the store answered; the change may be written.",
                    "Send the request again with the same Idempotency-Key.",
                )
        if job.error is not None:
            raise job.error
        assert job.result is not None
        return job.result

    def find_answer(self, request: Request) -> Written | None:
        """Return the result of a request that was answered before, by whatever process; None if it was not.

        Raises KeyReusedError if its key was used for another request, and RemoteErrors.
        """
        with self._turn:
            return self._answers.find(request, lambda: self._refreshed().history())

    def preview(self, change: Change, *, checks_store: bool = False) -> Written:
        """Return what a change would do, without writing. Raises as `write` does.

        With `checks_store` the store is asked as well, as far as it can tell.
        """
        with self._turn:
            session = self._refreshed()
            batch, error = self._planned(session, [Job(Request(change), 0.0)])
            if batch.changes and checks_store:
                session.check(batch.changes, batch.message)
        if error:
            raise error[0]
        ((_, _, written),) = batch.edits
        return written

    def rotate(self, old: Cipher, new: Cipher, *, dry: bool = False) -> Written:
        """Encrypt every `{cipher}` value with another key, in one commit.

        Raises AccountError naming each value that the old key does not open.
        """
        end = time.monotonic() + self._deadline
        with self._turn:
            for attempt in range(10_000):
                session = self._refreshed()
                before = session.read(FILE) or b""
                text, count = rotate_values(AccountsFile(before, self.store.file), old, new)
                try:
                    revision = (
                        "" if dry or not count else session.write({FILE: text}, "Encrypt all accounts with a new key\n")
                    )
                except ConflictError as reason:
                    self._pause(reason, attempt, end)
                    continue
                notes = (
                    f"{counted(count, 'value')} encrypted with the new key. Change encrypt.key, and encrypt.salt if it"
                    " is another, in spinnakerconfig.yml and restart Clouddriver.",
                    *(f"{path} has {{cipher}} values, too: encrypt them again." for path in session.list_ciphers()),
                )
                return Written(None, None, (FILE,) if count else (), notes, revision)
        raise AssertionError

    def _has_stopped(self) -> bool:
        return self._stopping and time.monotonic() > self._stop_at

    def stop(self, seconds: float) -> None:
        """Refuse what waits, and let the commit that is being written end within this time."""
        with self._lock:
            self._stopping = True
            self._stop_at = time.monotonic() + seconds
            waiting, self._waiting = list(self._waiting), deque()
        finish_jobs(waiting, _stopped())

    def close(self) -> None:
        """Close the store's session."""
        with self._turn:
            if self._session is not None:
                self._session.close()
                self._session = None

    # --- one batch after the other

    def _refreshed(self) -> Session:
        if self._session is None:
            self._session = self.store.open()
        try:
            self._session.refresh()
        except HalgitError:
            self._session.close()
            self._session = None
            raise
        return self._session

    def _write_waiting(self, own: Job) -> None:
        """Write batches until the own job is done."""
        while not own.done.is_set():
            self._gather()
            with self._lock:
                jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST_BATCH))]
            if not jobs:
                return
            try:
                self._commit(jobs)
            except HalgitError as reason:
                finish_jobs(jobs, reason)
            except BaseException:
                finish_jobs(jobs, AccountError("The writer failed before the change was written.", "Run again."))
                raise

    def _gather(self) -> None:
        """Where changes came together before, wait shortly for those whose callers were just answered."""
        end = time.monotonic() + min(_GATHERING_SECONDS, self._batch_seconds / 4)
        while self._last_batch > 1 and len(self._waiting) < self._last_batch and time.monotonic() < end:
            self._sleep(_GATHERING_SECONDS / 20)

    def _commit(self, jobs: Sequence[Job]) -> None:
        """Plan and write a batch, again on each conflict."""
        if time.monotonic() - self._conflicted < _CONTENDED_SECONDS:
            # Who has just written lets the others have their turn: without this the fastest would starve them.
            self._sleep(random.uniform(0.0, _PAUSE / 2 * self._attempt_seconds))
        for attempt in range(10_000):
            started = time.monotonic()
            session = self._refreshed()
            waiting = [job for job in jobs if not job.done.is_set() and not self._is_answered(session, job)]
            batch, _ = self._planned(session, waiting)
            if not batch.edits:
                return
            try:
                revision = session.write(batch.changes, batch.message) if batch.changes else ""
            except ConflictError as reason:
                self._attempt_seconds = time.monotonic() - started
                self._pause(reason, attempt, max(job.deadline for job, _, _ in batch.edits))
                continue
            except UnreachableError:
                # The answer may be lost, not the commit: whoever asked finds out by reading again.
                revision = self._landed(batch)
            self.commits += bool(batch.changes)
            self._known = batch.file
            self._last_batch, self._batch_seconds = len(batch.edits), time.monotonic() - started
            for job, _, written in batch.edits:
                job.result = replace(written, revision=revision if written.files else "")
                self._answers.remember(job.request, job.result)
                job.done.set()
            return

    def _landed(self, batch: Batch) -> str:
        """Return the revision if the store holds what was written. Raises UnreachableError if it does not."""
        session = self._refreshed()
        if session.read(FILE) == batch.file.text:
            return session.revision
        raise UnreachableError(f"{self.store.url}: the answer to the write was lost.", "Run again.")

    def _pause(self, reason: ConflictError, attempt: int, end: float) -> None:
        """Wait with full jitter, less the nearer the deadline is. Raises BusyError if it has passed."""
        self.retries += 1
        self._conflicted = time.monotonic()
        left = (end - self._conflicted) / self._deadline
        if left <= 0:
            raise BusyError(
                f"{self.store.url}: other writers were faster for {self._deadline:g} seconds.", "Run again later."
            )
        self._progress(f"{reason.message} Retrying ({attempt + 1})")
        self._sleep(random.uniform(0.0, _PAUSE * self._attempt_seconds * min(1.0, left)))

    def _planned(self, session: Session, jobs: Sequence[Job]) -> tuple[Batch, list[HalgitError]]:
        """Apply the jobs; those that are refused are finished with their error."""
        if len(jobs) > 1:
            try:
                return self._applied(session, jobs, together=True)
            except AccountError:
                # The text cannot be edited for one of them: find out for which.
                jobs = [job for job in jobs if not job.done.is_set()]
        return self._applied(session, jobs, together=False)

    def _applied(self, session: Session, jobs: Sequence[Job], *, together: bool) -> tuple[Batch, list[HalgitError]]:
        """Apply the jobs one after the other; the text is edited for all of them `together`, or for each."""
        before = session.read(FILE)
        for name in filter(session.exists, self.store.overrides):
            raise AccountError(
                f"{self.store.url}: {name} takes precedence over {FILE}, so that changes would have no effect.",
                f"Move its properties to {FILE} and delete it.",
            )
        file = self._parsed(before or b"")
        edits: list[tuple[Job, CommitLine, Written]] = []
        errors: list[HalgitError] = []
        changes: dict[str, bytes | None] = {}
        for job in jobs:
            try:
                revision = "" if edits else session.revision
                edited = apply_change(file, job.request.change, self.policy, session.read, revision)
                if not together:
                    _ = edited.file.text
            except HalgitError as reason:
                errors.append(reason)
                finish_jobs([job], reason)
                continue
            added = {path: text for path, text in job.request.change.files.items() if session.read(path) != text}
            gone = list_unused(edited)
            changes |= added
            changes |= dict.fromkeys(gone)
            wrote = [FILE] if edited.file is not file else []
            # The file after each change is not kept: a batch would hold it a hundred times.
            edits.append((job, write_line(job.request, edited), describe_edit(edited, (*added, *wrote, *gone))))
            file = edited.file
        return Batch(before, file, order_changes(changes, before, file), edits), errors

    def _parsed(self, text: bytes) -> AccountsFile:
        """The file, read again only if another writer has changed it."""
        if self._known is None or self._known.text != text:
            self._known = AccountsFile(text, self.store.file)
        return self._known

    def _is_answered(self, session: Session, job: Job) -> bool:
        """Finish a job whose request was answered before, or whose key belongs to another request."""
        try:
            job.result = self._answers.find(job.request, session.history)
        except KeyReusedError as reason:
            job.error = reason
        if job.result is None and job.error is None:
            return False
        job.done.set()
        return True


def _stopped() -> BusyError:
    return BusyError("The server is stopping; the change was not written.", "Send the request again.")
