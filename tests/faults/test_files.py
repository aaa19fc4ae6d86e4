"""Links and leftovers: no file is written through a link, and keys of a killed run do not stay."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from program import SAMPLE, Ran, halgit

from halgit.errors import PublishError
from halgit.remotes import beneath
from halgit.sync.state import SyncState
from halgit.sync.state_file import StateFile
from halgit.sync.status import StatusBoard

CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
REFUSED = "is a symbolic link. Name the file itself, or remove the link."


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "repo")
    return tmp_path / "repo"


def run_through_link(name: str, link: Path, repo: Path) -> Ran:
    """Run a command that writes to the link."""
    prod = ("--repo", repo, "--overlay", "prod")
    commands: dict[str, tuple[object, ...]] = {
        "lock": ("lock", "--repo", repo.parent / "plain", "--output", link),
        "validate": ("validate", *prod, "--output", link),
        "diff": ("diff", *prod, "--base-overlay", "dev", "--output", link),
        "overlays": ("overlays", "--repo", repo, "--output", link),
        "accounts": (
            "accounts",
            "manifest",
            "a",
            "--namespace",
            "n",
            "--services",
            "--endpoint",
            "x:github",
            "--output",
            link,
        ),
        "daemon": ("render", *prod, "--secrets", "mask", "--out", repo.parent / "hal", "--daemon-config", link.parent),
    }
    return halgit(*commands[name])


@pytest.mark.parametrize("name", ["lock", "validate", "diff", "overlays", "accounts", "daemon"])
@pytest.mark.parametrize("is_dangling", [False, True])
def test_no_writer_follows_a_link(name: str, is_dangling: bool, repo: Path, tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "written"
    folder.mkdir()
    link = folder / "halyard.yml"
    link.symlink_to(victim)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "config").write_text(CONFIG)
    if not is_dangling:
        victim.write_text('{"format": 1, "overlays": {}}')
    ran = run_through_link(name, link, repo)
    assert (ran.code, f"{link}: {REFUSED}" in ran.err) == (5, True), ran.err
    assert victim.exists() is not is_dangling
    assert is_dangling or victim.read_text() == '{"format": 1, "overlays": {}}'


FOLDER_REFUSED = "is a symbolic link. Name the folder itself, or remove the link."


@pytest.mark.parametrize("name", ["import", "export", "init"])
@pytest.mark.parametrize("is_dangling", [False, True])
def test_no_new_folder_is_written_through_a_link(name: str, is_dangling: bool, repo: Path, tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    link.symlink_to(victim)
    if not is_dangling:
        victim.mkdir()
    commands: dict[str, tuple[object, ...]] = {
        "import": ("import", repo / "base", link),
        "export": ("export", "--to", "kleat", "--repo", repo, "--overlay", "prod", "--no-validate", link),
        "init": ("init", link),
    }
    ran = halgit(*commands[name])
    assert (ran.code, f"{link}: {FOLDER_REFUSED}" in ran.err) == (5, True), ran.err
    assert is_dangling or list(victim.iterdir()) == []
    assert victim.exists() is not is_dangling


@pytest.mark.parametrize("path", ["base", ".schemas", "overlays/prod", "base/default/profiles"])
def test_a_new_repository_is_not_written_through_a_link_in_the_folder(path: str, tmp_path: Path) -> None:
    """The folder may be a clone, whose links its author chose."""
    (tmp_path / "victim").mkdir()
    link = tmp_path / "repo" / path
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "victim")
    ran = halgit("init", tmp_path / "repo")
    assert (ran.code, f"{link}: {FOLDER_REFUSED}" in ran.err) == (5, True), ran.err
    assert list((tmp_path / "victim").iterdir()) == []


def test_a_state_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    victim, state = tmp_path / "victim", tmp_path / "state"
    victim.write_text("kept")
    state.symlink_to(victim)
    with pytest.raises(PublishError, match=rf"{state}: {REFUSED}"):
        StateFile(state, StatusBoard(time.time, str)).save(SyncState(rejected="revision"))
    assert victim.read_text() == "kept"


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_lock_that_is_no_file_is_not_read(kind: str, tmp_path: Path) -> None:
    """A link to /dev/zero would fill the memory, and a pipe would keep the run waiting."""
    (tmp_path / "config").write_text(CONFIG)
    lock = tmp_path / "halgit.lock"
    if kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.symlink_to("/dev/zero")
    ran = halgit("lock", "--repo", tmp_path)
    words = REFUSED if kind == "device" else "is not a regular file. Name a regular file."
    assert (ran.code, f"{lock}: {words}" in ran.err) == (5, True), ran.err


@pytest.mark.parametrize("option", ["--params", "--baseline"])
def test_an_endless_file_of_the_operator_is_refused(option: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(CONFIG)
    ran = halgit("validate", "--repo", tmp_path, option, "/dev/zero")
    assert (ran.code, f"{option}: cannot read /dev/zero: File too large. Check the path." in ran.err) == (2, True), (
        ran.err
    )


@pytest.mark.parametrize(
    "command", [("rules", "yaml/tag"), ("schema", "halgit"), ("help", "exit-codes"), ("init", "x")]
)
def test_any_command_removes_the_keys_that_a_killed_run_left(command: tuple[str, ...], tmp_path: Path) -> None:
    left = tmp_path / "halgit-git-left"
    left.mkdir()
    (left / "held").touch()
    (left / "key").write_text("-----BEGIN PRIVATE KEY-----")
    ran = halgit(*command, TMPDIR=str(tmp_path), cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert not left.exists()


@pytest.mark.parametrize("open_file", [beneath.open_beneath, beneath.walk_beneath])
def test_a_file_is_opened_below_the_directory_only(open_file: object, tmp_path: Path) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "file").write_text("in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("out")
    (tmp_path / "in" / "link").symlink_to("../out")
    (tmp_path / "in" / "file").symlink_to("../out/file")
    directory = os.open(tmp_path / "in", os.O_RDONLY | os.O_DIRECTORY)
    try:
        descriptor = open_file(directory, "a/file")  # type: ignore[operator]
        assert os.read(descriptor, 10) == b"in"
        os.close(descriptor)
        for path in ("link/file", "file", "../out/file", "a/../../out/file"):
            with pytest.raises(OSError, match=r"link|directory|device"):
                open_file(directory, path)  # type: ignore[operator]
    finally:
        os.close(directory)


def test_the_kernel_resolves_the_path_where_it_can() -> None:
    if os.uname().sysname != "Linux" or tuple(map(int, os.uname().release.split(".")[:2])) < (5, 6):
        pytest.skip("the kernel has no openat2")
    call = beneath._find_openat2()
    assert call is not None
    directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        descriptor, number = call(directory, b"etc/hostname", beneath.READ)
        assert descriptor >= 0, os.strerror(number)
        os.close(descriptor)
        assert call(directory, b"../etc/hostname", beneath.READ)[0] == -1
    finally:
        os.close(directory)
