"""A branch of a git repository as a store that is written to: one commit on its tip, pushed without force.

The commit is created in a private bare repository from the tip's tree; nothing is checked out. The repository is kept
between changes and fetched incrementally. A push that is not a fast-forward raises ConflictError, and the caller reads
again. The login needs the right to write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from halgit.errors import ConflictError, NotFoundError, RefusedError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.record import Record
from halgit.remotes.git.address import read_address
from halgit.remotes.git.fetch import Tip, default_branch, fetch_branch, fetch_tip, list_refs
from halgit.remotes.git.program import Answer, summarize_message
from halgit.remotes.git.signatures import verify
from halgit.remotes.git.snapshot import GitSnapshot
from halgit.remotes.git.work_directory import REMOTE, WorkDirectory

_NOT_FIRST: Final = r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|incorrect old value"
_NOT_ALLOWED: Final = (
    r"pre-receive hook declined|protected branch|hook declined|remote rejected|GH006|not allowed to push"
)
_PERSON: Final = re.compile(r"\s*([^<>\n]+?)\s*<([^<>\s]+@[^<>\s]+)>\s*")
_FIRST_BRANCH: Final = "main"
_HISTORY: Final = 200
"""Commits that are looked through for who changed an account, and for requests that were answered before."""


class Signing(Record):
    """Author of a commit, and the ssh key that signs it, if any. `author` is `NAME <MAIL>`."""

    author: str = "halgit <halgit@localhost.localdomain>"
    key_file: str = ""


class LogEntry(Record):
    """One commit of the branch; `date` is ISO 8601, `message` the whole text."""

    commit: str
    author: str
    date: str
    message: str


class GitBranch:
    """The tip of a branch, and a way to put one commit on it; `refresh` it before each use and `close` it.

    `onto` is another branch to push to, for a pull request: it must not exist yet. An empty repository is a valid
    start: the first commit creates its branch. Raises UsageError for a ref that is a tag or commit, and RemoteErrors.
    """

    def __init__(self, spec: SourceSpec, access: Access, signing: Signing, onto: str = "") -> None:
        self._name, self._mail = _person(signing.author)
        self._key = signing.key_file
        self._spec = spec
        self._access = access
        self._workplace = WorkDirectory(read_address(spec.url), access)
        self._folder = spec.path.strip("/")
        self._wanted_onto = onto
        self._depth = 1
        self._tip: Tip | None = None
        self._branch = ""
        self._onto = onto
        self._snapshot: GitSnapshot | None = None
        self._verified = ""
        self._log: tuple[str, tuple[LogEntry, ...]] = ("", ())

    def refresh(self) -> None:
        """Fetch the tip. With --verify-signatures, raises UntrustedError if it is not signed by a trusted key."""
        try:
            if self._branch:
                tip = fetch_branch(self._workplace, self._branch, self._depth)
            else:
                tip = fetch_tip(self._workplace, self._spec.ref, self._depth)
        except NotFoundError:
            if list_refs(self._workplace):
                raise
            self._tip, self._snapshot = None, None
            self._onto = self._wanted_onto or self._spec.ref or _FIRST_BRANCH
            return
        if self._access.verify_signatures and tip.commit != self._verified:
            verify(self._workplace, tip, self._access.verify_signatures)
            self._verified = tip.commit
        if not self._branch:
            self._branch = self._branch_of(tip, self._spec.ref)
            self._onto = self._wanted_onto or self._branch
        if self._tip is None or tip.commit != self._tip.commit:
            self._tip = tip
            self._snapshot = GitSnapshot(self._workplace, tip, self._spec, self._access)

    @property
    def revision(self) -> str:
        """The commit that was read; empty for an empty repository."""
        return self._tip.commit if self._tip else ""

    def read(self, path: str) -> bytes | None:
        """Return a file of the tip; None if there is none. Raises UsageError for a symbolic link."""
        if self._snapshot is None or path not in self._snapshot.paths:
            return None
        if path in self._snapshot.links:
            raise UsageError(
                f"{self._workplace.address.url}: {path} is a symbolic link.", "Replace it by the file itself."
            )
        return self._snapshot.read([path])[path]

    def paths(self) -> frozenset[str]:
        """Return all files of the tip."""
        return self._snapshot.paths if self._snapshot else frozenset()

    def history(self) -> tuple[LogEntry, ...]:
        """Return the newest commits of the branch, the newest first."""
        if self._depth == 1:
            self._depth = _HISTORY
            self.refresh()
        if self._tip is None or self._log[0] == self._tip.commit:
            return self._log[1] if self._tip else ()
        form = "%H%x00%an%x00%aI%x00%B%x01"
        text = self._demand("log", f"--max-count={_HISTORY}", f"--format={form}", self._tip.commit)
        rows = (row.strip("\n").split("\0", 3) for row in text.split("\x01") if row.strip())
        self._log = (self._tip.commit, tuple(LogEntry(*row) for row in rows))
        return self._log[1]

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit these files (None: delete) and push; returns the commit.

        Raises ConflictError if another writer was faster, RefusedError if the server refuses a push of this login.
        """
        commit = self._prepare(changes, message)
        answer = self._push(commit)
        if answer.status:
            raise self._rejected(answer)
        self._verified = commit
        return commit

    def check(self, changes: Mapping[str, bytes | None], message: str) -> None:
        """Create the commit here and ask the server whether this login may push it. Raises as `write` does.

        What a hook or a protected branch refuses is only known afterwards.
        """
        answer = self._push(self._prepare(changes, message), "--dry-run")
        if answer.status:
            raise self._rejected(answer)

    def close(self) -> None:
        """Remove what was fetched."""
        self._workplace.close()

    # --- the commit

    def _prepare(self, changes: Mapping[str, bytes | None], message: str) -> str:
        if self._access.verify_signatures and not self._key:
            raise UsageError(
                "--verify-signatures would refuse the commits of this command, which are not signed.",
                "Add --signing-key-file.",
            )
        return self._commit(self._tree(changes), message)

    def _push(self, commit: str, *options: str) -> Answer:
        target = f"refs/heads/{self._onto}"
        lease = [f"--force-with-lease={target}:"] if self._onto != self._branch else []
        return self._workplace.run_online(
            f"pushing to {self._onto}",
            "push",
            "--no-verify",
            "--recurse-submodules=no",
            "--signed=false",
            *options,
            *lease,
            REMOTE,
            f"{commit}:{target}",
            unless=f"{_NOT_FIRST}|{_NOT_ALLOWED}|\\[rejected\\]",
        )

    def _branch_of(self, tip: Tip, ref: str) -> str:
        if tip.ref.startswith("refs/heads/"):
            return tip.ref.removeprefix("refs/heads/")
        if tip.ref != "HEAD":
            raise UsageError(f"--ref {ref} is not a branch, so nothing can be committed to it.", "Name a branch.")
        branch = default_branch(self._workplace)
        if not branch:
            url = self._workplace.address.url
            raise NotFoundError(f"{url}: the repository has no default branch.", "Name one with --ref.")
        return branch

    def _tree(self, changes: Mapping[str, bytes | None]) -> str:
        nothing = self._workplace.folder / "nothing"
        nothing.mkdir(exist_ok=True)
        index = {"GIT_INDEX_FILE": str(self._workplace.folder / "index")}
        away = {"GIT_DIR": str(self._workplace.git.working_dir), "GIT_WORK_TREE": str(nothing)}
        self._demand("read_tree", *([self._tip.commit] if self._tip else ["--empty"]), **index)
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
        parent = ["-p", self._tip.commit] if self._tip else []
        arguments = (*sign, *parent, "-F", str(words), tree)
        answer = self._workplace.run_local("commit_tree", *arguments, settings=settings, **people)
        if answer.status and self._key:
            raise UsageError(f"--signing-key-file {self._key} cannot sign.", "Use an ssh key without a passphrase.")
        return self._output(answer)

    def _demand(self, command: str, *arguments: str, **environment: str) -> str:
        return self._output(self._workplace.run_local(command, *arguments, **environment))

    def _output(self, answer: Answer) -> str:
        if answer.status:
            raise RefusedError(
                f"{self._workplace.address.url}: git says: {summarize_message(answer.words)}", "Check the paths."
            )
        return answer.output.decode("utf-8", "replace").strip()

    def _rejected(self, answer: Answer) -> Exception:
        words = answer.words
        url = self._workplace.address.url
        if self._onto != self._branch and "stale info" in words:
            return UsageError(f"{url}: the branch {self._onto} exists already.", "Choose another one.")
        if re.search(_NOT_FIRST, words):
            return ConflictError(f"{url}: another writer pushed to {self._onto} first.", "Run again.")
        return RefusedError(
            f"{url}: the server refuses the push to {self._onto}: {summarize_message(answer.words)}",
            "Allow the login to push, or use --pull-request-branch.",
        )


def _person(author: str) -> tuple[str, str]:
    match = _PERSON.fullmatch(author)
    if not match:
        raise UsageError("--author is not a name with an address.", "Write it as 'NAME <MAIL>'.")
    return match.group(1), match.group(2)
