"""In which order layers are merged: the bases of a layer first, depth first, each layer once.

Looks at `bases` only. A base that does not exist, leaves the source or leads back to itself is a finding; the order
goes on without it, so that all faults come together. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from halgit import yaml as hyaml
from halgit.pipeline import Finding, LayerSettings, Path, Position, Severity

Settings = Callable[[str], "LayerSettings | None"]


def order(start: str, settings: Settings) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The folders of a layer's bases and the layer itself, lowest first, relative to the source's root.

    `start` is the folder of the layer to render, empty for the root. `settings` gives a folder's settings, None
    where the folder holds no file. A layer reached twice stands where it was reached first.
    """
    walk = _Walk(settings)
    walk.run(start)
    return tuple(walk.folders), tuple(walk.findings)


class _Walk:
    """The walk over the bases. `_open` are the layers on the way from the start, each with the bases it has left."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, Iterator[tuple[int, str]]] = {}
        self.folders: dict[str, None] = {}
        self.findings: list[Finding] = []

    def run(self, start: str) -> None:
        self._enter(start)
        while self._open:
            folder, left = next(reversed(self._open.items()))
            number, base = next(left, (0, None))
            if base is None:
                del self._open[folder]
                self.folders[folder] = None
            else:
                self._base(folder, number, base)

    def _enter(self, folder: str) -> None:
        said = self._settings(folder)
        if said is not None and folder not in self.folders:
            self._open[folder] = iter(enumerate(said.bases))

    def _base(self, folder: str, number: int, base: str) -> None:
        target = resolve(folder, base)
        wrong = self._wrong(target)
        if wrong is not None:
            self._fault(folder, ("bases", number), *wrong)
        elif target is not None:
            self._enter(target)

    def _wrong(self, target: str | None) -> tuple[str, str, str] | None:
        if target is None:
            hint = "Write a path relative to this folder that stays inside; `--path` sets the root."
            return "merge/base-outside", "This base leaves the source's root.", hint
        if target in self._open:
            chain = list(self._open)
            circle = " -> ".join(_named(folder) for folder in (*chain[chain.index(target) :], target))
            return "merge/base-cycle", f"The bases go in a circle: {circle}.", "Take one of them out."
        if self._settings(target) is None:
            hint = "Correct the path; it is relative to the folder of this halgit.yaml."
            return "merge/base-missing", f"This base, {_named(target)}, holds no file.", hint
        return None

    def _fault(self, folder: str, path: Path, rule: str, message: str, hint: str) -> None:
        said = self._settings(folder) or LayerSettings()
        spot = hyaml.locate(said.text, path) or Position(1, 1)
        self.findings.append(
            Finding(rule, Severity.ERROR, message, hint, said.file, path, spot.line, spot.column, _named(folder))
        )


def resolve(folder: str, base: str) -> str | None:
    """The folder a base names, seen from the folder of its layer; None where it leaves the root."""
    if base.startswith("/"):
        return None
    parts = folder.split("/") if folder else []
    for part in base.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _named(folder: str) -> str:
    return folder or "."
