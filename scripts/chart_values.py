"""Read the values of a chart with the comments above them: the purpose of a key and its type.

A comment is right above its key. Lines that begin with "@" are about its type:
  @type integer, null   the types, where the default shows less      @pattern RE     pattern of a string
  @enum a, b            the allowed strings (empty first: "@enum , a")  @min 1       least number
  @items string         type or mark of the items of a list              @free [TYPE]    any keys, values of this type
  @entry a, b           any keys, each with these strings            @credential k   a credential with these keys
  @subchart             values of another chart, which checks them itself
  @component            a job: its own keys and those of every chart
  @name @label @prefixed @host @port @registry @repository @tag @schedule @quantity @cidrs @labels @tolerations
  @resources            what the API accepts
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
LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
QUANTITY = {"type": ["string", "number", "null"], "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$"}
AMOUNTS = {"type": "object", "additionalProperties": QUANTITY}
BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
CIDR = (
    f"^({BYTE}(\\.{BYTE}){{3}}/([0-9]|[12][0-9]|3[0-2])"
    "|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/([0-9]{1,2}|1[01][0-9]|12[0-8]))$"
)
FIELD = "[-0-9*/,?A-Za-z]+"
SPECIAL: dict[str, Schema] = {
    "name": {"type": "string", "pattern": f"^({LABEL}(\\.{LABEL})*)?$", "maxLength": 253},
    "label": {"type": "string", "pattern": "^([a-z]([-a-z0-9]*[a-z0-9])?)?$", "maxLength": 63},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "registry": {"type": "string", "pattern": "^([A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]+)?(/[-a-z0-9._]+)*)?$"},
    "repository": {"type": "string", "pattern": "^([a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)?$"},
    "prefixed": {
        "type": "string",
        "pattern": f"^(({LABEL}(\\.{LABEL})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?)?$",
    },
    "host": {"type": "string", "pattern": f"^(({LABEL}\\.)*[a-z]([-a-z0-9]*[a-z0-9])?)?$"},
    "tag": {"type": "string", "pattern": "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"},
    "schedule": {"type": "string", "pattern": f"^(@(yearly|monthly|weekly|daily|hourly)|{FIELD}( {FIELD}){{4}})?$"},
    "quantity": {**QUANTITY, "type": "string"},
    "cidrs": {"type": "array", "items": {"type": "string", "pattern": CIDR}},
    "labels": {
        "type": "object",
        "additionalProperties": {"type": "string", "pattern": "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"},
    },
    "tolerations": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "key": {"type": "string"},
                "operator": {"type": "string", "enum": ["Exists", "Equal", "Lt", "Gt"]},
                "value": {"type": "string"},
                "effect": {"type": "string", "enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
                "tolerationSeconds": {"type": "integer"},
            },
            "additionalProperties": False,
        },
    },
    "resources": {
        "type": "object",
        "properties": {"requests": AMOUNTS, "limits": AMOUNTS, "claims": {"type": "array"}},
        "additionalProperties": False,
    },
}
"""Patterns of what the Kubernetes API accepts, by mark; details of schedules and addresses are left to it."""
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
            raise ValueError(f"{file}:{key.start_mark.line + 1}: {key.value} has no comment")
        default = data[key.value]
        nested = (
            isinstance(value, yaml.MappingNode)
            and value.value
            and not ({"free", "entry"} | SPECIAL.keys()) & marks.keys()
        )
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
    schema: Schema = {"description": value.text, **_kind(value)}
    if "enum" in value.marks:
        schema["enum"] = [word.strip() for word in value.marks["enum"].split(",")]
    if "min" in value.marks:
        schema["minimum"] = int(value.marks["min"])
    if "pattern" in value.marks:
        schema["pattern"] = value.marks["pattern"]
    return schema


def _kind(value: Value) -> Schema:
    marks = value.marks
    if "credential" in marks:
        return _credential([word.strip().split("=")[0] for word in marks["credential"].split(",")])
    if "subchart" in marks:
        return {"type": "object"}
    for mark, special in SPECIAL.items():
        if mark in marks:
            return special
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
    return SPECIAL.get(name, {"type": name})


def _texts(names: list[str], *, required: bool = False) -> Schema:
    stripped = [name.strip() for name in names]
    kinds = {name: _scalar("name" if name == "secret" else "string") for name in stripped}
    texts: Schema = {"type": "object", "properties": kinds}
    return {**texts, "additionalProperties": False, **({"required": stripped} if required else {})}


def _credential(keys: list[str]) -> Schema:
    properties = {
        "existingSecret": {**SPECIAL["name"], "description": "Name of a Secret that exists."},
        "keys": {**_texts(keys), "description": "Names of the keys in the Secret, where they differ."},
        "values": {**_texts(keys), "description": "The credential itself; the release creates the Secret."},
        "generate": {"type": "boolean", "description": "Generate the credential, also where that must be said."},
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
    """Every key without documented keys below it, with its dotted path."""
    for value in values:
        if value.children and "subchart" not in value.marks:
            yield from rows(value.children, f"{prefix}{value.name}.")
        else:
            yield f"{prefix}{value.name}", value
