"""What an account reaches and what Spring makes of its file: pod access, files of the store, secrets, other spellings.

The writer of accounts refuses all of it before it writes; the rules report it in files that people write. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit.annotations import Any, Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.text.paths import list_elements, relax_name, split_name
from halgit.validation.account_keys import find_key, list_names

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
        "localRepositoryDirectory": "local-file",
    },
    "cloudrun": {"jsonPath": "local-file", "localRepositoryDirectory": "local-file"},
    "dcos": {"serviceKeyFile": "local-file"},
    "oracle": {"sshPrivateKeyFilePath": "local-file"},
    "yandex": {"jsonPath": "local-file"},
}  # fmt: skip
"""Fields by which an account runs a program, or reads a file or fills a folder of Clouddriver's pod, and the kind that
permits each."""

_SERVED_TO: Final = frozenset({"kubernetes", "google", "appengine", "cloudrun"})
"""Providers that read a `configserver:` path as a file of the store."""

_VALUE: Final = lazy_pattern(r"\{cipher\}(?:[0-9a-fA-F]{2})+")
_BLOCK: Final = 16
_TRUE: Final = frozenset({"true", "on", "yes", "1"})
"""What Spring takes for true."""

_INDEXED: Final = lazy_pattern(r"([^.\[\]]+)\[(0|[1-9][0-9]{0,8})\]")
_FAR: Final = 4
"""Levels of a document in which a key may make Spring treat the whole document otherwise."""

_READ_ELSEWHERE: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("spring", "config", "activate"), "makes Spring read this document only in some profiles or on some platforms"),
    (("spring", "profiles", "active"), "stops the config server, which refuses it in this file"),
    (("spring", "profiles", "include"), "stops the config server, which refuses it in this file"),
    (("spring", "profiles", "default"), "stops the config server, which refuses it in this file"),
    (("spring", "profiles", "group"), "stops the config server, which refuses it in this file"),
    (("spring", "profiles"), "makes Spring read this document only in some profiles"),
    (("spring", "config", "import"), "makes Spring read another file"),
)
"""What Spring does with keys that are no accounts."""


def is_well_formed(value: str) -> bool:
    """True if a value that begins with `{cipher}` has the form that Spring decrypts: hexadecimal, whole blocks."""
    digits = len(value) - len(CIPHER)
    return bool(_VALUE.fullmatch(value)) and digits >= 4 * _BLOCK and digits % (2 * _BLOCK) == 0


def read_index(key: object) -> int | None:
    """Return the number of a key such as `accounts[0]`, which Spring reads as an item of the list; else None."""
    match = _INDEXED.fullmatch(str(key))
    return int(match[2]) if match and relax_name(match[1]) == "accounts" else None


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


def empty_values(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every empty list and mapping below a value.

    Of a git repository or folder with a `{cipher}` value in a list, Spring copies every property of a list as text:
    an empty list becomes `[]`, which binds as an item of that name or not at all.
    """
    if isinstance(value, (dict, list)) and not value:
        yield path
    elif isinstance(value, (dict, list)):
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(below, (dict, list)):
                yield from empty_values(below, (*path, step))


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
    yield from (f"{path[-1]} {words}" for path, words in activation_faults(data))
    for key, body in data.items() if isinstance(data, dict) else ():
        if _names_accounts(_split_section(str(key))[1]):
            yield f"it writes accounts as {key}"
        for own, items in body.items() if isinstance(body, dict) else ():
            if relax_name(own) == "accounts" and items not in (None, "") and not isinstance(items, list):
                yield f"{key}.{own} is not a list"
            elif _names_accounts(str(own)) and len(split_name(str(own))) > 1 and read_index(own) is None:
                yield f"it writes accounts as {key}.{own}"


def spelling_faults(data: Value) -> Iterator[tuple[Path, str]]:
    """Path and words for each place where two spellings are one to Spring, or numbers of items are missing."""
    sections: dict[str, str] = {}
    lists: dict[str, list[tuple[Any, str]]] = {}
    for key, body in data.items() if isinstance(data, dict) else ():
        section, rest = _split_section(str(key))
        provider = relax_name(section)
        if isinstance(body, dict) and not rest:
            if provider in sections:
                yield (key,), f"{section} and {sections[provider]} are one section to Spring"
            sections[provider] = section
        found = [str(own) for own in body] if isinstance(body, dict) and not rest else [rest]
        lists.setdefault(provider, []).extend((key, one) for one in found if _names_accounts(one))
    for spellings in lists.values():
        words = _list_fault([one for _, one in spellings])
        if words:
            yield (spellings[-1][0],), f"{_split_section(str(spellings[-1][0]))[0]} has {words}"


def _split_section(key: str) -> tuple[str, str]:
    """The section that a key of a file names, and the rest of the key: `kubernetes`, `accounts[0].name`."""
    section = list_elements(key)[0]
    return section, key[key.find(section) + len(section) :].lstrip(".")


def _names_accounts(key: str) -> bool:
    """Return whether a key of a provider is its list of accounts, or a part of it: `accounts`, `accounts[0].name`."""
    return relax_name(split_name(key)[0]) == "accounts"


def _list_fault(spellings: list[str]) -> str:
    """Words for the spellings of one list that Spring does not read as they look; empty if it does."""
    names = [split_name(one) for one in spellings]
    listed = " and ".join(dict.fromkeys(spellings))
    if len(names) > 1 and any(len(one) == 1 for one in names):
        return f"{listed}, of which Spring reads parts only"
    numbers = {one[1] for one in names if len(one) > 1}
    if numbers != set(range(len(numbers))):
        return f"{listed}, and Spring binds items with the numbers 0, 1, 2 only"
    return ""


def activation_faults(data: Value) -> Iterator[tuple[Path, str]]:
    """Path and words for each key that makes Spring read a document in some profiles only, or not at all."""
    for path in _paths(data, ()):
        elements = tuple(element for step in path for element in list_names(str(step)))
        words = next((words for start, words in _READ_ELSEWHERE if elements[: len(start)] == start), "")
        if words:
            yield path, words


def _paths(value: Value, path: Path) -> Iterator[Path]:
    """The path of each value below a key `spring`, at most _FAR keys deep."""
    if isinstance(value, dict) and value and len(path) < _FAR:
        for key, below in value.items():
            if path or list_names(str(key))[:1] == ("spring",):
                yield from _paths(below, (*path, key))
    elif path:
        yield path
