"""Where values come from: for a leaf, a subtree or a whole file, each value with its origin and what it overrode.

Pure. Secrets are masked here, so that no caller needs to.
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
    """An origin for output: file, line, column, layer and revision, and what wrote the value (a patch, a parameter)."""

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
class ParameterUse:
    """A parameter that a value uses: what set it (a file, an option, a variable), and its origin if in a file."""

    name: str
    by: str
    origin: Source | None

    @property
    def place(self) -> str:
        """`file:line:column`, or the option or variable."""
        return self.origin.place if self.origin else self.by


@dataclass(frozen=True, slots=True)
class Explained:
    """One value: path, value (masked if secret), origin, overridden origins and parameters.

    `below` is its path relative to the requested node.
    """

    path: str
    value: Value
    origin: Source
    overridden: tuple[Source, ...]
    parameters: tuple[ParameterUse, ...] = ()
    below: str = ""


def split(target: str) -> tuple[str, str]:
    """Split `FILE[:PATH]` into file and path; the first `:` ends FILE."""
    file, _, path = target.partition(":")
    return file, path


def explain(compiled: Compiled, target: str, locate: Locate) -> tuple[Explained, ...]:
    """Explain every leaf at or below `FILE[:PATH]`, in the file's order; one entry for a file that is not YAML.

    Raises UsageError for a file outside the tree (with the reason it was skipped) and for a path that is not found.
    """
    name, path = split(target)
    file = compiled.files.get(name)
    if file is None:
        raise _unknown(compiled, name)
    if file.data is MISSING or file.trace is None:
        if path:
            raise UsageError(f"{name} is copied unchanged, so it has no paths.", "Name the file without a path.")
        whole = Origin(file.winner, file.winner.file(name), ())
        overridden = tuple(Origin(layer, layer.file(name), ()) for layer in reversed(file.layers[:-1]))
        shown = tuple(_source(origin, locate) for origin in overridden)
        return (Explained("", f"(the whole file, {file.how})", _source(whole, locate), shown),)
    at = paths.resolve_path(path, file.data)
    node = file.data
    for step in at:
        node = node[step]
    one = _Explainer(compiled, file, at, locate)
    return tuple(one(found, value) for found, value in leaves(node, at))


def _unknown(compiled: Compiled, name: str) -> UsageError:
    reason = {left.path: left.reason for left in compiled.skipped}.get(name)
    if reason:
        return UsageError(f"{name} is not in the rendered tree: {reason}.")
    return UsageError(
        f"{name} is not in the rendered tree.", f"Its files are: {', '.join(sorted(compiled.files)) or 'none'}."
    )


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


@dataclass(frozen=True, slots=True)
class _Explainer:
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
            tuple(self._parameter(name) for name in _names(trace.origin)),
            whole[len(asked) :].removeprefix("."),
        )

    def _parameter(self, name: str) -> ParameterUse:
        parameter = self.compiled.parameters[name]
        origin = _source(parameter.origin, self.locate) if parameter.origin else None
        return ParameterUse(name, parameter.set_by, origin)


def _names(origin: Origin) -> list[str]:
    """Return the names of the parameters that an origin lists."""
    mark = "parameter "
    return [part.removeprefix(mark) for part in origin.how.split(", ") if part.startswith(mark)]


def _source(origin: Origin, locate: Locate) -> Source:
    spot = locate(origin)
    revision = origin.layer.source.revision
    return Source(origin.file, spot.line, spot.column, origin.layer.name, revision, origin.how)


def as_json(explained: Explained) -> Mapping[str, Any]:
    """Return an explained value as JSON data."""
    return {
        "path": explained.path,
        "value": explained.value,
        "origin": _origin_json(explained.origin),
        "overrode": [_origin_json(origin) for origin in explained.overridden],
        "parameters": [
            {"name": one.name, "given_by": one.by, "origin": _origin_json(one.origin) if one.origin else None}
            for one in explained.parameters
        ],
    }


def _origin_json(source: Source) -> Mapping[str, Any]:
    return {name: getattr(source, name) for name in ("file", "line", "column", "layer", "revision", "how")}
