"""The classes Halyard binds a halconfig to: which field a path is, what it is marked with, what it may hold.

Made from Halyard's own classes (see `scripts/make_halyard_tables.py`). Looks at data, never changes or judges it:
verdicts are given by `validation`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from halgit.halyard.resources import load_table
from halgit.pipeline import EMPTY, Path, Value
from halgit.redaction import Secret, SecretText


@dataclasses.dataclass(frozen=True, slots=True)
class FieldType:
    """What a place holds. `kind` is string, boolean, int32, int64, uri, url, enum, object, list, set, map or any.

    `name` is the enum or class; `of` the type of the items or of a map's values; `keys` the enum of a map's keys.
    """

    kind: str
    name: str = ""
    of: FieldType | None = None
    keys: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One key of a class, with Halyard's marks. `valid` are the first Spinnaker version that knows it and the first
    that does not any more, "" where there is no such bound. `written` is false for keys that are only read."""

    key: str
    type: FieldType
    secret: bool = False
    secret_file: bool = False
    local_file: bool = False
    always_decrypted: bool = False
    written: bool = True
    default: Value = None
    valid: tuple[str, str] = ("", "")


@dataclasses.dataclass(frozen=True, slots=True)
class ModelClass:
    """One class. `subtypes` are its real classes by the value of the key `by`, where it is polymorphic."""

    name: str
    fields: Mapping[str, Field]
    ignored: frozenset[str] = frozenset()
    extends: tuple[str, ...] = ()
    by: str = ""
    subtypes: Mapping[str, str] = dataclasses.field(default_factory=dict)


def _type(raw: Mapping[str, Any]) -> FieldType:
    kind = raw["kind"]
    if kind in {"enum", "object"}:
        return FieldType(kind, raw["of"])
    of = raw.get("of")
    return FieldType(kind, of=_type(of) if of else None, keys=raw.get("keys", ""))


def _field(key: str, raw: Mapping[str, Any]) -> Field:
    lower, upper = raw.get("valid", ("", ""))
    return Field(
        key,
        _type(raw),
        secret=raw.get("secret", False),
        secret_file=raw.get("secret_file", False),
        local_file=raw.get("local_file", False),
        always_decrypted=raw.get("secret_always_decrypt", False),
        written=raw.get("write", True),
        default=raw.get("default"),
        valid=(lower or "", upper or ""),
    )


@cache
def get_class(name: str, model: str = "halconfig") -> ModelClass:
    """A class by its name in the table. Raises KeyError for a name the model does not know."""
    raw = load_table(model)["classes"][name]
    return ModelClass(
        name,
        {key: _field(key, given) for key, given in raw["fields"].items()},
        ignored=frozenset(raw.get("ignored", ())),
        extends=tuple(raw.get("extends", ())),
        by=raw.get("by", ""),
        subtypes=raw.get("subtypes", EMPTY),
    )


ROOT_TYPE = FieldType("object", "node.Halconfig")


def get_child_type(
    type_: FieldType, node: Value, step: str | int, model: str = "halconfig"
) -> tuple[FieldType, Field | None] | None:
    """The type of what `node` (of type `type_`) holds under `step`, and its field where it is a class's own key.

    None where the model knows no such place: an unknown key, or a step into a single value.
    """
    if type_.kind in {"list", "set"} and isinstance(step, int) and type_.of:
        return type_.of, None
    if type_.kind == "map" and type_.of:
        return type_.of, None
    if type_.kind == "any":
        return type_, None
    if type_.kind != "object":
        return None
    found = get_actual_class(type_, node, model).fields.get(str(step))
    return (found.type, found) if found else None


def get_actual_class(type_: FieldType, node: Value, model: str = "halconfig") -> ModelClass:
    """The class a node of this type really has: a polymorphic one is chosen by the node's own key."""
    class_ = get_class(type_.name, model)
    if class_.by and isinstance(node, dict):
        chosen = class_.subtypes.get(str(node.get(class_.by)))
        return get_class(chosen, model) if chosen else class_
    return class_


def find_type(path: Path, config: Value = None) -> tuple[FieldType, Field | None] | None:
    """What the model says of one path of a halconfig; `config` is needed to tell polymorphic classes apart."""
    type_: FieldType = ROOT_TYPE
    found: Field | None = None
    here = config
    for step in path:
        next_ = get_child_type(type_, here, step)
        if next_ is None:
            return None
        type_, found = next_[0], next_[1]
        here = _child(here, step)
    return type_, found


def _child(node: Value, step: str | int) -> Value:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return node[step]
    return None


def find_field(path: Path, config: Value = None) -> Field | None:
    """The field a path of a halconfig names; an item of a list belongs to the list's field. None if it is none."""
    for end in range(len(path), 0, -1):
        known = find_type(path[:end], config)
        if known is None:
            return None
        if known[1] is not None:
            return known[1]
    return None


def is_secret_field(path: Path, config: Value = None) -> bool:
    """Whether Halyard marks this place of a halconfig as a secret, or as a file that holds one."""
    found = find_field(path, config)
    return found is not None and (found.secret or found.secret_file)


def walk_objects(
    config: Value, classes: frozenset[str] | None = None
) -> Iterator[tuple[Path, ModelClass, dict[Any, Value]]]:
    """Every mapping of a halconfig that is bound to a class: its path, class and node, in file order, parents first.

    With `classes` only those of these classes, and only the branches that can hold one are looked at.
    """
    stack: list[tuple[Path, FieldType, Value]] = [((), ROOT_TYPE, config)]
    while stack:
        path, type_, node = stack.pop()
        if type_.kind == "object" and isinstance(node, dict):
            class_ = get_actual_class(type_, node)
            if classes is None or class_.name in classes:
                yield path, class_, node
            leading = _leading(class_.name, classes)
            below_ = [(key, leading[key]) for key in node if key in leading] if leading else ()
            stack.extend(((*path, key), known, node[key]) for key, known in reversed(below_))
        elif type_.of and _leads(type_.of, classes):
            items = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
            stack.extend(((*path, key), type_.of, value) for key, value in reversed(items))


@cache
def _leading(name: str, classes: frozenset[str] | None) -> dict[str, FieldType]:
    """The fields of a class below which an object (of one of these classes) can stand."""
    return {key: known.type for key, known in get_class(name).fields.items() if _leads(known.type, classes)}


@cache
def _leads(type_: FieldType, classes: frozenset[str] | None) -> bool:
    """Whether an object (of one of these classes) can stand at or below a place of this type."""
    if type_.kind != "object":
        return type_.of is not None and _leads(type_.of, classes)
    names = {type_.name, *get_class(type_.name).subtypes.values()}
    if classes is None or names & classes:
        return True
    return any(_leads(known.type, classes) for name in names for known in get_class(name).fields.values())


def list_providers(config: Value) -> Iterator[tuple[str, Path, dict[Any, Value]]]:
    """Every provider of every deployment, enabled or not: its key, path and node."""
    for number, deployment in enumerate(_list(_get(config, "deploymentConfigurations"))):
        for provider, node in _mapping(_get(deployment, "providers")).items():
            if isinstance(node, dict):
                yield str(provider), ("deploymentConfigurations", number, "providers", provider), node


def list_accounts(deployment: Value) -> Iterator[tuple[str, Path, dict[Any, Value]]]:
    """Every account of one deployment: its provider, its path below the deployment, and its node."""
    for provider, node in _mapping(_get(deployment, "providers")).items():
        for number, account in enumerate(_list(_get(node, "accounts"))):
            if isinstance(account, dict):
                yield str(provider), ("providers", provider, "accounts", number), account


def _get(node: Value, key: str) -> Value:
    return node.get(key) if isinstance(node, dict) else None


def _list(node: Value) -> list[Value]:
    return node if isinstance(node, list) else []


def _mapping(node: Value) -> dict[Any, Value]:
    return node if isinstance(node, dict) else {}


def list_local_files(config: Value) -> list[tuple[Path, str | Secret | SecretText]]:
    """The values of the halconfig's local-file fields that are not empty, with their paths, in file order."""
    fields = _local_file_fields()
    found: list[tuple[Path, str | Secret | SecretText]] = []
    for path, class_, node in walk_objects(config, frozenset(fields)):
        for key, value in node.items():
            if key in fields[class_.name] and isinstance(value, (str, Secret, SecretText)) and value != "":
                found.append(((*path, key), value))
    return found


@cache
def _local_file_fields() -> dict[str, frozenset[str]]:
    """The local-file fields, by class."""
    marked = {
        name: frozenset(known.key for known in get_class(name).fields.values() if known.local_file)
        for name in load_table("halconfig")["classes"]
    }
    return {name: keys for name, keys in marked.items() if keys}


@cache
def find_key_places(key: str) -> tuple[str, ...]:
    """Where in a halconfig a key can stand, as paths to the mappings that have it; `[]` is any item, `*` any key."""
    return tuple(place for place, class_ in _classes() if key in class_.fields)


@cache
def _classes() -> tuple[tuple[str, ModelClass], ...]:
    """Every place of a halconfig that is bound to a class, polymorphic ones by each of their classes."""
    found: list[tuple[str, ModelClass]] = []
    stack = [("", ROOT_TYPE)]
    while stack:
        place_, type_ = stack.pop()
        if type_.kind in {"list", "set"} and type_.of:
            stack.append((f"{place_}[]", type_.of))
        elif type_.kind == "map" and type_.of:
            stack.append((f"{place_}.*", type_.of))
        elif type_.kind == "object":
            class_ = get_class(type_.name)
            for name in class_.subtypes.values() or (type_.name,):
                real = get_class(name)
                found.append((place_, real))
                stack.extend((f"{place_}.{key}".lstrip("."), known.type) for key, known in real.fields.items())
    return tuple(found)
