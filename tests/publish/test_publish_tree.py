"""What a published tree is: its files, their permissions, its `.halgit.json`, and what came over from the old one."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import needs
import pytest
from publish_disks import Failing, Watched
from publish_scenes import BEFORE, BY_HALYARD, NEW, OLD, beside_of, lay, manifest, options, put, tree

from halgit import __version__
from halgit.errors import PublishError
from halgit.pipeline import Compiled, LayerId, Resolved, SourceId
from halgit.publish import Manifest, Options, compare, publish

WAYS = pytest.mark.parametrize("way", ["exchange", "journal", "mount"])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def traces(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Of everything below a folder, and the folder: which file it is, and when it was last touched."""
    found = [folder, *folder.rglob("*")]
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in found}


def test_the_first_tree(tmp_path: Path) -> None:
    outcome = put(NEW, tmp_path / ".hal", "1" * 40)
    assert outcome.way == "rename"
    assert outcome.written
    assert outcome.comparison.added == (".halgit.json", *sorted(NEW))
    assert tree(tmp_path / ".hal") == NEW
    assert beside_of(tmp_path) == {".hal"}


def test_folders_above_the_target_are_made(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / ".hal"
    assert compare(NEW, manifest("1" * 40), target, options()).added == (".halgit.json", *sorted(NEW))
    assert list(tmp_path.iterdir()) == []
    put(NEW, target, "1" * 40)
    assert tree(target) == NEW
    assert beside_of(target.parent) == {".hal"}
    assert (mode(tmp_path / "a"), mode(target.parent), mode(target)) == (0o755, 0o755, 0o700)


@pytest.mark.parametrize("last", range(1, 30))
def test_folders_above_the_target_go_again_with_a_failure(last: int, tmp_path: Path) -> None:
    disk = Failing("exchange", last, OSError(errno.ENOSPC, "full", "/somewhere"))
    target = tmp_path / "a" / "b" / ".hal"
    try:
        put(NEW, target, "1" * 40, disk=disk)
    except PublishError:
        assert target.exists() or list(tmp_path.iterdir()) == []
    else:
        assert tree(target) == NEW


@pytest.mark.parametrize(("way", "said"), [("exchange", "exchange"), ("journal", "journal"), ("mount", "journal")])
def test_a_tree_in_place_of_another(way: str, said: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    lay(target, BY_HALYARD)
    outcome = put(NEW, target, "2" * 40, disk=Watched(way))
    assert outcome.way == said
    assert outcome.comparison.added == ("default/profiles/orca-local.yml", "extra/deep/notes.txt")
    assert outcome.comparison.changed == (".halgit.json", "config")
    assert outcome.comparison.removed == ("default/profiles/igor-local.yml", "default/service-settings/gate.yml")
    assert tree(target) == NEW | BY_HALYARD
    assert not (target / "default/service-settings").exists()
    assert outcome.kept == ()
    carried = {".backup", "vault-token", "default/history", "default/staging", "default/profiles/notes-of-mine.txt"}
    assert set(outcome.carried) == (carried if way == "exchange" else set())


@WAYS
def test_permissions_whatever_the_umask(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    before = os.umask(0o077)
    try:
        target.mkdir()
        publish(NEW, manifest("1"), target, options(group_access=True), Watched(way))
        group = {mode(path) for path in target.rglob("*") if path.is_file()}
        folders = {mode(path) for path in target.rglob("*") if path.is_dir()}
        os.umask(0)
        publish(OLD, manifest("1"), tmp_path / "private", options(), Watched(way))
    finally:
        os.umask(before)
    assert (group, folders) == ({0o660}, {0o2770})
    assert {mode(path) for path in (tmp_path / "private").rglob("*") if path.is_file()} == {0o600}
    assert {mode(path) for path in (tmp_path / "private").rglob("*") if path.is_dir()} == {0o700}
    assert mode(tmp_path / "private") == 0o700


@WAYS
def test_group_access_given_later_is_a_change(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(NEW, target, "1" * 40)
    found = compare(NEW, manifest("1" * 40), target, options(group_access=True))
    assert found.changed == (*sorted([".halgit.json", *NEW, "default/", "default/profiles/", "extra/", "extra/deep/"]),)
    publish(NEW, manifest("1" * 40), target, options(group_access=True), Watched(way))
    assert mode(target / "config") == 0o660
    assert mode(target / "default/profiles") == 0o2770
    assert publish(NEW, manifest("1" * 40), target, options(group_access=True), Watched(way)).way == "unchanged"


@WAYS
def test_a_file_opened_to_the_world_is_closed_again(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(NEW, target, "1" * 40)
    (target / "config").chmod(0o644)
    outcome = put(NEW, target, "1" * 40, disk=Watched(way))
    assert outcome.comparison.changed == ("config",)
    assert mode(target / "config") == 0o600


def test_the_group_of_the_kubelet_is_let_be(tmp_path: Path) -> None:
    """With an fsGroup the kubelet adds the group's rights to all files of a volume each time it mounts it."""
    target = tmp_path / ".hal"
    put(NEW, target, "1" * 40)
    for path in target.rglob("*"):
        path.chmod(0o2770 if path.is_dir() else 0o660)
    assert put(NEW, target, "1" * 40).way == "unchanged"


def test_the_tree_has_the_group_of_the_one_before(tmp_path: Path) -> None:
    needs.root("hand a folder to any group")
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    os.chown(target, -1, 4321)
    publish(NEW, manifest("2" * 40), target, options(group_access=True))
    assert {path.lstat().st_gid for path in [target, *target.rglob("*")]} == {4321}


@WAYS
def test_nothing_changed_nothing_written(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(NEW, target, "1" * 40)
    lay(target, BY_HALYARD)
    before = traces(tmp_path)
    disk = Watched(way)
    outcome = put(dict(reversed(NEW.items())), target, "1" * 40, disk=disk)
    assert outcome.way == "unchanged"
    assert not outcome.written
    assert disk.log == []
    assert traces(tmp_path) == before


def test_a_check_touches_nothing(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    (target / "config").write_bytes(b"by hand")
    (target / "default/profiles/igor-local.yml").unlink()
    before = traces(tmp_path)
    disk = Watched()
    found = compare(NEW, manifest("2" * 40), target, options(), disk)
    assert disk.log == []
    assert traces(tmp_path) == before
    assert found.modified == ("config", "default/profiles/igor-local.yml")
    assert found.added == ("default/profiles/orca-local.yml", "extra/deep/notes.txt")
    assert found.changed == (".halgit.json", "config")
    assert found.removed == ("default/profiles/igor-local.yml", "default/service-settings/gate.yml")
    assert (found.foreign, found.unfinished, found.same) == (False, False, False)


def test_a_check_of_a_tree_that_is_not_there_or_not_ours(tmp_path: Path) -> None:
    assert compare(NEW, manifest("1"), tmp_path / "none", options()).added == (".halgit.json", *sorted(NEW))
    lay(tmp_path / "theirs", {"config": NEW["config"], "other": b"x"})
    found = compare(NEW, manifest("1"), tmp_path / "theirs", options())
    assert found.foreign
    assert "config" not in found.added
    assert not found.same


@WAYS
def test_a_new_revision_alone_is_a_change(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(NEW, target, "1" * 40)
    outcome = put(NEW, target, "2" * 40, disk=Watched(way))
    assert outcome.comparison.changed == (".halgit.json",)
    assert json.loads((target / ".halgit.json").read_text())["sources"][0]["revision"] == "2" * 40


def test_the_manifest_word_for_word(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    said = Manifest(
        (SourceId("https://git.example.com/hal.git", "1" * 40, "main", "spinnaker"), SourceId("/srv/more")),
        "prod",
        "native",
        versions={"vault://kv/b#y": "7", "vault://kv/a#x": "3"},
    )
    publish({"default/profiles/gate-local.yml": b"", "config": b"a: 1\n"}, said, target)
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (target / ".halgit.json").read_text() == json.dumps(
        {
            "format": 1,
            "halgit": __version__,
            "sources": [
                {"url": "https://git.example.com/hal.git", "ref": "main", "path": "spinnaker", "revision": "1" * 40},
                {"url": "/srv/more", "ref": "", "path": "", "revision": ""},
            ],
            "overlay": "prod",
            "secrets": {"mode": "native", "masked": False, "versions": {"vault://kv/a#x": "3", "vault://kv/b#y": "7"}},
            "files": {
                "config": "sha256:37b128c59f1f5097f73f82691cb519f1f568667faab5ced1b4ab979d36837eae",
                "default/profiles/gate-local.yml": empty,
            },
        },
        indent=2,
    ) + "\n"  # fmt: skip


def test_a_masked_tree_says_so() -> None:
    layer = LayerId("prod", SourceId("/srv/hal", "r1"))
    compiled = Compiled({}, "default", (), overlay="prod")
    found = Manifest.of(Resolved({}, compiled, masked=True), "mask")
    assert found == Manifest((), "prod", "mask", masked=True)
    assert layer.source not in found.sources
    said = json.loads(found.encode())["secrets"]
    assert said == {
        "mode": "mask",
        "masked": True,
        "note": "The secrets in this tree are placeholder values. Halyard can load it, but services cannot run "
        "with it.",
    }


def test_a_linked_target_is_published_where_the_link_leads(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "home").mkdir()
    link = tmp_path / "home" / ".hal"
    link.symlink_to("../volume/hal")
    outcome = put(OLD, link, "1" * 40)
    assert outcome.target == tmp_path / "volume" / "hal"
    put(NEW, link, "2" * 40)
    assert link.is_symlink()
    assert tree(tmp_path / "volume" / "hal") == NEW
    assert beside_of(tmp_path / "home") == {".hal"}
    assert beside_of(tmp_path / "volume") == {"hal"}


@WAYS
def test_links_in_the_old_tree_are_moved_and_never_followed(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    lay(tmp_path / "outside", {"gate.yml": b"outside", "more/x": b"outside"})
    (target / "default" / "staging").symlink_to(tmp_path / "outside")
    (target / "dangling").symlink_to("nowhere")
    put(NEW, target, "2" * 40, disk=Watched(way))
    assert os.readlink(target / "default" / "staging") == str(tmp_path / "outside")
    assert os.readlink(target / "dangling") == "nowhere"
    assert tree(tmp_path / "outside") == {"gate.yml": b"outside", "more/x": b"outside"}


@WAYS
def test_a_folder_of_ours_behind_a_link_counts_as_changed(way: str, tmp_path: Path) -> None:
    """Else the files behind the link, which are not in the tree, would be written over or removed."""
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    outside = tmp_path / "outside"
    (target / "default").rename(outside)
    (target / "default").symlink_to(outside)
    with pytest.raises(PublishError, match=r"changed since halgit wrote it: default/profiles/gate-local\.yml, "):
        put(NEW, target, "2" * 40, disk=Watched(way))
    put(NEW, target, "2" * 40, force=True, disk=Watched(way))
    assert tree(target) == NEW
    assert tree(outside) == {path.removeprefix("default/"): data for path, data in OLD.items() if path != "config"}


@WAYS
def test_what_is_in_the_way_is_kept_and_reported(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    lay(target, {"extra": b"mine", "default/profiles/orca-local.yml/mine.txt": b"mine too"})
    outcome = put(NEW, target, "2" * 40, disk=Watched(way))
    keep = (target if way == "mount" else tmp_path) / BEFORE
    assert outcome.kept == (keep,)
    assert sorted(outcome.left_behind) == ["default/profiles/orca-local.yml", "extra"]
    assert (keep / "extra").read_bytes() == b"mine"
    assert (keep / "default/profiles/orca-local.yml/mine.txt").read_bytes() == b"mine too"
    assert tree(target) == NEW


@WAYS
def test_files_and_folders_of_ours_change_places(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put({"config": b"1", "a": b"file", "b/c": b"in a folder", "d/e/f": b"deep"}, target, "1" * 40)
    files = {"config": b"1", "a/x/y": b"in a folder", "b": b"file", "d/e": b"file"}
    outcome = put(files, target, "2" * 40, disk=Watched(way))
    assert tree(target) == files
    assert (outcome.kept, outcome.left_behind) == ((), ())


@WAYS
def test_empty_folders_in_the_way_are_no_loss(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put({"config": b"1"}, target, "1" * 40)
    (target / "extra").mkdir()
    outcome = put({"config": b"1", "extra": b"file"}, target, "2" * 40, disk=Watched(way))
    assert tree(target) == {"config": b"1", "extra": b"file"}
    assert outcome.kept == ()


@WAYS
@pytest.mark.parametrize("scene", ["foreign", "changed"])
def test_force_keeps_the_old_and_never_what_was_kept_before(scene: str, way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    keep = target if way == "mount" else tmp_path
    for turn in ("first", "second"):
        if scene == "foreign":
            (target / ".halgit.json").unlink(missing_ok=True)
            lay(target, {"config": turn.encode()})
        else:
            put(OLD, target, "1" * 40)
            (target / "config").write_bytes(turn.encode())
        outcome = put(NEW, target, "2" * 40, force=True, disk=Watched(way))
        name = BEFORE if turn == "first" else f"{BEFORE}-2"
        assert outcome.kept == (keep / name,)
        assert (keep / name / "config").read_bytes() == turn.encode()
        assert tree(target) == NEW
    if scene == "changed":
        assert (keep / BEFORE / ".halgit.json").exists(), "the kept tree is a whole one"
        assert (keep / BEFORE / "default/profiles/igor-local.yml").read_bytes() == OLD[
            "default/profiles/igor-local.yml"
        ]


@WAYS
def test_force_on_an_untouched_tree_keeps_nothing(way: str, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    outcome = put(NEW, target, "2" * 40, force=True, disk=Watched(way))
    assert outcome.kept == ()
    assert not list(tmp_path.rglob("*.before-*"))


def test_an_unfinished_tree_is_hidden_from_git(tmp_path: Path) -> None:
    """The work folder holds secrets while a run is on, and stands beside a target that alone is ignored."""
    disk = Watched()
    put(NEW, tmp_path / ".hal", "1" * 40, disk=disk)
    made = [str(arguments[0]) for what, arguments in disk.log if what == "create"]
    assert made[0] == f"{tmp_path}/.hal.halgit/.gitignore"


def test_a_dead_run_is_reported_once(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    lay(tmp_path / ".hal.halgit" / "making", {"config": b"half"})
    assert put(OLD, target, "1" * 40).recovered
    assert not put(OLD, target, "1" * 40).recovered
    assert beside_of(tmp_path) == {".hal"}


def test_what_is_not_halgits_in_a_work_folder_stays(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    lay(tmp_path / ".hal.halgit", {"mine.txt": b"mine"})
    put(NEW, target, "1" * 40)
    assert tree(tmp_path / ".hal.halgit") == {"mine.txt": b"mine"}


def test_the_defaults(tmp_path: Path) -> None:
    outcome = publish({"config": b"1"}, Manifest(), tmp_path / ".hal")
    assert outcome.way == "rename"
    assert Options().wait == 60.0
    (tmp_path / ".hal" / "config").write_bytes(b"2")
    kept = publish({"config": b"1"}, Manifest(), tmp_path / ".hal", Options(force=True)).kept[0]
    assert kept.name.startswith(".hal.before-20")
    assert kept.name.endswith("Z")


def test_a_reader_with_an_open_folder_sees_all_of_the_old_tree_until_the_next_run(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    old, new = {"config": b"old", "default/profiles/a.yml": b"old"}, {"config": b"new"}
    publish(old, Manifest(), target)
    reader = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        publish(new, Manifest(), target)
        for path, data in old.items():
            with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=reader), "rb") as file:
                assert file.read() == data
        assert publish(new, Manifest(), target).way == "unchanged"
        publish(old, Manifest(), target)
        assert os.listdir(reader) == []
    finally:
        os.close(reader)
