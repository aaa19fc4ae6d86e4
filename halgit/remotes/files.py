"""The rules for files of a source, shared by directories, git, S3 and Vault. Pure.

A source is a nested mapping of folders, files and links. `resolve_links` turns it into paths, following links inside
the root. A link that leaves the root or is broken stays in the listing with its reason and is refused when it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from halgit.annotations import TypeAlias
from halgit.errors import CorruptError, NotFoundError
from halgit.lazy import lazy_pattern
from halgit.record import Record

MAX_FILES = 200_000
"""More paths than this are no configuration; links to folders that hold links could make millions of a few files."""

MAX_LINKS = 40
"""Links followed on the way to one file, as Linux has it."""

_CONTROL = lazy_pattern(r"[\x00-\x1f\x7f]")
_POINTER = b"version https://git-lfs.github.com/spec/"


class File(Record):
    """A regular file. `key` is what the source reads it by."""

    key: str


class Link(Record):
    """A symbolic link and the text it holds. `rooted`: the text starts at the root, not at the link's folder."""

    target: str
    rooted: bool = False


class Fault(Record):
    """Reason why a path of the listing cannot be read, and the next step."""

    message: str
    hint: str


Folder: TypeAlias = "dict[str, Folder | File | Link]"
Place: TypeAlias = "tuple[tuple[str, ...], Folder | File]"

_LEAVES = Fault("is a symbolic link that leaves the source's root.", "Replace the link with the file, or widen --path.")
DANGLING = Fault("is a symbolic link to a missing file.", "Fix or remove the link.")
_CIRCLE = Fault("is a symbolic link loop.", "Fix or remove the link.")


def refuse_name(source: str, path: str) -> None:
    """Raise Corrupt for a path that cannot be shown or that would leave the root."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise CorruptError(f"{source}: the file name {shown} is not UTF-8.", "Rename the file.") from None
    if _CONTROL.search(path):
        raise CorruptError(f"{source}: the file name {path!r} contains a control character.", "Rename the file.")
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise CorruptError(
            f"{source}: the file name {path!r} would leave the tree.", "Remove the file from the source."
        )


def refuse_content(source: str, path: str, content: bytes) -> None:
    """Raise Corrupt for content that only stands for the real one: a pointer of Git LFS."""
    if len(content) < 1024 and content.startswith(_POINTER):
        raise CorruptError(
            f"{source}: {path} is a Git LFS pointer, not the file.",
            "Store the file in git: run `git lfs untrack` and commit it again.",
        )


def refuse_size(source: str, path: str, size: int, largest: int) -> None:
    """Raise Corrupt for a file over the stated size; both sizes in bytes."""
    if size > largest:
        raise CorruptError(
            f"{source}: {path} has {size} bytes; the limit is {largest}.",
            "Remove the file or store it elsewhere.",
        )


def too_many_files(source: str) -> CorruptError:
    """The error for a source with more than MOST_FILES files."""
    return CorruptError(
        f"{source}: it has more than {MAX_FILES} files, linked folders included.",
        "Select the configuration's folder with --path.",
    )


def add_node(root: Folder, path: str, node: File | Link) -> None:
    """Put a file or link into nested folders. Raises ValueError where something of that name already exists."""
    *folders, name = path.split("/")
    here = root
    for folder in folders:
        below = here.setdefault(folder, {})
        if not isinstance(below, dict):
            raise ValueError(path)
        here = below
    if name in here:
        raise ValueError(path)
    here[name] = node


class _Walk:
    """One step after another through nested folders, as the kernel walks a path."""

    def __init__(self, root: Folder, at: Sequence[str], path: str) -> None:
        self.names: list[str] = []
        self.folders: list[Folder] = [root]
        self.left = deque((*at, *path.split("/")))
        self.links = 0

    def step(self) -> Place | Fault | None:
        """Take the next part of the path. None: there is more to walk."""
        part = self.left.popleft()
        if part in {"", "."}:
            return None
        if part == "..":
            return self._up()
        node = self.folders[-1].get(part)
        if isinstance(node, Link):
            return self._follow(node)
        if isinstance(node, dict):
            self.names.append(part)
            self.folders.append(node)
            return None
        if node is None or any(rest not in {"", "."} for rest in self.left):
            return DANGLING
        return (*self.names, part), node

    def _up(self) -> Fault | None:
        if not self.names:
            return _LEAVES
        self.names.pop()
        self.folders.pop()
        return None

    def _follow(self, link: Link) -> Fault | None:
        self.links += 1
        if self.links > MAX_LINKS:
            return _CIRCLE
        if link.rooted:
            del self.names[:], self.folders[1:]
        elif link.target.startswith("/"):
            return _LEAVES
        self.left.extendleft(reversed(link.target.split("/")))
        return None


def follow_path(root: Folder, at: Sequence[str], path: str) -> Place | Fault:
    """Resolve a path from the folder `at`, links followed: its real place, and the file or folder there."""
    walk = _Walk(root, at, path)
    while walk.left:
        reached = walk.step()
        if reached is not None:
            return reached
    return tuple(walk.names), walk.folders[-1]


def resolve_links(source: str, root: Folder) -> dict[str, File | Fault]:
    """Every path below the root and what it is read by, files below linked folders included.

    Raises Corrupt where links make more paths than any configuration has.
    """
    found: dict[str, File | Fault] = {}
    waiting: list[tuple[str, tuple[str, ...], Folder, frozenset[tuple[str, ...]]]] = [("", (), root, frozenset({()}))]
    steps = 0
    while waiting:
        prefix, place, folder, around = waiting.pop()
        steps += 1 + len(folder)
        if steps > MAX_FILES:
            raise too_many_files(source)
        for name, node in folder.items():
            reached = follow_path(root, place, name) if isinstance(node, Link) else ((*place, name), node)
            if isinstance(reached, Fault):
                found[prefix + name] = reached
                continue
            inside, target = reached
            if isinstance(target, File):
                found[prefix + name] = target
            elif inside in around:
                found[prefix + name] = _CIRCLE
            else:
                waiting.append((f"{prefix}{name}/", inside, target, around | {inside}))
    return found


def find_file(source: str, listing: Mapping[str, File | Fault], path: str) -> File:
    """The file behind a path. Raises Missing where there is none, Corrupt for one that cannot be read."""
    entry = listing.get(path)
    if isinstance(entry, File):
        return entry
    if entry is None:
        raise NotFoundError(f"{source}: file {path} not found.", "Fix the path.")
    raise CorruptError(f"{source}: {path} {entry.message}", entry.hint)
