"""One tree into one directory, all or nothing: the sequence of publishing, its refusals, and its clearing up.

A run that fails or is interrupted clears up with the very steps the next run would take, so there is one way back
only. Nothing here makes a tree's content or opens a secret.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from halgit.errors import PublishError
from halgit.publish.exchange import Settled, settle
from halgit.publish.filesystem import DISK, GROUP, NO_EXCHANGE, PRIVATE, Disk, build, parents, reported, take_away
from halgit.publish.journal import finish, prepare
from halgit.publish.lock import locked
from halgit.publish.manifest import MANIFEST, Manifest, check_paths
from halgit.publish.target import (
    LEFTOVERS,
    MAKING,
    PENDING,
    TREE,
    Comparison,
    Job,
    Site,
    Standing,
    difference,
    find_site,
    free_name,
    read_target,
    work_tree,
)

Way = Literal["unchanged", "rename", "exchange", "journal"]
"""How the tree got there: not at all, in one step into an empty place, in one step against the old, one by one."""

_FORCE = "use --force, which keeps the old tree as {name}.before-<time>."
_LISTED = 20
_PARENTS = 0o755
"""Of the folders made above a target: they hold nothing but it, and Halyard may be another user who passes through."""


def _utc() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Options:
    """How to publish. `wait` is in seconds; `secrets` says that the files hold opened secrets.

    `ignored` answers whether git ignores a path, None where git cannot say; without it nobody can.
    """

    force: bool = False
    group_access: bool = False
    wait: float = 60.0
    secrets: bool = False
    ignored: Callable[[Path], bool | None] | None = None
    now: Callable[[], datetime] = _utc


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did. Paths of the tree are relative to it.

    `carried` came over from the old tree; `left_behind` of it did not, for something was in its place, and is in
    `kept`, where the old is kept. `recovered`: an earlier run had died here, and this one cleared up after it.
    """

    target: Path
    way: Way
    comparison: Comparison
    carried: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()
    recovered: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        return self.way != "unchanged"


def publish(
    files: Mapping[str, bytes], manifest: Manifest, target: Path, options: Options = Options(), disk: Disk = DISK
) -> Outcome:
    """Make the target hold exactly these files, and what it held besides halgit's own.

    Raises PublishError; the old tree is then as it was, or the message says how it stands.
    """
    check_paths(files)
    with reported(target):
        job = _job(files, manifest, target, options, disk)
        _check_git(job.site.target, options)
        comparison = _compare(job)
    if comparison.same:
        return Outcome(job.site.target, "unchanged", comparison)
    with (
        reported(target, lambda: _account(job)),
        parents(job.site.target.parent, _PARENTS, disk),
        _locked(job, options),
    ):
        return _publish(job, options)


def compare(
    files: Mapping[str, bytes], manifest: Manifest, target: Path, options: Options = Options(), disk: Disk = DISK
) -> Comparison:
    """What `publish` would do to the target; reads only, and waits for nobody."""
    check_paths(files)
    with reported(target):
        return _compare(_job(files, manifest, target, options, disk))


def _job(files: Mapping[str, bytes], manifest: Manifest, target: Path, options: Options, disk: Disk) -> Job:
    whole = {path: files[path] for path in sorted(files)} | {MANIFEST: manifest.encode(files)}
    return Job(find_site(target, disk), whole, GROUP if options.group_access else PRIVATE, options.now, disk)


def _compare(job: Job) -> Comparison:
    return difference(job.files, _read_state(job), job.site.leftovers(job.disk))


def _read_state(job: Job) -> Standing:
    return read_target(job.site.target, job.files, job.modes, job.disk)


@contextmanager
def _locked(job: Job, options: Options) -> Iterator[None]:
    with locked(job.site.room, job.site.target, options.wait, job.modes, job.disk):
        try:
            yield
        except BaseException:
            with suppress(OSError):
                _recover(job)
            raise


def _publish(job: Job, options: Options) -> Outcome:
    dead = _dead(job.site, job.disk)
    settled = _recover(job)
    standing = _read_state(job)
    comparison = difference(job.files, standing, unfinished=False)
    way: Way = "unchanged"
    warnings: list[str] = []
    if not comparison.same:
        _refuse(job.site.target, standing, options)
        warnings += _owner(job)
        way, after = _flip(job, standing)
        settled += after
    warnings += _kept_in_the_open(settled.kept, options, job.disk)
    return Outcome(
        job.site.target, way, comparison, settled.carried, settled.left_behind, settled.kept, dead, tuple(warnings)
    )


# --- ways


def _flip(job: Job, standing: Standing) -> tuple[Way, Settled]:
    """Put the new tree in the place of the old, in one step where the system has one."""
    site, disk = job.site, job.disk
    near = False
    if site.beside:
        tree = site.beside / TREE
        _build(job, site.beside)
        if not standing.exists or not disk.names(site.target):
            disk.rename(tree, site.target)
            disk.sync_folder(site.target.parent)
            return "rename", Settled()
        try:
            disk.exchange(tree, site.target)
        except OSError as error:
            if error.errno not in NO_EXCHANGE:
                raise
            near = error.errno not in (errno.EBUSY, errno.EXDEV)
        else:
            disk.sync_folder(site.target.parent)
            disk.sync_folder(site.beside)
            return "exchange", _settle(job)
        _settle(job)
    keep = free_name(site.target, site.target.parent if near else site.target, job.now, disk)
    prepare(job, standing, keep)
    return "journal", _finish(job)


def _build(job: Job, room: Path) -> None:
    """Write the whole new tree into the private folder; only a whole one is ever named TREE."""
    build(room / MAKING, job.files, job.modes, job.group, job.disk)
    job.disk.rename(room / MAKING, room / TREE)
    job.disk.sync_folder(room)


def _settle(job: Job) -> Settled:
    return settle(job.site, job.modes, job.now, job.disk)


def _finish(job: Job) -> Settled:
    settled = finish(job.site, job.modes, job.disk)
    if job.site.beside:
        with suppress(OSError):
            job.disk.rmdir(job.site.inside)
    return settled


# --- clearing up


def _dead(site: Site, disk: Disk) -> bool:
    """Whether a run died here with work under way; asked by the holder of the lock only."""
    rooms = [room for room in (site.beside, site.inside) if room]
    return any(disk.lstat(room / name) is not None for room in rooms for name in LEFTOVERS)


def _recover(job: Job) -> Settled:
    """Clear up after a run that died, or finish it: whatever is needed for one of the two trees to stand alone."""
    for room in (job.site.beside, job.site.inside):
        if room:
            take_away(room / MAKING, job.disk)
    return _settle(job) + _finish(job)


def _account(job: Job) -> str:
    """How things stand after a failure, as a sentence; nothing where not even that can be found out."""
    try:
        if job.disk.lstat(job.site.inside / PENDING) is not None:
            return "The tree is partly replaced; the next run finishes that."
        standing = _read_state(job)
    except OSError:
        return ""
    if replace(difference(job.files, standing, unfinished=False), unfinished=False).same:
        return "The new tree is in place; the next run clears up what is left of the old."
    return "The old tree is as it was." if standing.exists else "Nothing was written."


# --- refusals and warnings


def _check_git(target: Path, options: Options) -> None:
    tree = work_tree(target) if options.secrets else None
    if tree is None:
        return
    ignored = options.ignored(target) if options.ignored else None
    if ignored is None:
        raise PublishError(
            f"{target}: it lies in the git work tree {tree}, git cannot say whether it is ignored there, "
            "and the tree holds secrets.",
            "Install git, or choose an --out outside the work tree.",
        )
    if not ignored:
        raise PublishError(
            f"{target}: it lies in the git work tree {tree}, which does not ignore it, and the tree holds secrets.",
            "Add it to .gitignore, or choose an --out outside the work tree.",
        )


def _refuse(target: Path, standing: Standing, options: Options) -> None:
    if options.force:
        return
    force = _FORCE.format(name=target.name)
    if standing.foreign:
        reason = f"its {MANIFEST} is not one that halgit wrote" if standing.manifest else f"it has no {MANIFEST}"
        raise PublishError(
            f"{target}: the folder is not empty and {reason} (it holds {_named(standing.names)}).",
            f"Choose another --out, or {force}",
        )
    if standing.modified:
        raise PublishError(
            f"{target}: changed since halgit wrote it: {_named(standing.modified)}.",
            f"Bring the changes into the source, or {force}",
        )


def _named(paths: tuple[str, ...]) -> str:
    more = len(paths) - _LISTED
    return ", ".join(paths[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _owner(job: Job) -> list[str]:
    """A warning where the tree is somebody else's. The root of a mounted volume is often root's, which says nothing."""
    target = job.site.target
    found = job.disk.lstat(target / MANIFEST)
    if found is None and job.site.beside:
        found = job.disk.lstat(target)
    if found is None or found.st_uid == os.geteuid():
        return []
    return [
        f"{target}: the tree belongs to user id {found.st_uid} and halgit runs as {os.geteuid()}. Halyard must be able "
        "to read and write it: run both as one user, or use --group-access."
    ]


def _kept_in_the_open(kept: tuple[Path, ...], options: Options, disk: Disk) -> list[str]:
    """A warning for each old tree that is kept where git would take it in."""
    return [
        f"{path}: the old tree is kept here, may hold secrets, and is not ignored by git. Move it out of {tree}."
        for path in kept
        if (tree := work_tree(path, disk)) and not (options.ignored and options.ignored(path))
    ]
