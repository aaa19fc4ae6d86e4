"""Make the schemas of the files beside the halconfig: dynamic accounts, the config server's own file, kubeconfigs.

    python scripts/make_account_schemas.py

What they say is written in `account_schemas.yaml`. Spring binds camelCase, kebab-case and snake_case alike and takes
strings for other types, `${...}` among them; kubectl reads JSON's types only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from halyard_schemas import HOME, human, key_words

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE.parent / "schemas"

Json = dict[str, Any]

PLACEHOLDER = "^.*\\$\\{.*$"
WORDS = "^(?:[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[oO][nN]|[oO][fF][fF]|[yY][eE][sS]|[nN][oO]|1|0)$"
INT32, INT64 = 2**31 - 1, 2**63 - 1


def spring_number(largest: int, *, null: bool) -> Json:
    """A Java int or long; the object types Integer and Long are null where the value is empty."""
    empty = "|^$" if null else ""
    return {
        "title": "integer",
        "type": ["integer", "string", *(["null"] if null else [])],
        "minimum": -largest - 1,
        "maximum": largest,
        "pattern": f"^[+-]?[0-9]+${empty}|{PLACEHOLDER}",
    }


SPRING = {
    "text": {"title": "string", "type": ["string", "number", "boolean", "null"]},
    "flag": {"title": "boolean", "type": ["boolean", "string"], "pattern": f"{WORDS}|{PLACEHOLDER}"},
    "flagOrNull": {"title": "boolean", "type": ["boolean", "string", "null"], "pattern": f"{WORDS}|^$|{PLACEHOLDER}"},
    "releaseTrack": {
        "title": "release track",
        "type": ["string", "null"],
        "pattern": f"^(?:[aA][lL][pP][hH][aA]|[bB][eE][tT][aA]|[sS][tT][aA][bB][lL][eE])?$|{PLACEHOLDER}",
    },
    "int": spring_number(INT32, null=False),
    "integerOrNull": spring_number(INT32, null=True),
    "long": spring_number(INT64, null=False),
    "longOrNull": spring_number(INT64, null=True),
    "number": spring_number(INT64, null=True),
    "texts": {
        "title": "list of strings",
        "type": ["array", "string", "number", "boolean", "null"],
        "items": {"type": ["string", "number", "boolean"]},
    },
    "groups": {
        "title": "mapping of lists",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/texts"},
        "propertyNames": {"not": {"pattern": "[^\\[\\]]+\\["}},
    },
    "any": {"title": "anything"},
}
PLAIN = {
    "text": {"title": "string", "type": ["string", "null"]},
    "flag": {"title": "boolean", "type": ["boolean", "null"]},
    "texts": {"title": "list of strings", "type": ["array", "null"], "items": {"$ref": "#/$defs/text"}},
    "any": {"title": "anything"},
}


class Maker:
    """Makes one schema; `spring` says how keys may be spelled and what scalars may be."""

    def __init__(self, spring: bool) -> None:
        self.spring = spring

    def leaf(self, key: str, text: str, *, dead: bool = False) -> Json:
        kind, _, meaning = text.partition(" ")
        leaf: Json = {"title": human(key), "description": f"Not read any more. {meaning}" if dead else meaning}
        return leaf | ({"$ref": f"#/$defs/{kind}"} if kind != "any" else {}) | ({"deprecated": True} if dead else {})

    def node(self, key: str, spec: Any, *, bound: bool = False) -> Json:
        """`bound`: part of an account, where Spring cannot bind null or an empty mapping."""
        if isinstance(spec, str):
            return self.leaf(key, spec)
        bound = bound or (self.spring and key == "accounts")
        mapping = self.mapping(spec, bound=bound)
        if not spec.get("list"):
            return mapping
        kinds = ["array", "null"] if not self.spring else ["array", "string", "null"]
        empty = {"maxLength": 0} if self.spring else {}
        return {"title": human(key), "description": mapping["description"], "type": kinds, "items": mapping} | empty

    def mapping(self, spec: Json, *, bound: bool = False) -> Json:
        title, meaning = spec["is"].split(" | ")
        keys = {key: self.node(key, below, bound=bound) for key, below in spec["keys"].items()}
        keys |= {key: self.leaf(key, text, dead=True) for key, text in spec.get("dead", {}).items()}
        mapping: Json = {"title": title, "description": meaning, "type": ["object", "null"], "properties": keys}
        if bound:
            mapping |= {"type": "object"} | ({} if spec.get("empty") else {"minProperties": 1})
        others = {self.spelled(key): below for key, below in keys.items() if self.spelled(key)} if self.spring else {}
        if spec.get("any_case"):
            others |= {f"^{''.join(f'[{c}{c.lower()}]' for c in key)}$": below for key, below in keys.items()}
        if others:
            mapping["patternProperties"] = others
        if not spec.get("open"):
            mapping["additionalProperties"] = False
        required = [key for key in spec.get("required", ()) if not (self.spring and self.spelled(key))]
        if required:
            mapping["required"] = required
        if bound and spec.get("required"):
            mapping["x-required"] = spec["required"]
        return mapping

    def spelled(self, key: str) -> str:
        """A pattern of the other spellings of a key, where it has more than one word. Such a key is never required."""
        parts = key_words(key)
        return f"^{'[-_]?'.join(parts)}$" if len(parts) > 1 and "-" not in key else ""


def schema(name: str, spec: Json) -> Json:
    maker = Maker(spec.get("spring", False))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{HOME}/{name}.schema.json",
        **maker.mapping(spec),
        "$defs": SPRING if maker.spring else PLAIN,
    }


def schemas() -> dict[str, str]:
    """The texts of the schemas by name."""
    specs = yaml.safe_load((HERE / "account_schemas.yaml").read_text())
    return {name: json.dumps(schema(name, spec), indent=1) + "\n" for name, spec in specs.items()}


if __name__ == "__main__":
    for name, text in schemas().items():
        (SCHEMAS / f"{name}.schema.json").write_text(text)
