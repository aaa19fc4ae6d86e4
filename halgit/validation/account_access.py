"""What an account reaches and what Spring makes of its file: pod access, files of the store, secrets, other spellings.

The writer of accounts refuses all of it before it writes; the rules report it in files that people write. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from halgit.annotations import Any, Final
from halgit.pipeline import Path, Value
from halgit.text.paths import relax_name, split_name
from halgit.validation.account_entries import find_key
from halgit.validation.properties import split_properties

SERVED: Final = "configserver:"
CIPHER: Final = "{cipher}"

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

_SERVED_TO: Final = frozenset({"kubernetes", "google", "appengine", "cloudrun"})
"""Providers that read a `configserver:` path as a file of the store."""

_VALUE: Final = re.compile(r"\{cipher\}(?:[0-9a-fA-F]{2})+")
_BLOCK: Final = 16
_TRUE: Final = frozenset({"true", "on", "yes", "1"})
"""What Spring takes for true."""

_INDEXED: Final = re.compile(r"accounts\[([0-9]+)\]")


def is_well_formed(value: str) -> bool:
    """True if a value that begins with `{cipher}` has the form that Spring decrypts: hexadecimal, whole blocks."""
    digits = len(value) - len(CIPHER)
    return bool(_VALUE.fullmatch(value)) and digits >= 4 * _BLOCK and digits % (2 * _BLOCK) == 0


def read_index(key: object) -> int | None:
    """Return the number of a key such as `accounts[0]`, which Spring reads as an item of the list; else None."""
    match = _INDEXED.fullmatch(str(key).lower())
    return int(match[1]) if match else None


def pod_fields(provider: str, fields: Mapping[str, Value]) -> Iterator[tuple[Path, str, str]]:
    """Path, value and kind of each field that runs a program or reads a file. A `configserver:` path has no kind."""
    kinds = {relax_name(key): kind for key, kind in POD_ACCESS.get(provider, {}).items()}
    for path, value in strings_in(fields):
        kind = kinds.get(relax_name(path[-1]))
        if kind is not None and value:
            yield path, value, "" if value.startswith(SERVED) and provider in _SERVED_TO else kind


def is_outside(path: str) -> bool:
    """Whether the path of a `configserver:` value leaves the store."""
    return path.startswith("/") or ".." in path.split("/")


def lacks_access(provider: str, entry: Mapping[str, Value]) -> bool:
    """Whether a Kubernetes account has neither kubeconfig nor service account."""
    if provider != "kubernetes":
        return False
    uses_pod = entry.get(find_key(entry, "serviceAccount"))
    if uses_pod is True or str(uses_pod).lower() in _TRUE:
        return False
    return not any(entry.get(find_key(entry, key)) for key in ("kubeconfigFile", "kubeconfigContents"))


def lost_filters(provider: str, entry: Mapping[str, Value]) -> list[str]:
    """The keys of `spaceFilter` that Spring loses in a file with `{cipher}` values: of such a file it copies the
    properties of lists into a source of their own, but none whose name has a space."""
    filters = entry.get(find_key(entry, "spaceFilter")) if provider == "cloudfoundry" else None
    return [str(key) for key in filters if any(map(str.isspace, str(key)))] if isinstance(filters, dict) else []


def strings_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every string below a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings_in(below, (*path, step))


def shape_faults(data: Value) -> Iterator[str]:
    """Words for each part of a file that Spring reads otherwise than it looks, or in some profiles only."""
    yield from (words for _, words in spelling_faults(data))
    for key, body in data.items() if isinstance(data, dict) else ():
        if activates(str(key), body):
            yield f"{key} makes Spring read it only in some profiles"
        if "." in str(key) and _names_accounts(str(key).partition(".")[2]):
            yield f"it writes accounts as {key}"
        for own, items in body.items() if isinstance(body, dict) else ():
            if "." in str(own) and _names_accounts(str(own)):
                yield f"it writes accounts as {key}.{own}"
            if relax_name(own) == "accounts" and items not in (None, "") and not isinstance(items, list):
                yield f"{key}.{own} is not a list"


def spelling_faults(data: Value) -> Iterator[tuple[Path, str]]:
    """Path and words for each place where two spellings are one to Spring."""
    providers: dict[str, str] = {}
    known: dict[str, list[str]] = {}
    for key, body in data.items() if isinstance(data, dict) else ():
        text, _, rest = str(key).partition(".")
        provider = relax_name(text)
        if isinstance(body, dict) and not rest:
            if provider in providers:
                yield (key,), f"{text} and {providers[provider]} are one section to Spring"
            providers[provider] = text
        found = [str(own) for own in body] if isinstance(body, dict) and not rest else [rest]
        spellings = known.setdefault(provider, [])
        spellings += (one for one in found if _names_accounts(one))
        if found and _are_several(spellings):
            yield (key,), f"{text} has {' and '.join(spellings)}, of which Spring reads parts only"
            known[provider] = []


def _names_accounts(key: str) -> bool:
    """Return whether a key of a provider is its list of accounts, or a part of it: `accounts`, `accounts[0].name`."""
    return relax_name(split_name(key)[0]) == "accounts"


def _are_several(spellings: list[str]) -> bool:
    """Return whether a list is written as a whole and once more, not only item by item."""
    return len(spellings) > 1 and any(len(split_name(one)) == 1 for one in spellings)


def activates(key: str, body: Value) -> bool:
    """Whether a key of a document makes Spring read it in some profiles only."""
    if not relax_name(key).startswith("spring"):
        return False
    properties = split_properties({key: body})
    return any(properties.get(*names) is not None for names in _CONDITIONS)


_CONDITIONS: Final = (("spring", "profiles"), ("spring", "config", "activate", "onprofile"))
