"""One change of one account, applied to the file of accounts: add, update or remove an entry. Pure.

A change is judged by the entry it leads to. What Clouddriver cannot bind, decrypt or survive is refused with every
reason, before anything is written. The facts behind each check are Spring's and Clouddriver's own classes'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from halgit import yaml as hyaml
from halgit.accounts.accounts_file import KEEP, AccountsFile, Entry
from halgit.accounts.checks import (
    Policy,
    access_faults,
    check_filters,
    check_key,
    cipher_faults,
    entry_faults,
    name_field_faults,
    pod_faults,
)
from halgit.accounts.cipher import PREFIX
from halgit.accounts.views import matches_tag
from halgit.errors import AccountError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import MISSING, Value
from halgit.record import Record, field
from halgit.text.phrases import add_article, suggest_nearest
from halgit.validation.account_entries import (
    check_name,
    field_kind,
    find_key,
    find_provider,
    is_dead,
    provider_names,
)

Verb = Literal["add", "update", "remove"]

_REFRESHED: Final = ("kubernetes", "docker-registry", "cloudfoundry")
_KEPT_TEXT: Final = "Keeps Spring decrypting this file after its last account with a secret is removed."


class TypedValue(Record):
    """Text that was typed for a field, and its value as YAML: a string field keeps the text."""

    text: str
    value: Value


class Change(Record):
    """A change of one account. A field that is MISSING is removed; `files` are written with the entry, by path.

    With `expected`, the entry must have this tag. With `is_merge`, mappings are merged with those of the entry and null
    removes (RFC 7396).
    """

    verb: Verb
    provider: str
    name: str
    fields: Mapping[str, Value | TypedValue] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    expected: str | None = None
    is_merge: bool = False


class Edited(Record):
    """The file after a change, the entry before and after it (None if there is none), and notes for the caller."""

    file: AccountsFile
    before: Entry | None
    after: Mapping[str, Value] | None
    notes: tuple[str, ...] = ()


def apply_change(
    file: AccountsFile, change: Change, policy: Policy, exists: Callable[[str], bool], revision: str = ""
) -> Edited:
    """Return the file with the change made; `exists` tells whether the store has a file at a path.

    `revision` is that of the file in the store; empty if the file has changes that are not stored yet.

    Raises AccountError with every reason why the change is refused; UnknownAccountError if there is no such account.
    """
    check_key(file, policy)
    if change.verb == "add":
        return _add(file, change, policy, exists)
    found = file.find(change.name)
    if not found:
        hint = suggest_nearest(
            change.name, [entry.name for entry in file.entries], "`halgit accounts list` shows the accounts."
        )
        raise UnknownAccountError(f"{file.name} has no account {change.name}.", hint)
    if len(found) > 1:
        providers = " and ".join(entry.provider for entry in found)
        raise AccountError(
            f"{file.name} has {len(found)} accounts {change.name} ({providers}).", "Remove all but one by hand."
        )
    if change.expected is not None and not matches_tag(change.expected, found[0].fields, policy, revision):
        raise ChangedError(f"The account {change.name} has changed since it was read.", "Read it again.")
    if change.verb == "remove":
        return _remove(file, found[0], policy)
    return _update(file, found[0], change, policy, exists)


class UnknownAccountError(AccountError):
    """There is no account of this name."""


class ExistsError(AccountError):
    """There is an account of this name already."""


class ChangedError(AccountError):
    """The account is not the version that the caller has seen."""


# --- the three verbs ---


def _add(file: AccountsFile, change: Change, policy: Policy, exists: Callable[[str], bool]) -> Edited:
    same = file.find(change.name, any_case=True)
    if same:
        raise ExistsError(
            f"{file.name} has {add_article(same[0].provider)} account {same[0].name} already.",
            "Choose another name, or update that account.",
        )
    provider = find_provider(change.provider)
    given = {key: value for key, value in change.fields.items() if value is not MISSING}
    fields, notes = prepare_fields(provider, given, policy)
    entry = {"name": change.name, **fields}
    faults = [
        *check_name(change.name),
        *name_field_faults(change.fields),
        *entry_faults(provider, entry, entry),
        *pod_faults(provider, entry, policy.allowed, exists, change.files),
        *access_faults(provider, entry),
        *cipher_faults(entry, policy),
    ]
    if faults:
        raise _refused(change, faults)
    edited = _keep(file.edit(file.appended_path(provider), entry, later=True), policy)
    check_filters(edited)
    return Edited(edited, None, entry, (*notes, *_notes(provider, entry)))


def _update(file: AccountsFile, entry: Entry, change: Change, policy: Policy, exists: Callable[[str], bool]) -> Edited:
    wanted = _merged(entry, change.fields) if change.is_merge else change.fields
    fields, notes = prepare_fields(entry.provider, wanted, policy)
    after: dict[str, Value] = dict(entry.fields)
    changed: dict[str, Value] = {}
    for key, value in fields.items():
        own = find_key(entry.fields, key)
        after.pop(own, None) if value is MISSING else after.update({own: value})
        changed[own] = value
    faults = [
        *name_field_faults(change.fields),
        *entry_faults(entry.provider, after, changed),
        *pod_faults(entry.provider, changed, policy.allowed, exists, change.files),
        *(access_faults(entry.provider, after) if changed else ()),
        *cipher_faults(changed, policy),
    ]
    if faults:
        raise _refused(change, faults)
    edited = file
    for own, value in changed.items():
        if not _is_same(entry.fields.get(own, MISSING), value, policy):
            edited = edited.edit((*entry.path, own), value, later=True)
    if edited is not file:
        edited = _keep(edited, policy)
        check_filters(edited)
    return Edited(edited, entry, after, (*notes, *_notes(entry.provider, after)))


def _remove(file: AccountsFile, entry: Entry, policy: Policy) -> Edited:
    had_secrets = file.has_ciphers
    edited = _keep(file, policy).edit(entry.path, MISSING, later=True)
    if had_secrets and not edited.has_ciphers:
        raise AccountError(
            f"{file.name}: the account {entry.name} has the last {{cipher}} value of the file. Without one Clouddriver"
            " would keep the old accounts until it is restarted.",
            "Run again with --encrypt-key-file, so that a kept value can be written.",
        )
    notes = ["Nothing was revoked: the kubeconfig's credentials stay valid until they are revoked at the cluster."]
    if entry.provider not in _REFRESHED:
        notes.append(f"Clouddriver drops {add_article(entry.provider)} account only when it is restarted.")
    return Edited(edited, entry, None, tuple(notes))


def _keep(file: AccountsFile, policy: Policy) -> AccountsFile:
    """Add the kept value to a file that has `{cipher}` values and not yet that one."""
    if policy.cipher is None or file.is_kept or not file.has_ciphers:
        return file
    return file.edit(KEEP, policy.cipher.encrypt(_KEPT_TEXT), later=True)


# --- fields ---


def prepare_fields(
    provider: str, fields: Mapping[str, Value | TypedValue], policy: Policy
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the fields as they are written, with a note on each that is skipped.

    Dead fields are skipped; scalars of text fields become strings; keys of `spaceFilter` get brackets where they need
    them; sensitive fields are encrypted if there is a key.
    """
    prepared: dict[str, Value] = {}
    notes = []
    for key, value in fields.items():
        if is_dead(provider, key) and value is not MISSING:
            notes.append(f"{key} was skipped: Clouddriver no longer reads it.")
        else:
            prepared[key] = _prepared(provider, key, value, policy)
    return prepared, tuple(notes)


def _prepared(provider: str, key: str, value: Any, policy: Policy) -> Value:
    kind = field_kind(provider, key)
    if isinstance(value, TypedValue):
        value = value.text if kind == "text" and not isinstance(value.value, (str, dict, list)) else value.value
    if kind == "groups" and isinstance(value, dict):
        return {_bracketed(str(name)): items for name, items in value.items()}
    if kind == "text" and isinstance(value, (int, float)):
        value = hyaml.to_java_string(value)
    return _encrypted(key, value, policy)


def _encrypted(key: str, value: Any, policy: Policy) -> Value:
    """The value with every secret in it encrypted, if there is a key."""
    if isinstance(value, dict):
        return {own: _encrypted(str(own), below, policy) for own, below in value.items()}
    if isinstance(value, list):
        return [_encrypted(key, below, policy) for below in value]
    is_secret = is_sensitive_key(key) and isinstance(value, str) and value and not value.startswith(PREFIX)
    return policy.cipher.encrypt(str(value)) if is_secret and policy.cipher else value


def _merged(entry: Entry, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a merge patch as they replace those of the entry."""
    merged: dict[str, Any] = {}
    for key, value in fields.items():
        old = entry.get(key)
        merged[key] = MISSING if value is None else _patched(old, value)
    return merged


def _patched(old: Value, patch: Value) -> Value:
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        own = find_key(result, key)
        if value is None:
            result.pop(own, None)
        else:
            result[own] = _patched(result.get(own), value)
    return result


def _bracketed(name: str) -> str:
    return name if name.isalnum() or (name.startswith("[") and name.endswith("]")) else f"[{name}]"


def _is_same(old: Value, new: Value, policy: Policy) -> bool:
    """Return whether two values are written the same; two encryptions of one text are."""
    if old is MISSING or new is MISSING or type(old) is not type(new):
        return old is new
    if isinstance(old, str) and old.startswith(PREFIX) and policy.cipher and policy.cipher.opens(old):
        return str(new).startswith(PREFIX) and policy.cipher.decrypt(old) == policy.cipher.decrypt(str(new))
    return hyaml.dump(old) == hyaml.dump(new)


def _refused(change: Change, faults: list[str]) -> AccountError:
    return AccountError(f"The account {change.name} is refused: {'; '.join(faults)}.", "Correct the request.")


# --- notes ---


def _notes(provider: str, entry: Mapping[str, Value]) -> Iterator[str]:
    permissions = entry.get(find_key(entry, "permissions"))
    if isinstance(permissions, dict):
        can_read, can_write = (permissions.get(find_key(permissions, key)) for key in ("READ", "WRITE"))
        if can_read and not can_write:
            yield "permissions has READ and no WRITE, so nobody can deploy to the account."
        if can_write and not can_read:
            yield "permissions has WRITE and no READ, so those who deploy cannot see what they deployed."
    if provider not in provider_names():
        yield f"halgit does not know the provider {provider}; its fields were not checked."
    elif provider not in _REFRESHED:
        yield f"Clouddriver loads {add_article(provider)} account only when it is restarted."
