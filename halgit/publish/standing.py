"""What stands at a target now, and how a rendered tree differs from it. Reads only; never follows a link.

A tree is halgit's own when it has a `.halgit.json` of ours; it is untouched when every file named there still has
the content it was written with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from halgit.pipeline import EMPTY
from halgit.publish.build import Modes
from halgit.publish.disk import Disk, is_file, is_folder
from halgit.publish.manifest import MANIFEST, WORK, digest, files_of, folders_of, parents_of

_NOBODYS = frozenset({WORK, "lost+found"})
"""What may stand in an empty target: our private folder, and the folder every ext4 volume has at its root."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a target.

    `names` are its own entries. `known` are the digests its `.halgit.json` names, None where it has none of ours.
    `present` are the digests of what is there. `unfit` are paths whose permissions will not do, folders with a `/`.
    """

    exists: bool = False
    names: tuple[str, ...] = ()
    manifest: bytes = b""
    known: Mapping[str, str] | None = None
    present: Mapping[str, str] = EMPTY
    unfit: frozenset[str] = frozenset()

    @property
    def foreign(self) -> bool:
        """Whether this holds something, and halgit did not write it."""
        return bool(self.names) and self.known is None

    @property
    def modified(self) -> tuple[str, ...]:
        """The files that were changed or removed since halgit wrote them."""
        known = self.known or {}
        return tuple(path for path in sorted(known) if self.present.get(path) != known[path])


@dataclass(frozen=True, slots=True)
class Comparison:
    """What publishing would do to a target, as paths in the tree.

    `changed` names what would be written over, for its content or its permissions (a folder ends with `/`).
    `modified` are files changed since halgit wrote them, and `foreign` a tree that halgit did not write: either needs
    --force. `unfinished`: another run is at work there, or has died there and the next one finishes it.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    foreign: bool = False
    unfinished: bool = False

    @property
    def same(self) -> bool:
        """Whether publishing would write nothing."""
        return not (self.added or self.changed or self.removed or self.unfinished)


def survey(target: Path, paths: Iterable[str], modes: Modes, disk: Disk) -> Standing:
    """Look at a target: its `.halgit.json`, and the files that are named there or among `paths`."""
    if not is_folder(disk.lstat(target)):
        return Standing()
    names = tuple(name for name in disk.names(target) if name not in _NOBODYS)
    manifest = disk.read(target / MANIFEST) if is_file(disk.lstat(target / MANIFEST)) else b""
    known = files_of(manifest) if manifest else None
    present, unfit = _look(target, sorted({*paths, *(known or ())}), modes, disk)
    return Standing(True, names, manifest, known, present, unfit)


def difference(files: Mapping[str, bytes], standing: Standing, unfinished: bool) -> Comparison:
    """How a tree (its `.halgit.json` among the files) differs from what stands at the target."""
    present = standing.present
    changed = {path for path in files if path in present and present[path] != digest(files[path])}
    unfit = standing.unfit & {*files, *(f"{folder}/" for folder in folders_of(files))}
    return Comparison(
        added=tuple(sorted(path for path in files if path not in present)),
        changed=tuple(sorted(changed | unfit)),
        removed=tuple(sorted(path for path in standing.known or () if path not in files)),
        modified=standing.modified,
        foreign=standing.foreign,
        unfinished=unfinished,
    )


def through_folders(root: Path, path: str, disk: Disk) -> bool:
    """Whether every folder on the way to a path is one, and no link."""
    return all(is_folder(disk.lstat(root / parent)) for parent in parents_of(path))


def _look(root: Path, paths: list[str], modes: Modes, disk: Disk) -> tuple[dict[str, str], frozenset[str]]:
    present: dict[str, str] = {}
    unfit: set[str] = set()
    folders: set[str] = set()
    for folder in folders_of(paths):
        found = disk.lstat(root / folder)
        if found is not None and is_folder(found) and folders.issuperset(parents_of(folder)):
            folders.add(folder)
            if not modes.fit(found.st_mode, folder=True):
                unfit.add(f"{folder}/")
    for path in paths:
        found = disk.lstat(root / path) if folders.issuperset(parents_of(path)) else None
        if found is not None and is_file(found):
            present[path] = digest(disk.read(root / path))
            if not modes.fit(found.st_mode, folder=False):
                unfit.add(path)
    return present, frozenset(unfit)
