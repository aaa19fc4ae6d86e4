"""Where values come from: for a leaf, a subtree or a whole file, each value with its origin and what it overrode.

Pure. Values of secrets are masked here already: no caller has to think of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from halgit.errors import UsageError
from halgit.halyard.sensitivity import mask_value
from halgit.pipeline import MISSING, Compiled, File, Origin, Path, Position, Value
from halgit.text import paths

Locate = Callable[[Origin], Position]


@dataclass(frozen=True, slots=True)
class Source:
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


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter that is part of a value: who gives it (a file, an option, a variable), and where if in a file."""

    name: str
    by: str
    origin: Source | None

    @property
    def place(self) -> str:
        """`file:line:column`, or the option or variable."""
        return self.origin.place if self.origin else self.by


@dataclass(frozen=True, slots=True)
class Explained:
    """One value: its path, itself (masked where it is secret), its origin, the origins it overrode, its parameters.

    `below` is the path from the node that was asked for.
    """

    path: str
    value: Value
    origin: Source
    overridden: tuple[Source, ...]
    given: tuple[Given, ...] = ()
    below: str = ""


def split(target: str) -> tuple[str, str]:
    """`FILE[:PATH]` as file and path; the first `:` ends FILE."""
    file, _, path = target.partition(":")
    return file, path


def explain(compiled: Compiled, target: str, locate: Locate) -> tuple[Explained, ...]:
    """Every leaf at or below `FILE[:PATH]`, in the file's order; one entry for a file that is not YAML.

    Raises UsageError for a file that is not in the tree (with why it was left out) or a path that meets nothing.
    """
    name, path = split(target)
    file = compiled.files.get(name)
    if file is None:
        raise _unknown(compiled, name)
    if file.data is MISSING or file.trace is None:
        if path:
            raise UsageError(f"{name} is taken as it is, so there is no path in it.", "Ask for the file alone.")
        whole = Origin(file.winner, file.winner.file(name), ())
        overridden = tuple(Origin(layer, layer.file(name), ()) for layer in reversed(file.layers[:-1]))
        shown = tuple(_source(origin, locate) for origin in overridden)
        return (Explained("", f"(the whole file, {file.how})", _source(whole, locate), shown),)
    at = paths.resolve_path(path, file.data)
    node = file.data
    for step in at:
        node = node[step]
    one = _Explaining(compiled, file, at, locate)
    return tuple(one(found, value) for found, value in leaves(node, at))


def _unknown(compiled: Compiled, name: str) -> UsageError:
    reason = {left.path: left.reason for left in compiled.skipped}.get(name)
    if reason:
        return UsageError(f"{name} is not in the rendered tree: {reason}.")
    return UsageError(
        f"{name} is not in the rendered tree.", f"Its files are: {', '.join(sorted(compiled.files)) or 'none'}."
    )


def leaves(node: Value, at: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Every leaf below a node with its path; empty mappings and lists are leaves too."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*at, key))
    elif isinstance(node, list) and node:
        for number, value in enumerate(node):
            yield from leaves(value, (*at, number))
    else:
        yield at, node


@dataclass(frozen=True, slots=True)
class _Explaining:
    """Explains the leaves of one file at or below the node at `at`."""

    compiled: Compiled
    file: File
    at: Path
    locate: Locate

    def __call__(self, path: Path, value: Value) -> Explained:
        assert self.file.trace is not None
        trace = self.file.trace.at(path)
        whole, asked = paths.format_path(path, self.file.data), paths.format_path(self.at, self.file.data)
        return Explained(
            whole,
            mask_value(value, path, self.file.path, self.file.data),
            _source(trace.origin, self.locate),
            tuple(_source(origin, self.locate) for origin in trace.overridden),
            tuple(self._given(name) for name in _names(trace.origin)),
            whole[len(asked) :].removeprefix("."),
        )

    def _given(self, name: str) -> Given:
        parameter = self.compiled.parameters[name]
        origin = _source(parameter.origin, self.locate) if parameter.origin else None
        return Given(name, parameter.set_by, origin)


def _names(origin: Origin) -> list[str]:
    """The parameters that an origin says are in the value."""
    mark = "parameter "
    return [part.removeprefix(mark) for part in origin.how.split(", ") if part.startswith(mark)]


def _source(origin: Origin, locate: Locate) -> Source:
    spot = locate(origin)
    revision = origin.layer.source.revision
    return Source(origin.file, spot.line, spot.column, origin.layer.name, revision, origin.how)


def as_json(explained: Explained) -> Mapping[str, Any]:
    """One explained value as JSON."""
    return {
        "path": explained.path,
        "value": explained.value,
        "origin": _origin_json(explained.origin),
        "overrode": [_origin_json(origin) for origin in explained.overridden],
        "parameters": [
            {"name": one.name, "given_by": one.by, "origin": _origin_json(one.origin) if one.origin else None}
            for one in explained.given
        ],
    }


def _origin_json(source: Source) -> Mapping[str, Any]:
    return {name: getattr(source, name) for name in ("file", "line", "column", "layer", "revision", "how")}
