"""The file operations of publishing, and the conversion of OSError into PublishError.

`Disk` makes one system call per method, so that tests can stop a run after any of them; it follows no link by itself.
The functions below it build and remove whole trees. They work only on folders that nobody reads yet or any more.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from halgit.errors import PublishError
from halgit.lazy import lazy_pattern
from halgit.publish.manifest import list_folders
from halgit.record import Record

NO_EXCHANGE = frozenset({errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EBUSY, errno.EPERM, errno.EOPNOTSUPP})
"""Error numbers of `exchange` if two folders cannot be swapped: an old kernel, a file system without it, a mount."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = lazy_pattern(rb"\\([0-7]{3})")


class Disk:
    """The operating system's own file operations."""

    # --- looking

    def resolve(self, path: Path) -> Path:
        """The path with every link in it followed; what does not exist stays as it is."""
        return Path(os.path.realpath(path))

    def lstat(self, path: Path) -> os.stat_result | None:
        """Return the status of the path, not following links; None if it does not exist."""
        try:
            return os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, path: Path) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, in order; none if it does not exist."""
        try:
            return sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def same(self, descriptor: int, path: Path) -> bool:
        """Return whether an open file is still the one at the path."""
        found = self.lstat(path)
        return found is not None and os.path.samestat(os.fstat(descriptor), found)

    def mounted(self, path: Path) -> bool:
        """True if something is mounted at the path or beneath it, a bind mount of the same file system included."""
        if os.path.ismount(path):
            return True
        here = os.fsencode(path)
        return any(point == here or point.startswith(here + b"/") for point in _mount_points())

    def may_write(self, folder: Path) -> bool:
        """Return whether this process may add names to the folder."""
        return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)

    # --- changing

    def mkdir(self, path: Path, mode: int) -> None:
        """Make one folder with exactly this mode, whatever the umask."""
        os.mkdir(path, 0o700)
        os.chmod(path, mode)

    def create(self, path: Path) -> int:
        """Open a new, private file to write; it must not exist."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def open(self, path: Path) -> int:
        """Open an existing file to write it in place, from its start."""
        return os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)

    def write(self, descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def truncate(self, descriptor: int) -> None:
        os.ftruncate(descriptor, 0)

    def sync(self, descriptor: int) -> None:
        """Return when the file's content is on the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Return when the folder's names are on the disk; some file systems have no such thing for folders."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
        finally:
            os.close(descriptor)

    def chmod(self, place: Path | int, mode: int) -> None:
        os.chmod(place, mode)

    def set_time(self, place: Path | int, time: int) -> None:
        """Set the time of change, in nanoseconds since 1970."""
        os.utime(place, ns=(time, time))

    def give_group(self, path: Path, group: int) -> None:
        """Hand the path to a group if this process is allowed to; else leave it."""
        with suppress(PermissionError):
            os.chown(path, -1, group)

    def rename(self, old: Path, new: Path) -> None:
        os.rename(old, new)

    def exchange(self, one: Path, other: Path) -> None:
        """Let two paths change places in one step. Raises OSError, one of NO_EXCHANGE where that cannot be."""
        rename = _renameat2()
        if rename is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(other))
        number = rename(os.fsencode(one), os.fsencode(other))
        if number:
            raise OSError(number, os.strerror(number), str(other))

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def rmdir(self, path: Path) -> None:
        os.rmdir(path)

    def lock(self, path: Path) -> int | None:
        """The open file, locked for this process alone, or None while another has it.

        Closing it, or the death of the process, gives the lock back. A file that was removed while it was being
        locked counts as taken: its remover was another run.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self.same(descriptor, path):
                return descriptor
        except BlockingIOError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None


DISK = Disk()


def is_folder(found: os.stat_result | None) -> bool:
    """Return whether this is a folder itself, not a link to one."""
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_file(found: os.stat_result | None) -> bool:
    """Return whether this is a regular file itself, not a link to one."""
    return found is not None and stat.S_ISREG(found.st_mode)


def _mount_points() -> list[bytes]:
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return []
    return [_OCTAL.sub(lambda escape: bytes([int(escape[1], 8)]), line.split(b" ")[4]) for line in lines]


def _renameat2() -> Callable[[bytes, bytes], int] | None:
    """The exchange of Linux, giving an error number or 0; None where the C library has no such call."""
    from halgit.c_library import find_function, get_errno

    try:
        call = find_function("renameat2")
    except OSError:
        return None

    def exchange(one: bytes, other: bytes) -> int:
        return get_errno() if call(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE) else 0

    return exchange


_FULL = ("the disk is full", "Free disk space and run again.")
_READ_ONLY = ("the file system is read-only", "Mount it writable, or choose another path.")
_DENIED = ("permission denied for user id {user}", "Run halgit as the owner, or choose another path.")
_BROKEN = ("the disk reports an error", "Check the disk and run again.")
_BUSY = ("a file system is mounted there", "Unmount it, or choose another path.")
_NO_LOCK = ("the file system does not support locks", "Choose a path on another file system.")
_LONG = ("the name is too long", "Choose a shorter one.")

_WORDS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EIO: _BROKEN,
    errno.EBUSY: _BUSY,
    errno.ENOLCK: _NO_LOCK,
    errno.ENAMETOOLONG: _LONG,
}


def no_description() -> str:
    """The account of a write that has nothing to add."""
    return ""


@contextmanager
def translate_os_errors(place: Path, account: Callable[[], str] = no_description) -> Iterator[None]:
    """Turn an OSError within into a PublishError about `place`; `account` says how things stand after it."""
    try:
        yield
    except OSError as error:
        what, hint = _explain_error(error)
        where = f"{error.filename}: " if error.filename and str(error.filename) != str(place) else ""
        message = f"{place}: cannot be written: {where}{what}. {account()}".rstrip()
        raise PublishError(message, hint) from error


def _explain_error(error: OSError) -> tuple[str, str]:
    unknown = (f"the system reported: {error.strerror or error}", "Fix that, then run again.")
    what, hint = _WORDS.get(error.errno or 0, unknown)
    return what.replace("{user}", str(os.geteuid())), hint


class Modes(Record):
    """The permissions of what is written."""

    file: int
    folder: int

    def fit(self, mode: int, *, folder: bool) -> bool:
        """True if permissions found will do: nothing for the rest of the world, all that is wanted for the others.

        A wider group is let be: the kubelet adds it to every volume of a pod with an fsGroup.
        """
        wanted = (self.folder if folder else self.file) & 0o777
        return not mode & 0o007 and mode & wanted == wanted


PRIVATE = Modes(0o600, 0o700)
GROUP = Modes(0o660, 0o2770)


def build_tree(
    root: Path, files: Mapping[str, bytes], modes: Modes, group: int | None, disk: Disk, time: int | None = None
) -> None:
    """Write a tree of files into a new folder, and return when all of it is on the disk.

    With `time`, in nanoseconds since 1970, all files get this time of change.
    """
    folders = [root, *(root / folder for folder in list_folders(files))]
    disk.mkdir(root, modes.folder)
    if group is not None:
        disk.give_group(root, group)
        disk.chmod(root, modes.folder)
    for folder in folders[1:]:
        disk.mkdir(folder, modes.folder)
    for path, data in files.items():
        create_file(root / path, data, modes.file, disk, time)
    for folder in reversed(folders):
        disk.sync_folder(folder)


def create_file(path: Path, data: bytes, mode: int, disk: Disk, time: int | None = None) -> None:
    """Write one new file, and return when its content is on the disk."""
    descriptor = disk.create(path)
    try:
        write_content(descriptor, data, mode, disk, time)
    except OSError as error:
        raise with_path(error, path) from error
    finally:
        disk.close(descriptor)


def write_content(descriptor: int, data: bytes, mode: int, disk: Disk, time: int | None = None) -> None:
    """Give an open file its content, mode and time, on the disk."""
    disk.write(descriptor, data)
    disk.chmod(descriptor, mode)
    if time is not None:
        disk.set_time(descriptor, time)
    disk.sync(descriptor)


def with_path(error: OSError, path: Path) -> OSError:
    """The same error, naming the file it concerns: the system leaves that out where a file is open."""
    return OSError(error.errno, error.strerror, str(path))


def create_folders(root: Path, folders: Iterable[str], modes: Modes, disk: Disk) -> None:
    """Make those of these folders that are not there yet, a parent before what it holds."""
    for folder in folders:
        if disk.lstat(root / folder) is None:
            disk.mkdir(root / folder, modes.folder)


@contextmanager
def create_parents(folder: Path, mode: int, disk: Disk) -> Iterator[None]:
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


def remove_tree(path: Path, disk: Disk) -> None:
    """Remove whatever is at the path and beneath it; links are removed, never followed."""
    found = disk.lstat(path)
    if not is_folder(found):
        if found is not None:
            disk.unlink(path)
        return
    with suppress(PermissionError):
        disk.chmod(path, 0o700)
    for name in disk.names(path):
        remove_tree(path / name, disk)
    disk.rmdir(path)
