"""Clean up after the exchange: carry foreign files over from the old tree to the new one, and remove the old tree.

Every step is idempotent, so the next run completes what a killed run started. The work folder can also hold a new tree
that was never exchanged; it has nothing to carry over and is removed in the same way. Files that cannot be carried over
are never deleted: the old tree is then kept.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path

from halgit.annotations import TYPE_CHECKING
from halgit.publish.filesystem import Disk, Modes, create_folders, is_folder, remove_tree
from halgit.publish.manifest import MANIFEST, WORK, list_folders, list_parents
from halgit.publish.target import PREVIOUS, REMOVED, TREE, TargetPaths, find_free_name, has_real_parents, read_target
from halgit.record import Record, field

if TYPE_CHECKING:
    from datetime import datetime

_IMMOVABLE = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM, errno.ENOTDIR})
"""Error numbers of a path that is mounted, owned by another user, or has no folder to move to."""


class Leftovers(Record):
    """The old tree afterwards: paths carried over, paths left behind, and where it is kept (None: removed)."""

    carried: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()

    def __add__(self, other: Leftovers) -> Leftovers:
        return Leftovers(self.carried + other.carried, self.left_behind + other.left_behind, self.kept + other.kept)


def finish_exchange(
    paths: TargetPaths, modes: Modes, now: Callable[[], datetime], disk: Disk, *, keeps_previous: bool = False
) -> Leftovers:
    """Carry over what halgit does not own from the old tree, and remove the old tree.

    With `keeps_previous` the old tree stays until the next run, so that a reader with an open directory sees all of it.
    """
    if paths.beside is None:
        return Leftovers()
    old, gone = paths.beside / TREE, paths.beside / REMOVED
    remove_tree(gone, disk)
    remove_tree(paths.beside / PREVIOUS, disk)
    state = read_target(old, (), modes, disk)
    if not state.exists:
        return Leftovers()
    carrier = _Carrier(old, paths.target, modes, disk)
    if state.known is not None:
        carrier.carry(state.known)
    kept: list[Path] = []
    if state.foreign or state.modified or carrier.stuck:
        kept.append(find_free_name(paths.target, paths.target.parent, now, disk))
        disk.rename(old, kept[0])
        disk.sync_folder(paths.target.parent)
    else:
        disk.rename(old, paths.beside / PREVIOUS if keeps_previous else gone)
        remove_tree(gone, disk)
    return Leftovers(tuple(carrier.carried), tuple(carrier.stuck), tuple(kept))


class _Carrier(Record, frozen=False):
    """Moves what is not halgit's from one tree into another that has nothing in its place."""

    old: Path
    new: Path
    modes: Modes
    disk: Disk
    carried: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def carry(self, known: Mapping[str, str]) -> None:
        own = {*known, MANIFEST, WORK}
        homes = set(list_folders(known))
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
            create_folders(self.new, list_parents(path), self.modes, self.disk)
            free = has_real_parents(self.new, path, self.disk) and self.disk.lstat(self.new / path) is None
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
