"""Diagnostics of merge and parameters, and their conversion to findings with file, line and column.

A `Diagnostic` names its place by an `Origin` (layer, file, path). `to_findings` looks up lines and columns once per
file, however many diagnostics the file has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from halgit import yaml as hyaml
from halgit.pipeline import File, Finding, Layer, LayerId, Origin, Path, Position, Severity, Trace
from halgit.record import Record, replace
from halgit.text.limits import limit_findings, limit_repeats


class Diagnostic(Record):
    """One problem at `where`. `{other}` in the message is replaced by the file and line of `other`."""

    rule: str
    where: Origin
    message: str
    hint: str = ""
    other: Origin | None = None
    severity: Severity = Severity.ERROR


def to_findings(diagnostics: Iterable[Diagnostic], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """Convert diagnostics to findings with positions: each once, in the given order."""
    unique = list(dict.fromkeys(diagnostics))
    positions = _PositionIndex(layers, [origin for one in unique for origin in (one.where, one.other) if origin])
    return tuple(_to_finding(one, positions) for one in unique)


def _to_finding(diagnostic: Diagnostic, positions: _PositionIndex) -> Finding:
    origin = diagnostic.where
    at = positions.find(origin)
    message = diagnostic.message
    if diagnostic.other is not None:
        message = message.replace("{other}", f"{diagnostic.other.file}:{positions.find(diagnostic.other).line}")
    place = (origin.file, origin.path, at.line, at.column, origin.layer.name)
    return Finding(diagnostic.rule, diagnostic.severity, message, diagnostic.hint, *place)


class _PositionIndex:
    """The positions of a set of origins, computed file by file."""

    def __init__(self, layers: Sequence[Layer], origins: Iterable[Origin]) -> None:
        wanted: dict[tuple[LayerId, str], set[Path]] = defaultdict(set)
        for origin in origins:
            wanted[origin.layer, origin.file].update(origin.path[:depth] for depth in range(len(origin.path) + 1))
        by_id = {layer.id: layer for layer in layers}
        self._known = {
            key: hyaml.locate_all(_file_text(by_id[key[0]], key[1]), paths, keys=True) for key, paths in wanted.items()
        }

    def find(self, origin: Origin) -> Position:
        """Return the origin's position, or that of its nearest ancestor in the file."""
        known = self._known[origin.layer, origin.file]
        for depth in range(len(origin.path), -1, -1):
            if origin.path[:depth] in known:
                return known[origin.path[:depth]]
        return Position(1, 1)


def _file_text(layer: Layer, file: str) -> bytes:
    """Return the bytes of a layer's file. `file` is its path in the source, as in messages."""
    if file == layer.settings.file:
        return layer.settings.text
    folder = f"{layer.id.folder}/" if layer.id.folder else ""
    return layer.files.get(file[len(folder) :], b"")


class DiagnosticCollector:
    """Collects problems with parameters and tokens, down to the line inside a scalar of many lines.

    `files` are the files of the tree that the problems can be about.
    """

    def __init__(self, files: Iterable[File], layers: Sequence[Layer]) -> None:
        self._layers = _layers_with_bodies(files, layers)
        self._diagnostics: dict[Diagnostic, str] = {}
        self._findings: list[Finding] = []
        self._texts: dict[tuple[LayerId, str], bytes] = {}
        self._lines: dict[tuple[LayerId, str], list[str]] = {}
        for layer in self._layers:
            self._texts.update({(layer.id, layer.id.file(path)): text for path, text in layer.files.items()})
            self._texts[layer.id, layer.settings.file] = layer.settings.text

    def add(
        self,
        file: File,
        path: Path,
        needle: str,
        rule: str,
        message: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a problem with the node at `path` of a YAML file.

        Its line is the first that holds `needle`, from the node on.
        """
        origin = file_trace(file).at(path).origin
        self._diagnostics.setdefault(Diagnostic(rule, origin, message, hint, severity=severity), needle)

    def add_at_offset(
        self,
        file: File,
        offset: int,
        text: str,
        rule: str,
        message: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a problem `offset` characters into the text of a file."""
        origin = file_trace(file).origin
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        self._findings.append(Finding(rule, severity, message, hint, origin.file, (), line, column, origin.layer.name))

    def add_in_document(
        self,
        file: File,
        document: int,
        path: Path,
        needle: str,
        rule: str,
        message: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a problem with a node of one document of a file that has several; its place is that of `needle`."""
        body = file.body if isinstance(file.body, bytes) else b""
        text = body.decode("utf-8", "replace")
        start = hyaml.find_offset(body, document, path)
        self.add_at_offset(file, max(text.find(needle, start), start), text, rule, message, hint, severity)

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, those of YAML nodes first, in the order they were added."""
        limited = limit_repeats(
            self._diagnostics, lambda one: (one.rule, one.severity, one.where.layer, one.where.file)
        )
        located = zip(limited, to_findings(limited, self._layers), strict=True)
        exact = (self._at_needle(finding, one.where, self._diagnostics.get(one, "")) for one, finding in located)
        return (*exact, *limit_findings(self._findings))

    def _lines_of(self, where: Origin) -> list[str]:
        key = where.layer, where.file
        if key not in self._lines:
            self._lines[key] = self._texts.get(key, b"").decode("utf-8", "replace").split("\n")
        return self._lines[key]

    def _at_needle(self, finding: Finding, where: Origin, needle: str) -> Finding:
        """Move the finding down to the first line that holds its needle, if any does."""
        lines = self._lines_of(where)
        for number in range(max(finding.line - 1, 0), len(lines)):
            column = lines[number].find(needle, finding.column - 1 if number == finding.line - 1 else 0)
            if column >= 0:
                return replace(finding, line=number + 1, column=column + 1)
        return finding


def file_trace(file: File) -> Trace:
    """Return the file's trace; a file that was not merged originates in its highest layer."""
    return file.trace or Trace(Origin(file.winner, file.winner.file(file.path), ()))


def _layers_with_bodies(files: Iterable[File], layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers, including the files that were read after the layers were."""
    read_later: dict[LayerId, dict[str, bytes]] = {}
    for file in files:
        if isinstance(file.body, bytes):
            read_later.setdefault(file.winner, {})[file.path] = file.body
    return [_with_files(layer, read_later.get(layer.id, {})) for layer in layers]


def _with_files(layer: Layer, more: Mapping[str, bytes]) -> Layer:
    return replace(layer, files={**more, **layer.files}) if more else layer
