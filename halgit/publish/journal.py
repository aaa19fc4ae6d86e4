"""The way for a target that cannot be exchanged: files replaced one by one, behind a journal.

The new files and the journal are laid down whole in the private folder inside the target; one rename makes them
count. From then on the next run finishes what this one does not: every step is taken only if it has not been taken.
Until then nothing of the tree has been touched. What is neither halgit's nor as halgit left it is set aside, never
written over and never deleted.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from halgit.errors import PublishError
from halgit.publish.exchange import Settled
from halgit.publish.filesystem import Disk, Modes, build, is_file, is_folder, lay_down, make_folders, take_away
from halgit.publish.manifest import MANIFEST, digest, folders_of, parents_of
from halgit.publish.target import GONE, MAKING, PENDING, Job, Site, Standing, through_folders

_JOURNAL = "journal.json"
_FILES = "files"
_IMMOVABLE = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM})


@dataclass(frozen=True, slots=True)
class Journal:
    """What is to be done. `keep` is where the old goes, relative to the target; `move` what goes there in any case.

    `old` and `new` are digests by path: a file that has neither is not ours to write over.
    """

    keep: str
    move: tuple[str, ...]
    old: Mapping[str, str]
    new: Mapping[str, str]


def prepare(job: Job, standing: Standing, keep: Path) -> None:
    """Lay down the new files and the journal; the last step makes them count. `keep` is where the old would go."""
    site, files, modes, disk = job.site, job.files, job.modes, job.disk
    move = _to_move(site, standing, disk)
    wanted = {
        path: data
        for path, data in files.items()
        if move or standing.present.get(path) != digest(data) or path in standing.unfit
    }
    inside = keep.parent == site.target
    journal = Journal(
        keep=keep.name if inside else f"../{keep.name}",
        move=move,
        old={**(standing.known or {}), MANIFEST: digest(standing.manifest)},
        new={path: digest(data) for path, data in files.items()},
    )
    making = site.inside / MAKING
    make_folders(site.inside, ["."], modes, disk)
    disk.mkdir(making, modes.folder)
    build(making / _FILES, wanted, modes, job.group, disk)
    lay_down(making / _JOURNAL, json.dumps(asdict(journal)).encode("utf-8", "surrogateescape"), modes.file, disk)
    disk.sync_folder(making)
    disk.rename(making, site.inside / PENDING)
    disk.sync_folder(site.inside)


def _to_move(site: Site, standing: Standing, disk: Disk) -> tuple[str, ...]:
    """What is kept as it stands: all of a tree that is not ours, the files of ours if any was changed since."""
    if standing.foreign:
        return standing.names
    if not standing.modified:
        return ()
    paths = [*sorted(standing.known or ()), MANIFEST]
    return tuple(p for p in paths if through_folders(site.target, p, disk) and disk.lstat(site.target / p) is not None)


def finish(site: Site, modes: Modes, disk: Disk) -> Settled:
    """Do all that a journal says and is not done yet; nothing where there is none."""
    pending, gone = site.inside / PENDING, site.inside / GONE
    take_away(gone, disk)
    if disk.lstat(pending) is None:
        return Settled()
    hand = _Hand(site.target, pending / _FILES, _read(pending / _JOURNAL, disk), modes, disk)
    hand.do()
    disk.rename(pending, gone)
    take_away(gone, disk)
    kept = (hand.keep,) if disk.lstat(hand.keep) is not None else ()
    return Settled(left_behind=tuple(hand.set_aside), kept=kept)


def _read(file: Path, disk: Disk) -> Journal:
    try:
        content = json.loads(disk.read(file).decode("utf-8", "surrogateescape"))
        return Journal(content["keep"], tuple(content["move"]), content["old"], content["new"])
    except (ValueError, KeyError, TypeError):
        raise PublishError(
            f"{file}: the journal of an unfinished run cannot be read.", "Remove its folder, then render with --force."
        ) from None


@dataclass(slots=True)
class _Hand:
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
        self._mend_folders()

    def _move(self, path: str) -> None:
        """Keep what stood there. What cannot be moved stays, and stops a run that needs its place."""
        try:
            self._keep(path)
        except OSError as error:
            if error.errno not in _IMMOVABLE:
                raise

    def _remove(self, path: str) -> None:
        """Remove a file that is no longer part of the tree, and the folders it leaves empty."""
        if not through_folders(self.target, path, self.disk):
            return
        if is_file(self.disk.lstat(self.target / path)):
            if self._ours(path):
                self.disk.unlink(self.target / path)
                self.disk.sync_folder((self.target / path).parent)
            else:
                self._set_aside(path)
        for parent in reversed(parents_of(path)):
            with suppress(OSError):
                self.disk.rmdir(self.target / parent)

    def _place(self, path: str) -> None:
        for parent in parents_of(path):
            found = self.disk.lstat(self.target / parent)
            if found is not None and not is_folder(found):
                self._set_aside(parent)
        make_folders(self.target, parents_of(path), self.modes, self.disk)
        if is_folder(self.disk.lstat(self.target / path)):
            with suppress(OSError):
                self.disk.rmdir(self.target / path)
        if self.disk.lstat(self.target / path) is not None and not self._ours(path):
            self._set_aside(path)
        self.disk.rename(self.staged / path, self.target / path)

    def _ours(self, path: str) -> bool:
        """Whether what stands there is a file halgit wrote: with its content before this run, or after it."""
        if not is_file(self.disk.lstat(self.target / path)):
            return False
        known = (self.journal.old.get(path), self.journal.new.get(path))
        return digest(self.disk.read(self.target / path)) in known

    def _set_aside(self, path: str) -> None:
        self._keep(path)
        self.set_aside.append(path)

    def _keep(self, path: str) -> None:
        make_folders(self.keep, [".", *parents_of(path)], self.modes, self.disk)
        place = self.keep / path
        while self.disk.lstat(place) is not None:
            place = place.with_name(f"{place.name}.later")
        self.disk.rename(self.target / path, place)
        self.disk.sync_folder(place.parent)

    def _mend_folders(self) -> None:
        """Give the tree's folders their permissions, and see to it that all of their names are on the disk."""
        for folder in folders_of(self.journal.new):
            found = self.disk.lstat(self.target / folder)
            if found is not None and not self.modes.fit(found.st_mode, folder=True):
                with suppress(PermissionError):
                    self.disk.chmod(self.target / folder, self.modes.folder)
            self.disk.sync_folder(self.target / folder)
        self.disk.sync_folder(self.target)
