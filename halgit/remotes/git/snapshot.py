"""A commit as a source: files listed from its trees, contents fetched on demand; and commits of local work trees.

One `read` fetches all its contents in one request. Files are returned as git stores them, without filters or line-end
conversion. Submodules are fetched at their pinned commits where the operator allows it, and skipped otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from threading import RLock
from urllib.parse import quote

from halgit.errors import CorruptError, NotFoundError, RemoteError, SourceError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import SourceId
from halgit.record import Record
from halgit.remotes import files
from halgit.remotes.git.address import Address
from halgit.remotes.git.contents import LINK, MODULE, CommitContents, Row
from halgit.remotes.git.fetch import Tip, fetch_tip, find_branch
from halgit.remotes.git.program import NO_GIT, finish, start, summarize_message
from halgit.remotes.git.submodules import (
    RefusedSubmodule,
    check_limits,
    find_address,
    limit_access,
)
from halgit.remotes.git.work_directory import WorkDirectory, running_programs


class GitSnapshot:
    """The files of one commit; see `Snapshot` in `pipeline.py`. Overlays that compile at once read it in turn.

    Its git processes answer on one pipe each, so that two threads would get each other's answers.
    `submodules` are the paths of those that are not fetched, with the reason and the next step.
    """

    def __init__(self, work_directory: WorkDirectory, tip: Tip, spec: SourceSpec, access: Access) -> None:
        self.source = SourceId(work_directory.address.url, tip.commit, spec.ref, spec.path)
        self._work_directory = work_directory
        self._lock = RLock()
        self._name = work_directory.address.url
        self._access = access
        self._main = CommitContents(work_directory, tip, access.largest_file)
        self._fetched: list[CommitContents] = []
        self._count = 0
        self._owners: dict[str, CommitContents] = {}
        self._skipped: dict[str, RefusedSubmodule] = {}
        self.links: frozenset[str] = frozenset()
        try:
            self._listing = files.resolve_links(self._name, self._root(spec.path))
        except BaseException:
            self._close_submodules()
            raise
        self.paths = frozenset(self._listing)
        start = f"{spec.path}/" if spec.path else ""
        self.submodules = {
            path.removeprefix(start): (one.reason, one.hint)
            for path, one in self._skipped.items()
            if path.startswith(start)
        }
        for module in self.submodules:
            access.progress(f"{self._name}: submodule {module} is skipped")

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        wanted = {path: files.find_file(self._name, self._listing, path).key for path in paths}
        with self._lock:
            for contents in (self._main, *self._fetched):
                contents.fetch(id for id in wanted.values() if self._owner(id) is contents)
            return {path: self._owner(id).content(path, id) for path, id in wanted.items()}

    def branch(self) -> str:
        """The branch that the ref names, the default branch without a ref; empty for a tag or a commit."""
        with self._lock:
            return find_branch(self._work_directory, self.source.ref)

    def close(self) -> None:
        """End git and remove its folders; nothing can be read afterwards."""
        self._close_submodules()
        self._main.close()

    def _close_submodules(self) -> None:
        for contents in self._fetched:
            contents.close()

    def _owner(self, id: str) -> CommitContents:
        """The repository that has a content; one content may be in several."""
        return self._owners.get(id, self._main)

    # --- the tree ----------------------------------------------------------------------------------------------

    def _root(self, path: str) -> files.Folder:
        """The folder that is the source's root."""
        if not path:
            return self._whole()
        rows = self._main.rows(path)
        if rows is not None:
            root: files.Folder = {}
            self._add(root, self._main, rows, _Place(path, "", 1))
            return root
        whole = self._whole()
        reached = files.follow_path(whole, (), path)
        if isinstance(reached, files.Fault):
            raise self._no_folder(path, reached, _folders(whole))
        if isinstance(reached[1], files.File):
            raise NotFoundError(f"{self._name}: {path} is a file, not a folder.", "Select a folder with --path.")
        return reached[1]

    def _whole(self) -> files.Folder:
        root: files.Folder = {}
        self._add(root, self._main, self._rows(self._main), _Place("", "", 1))
        return root

    def _rows(self, contents: CommitContents) -> list[Row]:
        rows = contents.rows()
        if rows is None:
            commit = contents.tip.commit
            raise CorruptError(f"{contents.name}: commit {commit} has no tree.", "Check it with git fsck.")
        return rows

    def _add(self, root: files.Folder, contents: CommitContents, rows: Sequence[Row], place: _Place) -> None:
        """Add the files of a repository to nested folders, with the targets of links read, and its submodules."""
        self._count += len(rows)
        if self._count > files.MAX_FILES:
            raise files.too_many_files(self._name)
        links = [row for row in rows if row.mode == LINK]
        targets = contents.targets(row.id for row in links)
        self.links |= {place.path(row.path) for row in links}
        if contents is not self._main:
            self._owners.update(dict.fromkeys((row.id for row in rows), contents))
        for row in (row for row in rows if row.mode != MODULE):
            node = files.Link(targets[row.id]) if row.mode == LINK else files.File(row.id)
            try:
                files.add_node(root, place.path(row.path), node)
            except ValueError:
                raise CorruptError(f"{self._name}: the tree has {row.path} twice.", "Check it with git fsck.") from None
        self._add_submodules(root, contents, rows, place)

    # --- submodules --------------------------------------------------------------------------------------------

    def _add_submodules(self, root: files.Folder, contents: CommitContents, rows: Sequence[Row], place: _Place) -> None:
        modules = [row for row in rows if row.mode == MODULE]
        urls = contents.module_settings() if modules and self._access.submodules else {}
        for row in modules:
            self._add_submodule(root, contents, row, urls, place)

    def _add_submodule(
        self, root: files.Folder, parent: CommitContents, row: Row, urls: Mapping[str, str], place: _Place
    ) -> None:
        """Add the files of a submodule at its pinned commit, or remember why they are skipped."""
        inside = place.in_repository(row.path)
        try:
            address = find_address(self._main.address, parent.address, urls.get(inside), self._access)
            check_limits(place.depth, len(self._fetched))
        except RefusedSubmodule as refused:
            self._skipped[place.in_source(row.path)] = refused
            return
        access = limit_access(self._access, self._main.address, address)
        contents = self._fetch_submodule(address, row, access)
        path = place.path(row.path)
        self._add(root, contents, self._rows(contents), _Place("", path, place.depth + 1, place.in_source(row.path)))

    def _fetch_submodule(self, address: Address, row: Row, access: Access) -> CommitContents:
        try:
            work_directory = WorkDirectory(address, access)
        except UsageError as reason:
            message = f"{self._name}: submodule {row.path}: {reason.message}"
            raise UsageError(message, f"Set them with {address.server}=FILE. {reason.hint}") from reason
        try:
            tip = fetch_tip(work_directory, row.id)
        except RemoteError as reason:
            work_directory.close()
            raise type(reason)(f"{self._name}: submodule {row.path}: {reason.message}", reason.hint) from reason
        except BaseException:
            work_directory.close()
            raise
        contents = CommitContents(work_directory, tip, access.largest_file)
        self._fetched.append(contents)
        return contents

    def _no_folder(self, path: str, fault: files.Fault, known: Iterable[str]) -> RemoteError:
        where = f"{self._name}: the folder {path}"
        if fault is not files.DANGLING:
            return CorruptError(f"{where} {fault.message}", fault.hint)
        for module, refused in self._skipped.items():
            if path == module or path.startswith(module + "/"):
                return NotFoundError(f"{where} is in submodule {module}, which {refused.reason}", refused.hint)
        near = get_close_matches(path, known, n=2, cutoff=0.7)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Fix --path."
        return NotFoundError(f"{where} not found in commit {self._main.tip.commit[:12]}.", hint)


class _Place(Record):
    """Places of the listed files of a repository.

    `listed` is the folder of the repository that is listed, `prefix` the place of that folder below the source's root,
    `root` the place of the repository in the one that the operator named.
    """

    listed: str
    prefix: str
    depth: int
    root: str = ""

    def path(self, path: str) -> str:
        """Return the path below the source's root."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def in_repository(self, path: str) -> str:
        """Return the path in the repository itself, as its `.gitmodules` has it."""
        return f"{self.listed}/{path}" if self.listed else path

    def in_source(self, path: str) -> str:
        """Return the path in the repository that the operator named."""
        inside = self.in_repository(path)
        return f"{self.root}/{inside}" if self.root else inside


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


_KNOWN = ("PATH", "HOME", "XDG_CONFIG_HOME", "LANG")
"""Variables that git needs to find itself and the user's list of safe folders."""


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
