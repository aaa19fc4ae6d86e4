"""The `params` and `patches` sections of a `halgit.yaml`.

A parameter is a value (scalar or list) or a declaration (mapping). Its name consists of letters, digits, `_` and `-`,
so that it fits `${{ params.NAME }}` and an environment variable. Whether values match their declaration is checked in
`parameters`; whether patches match anything, in `merge`.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit.lazy import lazy_pattern
from halgit.pipeline import EMPTY, MISSING, Declaration, ParameterType, Patch, Path, Value
from halgit.settings.reader import Reader
from halgit.text import patterns

NAME = lazy_pattern(r"[A-Za-z_][A-Za-z0-9_-]*")

_DECLARATION_KEYS = ("type", "default", "required", "secret", "reference", "pattern", "enum", "description")
_TYPES: dict[str, ParameterType] = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "list": "list", "enum": "enum",
}  # fmt: skip


# --- params ----------------------------------------------------------------------------------------------------


def read_params(reader: Reader, data: Mapping[str, Value]) -> Mapping[str, Declaration]:
    """Return the entries of `params` by name."""
    params = reader.mapping(data, (), "params")
    found: dict[str, Declaration] = {}
    for name, value in params.items():
        path: Path = ("params", name)
        if not NAME.fullmatch(name):
            hint = "Use letters, digits, _ and -, starting with a letter or _."
            reader.report("settings/parameter-name", path, f"Invalid parameter name {name}.", hint, at_key=True)
        elif isinstance(value, Mapping):
            found[name] = _declaration(reader, name, path, value)
        elif value is None:
            hint = 'Write a value, "" for an empty string, or a declaration such as {type: string}.'
            reader.report("settings/type", path, f"Parameter {name} has no value.", hint)
        else:
            found[name] = Declaration(name, reader.file, path, value=value)
    return found or EMPTY


def _declaration(reader: Reader, name: str, path: Path, data: Mapping[str, Value]) -> Declaration:
    reader.check_keys(data, path, _DECLARATION_KEYS, "The declaration of a parameter")
    declared = Declaration(
        name=name,
        file=reader.file,
        path=path,
        declares=True,
        value=_default(reader, path, data),
        type=reader.choice(data, path, "type", _TYPES),
        required=reader.boolean(data, path, "required"),
        secret=reader.boolean(data, path, "secret"),
        reference=reader.boolean(data, path, "reference"),
        pattern=_pattern(reader, path, data),
        enum=_enum(reader, path, data),
        description=reader.string(data, path, "description") or "",
    )
    _check_consistency(reader, declared, data)
    return declared


def _default(reader: Reader, path: Path, data: Mapping[str, Value]) -> Value:
    value = data.get("default", MISSING)
    if value is None or isinstance(value, Mapping):
        hint = "Write a string, number, boolean or list, or remove default."
        message = "default cannot be null." if value is None else "default cannot be a mapping."
        reader.report("settings/type", (*path, "default"), message, hint)
        return MISSING
    return value


def _pattern(reader: Reader, path: Path, data: Mapping[str, Value]) -> str:
    pattern = reader.string(data, path, "pattern") or ""
    if not patterns.is_valid_pattern(pattern):
        hint = "Write a regular expression in the syntax of JSON Schema that matches the whole value."
        reader.report("settings/pattern", (*path, "pattern"), "The pattern is not a valid regular expression.", hint)
        return ""
    return pattern


def _enum(reader: Reader, path: Path, data: Mapping[str, Value]) -> tuple[Value, ...]:
    values = reader.items(data, path, "enum")
    for number, value in enumerate(values):
        if value is None or isinstance(value, (list, Mapping)):
            reader.report_type((*path, "enum", number), value, "string, number or boolean")
    if data.get("enum") == []:
        reader.report("settings/value", (*path, "enum"), "enum is empty.", "List the allowed values.")
    return tuple(value for value in values if value is not None and not isinstance(value, (list, Mapping)))


def _check_consistency(reader: Reader, declared: Declaration, data: Mapping[str, Value]) -> None:
    """Report keys that are valid by themselves but not together."""
    if declared.type == "enum" and "enum" not in data:
        hint = "Add the allowed values, for example enum: [a, b]."
        reader.report("settings/value", (*declared.path, "type"), "type enum requires a list of allowed values.", hint)
    if declared.secret and declared.type not in {None, "string"}:
        hint = "Remove type, or write type: string."
        reader.report("settings/value", (*declared.path, "type"), "A secret parameter must be a string.", hint)
    if declared.secret and declared.enum:
        hint = "Remove enum, or remove secret if the values are not secret."
        reader.report("settings/value", (*declared.path, "enum"), "A secret parameter cannot list its values.", hint)


# --- patches ---------------------------------------------------------------------------------------------------

_OPERAND = {
    "add": "value",
    "remove": "",
    "replace": "value",
    "move": "from",
    "copy": "from",
    "test": "value",
}
"""The operations of RFC 6902, section 4, with the key that each requires beside `op` and `path`."""


def read_patches(reader: Reader, data: Mapping[str, Value]) -> tuple[Patch, ...]:
    """Return the patches, without those that have a problem."""
    found = []
    for number, entry in enumerate(reader.items(data, (), "patches")):
        path: Path = ("patches", number)
        if not isinstance(entry, Mapping):
            reader.report_type(path, entry, "mapping")
            continue
        patch = _patch(reader, path, entry)
        if patch:
            found.append(patch)
    return tuple(found)


def _patch(reader: Reader, path: Path, entry: Mapping[str, Value]) -> Patch | None:
    reader.check_keys(entry, path, ("target", "ops", "optional"), "A patch")
    _check_required(reader, path, entry, ("target", "ops"), "A patch")
    target = reader.string(entry, path, "target")
    operations = reader.items(entry, path, "ops")
    are_valid = [_check_operation(reader, (*path, "ops", number), op) for number, op in enumerate(operations)]
    is_inside = target is not None and reader.check_inside(target, (*path, "target"))
    optional = reader.boolean(entry, path, "optional")
    return Patch(target, tuple(operations), path, optional) if target and is_inside and all(are_valid) else None


def _check_operation(reader: Reader, path: Path, op: Value) -> bool:
    if not isinstance(op, Mapping):
        reader.report_type(path, op, "mapping")
        return False
    if "op" not in op:
        reader.report("settings/value", path, "op is missing.", f"Add op: one of {', '.join(_OPERAND)}.")
        return False
    kind = reader.choice(op, path, "op", {name: name for name in _OPERAND})
    if kind is None:
        return False
    keys = tuple(key for key in ("op", "path", _OPERAND[kind]) if key)
    reader.check_keys(op, path, keys, f"The operation {kind}")
    pointers = [_check_pointer(reader, path, op, key) for key in ("path", "from") if key in keys and key in op]
    return _check_required(reader, path, op, keys, f"The operation {kind}") and all(pointers)


def _check_required(reader: Reader, path: Path, data: Mapping[str, Value], keys: tuple[str, ...], what: str) -> bool:
    missing = [key for key in keys if key not in data]
    for key in missing:
        reader.report("settings/value", path, f"{what} requires {key}.", f"Add {key}.")
    return not missing


def _check_pointer(reader: Reader, path: Path, op: Mapping[str, Value], key: str) -> bool:
    pointer = op[key]
    if isinstance(pointer, str) and (pointer == "" or pointer.startswith("/")):
        return True
    hint = "Write a JSON pointer, for example /deploymentConfigurations/[name=default]/version."
    reader.report("settings/value", (*path, key), f"{key} is not a JSON pointer.", hint)
    return False
