"""Make the JSON Schemas of the files Halyard binds to classes, from the tables and `halyard_words.yaml`.

A schema says what Jackson takes, coercions included, in a form that editors can show: an unknown key is refused,
the constants of an enum are listed. What a schema cannot say is left to `halgit/validation/schema.py`: an unknown
key without a value, which Halyard drops, and what loads but crashes later.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

WORDS = yaml.safe_load((Path(__file__).parent / "halyard_words.yaml").read_text())
HOME = "https://github.com/opsmx/halgit/schemas"

# --- what Jackson makes of a scalar ------------------------------------------------------------------------------

BLANK = "[\\u0000-\\u0020]*"
"""Java's `String.trim` takes off every character up to the blank."""


def digits_up_to(limit: str) -> str:
    """A regular expression for the decimal numbers from 0 to `limit`, leading zeros allowed."""
    size = len(limit)
    parts = [f"[0-9]{{1,{size - 1}}}"]
    for at, digit in enumerate(limit):
        rest = size - at - 1
        if digit != "0" and not (at == 0 and digit == "1"):
            low = 1 if at == 0 else 0
            parts.append(f"{limit[:at]}[{low}-{int(digit) - 1}]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return f"0*(?:{'|'.join([*parts, limit])})"


def number_text(bits: int) -> str:
    top = str(2 ** (bits - 1) - 1)
    bottom = str(2 ** (bits - 1))
    return f"^{BLANK}(?:null|[+]?{digits_up_to(top)}|-{digits_up_to(bottom)})?{BLANK}$"


def integer(bits: int) -> Json:
    return {
        "type": ["number", "string", "null"],
        "minimum": -(2 ** (bits - 1)),
        "maximum": 2 ** (bits - 1) - 1,
        "pattern": number_text(bits),
    }


IPV6 = "\\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.~-]+)?\\]"


def java_uri() -> str:
    """`java.net.URI` as a regular expression: RFC 2396 with the deviations its documentation lists.

    The groups of an IPv6 address are not counted; all else is as Java reads it.
    """
    other = "[^\\u0000-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"

    def chars(more: str) -> str:
        return f"(?:[A-Za-z0-9_!.~'()*{more}-]|%[0-9A-Fa-f]{{2}}|{other})"

    uric = chars(";/?:@&=+$,\\[\\]")
    path = chars(":@&=+$,;/")
    registry = chars("$,;:@&=+")
    user = chars(";:&=+$,")
    authority = f"(?:{registry}+|(?:{user}*@)?{IPV6}(?::[0-9]*)?)(?=[/?#]|{BLANK}$)"
    hierarchical = f"(?://(?:{authority}|(?=[/?#]))|(?!//)){path}*(?:\\?{uric}*)?"
    scheme = "[A-Za-z][A-Za-z0-9+.-]*:"
    return f"^{BLANK}(?:{scheme}(?!/){uric}+|(?:{scheme}(?=/)|(?![^/?#]*:)){hierarchical})(?:#{uric}*)?{BLANK}$"


def java_url() -> str:
    """`java.net.URL` with the protocols a JVM knows; an empty text is no URL at all and accepted."""

    def any_case(word: str) -> str:
        return "".join(f"[{letter}{letter.upper()}]" for letter in word)

    host = f"(?:[^/?#@:\\[\\]]*|{IPV6})(?::[+]?[0-9]*)?"
    several = "[^/?#@]*@[^/?#@]*@[^/?#]*"
    authority = f"(?://(?:{several}|(?:[^/?#@]*@)?{host})(?=[/?#]|{BLANK}$)|(?!//))"
    network = f"(?:{any_case('http')}[sS]?|{any_case('ftp')}):{authority}"
    other = f"(?:{any_case('file')}|{any_case('mailto')}|{any_case('jrt')}):"
    jar = f"{any_case('jar')}:(?=.*!/)"
    return f"^{BLANK}(?:(?:{any_case('url')}:)?(?:{network}|{other}|{jar})[^\\u0000]*)?$"


LEAVES: Json = {
    "text": {"title": "string", "type": ["string", "number", "boolean", "null"]},
    "boolean": {
        "title": "boolean",
        "type": ["boolean", "integer", "string", "null"],
        "pattern": f"^{BLANK}(?:true|True|TRUE|false|False|FALSE|null)?{BLANK}$",
    },
    "int32": {"title": "32-bit integer"} | integer(32),
    "int64": {"title": "64-bit integer"} | integer(64),
    "uri": {"title": "address", "type": ["string", "number", "boolean", "null"], "pattern": java_uri()},
    "url": {"title": "address with a protocol", "type": ["string", "null"], "pattern": java_url()},
    "any": {"title": "anything"},
}
KINDS = {"string": "text"}


# --- words -------------------------------------------------------------------------------------------------------


def key_words(key: str) -> list[str]:
    """The words of a key, in lower case: `kubeconfigFile` is of `kubeconfig` and `file`."""
    return [part.lower() for part in _parts(key)]


def _parts(key: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", key)


def human(key: str) -> str:
    """A key as a title: `kubeconfigFile` becomes `Kubeconfig file`."""
    parts = _parts(key)
    text = " ".join(part if part.isupper() and len(part) > 1 else part.lower() for part in parts)
    return text[:1].upper() + text[1:]


def class_words(name: str) -> tuple[str, str]:
    title, text = WORDS["classes"][name][""].split(" | ")
    return title, text


def field_words(model: Json, class_: str, key: str) -> str:
    """Return the meaning of a key: from its class, from one it extends, or for the key everywhere."""
    for name in (class_, *model["classes"][class_].get("extends", ())):
        text = WORDS["classes"].get(name, {}).get(key)
        if text:
            return str(text)
    if key not in WORDS["keys"]:
        raise SystemExit(f"halyard_words.yaml says nothing of {key} in {class_}")
    return str(WORDS["keys"][key])


def marks(field: Json) -> str:
    """Return Halyard's handling of a field, as sentences for its description."""
    said = []
    if field.get("local_file"):
        said.append("Halyard copies the file.")
    if field.get("secret_file"):
        said.append("Takes an encryptedFile: reference.")
    if field.get("secret"):
        said.append("Secret.")
    since, gone = field.get("valid", (None, None))
    if since:
        said.append(f"Since Spinnaker {since}.")
    if gone:
        said.append(f"Gone in Spinnaker {gone}.")
    return "".join(f" {sentence}" for sentence in said)


# --- classes -----------------------------------------------------------------------------------------------------


def ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def of_type(model: Json, type_: Json) -> Json:
    kind = type_["kind"]
    if kind in {"enum", "object"}:
        return ref(type_["of"])
    if kind in {"list", "set"}:
        items = of_type(model, type_["of"])
        if type_.get("sorted"):  # a TreeSet compares its items, and ends with an exception for null
            items["not"] = {"type": "null"}
        return {"type": ["array", "null"], "items": items}
    if kind != "map":
        return ref(KINDS.get(kind, kind))
    values = of_type(model, type_["of"])
    if "keys" not in type_:
        return {"type": ["object", "null"], "additionalProperties": values}
    keys = dict.fromkeys(model["enums"][type_["keys"]]["constants"], values)
    return {"type": ["object", "null"], "properties": keys, "additionalProperties": False}


def of_field(model: Json, class_: str, key: str, field: Json) -> Json:
    text = field_words(model, class_, key) + marks(field)
    schema: Json = {"title": human(key), "description": text} | of_type(model, field)
    if "default" in field and not isinstance(field["default"], (dict, list)):
        schema["default"] = field["default"]
    if not field.get("write", True) or text.startswith("Old;") or (field.get("valid") or [None, None])[1]:
        schema["deprecated"] = True
    return schema


def of_class(model: Json, name: str) -> Json:
    class_ = model["classes"][name]
    title, text = class_words(name)
    schema: Json = {"title": title, "description": text, "type": ["object", "null"]}
    if "by" in class_:
        return schema | chosen(class_)
    fields = {key: of_field(model, name, key, field) for key, field in class_["fields"].items()}
    for key in class_.get("ignored", ()):
        fields.setdefault(key, {"title": human(key), "description": "Halyard ignores it.", "deprecated": True})
    return schema | {"properties": fields, "additionalProperties": False}


def chosen(class_: Json) -> Json:
    """A polymorphic class: one of its own keys, which is required, selects the concrete class."""
    key, real = class_["by"], class_["subtypes"]
    return {
        "required": [key],
        "properties": {key: {"enum": list(real)}},
        "allOf": [
            {"if": {"properties": {key: {"const": word}}, "required": [key]}, "then": ref(name)}
            for word, name in real.items()
        ],
    }


def of_enum(enum: Json) -> Json:
    """The constants; and what Jackson takes besides: blanks around them and their numbers, or any letter case."""
    words = enum["constants"]
    if enum.get("any_case"):
        cased = ["".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word) for word in words]
        return {"anyOf": [{"enum": words}, {"type": ["string", "null"], "pattern": f"^(?:{'|'.join(cased)})$"}]}
    if not enum["ordinals"]:
        return {"enum": [*words, None]}
    numbers = "|".join(str(number) for number in range(len(words)))
    return {
        "anyOf": [
            {"enum": words},
            {
                "type": ["integer", "string", "null"],
                "minimum": 0,
                "maximum": len(words) - 1,
                "pattern": f"^{BLANK}(?:{'|'.join(words)}|0*(?:{numbers})){BLANK}$",
            },
        ]
    }


def used(model: Json, name: str, seen: dict[str, None]) -> dict[str, None]:
    """The classes and enums that can be reached from a class, in the order they are met."""
    if name in seen:
        return seen
    seen[name] = None
    class_ = model["classes"].get(name)
    if class_:
        for real in class_.get("subtypes", {}).values():
            used(model, real, seen)
        for field in class_["fields"].values():
            for known in names_in(field):
                used(model, known, seen)
    return seen


def names_in(type_: Json) -> list[str]:
    if type_["kind"] in {"enum", "object"}:
        return [type_["of"]]
    return names_in(type_["of"]) if type_["kind"] in {"list", "set", "map"} else []


def of_model(model: Json, name: str) -> Json:
    """The schema of a model: its root, every class and enum that can stand below it, and what scalars may be."""
    root = model["root"]
    known = [known for known in used(model, root, {}) if known != root]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{HOME}/{name}.schema.json",
        **of_class(model, root),
        "$defs": LEAVES
        | {
            known: of_class(model, known) if known in model["classes"] else of_enum(model["enums"][known])
            for known in known
        },
    }
