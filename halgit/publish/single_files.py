"""Single files, each replaced in one step: reports, locks, settings, everything that is not the tree.

Written beside, flushed, given its mode, renamed; nothing is written when nothing changed. A run that dies leaves the
old file or the new one, and at most one hidden file beside it, which the next run takes up. A file that is itself
mounted into place cannot be renamed over and is the only one written where it stands.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from halgit.errors import PublishError
from halgit.publish.filesystem import (
    DISK,
    GROUP,
    PRIVATE,
    Disk,
    Modes,
    build_tree,
    create_parents,
    is_file,
    is_folder,
    remove_tree,
    translate_os_errors,
    with_path,
    write_content,
)
from halgit.publish.manifest import check_paths

DAEMON_FILES = ("halyard.yml", "halyard-local.yml")
"""The Spring files of the Halyard daemon that halgit writes, in the order the daemon reads them."""

_WAIT = 10.0
_PAUSE = 0.05
_LONGEST_REASON = 4096
"""In bytes: the kubelet keeps no more of a termination message."""


def write_file(path: Path, data: bytes, mode: int = 0o600, disk: Disk = DISK) -> bool:
    """Write one file with these permissions, its folders made where they are missing; False when nothing changed.

    A symbolic link is refused: a repository could point it at any file of the user. Permissions alone are changed only
    where a file that is to be private is not. Raises PublishError; the old file is then unchanged.
    """
    return bool(_write({path: data}, mode, disk))


def check_file(path: Path, mode: int = 0o600, disk: Disk = DISK) -> None:
    """Raise PublishError where `write_file` could not write; for content that cannot be made twice."""
    with translate_os_errors(path):
        place = _place(path, disk)
        if disk.lstat(place) is not None and disk.mounted(place):
            disk.close(disk.open(place))
            return
        with _staged(place, b"", mode, disk):
            pass


def write_files_below(folder: Path, files: Mapping[str, bytes], mode: int, disk: Disk = DISK) -> None:
    """Write files of a folder by their paths in it. Raises PublishError; no folder on the way may be a link either."""
    check_paths(files)
    for parent in sorted({parent for path in files for parent in PurePosixPath(path).parents}):
        _refuse_link(folder / parent, "folder", disk)
    for path, data in sorted(files.items()):
        write_file(folder / path, data, mode, disk)


def write_daemon_config(
    files: Mapping[str, bytes], directory: Path, *, group_access: bool = False, disk: Disk = DISK
) -> tuple[str, ...]:
    """Write the daemon's `halyard.yml` and `halyard-local.yml`; nothing else in the directory is touched.

    Gives the names that changed. Raises PublishError; unless the disk fails between two renames, both files are then
    as they were.
    """
    if not set(files) <= set(DAEMON_FILES):
        raise ValueError(f"not the daemon's: {sorted(set(files) - set(DAEMON_FILES))}")
    mode = (GROUP if group_access else PRIVATE).file
    written = _write({directory / name: files[name] for name in DAEMON_FILES if name in files}, mode, disk)
    return tuple(path.name for path in written)


def write_termination_message(path: Path | str, reason: str, disk: Disk = DISK) -> None:
    """Leave the reason of a failure in a pod's termination message file, if there is one.

    Never raises and never creates the file: the reason is also on stderr, and outside a pod nobody reads the file.
    """
    text = reason.encode("utf-8", "replace")[:_LONGEST_REASON].decode("utf-8", "ignore")
    with suppress(OSError):
        if is_file(disk.lstat(Path(path))):
            _write_in_place(Path(path), text.encode("utf-8"), None, disk)


def _write(files: Mapping[Path, bytes], mode: int, disk: Disk) -> list[Path]:
    """Lay all files down before the first is put into its place; gives those that changed."""
    changed: list[Path] = []
    with ExitStack() as all_staged:
        places: list[tuple[Path, Path]] = []
        for path, data in files.items():
            with translate_os_errors(path):
                place = _place(path, disk)
                if _unchanged(place, data, mode, disk):
                    continue
                changed.append(path)
                if disk.lstat(place) is not None and disk.mounted(place):
                    _write_in_place(place, data, mode, disk)
                else:
                    places.append((all_staged.enter_context(_staged(place, data, mode, disk)), place))
        for staged, place in places:
            with translate_os_errors(place):
                disk.rename(staged, place)
                disk.sync_folder(place.parent)
    return changed


def _place(path: Path, disk: Disk) -> Path:
    _refuse_link(path, "file", disk)
    place = disk.resolve(path)
    found = disk.lstat(place)
    if is_folder(found):
        raise PublishError(f"{path}: is a folder, not a file.", "Name a file.")
    if found is not None and not is_file(found):
        raise PublishError(f"{path}: is not a regular file.", "Name a regular file.")
    return place


def _refuse_link(path: Path, kind: str, disk: Disk) -> None:
    found = disk.lstat(path)
    if found is not None and stat.S_ISLNK(found.st_mode):
        raise PublishError(f"{path}: is a symbolic link.", f"Name the {kind} itself, or remove the link.")


def _unchanged(place: Path, data: bytes, mode: int, disk: Disk) -> bool:
    found = disk.lstat(place)
    if found is None or found.st_size != len(data):
        return False
    too_open = not mode & 0o007 and found.st_mode & 0o007
    return not too_open and disk.read(place) == data


@contextmanager
def _staged(place: Path, data: bytes, mode: int, disk: Disk) -> Iterator[Path]:
    """The new file, whole, beside its place; removed again unless it is renamed."""
    beside = place.with_name(f".{place.name}.halgit")
    with create_parents(place.parent, 0o755 if mode & 0o004 else 0o700, disk):
        descriptor = _lock(beside, place, disk)
        try:
            try:
                disk.truncate(descriptor)
                write_content(descriptor, data, mode, disk)
            except OSError as error:
                raise with_path(error, beside) from error
            yield beside
        finally:
            with suppress(OSError):
                if disk.same(descriptor, beside):
                    disk.unlink(beside)
            with suppress(OSError):  # all of it is on the disk by now
                disk.close(descriptor)


def _lock(beside: Path, place: Path, disk: Disk) -> int:
    """The hidden file, for this run alone: another run may be writing the same file, or have died at it."""
    end = time.monotonic() + _WAIT
    while True:
        descriptor = disk.lock(beside)
        if descriptor is not None:
            return descriptor
        if time.monotonic() >= end:
            raise PublishError(f"{place}: another halgit run is writing it.", "Wait for it to finish and run again.")
        time.sleep(_PAUSE)


def _write_in_place(place: Path, data: bytes, mode: int | None, disk: Disk) -> None:
    descriptor = disk.open(place)
    try:
        disk.write(descriptor, data)
        if mode is not None:
            with suppress(PermissionError):
                disk.chmod(descriptor, mode)
            disk.sync(descriptor)
    finally:
        disk.close(descriptor)


_OPEN = Modes(0o644, 0o755)


def check_empty(target: Path, disk: Disk = DISK) -> None:
    """Raise PublishError unless the target is absent or an empty folder, and not a link to one."""
    with translate_os_errors(target):
        _refuse_link(target, "folder", disk)
        place = disk.resolve(target)
        found = disk.lstat(place)
        if found is not None and not is_folder(found):
            raise PublishError(f"{target}: is a file, not a folder.", "Name another folder.")
        held = disk.names(place) if found is not None else []
    if held:
        listed = ", ".join(sorted(held)[:5])
        raise PublishError(f"{target}: the folder is not empty (it contains {listed}).", "Name an empty or new folder.")


def write_folder(files: Mapping[str, bytes], target: Path, disk: Disk = DISK) -> None:
    """Write these files as a new folder: built beside it, and renamed into its place when all of it is on the disk.

    Raises PublishError; then nothing is there that was not there before.
    """
    check_paths(files)
    check_empty(target, disk)
    with translate_os_errors(target, lambda: "Nothing was written."):
        place = disk.resolve(target)
        _make_parents(place.parent, disk)
        beside = place.with_name(f".{place.name}.halgit-new")
        remove_tree(beside, disk)
        try:
            build_tree(beside, files, _OPEN, None, disk)
            disk.rename(beside, place)
            disk.sync_folder(place.parent)
        except BaseException:
            with suppress(OSError):
                remove_tree(beside, disk)
            raise


def _make_parents(folder: Path, disk: Disk) -> None:
    missing: list[Path] = []
    while disk.lstat(folder) is None:
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        with suppress(FileExistsError):
            disk.mkdir(one, _OPEN.folder)
