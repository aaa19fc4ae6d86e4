"""Messages for schema violations: the thing, why it is refused, the next step.

Looks up what a schema wants at a place by walking down the schema beside the document, so it needs nothing of the
validator but the place and the kind of each error. Never shows a value that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from halgit import references
from halgit import yaml as hyaml
from halgit.annotations import Any
from halgit.halyard.model import find_key_places
from halgit.halyard.sensitivity import is_sensitive_key, split_words
from halgit.pipeline import Finding, Path, PlainScalar, Severity, Value
from halgit.record import Record, field, replace
from halgit.redaction import Secret, SecretText
from halgit.text.limits import MAX_REPEATS
from halgit.text.phrases import add_article, describe_kind, find_similar, join_words, suggest_nearest
from halgit.validation.schema_documents import is_null

Schema = Mapping[str, Any]


class Reader(Record):
    """The program that reads a kind of file, and what it does with a key it does not know."""

    schema: str
    name: str
    refuses_unknown: bool = False
    known_below: str = ""
    """The key below which its schema names every key; above it the program reads more than the schema tells."""


_STRAYS = {
    "noValidate": "It is an option of the hal command, not a setting: remove it.",
    "armory": "It is a section of Armory's own Halyard: remove it.",
    "locking": "It is a section of a profile, not of service-settings: move it there, or remove it.",
    "affinity": "Write it under deploymentEnvironment.affinity of the halconfig.",
}
_BODY = "node.DeploymentConfiguration"
_LONGEST_SHOWN = 40
_MOST_KEYS = 12
_MOST_PLACES = 3


def resolved(schema: Schema, node: Schema) -> Schema:
    """The node itself, or what it refers to."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def spec_at(schema: Schema, path: Path, data: Value) -> Schema:
    """Return the schema of a place; an empty node if it has none."""
    node, here = resolved(schema, schema), data
    for step in path:
        node = _below(schema, node, step, here)
        here = at(here, (step,)) if isinstance(here, (dict, list)) else None
    return node


def _below(schema: Schema, node: Schema, step: str | int, value: Value) -> Schema:
    if isinstance(step, int):
        return resolved(schema, node.get("items", {}))
    found = node.get("properties", {}).get(step)
    for pattern, spec in node.get("patternProperties", {}).items():
        found = spec if found is None and re.search(pattern, step) else found
    for option in node.get("allOf", ()):
        if "if" in option and _chosen(option["if"], value):
            found = resolved(schema, option["then"]).get("properties", {}).get(step, found)
    if found is None:
        found = node.get("additionalProperties", {})
    return resolved(schema, found) if isinstance(found, dict) else {}


def _chosen(condition: Schema, value: Value) -> bool:
    wanted = {key: rule.get("const") for key, rule in condition["properties"].items()}
    return isinstance(value, dict) and all(value.get(key) == const for key, const in wanted.items())


def at(data: Value, path: Path) -> Value:
    """The value at a path that is known to be there."""
    for step in path:
        data = data[step]
    return data


class Speaker(Record):
    """Turns the errors of one document into findings. `searches` are keys whose nearest name was looked for."""

    reader: Reader
    schema: Schema
    data: Value
    file: str
    searches: list[str] = field(default_factory=list)

    def findings(self, kind: str, path: Path, details: Mapping[str, Any]) -> Iterator[Finding]:
        """The findings of one error of the validator; none where the reader would not mind."""
        if kind == "additionalProperties":
            node = at(self.data, path)
            if not path and self._is_body(node):
                yield self._body(node)
                return
            names = frozenset(details["unexpected"])
            unexpected = [key for key in node if str(key) in names]
            unknown = [key for key in unexpected if node[key] is not None and not is_null(key)]
            found, rest = [self._unknown((*path, key)) for key in unknown[:MAX_REPEATS]], len(unknown[MAX_REPEATS:])
            partial = self.reader.known_below and self.reader.known_below not in path
            yield from (one for one in found if not partial or one.hint.startswith("Did you mean"))
            if rest and found:
                yield replace(found[-1], path=path, message=f"{rest} more keys are unknown.", hint="Remove them.")
        elif kind == "required":
            yield self._missing(path, details["property"])
        else:
            yield from self._invalid_value(path)

    def _finding(self, rule: str, path: Path, message: str, hint: str, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(rule, severity, message, hint, self.file, path)

    # --- keys ---

    def _unknown(self, path: Path) -> Finding:
        """The finding about an unknown key; of those that are only counted, without looking into the schema."""
        severity = Severity.ERROR if self.reader.refuses_unknown else Severity.WARNING
        key, hint = str(path[-1]), "Remove it."
        parent: Schema = {}
        self.searches.append(key)
        if len(self.searches) <= MAX_REPEATS + 1:  # one more is shown, which counts the rest
            parent = spec_at(self.schema, path[:-1], self.data)
            hint = self._unknown_hint(key, parent)
        owner = parent.get("title", "this mapping")
        what = "refuses the whole file" if self.reader.refuses_unknown else "ignores it"
        message = f"{owner} has no key {key}; {self.reader.name} {what}."
        return self._finding("schema/unknown-key", path, message, hint, severity)

    def _is_body(self, node: dict[str, Value]) -> bool:
        """Return whether a halconfig is the body of a deployment, as an operator's manifest has it."""
        sections = self.schema["$defs"].get(_BODY, {}).get("properties", {})
        own = self.schema["properties"]
        return "deploymentConfigurations" not in node and sum(key in sections and key not in own for key in node) > 1

    def _body(self, node: dict[str, Value]) -> Finding:
        sections = [str(key) for key in node if key not in self.schema["properties"]]
        shown = join_words(sections if len(sections) <= _MOST_PLACES else [*sections[:_MOST_PLACES], "others"])
        message = f"This is the body of a deployment: {shown} are at the root. Halyard refuses the whole file."
        hint = "Put all of it below deploymentConfigurations: as one item, with name: default."
        return self._finding("schema/unknown-key", (sections[0],), message, hint)

    def _unknown_hint(self, key: str, parent: Schema) -> str:
        """The next step for an unknown key: the same word spelled right, its one right place, a like one, any place."""
        known = [name for name, spec in parent.get("properties", {}).items() if not _is_ignored(spec)]
        same = [name for name in known if split_words(name) == split_words(key)]
        if key in _STRAYS and not same:
            return _STRAYS[key]
        elsewhere = find_key_places(key) if self.reader.schema == "halconfig" else ()
        close = find_similar(key, known, 1, 0.65) if len(elsewhere) != 1 else []
        if same or close:
            return f"Did you mean {(same or close)[0]}?"
        if 0 < len(elsewhere) <= _MOST_PLACES:
            return f"It belongs under {' or '.join(elsewhere)}."
        if len(known) <= _MOST_KEYS:
            return f"Remove it, or use one of its keys: {', '.join(known)}." if known else "Remove it."
        return f"Remove it, or look up its place with halgit schema {self.reader.schema}."

    def _missing(self, path: Path, key: str) -> Finding:
        spec = spec_at(self.schema, path, self.data)
        options = _constants(self.schema, resolved(self.schema, spec.get("properties", {}).get(key, {})))
        message = f"{spec.get('title', 'this mapping')} has no {key}, which {self.reader.name} requires."
        return self._finding(
            "schema/missing-key", path, message, f"Add {key}{': ' + _either(options) if options else ''}."
        )

    # --- values ---

    def _invalid_value(self, path: Path) -> Iterator[Finding]:
        value, spec = at(self.data, path), spec_at(self.schema, path, self.data)
        thing = _thing(path)
        options = _constants(self.schema, spec)
        single = bool(options or (spec.get("title") and not {"object", "array"} & set(_types(spec))))
        if value is None and path and isinstance(path[-1], str):
            if path[-1] in spec_at(self.schema, path[:-1], self.data).get("required", ()):
                yield self._missing(path[:-1], path[-1])
            return
        if single and (
            isinstance(value, (Secret, SecretText)) or (isinstance(value, str) and references.find_references(value))
        ):
            return
        if isinstance(value, (dict, list)) or not single:
            yield self._kind(path, thing, value, spec, options)
        elif options:
            yield self._constant(path, thing, value, options)
        elif "minimum" in spec and type(value) in {int, float} and "integer" in str(spec["title"]):
            shown = self._shown(path, value)
            message = f"{thing} is {shown}; {self.reader.name} expects {spec['minimum']} to {spec['maximum']}."
            yield self._finding("schema/range", path, message, "Write a number within these bounds.")
        elif spec.get("title", "").startswith("address"):
            message = f"{thing} is not an {spec['title']} that {self.reader.name} accepts."
            yield self._finding("schema/address", path, message, "Write scheme://host:port/path, without spaces.")
        else:
            yield self._kind(path, thing, value, spec, options)

    def _constant(self, path: Path, thing: str, value: Value, options: list[str]) -> Finding:
        text = "" if value is None or isinstance(value, bytes) else hyaml.to_java_string(value)
        same = [option for option in options if split_words(option) == split_words(text)]
        hint = f"Write {same[0]}." if same else suggest_nearest(text, options, "Write one of these words.")
        message = f"{thing} is {self._shown(path, value)}; {self.reader.name} expects {_either(options)}."
        return self._finding("schema/enum", path, message, hint)

    def _kind(self, path: Path, thing: str, value: Value, spec: Schema, options: list[str]) -> Finding:
        wanted = _wanted(spec, options)
        shown = describe_kind(value) if wanted in {"a list", "a mapping"} else self._shown(path, value)
        message = f"{thing} is {shown}; {self.reader.name} expects {wanted}."
        items = resolved(self.schema, spec.get("items", {}))
        named = wanted == "a list" and "name" in items.get("properties", {}) and _holds_mappings(value)
        hint = f"Write a list: - name: {next(iter(value))}, and so on." if named else _kind_hint(value, wanted)
        return self._finding("schema/wrong-type", path, message, hint)

    def _shown(self, path: Path, value: Value) -> str:
        """A value as a message may show it: its kind, and the value itself only where it is short and harmless."""
        secret = any(isinstance(step, str) and is_sensitive_key(step) for step in path)
        if secret or isinstance(value, (dict, list, Secret, SecretText, bytes, PlainScalar)) or value is None:
            return describe_kind(value)
        text = hyaml.to_java_string(value)
        if len(text) > _LONGEST_SHOWN or not text.isprintable():
            return describe_kind(value)
        if isinstance(value, str):
            return f'the string "{text}"' if text else "an empty string"
        return text if isinstance(value, bool) else f"the number {text}"


def _holds_mappings(value: Value) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(item, dict) for item in value.values())


def _is_ignored(spec: Schema) -> bool:
    return spec.get("deprecated", False) and "$ref" not in spec and "type" not in spec


def _thing(path: Path) -> str:
    """Return the name of the value at a path for messages: its key, or the item of a list by the list's key."""
    if not path:
        return "the document"
    if isinstance(path[-1], str):
        return str(path[-1])
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "the list")
    return f"item {path[-1] + 1} of {key}"


def _types(spec: Schema) -> list[str]:
    kinds = spec.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _constants(schema: Schema, spec: Schema) -> list[str]:
    given = spec.get("enum") or next((option["enum"] for option in spec.get("anyOf", ()) if "enum" in option), ())
    return [option for option in given if option is not None]


def _either(words_: list[str]) -> str:
    return join_words(words_).replace(" and ", " or ")


def _wanted(spec: Schema, options: list[str]) -> str:
    if options:
        return _either(options)
    kinds = _types(spec)
    if "object" in kinds:
        return "a mapping"
    if "array" in kinds:
        return "a list"
    title = str(spec.get("title", "something else"))
    return title if title.startswith("true") else add_article(title)


def _kind_hint(value: Value, wanted: str) -> str:
    if wanted == "a list":
        return (
            "Write its items below it, each after a dash."
            if not isinstance(value, dict)
            else "Begin the item with a dash."
        )
    if wanted == "a mapping":
        return "Write its keys below it, or remove it."
    if isinstance(value, dict) and len(value) == 1 and all(isinstance(item, str) for item in value.values()):
        return f"Remove the space after {next(iter(value))}:, or quote the whole value."
    if wanted == "a boolean":
        return "Write true or false, without quotes."
    return f"Write {wanted}."
