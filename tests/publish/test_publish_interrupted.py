"""A run that is interrupted, or whose disk fails, at any one of its operations: old or new, no litter, true words."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from publish_disks import Failing, Watched
from publish_scenes import BEFORE, NEW, SCENES, Scene, beside_of, lay, put, tree

from halgit.errors import PublishError

WAYS = pytest.mark.parametrize("way", ["exchange", "journal", "mount"])
OLD_STANDS = "The old tree is unchanged."
NOTHING = "Nothing was written."
HALF = "The tree is partly replaced; the next run completes it."
NEW_STANDS = "The new tree is in place; the next run cleans up the old one."
SCENE = SCENES["in-the-way"]


def fresh(folder: Path, scene: Scene) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    scene.write_journal(folder / ".hal")
    return folder / ".hal"


def litter(target: Path) -> set[str]:
    beside = beside_of(target.parent) - {".hal"}
    return beside | {path.name for path in target.glob(".halgit")}


def operations(folder: Path, scene: Scene, way: str) -> int:
    disk = Watched(way)
    put(NEW, fresh(folder, scene), "2" * 40, scene.force, disk)
    return len(disk.log)


@pytest.mark.parametrize(
    ("stop", "way"),
    [(KeyboardInterrupt, "exchange"), (KeyboardInterrupt, "mount"), (SystemExit, "exchange"), (SystemExit, "journal")],
)
def test_interrupted_at_any_operation(stop: type[BaseException], way: str, quick_path: Path) -> None:
    folder = quick_path / "x"
    for last in range(1, operations(folder, SCENE, way) + 1):
        target = fresh(folder, SCENE)
        disk = Failing(way, last, stop())
        with pytest.raises(stop):
            put(NEW, target, "2" * 40, disk=disk)
        found = tree(target)
        kept = {BEFORE} if (target.parent / BEFORE).exists() or (target / BEFORE).exists() else set()
        assert found in (SCENE.old | SCENE.carried, NEW | SCENE.carried)
        assert bool(kept) == (found == NEW | SCENE.carried)
        assert litter(target) - kept <= allowed_litter(disk), f"{disk.log[-1]}: litter after operation {last}"


def allowed_litter(disk: Failing) -> set[str]:
    """The work folder alone may stay when its very making or removal was interrupted; the next run takes it."""
    _, arguments = disk.log[disk.last - 1]
    names = {str(argument).rsplit("/", 1)[-1] for argument in arguments}
    return {".hal.halgit", ".halgit"} if names & {"lock", ".gitignore", ".hal.halgit", ".halgit"} else set()


@WAYS
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_once(number: int, way: str, quick_path: Path) -> None:
    folder = quick_path / "x"
    for last in range(1, operations(folder, SCENE, way) + 1):
        target = fresh(folder, SCENE)
        disk = Failing(way, last, OSError(number, os.strerror(number), "/somewhere"))
        try:
            put(NEW, target, "2" * 40, disk=disk)
        except PublishError as error:
            said = str(error)
            found = tree(target)
            if OLD_STANDS in said:
                assert found == SCENE.old | SCENE.carried
                assert not litter(target)
            else:
                assert NEW_STANDS in said, said
                assert {path: found[path] for path in NEW} == NEW
        assert_next_run_clears(target, way)


@WAYS
def test_a_disk_that_fails_for_good(way: str, quick_path: Path) -> None:
    folder = quick_path / "x"
    seen = set()
    for last in range(1, operations(folder, SCENE, way) + 1):
        target = fresh(folder, SCENE)
        disk = Failing(way, last, OSError(errno.EROFS, "read-only", "/somewhere"), goes_on=True)
        try:
            put(NEW, target, "2" * 40, disk=disk)
        except PublishError as error:
            said = next(words for words in (OLD_STANDS, HALF, NEW_STANDS) if words in str(error))
            seen.add(said)
            if said == OLD_STANDS:
                assert tree(target) == SCENE.old | SCENE.carried
            elif said == NEW_STANDS:
                assert {path: tree(target)[path] for path in NEW} == NEW
        assert_next_run_clears(target, way)
    assert seen == {OLD_STANDS, NEW_STANDS} | (set() if way == "exchange" else {HALF})


def assert_next_run_clears(target: Path, way: str) -> None:
    put(NEW, target, "2" * 40, disk=Watched(way))
    kept = [path for path in (target.parent / BEFORE, target / BEFORE) if path.exists()]
    assert len(kept) == 1
    left_behind = {path: data for path, data in tree(kept[0]).items() if path in SCENE.carried}
    assert tree(target) | left_behind == NEW | SCENE.carried
    assert litter(target) <= {BEFORE}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full. Nothing was written. Free disk space and run again."),
        (errno.EDQUOT, "the disk is full. Nothing was written. Free disk space and run again."),
        (errno.EROFS, "the file system is read-only. Nothing was written. Mount it writable, or choose another path."),
        (errno.EIO, "the disk reports an error. Nothing was written. Check the disk and run again."),
        (
            errno.EACCES,
            f"permission denied for user id {os.geteuid()}. Nothing was written. "
            "Run halgit as the owner, or choose another path.",
        ),
        (
            errno.ENOLCK,
            "the file system does not support locks. Nothing was written. Choose a path on another file system.",
        ),
        (errno.ENAMETOOLONG, "the name is too long. Nothing was written. Choose a shorter one."),
        (errno.EMFILE, "the system reported: out of it. Nothing was written. Fix that, then run again."),
    ],
)
def test_the_words_of_each_failure(number: int, words: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    file = tmp_path / ".hal.halgit" / "making" / "config"
    disk = Failing("exchange", 12, OSError(number, "out of it", str(file)))
    with pytest.raises(PublishError) as caught:
        put({"config": b"x"}, target, "1" * 40, disk=disk)
    assert str(caught.value) == f"{target}: cannot be written: {file}: {words}"
    assert caught.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_the_file_that_was_being_written(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put({"config": b"first"}, target, "0" * 40)
    put({"config": b"old"}, target, "1" * 40)
    disk = Watched()
    put({"config": b"new"}, target, "2" * 40, disk=disk)
    writes = [number for number, (what, _) in enumerate(disk.log, 1) if what == "write"]
    lay(tmp_path, {})
    failing = Failing("exchange", writes[1], OSError(errno.ENOSPC, "full"))
    with pytest.raises(PublishError) as caught:
        put({"config": b"other"}, target, "3" * 40, disk=failing)
    assert f"{tmp_path}/.hal.halgit/making/config: the disk is full. {OLD_STANDS}" in str(caught.value)
    assert tree(target) == {"config": b"new"}
