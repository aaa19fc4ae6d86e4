"""Publish one tree to one directory atomically: the sequence, the refusals and the cleanup.

A run that fails or is interrupted cleans up with the same steps that the next run would take. The content of the tree
is an argument; no secret is opened here.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from halgit.annotations import Literal
from halgit.errors import PublishError
from halgit.publish.exchange import Leftovers, finish_exchange
from halgit.publish.filesystem import (
    DISK,
    GROUP,
    NO_EXCHANGE,
    PRIVATE,
    Disk,
    build_tree,
    create_parents,
    remove_tree,
    translate_os_errors,
)
from halgit.publish.journal import finish_journal, write_journal
from halgit.publish.lock import lock_target
from halgit.publish.manifest import MANIFEST, Manifest, check_paths
from halgit.publish.target import (
    BUILDING,
    LEFTOVERS,
    PENDING,
    TREE,
    Comparison,
    Job,
    TargetPaths,
    TargetState,
    compare_files,
    encode_manifest,
    find_free_name,
    find_work_tree,
    locate_target,
    mark_files,
    read_target,
)
from halgit.record import Record, replace

Way = Literal["unchanged", "rename", "exchange", "journal"]
"""Ways to write a tree: not at all, in one step into an empty place, in one step against the old, file by file."""

_FORCE = "use --force, which keeps the old tree as {name}.before-<time>."
_LISTED = 20
_PARENTS = 0o755
"""Of the folders made above a target: they hold nothing but it, and Halyard may be another user who passes through."""


def _utc() -> datetime:
    return datetime.now(timezone.utc)


class Options(Record):
    """Options of a publish. `wait` is in seconds; `secrets` says that the files hold resolved secrets.

    `is_ignored` answers whether git ignores a path, None where git cannot say; without it nobody can.
    """

    force: bool = False
    group_access: bool = False
    wait: float = 60.0
    secrets: bool = False
    is_ignored: Callable[[Path], bool | None] | None = None
    now: Callable[[], datetime] = _utc


_DEFAULT_OPTIONS = Options()


class Outcome(Record):
    """Result of a run. Paths of the tree are relative to it.

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
    files: Mapping[str, bytes], manifest: Manifest, target: Path, options: Options = _DEFAULT_OPTIONS, disk: Disk = DISK
) -> Outcome:
    """Make the target hold exactly these files, and what it held besides halgit's own.

    Raises PublishError; the old tree is then as it was, or the message says how it stands.
    """
    check_paths(files)
    with translate_os_errors(target):
        job = _job(files, manifest, target, options, disk)
        _check_git(job.paths.target, options)
        comparison = _compare(job)
    if comparison.same:
        return Outcome(job.paths.target, "unchanged", comparison)
    with (
        translate_os_errors(target, lambda: _describe_state(job)),
        create_parents(job.paths.target.parent, _PARENTS, disk),
        _locked(job, options),
    ):
        return _publish(job, options)


def compare(
    files: Mapping[str, bytes], manifest: Manifest, target: Path, options: Options = _DEFAULT_OPTIONS, disk: Disk = DISK
) -> Comparison:
    """Return the changes that `publish` would make to the target; reads only, and waits for no lock."""
    check_paths(files)
    with translate_os_errors(target):
        return _compare(_job(files, manifest, target, options, disk))


def _job(files: Mapping[str, bytes], manifest: Manifest, target: Path, options: Options, disk: Disk) -> Job:
    paths, modes = locate_target(target, disk), GROUP if options.group_access else PRIVATE
    state = read_target(paths.target, files, modes, disk)
    marked = manifest if manifest.marks else mark_files(files, manifest, state)
    whole = {path: files[path] for path in sorted(files)} | {MANIFEST: encode_manifest(marked, state)}
    return Job(paths, whole, marked.marks, modes, options.now, disk)


def mark(files: Mapping[str, bytes], manifest: Manifest, target: Path, disk: Disk = DISK) -> Manifest:
    """Return the manifest with the marks that these files get if they are published to the target."""
    with translate_os_errors(target):
        return mark_files(files, manifest, read_target(locate_target(target, disk).target, files, PRIVATE, disk))


def _compare(job: Job) -> Comparison:
    return compare_files(job.files, _read_state(job), job.paths.leftovers(job.disk))


def _read_state(job: Job) -> TargetState:
    return read_target(job.paths.target, job.files, job.modes, job.disk)


@contextmanager
def _locked(job: Job, options: Options) -> Iterator[None]:
    with lock_target(job.paths.work_folder, job.paths.target, options.wait, job.modes, job.disk):
        try:
            yield
        except BaseException:
            with suppress(OSError):
                _recover(job)
            raise


def _publish(job: Job, options: Options) -> Outcome:
    dead = _has_leftovers(job.paths, job.disk)
    leftovers = _recover(job)
    state = _set_times(job, _read_state(job))
    comparison = compare_files(job.files, state, unfinished=False)
    way: Way = "unchanged"
    warnings: list[str] = []
    if not comparison.same:
        _check_ownership(job.paths.target, state, options)
        warnings += _warn_if_foreign(job)
        way, after = _replace_tree(job, state)
        leftovers += after
    warnings += _warn_if_exposed(leftovers.kept, options, job.disk)
    return Outcome(
        job.paths.target,
        way,
        comparison,
        leftovers.carried,
        leftovers.left_behind,
        leftovers.kept,
        dead,
        tuple(warnings),
    )


def _set_times(job: Job, state: TargetState) -> TargetState:
    """Give files that only have another time than `.halgit.json` its time again, as after a copy; the state then."""
    touched = state.touched(job.files)
    for path in touched:
        job.disk.set_time(job.paths.target / path, state.time)
    return _read_state(job) if touched else state


# --- ways


def _replace_tree(job: Job, state: TargetState) -> tuple[Way, Leftovers]:
    """Put the new tree in the place of the old, in one step where the system has one."""
    paths, disk = job.paths, job.disk
    near = False
    if paths.beside:
        tree = paths.beside / TREE
        _build(job, paths.beside)
        if not state.exists or not disk.names(paths.target):
            disk.rename(tree, paths.target)
            disk.sync_folder(paths.target.parent)
            return "rename", Leftovers()
        try:
            disk.exchange(tree, paths.target)
        except OSError as error:
            if error.errno not in NO_EXCHANGE:
                raise
            near = error.errno not in (errno.EBUSY, errno.EXDEV)
        else:
            disk.sync_folder(paths.target.parent)
            disk.sync_folder(paths.beside)
            return "exchange", _finish_exchange(job, keeps_previous=True)
        _finish_exchange(job)
    keep = find_free_name(paths.target, paths.target.parent if near else paths.target, job.now, disk)
    write_journal(job, state, keep)
    return "journal", _finish_journal(job)


def _build(job: Job, work_folder: Path) -> None:
    """Write the whole new tree into the private folder; only a whole one is ever named TREE."""
    build_tree(work_folder / BUILDING, job.files, job.modes, job.group, job.disk, job.time)
    job.disk.rename(work_folder / BUILDING, work_folder / TREE)
    job.disk.sync_folder(work_folder)


def _finish_exchange(job: Job, *, keeps_previous: bool = False) -> Leftovers:
    return finish_exchange(job.paths, job.modes, job.now, job.disk, keeps_previous=keeps_previous)


def _finish_journal(job: Job) -> Leftovers:
    leftovers = finish_journal(job.paths, job.modes, job.disk)
    if job.paths.beside:
        with suppress(OSError):
            job.disk.rmdir(job.paths.inside)
    return leftovers


# --- clearing up


def _has_leftovers(paths: TargetPaths, disk: Disk) -> bool:
    """Return whether a run died here with work under way; asked by the holder of the lock only."""
    work_folders = [work_folder for work_folder in (paths.beside, paths.inside) if work_folder]
    return any(disk.lstat(work_folder / name) is not None for work_folder in work_folders for name in LEFTOVERS)


def _recover(job: Job) -> Leftovers:
    """Clear up after a run that died, or finish it: whatever is needed for one of the two trees to stand alone."""
    for work_folder in (job.paths.beside, job.paths.inside):
        if work_folder:
            remove_tree(work_folder / BUILDING, job.disk)
    return _finish_exchange(job) + _finish_journal(job)


def _describe_state(job: Job) -> str:
    """Describe the target after a failure in a sentence; an empty string if it cannot be read."""
    try:
        if job.disk.lstat(job.paths.inside / PENDING) is not None:
            return "The tree is partly replaced; the next run completes it."
        state = _read_state(job)
    except OSError:
        return ""
    if replace(compare_files(job.files, state, unfinished=False), unfinished=False).same:
        return "The new tree is in place; the next run cleans up the old one."
    return "The old tree is unchanged." if state.exists else "Nothing was written."


# --- refusals and warnings


def _check_git(target: Path, options: Options) -> None:
    tree = find_work_tree(target) if options.secrets else None
    if tree is None:
        return
    ignored = options.is_ignored(target) if options.is_ignored else None
    if ignored is None:
        raise PublishError(
            f"{target}: it is in the git work tree {tree}, git cannot tell whether it is ignored, "
            "and the tree contains secrets.",
            "Install git, or choose an --out outside the work tree.",
        )
    if not ignored:
        raise PublishError(
            f"{target}: it is in the git work tree {tree}, which does not ignore it, and the tree contains secrets.",
            "Add it to .gitignore, or choose an --out outside the work tree.",
        )


def _check_ownership(target: Path, state: TargetState, options: Options) -> None:
    if options.force:
        return
    force = _FORCE.format(name=target.name)
    if state.foreign:
        reason = f"its {MANIFEST} was not written by halgit" if state.manifest else f"it has no {MANIFEST}"
        raise PublishError(
            f"{target}: the folder is not empty and {reason} (it contains {_named(state.names)}).",
            f"Choose another --out, or {force}",
        )
    if state.modified:
        raise PublishError(
            f"{target}: changed since halgit wrote it: {_named(state.modified)}.",
            f"Move the changes to the source, or {force}",
        )


def _named(paths: tuple[str, ...]) -> str:
    more = len(paths) - _LISTED
    return ", ".join(paths[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _warn_if_foreign(job: Job) -> list[str]:
    """A warning where the tree is somebody else's. The root of a mounted volume is often root's, which says nothing."""
    target = job.paths.target
    found = job.disk.lstat(target / MANIFEST)
    if found is None and job.paths.beside:
        found = job.disk.lstat(target)
    if found is None or found.st_uid == os.geteuid():
        return []
    return [
        f"{target}: the tree belongs to user id {found.st_uid} and halgit runs as {os.geteuid()}. Halyard must be able "
        "to read and write it: run both as the same user, or use --group-access."
    ]


def _warn_if_exposed(kept: tuple[Path, ...], options: Options, disk: Disk) -> list[str]:
    """A warning for each old tree that is kept where git would take it in."""
    return [
        f"{path}: the old tree is kept here; it may contain secrets and git does not ignore it. Move it out of {tree}."
        for path in kept
        if (tree := find_work_tree(path, disk)) and not (options.is_ignored and options.is_ignored(path))
    ]
