"""Clouddriver's handling of the accounts of single providers: exclusive keys, names, patterns, hosts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.annotations import Any, Final, Literal
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.text.phrases import suggest_nearest
from halgit.validation.account_keys import find_key

Effect = Literal["provider", "account", "spelling", "ignored"]
"""What a fault costs: all accounts of the provider, this account, a value that Spring mixes with another, or nothing
but the value."""

_INTEGER: Final = lazy_pattern(r"[+-]?[0-9]{1,99}|-?0[xX][0-9a-fA-F]{1,99}")
_PLACEHOLDER: Final = "${"
_HOST: Final = lazy_pattern(r"[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_PASSWORDS: Final = ("password", "passwordFile", "passwordCommand", "dockerconfigFile")

NAMING: Final = {"kubernetes": ("kubernetesAnnotations",), "google": ("gceAnnotations",), "ecs": ("default", "tags")}
"""Naming strategies that Clouddriver knows by provider. Only that of ECS may be empty."""

PRIORITIES: Final = frozenset({
    "lowest", "workload_attachment", "workload_controller", "workload", "workload_modifier", "pdb", "api_service",
    "network_resource", "mountable_data", "mountable_data_backing_resource", "service_account", "storage_class",
    "admission", "resource_definition", "role_binding", "role", "namespace",
})  # fmt: skip
"""Words that Clouddriver knows for a `deployPriority`, each followed by `_priority`."""

EXCLUSIVE: Final[Mapping[str, tuple[tuple[str, str, Effect], ...]]] = {
    "kubernetes": (
        ("namespaces", "omitNamespaces", "account"),
        ("kinds", "omitKinds", "account"),
        ("kubeconfigFile", "kubeconfigContents", "ignored"),
    ),
    "docker-registry": (
        ("repositories", "catalogFile", "provider"),
        ("repositories", "repositoriesRegex", "provider"),
        *((a, b, "provider") for at, a in enumerate(_PASSWORDS) for b in _PASSWORDS[at + 1 :]),
    ),
}
"""Pairs of keys of which an entry may have one only, and what both cost."""


class EntryFault(Record):
    """One fault of an entry; `path` begins below the entry. `known` are fields that may be meant by an unknown one."""

    path: Path
    message: str
    hint: str
    effect: Effect
    known: tuple[str, ...] = ()

    def suggest(self) -> str:
        """Return the hint, or the known field that is most similar, which takes longer."""
        return suggest_nearest(str(self.path[-1]), self.known, self.hint) if self.known else self.hint


def check_provider_fields(provider: str, entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    """Every fault of an entry that only its provider has."""
    for one, other, effect in EXCLUSIVE.get(provider, ()):
        first, second = find_key(entry, one), find_key(entry, other)
        if entry.get(first) and entry.get(second):
            costs = {"ignored": f"{other} is ignored", "account": "the account is skipped"}.get(
                effect, "no account of the provider loads"
            )
            yield EntryFault((second,), f"{one} and {other} exclude each other; {costs}", "Keep one of them.", effect)
    if provider in NAMING:
        yield from _naming(entry, provider)
    check = _CHECKS.get(provider)
    if check:
        yield from check(entry)


def is_integer(value: Value, bits: int) -> bool:
    """Return whether Spring reads a value as an integer of this many bits and a sign."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            return False
        value = int(value, 16 if "x" in value.lower() else 10)
    return bool(-(2**bits) <= value < 2**bits)


def _fault(path: Path, message: str, hint: str, effect: Effect = "provider") -> EntryFault:
    return EntryFault(path, message, hint, effect)


def _kubernetes(entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    seen: dict[str, str] = {}
    resources = find_key(entry, "customResources")
    for number, item in enumerate(_items(entry.get(resources))):
        kind = str(item.get(find_key(item, "kubernetesKind")) or "")
        if kind and kind.lower() in seen:
            yield _fault((resources, number), f"{kind} is a custom resource twice", "Remove one.", "account")
        seen[kind.lower()] = kind
        key = find_key(item, "deployPriority")
        if not _is_priority(_text(item.get(key))):
            path = (resources, number, key)
            yield _fault(path, f"{key} is not an integer", "Write a number such as 100.", "account")
    yield from _raw_resources(entry)


def _is_priority(text: str) -> bool:
    """Return whether Clouddriver reads a `deployPriority`, which Java parses without a base."""
    is_number = is_integer(text, 31) and "x" not in text.lower()
    return not text or is_number or text.lower().removesuffix("_priority") in PRIORITIES


def _raw_resources(entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    own = find_key(entry, "rawResourcesEndpointConfig")
    raw = entry.get(own)
    if not isinstance(raw, dict):
        return
    one, other = find_key(raw, "kindExpressions"), find_key(raw, "omitKindExpressions")
    if raw.get(one) and raw.get(other):
        yield _fault((own, other), f"{one} and {other} exclude each other", "Keep one of them.", "account")
    for key in (one, other):
        for number, pattern in enumerate(_strings(raw.get(key))):
            yield from _regex(pattern, (own, key, number))


def _docker(entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    key = find_key(entry, "repositoriesRegex")
    for pattern in _strings(entry.get(key)):
        yield from _regex(pattern, (key,))


def _cloud_foundry(entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    key = find_key(entry, "api")
    api = entry.get(key)
    if isinstance(api, str) and api and _PLACEHOLDER not in api and not _HOST.fullmatch(api):
        hint = "Write the host alone, such as api.example.com."
        yield _fault((key,), "api is not a host name; no account of the provider loads", hint)


def _dcos(entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    clusters = find_key(entry, "clusters")
    for number, login in enumerate(_items(entry.get(clusters))):
        used = [key for key in ("password", "serviceKeyData", "serviceKeyFile") if login.get(find_key(login, key))]
        if len(used) > 1:
            message = f"{' and '.join(used)} exclude each other; the account is skipped"
            yield _fault((clusters, number), message, "Keep one of them.", "account")


def _naming(entry: Mapping[Any, Value], provider: str) -> Iterator[EntryFault]:
    key = find_key(entry, "namingStrategy")
    known = NAMING[provider]
    if provider == "ecs" and not _text(entry.get(key)).strip():
        return
    if key in entry and str(entry[key]).lower() not in {one.lower() for one in known}:
        hint = f"Remove it, or write {' or '.join(known)}."
        yield _fault((key,), f"{key} is not a naming strategy of the provider", hint, "account")


def _regex(pattern: str, path: Path) -> Iterator[EntryFault]:
    """Yield the fault of a regular expression that Java refuses."""
    from halgit.text.java_patterns import find_java_fault  # few accounts have one

    words = find_java_fault(pattern)
    if words:
        yield _fault(path, f"the regular expression is invalid: {words}", "Correct it.", "account")


def _items(value: Value) -> list[Mapping[Any, Value]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _strings(value: Value) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _text(value: Value) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else hyaml.to_java_string(value)


_CHECKS: Final[Mapping[str, Callable[[Mapping[Any, Value]], Iterator[EntryFault]]]] = {
    "kubernetes": _kubernetes,
    "docker-registry": _docker,
    "cloudfoundry": _cloud_foundry,
    "dcos": _dcos,
}
