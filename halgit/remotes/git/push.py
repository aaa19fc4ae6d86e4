"""A branch of a git repository as a place to write to: one commit on its tip, pushed without force.

The commit is made in a private bare repository from the tip's tree; nothing is checked out. Who pushed first wins:
a push that is not a fast-forward raises Conflicting, and the caller reads again. A log-in needs the right to write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from halgit.errors import ConflictError, NotFoundError, RefusedError, UsageError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access, SourceSpec
from halgit.record import Record
from halgit.remotes.git.address import read_address
from halgit.remotes.git.fetch import Tip, fetch_tip
from halgit.remotes.git.program import Answer, summarize_message
from halgit.remotes.git.snapshot import GitSnapshot
from halgit.remotes.git.work_directory import REMOTE, WorkDirectory

_NOT_FIRST: Final = r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|incorrect old value"
_NOT_ALLOWED: Final = (
    r"pre-receive hook declined|protected branch|hook declined|remote rejected|GH006|not allowed to push"
)
_PERSON: Final = lazy_pattern(r"\s*([^<>\n]+?)\s*<([^<>\s]+@[^<>\s]+)>\s*")


class Signing(Record):
    """Who commits, and the ssh key that signs, if any. `author` is `NAME <MAIL>`."""

    author: str = "halgit <halgit@localhost.localdomain>"
    key_file: str = ""


class GitBranch:
    """The tip of a branch as it is now, and a way to put one commit on it; `close` it.

    `onto` is another branch to push to, for a pull request: it must not be there yet.
    Raises UsageError for a ref that is a tag or commit, and RemoteErrors.
    """

    def __init__(self, spec: SourceSpec, access: Access, signing: Signing, onto: str = "") -> None:
        self._name, self._mail = _person(signing.author)
        self._key = signing.key_file
        self._workplace = WorkDirectory(read_address(spec.url), access)
        try:
            self._tip = fetch_tip(self._workplace, spec.ref)
            self._branch = self._branch_of(self._tip, spec.ref)
            self._onto = onto or self._branch
            self._snapshot = GitSnapshot(self._workplace, self._tip, spec, access)
        except BaseException:
            self._workplace.close()
            raise
        self._folder = spec.path.strip("/")

    @property
    def revision(self) -> str:
        """The commit that was read."""
        return self._tip.commit

    def read(self, path: str) -> bytes | None:
        """A file of the tip; None where there is none."""
        return self._snapshot.read([path])[path] if path in self._snapshot.paths else None

    def paths(self) -> frozenset[str]:
        """All files of the tip."""
        return self._snapshot.paths

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit these files (None: gone) and push; the new commit.

        Raises Conflicting where another writer was first, Refused where the server takes no push from this login.
        """
        commit = self._commit(self._tree(changes), message)
        target = f"refs/heads/{self._onto}"
        lease = [f"--force-with-lease={target}:"] if self._onto != self._branch else []
        answer = self._workplace.run_online(
            f"pushing to {self._onto}",
            "push",
            "--no-verify",
            "--recurse-submodules=no",
            "--signed=false",
            *lease,
            REMOTE,
            f"{commit}:{target}",
            unless=f"{_NOT_FIRST}|{_NOT_ALLOWED}|\\[rejected\\]",
        )
        if answer.status:
            raise self._rejected(answer)
        return commit

    def close(self) -> None:
        """Remove what was fetched."""
        self._snapshot.close()

    # --- the commit

    def _branch_of(self, tip: Tip, ref: str) -> str:
        if tip.ref.startswith("refs/heads/"):
            return tip.ref.removeprefix("refs/heads/")
        if tip.ref != "HEAD":
            raise UsageError(f"--ref {ref} is not a branch, so it cannot take a commit.", "Name a branch.")
        answer = self._workplace.run_online("looking up the branch", "ls_remote", "--quiet", "--symref", REMOTE, "HEAD")
        found = re.search(rb"^ref: refs/heads/(\S+)\tHEAD$", answer.output, re.MULTILINE)
        if not found:
            raise NotFoundError(f"{self._workplace.address.url}: it has no default branch.", "Set --ref.")
        return found.group(1).decode()

    def _tree(self, changes: Mapping[str, bytes | None]) -> str:
        nothing = self._workplace.folder / "nothing"
        nothing.mkdir(exist_ok=True)
        index = {"GIT_INDEX_FILE": str(self._workplace.folder / "index")}
        away = {"GIT_DIR": str(self._workplace.git.working_dir), "GIT_WORK_TREE": str(nothing)}
        self._demand("read_tree", self._tip.commit, **index)
        for number, (path, content) in enumerate(changes.items()):
            whole = f"{self._folder}/{path}" if self._folder else path
            if content is None:
                self._demand("update_index", "--force-remove", "--", whole, **index, **away)
                continue
            file = self._workplace.folder / f"blob-{number}"
            file.touch(mode=0o600)
            file.write_bytes(content)
            blob = self._demand("hash_object", "-w", "--no-filters", "--", str(file))
            self._demand("update_index", "--add", "--cacheinfo", f"100644,{blob},{whole}", **index)
        return self._demand("write_tree", "--missing-ok", **index)

    def _commit(self, tree: str, message: str) -> str:
        words = self._workplace.folder / "message"
        words.write_text(message, encoding="utf-8")
        people = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (("NAME", self._name), ("EMAIL", self._mail))
        }
        settings = [f"user.signingkey={Path(self._key).absolute()}", "gpg.format=ssh"] if self._key else []
        sign = ["-S"] if self._key else []
        answer = self._workplace.run_local(
            "commit_tree", *sign, "-p", self._tip.commit, "-F", str(words), tree, settings=settings, **people
        )
        if answer.status and self._key:
            raise UsageError(f"--signing-key-file {self._key} cannot sign.", "Use an ssh key without a passphrase.")
        return self._output(answer)

    def _demand(self, command: str, *arguments: str, **environment: str) -> str:
        return self._output(self._workplace.run_local(command, *arguments, **environment))

    def _output(self, answer: Answer) -> str:
        if answer.status:
            raise RefusedError(
                f"{self._workplace.address.url}: git reported: {summarize_message(answer.words)}", "Check the paths."
            )
        return answer.output.decode("ascii", "replace").strip()

    def _rejected(self, answer: Answer) -> Exception:
        words = answer.words
        url = self._workplace.address.url
        if self._onto != self._branch and "stale info" in words:
            return UsageError(f"{url}: the branch {self._onto} already exists.", "Name another one.")
        if re.search(_NOT_FIRST, words):
            return ConflictError(f"{url}: another writer pushed to {self._onto} first.", "Run again.")
        return RefusedError(
            f"{url}: the server rejected the push to {self._onto}: {summarize_message(answer.words)}",
            "Grant the login push permission, or use --pull-request-branch.",
        )


def _person(author: str) -> tuple[str, str]:
    match = _PERSON.fullmatch(author)
    if not match:
        raise UsageError("--author is not a name with an e-mail address.", "Write it as 'NAME <MAIL>'.")
    return match.group(1), match.group(2)
