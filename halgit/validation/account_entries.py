"""Clouddriver's handling of one account: what it cannot bind, what it skips, what it ignores. Pure.

The types and keys come from the schema of dynamic accounts, which follows Clouddriver's classes. Keys are compared as
Spring compares them: letters and digits, without case. An entry is checked as a whole, so that a change can be judged
by the entry it leads to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from halgit.annotations import Any, Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.text.paths import relax_name
from halgit.text.phrases import describe_kind
from halgit.validation.account_keys import (
    Node,
    entry_node,
    find_key,
    known_fields,
    list_names,
    living_fields,
    node_kind,
)
from halgit.validation.account_providers import Effect, EntryFault, check_provider_fields, is_integer

_FLAG: Final = lazy_pattern(r"true|false|on|off|yes|no|1|0", re.IGNORECASE)
_PLACEHOLDER: Final = "${"
_TRACKS: Final = ("ALPHA", "BETA", "STABLE")
_PLAIN_KEY: Final = lazy_pattern(r"[-_A-Za-z0-9]+(?:\.[-_A-Za-z0-9]+)*")
"""Keys of a map that Spring keeps as they are."""


def check_entry(provider: str, entry: Mapping[Any, Value]) -> Iterator[EntryFault]:
    """Every fault of an entry. An unknown provider's entry is checked for its name and its permissions only."""
    yield from _mapping(entry_node(provider) or _unknown_node(), entry, ())
    yield from check_provider_fields(provider, entry)


@cache
def _unknown_node() -> Node:
    """The node of an entry of an unknown provider."""
    fields = entry_node("kubernetes")["properties"]
    return {"properties": {key: fields[key] for key in ("name", "permissions")}, "x-required": ["name"]}


def _fault(path: Path, message: str, hint: str, effect: Effect = "provider") -> EntryFault:
    return EntryFault(path, message, hint, effect)


# --- by type ---


def _mapping(node: Node, data: Mapping[Any, Value], path: Path) -> Iterator[EntryFault]:
    known, spelled = known_fields(node), dict[str, Any]()
    for key, value in data.items():
        here, word = (*path, key), relax_name(key)
        if not isinstance(key, str):
            yield _fault(here, f"the key {key} is not a string", "Quote the key.")
        elif word in spelled:
            yield _fault(here, f"{key} and {spelled[word]} are one key to Spring", "Remove one of them.", "spelling")
        elif word in known:
            yield from _value(known[word], value, here)
        elif len(list_names(key)) > 1 and list_names(key)[0] in known:
            yield _fault(here, f"{key} is a part of another field to Spring", "Write it below that field.", "spelling")
        elif node.get("title") == "Permissions":
            yield _fault(here, f"{key} is not a permission", f"Use {', '.join(node['properties'])}.")
        elif node.get("additionalProperties") is False:
            yield EntryFault(here, f"Clouddriver has no field {key}", "Remove it.", "ignored", living_fields(node))
        spelled.setdefault(word, key)
    for key in node.get("x-required", ()):
        value = data.get(find_key(data, key))
        if value is None or value == "":
            effect: Effect = "provider" if key == "address" else "account"
            yield _fault(path, f"{key} is required", f"Add {key}.", effect)


def _value(node: Node, value: Value, path: Path) -> Iterator[EntryFault]:
    kind = node_kind(node)
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
    elif not is_integer(value, 63 if kind.startswith("long") else 31):
        bits = 63 if kind.startswith("long") else 31
        yield _fault(path, f"{key} is not an integer from {-(2**bits)} to {2**bits - 1}", "Write an integer.")


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
    spelled: dict[str, Any] = {}
    for key, items in value.items():
        here, name = (*path, key), read_group(key)
        if not is_group(key):
            yield _fault(here, f"{path[-1]} has a key that Spring cannot bind", "Write it in brackets, quoted.")
        elif name == key and not _PLAIN_KEY.fullmatch(key):
            words = f"Spring reads the key {key} as {re.sub('[^-_.A-Za-z0-9]', '', key)}"
            yield _fault(here, words, f"Write '[{key}]'.", "ignored")
        elif name.lower() in spelled:
            other = spelled[name.lower()]
            yield _fault(here, f"{key} and {other} are one key to Spring", "Remove one of them.", "spelling")
        spelled.setdefault(name.lower(), key)
        yield from _texts(items, here)


def is_group(key: object) -> bool:
    """Return whether Spring binds a key of a map such as `spaceFilter`."""
    if not isinstance(key, str):
        return False
    return bool(read_group(key)) and (read_group(key) != key or not set("[]") & set(key))


def read_group(key: object) -> str:
    """Return the key of a map without the brackets that make Spring keep every character of it."""
    text = str(key)
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def write_group(name: str) -> str:
    """Return a key of a map as Spring has to find it, in brackets if it would drop a character."""
    return name if _PLAIN_KEY.fullmatch(name) or read_group(name) != name else f"[{name}]"


def _list(node: Node, value: Value, path: Path) -> Iterator[EntryFault]:
    if value is None or value == "" or value == []:
        return
    if not isinstance(value, list):
        yield _fault(path, f"{path[-1]} is {describe_kind(value)}, not a list", "Write a list of mappings.")
        return
    known = known_fields(node)
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
