"""A new folder of files that people will edit, all of it or none: never into a folder that holds anything."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from halgit.errors import PublishError
from halgit.publish.build import Modes, build, take_away
from halgit.publish.disk import DISK, Disk, is_folder
from halgit.publish.faults import reported
from halgit.publish.manifest import check_paths

_OPEN = Modes(0o644, 0o755)


def check_free(target: Path, disk: Disk = DISK) -> None:
    """Raise PublishError unless the target is absent or an empty folder."""
    with reported(target):
        place = disk.resolve(target)
        found = disk.lstat(place)
        if found is not None and not is_folder(found):
            raise PublishError(f"{target}: there is a file where the folder is to be.", "Name another folder.")
        held = disk.names(place) if found is not None else []
    if held:
        listed = ", ".join(sorted(held)[:5])
        raise PublishError(f"{target}: the folder is not empty (it holds {listed}).", "Name an empty or a new folder.")


def write_folder(files: Mapping[str, bytes], target: Path, disk: Disk = DISK) -> None:
    """Write these files as a new folder: built beside it, and renamed into its place when all of it is on the disk.

    Raises PublishError; then nothing is there that was not there before.
    """
    check_paths(files)
    check_free(target, disk)
    with reported(target, lambda: "Nothing was written."):
        place = disk.resolve(target)
        _make_parents(place.parent, disk)
        beside = place.with_name(f".{place.name}.halgit-new")
        take_away(beside, disk)
        try:
            build(beside, files, _OPEN, None, disk)
            disk.rename(beside, place)
            disk.sync_folder(place.parent)
        except BaseException:
            with suppress(OSError):
                take_away(beside, disk)
            raise


def _make_parents(folder: Path, disk: Disk) -> None:
    missing: list[Path] = []
    while disk.lstat(folder) is None:
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        with suppress(FileExistsError):
            disk.mkdir(one, _OPEN.folder)
