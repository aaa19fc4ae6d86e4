"""What is wrong with a layer, on its way to a finding.

A fault knows the place in the layer's file as a path; `findings` looks up lines and columns, once for each file
however many faults there are. It judges nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from halgit import yaml as hyaml
from halgit.pipeline import File, Finding, Layer, LayerId, Origin, Path, Position, Severity, Trace


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong at `where`. `{other}` in the message becomes the file and line of `other`."""

    rule: str
    where: Origin
    message: str
    hint: str = ""
    other: Origin | None = None
    severity: Severity = Severity.ERROR


def findings(faults: Iterable[Fault], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """The faults as findings with their places, each once, in the order they were found."""
    told = list(dict.fromkeys(faults))
    spots = _Spots(layers, [origin for fault in told for origin in (fault.where, fault.other) if origin])
    return tuple(_finding(fault, spots) for fault in told)


def _finding(fault: Fault, spots: _Spots) -> Finding:
    spot = spots.of(fault.where)
    message = fault.message
    if fault.other is not None:
        message = message.replace("{other}", f"{fault.other.file}:{spots.of(fault.other).line}")
    at, layer = fault.where, fault.where.layer.name
    return Finding(fault.rule, fault.severity, message, fault.hint, at.file, at.path, spot.line, spot.column, layer)


class _Spots:
    """The positions of a number of origins, found file by file."""

    def __init__(self, layers: Sequence[Layer], origins: Iterable[Origin]) -> None:
        wanted: dict[tuple[LayerId, str], set[Path]] = defaultdict(set)
        for origin in origins:
            wanted[origin.layer, origin.file].update(origin.path[:depth] for depth in range(len(origin.path) + 1))
        by_id = {layer.id: layer for layer in layers}
        self._known = {
            key: hyaml.locate_all(_text(by_id[key[0]], key[1]), paths, keys=True) for key, paths in wanted.items()
        }

    def of(self, origin: Origin) -> Position:
        """The origin's position, or that of the nearest node above it that the file has."""
        known = self._known[origin.layer, origin.file]
        for depth in range(len(origin.path), -1, -1):
            if origin.path[:depth] in known:
                return known[origin.path[:depth]]
        return Position(1, 1)


def _text(layer: Layer, file: str) -> bytes:
    """The bytes of a file of a layer, named as messages name it."""
    if file == layer.settings.file:
        return layer.settings.text
    folder = f"{layer.id.folder}/" if layer.id.folder else ""
    return layer.files.get(file[len(folder) :], b"")


class Telling:
    """Collects faults; `findings` places them all at once. `files` are those the faults can be about."""

    def __init__(self, files: Iterable[File], layers: Sequence[Layer]) -> None:
        self._layers = _with_bodies(files, layers)
        self._faults: dict[Fault, str] = {}
        self._placed: list[Finding] = []
        self._texts: dict[tuple[LayerId, str], bytes] = {}
        for layer in self._layers:
            self._texts.update({(layer.id, layer.id.file(path)): text for path, text in layer.files.items()})
            self._texts[layer.id, layer.settings.file] = layer.settings.text

    def at(
        self,
        file: File,
        path: Path,
        needle: str,
        rule: str,
        message: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A fault of the node at `path` of a YAML file; its line is the first, from there on, that holds `needle`."""
        self._faults.setdefault(Fault(rule, trace_of(file).at(path).origin, message, hint, severity=severity), needle)

    def in_text(
        self,
        file: File,
        offset: int,
        text: str,
        rule: str,
        message: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A fault of a file that is no YAML, `offset` characters into its text."""
        origin = trace_of(file).origin
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        self._placed.append(Finding(rule, severity, message, hint, origin.file, (), line, column, origin.layer.name))

    def findings(self) -> tuple[Finding, ...]:
        """All faults, those of YAML files first, in the order they were found."""
        placed = findings(self._faults, self._layers)
        told = zip(self._faults.items(), placed, strict=True)
        return (*(self._exact(finding, fault.where, needle) for (fault, needle), finding in told), *self._placed)

    def _exact(self, finding: Finding, where: Origin, needle: str) -> Finding:
        """The finding moved down to the line of its needle; left where it is if no line below has it."""
        lines = self._texts.get((where.layer, where.file), b"").decode("utf-8", "replace").split("\n")
        for number in range(max(finding.line - 1, 0), len(lines)):
            column = lines[number].find(needle, finding.column - 1 if number == finding.line - 1 else 0)
            if column >= 0:
                return replace(finding, line=number + 1, column=column + 1)
        return finding


def trace_of(file: File) -> Trace:
    """A file's trace; of one that no merge has seen, that it is its highest layer's."""
    return file.trace or Trace(Origin(file.winner, file.winner.file(file.path), ()))


def _with_bodies(files: Iterable[File], layers: Sequence[Layer]) -> list[Layer]:
    """The layers, also with those files that were read after them."""
    later: dict[LayerId, dict[str, bytes]] = {}
    for file in files:
        if isinstance(file.body, bytes):
            later.setdefault(file.winner, {})[file.path] = file.body
    return [_with_files(layer, later.get(layer.id, {})) for layer in layers]


def _with_files(layer: Layer, more: Mapping[str, bytes]) -> Layer:
    return replace(layer, files={**more, **layer.files}) if more else layer
