"""Origins of values: for a leaf, a subtree or a whole file, where each value was written and what it overrode.

Pure. Values of secrets are masked in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from halgit.errors import UsageError
from halgit.halyard import model
from halgit.halyard.coercion import coerce_boolean, coerce_enum, coerce_integer
from halgit.halyard.sensitivity import mask_value
from halgit.merge.selection import is_merged, is_spring
from halgit.pipeline import MISSING, Compiled, File, Origin, Path, PlainScalar, Position, Value
from halgit.record import Record, replace
from halgit.redaction import Secret, SecretText
from halgit.text import paths
from halgit.yaml import to_java_string

Locate = Callable[[Origin], Position]


class SourceLocation(Record):
    """One origin as it is shown: file, line, column, layer and revision, and how the value got there."""

    file: str
    line: int
    column: int
    layer: str
    revision: str
    how: str

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class UsedParameter(Record):
    """A parameter that is part of a value. `set_by` is the file, option or variable that sets it."""

    name: str
    set_by: str
    origin: SourceLocation | None

    @property
    def place(self) -> str:
        """`file:line:column`, or the option or variable."""
        return self.origin.place if self.origin else self.set_by


class Reading(Record):
    """What the program that reads a file makes of a value. `reader` is empty for a file that nothing binds.

    `is_default`: the program drops the value, and `value` is its default.
    """

    reader: str = ""
    value: Value = None
    is_default: bool = False


class Explanation(Record):
    """One value (masked if secret) with its path, its origin, the origins it overrode, and its parameters.

    `below` is the path from the node that was asked for. `read_as` is what the reader of the file makes of the value.
    """

    path: str
    value: Value
    origin: SourceLocation
    overridden: tuple[SourceLocation, ...]
    parameters: tuple[UsedParameter, ...] = ()
    below: str = ""
    read_as: Reading = Reading()


def split_target(target: str) -> tuple[str, str]:
    """Split `FILE[:PATH]` into file and path; the first `:` ends FILE."""
    file, _, path = target.partition(":")
    return file, path


def explain(compiled: Compiled, target: str, locate: Locate) -> tuple[Explanation, ...]:
    """Explain every leaf at or below `FILE[:PATH]`, in the file's order; a file that is not YAML as a whole.

    Raises UsageError for a file that is not in the tree (with the reason) or a path that does not exist.
    """
    name, path = split_target(target)
    file = compiled.files.get(name)
    if file is None:
        raise _unknown_file(compiled, name)
    if file.data is MISSING or file.trace is None:
        if path:
            raise UsageError(f"{name} is copied unchanged, so it has no paths.", "Name the file alone.")
        return (_explain_whole_file(file, locate),)
    at = paths.resolve_path(path, file.data)
    node = file.data
    for step in at:
        node = node[step]
    explainer = _Explainer(compiled, file, at, locate)
    return tuple(explainer.explain(leaf, value) for leaf, value in leaves(node, at))


def _explain_whole_file(file: File, locate: Locate) -> Explanation:
    origin = Origin(file.winner, file.winner.file(file.path), ())
    overridden = (Origin(layer, layer.file(file.path), ()) for layer in reversed(file.layers[:-1]))
    locations = tuple(_location(one, locate) for one in overridden)
    return Explanation("", f"(the whole file, {file.how})", _location(origin, locate), locations)


def _unknown_file(compiled: Compiled, name: str) -> UsageError:
    reason = {skipped.path: skipped.reason for skipped in compiled.skipped}.get(name)
    if reason:
        return UsageError(f"{name} is not in the rendered tree: {reason}.")
    files = ", ".join(sorted(compiled.files)) or "none"
    return UsageError(f"{name} is not in the rendered tree.", f"Its files are: {files}.")


def leaves(node: Value, at: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield every leaf below a node with its path; empty mappings and lists are leaves too."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*at, key))
    elif isinstance(node, list) and node:
        for number, value in enumerate(node):
            yield from leaves(value, (*at, number))
    else:
        yield at, node


class _Explainer(Record):
    """Explains the leaves of one file at or below the node at `at`."""

    compiled: Compiled
    file: File
    at: Path
    locate: Locate

    def explain(self, path: Path, value: Value) -> Explanation:
        assert self.file.trace is not None
        trace = self.file.trace.at(path)
        full, asked = paths.format_path(path, self.file.data), paths.format_path(self.at, self.file.data)
        return Explanation(
            path=full,
            value=mask_value(value, path, self.file.path, self.file.data),
            origin=_location(trace.origin, self.locate),
            overridden=tuple(_location(origin, self.locate) for origin in trace.overridden),
            parameters=tuple(self._parameter(name) for name in _parameter_names(trace.origin)),
            below=full[len(asked) :].removeprefix("."),
            read_as=self._reading(path, value),
        )

    def _reading(self, path: Path, value: Value) -> Reading:
        reading = read_value(self.file, path, value)
        return replace(reading, value=mask_value(reading.value, path, self.file.path, self.file.data))

    def _parameter(self, name: str) -> UsedParameter:
        parameter = self.compiled.parameters[name]
        origin = _location(parameter.origin, self.locate) if parameter.origin else None
        return UsedParameter(name, parameter.set_by, origin)


# --- what the reader of a file makes of a value ------------------------------------------------------------------

_HALYARD, _SPRING = "Halyard", "Spring Boot"


def read_value(file: File, path: Path, value: Value) -> Reading:
    """Return what the reader of a file makes of a value in it.

    Halyard converts scalars to the types of its classes and, in the halconfig, drops keys whose value is null. Spring
    Boot keeps dates as strings and makes an empty string of null.
    """
    if is_spring(file.path):
        return Reading(_SPRING, "" if value is None else value)
    if not is_merged(file.path):
        return Reading()
    is_config = file.path == "config"
    found = (model.find_type if is_config else model.find_setting_type)(path, file.data)
    if value is None and is_config and path and isinstance(path[-1], str):
        default = found[1].default if found and found[1] else None
        return Reading(_HALYARD, default, is_default=True)
    return Reading(_HALYARD, value if found is None else _coerce(found[0], value, is_config=is_config))


def _coerce(type_: model.FieldType, value: Value, *, is_config: bool) -> Value:
    """Return the value as Jackson binds it; the value itself where it is rejected, which is a finding."""
    if isinstance(value, (dict, list, Secret, SecretText)) or value is None:
        return value
    if isinstance(value, PlainScalar) and to_java_string(value).lstrip("-").isdigit():
        value = int(to_java_string(value))  # a date, which Jackson serializes as milliseconds
    if type_.kind in {"string", "any", "uri", "url"}:
        return value if type_.kind == "any" else to_java_string(value)
    if type_.kind == "enum":
        coerced: Value = coerce_enum(value, type_.name, "halconfig" if is_config else "service-settings")
    elif type_.kind == "boolean":
        coerced = coerce_boolean(value)
    else:
        coerced = coerce_integer(value, 64 if type_.kind == "int64" else 32)
    return value if coerced is None else coerced


def _parameter_names(origin: Origin) -> list[str]:
    prefix = "parameter "
    return [part.removeprefix(prefix) for part in origin.how.split(", ") if part.startswith(prefix)]


def _location(origin: Origin, locate: Locate) -> SourceLocation:
    at = locate(origin)
    revision = origin.layer.source.revision
    return SourceLocation(origin.file, at.line, at.column, origin.layer.name, revision, origin.how)


def to_json(explanation: Explanation) -> Mapping[str, Any]:
    """Return an explanation as JSON data."""
    return {
        "path": explanation.path,
        "value": explanation.value,
        "reader": explanation.read_as.reader,
        "read_as": explanation.read_as.value,
        "origin": _location_json(explanation.origin),
        "overrode": [_location_json(origin) for origin in explanation.overridden],
        "parameters": [
            {"name": one.name, "set_by": one.set_by, "origin": _location_json(one.origin) if one.origin else None}
            for one in explanation.parameters
        ],
    }


def _location_json(location: SourceLocation) -> Mapping[str, Any]:
    return {name: getattr(location, name) for name in ("file", "line", "column", "layer", "revision", "how")}
