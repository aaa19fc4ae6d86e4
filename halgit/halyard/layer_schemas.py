"""Schemas for editors of the files in layers, derived from those of the files in a rendered tree. Pure.

A layer's file contains only what differs, so nothing is required, null deletes, and every value may be a parameter, a
reference or a directive (`$patch`, `$list`, `$value`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from halgit.halyard import resources

Schema = dict[str, Any]

_PREFIX: Final = "layer-"
_DERIVED: Final = ("clouddriver-accounts", "halconfig", "service-settings", "spinnakerconfig")
_FREE: Final = {
    "profile": "A profile of a service in a layer. The service defines its keys; halgit its directives.",
    "halyard": "halyard.yaml or halyard-local.yml in a layer: the settings of the Halyard daemon.",
}

_PATCH: Final[Schema] = {
    "enum": ["delete", "replace", "merge"],
    "title": "Directive",
    "description": "delete removes this mapping or list item, replace replaces it, merge merges it.",
}
_LIST: Final[Schema] = {
    "enum": ["append", "prepend", "replace", "merge"],
    "title": "Directive",
    "description": "How the items after this one change the lower list.",
}
_VALUE: Final[Schema] = {"title": "Value", "description": "The value as it is: null, or what replaces the lower value."}

_DEFINITIONS: Final[Schema] = {
    "halgit.expression": {
        "title": "parameter or reference",
        "type": "string",
        "pattern": r"\$\{\{[\s\S]*\}\}|^encrypted(File)?:|^configserver:",
    },
    "halgit.directive": {
        "title": "directive",
        "type": "object",
        "properties": {"$patch": _PATCH, "$value": _VALUE},
        "minProperties": 1,
        "additionalProperties": False,
    },
    "halgit.list": {
        "title": "directive of the list",
        "type": "object",
        "properties": {"$list": _LIST},
        "required": ["$list"],
        "additionalProperties": False,
    },
    "halgit.any": {
        "properties": {"$patch": _PATCH, "$list": _LIST, "$value": _VALUE},
        "additionalProperties": {"$ref": "#/$defs/halgit.any"},
        "items": {"$ref": "#/$defs/halgit.any"},
    },
}
_EXPRESSION: Final[Schema] = {"$ref": "#/$defs/halgit.expression"}
_DIRECTIVE: Final[Schema] = {"$ref": "#/$defs/halgit.directive"}
_NULL: Final[Schema] = {"type": "null"}
_NOTES: Final = ("title", "description", "default", "deprecated")


def list_layer_schema_names() -> tuple[str, ...]:
    """List the names that `make_layer_schema` accepts: one for each kind of file in a layer."""
    return tuple(sorted(_PREFIX + name for name in (*_DERIVED, *_FREE)))


def make_layer_schema(name: str) -> Schema:
    """Return the schema of a kind of file in a layer. Raises KeyError for another name."""
    kind = name.removeprefix(_PREFIX)
    base = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://github.com/opsmx/halgit/schemas/{name}.schema.json",
    }
    if kind in _FREE:
        body = {"title": kind, "description": _FREE[kind], "type": ["object", "null"], **_DEFINITIONS["halgit.any"]}
        return {**base, **body, "$defs": _DEFINITIONS}
    if kind not in _DERIVED:
        raise KeyError(name)
    schema = resources.load_schema(kind)
    if kind == "clouddriver-accounts":
        schema = _open_sections(schema)
    definitions = {key: _convert(value) for key, value in schema.get("$defs", {}).items()}
    converted = _convert({key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")})
    return {**base, **converted, "$defs": {**definitions, **_DEFINITIONS}}


def _open_sections(node: Any) -> Any:
    """Allow other settings beside lists of accounts: a profile of Clouddriver has them, a file of accounts has not."""
    if isinstance(node, list):
        return [_open_sections(one) for one in node]
    if not isinstance(node, dict):
        return node
    is_section = isinstance(node.get("properties"), dict) and "accounts" in node["properties"]
    return {
        key: _open_sections(value) for key, value in node.items() if not (is_section and key == "additionalProperties")
    }


def _convert(node: Any) -> Any:
    """Convert a schema: a collection takes directives, a scalar also an expression; nothing is required."""
    if not isinstance(node, dict):
        return node
    result = {key: _CONVERSIONS.get(key, _keep)(value) for key, value in node.items() if key != "required"}
    types = node.get("type", [])
    kinds = set(types if isinstance(types, list) else [types])
    if "object" in kinds or "properties" in node:
        properties = {**result.get("properties", {}), "$patch": _PATCH, "$value": _VALUE}
        return _or_expression({**result, "properties": properties}, [_EXPRESSION] if "array" in kinds else [])
    if "array" in kinds:
        items = {"anyOf": [{"$ref": "#/$defs/halgit.list"}, result.get("items", {})]}
        return _or_expression({**result, "items": items}, [_EXPRESSION, _DIRECTIVE])
    is_scalar = bool(kinds) or any(key in node for key in ("enum", "const", "pattern", "anyOf"))
    return _or_expression(result, [_EXPRESSION, _DIRECTIVE]) if is_scalar else result


def _or_expression(schema: Schema, others: list[Schema]) -> Schema:
    if not others:
        return schema
    notes = {key: value for key, value in schema.items() if key in _NOTES}
    own = {key: value for key, value in schema.items() if key not in notes}
    return {**notes, "anyOf": [own, *others, _NULL]}


def _keep(value: Any) -> Any:
    return value


def _convert_values(value: Mapping[str, Any]) -> Schema:
    return {key: _convert(one) for key, one in value.items()}


def _convert_cases(value: list[Any]) -> list[Any]:
    """Convert the consequences of conditions; the conditions stay."""
    return [{**one, "then": _convert(one["then"])} if "then" in one else _convert(one) for one in value]


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "properties": _convert_values,
    "patternProperties": _convert_values,
    "additionalProperties": _convert,
    "items": _convert,
    "then": _convert,
    "else": _convert,
    "allOf": _convert_cases,
}
