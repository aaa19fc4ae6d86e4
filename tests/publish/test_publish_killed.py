"""A run that is killed after any one of its file operations leaves the old tree or the new, and the next clears up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from publish_disks import Watched
from publish_scenes import BEFORE, NEW, OLD, SCENES, Scene, beside_of, lay, manifest, options, put, tree

from halgit.publish import compare

PROGRAM = Path(__file__).with_name("publish_stopped_runs.py")


def without(found: dict[str, bytes], scene: Scene) -> dict[str, bytes]:
    return {path: data for path, data in found.items() if path not in scene.carried}


def everything(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def check_private(folder: Path, scene: Scene) -> None:
    """Nobody else can read what is new, whenever the run died: it may hold secrets."""
    old = set((scene.old or {}).values())
    for path in folder.rglob("*"):
        if path.is_file() and path.read_bytes() in set(NEW.values()) - old:
            above = [path, *path.parents]
            assert any(not each.stat().st_mode & 0o077 for each in above[: above.index(folder)]), path


def check_stopped(target: Path, scene: Scene, way: str) -> str:
    """The tree as the dead run left it; gives what it is."""
    held = everything(target.parent)
    assert all(data in held for data in [*scene.carried.values(), *scene.kept.values()]), "something is lost"
    if (target / ".halgit" / "pending").exists():
        assert compare(NEW, manifest("2" * 40), target, options()).unfinished
        return "pending"
    if scene.old is None and not target.exists():
        return "old"
    found = tree(target)
    if without(found, scene) == NEW:
        return "new"
    assert found == scene.old | scene.carried
    if way != "exchange":
        assert all(found[path] == data for path, data in scene.carried.items())
    return "old"


def check_finished(target: Path, scene: Scene) -> None:
    """The tree after the next run."""
    assert tree(target) == NEW | scene.carried
    assert not (target / ".halgit").exists()
    beside = beside_of(target.parent) - {".hal"}
    inside = {path.name for path in target.iterdir() if path.name.startswith(".hal.before-")}
    assert beside | inside == ({BEFORE} if scene.kept else set()), "something is left, or kept twice"
    for path, data in scene.kept.items():
        kept = target.parent / BEFORE / path
        assert (kept if kept.exists() else target / BEFORE / path).read_bytes() == data
    assert compare(NEW, manifest("2" * 40), target, options()).same


@pytest.mark.parametrize("way", ["exchange", "journal", "mount"])
@pytest.mark.parametrize("name", SCENES)
def test_killed_after_any_operation(name: str, way: str, quick_path: Path) -> None:
    if (name, way) == ("nothing", "mount"):
        return  # what is mounted is there
    scene = SCENES[name]
    answer = subprocess.run(
        [sys.executable, str(PROGRAM), name, way, str(quick_path)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    seen = []
    for last in range(1, int(answer.stdout) + 1):
        target = quick_path / str(last) / ".hal"
        seen.append(check_stopped(target, scene, way))
        check_private(target.parent, scene)
        put(NEW, target, "2" * 40, scene.force, Watched(way))
        check_finished(target, scene)
    order = ["old", "pending", "new"]
    assert seen == sorted(seen, key=order.index), "a later operation went back"
    assert {"old", "new"} <= set(seen)
    assert ("pending" in seen) == (way == "mount" or (way == "journal" and name not in ("nothing", "empty")))


@pytest.mark.parametrize("way", ["exchange", "mount"])
def test_the_next_run_may_be_of_another_tree(way: str, quick_path: Path) -> None:
    """What a dead run began is ended before anything else, also when the next one wants the old tree back."""
    answer = subprocess.run(
        [sys.executable, str(PROGRAM), "carry", way, str(quick_path)], capture_output=True, text=True, check=False
    )
    for last in range(1, int(answer.stdout) + 1):
        target = quick_path / str(last) / ".hal"
        put(OLD, target, "3" * 40, disk=Watched(way))
        assert tree(target) == OLD | SCENES["carry"].carried
        assert beside_of(target.parent) == {".hal"}
        assert not (target / ".halgit").exists()


def test_a_check_says_that_a_run_died(quick_path: Path) -> None:
    target = quick_path / ".hal"
    put(NEW, target, "2" * 40)
    lay(quick_path / ".hal.halgit" / "tree", {"config": b"left"})
    found = compare(NEW, manifest("2" * 40), target, options())
    assert found.unfinished
    assert not found.same
    assert (found.added, found.changed, found.removed) == ((), (), ())
