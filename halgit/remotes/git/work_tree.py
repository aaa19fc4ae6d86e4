"""Which commit a ref of a work tree on this machine names, and where a folder of it lies. Reads only, online never.

Anything git itself takes as a commit will do here: `origin/main`, `HEAD~1`, a short commit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import quote

from halgit.errors import Missing, SourceError, UsageError
from halgit.operator_settings import Access
from halgit.remotes.git.faults import said
from halgit.remotes.git.program import NO_GIT, finish, start
from halgit.remotes.git.workplace import running

_KNOWN = ("PATH", "HOME", "XDG_CONFIG_HOME", "LANG")
"""What git needs to find itself and the user's own word on which folders are safe."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the repository at `url`, and the folder in it."""

    url: str
    commit: str
    path: str


def commit_of(folder: str, path: str, ref: str, access: Access) -> Commit:
    """The commit `ref` names in the work tree that `folder` lies in, and where `path` below the folder lies in it.

    Raises UsageError for what can be no ref, SourceError for a folder that lies in no work tree or a ref it has not.
    """
    if ref.startswith("-") or any(sign in ref for sign in "\0\n "):
        raise UsageError(f"--base {ref!r} is no name of a commit.", "Give a branch, a tag or a commit.")
    here = os.path.realpath(os.path.join(folder, path))
    try:
        status, top, words = _git(here, access, "rev-parse", "--show-toplevel")
        if status:
            raise SourceError(f"{folder}: this is no git work tree ({said(words)}).", "Use --base-repo SRC instead.")
        status, commit, words = _git(here, access, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except Missing as reason:
        raise SourceError(reason.message, reason.hint) from reason
    if status:
        raise SourceError(
            f"{folder}: the repository has no commit {ref}.",
            "Correct --base, or fetch it first: a pipeline's checkout often holds one commit only (fetch-depth: 0).",
        )
    inside = os.path.relpath(here, top)
    return Commit(f"file://{quote(top)}", commit, "" if inside == "." else inside)


def _git(folder: str, access: Access, *arguments: str) -> tuple[int, str, str]:
    if not os.path.isdir(folder):
        raise SourceError(f"{folder}: this directory does not exist.", "Name a directory, or a git URL.")
    known = {name: access.environment[name] for name in _KNOWN if name in access.environment}
    try:
        process = start(["git", *arguments], folder, {"PATH": os.defpath, **known, "LC_ALL": "C"})
    except FileNotFoundError:
        raise NO_GIT from None
    answer = finish(process, running(access), access.timeout)
    return answer.status, answer.output.decode("utf-8", "surrogateescape").rstrip("\n"), answer.words
