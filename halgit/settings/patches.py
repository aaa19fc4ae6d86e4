"""The `patches` of a `halgit.yaml`: the form of RFC 6902 operations. Whether they meet anything is for `overlay/`."""

from __future__ import annotations

from collections.abc import Mapping

from halgit.pipeline import Patch, Path, Value
from halgit.settings.reader import Reader

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
        reader.fault("value", path, "An operation without op.", f"Add op: one of {', '.join(_NEEDS)}.")
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
        reader.fault("value", path, f"{what} needs {key}, which is not there.", f"Add {key}.")
    return not missing


def _pointer(reader: Reader, path: Path, op: Mapping[str, Value], key: str) -> bool:
    pointer = op[key]
    if isinstance(pointer, str) and (pointer == "" or pointer.startswith("/")):
        return True
    hint = "Write a JSON pointer such as /deploymentConfigurations/[name=default]/version."
    reader.fault("value", (*path, key), f"{key} is no JSON pointer.", hint)
    return False
