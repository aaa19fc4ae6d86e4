"""One change from request to commit: read what is there, apply, write; read again where another writer was first.

A kubeconfig goes into the entry as a `{cipher}` value where there is a key, and as a file under a name made from its
content only where plain text is asked for: Clouddriver never looks again at a file whose name it knows.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from halgit import yaml as hyaml
from halgit.accounts.cipher import PREFIX, Cipher
from halgit.accounts.edit import Change, Edited, Entry, apply, entries
from halgit.accounts.kubeconfig import Kubeconfig
from halgit.accounts.stores import FILE, Copy, Store
from halgit.errors import AccountError, ConflictError, UsageError
from halgit.operator_settings import Progress, ignore_progress
from halgit.pipeline import MISSING, Path, Value
from halgit.record import Record, field, replace
from halgit.report.tables import counted

FOLDER: Final = "kubeconfigs"
_SERVED: Final = "configserver:"
_FIRST_PAUSE: Final = 0.3
_TRIES: Final = 8


class Sealed(Record):
    """A kubeconfig as it will be stored: fields of the entry, and a file where it is one."""

    fields: Mapping[str, Value]
    files: Mapping[str, bytes]


class Written(Record):
    """What came of a change: the entry before and after, the files it wrote or removed, and what to know of it.

    `revision` is empty where nothing had to be written, or nothing was to be.
    """

    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    revision: str = ""


class _Plan(Record):
    """The accounts file as it is to be, kubeconfigs to write before it, and to remove after it."""

    edited: Edited
    add: Mapping[str, bytes] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


class Writer(Record):
    """Writes to one store. With `dry` everything is worked out and nothing written."""

    store: Store
    dry: bool = False
    progress: Progress = ignore_progress
    sleep: Callable[[float], None] = time.sleep

    def entries(self) -> tuple[Entry, ...]:
        """Every account of the file. Raises AccountError and RemoteErrors."""
        copy = self.store.open()
        try:
            return entries(copy.read(FILE) or b"", self._file)
        finally:
            copy.close()

    def change(self, wanted: Change, files: Mapping[str, bytes] | None = None) -> Written:
        """Make one change, as one commit with the kubeconfigs it names and without those nothing names any more.

        Raises AccountError for a change that is refused, or that other writers beat again and again, and RemoteErrors.
        """

        def plan(text: bytes, again: bool) -> _Plan:
            edited = self._done_before(text, wanted) if again else None
            edited = edited or apply(text, _given(wanted), self._file)
            kept = {path for entry in entries(edited.text, self._file) for path in _own_files(entry.fields)}
            gone = (path for path in _own_files(edited.before) if path not in kept)
            return _Plan(edited, files or {}, tuple(gone))

        return self._write(plan, _message(wanted))

    def rotate(self, old: Cipher, new: Cipher) -> Written:
        """Encrypt every `{cipher}` value with another key, all in one commit.

        Raises AccountError naming each value that the old key does not open.
        """

        def plan(text: bytes, again: bool) -> _Plan:
            return _Plan(_rotated(text, old, new, self._file))

        return self._write(plan, "Encrypt all accounts with a new key\n")

    # --- one try after the other

    @property
    def _file(self) -> str:
        return f"{self.store.path}/{FILE}" if self.store.path else FILE

    def _write(self, plan: Callable[[bytes, bool], _Plan], message: str) -> Written:
        for attempt in range(_TRIES):
            copy = self.store.open()
            try:
                return self._once(copy, plan, message, again=attempt > 0)
            except ConflictError as reason:
                self.progress(f"{reason.message} Trying again ({attempt + 1} of {_TRIES})")
            finally:
                copy.close()
            self.sleep(random.uniform(0.5, 1.0) * _FIRST_PAUSE * 2 ** min(attempt, 5))
        raise AccountError(f"{self.store.url}: other writers were first {_TRIES} times.", "Run again when fewer write.")

    def _once(self, copy: Copy, plan: Callable[[bytes, bool], _Plan], message: str, *, again: bool) -> Written:
        before = copy.read(FILE)
        made = plan(before or b"", again)
        changes: dict[str, bytes | None] = {path: text for path, text in made.add.items() if copy.read(path) != text}
        if made.edited.text != before:
            changes[FILE] = made.edited.text
        changes |= dict.fromkeys(made.remove)
        revision = copy.write(changes, message) if changes and not self.dry else ""
        return Written(made.edited.before, made.edited.after, tuple(changes), made.edited.notes, revision)

    def _done_before(self, text: bytes, wanted: Change) -> Edited | None:
        """What an earlier try wrote although its answer was lost; None where it did not."""
        same = [entry for entry in entries(text, self._file) if entry.name == wanted.name]
        if wanted.verb == "remove" and not same:
            return Edited(text, None, None)
        if wanted.verb == "add" and len(same) == 1:
            fields = _given(wanted).fields
            if all(same[0].get(key) == value for key, value in fields.items()):
                return Edited(text, None, same[0].fields)
        return None


def seal(store: Store, name: str, given: Kubeconfig, cipher: Cipher | None, *, plain: bool) -> Sealed:
    """How a kubeconfig is stored. Raises UsageError where it would stand in the open unasked."""
    if cipher is not None:
        text = cipher.encrypt(given.text.decode("utf-8"))
        return Sealed({"context": given.context, "kubeconfigContents": text, "kubeconfigFile": MISSING}, {})
    if not plain:
        raise UsageError(
            "There is no key to encrypt the kubeconfig with.",
            "Give encrypt.key with --encrypt-key-file, or --plaintext-kubeconfig to keep it readable for all.",
        )
    if not store.files:
        text = given.text.decode("utf-8")
        return Sealed({"context": given.context, "kubeconfigContents": text, "kubeconfigFile": MISSING}, {})
    file = f"{FOLDER}/{name}-{hashlib.sha256(given.text).hexdigest()[:12]}"
    fields = {"context": given.context, "kubeconfigFile": _SERVED + file, "kubeconfigContents": MISSING}
    return Sealed(fields, {file: given.text})


def _given(wanted: Change) -> Change:
    """A change as it is applied: of a new entry nothing can be taken out."""
    if wanted.verb != "add":
        return wanted
    return replace(wanted, fields={key: value for key, value in wanted.fields.items() if value is not MISSING})


def _own_files(entry: Mapping[str, Value] | None) -> list[str]:
    """The kubeconfig of ours that an entry names."""
    value = Entry("", (), entry or {}).get("kubeconfigFile")
    path = value.removeprefix(_SERVED) if isinstance(value, str) and value.startswith(_SERVED) else ""
    return [path] if path.startswith(f"{FOLDER}/") else []


def _message(wanted: Change) -> str:
    verbs = {"add": "Add", "update": "Update", "remove": "Remove"}
    kind = f"{wanted.provider} account" if wanted.provider else "account"
    fields = ", ".join(sorted(_given(wanted).fields))
    return f"{verbs[wanted.verb]} {kind} {wanted.name}\n" + (f"\nFields: {fields}\n" if fields else "")


def _rotated(text: bytes, old: Cipher, new: Cipher, file: str) -> Edited:
    entries(text, file)
    found = list(_sealed(hyaml.read(text, file).data, ()))
    wrong = []
    for path, value in found:
        try:
            text = hyaml.edit(text, path, new.encrypt(old.decrypt(value)))
        except hyaml.EditError as reason:
            raise AccountError(f"{file}: {reason}", "Write the list in block style, without anchors.") from None
        except ValueError:
            wrong.append(".".join(str(step) for step in path))
    if wrong:
        raise AccountError(
            f"{file}: the old key does not open {', '.join(wrong)}.", "Give the key they were made with."
        )
    note = (
        f"{counted(len(found), 'value')} encrypted anew. Change encrypt.key in spinnakerconfig.yml and restart"
        " Clouddriver."
    )
    return Edited(text, None, None, (note,))


def _sealed(value: Value, here: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and value.startswith(PREFIX):
        yield here, value
    elif isinstance(value, (dict, list)):
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _sealed(below, (*here, step))
