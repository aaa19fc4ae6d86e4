"""A document as Spring binds it: one mapping of properties, however its keys are spelled. Pure.

`kubernetes.accounts[0].name: a` and `kubernetes: {accounts: [{name: a}]}` are one property. Rules look at the second
form, and findings go to the place in the file. Of two spellings of one value the last one counts, as in Spring.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from halgit.annotations import Any
from halgit.halyard import resources
from halgit.pipeline import EMPTY, Path, Value
from halgit.record import Record
from halgit.text.paths import relax_name, split_name
from halgit.validation.schema_documents import LARGEST, size
from halgit.validation.schema_messages import Schema, resolved
from halgit.vocabulary import gather_vocabulary


class Properties(Record):
    """The properties of a document. `places` has the path in the document for each path of `data` that differs."""

    data: Value
    places: Mapping[Path, Path] = EMPTY

    def place(self, path: Path) -> Path:
        """Return the path in the document for a path of `data`, or the nearest one above it."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.places:
                return (*self.places[path[:depth]], *path[depth:])
        return path

    def get(self, *names: str) -> Value:
        """Return the value of a property in any spelling; None if it is missing or null."""
        here = self.data
        for name in names:
            here = here.get(find_name(here, name)) if isinstance(here, dict) else None
        return here


def find_name(mapping: Mapping[Any, Value], name: str) -> Any:
    """Return the last key that is a spelling of a name; the name itself if there is none."""
    wanted = relax_name(name)
    return next((own for own in reversed(list(mapping)) if relax_name(own) == wanted), name)


def split_properties(document: Value) -> Properties:
    """Return the properties of a document with every key split at its dots and brackets, spelled as written."""
    keys = gather_vocabulary(document).keys
    return _build(document) if any("." in key or "[" in key for key in keys) else Properties(document)


def bind_properties(document: Value, schema: str, *, spell: bool = True) -> Properties:
    """Return the properties of a document with the keys of a schema split, and spelled as in the schema.

    Keys that the schema does not know are left as they are: they may be names that the user chose. Without `spell`,
    known keys are split and keep their spelling.
    """
    known = _names(schema)
    others = gather_vocabulary(document).keys - known.keys()
    is_split = any("." in key or "[" in key for key in others)
    is_ordinary = not is_split and not (spell and any(relax_name(key) in known.values() for key in others))
    return Properties(document) if is_ordinary else _build(document, resources.load_schema(schema), spell=spell)


@cache
def _names(schema: str) -> Mapping[str, str]:
    """Return every property of a schema with its relaxed form."""
    found: dict[str, str] = {}
    stack: list[Any] = [resources.load_schema(schema)]
    while stack:
        node = stack.pop()
        if isinstance(node, dict) and isinstance(node.get("properties"), dict):
            found.update((name, relax_name(name)) for name in node["properties"])
        below = node.values() if isinstance(node, dict) else node
        stack += [one for one in below if isinstance(one, (dict, list))]
    return found


def _build(document: Value, schema: Schema | None = None, *, spell: bool = False) -> Properties:
    is_too_large = gather_vocabulary(document).is_shared and size(document) > LARGEST
    if is_too_large or not isinstance(document, dict):
        return Properties(document)
    binder = _Binder(schema, spell)
    data: dict[Any, Value] = {}
    binder.add(data, (), resolved(schema, schema) if schema else {}, document, ())
    return Properties(data, binder.places)


class _Binder:
    """Puts the values of a document at the places of their properties."""

    def __init__(self, schema: Schema | None, spell: bool) -> None:
        self._schema = schema
        self._respells = spell
        self.places: dict[Path, Path] = {}

    def add(self, target: dict[Any, Value], path: Path, spec: Schema, value: dict[Any, Value], source: Path) -> None:
        """Add a mapping to the one at a path of the result."""
        for key, item in value.items():
            self._put(target, path, spec, self._steps(spec, key), item, (*source, key))

    def _steps(self, spec: Schema, key: str) -> tuple[str | int, ...]:
        steps = split_name(key)
        return steps if self._schema is None or self._known(spec, steps[0]) is not None else (key,)

    def _known(self, spec: Schema, step: str | int) -> str | None:
        """Return a name as the schema spells it; None if the schema does not know it there."""
        properties = spec.get("properties", {})
        if step in properties or not properties:
            return str(step) if properties else None
        return next((one for one in properties if relax_name(one) == relax_name(step)), None)

    def _below(self, spec: Schema, step: str | int) -> Schema:
        if self._schema is None:
            return {}
        found = spec.get("items", {}) if isinstance(step, int) else spec.get("properties", {}).get(step, {})
        return resolved(self._schema, found) if isinstance(found, dict) else {}

    def _put(
        self, target: Any, path: Path, spec: Schema, steps: tuple[str | int, ...], item: Value, source: Path
    ) -> None:
        """Put a value at the end of these steps below a mapping or list."""
        name = steps[0] if isinstance(steps[0], int) else self._known(spec, steps[0]) or steps[0]
        step, rest = self._position(target, name if self._respells else steps[0]), steps[1:]
        below, inner = (*path, step), self._below(spec, name)
        if not rest or below not in self.places:
            self.places[below] = source
        inside = _container(item) if not rest else [] if isinstance(rest[0], int) else {}
        if inside is None:
            target[step] = item
            return
        known: Any = target[step] if isinstance(target, list) else target.get(step)
        if not isinstance(known, type(inside)):
            known = target[step] = inside
        if rest:
            self._put(known, below, inner, rest, item, source)
        elif isinstance(item, dict):
            self.add(known, below, inner, item, source)
        else:
            for number, one in enumerate(item):
                self._put(known, below, inner, (number,), one, (*source, number))

    def _position(self, target: Any, step: str | int) -> Any:
        """Return the place of a step in its mapping, in the spelling that it has there, or in its list, which grows."""
        if not isinstance(target, list):
            return find_name(target, str(step)) if self._schema is None else step
        if not isinstance(step, int) or step >= len(target):
            target.append(None)
            return len(target) - 1
        return step


def _container(value: Value) -> dict[Any, Value] | list[Value] | None:
    """Return a new mapping or list for one that is not empty; None for other values."""
    return {} if isinstance(value, dict) and value else [] if isinstance(value, list) and value else None
