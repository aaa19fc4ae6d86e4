"""Decide in pure Python that a small document is valid, so that the compiled validator need not be loaded.

Loading the validator and compiling a schema takes longer than validating the documents of most repositories. This
evaluates the same schema for the keywords that halgit's schemas use. It may fail to accept a valid document, which the
compiled validator then accepts; it never accepts an invalid one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from halgit.annotations import Any, Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Step, Value

Schema = Mapping[str, Any]

MAX_COLLECTIONS: Final = 2_000
"""The number of mappings and lists above which the compiled validator is faster, its start included."""

_UNPORTABLE: Final = ("\\d", "\\w", "\\s", "\\b", "\\D", "\\W", "\\S", "\\B", "(?<", "\\p", "\\1")
"""Parts of patterns that Python and the compiled validator may read differently."""


ORDINARY_ADDRESS: Final = lazy_pattern(
    r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~/-]*)?(?:\?[A-Za-z0-9._~/=&-]*)?"
)
"""Addresses that the schemas' patterns of `java.net.URI` accept, which take longer to compile than to use."""

_ADDRESSES: Final = frozenset({"#/$defs/uri"})


def accepts(schema: Schema, value: Value) -> bool:
    """Return whether a value is surely valid. False means undecided."""
    return find_unknown_keys(schema, value) == {}


def find_unknown_keys(schema: Schema, value: Value) -> Mapping[Path, Iterable[str]] | None:
    """Return the keys that the schema does not list, by the path of their mapping; None if undecided.

    A value with unknown keys is otherwise valid: `additionalProperties` has an error for each of these mappings, and
    no other keyword has one.
    """
    acceptor = _Acceptor(schema)
    return acceptor.unknown if acceptor.accepts(schema, value) else None


class _Acceptor:
    def __init__(self, root: Schema) -> None:
        self._definitions = root.get("$defs", {})
        self._path: list[Step] = []
        self._alternatives = 0
        self.unknown: dict[Path, dict[str, None]] = {}

    def accepts(self, schema: Schema, value: Value) -> bool:
        """Evaluate every keyword; an unknown one leaves the document undecided."""
        for keyword, operand in schema.items():
            if keyword in _ANNOTATIONS:
                continue
            check = _CHECKS.get(keyword)
            if check is None or not check(self, schema, operand, value):
                return False
        return True

    def reference(self, _: Schema, name: str, value: Value) -> bool:
        if name in _ADDRESSES and value.__class__ is str and ORDINARY_ADDRESS.fullmatch(value):
            return True
        return self.accepts(self._definitions[name.removeprefix("#/$defs/")], value)

    def properties(self, schema: Schema, properties: Mapping[str, Schema], value: Value) -> bool:
        if not isinstance(value, dict):
            return True
        patterns = schema.get("patternProperties", {})
        other = schema.get("additionalProperties", True)
        for key, child in value.items():
            found = [below for pattern, below in patterns.items() if _searches(pattern, key)]
            if key in properties:
                found.append(properties[key])
            if not found and other is False:
                if not self._may_be_unknown(key, patterns):
                    return False
            elif not found and other is not True:
                found = [other]
            if not self._accepts_at(key, found, child):
                return False
        return True

    def _may_be_unknown(self, key: str, patterns: Iterable[str]) -> bool:
        """Record an unknown key; False among alternatives, where it only means that another one applies."""
        keys = self.unknown.get(tuple(self._path), {})
        if self._alternatives or key in keys or any(_compile(pattern) is None for pattern in patterns):
            return False
        self.unknown.setdefault(tuple(self._path), {})[key] = None
        return True

    def _accepts_at(self, step: Step, schemas: list[Schema], child: Value) -> bool:
        self._path.append(step)
        accepted = all(self.accepts(below, child) for below in schemas)
        self._path.pop()
        return accepted

    def other_properties(self, schema: Schema, _: Any, value: Value) -> bool:
        return "properties" in schema or self.properties(schema, {}, value)

    def items(self, _: Schema, item: Schema, value: Value) -> bool:
        if not isinstance(value, list):
            return True
        return all(self._accepts_at(position, [item], child) for position, child in enumerate(value))

    def all_of(self, _: Schema, schemas: list[Schema], value: Value) -> bool:
        return self._decide(lambda: all(self.accepts(one, value) for one in schemas))

    def any_of(self, _: Schema, schemas: list[Schema], value: Value) -> bool:
        return self._decide(lambda: any(self.accepts(one, value) for one in schemas))

    def _decide(self, test: Callable[[], bool]) -> bool:
        self._alternatives += 1
        accepted = test()
        self._alternatives -= 1
        return accepted

    def condition(self, schema: Schema, test: Schema, value: Value) -> bool:
        """Only tests of a key's constant are decided; an undecided test requires the consequence to hold anyway."""
        if _is_other_constant(test, value):
            return True
        return self._decide(lambda: self.accepts(schema.get("then", {}), value))


def _is_other_constant(test: Schema, value: Value) -> bool:
    """Return whether a test of the form `properties: {key: {const: word}}` surely fails."""
    if not isinstance(value, dict):
        return False
    return any(
        isinstance(value.get(key), str) and value[key] != below["const"]
        for key, below in test.get("properties", {}).items()
        if isinstance(below.get("const"), str)
    )


def _has_type(_: _Acceptor, __: Schema, types: str | list[str], value: Value) -> bool:
    return _TYPES.get(value.__class__, "?") in types or (value.__class__ is int and "number" in types)


def _is_one_of(_: _Acceptor, __: Schema, values: list[Value], value: Value) -> bool:
    return any(value.__class__ is one.__class__ and value == one for one in values)


def _is_required(_: _Acceptor, __: Schema, keys: list[str], value: Value) -> bool:
    return not isinstance(value, dict) or all(key in value for key in keys)


def _matches(_: _Acceptor, __: Schema, pattern: str, value: Value) -> bool:
    return not isinstance(value, str) or _searches(pattern, value)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _searches(pattern: str, text: str) -> bool:
    compiled = _compile(pattern)
    return compiled is not None and compiled.search(text) is not None


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern with `$` as the very end, as JSON Schema has it; None if Python may read it differently."""
    if any(part in pattern for part in _UNPORTABLE):
        return None
    return re.compile(
        re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", lambda part: "\\Z" if part[0] == "$" else part[0], pattern)
    )


_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "default", "deprecated", "then", "examples", "$comment"}
)
_TYPES: Final = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip
_CHECKS: Final[Mapping[str, Callable[[_Acceptor, Schema, Any, Value], bool]]] = {
    "$ref": _Acceptor.reference,
    "type": _has_type,
    "enum": _is_one_of,
    "const": lambda acceptor, schema, word, value: _is_one_of(acceptor, schema, [word], value),
    "required": _is_required,
    "properties": _Acceptor.properties,
    "patternProperties": _Acceptor.other_properties,
    "additionalProperties": _Acceptor.other_properties,
    "items": _Acceptor.items,
    "pattern": _matches,
    "minimum": lambda _, __, least, value: not _is_number(value) or value >= least,
    "maximum": lambda _, __, most, value: not _is_number(value) or value <= most,
    "maxLength": lambda _, __, most, value: not isinstance(value, str) or len(value) <= most,
    "allOf": _Acceptor.all_of,
    "anyOf": _Acceptor.any_of,
    "if": _Acceptor.condition,
}
