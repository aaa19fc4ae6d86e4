"""Layers of a snapshot: which one is rendered, its bases, and their files.

Reads only what can belong to a tree, in two requests: every `halgit.yaml`, then the files of the layers and those of
dynamic accounts, which the rules check.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Iterable, Mapping, Sequence

from halgit import settings
from halgit import yaml as hyaml
from halgit.annotations import Any
from halgit.compiler import submodules
from halgit.errors import SourceError, UsageError
from halgit.halyard.layout import is_account_file
from halgit.lazy import lazy_pattern
from halgit.merge import selection
from halgit.merge.order import order_layers
from halgit.pipeline import EMPTY, Finding, Layer, LayerId, LayerSettings, Severity, Snapshot
from halgit.record import Record
from halgit.text.phrases import suggest_nearest

SETTINGS = "halgit.yaml"
OVERLAYS = "overlays/"

_SERVED = lazy_pattern(rb"configserver:([^\s'\",}\]]+)")
"""A file that an account names; Clouddriver reads it through the config server."""

_TREE_FOLDERS = frozenset({"profiles", "service-settings", ".boms"})
"""Folders of the tree, which contain no overlay."""

_NO_OVERLAYS_HINT = "Omit --overlay, or put the overlay's files in overlays/NAME."


class SourceLayers(Record):
    """The layers of one source, lowest first, with its root settings and its files of dynamic accounts."""

    snapshot: Snapshot
    layers: tuple[Layer, ...]
    root: LayerSettings
    findings: tuple[Finding, ...] = ()
    accounts: Mapping[str, bytes] = EMPTY
    linked: frozenset[str] = frozenset()
    encrypted: Mapping[str, bytes] = EMPTY
    served: Mapping[str, bytes] = EMPTY


class CachingReader:
    """A `halgit.yaml.read` that parses each document once, however many overlays share it. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str, bool], hyaml.ReadResult] = {}
        self._lock = allocate_lock()

    def __call__(self, text: bytes, file: str, *, many: bool = False) -> hyaml.ReadResult:
        key = (text, file, many)
        with self._lock:
            if key not in self._known:
                self._known[key] = hyaml.read(text, file, many=many)
            return self._known[key]


class CachingSnapshot:
    """A snapshot that reads each file once, however many overlays share it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[str, bytes] = {}
        self.source = snapshot.source
        self.paths = snapshot.paths
        self.close = snapshot.close

    def __getattr__(self, name: str) -> Any:
        """Return what only some snapshots have, such as submodules."""
        return getattr(self._snapshot, name)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of these files. Raises what the snapshot raises."""
        wanted = list(paths)
        missing = [path for path in wanted if path not in self._known]
        if missing:
            self._known.update(self._snapshot.read(missing))
        return {path: self._known[path] for path in wanted}


def overlays(snapshot: Snapshot) -> list[str]:
    """Return the names of a source's overlays, sorted: the folders below `overlays/`, at any depth, with a layer."""
    inside = (path[len(OVERLAYS) :].split("/") for path in snapshot.paths if path.startswith(OVERLAYS))
    folders = ((parts, depth) for parts in inside for depth in range(1, len(parts)) if _is_layer(parts, depth))
    return sorted({"/".join(parts[:depth]) for parts, depth in folders})


def _is_layer(parts: Sequence[str], depth: int) -> bool:
    """Return whether a file makes the folder at this depth of its path a layer."""
    inside = "/".join(parts[depth:])
    is_own = inside == SETTINGS or selection.may_be_tree_file(inside)
    return is_own and not _TREE_FOLDERS.intersection(parts[:depth])


def folders_without_layer(snapshot: Snapshot) -> list[str]:
    """Return the folders directly below `overlays/` that contain no layer, sorted."""
    names = {path.split("/")[1] for path in snapshot.paths if path.startswith(OVERLAYS) and path.count("/") > 1}
    return sorted(OVERLAYS + name for name in names - {overlay.split("/")[0] for overlay in overlays(snapshot)})


def is_layered(snapshot: Snapshot) -> bool:
    """Return whether the source consists of layers; otherwise it is one plain layer."""
    return SETTINGS in snapshot.paths or any(path.startswith(OVERLAYS) for path in snapshot.paths)


def read_layers(snapshot: Snapshot, overlay: str, *, prefix: str = "", optional: bool = False) -> SourceLayers:
    """Read the layers of one source for this overlay, lowest first.

    `prefix` is added to layer names if there are several sources. With `optional` a source without the overlay
    returns its root layer, if it has one: another source has the overlay.
    Raises UsageError for an unknown overlay, SourceError if the source has no file of a layer.
    """
    reader = _LayerReader(snapshot, prefix)
    if not is_layered(snapshot):
        if overlay and not optional:
            message = f"{_describe(snapshot)} has no overlays, so there is no overlay {overlay}."
            raise UsageError(message, _NO_OVERLAYS_HINT)
        folders: tuple[str, ...] = ("",)
        findings: tuple[Finding, ...] = ()
    else:
        start = _start_folder(reader, overlay, optional)
        if start is None:
            return SourceLayers(snapshot, (), reader.root, tuple(reader.findings))
        folders, findings = order_layers(start, reader.settings)
        findings = submodules.explain_bases(snapshot, findings, reader.settings)
    layers = reader.layers(folders)
    is_known = not any(one.severity >= Severity.ERROR for one in (*reader.findings, *findings))
    if is_known and not any(selection.may_be_tree_file(path) for layer in layers for path in layer.paths):
        raise SourceError(
            f"{_describe(snapshot)} has no file of a layer (no config, no profiles, no service-settings).",
            submodules.hint_at(snapshot) or "Check --path, or run `halgit init` to start a repository.",
        )
    findings = (*reader.findings, *findings, *submodules.find_missing(snapshot, layers, reader.root.deployment))
    return SourceLayers(
        snapshot, layers, reader.root, findings, reader.accounts, reader.linked, reader.encrypted, reader.served
    )


def _describe(snapshot: Snapshot) -> str:
    source = snapshot.source
    return f"{source.url} (path {source.path})" if source.path else source.url


def _start_folder(reader: _LayerReader, overlay: str, optional: bool) -> str | None:
    """Return the folder of the layer to render, empty for the root; None if this source has none to render."""
    snapshot = reader.snapshot
    known = overlays(snapshot)
    if overlay in known:
        return OVERLAYS + overlay
    if overlay and not optional:
        listed = f"Its overlays are: {', '.join(known)}." if known else "It has no overlays; omit --overlay."
        if any(path.startswith(f"{OVERLAYS}{overlay}/") for path in snapshot.paths):
            hint = "Add a halgit.yaml or a config there, or choose another overlay."
            raise UsageError(f"{_describe(snapshot)}: {OVERLAYS}{overlay} contains no file of a layer.", hint)
        hint = submodules.hint_at(snapshot, OVERLAYS + overlay) or suggest_nearest(overlay, known, listed)
        raise UsageError(f"{_describe(snapshot)} has no overlay {overlay}.", hint)
    if "config" in snapshot.paths or reader.root.bases:
        return ""
    if overlay:
        return None
    hint = f"Choose one with --overlay: {', '.join(known)}." if known else "Add a config, or overlays/NAME."
    message = f"{_describe(snapshot)} has no root layer to render (no config and no bases at its root)."
    raise UsageError(message, hint)


class _LayerReader:
    """Reads the `halgit.yaml` files of a snapshot in one request, and the layers of given folders in another."""

    def __init__(self, snapshot: Snapshot, prefix: str) -> None:
        self.snapshot = snapshot
        self.prefix = prefix
        self.findings: list[Finding] = []
        self.accounts: dict[str, bytes] = {}
        self.linked: frozenset[str] = frozenset()
        self.encrypted: dict[str, bytes] = {}
        self.served: dict[str, bytes] = {}
        paths = [path for path in snapshot.paths if path == SETTINGS or path.endswith("/" + SETTINGS)]
        self._texts = snapshot.read(paths) if is_layered(snapshot) else {}
        self._parsed: dict[str, LayerSettings] = {}
        self.root = self._settings("") if SETTINGS in self._texts else LayerSettings()

    def settings(self, folder: str) -> LayerSettings | None:
        """Return a folder's settings; None if the folder has no file."""
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
                self._parsed[folder], findings = settings.parse_settings(text, file, root=not folder)
                self.findings += findings
        return self._parsed[folder]

    def layers(self, folders: tuple[str, ...]) -> tuple[Layer, ...]:
        """Return the layers of these folders; reads the files that can belong to a tree."""
        parts = [(folder, self._settings(folder), self._own_paths(folder)) for folder in folders]
        wanted = {
            LayerId("", self.snapshot.source, folder).file(path)
            for folder, parsed, paths in parts
            for path in paths
            if path == "bom" or selection.may_be_tree_file(path, parsed.include)
        }
        accounts = {path for path in self.snapshot.paths if is_account_file(path)}
        texts = self.snapshot.read(sorted(wanted | accounts))
        self.accounts = {path: texts[path] for path in sorted(accounts) if path in texts}
        links: frozenset[str] = getattr(self.snapshot, "links", frozenset())
        self.linked = frozenset(path for path in self.accounts if {path, path.rpartition("/")[0]} & links)
        own = {path: texts[path] for path in wanted if path in texts}
        served = self._served([*self.accounts.values(), *own.values()])
        self.served = self.snapshot.read(served) if served else {}
        return tuple(self._layer(folder, parsed, paths, own) for folder, parsed, paths in parts)

    def _served(self, texts: Iterable[bytes]) -> list[str]:
        """Return the files of the source that accounts in these texts name with `configserver:`, sorted."""
        naming = (text for text in texts if b"configserver:" in text)
        names = {name.decode("utf-8", "replace") for text in naming for name in _SERVED.findall(text)}
        return sorted({f"{folder}{name}" for name in names for folder in ("", "accounts/")} & self.snapshot.paths)

    def _with_references(self, path: str, text: bytes) -> bytes:
        """Return a file; one that SOPS encrypted has references in place of its values."""
        if b"ENC[AES256_GCM" not in text:
            return text
        from halgit.sops import replace_values

        replaced = replace_values(text, self.prefix + path)
        if replaced is None:
            return text
        self.encrypted[self.prefix + path] = text
        return replaced

    def _layer(self, folder: str, parsed: LayerSettings, paths: frozenset[str], texts: Mapping[str, bytes]) -> Layer:
        id = LayerId(self.prefix + (folder or "."), self.snapshot.source, folder)
        files = {path: texts[id.file(path)] for path in paths if id.file(path) in texts}
        merged = {
            path: self._with_references(id.file(path), files[path]) for path in files if selection.is_merged(path)
        }
        return Layer(id, paths, {**files, **merged}, parsed)

    def _own_paths(self, folder: str) -> frozenset[str]:
        """Return the files below a folder, without those of layers inside it. A plain source is one layer."""
        start = folder + "/" if folder else ""
        inside = [path[len(start) :] for path in self.snapshot.paths if path.startswith(start)]
        if not is_layered(self.snapshot):
            return frozenset(inside)
        heads = [p for p in inside if p.endswith(("/config", "/" + SETTINGS)) and not selection.may_be_tree_file(p)]
        folders = [f"{OVERLAYS}{name}/" for name in overlays(self.snapshot)]
        below = [name[len(start) :] for name in folders if name.startswith(start) and name != start]
        below += [] if folder else [OVERLAYS]
        nested = (*{head.rsplit("/", 1)[0] + "/" for head in heads}, *below)
        return frozenset(path for path in inside if not path.startswith(nested) and path != SETTINGS)
