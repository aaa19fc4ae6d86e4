"""`.halgit.json`: what a published tree says of itself, and how halgit knows a tree of its own again.

Versions, sources, digests; never a value, never a time: an unchanged render gives the same bytes. Pure: nothing is
read or written here. A `.halgit.json` that is not exactly of this form is not ours, and nor is the tree around it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from halgit import __version__
from halgit.errors import PublishError
from halgit.pipeline import EMPTY, Resolved, SecretsMode, SourceId

MANIFEST = ".halgit.json"
WORK = ".halgit"
"""halgit's private folder inside a target that can have nothing beside it."""

_FORMAT = 1
_MASKED = "The secrets in this tree are stand-ins. Halyard can load it; the services cannot work with it."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a tree was rendered from. `versions` are the versions of secrets, by the name of each."""

    sources: tuple[SourceId, ...] = ()
    overlay: str = ""
    secrets: SecretsMode = "resolve"
    masked: bool = False
    versions: Mapping[str, str] = EMPTY

    @classmethod
    def of(cls, resolved: Resolved, secrets: SecretsMode) -> Manifest:
        """The manifest of a revealed tree; `secrets` is the mode it was revealed with."""
        compiled = resolved.compiled
        return cls(compiled.sources, compiled.overlay, secrets, resolved.masked, resolved.versions)

    def encode(self, files: Mapping[str, bytes]) -> bytes:
        """The bytes of `.halgit.json` for a tree of these files."""
        content = {
            "format": _FORMAT,
            "halgit": __version__,
            "sources": [_source(source) for source in self.sources],
            "overlay": self.overlay,
            "secrets": self._secrets(),
            "files": {path: digest(files[path]) for path in sorted(files)},
        }
        return json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"

    def _secrets(self) -> dict[str, Any]:
        said: dict[str, Any] = {"mode": self.secrets, "masked": self.masked}
        if self.masked:
            said["note"] = _MASKED
        if self.versions:
            said["versions"] = dict(sorted(self.versions.items()))
        return said


def digest(data: bytes) -> str:
    """A file's content as it is named in `.halgit.json`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_digests(text: bytes) -> dict[str, str] | None:
    """The digests of a `.halgit.json` by path; None where it is none of ours, or names a path outside its tree."""
    try:
        content = json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("format") != _FORMAT or not isinstance(content.get("files"), dict):
        return None
    files: dict[str, str] = content["files"]
    if any(not isinstance(value, str) for value in files.values()) or any(find_path_error(path) for path in files):
        return None
    return files


@dataclass(frozen=True, slots=True)
class ManifestSummary:
    """What a tree's own `.halgit.json` says of it: the digests of its files, and how its secrets were written."""

    files: Mapping[str, str]
    secrets: str


def read_manifest(text: bytes) -> ManifestSummary | None:
    """What a `.halgit.json` says; None where it is none of ours."""
    files = read_digests(text)
    said = json.loads(text.decode("utf-8", "surrogateescape")).get("secrets") if files is not None else None
    mode = said.get("mode") if isinstance(said, dict) else None
    return ManifestSummary(files, mode if isinstance(mode, str) else "resolve") if files is not None else None


def list_folders(paths: Iterable[str]) -> list[str]:
    """Every folder that files at these paths lie in, a parent before what it holds; the root is not named."""
    return sorted({parent for path in paths for parent in list_parents(path)})


def list_parents(path: str) -> list[str]:
    """The folders a path leads through, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def check_paths(files: Iterable[str]) -> None:
    """Refuse a tree with a path that leaves it, that is halgit's own, or that is a file and a folder at once."""
    paths = sorted(files)
    folders = set(list_folders(paths))
    faults = [(path, find_path_error(path) or ("is a file and a folder" if path in folders else "")) for path in paths]
    said = [f"{path!r} {fault}" for path, fault in faults if fault]
    if said:
        raise PublishError(
            f"The tree cannot hold these paths: {'; '.join(said)}.", "Rename them in the source, or leave them out."
        )


def find_path_error(path: str) -> str:
    """What is wrong with a path of a tree, in words; empty where nothing is."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        return "leaves the tree"
    if "\0" in path or not all(parts) or "." in parts:
        return "is not a plain path"
    if path == MANIFEST or parts[0] == WORK:
        return "belongs to halgit itself"
    return ""


def _source(source: SourceId) -> dict[str, str]:
    return {"url": source.url, "ref": source.ref, "path": source.path, "revision": source.revision}
