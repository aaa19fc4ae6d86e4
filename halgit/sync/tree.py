"""The published tree as it is on the disk, and whether somebody changed it since halgit wrote it.

Reads only. What a tree should hold is what its `.halgit.json` says; what Halyard adds (`staging`, `history`,
`.backup`) is not looked at, except for the copy of the halconfig that a deploy leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from halgit import publish
from halgit import yaml as hyaml
from halgit.merge.selection import deployment_names
from halgit.pipeline import SourceId
from halgit.record import Record
from halgit.sync.state import revision_of, tree_digest

_LARGEST = 64 * 1024 * 1024


class PublishedTree(Record):
    """A tree that halgit wrote. `changed` are files that differ from its `.halgit.json` or are missing.

    `masked` says that its secrets are placeholder values.
    """

    folder: Path
    files: Mapping[str, bytes]
    digest: str
    sources: tuple[SourceId, ...]
    masked: bool
    changed: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        return revision_of(self.sources)


def read_tree(folder: Path) -> PublishedTree | None:
    """The tree in a folder; None where there is none that halgit wrote."""
    text = _content(folder / publish.MANIFEST)
    marks = publish.read_marks(text) if text is not None else None
    if text is None or marks is None:
        return None
    found = {path: _content(folder / path) for path in marks}
    files = {path: content for path, content in found.items() if content is not None}
    time = _time(folder / publish.MANIFEST)

    def fits(path: str, mark: str) -> bool:
        return path in files and publish.fits_mark(mark, files[path], _time(folder / path) == time)

    changed = [path for path, mark in marks.items() if not fits(path, mark)]
    manifest = json.loads(text.decode("utf-8", "surrogateescape"))
    return PublishedTree(
        folder,
        files,
        tree_digest(marks),
        tuple(_source(source) for source in manifest.get("sources", ()) if isinstance(source, dict)),
        bool(manifest.get("secrets", {}).get("masked")),
        tuple(sorted(changed)),
    )


def _source(data: Mapping[str, object]) -> SourceId:
    url, revision, ref, path = (str(data.get(name, "")) for name in ("url", "revision", "ref", "path"))
    return SourceId(url, revision, ref, path)


def deployment_of(tree: PublishedTree) -> str:
    """The deployment that the tree's halconfig names as the current one."""
    data = hyaml.read(tree.files.get("config", b""), "config").data
    current = data.get("currentDeployment") if isinstance(data, dict) else None
    return str(current) if current else "default"


def tree_problem(tree: PublishedTree | None, deployment: str) -> str:
    """Return why Halyard must not be asked to deploy this tree; an empty string if it may.

    Halyard takes a missing or empty halconfig for an empty Spinnaker, and validates it with success.
    """
    if tree is None:
        return "there is no tree that halgit wrote"
    if tree.changed:
        return f"changed since halgit wrote it: {', '.join(tree.changed[:5])}"
    if tree.masked:
        return "its secrets are placeholder values"
    if "config" not in tree.files:
        return "it has no config"
    data = hyaml.read(tree.files["config"], "config").data
    if deployment not in deployment_names(data):
        return f"its config has no deployment {deployment}"
    return ""


def backup_digest(folder: Path) -> str:
    """The size and time of the halconfig that Halyard copied at the end of its last deploy; empty if there is none.

    No digest of it: it may hold secrets.
    """
    with suppress(OSError):
        found = (folder / ".backup" / "config").stat()
        return f"{found.st_size} {found.st_mtime_ns}"
    return ""


def _time(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def _content(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        return path.read_bytes()
    except OSError:
        return None
