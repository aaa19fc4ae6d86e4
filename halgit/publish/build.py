"""Folders and files laid down and taken away: a tree built anew with the modes asked for, all of it on the disk.

Only ever called on a folder that nobody reads yet, or no longer; what stands at a target is not touched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from halgit.publish.disk import Disk, is_folder
from halgit.publish.manifest import folders_of


@dataclass(frozen=True, slots=True)
class Modes:
    """The permissions of what is written."""

    file: int
    folder: int

    def fit(self, mode: int, *, folder: bool) -> bool:
        """Whether permissions found will do: nothing for the rest of the world, all that is wanted for the others.

        A wider group is let be: the kubelet adds it to every volume of a pod with an fsGroup.
        """
        wanted = (self.folder if folder else self.file) & 0o777
        return not mode & 0o007 and mode & wanted == wanted


PRIVATE = Modes(0o600, 0o700)
GROUP = Modes(0o660, 0o2770)


def build(root: Path, files: Mapping[str, bytes], modes: Modes, group: int | None, disk: Disk) -> None:
    """Write a tree of files into a new folder, and return when all of it is on the disk."""
    folders = [root, *(root / folder for folder in folders_of(files))]
    disk.mkdir(root, modes.folder)
    if group is not None:
        disk.give_group(root, group)
        disk.chmod(root, modes.folder)
    for folder in folders[1:]:
        disk.mkdir(folder, modes.folder)
    for path, data in files.items():
        lay_down(root / path, data, modes.file, disk)
    for folder in reversed(folders):
        disk.sync_folder(folder)


def lay_down(path: Path, data: bytes, mode: int, disk: Disk) -> None:
    """Write one new file, and return when its content is on the disk."""
    descriptor = disk.create(path)
    try:
        fill(descriptor, data, mode, disk)
    except OSError as error:
        raise named(error, path) from error
    finally:
        disk.close(descriptor)


def fill(descriptor: int, data: bytes, mode: int, disk: Disk) -> None:
    """Give an open file its content and mode, on the disk."""
    disk.write(descriptor, data)
    disk.chmod(descriptor, mode)
    disk.sync(descriptor)


def named(error: OSError, path: Path) -> OSError:
    """The same error, naming the file it concerns: the system leaves that out where a file is open."""
    return OSError(error.errno, error.strerror, str(path))


def make_folders(root: Path, folders: Iterable[str], modes: Modes, disk: Disk) -> None:
    """Make those of these folders that are not there yet, a parent before what it holds."""
    for folder in folders:
        if disk.lstat(root / folder) is None:
            disk.mkdir(root / folder, modes.folder)


@contextmanager
def parents(folder: Path, mode: int, disk: Disk) -> Iterator[None]:
    """Make the folders that are missing down to this one; they go again if what they are made for fails."""
    made: list[Path] = []
    while disk.lstat(folder) is None:
        made.append(folder)
        folder = folder.parent
    try:
        for missing in reversed(made):
            with suppress(FileExistsError):
                disk.mkdir(missing, mode)
        yield
    except BaseException:
        for missing in made:
            with suppress(OSError):
                disk.rmdir(missing)
        raise


def take_away(path: Path, disk: Disk) -> None:
    """Remove whatever is at the path and beneath it; links are removed, never followed."""
    found = disk.lstat(path)
    if not is_folder(found):
        if found is not None:
            disk.unlink(path)
        return
    with suppress(PermissionError):
        disk.chmod(path, 0o700)
    for name in disk.names(path):
        take_away(path / name, disk)
    disk.rmdir(path)
