"""Checks of an account, each with every reason to refuse it: names, fields, access to the pod, keys, filters. Pure.

A change is judged by the entry it leads to. The facts behind each check are Spring's and Clouddriver's own classes'.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from halgit.accounts.accounts_file import AccountsFile, Entry
from halgit.accounts.cipher import PREFIX, Cipher
from halgit.accounts.kubeconfig import find_faults
from halgit.errors import AccountError
from halgit.pipeline import Value
from halgit.record import Record
from halgit.text.paths import relax_name
from halgit.validation.account_access import (
    SERVED,
    empty_values,
    is_outside,
    is_well_formed,
    lacks_access,
    lost_filters,
    pod_fields,
    strings_in,
)
from halgit.validation.account_entries import check_entry
from halgit.validation.account_keys import find_key

ALLOWED_KINDS: Final = ("exec", "auth-provider", "local-file", "kubectl-executable", "password-command", "http-server")
"""Kinds of access that only the operator can permit."""

KUBECONFIG_FIELDS: Final = ("kubeconfigFile", "kubeconfigContents", "context")
KUBECONFIG_KEYS: Final = frozenset(map(relax_name, KUBECONFIG_FIELDS))
"""Fields that decide which kubeconfig an account uses, and as Spring compares them."""

PLACEHOLDER: Final = "holds ${, which Spring takes for a placeholder and no field can escape"

_SAMPLE: Final = 3
_PROCESS_KEY: Final = secrets.token_bytes(32)
"""Authenticates where the operator set no key; no other process and nobody else knows it."""


class Policy(Record):
    """Operator settings of the checks. `allowed` holds kinds of ALLOWED_KINDS."""

    cipher: Cipher | None = None
    plaintext: bool = False
    allowed: frozenset[str] = frozenset()

    def authenticate(self, text: str) -> str:
        """Return the HMAC-SHA-256 of a text with the encryption key, else with a random key of this process."""
        if self.cipher is not None:
            return self.cipher.authenticate(text)
        return hmac.new(_PROCESS_KEY, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def name_field_faults(fields: Mapping[str, Any]) -> Iterator[str]:
    for key in fields:
        if relax_name(key) == "name":
            yield f"{key} cannot be set or removed as a field"


def entry_faults(provider: str, entry: Mapping[str, Value], changed: Mapping[str, Value]) -> Iterator[str]:
    """The faults of the resulting entry. Of fields that Clouddriver ignores, only the changed ones count."""
    for fault in check_entry(provider, entry):
        if fault.effect == "ignored" and fault.path and fault.path[0] not in changed:
            continue
        place = ".".join(str(step) for step in fault.path[:-1])
        yield f"{place + ': ' if place else ''}{fault.message}"
    for key, value in changed.items():
        texts = [text for _, text in strings_in(value)]
        if any("${" in text for text in texts):
            yield f"{key} {PLACEHOLDER}"
        if any(map(_has_surrogates, texts)):
            yield f"{key} holds half of a surrogate pair, or bytes that are not UTF-8"


def _has_surrogates(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def pod_faults(
    provider: str, changed: Mapping[str, Value], allowed: Collection[str], read: Callable[[str], bytes | None]
) -> Iterator[str]:
    for place, value, kind in pod_fields(provider, changed):
        key, path = place[-1], value.removeprefix(SERVED)
        if not kind:
            if is_outside(path) or read(path) is None:
                yield f"{key} names {path}, which is not a file of the store"
        elif kind not in allowed:
            yield f"{key} uses a program or file of Clouddriver's pod, which needs --allow {kind}"


def kubeconfig_faults(
    provider: str, entry: Mapping[str, Value], policy: Policy, read: Callable[[str], bytes | None]
) -> Iterator[str]:
    """The faults of the kubeconfig that an entry names or holds, as far as it can be read here."""
    if provider != "kubernetes":
        return
    file, contents, context = (entry.get(find_key(entry, key)) for key in KUBECONFIG_FIELDS)
    text: bytes | None = None
    is_served = isinstance(file, str) and file.startswith(SERVED) and not is_outside(file.removeprefix(SERVED))
    if is_served:
        text = read(str(file).removeprefix(SERVED))
    elif not file and isinstance(contents, str) and contents:
        text = _opened(contents, policy).encode("utf-8", "surrogatepass")
    if text:
        faults = find_faults(text, "" if context is None else str(context), policy.allowed, as_file=is_served)
        yield from (f"its kubeconfig cannot be used: {fault}" for fault in faults)


def _opened(contents: str, policy: Policy) -> str:
    """The kubeconfig of an entry; empty if there is no key that opens it."""
    if not contents.startswith(PREFIX):
        return contents
    return policy.cipher.decrypt(contents) if policy.cipher and policy.cipher.opens(contents) else ""


def access_faults(provider: str, entry: Mapping[str, Value]) -> Iterator[str]:
    if lacks_access(provider, entry):
        yield "it has no kubeconfig, no agent and no service account"


def cipher_faults(fields: Mapping[str, Value], policy: Policy) -> Iterator[str]:
    for path, text in strings_in(fields):
        if not text.startswith(PREFIX):
            continue
        if not is_well_formed(text):
            yield f"{path[0]} is not a {{cipher}} value that Spring can decrypt"
        elif policy.cipher is None:
            yield f"{path[0]} is a {{cipher}} value, which cannot be checked without --encrypt-key-file"
        elif not policy.cipher.opens(text):
            yield f"{path[0]} is a {{cipher}} value of another key"
        elif "${" in policy.cipher.decrypt(text) and relax_name(path[0]) != "kubeconfigcontents":
            yield f"{path[0]}, decrypted, {PLACEHOLDER}"


def check_key(file: AccountsFile, policy: Policy) -> None:
    """Raise AccountError if the operator's key does not open the values that the file has."""
    if policy.cipher is None:
        return
    values = list(islice(file.ciphers(), _SAMPLE))
    if values and not any(policy.cipher.opens(value) for _, value in values):
        path = ".".join(str(step) for step in values[0][0])
        raise AccountError(
            f"{file.name}: the encryption key does not open {path}, so Clouddriver has another key.",
            "Use the encrypt.key and encrypt.salt of spinnakerconfig.yml, or rotate the key.",
        )


def check_decryption(before: AccountsFile, edited: AccountsFile, changed: Entry) -> None:
    """Raise AccountError if Spring would lose or misread values of the changed entry in a file with secrets.

    With the first secret of a file this is checked for every entry.
    """
    if not edited.has_secrets:
        return
    entries = (changed,) if before.has_secrets else (*edited.entries, changed)
    lost = [f"{entry.name} ({key})" for entry in entries for key in lost_filters(entry.provider, entry.fields)]
    if lost:
        raise AccountError(
            f"{edited.name}: in a file with {{cipher}} values Spring loses keys of spaceFilter that have spaces:"
            f" {', '.join(dict.fromkeys(lost))}. The account would reach every space.",
            "Store such accounts in a file without {cipher} values, or rename the organization.",
        )
    empty = [
        f"{entry.name} ({'.'.join(map(str, path))})" for entry in entries for path in empty_values(dict(entry.fields))
    ]
    if empty:
        raise AccountError(
            f"{edited.name}: in a file with {{cipher}} values Spring reads empty lists and mappings as the text [] or"
            f" {{}}: {', '.join(dict.fromkeys(empty))}.",
            "Remove these fields: they are empty without them.",
        )
