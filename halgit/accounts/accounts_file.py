"""The file of dynamic accounts: its entries under every spelling that Spring accepts, edited in place. Pure.

Foreign entries, comments and the order stay as they are. The file is never emptied away: Clouddriver keeps the accounts
of a file that vanished until it is restarted, so the last entry leaves an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from halgit import yaml as hyaml
from halgit.accounts.cipher import PREFIX, Cipher
from halgit.errors import AccountError
from halgit.pipeline import MISSING, AbsentType, Path, Value
from halgit.record import Record
from halgit.text.paths import relax_name
from halgit.validation.account_access import read_index, shape_faults
from halgit.validation.account_keys import find_key, find_provider, read_name, section_name

KEEP: Final[Path] = ("halgit", "keep")
"""Path of the value that makes Spring decrypt the file even after the last account with a secret is removed."""

LONGEST: Final = 10 * 1024 * 1024
"""Bytes of the file: a larger one could not be read from the store again."""


class Entry(Record):
    """One account of the file."""

    provider: str
    path: Path
    fields: Mapping[str, Value]

    @property
    def name(self) -> str:
        """Its name as Clouddriver reads it."""
        return read_name(self.fields)

    def get(self, key: str) -> Value:
        """Return the value of a field in any of its spellings."""
        return self.fields.get(find_key(self.fields, key))


class AccountsFile:
    """A file of accounts. Raises AccountError with every reason why it cannot be read or edited."""

    def __init__(self, text: bytes, name: str, parsed: Any = MISSING) -> None:
        """`parsed` is the data of the text, if it is known."""
        self._text = text
        self._before: Any = MISSING
        self._edits: list[tuple[Path, Value | AbsentType]] = []
        self.name = name
        self._data = self._read() if parsed is MISSING else parsed
        faults = list(shape_faults(self._data)) if parsed is MISSING else []
        if faults:
            raise AccountError(
                f"{name} cannot be edited: {'; '.join(faults)}.", "Write one `accounts` list for each provider."
            )

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every account, in the order of the file."""
        return tuple(self._entries())

    @cached_property
    def _by_name(self) -> dict[str, tuple[Entry, ...]]:
        found: dict[str, tuple[Entry, ...]] = {}
        for entry in self.entries:
            key = entry.name.lower()
            found[key] = (*found.get(key, ()), entry)
        return found

    def find(self, name: str, *, any_case: bool = False) -> tuple[Entry, ...]:
        """Return the entries of this name."""
        return tuple(one for one in self._by_name.get(name.lower(), ()) if any_case or one.name == name)

    def ciphers(self) -> Iterator[tuple[Path, str]]:
        """Every `{cipher}` value with its path, the kept one included."""
        return _ciphers(self._data, ()) if self.has_ciphers else iter(())

    @cached_property
    def has_ciphers(self) -> bool:
        """True if a value of the file begins with `{cipher}`."""
        return any(True for _ in _ciphers(self._data, ()))

    @cached_property
    def has_secrets(self) -> bool:
        """True if a value besides the kept one begins with `{cipher}`."""
        return any(path != KEEP for path, _ in _ciphers(self._data, ()))

    @property
    def is_kept(self) -> bool:
        """True if the file has the value that keeps Spring decrypting."""
        section = self._data.get(KEEP[0]) if isinstance(self._data, dict) else None
        return isinstance(section, dict) and str(section.get(KEEP[1], "")).startswith(PREFIX)

    def appended_path(self, provider: str) -> Path:
        """Return the path at which a new account of the provider is written."""
        section = self._section(provider)
        body = self._data.get(section) if isinstance(self._data, dict) else None
        body = body if isinstance(body, dict) else {}
        numbers = [number for key in body if (number := read_index(key)) is not None]
        if numbers:
            own = next(str(key) for key in body if read_index(key) is not None)
            return (section, f"{own.partition('[')[0]}[{max(numbers) + 1}]")
        key = find_key(body, "accounts")
        items = body.get(key)
        return (section, key, len(items) if isinstance(items, list) else 0)

    @property
    def text(self) -> bytes:
        """The file's text, in which every edit is made. Raises AccountError if one would change something else."""
        if self._edits:
            self._text = self._write(hyaml.edit_all, self._text, self._before, self._edits)
            self._edits = []
            # What was derived from the file before each edit need not be in the order of the text.
            vars(self).pop("entries", None)
            vars(self).pop("_by_name", None)
        return self._text

    def edit(self, path: Path, value: Value | AbsentType, *, later: bool = False) -> AccountsFile:
        """Return the file with one value set, or removed. Raises AccountError if that would change something else.

        With `later` the text is changed when it is asked for, together with that of other edits; it raises then.
        """
        if not later:
            file = AccountsFile(self.text, self.name, self._data)
            file._text = file._write(hyaml.edit_parsed, self.text, self._data, path, value)
            return file
        try:
            file = AccountsFile(self._text, self.name, hyaml.apply_change(self._data, path, value))
        except hyaml.EditError as reason:
            raise self._uneditable(reason) from None
        file._before = self._before if self._edits else self._data
        file._edits = [*self._edits, (path, value)]
        self._derive(file, path, value)
        return file

    def _derive(self, file: AccountsFile, path: Path, value: Value | AbsentType) -> None:
        """Give an edited file what is known of this one: a batch would look through all accounts for each change."""
        if value is MISSING:
            return
        if not (self.has_ciphers and self.has_secrets):
            found = any(True for _ in _ciphers(value, ()))
            vars(file)["has_ciphers"] = self.has_ciphers or found
            vars(file)["has_secrets"] = self.has_secrets or (found and path != KEEP)
        is_new = (
            isinstance(path[-1], int) and len(path) == 3 and path == self.appended_path(find_provider(str(path[0])))
        )
        if is_new and isinstance(value, dict):
            entry = Entry(find_provider(str(path[0])), path, value)
            key = entry.name.lower()
            vars(file)["entries"] = (*self.entries, entry)
            vars(file)["_by_name"] = {**self._by_name, key: (*self._by_name.get(key, ()), entry)}

    def _write(self, write: Callable[..., tuple[bytes, Value]], *arguments: Any) -> bytes:
        """Return the text that an edit leads to; the data becomes that of the text."""
        try:
            text, self._data = write(*arguments)
        except hyaml.EditError as reason:
            raise self._uneditable(reason) from None
        if len(text) > LONGEST:
            raise AccountError(
                f"{self.name} would have {len(text)} bytes, and {LONGEST} is the limit.",
                "Split the accounts over several repositories.",
            )
        return text

    def _uneditable(self, reason: hyaml.EditError) -> AccountError:
        hint = reason.hint or "Write the list in block style, without anchors."
        return AccountError(f"{self.name}: {reason}", hint)

    def _read(self) -> Any:
        read = hyaml.read(self._text, self.name, many=True)
        if read.findings:
            listed = " ".join(f"{self.name}:{fault.line}: {fault.message}" for fault in read.findings)
            raise AccountError(listed, "Clouddriver cannot read the file either. Correct it first.")
        if len(read.documents) > 1:
            raise AccountError(f"{self.name} holds {len(read.documents)} documents.", "Merge them into one.")
        data = read.documents[0] if read.documents else None
        if data is not None and not isinstance(data, dict):
            raise AccountError(f"{self.name} is not a mapping of providers.", "Correct it first.")
        return data

    def _section(self, provider: str) -> str:
        return str(find_key(self._data or {}, section_name(provider)))

    def _entries(self) -> Iterator[Entry]:
        for section, body in (self._data or {}).items():
            provider = find_provider(str(section))
            for key, value in body.items() if isinstance(body, dict) else ():
                if read_index(key) is not None and isinstance(value, dict):
                    yield Entry(provider, (section, key), value)
                elif relax_name(key) == "accounts" and isinstance(value, list):
                    for number, account in enumerate(value):
                        if isinstance(account, dict):
                            yield Entry(provider, (section, key, number), account)


def rotate_values(file: AccountsFile, old: Cipher, new: Cipher) -> tuple[bytes, int]:
    """Return the text with every `{cipher}` value encrypted by the new key, in one pass, and how many there are.

    Raises AccountError naming each value that the old key does not open.
    """
    replaced: dict[Path, Value] = {}
    wrong = []
    for path, value in file.ciphers():
        try:
            replaced[path] = new.encrypt(old.decrypt(value))
        except ValueError:
            wrong.append(".".join(str(step) for step in path))
    if wrong:
        message = f"{file.name}: the old key does not open {', '.join(wrong)}."
        raise AccountError(message, "Use the key they were encrypted with.")
    try:
        return hyaml.replace_scalars(file.text, replaced), len(replaced)
    except KeyError:
        raise AccountError(f"{file.name} cannot be edited in place.", "Write it without anchors.") from None


def _ciphers(value: Value, here: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and value.startswith(PREFIX):
        yield here, value
    elif isinstance(value, (dict, list)):
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _ciphers(below, (*here, step))
