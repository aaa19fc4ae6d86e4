"""Read the values of a chart with the comments beside them: what a key is for and what it may hold.

A comment stands right above its key. Lines that begin with "@" are about its type:
  @type integer, null   the types, where the default shows less      @pattern RE     what a text must match
  @enum a, b            the only texts (empty first: "@enum , a")    @min 1          least number
  @items string         type of the items of a list                  @free [TYPE]    any keys, values of this type
  @entry a, b           any keys, each with these texts              @credential k   a credential with these keys
  @subchart             values of another chart, which checks them itself
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Schema = dict[str, Any]
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


@dataclass(frozen=True)
class Value:
    """One key of values.yaml with what its comment says."""

    name: str
    default: Any
    text: str
    marks: dict[str, str]
    children: tuple[Value, ...] = field(default=())


def read(file: Path) -> tuple[Value, ...]:
    """The keys of a values.yaml, in its order. Raises ValueError for a key without a comment."""
    return _parsed(file.read_text(), file)


@functools.cache
def _parsed(text: str, file: Path) -> tuple[Value, ...]:
    node = yaml.compose(text, Loader=LOADER)
    if not isinstance(node, yaml.MappingNode):
        return ()
    return tuple(_values(node, yaml.load(text, LOADER), text.splitlines(), file))


def _values(node: yaml.MappingNode, data: dict[str, Any], lines: list[str], file: Path) -> Iterator[Value]:
    for key, value in node.value:
        text, marks = _comment(lines, key.start_mark.line, key.start_mark.column)
        if not text:
            raise ValueError(f"{file}:{key.start_mark.line + 1}: {key.value} has no comment that says what it is for")
        default = data[key.value]
        nested = isinstance(value, yaml.MappingNode) and value.value and not {"free", "entry"} & marks.keys()
        children = tuple(_values(value, default, lines, file)) if nested else ()
        yield Value(key.value, default, text, marks, children)


def _comment(lines: list[str], line: int, column: int) -> tuple[str, dict[str, str]]:
    """The comment right above a line, at the same column: its text, and its marks."""
    above = []
    while line > 0 and lines[line - 1].startswith(" " * column + "#"):
        line -= 1
        above.append(lines[line].strip().lstrip("#").strip())
    texts = [words for words in reversed(above) if not words.startswith("@")]
    marks = dict((words[1:].partition(" ")[::2]) for words in above if words.startswith("@"))
    return " ".join(texts), marks


def schema(value: Value) -> Schema:
    """JSON schema of one key."""
    made: Schema = {"description": value.text, **_kind(value)}
    if "enum" in value.marks:
        made["enum"] = [word.strip() for word in value.marks["enum"].split(",")]
    if "min" in value.marks:
        made["minimum"] = int(value.marks["min"])
    if "pattern" in value.marks:
        made["pattern"] = value.marks["pattern"]
    return made


def _kind(value: Value) -> Schema:
    marks = value.marks
    if "credential" in marks:
        return _credential([word.strip().split("=")[0] for word in marks["credential"].split(",")])
    if "subchart" in marks:
        return {"type": "object"}
    if "free" in marks:
        return {"type": "object", "additionalProperties": _scalar(marks["free"]) if marks["free"] else True}
    if "entry" in marks:
        return {"type": "object", "additionalProperties": _texts(marks["entry"].split(","), required=True)}
    if value.children:
        return closed(value.children)
    if isinstance(value.default, list):
        return {"type": "array", "items": _scalar(marks["items"])}
    types = [word.strip() for word in marks.get("type", "").split(",") if word] or [TYPES[type(value.default)]]
    return {"type": types[0] if len(types) == 1 else types}


def _scalar(name: str) -> Schema:
    return {"type": name}


def _texts(names: list[str], *, required: bool = False) -> Schema:
    stripped = [name.strip() for name in names]
    made: Schema = {"type": "object", "properties": {name: _scalar("string") for name in stripped}}
    return {**made, "additionalProperties": False, **({"required": stripped} if required else {})}


def _credential(keys: list[str]) -> Schema:
    properties = {
        "existingSecret": {"type": "string", "description": "Name of a Secret that is there."},
        "keys": {**_texts(keys), "description": "Names of the keys in that Secret, where they differ."},
        "values": {**_texts(keys), "description": "The texts themselves; the release makes the Secret."},
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def closed(values: tuple[Value, ...]) -> Schema:
    """Schema of a mapping that has these keys and no others."""
    return {
        "type": "object",
        "properties": {value.name: schema(value) for value in values},
        "additionalProperties": False,
    }


def rows(values: tuple[Value, ...], prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Every key that holds no further documented keys, with its dotted path."""
    for value in values:
        if value.children and "subchart" not in value.marks:
            yield from rows(value.children, f"{prefix}{value.name}.")
        else:
            yield f"{prefix}{value.name}", value
