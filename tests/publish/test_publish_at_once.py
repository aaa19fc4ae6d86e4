"""Several runs on one target: the second waits a bounded time, and each tree that is ever seen is a whole one."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from program import SAMPLE, halgit
from publish_disks import Watched
from publish_scenes import BY_HALYARD, NEW, OLD, beside_of, lay, manifest, put, tree

from halgit.errors import PublishError
from halgit.publish import DISK, Options, publish


class SecretData(Watched):
    """A disk that stops before the exchange until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def before(self, what: str, arguments: tuple[Any, ...]) -> None:
        super().before(what, arguments)
        if what == "exchange":
            self.reached.set()
            assert self.go_on.wait(60)


def test_the_second_gives_up_in_time_and_the_first_goes_on(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    held = SecretData()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(put, NEW, target, "2" * 40, disk=held)
        assert held.reached.wait(60)
        with pytest.raises(PublishError) as caught:
            put({"config": b"third\n"}, target, "3" * 40)
        held.go_on.set()
        assert first.result().way == "exchange"
    assert caught.value.exit_code == 5
    assert str(caught.value) == (
        f"{target}: another halgit run is writing it (process {os.getpid()}). Wait for it to finish and run again."
    )
    assert tree(target) == NEW
    assert beside_of(tmp_path) == {".hal"}


def test_the_second_waits_and_comes_after_the_first(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    lay(target, BY_HALYARD)
    held = SecretData()
    third = {"config": b"third\n"}
    with ThreadPoolExecutor() as pool:
        first = pool.submit(put, NEW, target, "2" * 40, disk=held)
        assert held.reached.wait(60)
        second = pool.submit(publish, third, manifest("3" * 40), target, Options(wait=60))
        held.go_on.set()
        assert (first.result().way, second.result().way) == ("exchange", "exchange")
    assert tree(target) == third | BY_HALYARD
    assert beside_of(tmp_path) == {".hal"}


def test_many_at_once_leave_one_whole_tree(tmp_path: Path) -> None:
    target = tmp_path / "a" / ".hal"
    trees = [{"config": b"%d\n" % number, f"files/{number}": b"%d" % number} for number in range(6)]
    with ThreadPoolExecutor(max_workers=len(trees)) as pool:
        done = [
            pool.submit(publish, files, manifest(str(number)), target, Options(wait=60))
            for number, files in enumerate(trees)
        ]
        assert all(one.result().written for one in done)
    assert tree(target) in trees
    assert beside_of(target.parent) == {".hal"}


def test_the_program_ends_with_5(tmp_path: Path) -> None:
    work_folder = tmp_path / ".hal.halgit"
    work_folder.mkdir()
    descriptor = DISK.lock(work_folder / "lock")
    assert descriptor is not None
    try:
        ran = halgit(
            *("render", "--repo", SAMPLE, "--overlay", "dev", "--secrets", "mask"),
            *("--out", tmp_path / ".hal", "--wait", "0.2"),
        )
    finally:
        os.close(descriptor)
    assert ran.code == 5
    assert f"{tmp_path}/.hal: another halgit run is writing it." in ran.err
    assert not (tmp_path / ".hal").exists()
