"""The classes Halyard binds a halconfig to: which field a path is, what it is marked with, what it may hold.

Made from Halyard's own classes (see `scripts/make_halyard_tables.py`). Looks at data, never changes or judges it:
verdicts are given by `validation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from halgit.halyard.data import table
from halgit.masking import Secret, Woven
from halgit.tree import EMPTY, Path, Value


@dataclass(frozen=True, slots=True)
class Type:
    """What a place holds. `kind` is string, boolean, int32, int64, uri, url, enum, object, list, set, map or any.

    `name` is the enum or class; `of` the type of the items or of a map's values; `keys` the enum of a map's keys.
    """

    kind: str
    name: str = ""
    of: Type | None = None
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a class, with Halyard's marks. `valid` are the first Spinnaker version that knows it and the first
    that does not any more, "" where there is no such bound. `written` is false for keys that are only read."""

    key: str
    type: Type
    secret: bool = False
    secret_file: bool = False
    local_file: bool = False
    always_decrypted: bool = False
    written: bool = True
    default: Value = None
    valid: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Class:
    """One class. `subtypes` are its real classes by the value of the key `by`, where it is polymorphic."""

    name: str
    fields: Mapping[str, Field]
    ignored: frozenset[str] = frozenset()
    extends: tuple[str, ...] = ()
    by: str = ""
    subtypes: Mapping[str, str] = field(default_factory=dict)


def _type(raw: Mapping[str, Any]) -> Type:
    kind = raw["kind"]
    if kind in {"enum", "object"}:
        return Type(kind, raw["of"])
    of = raw.get("of")
    return Type(kind, of=_type(of) if of else None, keys=raw.get("keys", ""))


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
def class_of(name: str, model: str = "halconfig") -> Class:
    """A class by its name in the table. Raises KeyError for a name the model does not know."""
    raw = table(model)["classes"][name]
    return Class(
        name,
        {key: _field(key, given) for key, given in raw["fields"].items()},
        ignored=frozenset(raw.get("ignored", ())),
        extends=tuple(raw.get("extends", ())),
        by=raw.get("by", ""),
        subtypes=raw.get("subtypes", EMPTY),
    )


ROOT = Type("object", "node.Halconfig")


def below(type_: Type, node: Value, step: str | int, model: str = "halconfig") -> tuple[Type, Field | None] | None:
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
    found = actual(type_, node, model).fields.get(str(step))
    return (found.type, found) if found else None


def actual(type_: Type, node: Value, model: str = "halconfig") -> Class:
    """The class a node of this type really has: a polymorphic one is chosen by the node's own key."""
    class_ = class_of(type_.name, model)
    if class_.by and isinstance(node, dict):
        chosen = class_.subtypes.get(str(node.get(class_.by)))
        return class_of(chosen, model) if chosen else class_
    return class_


def place(path: Path, config: Value = None) -> tuple[Type, Field | None] | None:
    """What the model says of one path of a halconfig; `config` is needed to tell polymorphic classes apart."""
    type_: Type = ROOT
    found: Field | None = None
    here = config
    for step in path:
        next_ = below(type_, here, step)
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


def field_at(path: Path, config: Value = None) -> Field | None:
    """The field a path of a halconfig names; an item of a list belongs to the list's field. None if it is none."""
    for end in range(len(path), 0, -1):
        known = place(path[:end], config)
        if known is None:
            return None
        if known[1] is not None:
            return known[1]
    return None


def is_secret(path: Path, config: Value = None) -> bool:
    """Whether Halyard marks this place of a halconfig as a secret, or as a file that holds one."""
    found = field_at(path, config)
    return found is not None and (found.secret or found.secret_file)


def walk(config: Value) -> Iterator[tuple[Path, Class, dict[Any, Value]]]:
    """Every mapping of a halconfig that is bound to a class: its path, class and node, parents first."""
    stack: list[tuple[Path, Type, Value]] = [((), ROOT, config)]
    while stack:
        path, type_, node = stack.pop()
        if type_.kind == "object" and isinstance(node, dict):
            class_ = actual(type_, node)
            yield path, class_, node
            below_ = [(k, class_.fields[k].type, v) for k, v in node.items() if k in class_.fields]
            stack.extend(((*path, k), t, v) for k, t, v in reversed(below_) if _deep(t))
        elif type_.kind in {"list", "set"} and isinstance(node, list) and type_.of and _deep(type_.of):
            stack.extend(((*path, i), type_.of, item) for i, item in reversed(list(enumerate(node))))
        elif type_.kind == "map" and isinstance(node, dict) and type_.of and _deep(type_.of):
            stack.extend(((*path, k), type_.of, v) for k, v in reversed(list(node.items())))


@cache
def _deep(type_: Type) -> bool:
    """Whether an object can stand at or below a place of this type."""
    return type_.kind == "object" or (type_.of is not None and _deep(type_.of))


def local_files(config: Value) -> list[tuple[Path, str | Secret | Woven]]:
    """The values of the halconfig's local-file fields that are not empty, with their paths, in file order."""
    found: list[tuple[Path, str | Secret | Woven]] = []
    for path, class_, node in walk(config):
        for key in _local_file_keys(class_.name):
            value = node.get(key)
            if isinstance(value, (str, Secret, Woven)) and value != "":
                found.append(((*path, key), value))
    return found


@cache
def _local_file_keys(name: str) -> tuple[str, ...]:
    return tuple(field.key for field in class_of(name).fields.values() if field.local_file)
