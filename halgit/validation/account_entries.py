"""Clouddriver's handling of one account: what it cannot bind, what it skips, what it ignores. Pure.

The types and keys come from the schema of dynamic accounts, which follows Clouddriver's classes. Keys are compared as
Spring compares them: letters and digits, without case. An entry is checked as a whole, so that a change can be judged
by the entry it leads to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from halgit import yaml as hyaml
from halgit.annotations import Any, Final, Literal
from halgit.halyard import resources as halyard_data
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.text.paths import relax_name
from halgit.text.phrases import describe_kind, suggest_nearest

Effect = Literal["provider", "account", "ignored"]
"""Scope of a fault: all accounts of the provider, this account, or only the value."""

Node = Mapping[str, Any]

_SCHEMA: Final = "clouddriver-accounts"
_FLAG: Final = re.compile(r"true|false|on|off|yes|no|1|0", re.IGNORECASE)
_INTEGER: Final = re.compile(r"[+-]?(?:[0-9]+|0[xX][0-9a-fA-F]+)")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-._ A-Za-z0-9]*[A-Za-z0-9])?")
_LONGEST_NAME: Final = 200
_PLACEHOLDER: Final = "${"
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_REGEX_FAULTS: Final = ("missing ), unterminated", "unbalanced parenthesis", "unterminated character", "nothing to rep")
_TRACKS: Final = ("ALPHA", "BETA", "STABLE")
_PASSWORDS: Final = ("password", "passwordFile", "passwordCommand", "dockerconfigFile")

RESERVED: Final = frozenset({"kubeconfigs", "config-repo"})
"""Names that Clouddriver's temporary folder holds already."""

NAMING: Final = {"kubernetes": ("kubernetesAnnotations",), "google": ("gceAnnotations",)}
"""Naming strategies that Clouddriver knows by provider."""

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


def check_name(name: str) -> Iterator[str]:
    """Every fault of an account's name: Clouddriver writes a file of this name."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME or ".." in name:
        yield (
            f"the name {name!r} is not a safe file name; use letters, digits, and dashes, dots, underscores or spaces"
            f" between them, at most {_LONGEST_NAME}"
        )
    elif name.lower() in RESERVED:
        yield f"the name {name} is a folder that Clouddriver uses"


def find_key(mapping: Mapping[Any, Value], key: str) -> Any:
    """The key as the mapping spells it; `key` itself if it has none."""
    if key in mapping:
        return key
    wanted = relax_name(key)
    return next((own for own in mapping if relax_name(own) == wanted), key)


def read_name(fields: Mapping[Any, Value]) -> str:
    """Return an entry's name as Clouddriver reads it; empty if it has none."""
    name = fields.get(find_key(fields, "name"))
    return "" if name is None or isinstance(name, (dict, list)) else hyaml.to_java_string(name)


@cache
def provider_names() -> tuple[str, ...]:
    """The providers that Clouddriver has, as Spring names them."""
    sections = halyard_data.load_schema(_SCHEMA)["properties"]
    return tuple(_kebab(name) for name, node in sections.items() if "accounts" in node["properties"])


def find_provider(name: str) -> str:
    """The name of a provider from any of its spellings (`dockerRegistry`); the name itself for an unknown one."""
    return next((known for known in provider_names() if relax_name(known) == relax_name(name)), name)


def section_name(provider: str) -> str:
    """The key of a provider's section in camel case, as the file writes it."""
    first, *rest = provider.split("-")
    return first + "".join(word.capitalize() for word in rest)


def field_kind(provider: str, key: str) -> str:
    """The kind of a field (`text`, `flag`, `int`, ...); empty for an unknown one or a mapping."""
    node = _entry_fields(provider).get(relax_name(key), {})
    return str(node.get("$ref", "")).removeprefix("#/$defs/")


def is_dead(provider: str, key: str) -> bool:
    """Return whether Clouddriver once read this field of the provider and does not any more."""
    return bool(_entry_fields(provider).get(relax_name(key), {}).get("deprecated"))


def check_entry(provider: str, entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    """Every fault of an entry. An unknown provider's entry is checked for its name and its permissions only."""
    node = _entry_node(provider) if provider in provider_names() else _unknown_node()
    yield from _mapping(node, entry, ())
    for one, other, effect in EXCLUSIVE.get(provider, ()):
        first, second = find_key(entry, one), find_key(entry, other)
        if entry.get(first) and entry.get(second):
            costs = {"ignored": f"{other} is ignored", "account": "the account is skipped"}.get(
                effect, "no account of the provider loads"
            )
            yield EntryFault((second,), f"{one} and {other} exclude each other; {costs}", "Keep one of them.", effect)
    check = _CHECKS.get(provider)
    if check:
        yield from check(entry)


@cache
def _entry_node(provider: str) -> Node:
    section = halyard_data.load_schema(_SCHEMA)["properties"].get(section_name(provider), {})
    node: Node = section.get("properties", {}).get("accounts", {}).get("items", {})
    return node


@cache
def _unknown_node() -> Node:
    """The node of an entry of an unknown provider."""
    return {**_entry_node("ecs"), "x-required": ["name"]}


@cache
def _entry_fields(provider: str) -> Mapping[str, Node]:
    return _fields(_entry_node(provider))[1]


_FIELDS: Final[dict[int, tuple[Node, Mapping[str, Node], tuple[str, ...]]]] = {}


def _fields(node: Node) -> tuple[Node, Mapping[str, Node], tuple[str, ...]]:
    """Return a node of the schema, its properties by relaxed name, and the names of those that are not dead."""
    if _FIELDS.get(id(node), (None,))[0] is not node:
        below = node.get("properties", {})
        names = tuple(name for name, spec in below.items() if not spec.get("deprecated"))
        _FIELDS[id(node)] = node, {relax_name(key): spec for key, spec in below.items()}, names
    return _FIELDS[id(node)]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _fault(path: Path, message: str, hint: str, effect: Effect = "provider") -> EntryFault:
    return EntryFault(path, message, hint, effect)


# --- by type ---


def _mapping(node: Node, data: Mapping[Any, Value], path: Path) -> Iterator[EntryFault]:
    (_, known, names), spelled = _fields(node), dict[str, Any]()
    for key, value in data.items():
        here, word = (*path, key), relax_name(key)
        if not isinstance(key, str):
            yield _fault(here, f"the key {key} is not a string", "Quote the key.")
        elif word in spelled:
            yield _fault(here, f"{key} and {spelled[word]} are one key to Spring", "Remove one of them.", "account")
        elif word in known:
            yield from _value(known[word], value, here)
        elif node.get("title") == "Permissions":
            yield _fault(here, f"{key} is not a permission", f"Use {', '.join(node['properties'])}.")
        elif node.get("additionalProperties") is False:
            yield EntryFault(here, f"Clouddriver has no field {key}", "Remove it.", "ignored", names)
        spelled.setdefault(word, key)
    for key in node.get("x-required", ()):
        value = data.get(find_key(data, key))
        if value is None or value == "":
            effect: Effect = "provider" if key == "address" else "account"
            yield _fault(path, f"{key} is required", f"Add {key}.", effect)


def _value(node: Node, value: Value, path: Path) -> Iterator[EntryFault]:
    kind = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if kind == "texts":
        yield from _texts(value, path)
    elif kind == "groups":
        yield from _groups(value, path)
    elif kind:
        yield from _scalar(kind, value, path)
    elif "items" in node:
        yield from _list(node["items"], value, path)
    elif "properties" in node:
        yield from _object(node, value, path)


def _scalar(kind: str, value: Value, path: Path) -> Iterator[EntryFault]:
    key, shown = path[-1], "null" if value is None else describe_kind(value)
    if isinstance(value, str) and _PLACEHOLDER in value and kind != "text":
        return
    if kind == "text":
        if isinstance(value, (dict, list)):
            yield _fault(path, f"{key} is {shown}, not a string", "Write a string.")
    elif kind.endswith("OrNull") and value in (None, ""):
        return
    elif kind.startswith("flag"):
        if not isinstance(value, bool) and not (isinstance(value, str) and _FLAG.fullmatch(value)):
            yield _fault(path, f"{key} is not true or false", "Write true or false.")
    elif kind == "releaseTrack":
        if value not in (None, "") and str(value).upper() not in _TRACKS:
            yield _fault(path, f"{key} is not a release track", f"Write {', '.join(_TRACKS)}.")
    elif not _is_integer(value, 63 if kind.startswith("long") else 31):
        bits = 63 if kind.startswith("long") else 31
        yield _fault(path, f"{key} is not an integer from {-(2**bits)} to {2**bits - 1}", "Write an integer.")


def _is_integer(value: Value, bits: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            return False
        value = int(value, 16 if "x" in value.lower() else 10)
    return bool(-(2**bits) <= value < 2**bits)


def _texts(value: Value, path: Path) -> Iterator[EntryFault]:
    if isinstance(value, dict):
        yield _fault(path, f"{path[-1]} is a mapping, not a list of strings", "Write a list.")
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if item is None or item == "":
            yield _fault((*path, number), f"{path[-1]} has an empty item", "Remove it.", "account")
        elif isinstance(item, (dict, list)):
            yield _fault((*path, number), f"{path[-1]} has an item that is {describe_kind(item)}", "Write strings.")


def _groups(value: Value, path: Path) -> Iterator[EntryFault]:
    if not isinstance(value, dict):
        yield _fault(path, f"{path[-1]} is not a mapping of lists", "Write organizations with their spaces.")
        return
    for key, items in value.items():
        bare = isinstance(key, str) and not (key.startswith("[") and key.endswith("]"))
        if not isinstance(key, str) or (bare and "[" in key):
            yield _fault((*path, key), f"{path[-1]} has a key that Spring cannot bind", "Write it in brackets, quoted.")
        elif bare and not key.isalnum():
            yield _fault(
                (*path, key), f"Spring reads the key {key} as {re.sub('[^A-Za-z0-9-]', '', key)}",
                f"Write '[{key}]'.", "ignored",
            )  # fmt: skip
        yield from _texts(items, (*path, key))


def _list(node: Node, value: Value, path: Path) -> Iterator[EntryFault]:
    if value is None or value == "" or value == []:
        return
    if not isinstance(value, list):
        yield _fault(path, f"{path[-1]} is {describe_kind(value)}, not a list", "Write a list of mappings.")
        return
    known = _fields(node)[1]
    for number, item in enumerate(value):
        here = (*path, number)
        if isinstance(item, dict) and item and not any(relax_name(key) in known for key in item):
            yield _fault(here, f"{_name(here)} has no field that Clouddriver knows", "Correct its keys.")
        else:
            yield from _object(node, item, here)


def _object(node: Node, value: Value, path: Path) -> Iterator[EntryFault]:
    if not isinstance(value, dict):
        shown = "null" if value is None else describe_kind(value)
        yield _fault(path, f"{_name(path)} is {shown}, not a mapping", "Remove it, or write a mapping.")
    elif not value and node.get("minProperties"):
        yield _fault(path, f"{_name(path)} is an empty mapping, which Spring cannot bind", "Remove it.")
    else:
        yield from _mapping(node, value, path)


def _name(path: Path) -> str:
    return f"{path[-2]}[{path[-1]}]" if isinstance(path[-1], int) else str(path[-1])


# --- by provider ---


def _kubernetes(entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    seen: dict[str, str] = {}
    resources = find_key(entry, "customResources")
    for number, item in enumerate(_items(entry.get(resources))):
        kind = str(item.get(find_key(item, "kubernetesKind")) or "")
        if kind and kind.lower() in seen:
            yield _fault((resources, number), f"{kind} is a custom resource twice", "Remove one.", "account")
        seen[kind.lower()] = kind
        key = find_key(item, "deployPriority")
        if key in item and not _is_integer(_text(item[key]), 31):
            path = (resources, number, key)
            yield _fault(path, f"{key} is not an integer", "Write a number such as 100.", "account")
    yield from _naming(entry, "kubernetes")
    yield from _raw_resources(entry)


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
    if key in entry and str(entry[key]).lower() not in {one.lower() for one in known}:
        hint = f"Remove it, or write {' or '.join(known)}."
        yield _fault((key,), f"{key} is not a naming strategy of the provider", hint, "account")


def _regex(pattern: str, path: Path) -> Iterator[EntryFault]:
    """Yield the fault of a regular expression that no dialect accepts; what only Java can judge is accepted."""
    try:
        re.compile(pattern)
    except re.error as reason:
        if str(reason).startswith(_REGEX_FAULTS):
            yield _fault(path, f"the regular expression is invalid: {reason.msg}", "Correct it.", "account")


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
    "google": lambda entry: _naming(entry, "google"),
}
