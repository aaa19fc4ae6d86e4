"""Rules on what YAML 1.1 makes of unquoted texts: `1.20` is 1.2, `012` is ten, `no` is false, a date is a number.

Texts of the layers are looked at only where the data has something else in a place for a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from halgit import yaml as hyaml
from halgit.halyard import model
from halgit.pipeline import File, Origin, Path, PlainScalar, Severity, Value
from halgit.redaction import Secret, SecretText
from halgit.validation.rule import Hit, Rule
from halgit.validation.view import View
from halgit.yaml import Scalar

_SETTINGS = model.FieldType("object", "service.ServiceSettings")
_ODD_INT = re.compile(
    rb"(?<![\w.:/-])[-+]?(?:0[0-7_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9]*_[0-9_]*|[1-9][0-9_]*:[0-5]?[0-9])"
)
"""Whole numbers that are not written as Java writes them."""


def _changed_text(view: View) -> Iterator[Hit]:
    known: dict[tuple[str, str], dict[Path, Scalar]] = {}
    for file, path, value in _numbers(view):
        origin = _origin(view, file, path)
        text = b"" if origin is None else _text(view, origin)
        if origin is None or not text or (_is_whole(value) and not _ODD_INT.search(text)):
            continue
        scalars = known.get((origin.layer.name, origin.file))
        if scalars is None:
            scalars = {scalar.path: scalar for scalar in hyaml.list_scalars(text) if not scalar.key}
            known[origin.layer.name, origin.file] = scalars
        scalar = scalars.get(origin.path)
        if scalar is None or not scalar.plain or "${{" in scalar.text or scalar.text == hyaml.to_java_string(value):
            continue
        hidden = view.is_secret(path, file)
        what, became = ("It", "another text") if hidden else (scalar.text, hyaml.to_java_string(value))
        message = f"{what} stands without quotes where Halyard takes a text, and becomes {became}."
        where = "" if origin.path == path else f" in {origin.file}"
        hint = f"Put it in quotes{where}." if hidden else f"Write '{scalar.text}'{where}, in quotes."
        yield Hit(path, message, file.path, hint)


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _numbers(view: View) -> Iterator[tuple[File, Path, Value]]:
    """What is no text, in places for texts, of the halconfig and of service-settings."""
    file = view.files.get("config")
    if file is not None:
        for path, value in _odd(model.ROOT_TYPE, view.config.value, (), "halconfig"):
            yield file, path, value
    for settings, node in view.documents("service-settings"):
        for path, value in _odd(_SETTINGS, node.value, (), "service-settings"):
            yield settings, path, value


def _odd(type_: model.FieldType, node: Value, path: Path, table: str) -> Iterator[tuple[Path, Value]]:
    if type_.kind == "string":
        if not isinstance(node, (str, dict, list, Secret, SecretText, type(None))) or isinstance(node, PlainScalar):
            yield path, node
    elif type_.kind == "object" and isinstance(node, dict):
        fields = model.get_actual_class(type_, node, table).fields
        for key, value in node.items():
            field = fields.get(key)
            if field is not None and (field.type.kind != "string" or type(value) is not str):
                yield from _odd(field.type, value, (*path, key), table)
    elif type_.of is not None and type_.kind == "map" and isinstance(node, dict):
        for key, value in node.items():
            yield from _odd(type_.of, value, (*path, key), table)
    elif type_.of is not None and isinstance(node, list):
        for number, value in enumerate(node):
            yield from _odd(type_.of, value, (*path, number), table)


def _origin(view: View, file: File, path: Path) -> Origin | None:
    """Where a value was written; of one that a parameter brought, where the parameter's value was."""
    if file.trace is None:
        return Origin(file.winner, file.winner.file(file.path), path) if file.layers else None
    origin = file.trace.at(path).origin
    if not origin.how:
        return origin
    parameter = view.compiled.parameters.get(origin.how.rsplit(" ", 1)[-1])
    return None if parameter is None or parameter.secret else parameter.origin


def _text(view: View, origin: Origin) -> bytes:
    """The file an origin stands in."""
    for layer in view.compiled.layers:
        if layer.id == origin.layer and layer.settings.file == origin.file:
            return layer.settings.text
        if layer.id == origin.layer:
            start = f"{layer.id.folder}/" if layer.id.folder else ""
            return layer.files.get(origin.file.removeprefix(start), b"")
    return b""


RULES = (
    Rule(
        id="scalars/changed-text",
        severity=Severity.WARNING,
        summary="An unquoted value becomes another text.",
        halyard="YAML 1.1 makes a number, a date or a boolean of it, and Halyard writes that out as a text again.",
        impact="The text Halyard uses is not the one in the file: version 1.20 becomes 1.2.",
        fix="Put it in quotes.",
        check=_changed_text,
    ),
)
