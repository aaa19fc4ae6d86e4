"""An account as people and programs may see it: secrets masked, with its tag, its agent and its expiry. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, Final

from halgit import yaml as hyaml
from halgit.accounts.accounts_file import Entry
from halgit.accounts.checks import Policy
from halgit.accounts.cipher import PREFIX
from halgit.accounts.credentials import read_identity
from halgit.accounts.kubeconfig import read_expiry
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import MISSING, Value
from halgit.record import Record
from halgit.redaction import MASK
from halgit.validation.account_keys import find_key

SOON: Final = 30
"""Days before its end from which a certificate is reported."""


class AccountView(Record):
    """One account. `expires` is ISO 8601, empty if unknown; `agent` and `endpoint` if it is reached through one."""

    name: str
    provider: str
    fields: Mapping[str, Value]
    tag: str
    environment: str = ""
    expires: str = ""
    agent: str = ""
    endpoint: str = ""
    changed_by: str = ""
    changed_at: str = ""

    def days_left(self, now: datetime) -> int | None:
        """Return the days until the certificate expires, negative if it has; None if it is unknown."""
        return days_until(self.expires, now)


def days_until(expires: str, now: datetime) -> int | None:
    """Return the days until a time in ISO 8601, negative if it has passed; None for an empty string."""
    if not expires:
        return None
    end = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return (end - now).days


def view_entry(entry: Entry, policy: Policy, revision: str, changed: tuple[str, str] = ("", "")) -> AccountView:
    """Return the view of an entry in this revision of the store.

    Its certificate is read if the operator's key opens the kubeconfig.
    """
    text = _kubeconfig(entry, policy)
    agent, endpoint = read_identity(text) if text else ("", "")
    return AccountView(
        entry.name,
        entry.provider,
        mask_fields(entry.fields),
        tag_entry(entry.fields, policy, revision),
        str(entry.get("environment") or ""),
        read_expiry(text) if text else "",
        agent,
        endpoint,
        *changed,
    )


def tag_entry(fields: Mapping[str, Value], policy: Policy, revision: str) -> str:
    """Return the version of an entry, with which no guess of a secret in plain text can be tested.

    It is a digest of everything else in the entry. An entry with a secret in plain text has also the revision of the
    store and an HMAC of the whole entry: see `matches_tag`.
    """
    shown = mask_fields(fields, with_ciphers=True)
    tag = hashlib.sha256(hyaml.dump(shown)).hexdigest()[:24]
    if shown == fields:
        return tag
    return f"{tag}.{revision}.{policy.authenticate(hyaml.dump(dict(fields)).decode())[:32]}"


def matches_tag(tag: str, fields: Mapping[str, Value], policy: Policy, revision: str) -> bool:
    """Return whether an entry is the version with this tag.

    Without an encryption key another process has other HMACs, so that the revision counts too: nothing in the store has
    changed. An empty revision never counts.
    """
    current = tag_entry(fields, policy, revision)
    if tag == current or "." not in current:
        return tag == current
    shown, _, rest = tag.partition(".")
    known, _, sealed = rest.rpartition(".")
    own = current.split(".")
    return shown == own[0] and (hmac.compare_digest(sealed, own[-1]) or bool(revision and known == revision))


def mask_fields(fields: Mapping[Any, Value], *, with_ciphers: bool = False) -> dict[str, Value]:
    """Return the fields with every secret masked; `with_ciphers` keeps those that are encrypted."""
    return {str(key): _masked(str(key), value, with_ciphers=with_ciphers) for key, value in fields.items()}


def describe_changes(before: Mapping[str, Value] | None, after: Mapping[str, Value] | None) -> Iterator[str]:
    """The lines of a difference: `- ` before what is removed, `+ ` before what is added; secrets are masked."""
    old, new = before or {}, after or {}
    for key in [*old, *(key for key in new if key not in old)]:
        left, right = old.get(key, MISSING), new.get(key, MISSING)
        if left is right or (left is not MISSING and right is not MISSING and hyaml.dump(left) == hyaml.dump(right)):
            continue
        for mark, value in (("-", left), ("+", right)):
            if value is not MISSING:
                text = hyaml.dump({key: _masked(str(key), value)}).decode().rstrip("\n")
                yield from (f"{mark} {line}" for line in text.split("\n"))


def _masked(key: str, value: Value, *, with_ciphers: bool = False) -> Value:
    if isinstance(value, dict):
        return mask_fields(value, with_ciphers=with_ciphers)
    if isinstance(value, list):
        return [_masked(key, one, with_ciphers=with_ciphers) for one in value]
    if isinstance(value, str) and value.startswith(PREFIX):
        return value if with_ciphers else MASK
    return MASK if value and is_sensitive_key(key) else value


def _kubeconfig(entry: Entry, policy: Policy) -> str:
    """The kubeconfig of an entry as far as it can be read here."""
    value = entry.fields.get(find_key(entry.fields, "kubeconfigContents"))
    if not isinstance(value, str):
        return ""
    if not value.startswith(PREFIX):
        return value
    return policy.cipher.decrypt(value) if policy.cipher and policy.cipher.opens(value) else ""
