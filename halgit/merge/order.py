"""The order in which layers are merged: the bases of a layer first, depth first, each layer once.

A base that does not exist, is outside the source or builds on itself is a finding; the order continues without it, so
that all problems are reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from halgit import yaml as hyaml
from halgit.pipeline import Finding, LayerSettings, Path, Position, Severity

SettingsOf = Callable[[str], "LayerSettings | None"]
"""Returns the settings of a folder, or None if the folder has no file."""


def order_layers(start: str, settings: SettingsOf) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the folders of a layer and its bases, lowest first, and the findings about bases.

    `start` is the folder of the layer to render, relative to the root of the source and empty for the root. A layer
    that several others build on comes where it is reached first.
    """
    walk = _Walk(settings)
    walk.run(start)
    return tuple(walk.folders), tuple(walk.findings)


class _Walk:
    """The walk over the bases. `_open` are the layers on the current path, each with its bases still to visit."""

    def __init__(self, settings: SettingsOf) -> None:
        self._settings = settings
        self._open: dict[str, Iterator[tuple[int, str]]] = {}
        self.folders: dict[str, None] = {}
        self.findings: list[Finding] = []

    def run(self, start: str) -> None:
        self._enter(start)
        while self._open:
            folder, bases = next(reversed(self._open.items()))
            number, base = next(bases, (0, None))
            if base is None:
                del self._open[folder]
                self.folders[folder] = None
            else:
                self._visit_base(folder, number, base)

    def _enter(self, folder: str) -> None:
        settings = self._settings(folder)
        if settings is not None and folder not in self.folders:
            self._open[folder] = iter(enumerate(settings.bases))

    def _visit_base(self, folder: str, number: int, base: str) -> None:
        target = resolve_base(folder, base)
        problem = _url_problem(base) or self._problem(target)
        if problem is not None:
            self._report(folder, ("bases", number), *problem)
        elif target is not None:
            self._enter(target)

    def _problem(self, target: str | None) -> tuple[str, str, str] | None:
        """Return rule, message and hint for a base that cannot be used."""
        if target is None:
            hint = "Write a relative path that stays inside the root, which `--path` sets."
            return "merge/base-outside", "This base is outside the root of the source.", hint
        if target in self._open:
            chain = list(self._open)
            cycle = " -> ".join(_layer_name(folder) for folder in (*chain[chain.index(target) :], target))
            return "merge/base-cycle", f"The bases form a cycle: {cycle}.", "Remove one of them."
        if self._settings(target) is None:
            hint = "Correct the path, which is relative to the folder of this halgit.yaml."
            return "merge/base-missing", f"Base {_layer_name(target)} does not exist or has no file.", hint
        return None

    def _report(self, folder: str, path: Path, rule: str, message: str, hint: str) -> None:
        settings = self._settings(folder) or LayerSettings()
        at = hyaml.locate(settings.text, path) or Position(1, 1)
        layer = _layer_name(folder)
        self.findings.append(
            Finding(rule, Severity.ERROR, message, hint, settings.file, path, at.line, at.column, layer)
        )


def _url_problem(base: str) -> tuple[str, str, str] | None:
    """Return rule, message and hint for a base in another repository, as kustomize allows it."""
    if "//" not in base and "?ref=" not in base and not base.startswith(("git@", "github.com/")):
        return None
    hint = "Pass the repository with --repo, before the one that builds on it."
    return "merge/base-outside", "A base is a folder of the same source, not a URL.", hint


def resolve_base(folder: str, base: str) -> str | None:
    """Return the folder that a base of the layer in `folder` names; None if it is outside the root."""
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


def _layer_name(folder: str) -> str:
    return folder or "."
