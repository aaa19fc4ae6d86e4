"""Replace files one by one behind a journal, for a target that cannot be exchanged.

The new files and the journal are written to the work folder inside the target; one rename activates them. From then on
the next run completes what this run does not: each step is skipped if it is already done. Until the rename nothing of
the tree is touched. Files that halgit does not own or that were modified are moved aside, never overwritten or deleted.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from halgit.errors import PublishError
from halgit.publish.exchange import Leftovers
from halgit.publish.filesystem import (
    Disk,
    Modes,
    build_tree,
    create_file,
    create_folders,
    is_file,
    is_folder,
    remove_tree,
)
from halgit.publish.manifest import MANIFEST, digest, fits_mark, is_secret_mark, list_folders, list_parents
from halgit.publish.target import BUILDING, PENDING, REMOVED, Job, TargetPaths, TargetState, has_real_parents
from halgit.record import Record, field, to_dict

_JOURNAL = "journal.json"
_FILES = "files"
_IMMOVABLE = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM})


class Journal(Record):
    """Plan of a publish. `keep` is where the old tree goes, relative to the target; `move` always goes there.

    `old` are marks by path, and `time` that of the old `.halgit.json`: a file that does not fit its mark is not ours to
    write over. `new` are the paths of the new tree.
    """

    keep: str
    move: tuple[str, ...]
    old: Mapping[str, str]
    new: tuple[str, ...]
    time: int = 0


def write_journal(job: Job, state: TargetState, keep: Path) -> None:
    """Lay down the new files and the journal; the last step makes them count. `keep` is where the old would go."""
    paths, files, modes, disk = job.paths, job.files, job.modes, job.disk
    move = _to_move(job, state)
    # A secret file is known by the time of `.halgit.json`, so that both are written together.
    wanted = {
        path: data
        for path, data in files.items()
        if move or not state.has(path, data) or path in state.unfit or is_secret_mark(job.marks.get(path, ""))
    }
    inside = keep.parent == paths.target
    journal = Journal(
        keep=keep.name if inside else f"../{keep.name}",
        move=move,
        old={**(state.known or {}), MANIFEST: digest(state.manifest)},
        new=tuple(files),
        time=state.time,
    )
    making = paths.inside / BUILDING
    create_folders(paths.inside, ["."], modes, disk)
    disk.mkdir(making, modes.folder)
    build_tree(making / _FILES, wanted, modes, job.group, disk, job.time)
    create_file(making / _JOURNAL, json.dumps(to_dict(journal)).encode("utf-8", "surrogateescape"), modes.file, disk)
    disk.sync_folder(making)
    disk.rename(making, paths.inside / PENDING)
    disk.sync_folder(paths.inside)


def _to_move(job: Job, state: TargetState) -> tuple[str, ...]:
    """Return the paths to keep: all of a tree that is not ours, the files of ours if any was changed since."""
    paths, disk = job.paths, job.disk
    if state.foreign:
        return state.names
    if not state.modified:
        return ()
    own = [*sorted(state.known or ()), MANIFEST]
    return tuple(p for p in own if has_real_parents(paths.target, p, disk) and disk.lstat(paths.target / p) is not None)


def finish_journal(paths: TargetPaths, modes: Modes, disk: Disk) -> Leftovers:
    """Do all that a journal says and is not done yet; nothing where there is none."""
    pending, gone = paths.inside / PENDING, paths.inside / REMOVED
    remove_tree(gone, disk)
    if disk.lstat(pending) is None:
        return Leftovers()
    hand = _JournalRun(paths.target, pending / _FILES, _read(pending / _JOURNAL, disk), modes, disk)
    hand.do()
    disk.rename(pending, gone)
    remove_tree(gone, disk)
    kept = (hand.keep,) if disk.lstat(hand.keep) is not None else ()
    return Leftovers(left_behind=tuple(hand.set_aside), kept=kept)


def _read(file: Path, disk: Disk) -> Journal:
    try:
        content = json.loads(disk.read(file).decode("utf-8", "surrogateescape"))
        new, time = tuple(content["new"]), int(content.get("time", 0))
        return Journal(content["keep"], tuple(content["move"]), content["old"], new, time)
    except (ValueError, RecursionError, KeyError, TypeError):
        raise PublishError(
            f"{file}: the journal of an unfinished run is not readable.", "Remove its folder and render with --force."
        ) from None


class _JournalRun(Record, frozen=False):
    """Takes the steps of a journal in a target that somebody may be using."""

    target: Path
    staged: Path
    journal: Journal
    modes: Modes
    disk: Disk
    set_aside: list[str] = field(default_factory=list)

    @property
    def keep(self) -> Path:
        name = self.journal.keep
        return self.target.parent / name[3:] if name.startswith("../") else self.target / name

    def do(self) -> None:
        for path in self.journal.move:
            if self.disk.lstat(self.keep / path) is None and self.disk.lstat(self.target / path) is not None:
                self._move(path)
        for path in sorted(set(self.journal.old) - set(self.journal.new)):
            self._remove(path)
        for path in sorted(self.journal.new, key=lambda path: (path == MANIFEST, path)):
            if self.disk.lstat(self.staged / path) is not None:
                self._place(path)
        self._fix_folders()

    def _move(self, path: str) -> None:
        """Keep what stood there. What cannot be moved stays, and stops a run that needs its place."""
        try:
            self._keep(path)
        except OSError as error:
            if error.errno not in _IMMOVABLE:
                raise

    def _remove(self, path: str) -> None:
        """Remove a file that is no longer part of the tree, and the folders it leaves empty."""
        if not has_real_parents(self.target, path, self.disk):
            return
        if is_file(self.disk.lstat(self.target / path)):
            if self._is_ours(path):
                self.disk.unlink(self.target / path)
                self.disk.sync_folder((self.target / path).parent)
            else:
                self._set_aside(path)
        for parent in reversed(list_parents(path)):
            with suppress(OSError):
                self.disk.rmdir(self.target / parent)

    def _place(self, path: str) -> None:
        for parent in list_parents(path):
            found = self.disk.lstat(self.target / parent)
            if found is not None and not is_folder(found):
                self._set_aside(parent)
        create_folders(self.target, list_parents(path), self.modes, self.disk)
        if is_folder(self.disk.lstat(self.target / path)):
            with suppress(OSError):
                self.disk.rmdir(self.target / path)
        if self.disk.lstat(self.target / path) is not None and not self._is_ours(path):
            self._set_aside(path)
        self.disk.rename(self.staged / path, self.target / path)

    def _is_ours(self, path: str) -> bool:
        """Return whether what stands there is a file halgit wrote: with its content before this run, or after it."""
        found = self.disk.lstat(self.target / path)
        if found is None or not is_file(found):
            return False
        data = self.disk.read(self.target / path)
        if fits_mark(self.journal.old.get(path, ""), data, found.st_mtime_ns == self.journal.time):
            return True
        return is_file(self.disk.lstat(self.staged / path)) and self.disk.read(self.staged / path) == data

    def _set_aside(self, path: str) -> None:
        self._keep(path)
        self.set_aside.append(path)

    def _keep(self, path: str) -> None:
        create_folders(self.keep, [".", *list_parents(path)], self.modes, self.disk)
        place = self.keep / path
        while self.disk.lstat(place) is not None:
            place = place.with_name(f"{place.name}.later")
        self.disk.rename(self.target / path, place)
        self.disk.sync_folder(place.parent)

    def _fix_folders(self) -> None:
        """Give the tree's folders their permissions, and see to it that all of their names are on the disk."""
        for folder in list_folders(self.journal.new):
            found = self.disk.lstat(self.target / folder)
            if found is not None and not self.modes.fit(found.st_mode, folder=True):
                with suppress(PermissionError):
                    self.disk.chmod(self.target / folder, self.modes.folder)
            self.disk.sync_folder(self.target / folder)
        self.disk.sync_folder(self.target)
