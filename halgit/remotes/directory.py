"""A directory as a source: its regular files, read where they lie.

It is read only, never written, and no process is started for it. Links are followed inside the root only; pipes,
sockets and devices do not count as files, so that none of them is ever opened. A directory has no revision: it can
change while it is looked at, and a commit named beside it would not vouch for uncommitted edits.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable

from halgit.annotations import BinaryIO
from halgit.errors import CorruptError, NotFoundError, RefusedError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import SourceId
from halgit.remotes import files
from halgit.remotes.beneath import FOLDER, open_beneath

_PASSED_OVER = frozenset({".git", "lost+found"})
"""Git's own folder, and the one that only root can read at the top of a mounted volume."""

_MODULES = ".gitmodules"
_LARGEST_LIST = 1 << 20
_MODULE_PATH = lazy_pattern(r'(?m)^[ \t]*path[ \t]*=[ \t]*(?:"([^"\r\n]*)"|([^"\r\n#;]*?))[ \t\r]*(?:[#;].*)?$')


class DirectorySnapshot:
    """The files of a directory, listed once; see `Snapshot` in `tree.py`.

    `submodules` are the paths of git submodules that are not checked out, with the reason and the next step.
    """

    def __init__(self, source: SourceId, name: str, root: str, largest: int) -> None:
        self.source = source
        self._name = name
        self._root = root
        self._largest = largest
        self._directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._stamps: dict[str, str] = {}
        try:
            self._listing = files.resolve_links(name, _Listing(name, root, self._directory).folder)
            self.paths = frozenset(self._listing)
            self.submodules = self._missing_submodules()
        except BaseException:
            self.close()
            raise

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        return {path: self._read(path) for path in paths}

    @property
    def links(self) -> frozenset[str]:
        """The files that are read through a symbolic link."""
        entries = self._listing.items()
        return frozenset(path for path, entry in entries if isinstance(entry, files.File) and entry.key != path)

    def stamp(self, path: str) -> str:
        """Return what changes with the content of a file: its size, times and inode, as of when it was read."""
        if path not in self._stamps:
            self._open(path).close()
        return self._stamps[path]

    def close(self) -> None:
        """Close the directory; nothing can be read afterwards."""
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1

    def _missing_submodules(self) -> dict[str, tuple[str, str]]:
        """Return the submodules that have no files here, of every `.gitmodules` of the root and of the work tree."""
        lists = [path for path in self.paths if path.rpartition("/")[2] == _MODULES]
        named = {path.removesuffix(_MODULES) + name for path in lists for name in _module_paths(self._read(path))}
        named |= _modules_of_work_tree(self._root)
        return {
            path: ("is not checked out.", f"Run `git submodule update --init {path}` in the directory.")
            for path in sorted(named)
            if not any(file.startswith(f"{path}/") for file in self.paths)
        }

    def _read(self, path: str) -> bytes:
        try:
            with self._open(path) as opened:
                files.refuse_size(self._name, path, os.fstat(opened.fileno()).st_size, self._largest)
                content = opened.read(self._largest + 1)
        except OSError:
            raise _changed(self._name, path) from None
        files.refuse_size(self._name, path, len(content), self._largest)
        files.refuse_content(self._name, path, content)
        return content

    def _open(self, path: str) -> BinaryIO:
        """Open a regular file and take its stamp. Raises CorruptError, RefusedError."""
        key = files.find_file(self._name, self._listing, path).key
        try:
            opened = os.fdopen(open_beneath(self._directory, key), "rb")
        except PermissionError:
            raise _not_allowed(self._name, path) from None
        except OSError:
            raise _changed(self._name, path) from None
        found = os.fstat(opened.fileno())
        self._stamps[path] = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
        if not stat.S_ISREG(found.st_mode):
            opened.close()
            raise _changed(self._name, path)
        return opened


def _module_paths(content: bytes) -> list[str]:
    """Return the paths of the submodules of a `.gitmodules` (`git-config` syntax)."""
    found = _MODULE_PATH.findall(content.decode("utf-8", "replace"))
    return [(quoted or plain).strip("/") for quoted, plain in found]


def _modules_of_work_tree(root: str) -> set[str]:
    """Return the submodules below a folder of a git work tree, relative to the folder."""
    top = os.path.dirname(root)
    while not os.path.exists(os.path.join(top, ".git")):
        if top == os.path.dirname(top):
            return set()
        top = os.path.dirname(top)
    try:
        with open(os.path.join(top, _MODULES), "rb") as opened:
            paths = _module_paths(opened.read(_LARGEST_LIST))
    except OSError:
        return set()
    here = os.path.relpath(root, top) + "/"
    return {path.removeprefix(here) for path in paths if path.startswith(here)}


class _Listing:
    """One walk through a directory, without following a link."""

    def __init__(self, name: str, root: str, directory: int) -> None:
        self._name = name
        self._root = root
        self._directory = directory
        self._count = 0
        self.folder: files.Folder = {}
        self._waiting = [("", self.folder)]
        while self._waiting:
            self._list(*self._waiting.pop())

    def _list(self, below: str, into: files.Folder) -> None:
        """List one folder, which is open meanwhile: nobody can swap it for a link."""
        try:
            opened = open_beneath(self._directory, below.rstrip("/") or ".", FOLDER)
            try:
                with os.scandir(opened) as entries:
                    for entry in entries:
                        self._add(entry, below, into, opened)
            finally:
                os.close(opened)
        except PermissionError:
            raise _not_allowed(self._name, below or ".") from None
        except OSError:
            raise _changed(self._name, below or ".") from None

    def _add(self, entry: os.DirEntry[str], below: str, into: files.Folder, opened: int) -> None:
        if entry.name in _PASSED_OVER:
            return
        path = below + entry.name
        files.refuse_name(self._name, path)
        self._count += 1
        if self._count > files.MAX_FILES:
            raise files.too_many_files(self._name)
        if entry.is_symlink():
            into[entry.name] = self._link(os.readlink(entry.name, dir_fd=opened))
        elif entry.is_dir(follow_symlinks=False):
            inside = into[entry.name] = {}
            self._waiting.append((path + "/", inside))
        elif entry.is_file(follow_symlinks=False):
            into[entry.name] = files.File(path)

    def _link(self, target: str) -> files.Link:
        if target == self._root or target.startswith(self._root.rstrip("/") + "/"):
            return files.Link(target[len(self._root) :], rooted=True)
        return files.Link(target)


def open_directory(spec: SourceSpec, access: Access) -> DirectorySnapshot:
    """The directory `spec.url`, or the folder `spec.path` of it, as a snapshot.

    Raises Missing where there is none, Refused where it cannot be read, Corrupt for names that cannot be.
    """
    top = os.path.realpath(spec.url)
    if not os.path.isdir(top):
        what = "is a file" if os.path.exists(top) else "does not exist"
        raise NotFoundError(f"{spec.url}: the directory {what}.", "Name a directory, or a URL of git, S3 or Vault.")
    root = os.path.realpath(os.path.join(top, spec.path))
    if root != top and not root.startswith(top.rstrip("/") + "/"):
        raise CorruptError(
            f"{spec.url}: --path {spec.path} points outside the directory.", "Name a folder inside the directory."
        )
    if not os.path.isdir(root):
        what = "a file" if os.path.exists(root) else "not there"
        raise NotFoundError(f"{spec.url}: the folder {spec.path} is {what}.", "Fix --path.")
    return DirectorySnapshot(SourceId(url=spec.url, path=spec.path), spec.url, root, access.largest_file)


class DirectoryWatch:
    """Looks at a directory again and again, without reading a file: names, sizes and times of change."""

    def __init__(self, spec: SourceSpec, access: Callable[[], Access]) -> None:
        self._spec = spec
        self._access = access

    def revision(self) -> str:
        """A digest of the listing. It is no revision of the source: it only differs when something changed."""
        import hashlib

        snapshot = open_directory(self._spec, self._access())
        digest = hashlib.sha256()
        for path in sorted(snapshot.paths):
            try:
                status = os.stat(os.path.join(self._spec.url, self._spec.path, path))
            except OSError:
                raise _changed(self._spec.url, path) from None
            digest.update(
                f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{status.st_ino}\n".encode("utf-8", "replace")
            )
        return digest.hexdigest()

    def close(self) -> None:
        """A directory needs no giving back."""


def _not_allowed(name: str, path: str) -> RefusedError:
    return RefusedError(
        f"{name}: {path} cannot be read: permission denied.", "Grant read permission to the user that runs halgit."
    )


def _changed(name: str, path: str) -> CorruptError:
    return CorruptError(
        f"{name}: {path} changed while it was being read.", "Run halgit again when nothing writes there."
    )
