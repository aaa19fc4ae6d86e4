"""Where a finding belongs: the layer's file, line and column behind a path of the rendered tree.

Positions are looked up only here and only for what has to be said, once for each file however many findings.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from halgit import yaml as hyaml
from halgit.pipeline import EMPTY, File, Finding, Layer, Origin, Parameter, Path, Position


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first, then by file and line."""
    return tuple(sorted(findings, key=lambda f: (-f.severity, f.file, f.line, f.column, f.rule, f.message)))


def _stands_alone(name: str, text: str) -> bool:
    """Whether what a scalar begins with is a parameter and nothing else: more text would be the using file's own."""
    one = re.escape(name)
    return bool(re.match(rf"""["']?(\${{{{\s*params\.{one}\s*}}}}|{one})["']?\s*([#,\]}}]|$)""", text))


class Places:
    """Finds positions in the files of the layers."""

    def __init__(
        self,
        files: Mapping[str, File],
        layers: Iterable[Layer],
        accounts: Mapping[str, bytes] = EMPTY,
        parameters: Mapping[str, Parameter] = EMPTY,
    ) -> None:
        self._files = files
        self._parameters = parameters
        self._accounts = accounts
        self._layers = {layer.id: layer for layer in layers}
        self._texts: dict[str, bytes] = dict(accounts)
        for layer in self._layers.values():
            if layer.settings.file:
                self._texts[layer.settings.file] = layer.settings.text
            for path, text in layer.files.items():
                self._texts[layer.id.file(path)] = text

    def text(self, file: str) -> bytes:
        """A layer's file as it was read; empty where it was not."""
        return self._texts.get(file, b"")

    def of(self, origin: Origin) -> Position:
        """Line and column of an origin; of the nearest node above where the path itself is not in the file."""
        return self._nearest(self.text_of(origin), origin.path, {})

    def text_of(self, origin: Origin) -> bytes:
        """The file an origin stands in; told apart by layer where two sources have the same path."""
        layer = self._layers.get(origin.layer)
        if layer is not None:
            if origin.file == layer.settings.file:
                return layer.settings.text
            folder = layer.id.folder + "/" if layer.id.folder else ""
            own = layer.files.get(origin.file[len(folder) :]) if origin.file.startswith(folder) else None
            if own is not None:
                return own
        return self.text(origin.file)

    def put(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings with the layer's file, line, column and name, in the order of files and lines."""
        placed: list[Finding] = []
        waiting: dict[str, list[tuple[Finding, Origin]]] = defaultdict(list)
        for finding in findings:
            origin = None if finding.layer else self._origin(finding)
            given = None if origin is None or finding.line else self._given(finding, origin)
            if given is not None:
                waiting[f"{given[1].layer.name}\0{given[1].file}"].append(given)
            elif origin is None:
                placed.append(finding)
            else:
                waiting[f"{origin.layer.name}\0{origin.file}"].append((finding, origin))
        for group in waiting.values():
            placed += self._locate(group)
        return in_order(placed)

    def line(self, file: str, number: int) -> str:
        """One line of a layer's file, without its end; empty where there is none."""
        lines = self.text(file).splitlines()
        return lines[number - 1].decode("utf-8", "replace") if 0 < number <= len(lines) else ""

    def texts(self) -> Iterator[tuple[str, str, bytes]]:
        """Every file that was read: the name of its layer (of dynamic accounts none), the file, its bytes."""
        for file, text in self._accounts.items():
            yield "", file, text
        for layer in self._layers.values():
            if layer.settings.file:
                yield layer.id.name, layer.settings.file, layer.settings.text
            for path, text in layer.files.items():
                yield layer.id.name, layer.id.file(path), text

    def _origin(self, finding: Finding) -> Origin | None:
        file = self._files.get(finding.file)
        if file is None:
            return None
        if file.trace is None:
            return Origin(file.winner, file.winner.file(file.path), ())
        return file.trace.at(finding.path).origin

    def _given(self, finding: Finding, used: Origin) -> tuple[Finding, Origin] | None:
        """The finding where a layer gives the one parameter that is the whole value; None where there is none."""
        names = [part.removeprefix("parameter ") for part in used.how.split(", ") if part.startswith("parameter ")]
        parameter = self._parameters.get(names[0]) if len(names) == 1 else None
        if parameter is None or parameter.origin is None:
            return None
        spot = self.of(used)
        if not _stands_alone(parameter.name, self.line(used.file, spot.line)[spot.column - 1 :]):
            return None
        place = f"{used.file}:{spot.line}"
        told = replace(finding, hint=f"{finding.hint} Parameter {parameter.name} puts it into {place}.".strip())
        return told, parameter.origin

    def _locate(self, group: list[tuple[Finding, Origin]]) -> list[Finding]:
        text = self.text_of(group[0][1])
        wanted = {origin.path[:depth] for _, origin in group for depth in range(len(origin.path) + 1)}
        known = hyaml.locate_all(text, wanted) if any(not finding.line for finding, _ in group) else {}
        return [self._placed(finding, origin, text, known) for finding, origin in group]

    def _placed(self, finding: Finding, origin: Origin, text: bytes, known: Mapping[Path, Position]) -> Finding:
        spot = Position(finding.line, finding.column) if finding.line else self._nearest(text, origin.path, known)
        return replace(finding, file=origin.file, line=spot.line, column=spot.column, layer=origin.layer.name)

    def _nearest(self, text: bytes, path: Path, known: Mapping[Path, Position]) -> Position:
        for depth in range(len(path), -1, -1):
            spot = known.get(path[:depth]) if known else hyaml.locate(text, path[:depth])
            if spot is not None:
                return spot
        return Position(0, 0)
