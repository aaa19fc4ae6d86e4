"""What is wrong with a layer, on its way to a finding.

A fault knows the place in the layer's file as a path; `findings` looks up lines and columns, once for each file
however many faults there are. It judges nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from halgit import yaml as hyaml
from halgit.pipeline import Finding, Layer, LayerId, Origin, Path, Position, Severity


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
