"""A commit as a source: files listed from its trees, contents fetched on demand; and commits of local work trees.

One `read` fetches all its contents in one request. Files are returned as git stores them, without filters or line-end
conversion. A submodule is not part of the snapshot.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from urllib.parse import quote

from halgit.errors import CorruptError, NotFoundError, RemoteError, SourceError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import SourceId
from halgit.record import Record
from halgit.remotes import files
from halgit.remotes.git.fetch import Tip, fetch_files, refetch_tip
from halgit.remotes.git.program import NO_GIT, finish, start, summarize_message
from halgit.remotes.git.work_directory import WorkDirectory, running_programs

_LINK = "120000"
_MODULE = "160000"
_LONGEST_LINK = 4096


class GitSnapshot:
    """The files of one commit; see `Snapshot` in `tree.py`. Not for several threads at once."""

    def __init__(self, work_directory: WorkDirectory, tip: Tip, spec: SourceSpec, access: Access) -> None:
        self.source = SourceId(work_directory.address.url, tip.commit, spec.ref, spec.path)
        self._workplace = work_directory
        self._tip = tip
        self._name = work_directory.address.url
        self._largest = access.largest_file
        self._here: set[str] = set()
        self._modules: list[str] = []
        self.links: frozenset[str] = frozenset()
        self._listing = files.resolve_links(self._name, self._root(spec.path))
        self.paths = frozenset(self._listing)
        for module in self._modules:
            access.progress(f"{self._name}: submodule {module} is skipped")

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        wanted = {path: files.find_file(self._name, self._listing, path).key for path in paths}
        self._fetch(wanted.values())
        return {path: self._content(path, id) for path, id in wanted.items()}

    def close(self) -> None:
        """End git and remove its folder; nothing can be read afterwards."""
        self._workplace.close()

    def _fetch(self, ids: Iterable[str]) -> None:
        """Make these contents be here."""
        missing = set(ids) - self._here
        if self._tip.has_files or not missing:
            return
        if not fetch_files(self._workplace, missing):
            self._tip = refetch_tip(self._workplace, self._tip)
        self._here |= missing

    def _content(self, path: str, id: str) -> bytes:
        size = self._workplace.size(id)
        files.refuse_size(self._name, path, size, self._largest)
        content = self._workplace.content(id)
        files.refuse_content(self._name, path, content)
        return content

    def _root(self, path: str) -> files.Folder:
        """The folder that is the source's root."""
        if not path:
            return self._tree()
        listing = self._workplace.list_files(f"{self._tip.commit}:{path}")
        if listing is not None:
            return self._planted(listing)
        whole = self._tree()
        reached = files.follow_path(whole, (), path)
        if isinstance(reached, files.Fault):
            raise self._no_folder(path, reached, _folders(whole))
        if isinstance(reached[1], files.File):
            raise NotFoundError(f"{self._name}: {path} is a file, not a folder.", "Select a folder with --path.")
        return reached[1]

    def _tree(self) -> files.Folder:
        listing = self._workplace.list_files(self._tip.commit)
        if listing is None:
            raise CorruptError(f"{self._name}: commit {self._tip.commit} has no tree.", "Check it with git fsck.")
        return self._planted(listing)

    def _planted(self, listing: bytes) -> files.Folder:
        """What `git ls-tree -r -z` says as nested folders, with the targets of links read."""
        rows = [_Row.read(self._name, line) for line in listing.split(b"\0") if line]
        kept = [row for row in rows if ".git" not in row.path.lower().split("/")]
        self._modules = [row.path for row in kept if row.mode == _MODULE]
        links = {row.id for row in kept if row.mode == _LINK}
        self.links = frozenset(row.path for row in kept if row.mode == _LINK)
        self._fetch(links)
        targets = {id: self._target(id) for id in links}
        root: files.Folder = {}
        for row in kept:
            if row.mode == _MODULE:
                continue
            node = files.Link(targets[row.id]) if row.mode == _LINK else files.File(row.id)
            try:
                files.add_node(root, row.path, node)
            except ValueError:
                raise CorruptError(f"{self._name}: the tree has {row.path} twice.", "Check it with git fsck.") from None
        return root

    def _target(self, id: str) -> str:
        """The text of a link; one too long for any path leads nowhere."""
        if self._workplace.size(id) > _LONGEST_LINK:
            return "\0"
        return self._workplace.content(id).decode("utf-8", "surrogateescape")

    def _no_folder(self, path: str, fault: files.Fault, known: Iterable[str]) -> RemoteError:
        where = f"{self._name}: the folder {path}"
        if fault is not files.DANGLING:
            return CorruptError(f"{where} {fault.message}", fault.hint)
        for module in self._modules:
            if path == module or path.startswith(module + "/"):
                return NotFoundError(
                    f"{where} is in submodule {module}, which is not fetched.", "Use the submodule's own URL."
                )
        near = get_close_matches(path, known, n=2, cutoff=0.7)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Fix --path."
        return NotFoundError(f"{where} not found in commit {self._tip.commit[:12]}.", hint)


def _folders(root: files.Folder) -> list[str]:
    """The paths of all folders, links not followed."""
    found = []
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        for name, node in folder.items():
            if isinstance(node, dict):
                found.append(prefix + name)
                waiting.append((f"{prefix}{name}/", node))
    return found


class _Row(Record):
    """One line of `git ls-tree`."""

    mode: str
    id: str
    path: str

    @classmethod
    def read(cls, name: str, line: bytes) -> _Row:
        about, _, raw = line.partition(b"\t")
        mode, _, id = about.decode("ascii").split(" ")
        path = raw.decode("utf-8", "surrogateescape")
        files.refuse_name(name, path)
        return cls(mode, id, path)


_KNOWN = ("PATH", "HOME", "XDG_CONFIG_HOME", "LANG")
"""What git needs to find itself and the user's own word on which folders are safe."""


class Commit(Record):
    """A commit of the repository at `url`, and the folder in it."""

    url: str
    commit: str
    path: str


def find_commit(folder: str, path: str, ref: str, access: Access) -> Commit:
    """The commit `ref` names in the work tree that `folder` lies in, and where `path` below the folder lies in it.

    Raises UsageError for what can be no ref, SourceError for a folder that lies in no work tree or a ref it has not.
    """
    if ref.startswith("-") or any(sign in ref for sign in "\0\n "):
        raise UsageError(f"--base {ref!r} is not a valid commit name.", "Give a branch, a tag or a commit.")
    here = os.path.realpath(os.path.join(folder, path))
    try:
        status, top, words = _git(here, access, "rev-parse", "--show-toplevel")
        if status:
            raise SourceError(
                f"{folder}: not a git work tree ({summarize_message(words)}).", "Use --base-repo SRC instead."
            )
        status, commit, words = _git(here, access, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except NotFoundError as reason:
        raise SourceError(reason.message, reason.hint) from reason
    if status:
        raise SourceError(
            f"{folder}: commit {ref} not found in the repository.",
            "Fix --base, or fetch the commit first: pipelines often check out one commit only (set fetch-depth: 0).",
        )
    inside = os.path.relpath(here, top)
    return Commit(f"file://{quote(top)}", commit, "" if inside == "." else inside)


def _git(folder: str, access: Access, *arguments: str) -> tuple[int, str, str]:
    if not os.path.isdir(folder):
        raise SourceError(f"{folder}: the directory does not exist.", "Name a directory, or a git URL.")
    known = {name: access.environment[name] for name in _KNOWN if name in access.environment}
    try:
        process = start(["git", *arguments], folder, {"PATH": os.defpath, **known, "LC_ALL": "C"})
    except FileNotFoundError:
        raise NO_GIT from None
    answer = finish(process, running_programs(access), access.timeout)
    return answer.status, answer.output.decode("utf-8", "surrogateescape").rstrip("\n"), answer.words
