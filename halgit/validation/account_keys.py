"""Keys, names and fields of accounts as Spring and Clouddriver compare them. Pure.

Spring compares keys by their ASCII letters and digits, without case, and drops every other character; a dot or bracket
separates two keys. The fields come from the schema of dynamic accounts, which follows Clouddriver's classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from halgit import yaml as hyaml
from halgit.annotations import Any, Final
from halgit.halyard import resources as halyard_data
from halgit.lazy import lazy_pattern
from halgit.pipeline import Value
from halgit.text.paths import list_elements, relax_name

Node = Mapping[str, Any]

_SCHEMA: Final = "clouddriver-accounts"
_NAME: Final = lazy_pattern(r"[A-Za-z0-9](?:[-._ A-Za-z0-9]*[A-Za-z0-9])?")
_LONGEST_NAME: Final = 200
_PROVIDER: Final = lazy_pattern(r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")

RESERVED: Final = frozenset({"kubeconfigs", "config-repo"})
"""Names that Clouddriver's temporary folder holds already."""

_NOT_PROVIDERS: Final = frozenset({"halgit", "spring", "encrypt"})
"""Sections of the file that have another meaning to halgit or to Spring."""


def list_names(key: str) -> tuple[str, ...]:
    """Return the keys that Spring makes of one, as it compares them: `accounts[0].name` are three."""
    return tuple(name for element in list_elements(key) if (name := relax_name(element)))


def check_name(name: str) -> Iterator[str]:
    """Every fault of an account's name: Clouddriver writes a file of this name."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME or ".." in name:
        yield (
            f"the name {name!r} is not a safe file name; use letters, digits, and dashes, dots, underscores or spaces"
            f" between them, at most {_LONGEST_NAME}"
        )
    elif name.lower() in RESERVED:
        yield f"the name {name} is a folder that Clouddriver uses"


def check_provider(provider: str) -> Iterator[str]:
    """Every fault of the name of a provider, which may be one that halgit does not know."""
    if not _PROVIDER.fullmatch(provider) or relax_name(provider) in _NOT_PROVIDERS:
        yield f"{provider!r} is not the name of a provider"


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
    sections = halyard_data.open_schema(_SCHEMA)["properties"]
    return tuple(_kebab(name) for name, node in sections.items() if "accounts" in node["properties"])


def find_provider(name: str) -> str:
    """The name of a provider from any of its spellings (`dockerRegistry`); the name itself for an unknown one."""
    return next((known for known in provider_names() if relax_name(known) == relax_name(name)), name)


def section_name(provider: str) -> str:
    """The key of a provider's section in camel case, as the file writes it."""
    first, *rest = provider.split("-")
    return first + "".join(word.capitalize() for word in rest)


@cache
def entry_node(provider: str) -> Node:
    """The schema of an entry of a provider; empty for an unknown one."""
    section = halyard_data.open_schema(_SCHEMA)["properties"].get(section_name(provider), {})
    node: Node = section.get("properties", {}).get("accounts", {}).get("items", {})
    return node


def field_node(provider: str, key: str) -> Node:
    """The schema of a field in any of its spellings; empty for an unknown one."""
    return known_fields(entry_node(provider)).get(relax_name(key), {})


def field_kind(provider: str, key: str) -> str:
    """The kind of a field (`text`, `flag`, `int`, ...); empty for an unknown one or a mapping."""
    return node_kind(field_node(provider, key))


def node_kind(node: Node) -> str:
    """The kind of a value by its schema; empty for a mapping or a list of them."""
    return str(node.get("$ref", "")).removeprefix("#/$defs/")


def is_dead(provider: str, key: str) -> bool:
    """Return whether Clouddriver once read this field of the provider and does not any more."""
    return bool(field_node(provider, key).get("deprecated"))


_FIELDS: Final[dict[int, tuple[Node, Mapping[str, Node], tuple[str, ...]]]] = {}


def known_fields(node: Node) -> Mapping[str, Node]:
    """The schemas of a mapping's fields, by their keys as Spring compares them."""
    return _fields(node)[1]


def living_fields(node: Node) -> tuple[str, ...]:
    """The fields of a mapping that Clouddriver reads."""
    return _fields(node)[2]


def _fields(node: Node) -> tuple[Node, Mapping[str, Node], tuple[str, ...]]:
    """Return a node of the schema, its properties by relaxed name, and the names of those that are not dead."""
    if _FIELDS.get(id(node), (None,))[0] is not node:
        below = node.get("properties", {})
        names = tuple(name for name, spec in below.items() if not spec.get("deprecated"))
        _FIELDS[id(node)] = node, {relax_name(key): spec for key, spec in below.items()}, names
    return _FIELDS[id(node)]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
