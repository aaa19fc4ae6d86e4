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
    KUBECONFIG_KEYS,
    Policy,
    access_faults,
    check_decryption,
    check_key,
    cipher_faults,
    entry_faults,
    kubeconfig_faults,
    name_field_faults,
    pod_faults,
)
from halgit.accounts.cipher import PREFIX
from halgit.accounts.fields import TypedValue, encrypt_fields, merge_fields, type_fields
from halgit.accounts.views import matches_tag
from halgit.errors import AccountError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import MISSING, Value
from halgit.record import Record, field
from halgit.text.paths import relax_name
from halgit.text.phrases import add_article, suggest_nearest
from halgit.validation.account_access import strings_in
from halgit.validation.account_keys import (
    check_name,
    check_provider,
    find_key,
    find_provider,
    provider_names,
)

Verb = Literal["add", "update", "remove"]

_REFRESHED: Final = ("kubernetes", "docker-registry", "cloudfoundry")
_KEPT_TEXT: Final = "Keeps Spring decrypting this file after its last account with a secret is removed."


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
    file: AccountsFile, change: Change, policy: Policy, read: Callable[[str], bytes | None], revision: str = ""
) -> Edited:
    """Return the file with the change made; `read` returns a file of the store, None if there is none.

    `revision` is that of the file in the store; empty if the file has changes that are not stored yet.

    Raises AccountError with every reason why the change is refused; UnknownAccountError if there is no such account.
    """
    check_key(file, policy)
    if change.verb == "add":
        return _add(file, change, policy, read)
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
    return _update(file, found[0], change, policy, read)


class UnknownAccountError(AccountError):
    """There is no account of this name."""


class ExistsError(AccountError):
    """There is an account of this name already."""


class ChangedError(AccountError):
    """The account is not the version that the caller has seen."""


# --- the three verbs ---


def _add(file: AccountsFile, change: Change, policy: Policy, read: Callable[[str], bytes | None]) -> Edited:
    same = file.find(change.name, any_case=True)
    if same:
        raise ExistsError(
            f"{file.name} has {add_article(same[0].provider)} account {same[0].name} already.",
            "Choose another name, or update that account.",
        )
    provider = find_provider(change.provider)
    given = {key: value for key, value in change.fields.items() if value is not MISSING}
    fields, notes = type_fields(provider, given)
    entry = {"name": change.name, **{key: value for key, value in fields.items() if value is not MISSING}}
    faults = [
        *check_name(change.name),
        *check_provider(provider),
        *name_field_faults(change.fields),
        *_change_faults(provider, entry, entry, change, policy, read),
    ]
    if faults:
        raise _refused(change, faults)
    entry = encrypt_fields(entry, policy)
    path = file.appended_path(provider)
    edited, kept = _keep(file.edit(path, entry, later=True), policy)
    check_decryption(file, edited, Entry(provider, path, entry))
    return Edited(edited, None, entry, (*notes, *kept, *_notes(provider, entry)))


def _update(
    file: AccountsFile, entry: Entry, change: Change, policy: Policy, read: Callable[[str], bytes | None]
) -> Edited:
    wanted = merge_fields(entry.provider, entry.fields, change.fields) if change.is_merge else change.fields
    fields, notes = type_fields(entry.provider, wanted)
    after: dict[str, Value] = dict(entry.fields)
    changed: dict[str, Value] = {}
    for key, value in fields.items():
        own = find_key(entry.fields, key)
        after.pop(own, None) if value is MISSING else after.update({own: value})
        changed[own] = value
    faults = [
        *name_field_faults(change.fields),
        *_change_faults(entry.provider, after, changed, change, policy, read),
    ]
    if faults:
        raise _refused(change, faults)
    changed = encrypt_fields(changed, policy)
    open_secrets = _open_secrets(entry, changed, policy) if changed else {}
    edited = _edited(file, entry, {**changed, **open_secrets}, policy)
    kept: tuple[str, ...] = ()
    if edited is not file:
        edited, kept = _keep(edited, policy, had_ciphers=file.has_ciphers)
        _check_last_secret(file, edited, entry)
    after = {key: _stored(entry, key, {**after, **changed, **open_secrets}[key], policy) for key in after}
    if edited is not file:
        check_decryption(file, edited, Entry(entry.provider, entry.path, after))
    encrypted = (f"{key} was in plain text and is encrypted now." for key in open_secrets)
    return Edited(edited, entry, after, (*notes, *encrypted, *kept, *_notes(entry.provider, after)))


def _open_secrets(entry: Entry, changed: Mapping[str, Value], policy: Policy) -> dict[str, Value]:
    """The secrets that an entry has in plain text besides what is changed, encrypted if there is a key."""
    others = {key: value for key, value in entry.fields.items() if key not in changed}
    return {key: value for key, value in encrypt_fields(others, policy).items() if value != others[key]}


def _stored(entry: Entry, key: str, value: Value, policy: Policy) -> Value:
    """The value of a field as the file has it: two encryptions of one text are not written again."""
    old = entry.fields.get(key, MISSING)
    return old if not isinstance(old, type(MISSING)) and _is_same(old, value, policy) else value


def _edited(file: AccountsFile, entry: Entry, changed: Mapping[str, Value], policy: Policy) -> AccountsFile:
    """The file with the fields that differ; the same file if none does."""
    for own, value in changed.items():
        if not _is_same(entry.fields.get(own, MISSING), value, policy):
            file = file.edit((*entry.path, own), value, later=True)
    return file


def _change_faults(
    provider: str,
    after: Mapping[str, Value],
    changed: Mapping[str, Value],
    change: Change,
    policy: Policy,
    read: Callable[[str], bytes | None],
) -> Iterator[str]:
    """The faults of an entry as it is after the change; what it had before may stay."""
    if not changed:
        yield from entry_faults(provider, after, changed)
        return
    content = {**change.files}

    def read_file(path: str) -> bytes | None:
        return content[path] if path in content else read(path)

    yield from entry_faults(provider, after, changed)
    yield from pod_faults(provider, changed, policy.allowed, read_file)
    yield from access_faults(provider, after)
    yield from cipher_faults(changed, policy)
    if any(relax_name(key) in KUBECONFIG_KEYS for key in changed):
        yield from kubeconfig_faults(provider, after, policy, read_file)


def _remove(file: AccountsFile, entry: Entry, policy: Policy) -> Edited:
    edited, kept = _keep(file, policy)
    edited = edited.edit(entry.path, MISSING, later=True)
    _check_last_secret(file, edited, entry)
    notes = [*kept]
    if any(entry.get(key) for key in ("kubeconfigFile", "kubeconfigContents")):
        notes.append(
            "Nothing was revoked: the kubeconfig's credentials stay valid until they are revoked at the cluster."
        )
    elif any(is_sensitive_key(key) for path, _ in strings_in(entry.fields) for key in map(str, path)):
        notes.append("Nothing was revoked: the account's credentials stay valid until they are revoked.")
    if entry.provider not in _REFRESHED:
        notes.append(f"Clouddriver drops {add_article(entry.provider)} account only when it is restarted.")
    return Edited(edited, entry, None, tuple(notes))


def _check_last_secret(before: AccountsFile, edited: AccountsFile, entry: Entry) -> None:
    """Raise AccountError if a file had `{cipher}` values and has none any more."""
    if before.has_ciphers and not edited.has_ciphers:
        raise AccountError(
            f"{before.name}: the account {entry.name} has the last {{cipher}} value of the file. Without one"
            " Clouddriver would keep the old accounts until it is restarted.",
            "Run again with --encrypt-key-file, so that a kept value can be written.",
        )


def _keep(file: AccountsFile, policy: Policy, *, had_ciphers: bool = False) -> tuple[AccountsFile, tuple[str, ...]]:
    """Add the kept value to a file that has or had `{cipher}` values, with a note, unless it is there."""
    if policy.cipher is None or file.is_kept or not (file.has_ciphers or had_ciphers):
        return file, ()
    note = (
        f"{'.'.join(map(str, KEEP))} was added: a {{cipher}} value that stays, so that Clouddriver notices when the"
        " last account with a secret is removed."
    )
    return file.edit(KEEP, policy.cipher.encrypt(_KEPT_TEXT), later=True), (note,)


def _is_same(old: Any, new: Any, policy: Policy) -> bool:
    """Return whether two values are written the same; two encryptions of one text are."""
    if old is MISSING or new is MISSING or type(old) is not type(new):
        return old is new
    if isinstance(old, dict):
        return list(old) == list(new) and all(_is_same(old[key], new[key], policy) for key in old)
    if isinstance(old, list):
        return len(old) == len(new) and all(_is_same(*pair, policy) for pair in zip(old, new, strict=True))
    if isinstance(old, str) and old.startswith(PREFIX) and policy.cipher and policy.cipher.opens(old):
        return bool(new.startswith(PREFIX)) and policy.cipher.decrypt(old) == policy.cipher.decrypt(new)
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
