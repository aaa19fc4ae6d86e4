"""The `params` of a `halgit.yaml`: plain values and declarations. Whether values fit is for `overlay/` to say.

A scalar or a list is a value, a mapping declares. A name is letters, digits, `_` and `-`, so that it can stand in
`${{ params.NAME }}` and, in upper snake case, in an environment variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from halgit.pipeline import EMPTY, MISSING, Declaration, ParameterType, Patch, Path, Value
from halgit.settings.reader import Reader
from halgit.text import patterns
from halgit.text.phrases import describe_kind

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_KEYS = ("type", "default", "required", "secret", "pattern", "enum", "description")
_TYPES: dict[str, ParameterType] = {name: name for name in get_args(ParameterType)}


def declarations(reader: Reader, data: Mapping[str, Value]) -> Mapping[str, Declaration]:
    """The entries of `params` by name."""
    params = reader.mapping(data, (), "params")
    found: dict[str, Declaration] = {}
    for name, value in params.items():
        path: Path = ("params", name)
        if not NAME.fullmatch(name):
            hint = "Use letters, digits, _ and -, beginning with a letter or _."
            reader.fault("settings/parameter-name", path, f"{name} cannot be the name of a parameter.", hint, key=True)
        elif isinstance(value, Mapping):
            found[name] = _declaration(reader, name, path, value)
        elif value is None:
            hint = 'Write a value, "" for an empty text, or a declaration such as {type: string}.'
            reader.fault("settings/type", path, f"Parameter {name} has nothing as its value.", hint)
        else:
            found[name] = Declaration(name, reader.file, path, value=value)
    return found or EMPTY


def _declaration(reader: Reader, name: str, path: Path, said: Mapping[str, Value]) -> Declaration:
    reader.only(said, path, _KEYS, "The declaration of a parameter")
    declared = Declaration(
        name=name,
        file=reader.file,
        path=path,
        declares=True,
        value=_default(reader, path, said),
        type=reader.choice(said, path, "type", _TYPES),
        required=reader.flag(said, path, "required"),
        secret=reader.flag(said, path, "secret"),
        pattern=_pattern(reader, path, said),
        enum=_enum(reader, path, said),
        description=reader.text_of(said, path, "description") or "",
    )
    _hang_together(reader, declared, said)
    return declared


def _default(reader: Reader, path: Path, said: Mapping[str, Value]) -> Value:
    value = said.get("default", MISSING)
    if value is None or isinstance(value, Mapping):
        hint = "Write a text, number, true, false or a list, or leave default out."
        reader.fault("settings/type", (*path, "default"), f"{describe_kind(value)} cannot be a default.", hint)
        return MISSING
    return value


def _pattern(reader: Reader, path: Path, said: Mapping[str, Value]) -> str:
    pattern = reader.text_of(said, path, "pattern") or ""
    if not patterns.is_valid_pattern(pattern):
        hint = "Write a regular expression, as JSON schemas have them, that matches the whole value."
        reader.fault("settings/pattern", (*path, "pattern"), "The pattern is no regular expression.", hint)
        return ""
    return pattern


def _enum(reader: Reader, path: Path, said: Mapping[str, Value]) -> tuple[Value, ...]:
    values = reader.items(said, path, "enum")
    for number, value in enumerate(values):
        if value is None or isinstance(value, (list, Mapping)):
            reader.wrong((*path, "enum", number), value, "A text, a number, true or false")
    if said.get("enum") == []:
        reader.fault("settings/value", (*path, "enum"), "enum allows no value at all.", "List the values it allows.")
    return tuple(value for value in values if value is not None and not isinstance(value, (list, Mapping)))


def _hang_together(reader: Reader, declared: Declaration, said: Mapping[str, Value]) -> None:
    """What is right key by key and wrong together."""
    if declared.type == "enum" and "enum" not in said:
        hint = "Add the values it allows, such as enum: [a, b]."
        reader.fault("settings/value", (*declared.path, "type"), "type enum needs a list of values.", hint)
    if declared.secret and declared.type not in {None, "string"}:
        hint = "Leave type out or write type: string."
        reader.fault("settings/value", (*declared.path, "type"), "A secret parameter is a text.", hint)
    if declared.secret and declared.enum:
        hint = "Remove enum, or secret if the values are none."
        reader.fault(
            "settings/value", (*declared.path, "enum"), "The values of a secret parameter cannot be listed.", hint
        )


_NEEDS = {
    "add": "value",
    "remove": "",
    "replace": "value",
    "move": "from",
    "copy": "from",
    "test": "value",
}
"""The operations of RFC 6902, section 4, and what each needs beside `op` and `path`."""


def patches(reader: Reader, data: Mapping[str, Value]) -> tuple[Patch, ...]:
    """The patches, without those that have a fault in them."""
    found = []
    for number, entry in enumerate(reader.items(data, (), "patches")):
        path: Path = ("patches", number)
        if not isinstance(entry, Mapping):
            reader.wrong(path, entry, "A mapping")
            continue
        patch = _patch(reader, path, entry)
        if patch:
            found.append(patch)
    return tuple(found)


def _patch(reader: Reader, path: Path, entry: Mapping[str, Value]) -> Patch | None:
    reader.only(entry, path, ("target", "ops"), "A patch")
    _needs(reader, path, entry, ("target", "ops"), "A patch")
    target = reader.text_of(entry, path, "target")
    operations = reader.items(entry, path, "ops")
    sound = [_operation(reader, (*path, "ops", number), op) for number, op in enumerate(operations)]
    inside = target is not None and reader.stays_inside(target, (*path, "target"))
    return Patch(target, tuple(operations), path) if target and inside and all(sound) else None


def _operation(reader: Reader, path: Path, op: Value) -> bool:
    if not isinstance(op, Mapping):
        reader.wrong(path, op, "A mapping")
        return False
    if "op" not in op:
        reader.fault("settings/value", path, "An operation without op.", f"Add op: one of {', '.join(_NEEDS)}.")
        return False
    kind = reader.choice(op, path, "op", {name: name for name in _NEEDS})
    if kind is None:
        return False
    needs = tuple(key for key in ("op", "path", _NEEDS[kind]) if key)
    reader.only(op, path, needs, f"The operation {kind}")
    pointers = [_pointer(reader, path, op, key) for key in ("path", "from") if key in needs and key in op]
    return _needs(reader, path, op, needs, f"The operation {kind}") and all(pointers)


def _needs(reader: Reader, path: Path, data: Mapping[str, Value], keys: tuple[str, ...], what: str) -> bool:
    missing = [key for key in keys if key not in data]
    for key in missing:
        reader.fault("settings/value", path, f"{what} needs {key}, which is not there.", f"Add {key}.")
    return not missing


def _pointer(reader: Reader, path: Path, op: Mapping[str, Value], key: str) -> bool:
    pointer = op[key]
    if isinstance(pointer, str) and (pointer == "" or pointer.startswith("/")):
        return True
    hint = "Write a JSON pointer such as /deploymentConfigurations/[name=default]/version."
    reader.fault("settings/value", (*path, key), f"{key} is no JSON pointer.", hint)
    return False
