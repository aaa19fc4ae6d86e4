"""Locations of findings: the layer's file, line and column for a path of the rendered tree.

Positions are looked up only for what is shown, once per file however many findings it has.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from halgit import yaml as hyaml
from halgit.pipeline import EMPTY, File, Finding, Layer, LayerId, Origin, Parameter, Path, Position
from halgit.record import replace


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings: most severe first, then by file and line."""
    return tuple(sorted(findings, key=lambda f: (-f.severity, f.file, f.line, f.column, f.rule, f.message)))


class Locator:
    """Finds positions in the files of the layers."""

    def __init__(
        self,
        files: Mapping[str, File],
        layers: Iterable[Layer],
        accounts: Mapping[str, bytes] = EMPTY,
        parameters: Mapping[str, Parameter] = EMPTY,
    ) -> None:
        self._files, self._parameters, self._accounts = files, parameters, accounts
        self._layers = {layer.id: layer for layer in layers}
        self._texts: dict[str, bytes] = dict(accounts)
        self._lines: dict[str, list[bytes]] = {}
        for layer in self._layers.values():
            if layer.settings.file:
                self._texts[layer.settings.file] = layer.settings.text
            for path, text in layer.files.items():
                self._texts[layer.id.file(path)] = text
        for _, name, text in self._read_later():
            self._texts.setdefault(name, text)

    # --- texts -------------------------------------------------------------------------------------------------

    def _read_later(self) -> Iterator[tuple[LayerId, str, bytes]]:
        """Yield the files that are read because the halconfig names them: layer, path in its source, bytes."""
        for file in self._files.values():
            layer = self._layers.get(file.winner)
            if layer is not None and file.path not in layer.files and isinstance(file.body, bytes):
                yield file.winner, file.winner.file(file.path), file.body

    def texts(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield every file that was read: the name of its layer (empty for dynamic accounts), its path, its bytes."""
        for file, text in self._accounts.items():
            yield "", file, text
        for layer in self._layers.values():
            if layer.settings.file:
                yield layer.id.name, layer.settings.file, layer.settings.text
            for path, text in layer.files.items():
                yield layer.id.name, layer.id.file(path), text
        for id, name, text in self._read_later():
            yield id.name, name, text

    def line(self, file: str, number: int) -> str:
        """Return one line of a layer's file without its newline; empty if there is none."""
        if file not in self._lines:
            self._lines[file] = self._texts.get(file, b"").splitlines()
        lines = self._lines[file]
        return lines[number - 1].decode("utf-8", "replace") if 0 < number <= len(lines) else ""

    def _text_of(self, origin: Origin) -> bytes:
        """Return the file of an origin. Two sources can have files of the same path; the layer tells them apart."""
        layer = self._layers.get(origin.layer)
        if layer is not None:
            if origin.file == layer.settings.file:
                return layer.settings.text
            folder = layer.id.folder + "/" if layer.id.folder else ""
            own = layer.files.get(origin.file[len(folder) :]) if origin.file.startswith(folder) else None
            if own is not None:
                return own
        return self._texts.get(origin.file, b"")

    # --- positions ---------------------------------------------------------------------------------------------

    def position(self, origin: Origin) -> Position:
        """Return the position of an origin, or of its nearest ancestor in the file."""
        return _nearest_position(self._text_of(origin), origin.path, {})

    def locate_findings(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings with the layer's file, line, column and name, sorted."""
        located: list[Finding] = []
        by_file: dict[tuple[LayerId, str], list[tuple[Finding, Origin]]] = defaultdict(list)
        for finding in findings:
            origin = None if finding.layer else self._origin(finding)
            if origin is None:
                located.append(finding)
                continue
            if not finding.line:
                finding, origin = self._at_parameter(finding, origin)
            by_file[origin.layer, origin.file].append((finding, origin))
        for group in by_file.values():
            located += self._locate_in_file(group)
        return sort_findings(located)

    def _origin(self, finding: Finding) -> Origin | None:
        file = self._files.get(finding.file)
        if file is None:
            return None
        if file.trace is None:
            return Origin(file.winner, file.winner.file(file.path), ())
        return file.trace.at(finding.path).origin

    def _at_parameter(self, finding: Finding, used: Origin) -> tuple[Finding, Origin]:
        """Move the finding to the layer that sets the parameter, if one parameter is the whole value."""
        names = [part.removeprefix("parameter ") for part in used.how.split(", ") if part.startswith("parameter ")]
        parameter = self._parameters.get(names[0]) if len(names) == 1 else None
        if parameter is None or parameter.origin is None:
            return finding, used
        at = self.position(used)
        if not _is_whole_value(parameter.name, self.line(used.file, at.line)[at.column - 1 :]):
            return finding, used
        hint = f"{finding.hint} Parameter {parameter.name} is used at {used.file}:{at.line}.".strip()
        return replace(finding, hint=hint), parameter.origin

    def _locate_in_file(self, group: list[tuple[Finding, Origin]]) -> list[Finding]:
        text = self._text_of(group[0][1])
        wanted = {origin.path[:depth] for _, origin in group for depth in range(len(origin.path) + 1)}
        known = hyaml.locate_all(text, wanted) if any(not finding.line for finding, _ in group) else {}
        return [_located(finding, origin, text, known) for finding, origin in group]


def _is_whole_value(name: str, text: str) -> bool:
    """Return whether the scalar at the start of `text` is the parameter and nothing else."""
    one = re.escape(name)
    return bool(re.match(rf"""["']?(\${{{{\s*params\.{one}\s*}}}}|{one})["']?\s*([#,\]}}]|$)""", text))


def _located(finding: Finding, origin: Origin, text: bytes, known: Mapping[Path, Position]) -> Finding:
    at = Position(finding.line, finding.column) if finding.line else _nearest_position(text, origin.path, known)
    return replace(finding, file=origin.file, line=at.line, column=at.column, layer=origin.layer.name)


def _nearest_position(text: bytes, path: Path, known: Mapping[Path, Position]) -> Position:
    for depth in range(len(path), -1, -1):
        at = known.get(path[:depth]) if known else hyaml.locate(text, path[:depth])
        if at is not None:
            return at
    return Position(0, 0)
