"""The objects of one commit in one repository: its listing, and contents that are fetched on demand."""

from __future__ import annotations

from collections.abc import Iterable

from halgit.errors import CorruptError
from halgit.record import Record
from halgit.remotes import files
from halgit.remotes.git.fetch import Tip, fetch_files, refetch_tip
from halgit.remotes.git.work_directory import WorkDirectory

LINK = "120000"
MODULE = "160000"
_LONGEST_LINK = 4096


class Row(Record):
    """One line of `git ls-tree`."""

    mode: str
    id: str
    path: str

    @classmethod
    def read(cls, name: str, line: bytes) -> Row:
        """Parse a line. Raises CorruptError for a path that cannot be part of a tree."""
        about, _, raw = line.partition(b"\t")
        mode, _, id = about.decode("ascii").split(" ")
        path = raw.decode("utf-8", "surrogateescape")
        files.refuse_name(name, path)
        return cls(mode, id, path)


class CommitContents:
    """One commit of one repository. Not for several threads at once."""

    def __init__(self, work_directory: WorkDirectory, tip: Tip, largest: int) -> None:
        self.name = work_directory.address.url
        self.address = work_directory.address
        self.tip = tip
        self._work_directory = work_directory
        self._largest = largest
        self._here: set[str] = set()

    def close(self) -> None:
        """End git and remove its folder."""
        self._work_directory.close()

    def rows(self, folder: str = "") -> list[Row] | None:
        """Return the files, links and submodules below a folder, without `.git`; None if there is no such folder."""
        tree = f"{self.tip.commit}:{folder}" if folder else self.tip.commit
        listing = self._work_directory.list_files(tree)
        if listing is None:
            return None
        rows = [Row.read(self.name, line) for line in listing.split(b"\0") if line]
        return [row for row in rows if ".git" not in row.path.lower().split("/")]

    def fetch(self, ids: Iterable[str]) -> None:
        """Fetch the contents that are not here yet, in one request."""
        missing = set(ids) - self._here
        if self.tip.has_files or not missing:
            return
        if not fetch_files(self._work_directory, missing):
            self.tip = refetch_tip(self._work_directory, self.tip)
        self._here |= missing

    def content(self, path: str, id: str) -> bytes:
        """Return a fetched content. Raises CorruptError if it is too large or a Git LFS pointer."""
        files.refuse_size(self.name, path, self._work_directory.size(id), self._largest)
        content = self._work_directory.content(id)
        files.refuse_content(self.name, path, content)
        return content

    def targets(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the texts of links by id; one too long for any path leads nowhere."""
        wanted = set(ids)
        self.fetch(wanted)
        return {id: self._target(id) for id in wanted}

    def _target(self, id: str) -> str:
        if self._work_directory.size(id) > _LONGEST_LINK:
            return "\0"
        return self._work_directory.content(id).decode("utf-8", "surrogateescape")

    def module_settings(self) -> dict[str, str]:
        """Return the URL of each submodule path, as `.gitmodules` of this commit has them."""
        listed = self._work_directory.run_local("ls_tree", "-z", "--full-tree", self.tip.commit, "--", ".gitmodules")
        rows = [Row.read(self.name, line) for line in listed.output.split(b"\0") if line]
        if not rows or rows[0].mode in {LINK, MODULE}:
            return {}
        self.fetch([rows[0].id])
        self.content(".gitmodules", rows[0].id)
        answer = self._work_directory.run_local("config", "--blob", rows[0].id, "--null", "--list")
        if answer.status:
            raise CorruptError(f"{self.name}: .gitmodules cannot be parsed.", "Fix the file.")
        return _urls_by_path(answer.output.decode("utf-8", "surrogateescape"))


def _urls_by_path(listing: str) -> dict[str, str]:
    """Parse `git config --null --list`: `submodule.NAME.path`, a newline and the value."""
    values: dict[str, dict[str, str]] = {}
    for entry in listing.split("\0"):
        key, _, value = entry.partition("\n")
        section, _, rest = key.partition(".")
        name, _, field = rest.rpartition(".")
        if section == "submodule" and name:
            values.setdefault(name, {})[field] = value
    return {one["path"].strip("/"): one["url"] for one in values.values() if "path" in one and "url" in one}
