"""What publishing refuses, in which words; a refused target is left as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import needs
import pytest
from publish_scenes import NEW, OLD, lay, manifest, options, put, tree

from halgit.errors import PublishError
from halgit.publish import Disk, compare, find_work_tree, publish

Prepare = Callable[[Path], Path]


def refused(target: Path, files: dict[str, bytes] = NEW, **given: object) -> str:
    with pytest.raises(PublishError) as caught:
        publish(files, manifest("2" * 40), target, options(**given))
    assert caught.value.exit_code == 5
    return str(caught.value)


def test_a_tree_that_is_not_ours(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    lay(target, {"config": b"x", "default/profiles/gate.yml": b"y"})
    assert refused(target) == (
        f"{target}: the folder is not empty and it has no .halgit.json (it contains config, default). "
        "Choose another --out, or use --force, which keeps the old tree as .hal.before-<time>."
    )
    assert tree(target) == {"config": b"x", "default/profiles/gate.yml": b"y"}
    assert [path.name for path in tmp_path.iterdir()] == [".hal"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"format": 2, "files": {}}',
        b'{"format": 1, "files": []}',
        b'{"format": 1, "files": {"config": 7}}',
        b'{"format": 1, "files": {"../../etc/passwd": "sha256:0"}}',
        b'{"format": 1, "files": {"/etc/passwd": "sha256:0"}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_manifest_that_is_not_ours(text: bytes, tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    lay(target, {".halgit.json": text})
    said = "it has no .halgit.json" if not text else "its .halgit.json was not written by halgit"
    assert refused(target).startswith(f"{target}: the folder is not empty and {said} (it contains .halgit.json).")
    assert (target / ".halgit.json").read_bytes() == text


def test_files_changed_since_are_all_listed(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    (target / "config").write_bytes(b"by hand")
    (target / "default/profiles/gate-local.yml").unlink()
    (target / "default/profiles/igor-local.yml").unlink()
    (target / "default/profiles/igor-local.yml").symlink_to("/etc/hostname")
    assert refused(target) == (
        f"{target}: changed since halgit wrote it: config, default/profiles/gate-local.yml, "
        "default/profiles/igor-local.yml. "
        "Move the changes to the source, or use --force, which keeps the old tree as .hal.before-<time>."
    )
    assert (target / "config").read_bytes() == b"by hand"


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put({f"files/{number:02}": b"x" for number in range(25)}, target, "1" * 40)
    for path in target.glob("files/*"):
        path.write_bytes(b"y")
    assert "files/00, files/01, " in refused(target)
    assert "files/19 and 5 more." in refused(target)


def _file(folder: Path) -> Path:
    (folder / "hal").write_text("x")
    return folder / "hal"


def _loop(folder: Path) -> Path:
    (folder / "hal").symlink_to("hal")
    return folder / "hal"


def _below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("x")
    return folder / "file" / "hal"


PLACES: list[tuple[Prepare, str]] = [
    (_file, "{0}: is a file, not a folder. Move it, or choose another --out."),
    (_loop, "{0}: the symbolic link is a loop. Remove it, or choose another --out."),
    (lambda _: Path("/"), "/: the file system root cannot be the target. Choose another --out."),
    (_below_a_file, "{0}: {0.parent} is not a folder. Choose another --out."),
]


@pytest.mark.parametrize(("prepare", "words"), PLACES)
def test_a_place_where_no_tree_can_be(prepare: Prepare, words: str, tmp_path: Path) -> None:
    target = prepare(tmp_path)
    assert refused(target) == words.format(target)
    with pytest.raises(PublishError) as caught:
        compare(NEW, manifest("1"), target, options())
    assert str(caught.value) == words.format(target)


class Unwritable(Disk):
    """A disk on which nothing can be added to one folder; root is refused nothing by the real one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def may_write(self, folder: Path) -> bool:
        return folder != self.folder


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(PublishError) as caught:
        publish(NEW, manifest("1"), tmp_path / ".hal", options(), Unwritable(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/.hal: the folder {tmp_path} is not writable. Make it writable, or choose another --out."
    )


def test_folders_above_the_target_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(PublishError) as caught:
        publish(NEW, manifest("1"), tmp_path / "a" / "b" / ".hal", options(), Unwritable(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/a/b/.hal: the folder {tmp_path} is not writable. Make it writable, or choose another --out."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_target_in_a_folder_that_cannot_be_written_takes_the_journal(tmp_path: Path) -> None:
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    outcome = publish(NEW, manifest("2"), target, options(), Unwritable(tmp_path))
    assert outcome.way == "journal"
    assert tree(target) == NEW


def test_paths_that_leave_the_tree_or_are_halgits(tmp_path: Path) -> None:
    bad = ["../x", "/etc/passwd", "a/../../x", "a//b", "", "./a", "a/", ".halgit.json", ".halgit/pending/x", "a\0b"]
    assert refused(tmp_path / ".hal", {**dict.fromkeys(bad, b""), "config": b"", "d": b"", "d/e": b""}) == (
        "Invalid paths in the tree: '' is not a valid path; '../x' leaves the tree; './a' is not a valid path; "
        "'.halgit.json' is reserved for halgit; '.halgit/pending/x' is reserved for halgit; "
        "'/etc/passwd' leaves the tree; 'a\\x00b' is not a valid path; 'a/' is not a valid path; "
        "'a/../../x' leaves the tree; 'a//b' is not a valid path; 'd' is a file and a folder. "
        "Rename or remove them in the source."
    )
    assert list(tmp_path.iterdir()) == []


# --- git


def test_secrets_are_not_written_into_a_work_tree(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "build").mkdir()
    target = tmp_path / "build" / ".hal"
    asked: list[Path] = []

    def ignored(path: Path) -> bool:
        asked.append(path)
        return False

    assert refused(target, secrets=True, is_ignored=ignored) == (
        f"{target}: it is in the git work tree {tmp_path}, which does not ignore it, and the tree contains secrets. "
        "Add it to .gitignore, or choose an --out outside the work tree."
    )
    assert asked == [target]
    assert list((tmp_path / "build").iterdir()) == []


def test_a_work_tree_that_git_cannot_answer_for(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: ../elsewhere\n")
    words = (
        f"{tmp_path}/.hal: it is in the git work tree {tmp_path}, git cannot tell whether it is ignored, and "
        "the tree contains secrets. Install git, or choose an --out outside the work tree."
    )
    assert refused(tmp_path / ".hal", secrets=True, is_ignored=lambda path: None) == words
    assert refused(tmp_path / ".hal", secrets=True) == words


def test_a_link_into_a_work_tree_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    (tmp_path / "hal").symlink_to("clone/hal")
    assert "it is in the git work tree" in refused(tmp_path / "hal", secrets=True, is_ignored=lambda path: False)


@pytest.mark.parametrize(("secrets", "ignored"), [(True, True), (False, False)])
def test_an_ignored_target_or_one_without_secrets_is_fine(secrets: bool, ignored: bool, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    publish(NEW, manifest("1"), tmp_path / ".hal", options(secrets=secrets, is_ignored=lambda path: ignored))
    assert tree(tmp_path / ".hal") == NEW


def test_a_kept_tree_that_git_would_take_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    target = tmp_path / ".hal"
    lay(target, {"config": b"x"})
    outcome = publish(NEW, manifest("1"), target, options(force=True, is_ignored=lambda path: path == target))
    assert outcome.warnings == (
        f"{outcome.kept[0]}: the old tree is kept here; it may contain secrets and git does not ignore it. "
        f"Move it out of {tmp_path}.",
    )


def test_the_work_tree_of_a_target(tmp_path: Path) -> None:
    assert find_work_tree(tmp_path / "a" / "b") is None
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    assert find_work_tree(tmp_path / "a" / "b") == tmp_path / "a"
    assert find_work_tree(tmp_path / "a") == tmp_path / "a"
    assert find_work_tree(tmp_path / "a" / "b" / "not" / "there") == tmp_path / "a"


# --- owners and rights


def test_somebody_elses_tree_is_a_warning(tmp_path: Path) -> None:
    needs.root("give a tree away")
    target = tmp_path / ".hal"
    put(OLD, target, "1" * 40)
    assert put(NEW, target, "2" * 40).warnings == ()
    os.chown(target / ".halgit.json", 1000, -1)
    assert put(OLD, target, "3" * 40).warnings == (
        f"{target}: the tree belongs to user id 1000 and halgit runs as 0. Halyard must be able to read and write it: "
        "run both as the same user, or use --group-access.",
    )


@pytest.mark.parametrize("theirs", [True, False], ids=["existing", "missing"])
def test_a_place_where_we_may_do_nothing(theirs: bool) -> None:
    needs.root("become another user")
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / ".hal"
        Path(name).chmod(0o711)
        if theirs:
            put(OLD, target, "1" * 40)
        os.seteuid(12345)
        try:
            said = refused(target)
        finally:
            os.seteuid(0)
        if theirs:
            assert tree(target) == OLD
            assert said == (
                f"{target}: cannot be written: permission denied for user id 12345. "
                "Run halgit as the owner, or choose another path."
            )
        else:
            assert said == f"{target}: the folder {name} is not writable. Make it writable, or choose another --out."
