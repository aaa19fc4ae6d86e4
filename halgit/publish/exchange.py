"""After the exchange: what the old tree held besides halgit's files goes over into the new one, and the old one goes.

Every step can be done again, so a run that died here is finished by the next one, which only has to find the folder.
That folder may also hold a new tree that was never exchanged; it has nothing to carry over and is as halgit wrote it,
so it goes the same way. What cannot be carried over is never deleted: the old tree is then kept as it is.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from halgit.publish.filesystem import Disk, Modes, is_folder, make_folders, take_away
from halgit.publish.manifest import MANIFEST, WORK, folders_of, parents_of
from halgit.publish.target import GONE, TREE, Site, free_name, read_target, through_folders

_IMMOVABLE = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM, errno.ENOTDIR})
"""What the system says of a thing that is mounted, somebody else's, or has no folder to go to."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the old: paths carried over, paths left behind, and where the old is kept (None: removed)."""

    carried: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()

    def __add__(self, other: Settled) -> Settled:
        return Settled(self.carried + other.carried, self.left_behind + other.left_behind, self.kept + other.kept)


def settle(site: Site, modes: Modes, now: Callable[[], datetime], disk: Disk) -> Settled:
    """Empty the private folder beside the target of what an exchange put there."""
    if site.beside is None:
        return Settled()
    old, gone = site.beside / TREE, site.beside / GONE
    take_away(gone, disk)
    standing = read_target(old, (), modes, disk)
    if not standing.exists:
        return Settled()
    carrier = _Carrier(old, site.target, modes, disk)
    if standing.known is not None:
        carrier.carry(standing.known)
    kept: list[Path] = []
    if standing.foreign or standing.modified or carrier.stuck:
        kept.append(free_name(site.target, site.target.parent, now, disk))
        disk.rename(old, kept[0])
        disk.sync_folder(site.target.parent)
    else:
        disk.rename(old, gone)
        take_away(gone, disk)
    return Settled(tuple(carrier.carried), tuple(carrier.stuck), tuple(kept))


@dataclass(slots=True)
class _Carrier:
    """Moves what is not halgit's from one tree into another that has nothing in its place."""

    old: Path
    new: Path
    modes: Modes
    disk: Disk
    carried: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def carry(self, known: Mapping[str, str]) -> None:
        own = {*known, MANIFEST, WORK}
        homes = set(folders_of(known))
        todo = [""]
        while todo:
            within = todo.pop()
            for name in self.disk.names(self.old / within):
                path = f"{within}/{name}" if within else name
                if path in own:
                    continue
                folder = is_folder(self.disk.lstat(self.old / path))
                if folder and (path in homes or is_folder(self.disk.lstat(self.new / path))):
                    todo.append(path)
                else:
                    self._move(path)
        self._sync()

    def _move(self, path: str) -> None:
        """Move one file or folder, unless something is in its place or the system does not allow it."""
        try:
            make_folders(self.new, parents_of(path), self.modes, self.disk)
            free = through_folders(self.new, path, self.disk) and self.disk.lstat(self.new / path) is None
            if free:
                self.disk.rename(self.old / path, self.new / path)
        except OSError as error:
            if error.errno not in _IMMOVABLE:
                raise
            free = False
        if free:
            self.carried.append(path)
        elif not is_folder(self.disk.lstat(self.old / path)) or self.disk.names(self.old / path):
            self.stuck.append(path)

    def _sync(self) -> None:
        for folder in sorted({(self.new / path).parent for path in self.carried}):
            self.disk.sync_folder(folder)
