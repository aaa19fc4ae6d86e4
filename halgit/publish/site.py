"""Where a tree is published: the target itself, and the private folder in which halgit works on it.

The private folder stands beside the target, so that the new tree can be built whole and exchanged with the old. Where
nothing can stand beside it (the target is a mount point, or what holds it is not ours to write), the folder is
inside. Nothing is written here.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from halgit.errors import PublishError
from halgit.publish.build import GROUP, Modes
from halgit.publish.disk import DISK, Disk, is_folder
from halgit.publish.manifest import WORK

MAKING = "making"
"""In the private folder: what a run is building. Left by a dead run, it is removed."""
TREE = "tree"
"""In the private folder: a whole tree. Left by a dead run, it is the new one, or the old one after the exchange."""
PENDING = "pending"
"""In the private folder inside a target: a journal and its files. Left by a dead run, it is finished."""
GONE = "gone"
"""In the private folder: what is being removed."""
LEFTOVERS = frozenset({MAKING, TREE, PENDING, GONE})

_ANOTHER = "Choose another --out."


@dataclass(frozen=True, slots=True)
class Site:
    """A resolved target and its private folders. `beside` is None where nothing can stand beside the target."""

    target: Path
    beside: Path | None

    @property
    def inside(self) -> Path:
        """The private folder in the target."""
        return self.target / WORK

    @property
    def room(self) -> Path:
        """The private folder that holds the lock."""
        return self.beside or self.inside

    def leftovers(self, disk: Disk) -> bool:
        """Whether another run is at work here, or has died here."""
        return any(disk.lstat(place) is not None for place in (self.beside, self.inside) if place)


@dataclass(frozen=True, slots=True)
class Job:
    """One tree to be published. `files` are all of its files, `.halgit.json` among them."""

    site: Site
    files: Mapping[str, bytes]
    modes: Modes
    now: Callable[[], datetime]
    disk: Disk

    @property
    def group(self) -> int | None:
        """The group the tree is shared with: that of the target, else of its folder; None where it is private."""
        if self.modes is not GROUP:
            return None
        found = self.disk.lstat(self.site.target) or self.disk.lstat(self.site.target.parent)
        return found.st_gid if found else None


def find_site(target: Path, disk: Disk) -> Site:
    """The site of a target, its links followed. Raises PublishError where no tree can ever be."""
    place = disk.resolve(target)
    parent = place.parent
    if place == parent:
        raise PublishError(f"{target}: the root of the file system cannot be the target.", _ANOTHER)
    found = disk.lstat(place)
    if found is None:
        _check_parent(target, parent, disk)
    elif stat.S_ISLNK(found.st_mode):
        raise PublishError(f"{target}: the link leads back to itself.", "Remove it, or choose another --out.")
    elif not is_folder(found):
        raise PublishError(f"{target}: there is a file where the tree is to be.", "Move it away, or choose another.")
    elif disk.mounted(place) or not disk.may_write(parent):
        return Site(place, None)
    return Site(place, parent / f"{place.name}.halgit")


def _check_parent(target: Path, parent: Path, disk: Disk) -> None:
    """The folders that are missing above the target can be made: the lowest one there takes names."""
    while (found := disk.lstat(parent)) is None:
        parent = parent.parent
    if not is_folder(found):
        raise PublishError(f"{target}: {parent} is not a folder.", _ANOTHER)
    if not disk.may_write(parent):
        raise PublishError(
            f"{target}: the folder {parent} cannot be written.", "Make it writable, or choose another --out."
        )


def free_name(target: Path, folder: Path, now: Callable[[], datetime], disk: Disk) -> Path:
    """A path in `folder` under which what stands at the target can be kept: `<name>.before-<time in UTC>`."""
    first = folder / f"{target.name}.before-{now():%Y%m%dT%H%M%SZ}"
    path, count = first, 1
    while disk.lstat(path) is not None:
        count += 1
        path = folder / f"{first.name}-{count}"
    return path


def work_tree(target: Path, disk: Disk = DISK) -> Path | None:
    """The git work tree a target lies in, its links followed; None where it lies in none.

    Only looks for `.git` (a folder, or the file of a worktree or submodule) here and above; git is not asked.
    """
    place = disk.resolve(target)
    return next((folder for folder in (place, *place.parents) if disk.lstat(folder / ".git") is not None), None)
