"""From a snapshot to its layers: which layer is rendered, what it builds on, and which files are read.

Reads only what can belong to a tree, in two requests: every `halgit.yaml`, then the files of the layers and, for the
rules only, those of dynamic accounts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from halgit import settings
from halgit import yaml as hyaml
from halgit.errors import SourceError, UsageError
from halgit.merge import selection
from halgit.merge.order import order
from halgit.pipeline import EMPTY, Finding, Layer, LayerId, LayerSettings, Snapshot

SETTINGS = "halgit.yaml"
OVERLAYS = "overlays/"

_ACCOUNTS = re.compile(r"(?:accounts/)?(?:application|clouddriver)(?:-[^/]*)?\.ya?ml")
"""What Clouddriver's config server looks for, in the root (which it always searches) and where accounts are kept."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """What one source gives: its layers, lowest first, its root settings, and its files of dynamic accounts."""

    snapshot: Snapshot
    layers: tuple[Layer, ...]
    root: LayerSettings
    findings: tuple[Finding, ...] = ()
    accounts: Mapping[str, bytes] = EMPTY


def overlays(snapshot: Snapshot) -> list[str]:
    """The names of the overlays a source offers, sorted."""
    inside = (path[len(OVERLAYS) :] for path in snapshot.paths if path.startswith(OVERLAYS))
    return sorted({rest.split("/", 1)[0] for rest in inside if "/" in rest})


def is_layered(snapshot: Snapshot) -> bool:
    """Whether the source is made of layers, or is one plain layer."""
    return SETTINGS in snapshot.paths or any(path.startswith(OVERLAYS) for path in snapshot.paths)


def read_layers(snapshot: Snapshot, overlay: str, *, prefix: str = "", optional: bool = False) -> Sourced:
    """The layers of one source for this overlay, lowest first.

    `prefix` stands before layer names where there are several sources. With `optional` a source without the
    overlay gives its root layer, if it has one: another source has the overlay.
    Raises UsageError for an unknown overlay, SourceError where no file of a layer is found.
    """
    chain = _Chain(snapshot, prefix)
    if not is_layered(snapshot):
        if overlay and not optional:
            raise UsageError(f"{snapshot.source.url} has no overlays, so there is no overlay {overlay}.", _NO_OVERLAY)
        folders: tuple[str, ...] = ("",)
        faults: tuple[Finding, ...] = ()
    else:
        start = _start(snapshot, chain, overlay, optional)
        if start is None:
            return Sourced(snapshot, (), chain.root, tuple(chain.findings))
        folders, faults = order(start, chain.settings)
    layers = chain.layers(folders)
    if not any(selection.is_candidate(path) for layer in layers for path in layer.paths):
        raise SourceError(
            f"{described(snapshot)} holds no file of a layer (no config, no profiles, no service-settings).",
            "Check --path, or run `halgit init` to start a repository.",
        )
    return Sourced(snapshot, layers, chain.root, (*chain.findings, *faults), chain.accounts)


_NO_OVERLAY = "Leave --overlay out, or put the overlay's files in overlays/NAME."


def described(snapshot: Snapshot) -> str:
    """A source with its path, as messages name it."""
    source = snapshot.source
    return f"{source.url} (path {source.path})" if source.path else source.url


def _start(snapshot: Snapshot, chain: _Chain, overlay: str, optional: bool) -> str | None:
    known = overlays(snapshot)
    if overlay in known:
        return OVERLAYS + overlay
    if overlay and not optional:
        raise UsageError(
            f"{described(snapshot)} has no overlay {overlay}.",
            f"Its overlays are: {', '.join(known)}." if known else "It has no overlays at all; leave --overlay out.",
        )
    if "config" in snapshot.paths or chain.root.bases:
        return ""
    if overlay:
        return None
    listed = f"Choose one with --overlay: {', '.join(known)}." if known else "Add a config, or overlays/NAME."
    raise UsageError(f"{described(snapshot)} has no root layer to render (no config and no bases at its root).", listed)


class _Chain:
    """The `halgit.yaml` files of one snapshot, read at once and parsed when asked for."""

    def __init__(self, snapshot: Snapshot, prefix: str) -> None:
        self.snapshot = snapshot
        self.prefix = prefix
        self.findings: list[Finding] = []
        self.accounts: dict[str, bytes] = {}
        wanted = [path for path in snapshot.paths if path == SETTINGS or path.endswith("/" + SETTINGS)]
        self._texts = snapshot.read(wanted) if is_layered(snapshot) else {}
        self._parsed: dict[str, LayerSettings] = {}
        self.root = self._settings("") if SETTINGS in self._texts else LayerSettings()

    def settings(self, folder: str) -> LayerSettings | None:
        """A folder's settings; None where it holds no file."""
        if folder and not any(path.startswith(folder + "/") for path in self.snapshot.paths):
            return None
        return self._settings(folder)

    def _settings(self, folder: str) -> LayerSettings:
        if folder not in self._parsed:
            file = f"{folder}/{SETTINGS}" if folder else SETTINGS
            text = self._texts.get(file)
            if text is None:
                self._parsed[folder] = LayerSettings()
            else:
                self._parsed[folder], faults = settings.parse(text, file, root=not folder)
                self.findings += faults
        return self._parsed[folder]

    def layers(self, folders: tuple[str, ...]) -> tuple[Layer, ...]:
        """The layers of these folders, with the files that can belong to a tree read in one request."""
        parts = [(folder, self._settings(folder), self._own_paths(folder)) for folder in folders]
        wanted = {
            LayerId("", self.snapshot.source, folder).file(path)
            for folder, said, paths in parts
            for path in paths
            if selection.is_candidate(path, said.include)
        }
        accounts = {path for path in self.snapshot.paths if _ACCOUNTS.fullmatch(path)}
        texts = self.snapshot.read(sorted(wanted | accounts))
        self.accounts = {path: texts[path] for path in sorted(accounts) if path in texts}
        own = {path: texts[path] for path in wanted if path in texts}
        return tuple(self._layer(folder, said, paths, own) for folder, said, paths in parts)

    def _layer(self, folder: str, said: LayerSettings, paths: frozenset[str], texts: Mapping[str, bytes]) -> Layer:
        id = LayerId(self.prefix + (folder or "."), self.snapshot.source, folder)
        return Layer(id, paths, {path: texts[id.file(path)] for path in paths if id.file(path) in texts}, said)

    def _own_paths(self, folder: str) -> frozenset[str]:
        """The files below a folder that are not those of a layer inside it; a plain source is all one layer."""
        start = folder + "/" if folder else ""
        inside = [path[len(start) :] for path in self.snapshot.paths if path.startswith(start)]
        if not is_layered(self.snapshot):
            return frozenset(inside)
        heads = [p for p in inside if p.endswith(("/config", "/" + SETTINGS)) and not selection.is_candidate(p)]
        nested = (*{head.rsplit("/", 1)[0] + "/" for head in heads}, *([] if folder else [OVERLAYS]))
        return frozenset(path for path in inside if not path.startswith(nested) and path != SETTINGS)


class Remembering:
    """A `halgit.yaml.read` that remembers. What it gives is shared, which data of documents always may be."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str, bool], hyaml.ReadResult] = {}
        self._lock = Lock()

    def __call__(self, text: bytes, file: str, *, many: bool = False) -> hyaml.ReadResult:
        key = (text, file, many)
        with self._lock:
            if key not in self._known:
                self._known[key] = hyaml.read(text, file, many=many)
            return self._known[key]
