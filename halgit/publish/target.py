"""The target of a tree: its work folders, its current state, and how a rendered tree differs from it. Writes nothing.

The work folder is beside the target, so that the new tree can be built and exchanged with the old one. Where that is
impossible (a mount point, or a parent that is not writable), it is inside the target. A tree belongs to halgit if it
has a valid `.halgit.json`; it is unmodified if every listed file still fits its mark.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from halgit.annotations import TYPE_CHECKING
from halgit.errors import PublishError
from halgit.pipeline import EMPTY
from halgit.publish.filesystem import DISK, GROUP, Disk, Modes, is_file, is_folder
from halgit.publish.manifest import (
    MANIFEST,
    SECRET,
    WORK,
    Manifest,
    digest,
    is_secret_mark,
    list_folders,
    list_parents,
    read_inputs,
    read_marks,
)
from halgit.record import Record, replace

if TYPE_CHECKING:
    from datetime import datetime

BUILDING = "making"
"""In the private folder: what a run is building. Left by a dead run, it is removed."""
TREE = "tree"
"""In the private folder: a whole tree. Left by a dead run, it is the new one, or the old one after the exchange."""
PENDING = "pending"
"""In the private folder inside a target: a journal and its files. Left by a dead run, it is finished."""
REMOVED = "gone"
"""In the private folder: what is being removed."""
IGNORE = ".gitignore"
PREVIOUS = "previous"
"""In the private folder: the tree before this one. It stays until the next run, for readers that have it open."""
LEFTOVERS = frozenset({BUILDING, TREE, PENDING, REMOVED})

_ANOTHER = "Choose another --out."


class TargetPaths(Record):
    """A resolved target and its private folders. `beside` is None where nothing can stand beside the target."""

    target: Path
    beside: Path | None

    @property
    def inside(self) -> Path:
        """The private folder in the target."""
        return self.target / WORK

    @property
    def work_folder(self) -> Path:
        """The private folder that holds the lock."""
        return self.beside or self.inside

    def leftovers(self, disk: Disk) -> bool:
        """Return whether another run is at work here, or has died here."""
        return any(
            disk.lstat(place) is not None and not _holds_previous_only(place, disk)
            for place in (self.beside, self.inside)
            if place
        )


def _holds_previous_only(work_folder: Path, disk: Disk) -> bool:
    """Return whether a work folder holds nothing but the tree before the current one, which is no sign of a run."""
    names = set(disk.names(work_folder))
    return PREVIOUS in names and names <= {PREVIOUS, IGNORE}


class Job(Record):
    """One tree to be published. `files` are all of its files, `.halgit.json` among them; `marks` are theirs in it."""

    paths: TargetPaths
    files: Mapping[str, bytes]
    marks: Mapping[str, str]
    modes: Modes
    now: Callable[[], datetime]
    disk: Disk

    @property
    def time(self) -> int:
        """Time of change of every file that is written now, in nanoseconds since 1970."""
        now = self.now()
        return int(now.timestamp()) * 10**9 + now.microsecond * 1000

    @property
    def group(self) -> int | None:
        """The group the tree is shared with: that of the target, else of its folder; None where it is private."""
        if self.modes is not GROUP:
            return None
        found = self.disk.lstat(self.paths.target) or self.disk.lstat(self.paths.target.parent)
        return found.st_gid if found else None


def locate_target(target: Path, disk: Disk) -> TargetPaths:
    """The site of a target, its links followed. Raises PublishError where no tree can ever be."""
    place = disk.resolve(target)
    parent = place.parent
    if place == parent:
        raise PublishError(f"{target}: the file system root cannot be the target.", _ANOTHER)
    found = disk.lstat(place)
    if found is None:
        _check_parent(target, parent, disk)
    elif stat.S_ISLNK(found.st_mode):
        raise PublishError(f"{target}: the symbolic link is a loop.", "Remove it, or choose another --out.")
    elif not is_folder(found):
        raise PublishError(f"{target}: is a file, not a folder.", "Move it, or choose another --out.")
    elif disk.mounted(place) or not disk.may_write(parent):
        return TargetPaths(place, None)
    return TargetPaths(place, parent / f"{place.name}.halgit")


def _check_parent(target: Path, parent: Path, disk: Disk) -> None:
    """The folders that are missing above the target can be made: the lowest one there takes names."""
    while (found := disk.lstat(parent)) is None:
        parent = parent.parent
    if not is_folder(found):
        raise PublishError(f"{target}: {parent} is not a folder.", _ANOTHER)
    if not disk.may_write(parent):
        raise PublishError(
            f"{target}: the folder {parent} is not writable.", "Make it writable, or choose another --out."
        )


def find_free_name(target: Path, folder: Path, now: Callable[[], datetime], disk: Disk) -> Path:
    """A path in `folder` under which what stands at the target can be kept: `<name>.before-<time in UTC>`."""
    first = folder / f"{target.name}.before-{now():%Y%m%dT%H%M%SZ}"
    path, count = first, 1
    while disk.lstat(path) is not None:
        count += 1
        path = folder / f"{first.name}-{count}"
    return path


def find_work_tree(target: Path, disk: Disk = DISK) -> Path | None:
    """The git work tree a target lies in, its links followed; None where it lies in none.

    Only looks for `.git` (a folder, or the file of a worktree or submodule) here and above; git is not asked.
    """
    place = disk.resolve(target)
    return next((folder for folder in (place, *place.parents) if disk.lstat(folder / ".git") is not None), None)


_NOBODYS = frozenset({WORK, "lost+found"})
"""Names that an empty target may contain: our private folder, and the folder every ext4 volume has at its root."""


class PresentFile(Record):
    """A file as it is on the disk: the digest of its content, its size, and its time of change in nanoseconds."""

    digest: str
    size: int
    time: int


class TargetState(Record):
    """State of a target.

    `names` are its own entries. `known` are the marks its `.halgit.json` names, None where it has none of ours.
    `present` is what is there. `unfit` are paths whose permissions will not do, folders with a `/`.
    """

    exists: bool = False
    names: tuple[str, ...] = ()
    manifest: bytes = b""
    known: Mapping[str, str] | None = None
    present: Mapping[str, PresentFile] = EMPTY
    unfit: frozenset[str] = frozenset()

    @property
    def foreign(self) -> bool:
        """True if this holds something, and halgit did not write it."""
        return bool(self.names) and self.known is None

    @property
    def modified(self) -> tuple[str, ...]:
        """The files that were changed or removed since halgit wrote them."""
        return tuple(path for path, mark in sorted((self.known or {}).items()) if not self.fits(path, mark))

    @property
    def time(self) -> int:
        """The time of change of its `.halgit.json`."""
        manifest = self.present.get(MANIFEST)
        return manifest.time if manifest else 0

    def fits(self, path: str, mark: str) -> bool:
        """Return whether the file that is there is the one that was marked."""
        file = self.present.get(path)
        if file is None or not is_secret_mark(mark):
            return file is not None and file.digest == mark
        return file.time == self.time and _size_of(mark) == file.size

    def has(self, path: str, data: bytes) -> bool:
        """Return whether a file with this content is there."""
        file = self.present.get(path)
        return file is not None and file.digest == digest(data)

    def touched(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return the files that may hold secrets and have these contents, but another time than `.halgit.json`."""
        known = self.known or {}
        suspects = [path for path in self.modified if is_secret_mark(known[path]) and path in files]
        return tuple(path for path in suspects if self.has(path, files[path]))


def _size_of(mark: str) -> int:
    size = mark[len(SECRET) :].partition(":")[0]
    return int(size) if size.isdecimal() and len(size) < 20 else -1


def mark_files(files: Mapping[str, bytes], manifest: Manifest, state: TargetState) -> Manifest:
    """Return the manifest with the marks of these files. A secret file that is there already keeps its mark."""
    return replace(manifest, marks={path: _mark(path, files[path], manifest, state) for path in sorted(files)})


def _mark(path: str, data: bytes, manifest: Manifest, state: TargetState) -> str:
    if path not in manifest.secret_files:
        return digest(data)
    known = (state.known or {}).get(path, "")
    return known if is_secret_mark(known) and state.has(path, data) else f"{SECRET}{len(data)}:{os.urandom(8).hex()}"


def encode_manifest(manifest: Manifest, state: TargetState) -> bytes:
    """Encode a manifest. One that differs in nothing but the times of its inputs from the one there is that one."""
    before = read_inputs(state.manifest) if state.manifest else None
    if before and manifest.inputs:
        same = replace(manifest, inputs=replace(manifest.inputs, stamps=before.stamps)).encode()
        if same == state.manifest:
            return same
    return manifest.encode()


class Comparison(Record):
    """Changes that publishing would make to a target, as paths in the tree.

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
        """True if publishing would write nothing."""
        return not (self.added or self.changed or self.removed or self.unfinished)


def read_target(target: Path, paths: Iterable[str], modes: Modes, disk: Disk) -> TargetState:
    """Look at a target: its `.halgit.json`, and the files that are named there or among `paths`."""
    if not is_folder(disk.lstat(target)):
        return TargetState()
    names = tuple(name for name in disk.names(target) if name not in _NOBODYS)
    manifest = disk.read(target / MANIFEST) if is_file(disk.lstat(target / MANIFEST)) else b""
    known = read_marks(manifest) if manifest else None
    present, unfit = _look(target, sorted({MANIFEST, *paths, *(known or ())}), modes, disk)
    return TargetState(True, names, manifest, known, present, unfit)


def compare_files(files: Mapping[str, bytes], state: TargetState, unfinished: bool) -> Comparison:
    """Compare a tree (its `.halgit.json` among the files) with the target."""
    present = state.present
    touched = state.touched(files)
    changed = {path for path in files if path in present and not state.has(path, files[path])} | {*touched}
    unfit = state.unfit & {*files, *(f"{folder}/" for folder in list_folders(files))}
    return Comparison(
        added=tuple(sorted(path for path in files if path not in present)),
        changed=tuple(sorted(changed | unfit)),
        removed=tuple(sorted(path for path in state.known or () if path not in files)),
        modified=tuple(path for path in state.modified if path not in touched),
        foreign=state.foreign,
        unfinished=unfinished,
    )


def has_real_parents(root: Path, path: str, disk: Disk) -> bool:
    """Return whether every folder on the way to a path is one, and no link."""
    return all(is_folder(disk.lstat(root / parent)) for parent in list_parents(path))


def _look(root: Path, paths: list[str], modes: Modes, disk: Disk) -> tuple[dict[str, PresentFile], frozenset[str]]:
    present: dict[str, PresentFile] = {}
    unfit: set[str] = set()
    folders: set[str] = set()
    for folder in list_folders(paths):
        found = disk.lstat(root / folder)
        if found is not None and is_folder(found) and folders.issuperset(list_parents(folder)):
            folders.add(folder)
            if not modes.fit(found.st_mode, folder=True):
                unfit.add(f"{folder}/")
    for path in paths:
        found = disk.lstat(root / path) if folders.issuperset(list_parents(path)) else None
        if found is not None and is_file(found):
            present[path] = PresentFile(digest(disk.read(root / path)), found.st_size, found.st_mtime_ns)
            if not modes.fit(found.st_mode, folder=False):
                unfit.add(path)
    return present, frozenset(unfit)
