"""A change to the file of dynamic accounts, applied to its text: one entry is added, changed or taken out. Pure.

Foreign entries, comments and the order stay as they are. The file is never emptied away: Clouddriver would keep the
accounts of a file that is gone until it is restarted, so a last entry leaves an empty list. Where a rule has its
reason in Clouddriver, `controller-and-accounts-facts.md` section 2 tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from halgit import yaml as hyaml
from halgit.accounts.cipher import PREFIX
from halgit.errors import AccountError
from halgit.halyard.sensitivity import split_words
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, Value
from halgit.record import Record, field
from halgit.text.phrases import suggest_nearest
from halgit.validation import schema
from halgit.validation.rules.dynamic_accounts import DEAD, EITHER

Verb = Literal["add", "update", "remove"]

PROVIDERS: Final = ("kubernetes", "docker-registry", "cloudfoundry", "aws", "ecs", "google")
"""Providers as Spring names them. Clouddriver takes changes of the first three without a restart."""

_REFRESHED: Final = PROVIDERS[:3]
_NAME: Final = lazy_pattern(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME: Final = 63


class Change(Record):
    """What is to be done with one account. A field that is MISSING is taken out of the entry."""

    verb: Verb
    provider: str
    name: str
    fields: Mapping[str, Value] = field(default_factory=dict)


class Edited(Record):
    """The file after a change, the entry before and after it (None where there is none), and what to know of it."""

    text: bytes
    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    notes: tuple[str, ...] = ()


class Entry(Record):
    """One account of the file."""

    provider: str
    path: Path
    fields: Mapping[str, Value]

    @property
    def name(self) -> str:
        """Its name as Clouddriver reads it."""
        name = self.fields.get("name")
        return "" if name is None or isinstance(name, (dict, list)) else hyaml.to_java_string(name)

    def get(self, key: str) -> Value:
        """The value of a field, in whatever case it is written."""
        return self.fields.get(_spelled(self.fields, key))


def entries(text: bytes, file: str) -> tuple[Entry, ...]:
    """Every account of the file. Raises AccountError for a text that Clouddriver cannot read as one document."""
    return tuple(_entries(_read(text, file)))


def apply(text: bytes, change: Change, file: str) -> Edited:
    """The file with the change made. Raises AccountError with every reason why it is not."""
    data = _read(text, file)
    known = tuple(_entries(data))
    same = [entry for entry in known if entry.name == change.name]
    if change.verb == "add":
        return _added(text, data, known, change, file)
    if not same:
        names = [entry.name for entry in known]
        hint = suggest_nearest(change.name, names, "`halgit accounts list` tells what there is.")
        raise AccountError(f"{file} has no account {change.name}.", hint)
    if len(same) > 1:
        providers = " and ".join(entry.provider for entry in same)
        raise AccountError(
            f"{file} has {len(same)} accounts {change.name} ({providers}).", "Take all but one out by hand first."
        )
    return (_updated if change.verb == "update" else _removed)(text, known, same[0], change, file)


def _read(text: bytes, file: str) -> Value:
    read = hyaml.read(text, file, many=True)
    if read.findings:
        listed = " ".join(f"{file}:{fault.line}: {fault.message}" for fault in read.findings)
        raise AccountError(listed, "Clouddriver cannot read the file either. Mend it first.")
    if len(read.documents) > 1:
        raise AccountError(f"{file} holds {len(read.documents)} documents.", "Make one of them.")
    data = read.documents[0] if read.documents else None
    if data is not None and not isinstance(data, dict):
        raise AccountError(f"{file} is no mapping of providers.", "Mend it first.")
    dotted = [str(key) for key in data or () if "." in str(key) and ".accounts" in str(key)]
    if dotted:
        raise AccountError(f"{file} writes accounts as {dotted[0]}.", "Nest the keys, then halgit can edit it.")
    return data


def _entries(data: Value) -> Iterator[Entry]:
    for key, section in (data or {}).items():
        accounts = section.get("accounts") if isinstance(section, dict) else None
        if isinstance(accounts, list):
            for number, account in enumerate(accounts):
                if isinstance(account, dict):
                    yield Entry("-".join(split_words(str(key))), (key, "accounts", number), account)


def _added(text: bytes, data: Value, known: tuple[Entry, ...], change: Change, file: str) -> Edited:
    faults = [*_name_faults(change, known, file), *_faults({**change.fields, "name": change.name}, change.provider)]
    if faults:
        raise AccountError(*_told(change, faults))
    fields, notes = _live({"name": change.name, **change.fields})
    section = _spelled(data or {}, change.provider)
    accounts = ((data or {}).get(section) or {}).get("accounts") or []
    after = _edit(text, (section, "accounts", len(accounts)), fields, file)
    return Edited(after, None, fields, (*notes, *_notes(fields, change.provider)))


def _updated(text: bytes, known: tuple[Entry, ...], entry: Entry, change: Change, file: str) -> Edited:
    given, notes = _live(change.fields)
    after = dict(entry.fields)
    for key, value in given.items():
        own = _spelled(entry.fields, key)
        if value is MISSING:
            after.pop(own, None)
        else:
            after[own] = value
    faults = [*_faults(given, entry.provider), *_together(after)]
    if faults:
        raise AccountError(*_told(change, faults))
    for key, value in given.items():
        own = _spelled(entry.fields, key)
        if not _same(entry.fields.get(own, MISSING), value):
            text = _edit(text, (*entry.path, own), value, file)
    return Edited(
        text, entry.fields, after, (*notes, *_notes(after, entry.provider), *_last_cipher(known, entry, after))
    )


def _removed(text: bytes, known: tuple[Entry, ...], entry: Entry, change: Change, file: str) -> Edited:
    after = _edit(text, entry.path, MISSING, file)
    notes = ["Nothing was revoked: what the kubeconfig grants stays valid until it is revoked at the cluster."]
    if entry.provider not in _REFRESHED:
        notes.append(f"Clouddriver drops a {entry.provider} account only when it is restarted.")
    return Edited(after, entry.fields, None, (*notes, *_last_cipher(known, entry, {})))


def _edit(text: bytes, path: Path, value: Value, file: str) -> bytes:
    try:
        return hyaml.edit(text, path, value)
    except hyaml.EditError as reason:
        raise AccountError(f"{file}: {reason}", "Write the list in block style, without anchors.") from None


def _told(change: Change, faults: list[str]) -> tuple[str, str]:
    return f"The account {change.name} is refused: {'; '.join(faults)}.", "Correct the request."


def _name_faults(change: Change, known: tuple[Entry, ...], file: str) -> Iterator[str]:
    if change.provider not in PROVIDERS:
        yield f"there is no provider {change.provider} (providers: {', '.join(PROVIDERS)})"
    if not _NAME.fullmatch(change.name) or len(change.name) > _LONGEST_NAME:
        yield f"a name has small letters, digits and dashes between them, {_LONGEST_NAME} at most"
    for entry in known:
        if entry.name == change.name:
            yield f"{file} has a {entry.provider} account of this name already"


def _faults(fields: Mapping[str, Value], provider: str) -> Iterator[str]:
    """What is wrong with fields that are given: types, unknown keys, placeholders."""
    given = {key: value for key, value in fields.items() if value is not MISSING}
    camel = "".join(word.capitalize() if number else word for number, word in enumerate(split_words(provider)))
    checked = {"name": "any", **given}
    for finding in schema.check({camel: {"accounts": [checked]}}, "", "clouddriver-accounts"):
        if finding.path[:3] == (camel, "accounts", 0):
            yield f"{'.'.join(str(step) for step in finding.path[3:]) or 'the entry'}: {finding.message.rstrip('.')}"
    for key, value in given.items():
        if any("${" in text for text in _texts(value)):
            yield f"{key} holds ${{, which Spring takes for a placeholder"
    yield from _together(given)


def _together(fields: Mapping[str, Value]) -> Iterator[str]:
    for one, other in EITHER:
        if fields.get(_spelled(fields, one)) and fields.get(_spelled(fields, other)):
            yield f"{one} and {other} exclude each other"


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _texts(below)


def _live(fields: Mapping[str, Value]) -> tuple[dict[str, Value], list[str]]:
    """The fields without those Clouddriver no longer has, and a note on each of these."""
    dead = [key for key in fields if split_words(key) in DEAD and fields[key] is not MISSING]
    notes = [f"{key} was left out: Clouddriver no longer has it." for key in dead]
    return {key: value for key, value in fields.items() if key not in dead}, notes


def _notes(fields: Mapping[str, Value], provider: str) -> Iterator[str]:
    permissions = fields.get("permissions")
    if isinstance(permissions, dict):
        if permissions.get("READ") and not permissions.get("WRITE"):
            yield "permissions has READ and no WRITE, so nobody can deploy to the account."
        if permissions.get("WRITE") and not permissions.get("READ"):
            yield "permissions has WRITE and no READ, so those who deploy cannot see what they deployed."
    if provider not in _REFRESHED:
        yield f"Clouddriver takes a {provider} account only when it is restarted."


def _same(one: Value, other: Value) -> bool:
    """Whether two values are written the same; 1 and true are equal to Python only."""
    if MISSING in (one, other) or type(one) is not type(other):
        return one is other
    return hyaml.dump(one) == hyaml.dump(other)


def _last_cipher(known: tuple[Entry, ...], changed: Entry, after: Mapping[str, Value]) -> Iterator[str]:
    others = [entry.fields for entry in known if entry is not changed]
    if _sealed([changed.fields]) and not _sealed([*others, after]):
        yield (
            "No {cipher} value is left in the file. Clouddriver keeps its copy of the old list until it is restarted."
        )


def _sealed(entries: list[Mapping[str, Value]]) -> bool:
    return any(text.startswith(PREFIX) for entry in entries for text in _texts(dict(entry)))


def _spelled(fields: Mapping[str, Value], key: str) -> str:
    """A key as it is written there already (`cache-threads` for `cacheThreads`), for Spring reads both as one."""
    return next((own for own in fields if split_words(str(own)) == split_words(key)), key)
