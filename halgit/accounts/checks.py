"""Checks of an account, each with every reason to refuse it: names, fields, access to the pod, keys, filters. Pure.

A change is judged by the entry it leads to. The facts behind each check are Spring's and Clouddriver's own classes'.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from halgit.accounts.accounts_file import AccountsFile
from halgit.accounts.cipher import PREFIX, Cipher, is_well_formed
from halgit.errors import AccountError
from halgit.halyard.coercion import is_true
from halgit.pipeline import MISSING, Value
from halgit.record import Record
from halgit.validation.account_entries import check_entry, find_key, relax_key

SERVED: Final = "configserver:"
POD_ACCESS: Final[Mapping[str, Mapping[str, str]]] = {
    "kubernetes": {
        "kubectlExecutable": "kubectl-executable", "kubeconfigFile": "local-file", "oAuthServiceAccount": "local-file",
    },
    "docker-registry": {
        "passwordCommand": "password-command", "passwordFile": "local-file", "dockerconfigFile": "local-file",
        "catalogFile": "local-file",
    },
    "google": {"jsonPath": "local-file", "userDataFile": "local-file"},
    "appengine": {
        "jsonPath": "local-file", "sshPrivateKeyFilePath": "local-file", "sshKnownHostsFilePath": "local-file",
    },
    "cloudrun": {"jsonPath": "local-file"},
    "dcos": {"serviceKeyFile": "local-file"},
    "oracle": {"sshPrivateKeyFilePath": "local-file"},
    "yandex": {"jsonPath": "local-file"},
}  # fmt: skip
"""Fields by which an account runs a program or reads a file of Clouddriver's pod, and the kind that permits each."""

ALLOWED_KINDS: Final = ("exec", "auth-provider", "local-file", "kubectl-executable", "password-command", "http-server")
"""Kinds of access that only the operator can permit."""

_SERVED_TO: Final = frozenset({"kubernetes", "google", "appengine", "cloudrun"})
"""Providers that read a `configserver:` path as a file of the store."""

_SAMPLE: Final = 3


class Policy(Record):
    """Operator settings of the checks. `allowed` holds kinds of ALLOWED_KINDS."""

    cipher: Cipher | None = None
    plaintext: bool = False
    allowed: frozenset[str] = frozenset()


def name_field_faults(fields: Mapping[str, Any]) -> Iterator[str]:
    for key in fields:
        if relax_key(key) == "name":
            yield f"{key} cannot be set or removed as a field"


def entry_faults(provider: str, entry: Mapping[str, Value], changed: Mapping[str, Value]) -> Iterator[str]:
    """The faults of the resulting entry. Of fields that Clouddriver ignores, only the changed ones count."""
    for fault in check_entry(provider, entry):
        if fault.effect == "ignored" and fault.path and fault.path[0] not in changed:
            continue
        place = ".".join(str(step) for step in fault.path[:-1])
        yield f"{place + ': ' if place else ''}{fault.message}"
    for key, value in changed.items():
        if value is not MISSING and any("${" in text for text in _texts(value)):
            yield f"{key} holds ${{, which Spring takes for a placeholder"


def pod_faults(
    provider: str,
    changed: Mapping[str, Value],
    allowed: Collection[str],
    exists: Callable[[str], bool],
    files: Mapping[str, bytes],
) -> Iterator[str]:
    kinds = {relax_key(key): kind for key, kind in POD_ACCESS.get(provider, {}).items()}
    for key, value in _fields(changed):
        kind = kinds.get(relax_key(key))
        if kind is None or not isinstance(value, str) or not value:
            continue
        if value.startswith(SERVED) and provider in _SERVED_TO:
            path = value.removeprefix(SERVED)
            if path.startswith("/") or ".." in path.split("/") or not (path in files or exists(path)):
                yield f"{key} names {path}, which is not a file of the store"
        elif kind not in allowed:
            yield f"{key} uses a program or file of Clouddriver's pod, which needs --allow {kind}"


def access_faults(provider: str, entry: Mapping[str, Value]) -> Iterator[str]:
    if provider != "kubernetes":
        return
    uses_pod = entry.get(find_key(entry, "serviceAccount"))
    if not (isinstance(uses_pod, (bool, str)) and is_true(uses_pod)) and not any(
        entry.get(find_key(entry, key)) for key in ("kubeconfigFile", "kubeconfigContents")
    ):
        yield "it has no kubeconfig, no agent and no service account"


def cipher_faults(fields: Mapping[str, Value], policy: Policy) -> Iterator[str]:
    for key, value in fields.items():
        for text in _texts(value) if value is not MISSING else ():
            if not text.startswith(PREFIX):
                continue
            if not is_well_formed(text):
                yield f"{key} is not a {{cipher}} value that Spring can decrypt"
            elif policy.cipher and not policy.cipher.opens(text):
                yield f"{key} is a {{cipher}} value of another key"


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


def check_filters(file: AccountsFile) -> None:
    """Raise AccountError if Spring would lose a space filter: of a file with `{cipher}` values it copies the properties
    of lists into a source of their own, but none whose name has a space."""
    lost = [
        f"{entry.name} ({key})"
        for entry in file.entries
        if entry.provider == "cloudfoundry" and isinstance(filters := entry.get("spaceFilter"), dict)
        for key in filters
        if any(one.isspace() for one in str(key))
    ]
    if lost and any(True for _ in file.ciphers()):
        raise AccountError(
            f"{file.name}: in a file with {{cipher}} values Spring loses keys of spaceFilter that have spaces:"
            f" {', '.join(lost)}. The account would reach every space.",
            "Store such accounts in a file without {cipher} values, or rename the organization.",
        )


def _fields(value: Any) -> Iterator[tuple[str, Value]]:
    """Every scalar below a value with its key."""
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(below, (dict, list)):
            yield from _fields(below)
        elif below is not MISSING:
            yield str(key), below


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _texts(below)
