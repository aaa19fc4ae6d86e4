"""Recognize that nothing changed: digests of what identifies everything a render reads, kept in `.halgit.json`.

A run with the digests of the last one, over an intact tree, would write the same tree. One covers the revisions of the
sources, the operator settings and the version of halgit, the other the stamps (size, times, inode) of the files of
directories, which have no revision. Neither covers a content: files hold passwords in plain text. Nothing is recorded
where it would cover a secret parameter. Resolved secrets are never covered: a tree that holds some is resolved again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from halgit import __version__
from halgit.annotations import Any, Final
from halgit.errors import PublishError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.operator_settings import OperatorSettings
from halgit.pipeline import Compiled, Snapshot, SourceId
from halgit.publish.filesystem import DISK, GROUP, PRIVATE, Disk, is_file
from halgit.publish.manifest import MANIFEST, Inputs, digest, read_inputs
from halgit.publish.target import locate_target, read_target
from halgit.record import list_fields

_SEPARATOR: Final = "\0"


class RecordedSnapshot:
    """A snapshot that remembers which files were read, for a source without a revision."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.stamp: Callable[[str], str] | None = getattr(snapshot, "stamp", None)
        self.source: SourceId = snapshot.source
        self.paths = snapshot.paths
        self.submodules: Mapping[str, tuple[str, str]] = getattr(snapshot, "submodules", {})
        self.branch: Callable[[], str] = getattr(snapshot, "branch", str)
        self.files_read: set[str] = set()

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        paths = list(paths)
        self.files_read.update(paths)
        return self._snapshot.read(paths)

    def close(self) -> None:
        self._snapshot.close()


def record_inputs(
    snapshots: Sequence[RecordedSnapshot], operator: OperatorSettings, compiled: Compiled, findings: int, secrets: bool
) -> Inputs | None:
    """Return the inputs of a finished run; None if a secret parameter was set from outside.

    None too if a source has neither a revision nor stamps.
    """
    if any(_is_secret_input(name, one.secret) for name, one in compiled.parameters.items() if one.origin is None):
        return None
    if any(not one.source.revision and one.stamp is None for one in snapshots):
        return None
    files = tuple(tuple(sorted(one.files_read)) if not one.source.revision else () for one in snapshots)
    return Inputs(_digest_inputs(snapshots, operator), _digest_stamps(snapshots, files), files, findings, secrets)


def _is_secret_input(name: str, is_secret: bool) -> bool:
    return is_secret or is_sensitive_key(name)


def _digest_inputs(snapshots: Sequence[Snapshot], operator: OperatorSettings) -> str:
    """Return the digest of these sources and settings, and of the names of files of sources without a revision."""
    parts = [__version__, _settings(operator)]
    for snapshot in snapshots:
        source = snapshot.source
        parts += [source.url, source.ref, source.path, source.revision]
        parts += getattr(snapshot, "submodules", ())
        parts += [] if source.revision else sorted(snapshot.paths)
    return digest(_SEPARATOR.join(parts).encode("utf-8", "surrogateescape"))


def _digest_stamps(snapshots: Sequence[Snapshot], files: Sequence[Sequence[str]]) -> str:
    """Return the digest of the stamps of these files, one list for each source. Reads none of them."""
    parts: list[str] = []
    for snapshot, paths in zip(snapshots, files, strict=False):
        stamp = getattr(snapshot, "stamp", None)
        parts += [f"{path}={stamp(path) if stamp and path in snapshot.paths else ''}" for path in paths]
    return digest(_SEPARATOR.join(parts).encode("utf-8", "surrogateescape"))


def _settings(operator: OperatorSettings) -> str:
    return repr([(name, _sorted(getattr(operator, name))) for name in list_fields(type(operator))])


def _sorted(value: Any) -> Any:
    return (
        sorted(value.items())
        if isinstance(value, Mapping)
        else sorted(value)
        if isinstance(value, frozenset)
        else value
    )


def has_inputs(recorded: Inputs, snapshots: Sequence[Snapshot], operator: OperatorSettings) -> bool:
    """Return whether a run with these sources and settings would read what was recorded."""
    is_same = _digest_inputs(snapshots, operator) == recorded.digest
    return is_same and _digest_stamps(snapshots, recorded.files) == recorded.stamps


def find_unchanged(
    target: Path, snapshots: Sequence[Snapshot], operator: OperatorSettings, *, group_access: bool, disk: Disk = DISK
) -> Inputs | None:
    """Return the recorded inputs if they are those of this run and the tree is as it was written; else None."""
    try:
        paths = locate_target(target, disk)
        place = paths.target
        recorded = read_inputs(disk.read(place / MANIFEST)) if is_file(disk.lstat(place / MANIFEST)) else None
        if recorded is None or not has_inputs(recorded, snapshots, operator):
            return None
        state = read_target(place, (MANIFEST,), GROUP if group_access else PRIVATE, disk)
        is_intact = not state.modified and not state.unfit and not paths.leftovers(disk)
    except (OSError, PublishError):
        return None
    return recorded if is_intact else None
