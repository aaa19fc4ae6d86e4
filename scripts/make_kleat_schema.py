"""Makes halgit/halyard/tables/kleat.json: a strict JSON schema of kleat's halconfig, from its protocol buffers.

Usage: python scripts/make_kleat_schema.py KLEAT_DIR

KLEAT_DIR is a checkout of spinnaker/kleat. kleat drops unknown fields silently, so this schema is the only check.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "halgit" / "halyard" / "tables" / "kleat.json"
_BLOCK = re.compile(r"\b(message|enum)\s+(\w+)\s*\{")
_FIELD = re.compile(
    r"(?P<repeated>repeated\s+)?(?P<type>map\s*<[^>]+>|[\w.]+)\s+(?P<name>\w+)\s*=\s*\d+\s*"
    r"(?P<options>\[[^\]]*\])?;"
)
_SCALARS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string"},
    **{name: {"type": "integer"} for name in ("int32", "int64", "uint32", "uint64")},
    **{name: {"type": "number"} for name in ("float", "double")},
    "google.protobuf.BoolValue": {"type": "boolean"},
    "google.protobuf.StringValue": {"type": "string"},
    "google.protobuf.Int32Value": {"type": "integer"},
    "google.protobuf.Int64Value": {"type": "integer"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.Empty": {"type": "object", "maxProperties": 0},
}


def blocks(text: str, package: str) -> list[tuple[str, str, str]]:
    """Every message and enum, also nested: kind, full name, body."""
    found = []
    for match in _BLOCK.finditer(text):
        depth, at = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        body = text[match.end() : at - 1]
        name = f"{package}.{match[2]}"
        found.append((match[1], name, body))
    return found


def own_fields(body: str) -> str:
    """The body of a message without its nested blocks."""
    while match := _BLOCK.search(body):
        depth, at = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(body[at], 0)
            at += 1
        body = body[: match.start()] + body[at:]
    return re.sub(r"oneof\s+\w+\s*\{([^}]*)\}", r"\1", body)


def field_type(name: str, package: str, known: set[str]) -> dict[str, Any]:
    if name in _SCALARS:
        return _SCALARS[name]
    parts = package.split(".")
    for depth in range(len(parts), -1, -1):
        full = ".".join([*parts[:depth], name])
        if full in known:
            return {"$ref": f"#/$defs/{full}"}
    raise SystemExit(f"unknown type {name} in {package}")


def main() -> None:
    every: list[tuple[str, str, str, str]] = []
    for file in sorted((Path(sys.argv[1]) / "api" / "proto").rglob("*.proto")):
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
        package = re.search(r"^package\s+([\w.]+);", text, re.MULTILINE)
        assert package, file
        every += [(*block, package[1]) for block in blocks(text, package[1])]
    known = {name for _, name, _, _ in every}
    definitions: dict[str, Any] = {}
    for kind, name, body, package in every:
        if kind == "enum":
            values = re.findall(r"(\w+)\s*=\s*\d+", body)
            definitions[name] = {"enum": [value for value in values if not value.startswith("UNSPECIFIED")]}
            continue
        properties: dict[str, Any] = {}
        for match in _FIELD.finditer(own_fields(body)):
            json_name = re.search(r'json_name\s*=\s*"([^"]+)"', match["options"] or "")
            if match["type"].startswith("map"):
                value = match["type"].split(",")[1].strip(" >")
                schema: dict[str, Any] = {"type": "object", "additionalProperties": field_type(value, package, known)}
            else:
                schema = field_type(match["type"], package, known)
            if match["repeated"]:
                schema = {"type": "array", "items": schema}
            properties[json_name[1] if json_name else match["name"]] = schema
        definitions[name] = {"type": "object", "properties": properties, "additionalProperties": False}
    reached: dict[str, Any] = {}
    pending = ["proto.config.Hal"]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached[name] = definitions[name]
            pending += re.findall(r'"#/\$defs/([\w.]+)"', json.dumps(definitions[name]))
    schema = {"$ref": "#/$defs/proto.config.Hal", "$defs": dict(sorted(reached.items()))}
    TARGET.write_text(json.dumps(schema, indent=1) + "\n")


if __name__ == "__main__":
    main()
