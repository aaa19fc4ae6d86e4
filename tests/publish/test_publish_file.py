"""Single files: replaced in one step, never half written, private where they are to be."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from publish_disks import Dead, Dying, Failing, Watched

from halgit.errors import PublishError
from halgit.publish import write_daemon_config, write_file, write_termination_message

FILES = {"halyard.yml": b"server: {port: 8064}\n", "halyard-local.yml": b"server: {address: 0.0.0.0}\n"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_with_its_folders(tmp_path: Path) -> None:
    assert write_file(tmp_path / "a" / "b" / "private", b"x")
    assert write_file(tmp_path / "c" / "public", b"x", 0o644)
    assert (mode(tmp_path / "a/b/private"), mode(tmp_path / "a/b"), mode(tmp_path / "a")) == (0o600, 0o700, 0o700)
    assert (mode(tmp_path / "c/public"), mode(tmp_path / "c")) == (0o644, 0o755)
    assert {path.name for path in tmp_path.rglob("*")} == {"a", "b", "c", "private", "public"}


def test_nothing_changed_nothing_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_file(file, b"x")
    before = file.stat()
    assert not write_file(file, b"x", disk=(disk := Watched()))
    assert disk.log == []
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_a_private_file_that_is_open_to_all_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    file.chmod(0o644)
    assert not write_file(file, b"x", 0o644)
    assert write_file(file, b"x")
    assert mode(file) == 0o600


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    (tmp_path / "link").symlink_to("there")
    with pytest.raises(PublishError) as caught:
        write_file(tmp_path / "link", b"new")
    assert str(caught.value) == f"{tmp_path}/link: is a symbolic link. Name the file itself, or remove the link."
    assert (tmp_path / "there").read_bytes() == b"old"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, f"{tmp_path}: is a folder, not a file. Name a file."),
        (tmp_path / "pipe", f"{tmp_path}/pipe: is not a regular file. Name a regular file."),
    ):
        with pytest.raises(PublishError) as caught:
            write_file(path, b"x")
        assert str(caught.value) == words


def test_a_run_that_dies_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    seen = []
    for last in range(1, 20):
        file = tmp_path / str(last) / "file"
        write_file(file, b"the old one")
        disk = Dying("exchange", last)
        try:
            write_file(file, b"the new one", disk=disk)
            break
        except Dead:
            disk.bury()
        seen.append(file.read_bytes())
        assert len(list(file.parent.iterdir())) <= 2
        assert write_file(file, b"the third")
        assert [path.name for path in file.parent.iterdir()] == ["file"]
    assert seen == sorted(seen, key=[b"the old one", b"the new one"].index)
    assert set(seen) == {b"the old one", b"the new one"}


def test_a_full_disk_leaves_no_litter(tmp_path: Path) -> None:
    said = []
    for last in range(1, 20):
        folder = tmp_path / str(last)
        folder.mkdir()
        disk = Failing("exchange", last, OSError(errno.ENOSPC, "full", "/somewhere"))
        try:
            write_file(folder / "new" / "file", b"x", disk=disk)
        except PublishError as error:
            said.append(str(error))
            assert (folder / "new" / "file").exists() or list(folder.iterdir()) == []
    assert len(said) > 5
    assert all("cannot be written" in words and "the disk is full. Free disk space" in words for words in said)


def test_a_file_that_is_mounted_is_written_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a long old text")
    before = file.stat().st_ino
    assert write_file(file, b"new", disk=Watched("mount"))
    assert (file.read_bytes(), file.stat().st_ino, mode(file)) == (b"new", before, 0o600)


def test_the_daemons_files(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    assert write_daemon_config(FILES, folder) == ("halyard.yml", "halyard-local.yml")
    (folder / "mine.yml").write_text("x")
    assert write_daemon_config({**FILES, "halyard-local.yml": b"{}\n"}, folder) == ("halyard-local.yml",)
    assert {path.name for path in folder.iterdir()} == {*FILES, "mine.yml"}
    assert {mode(folder / name) for name in FILES} == {0o600}
    write_daemon_config({**FILES, "halyard.yml": b"{}\n"}, folder, group_access=True)
    assert mode(folder / "halyard.yml") == 0o660


def test_the_daemons_files_are_both_laid_down_before_one_counts(tmp_path: Path) -> None:
    new = dict.fromkeys(FILES, b"new")
    for last in range(1, 40):
        folder = tmp_path / str(last)
        write_daemon_config(FILES, folder)
        disk = Failing("exchange", last, OSError(errno.ENOSPC, "full", "/somewhere"), goes_on=False)
        try:
            write_daemon_config(new, folder, disk=disk)
        except PublishError:
            renamed = sum(what == "rename" for what, _ in disk.log[: last - 1])
            assert sum((folder / name).read_bytes() == b"new" for name in FILES) == renamed
        else:
            break
    else:
        raise AssertionError("it never ends")


def test_a_reason_is_left_only_where_a_pod_reads_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write_termination_message(log, "why")
    assert not log.exists()
    log.write_text("an older and longer reason")
    write_termination_message(log, "why")
    assert log.read_text() == "why"
    write_termination_message(log, "é" * 4000)
    assert log.read_text() == "é" * 2048
    write_termination_message(tmp_path, "a folder is no file")
