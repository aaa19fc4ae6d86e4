"""Git repositories made for a test, with nothing of this machine's git configuration in them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import needs

CLEAN = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
}


class Repository:
    """A work tree on branch main, and what is done to it. `folder` can be served as it is."""

    def __init__(self, folder: Path, **environment: str) -> None:
        needs.program("git", "git")
        self.folder = folder
        self.environment = {**CLEAN, "HOME": str(folder), **environment}
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", "--template=")

    @property
    def url(self) -> str:
        """Its file URL."""
        return f"file://{self.folder}"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git here; what it says, without the last newline."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.environment, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def commit(self, files: Mapping[str, str | bytes] | None = None, *options: str) -> str:
        """Write these files and commit everything; the commit."""
        for path, content in (files or {}).items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all", "--force", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message=A change", *options)
        return self.git("rev-parse", "HEAD")

    def tree(self, entries: Sequence[tuple[str, str, str]]) -> str:
        """A tree object of (mode, id, name), written as it is: names git itself would refuse, too."""
        kinds = {"040000": "40000"}
        raw = b"".join(
            kinds.get(mode, mode).encode() + b" " + os.fsencode(name) + b"\0" + bytes.fromhex(id)
            for mode, id, name in entries
        )
        return self.git("hash-object", "-w", "--literally", "-t", "tree", "--stdin", stdin=raw)

    def blob(self, content: bytes) -> str:
        """A blob object."""
        return self.git("hash-object", "-w", "--stdin", stdin=content)

    def point(self, tree: str, branch: str = "main") -> str:
        """Make a branch a commit of this tree; the commit."""
        commit = self.git("commit-tree", tree, "-m", "A tree")
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit
