"""From a ref to a commit that is here: one commit deep, and without file contents where the server can leave them out.

One branch, tag or full commit is asked for, or what the server calls HEAD. Nothing is ever checked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from halgit.errors import CorruptError, NotFoundError, RemoteError, UsageError
from halgit.lazy import lazy_pattern
from halgit.record import Record
from halgit.remotes.git.program import Answer
from halgit.remotes.git.work_directory import REMOTE, WorkDirectory

_TIP = "refs/halgit/tip"
_HEADS = "refs/heads/"
_COMMIT = lazy_pattern(r"[0-9a-f]{40}")
_SHORT_COMMIT = lazy_pattern(r"[0-9a-f]{7,39}")
_NOT_IN_A_REF = lazy_pattern(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.$|\.lock(/|$)|(^|/)\.")
_SHOWN = 5

_QUIETLY = ("--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
_WITHOUT_FILES = "--filter=blob:none"
_IGNORED = "filtering not recognized"
_NOT_GIVEN = "does not allow request for unadvertised object"
_NOT_THERE = "not our ref|couldn't find remote ref|no such remote ref"


class Tip(Record):
    """The commit that was fetched. `ref` is what the server knows it by; `has_files`: all contents came with it."""

    commit: str
    ref: str
    has_files: bool

    @property
    def is_tag(self) -> bool:
        return self.ref.startswith("refs/tags/")


def check_ref(ref: str) -> None:
    """Raise UsageError for a text that can be no branch, tag or commit."""
    if ref and (_NOT_IN_A_REF.search(ref) or ref == "@"):
        raise UsageError(
            f"--ref {ref!r} is not a valid branch or tag name.", "Use a branch, a tag or a full commit id."
        )


def fetch_tip(work_directory: WorkDirectory, ref: str, depth: int = 1) -> Tip:
    """Fetch the commit of a branch, tag or full commit id, or of the server's HEAD; with `depth` commits of history.

    Raises Missing with the near names where there is none, UsageError for a name that is a branch and a tag.
    """
    check_ref(ref)
    if _COMMIT.fullmatch(ref.lower()):
        return _fetch_commit(work_directory, ref.lower(), _WITHOUT_FILES)
    name = "HEAD" if ref in {"", "HEAD"} else _full_name(work_directory, ref)
    return _fetch_ref(work_directory, name, _WITHOUT_FILES, depth=depth)


def fetch_branch(work_directory: WorkDirectory, branch: str, depth: int = 1) -> Tip:
    """Fetch the tip of a branch that is known to exist, without looking its name up. Raises NotFoundError."""
    return _fetch_ref(work_directory, f"refs/heads/{branch}", _WITHOUT_FILES, depth=depth)


def read_commit(work_directory: WorkDirectory, ref: str) -> str:
    """The commit that a branch, tag or HEAD has on the server now, from one listing; nothing is fetched.

    Raises NotFoundError where the server has no such ref, UsageError for a name that is a branch and a tag.
    """
    check_ref(ref)
    if _COMMIT.fullmatch(ref.lower()):
        return ref.lower()
    names = ["HEAD"] if ref in {"", "HEAD"} else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    names = [ref] if ref.startswith("refs/") else names
    patterns = [pattern for name in names for pattern in (name, f"{name}^{{}}")]
    answer = work_directory.run_online("looking up the ref", "ls_remote", "--quiet", REMOTE, *patterns)
    rows = (line.split("\t") for line in answer.output.decode("utf-8", "replace").splitlines() if "\t" in line)
    known = {name: commit for commit, name in rows}
    found = [name for name in names if name in known]
    if not found:
        raise _not_there(work_directory, "HEAD") if names == ["HEAD"] else _no_ref(work_directory, ref)
    if len(found) > 1:
        raise _ambiguous(work_directory, ref, found)
    return known.get(f"{found[0]}^{{}}", known[found[0]])


def find_branch(work_directory: WorkDirectory, ref: str) -> str:
    """The branch that a ref names, or without a ref the server's default branch; empty for a tag or a commit."""
    check_ref(ref)
    if _COMMIT.fullmatch(ref.lower()):
        return ""
    if ref in {"", "HEAD"}:
        return default_branch(work_directory)
    name = _full_name(work_directory, ref)
    return name.removeprefix(_HEADS) if name.startswith(_HEADS) else ""


def default_branch(work_directory: WorkDirectory) -> str:
    """The branch that the server's HEAD names; empty where HEAD names none."""
    answer = work_directory.run_online("looking up the branch", "ls_remote", "--quiet", "--symref", REMOTE, "HEAD")
    found = re.search(rb"^ref: refs/heads/(\S+)\tHEAD$", answer.output, re.MULTILINE)
    return found.group(1).decode("utf-8", "replace") if found else ""


def refetch_tip(work_directory: WorkDirectory, tip: Tip) -> Tip:
    """Fetch the same commit with all its files, for a server that gives no single ones."""
    work_directory.reset()
    again = (_fetch_commit if tip.ref == tip.commit else _fetch_ref)(work_directory, tip.ref)
    if again.commit != tip.commit:
        raise CorruptError(
            f"{work_directory.address.url}: {tip.ref} moved while it was being read.", "Run halgit again."
        )
    return again


def fetch_files(work_directory: WorkDirectory, ids: Iterable[str]) -> bool:
    """Fetch these objects in one request. False where the server gives no single objects."""
    wanted = sorted(set(ids))
    answer = work_directory.run_online(
        f"fetching {len(wanted)} files",
        "fetch",
        *_QUIETLY,
        _WITHOUT_FILES,
        "--stdin",
        REMOTE,
        stdin="".join(f"{id}\n" for id in wanted).encode("ascii"),
        unless=f"{_NOT_GIVEN}|not our ref",
    )
    return answer.status == 0


def _fetch_ref(work_directory: WorkDirectory, name: str, *options: str, depth: int = 1) -> Tip:
    """Fetch what a full name of a ref, or HEAD, leads to."""
    answer = _fetch(work_directory, name, *options, depth=depth)
    return Tip(_resolve_tip(work_directory), name, _came_with_files(answer, options))


def _fetch_commit(work_directory: WorkDirectory, commit: str, *options: str) -> Tip:
    """Fetch a commit by its id; from a server that gives none that way, with the history of every branch and tag."""
    answer = _fetch(work_directory, commit, *options, unless=_NOT_GIVEN)
    if answer.status:
        every = ("+refs/heads/*:refs/halgit/heads/*", "+refs/tags/*:refs/halgit/tags/*")
        answer = work_directory.run_online("fetching all history", "fetch", *_QUIETLY, *options, REMOTE, *every)
        if work_directory.run_local("cat_file", "-e", f"{commit}^{{commit}}").status:
            raise _not_there(work_directory, commit)
    return Tip(commit, commit, _came_with_files(answer, options))


def _fetch(work_directory: WorkDirectory, name: str, *options: str, unless: str = "", depth: int = 1) -> Answer:
    """Fetch one ref or commit to _TIP."""
    known = "|".join(filter(None, (_NOT_THERE, unless)))
    refspec = f"+{name}:{_TIP}"
    answer = work_directory.run_online(
        f"fetching {name}", "fetch", *_QUIETLY, f"--depth={depth}", *options, REMOTE, refspec, unless=known
    )
    if answer.status and re.search(_NOT_THERE, answer.words):
        raise _not_there(work_directory, name)
    return answer


def _came_with_files(answer: Answer, options: Sequence[str]) -> bool:
    return _WITHOUT_FILES not in options or _IGNORED in answer.words


def _full_name(work_directory: WorkDirectory, ref: str) -> str:
    """The full name of a branch or tag the server has."""
    known = _advertised(work_directory, ref, f"refs/heads/{ref}", f"refs/tags/{ref}")
    if ref.startswith("refs/") and ref in known:
        return ref
    found = [name for name in (f"refs/heads/{ref}", f"refs/tags/{ref}") if name in known]
    if len(found) > 1:
        raise _ambiguous(work_directory, ref, found)
    if not found:
        raise _no_ref(work_directory, ref)
    return found[0]


def _ambiguous(work_directory: WorkDirectory, ref: str, found: Sequence[str]) -> UsageError:
    return UsageError(
        f"{work_directory.address.url}: {ref} is both a branch and a tag.",
        f"Use --ref {found[0]} or --ref {found[1]}.",
    )


def list_refs(work_directory: WorkDirectory) -> set[str]:
    """Return the full names of all branches and tags of the server; none for an empty repository."""
    return _advertised(work_directory)


def _advertised(work_directory: WorkDirectory, *patterns: str) -> set[str]:
    answer = work_directory.run_online("looking up the ref", "ls_remote", "--quiet", "--refs", REMOTE, *patterns)
    lines = answer.output.decode("utf-8", "replace").splitlines()
    return {line.partition("\t")[2] for line in lines}


def _no_ref(work_directory: WorkDirectory, ref: str) -> RemoteError:
    """The error for a branch or tag that is not there, with those that are near it."""
    if _SHORT_COMMIT.fullmatch(ref.lower()):
        return NotFoundError(
            f"{work_directory.address.url}: {ref} is not a branch or tag; it looks like an abbreviated commit id.",
            "Use all 40 characters of the commit id.",
        )
    advertised = _advertised(work_directory, "refs/heads/*", "refs/tags/*")
    known = sorted(name.split("/", 2)[2] for name in advertised if not _NOT_IN_A_REF.search(name))
    near = get_close_matches(ref, known, n=_SHOWN, cutoff=0.5) or known[:_SHOWN]
    more = f" and {len(known) - len(near)} more" if len(known) > len(near) else ""
    there = f"the repository has {', '.join(near)}{more}" if near else "the repository has none"
    return NotFoundError(f"{work_directory.address.url}: branch or tag {ref} not found; {there}.", "Fix --ref.")


def _not_there(work_directory: WorkDirectory, name: str) -> RemoteError:
    url = work_directory.address.url
    if name == "HEAD":
        return NotFoundError(
            f"{url}: the repository has no default branch; it is empty, or the URL leads to a web page.",
            "Push a branch, or fix the URL.",
        )
    what = "commit" if _COMMIT.fullmatch(name) else "ref"
    return NotFoundError(f"{url}: {what} {name} not found.", "Fix --ref.")


def _resolve_tip(work_directory: WorkDirectory) -> str:
    """The commit _TIP leads to, through a tag if it is one."""
    answer = work_directory.run_local("rev_parse", "--verify", "--quiet", f"{_TIP}^{{commit}}")
    if answer.status:
        raise NotFoundError(
            f"{work_directory.address.url}: the ref does not point to a commit.",
            "Use a branch, a tag or a full commit id.",
        )
    return answer.output.decode("ascii").strip()
