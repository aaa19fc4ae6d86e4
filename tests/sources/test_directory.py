"""A directory as a source: what counts as a file of it, where links may lead, and what is refused."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from halgit.errors import CorruptError, HalgitError, NotFoundError, RemoteError, SourceError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import Snapshot
from halgit.sources import open_source, parse_spec

Open = Callable[..., Snapshot]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """The directory that is the source."""
    folder = tmp_path / "repo"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(repo: Path, access: Callable[..., Access]) -> Open:
    """Opens the directory, or a folder of it."""
    return lambda path="", **options: open_source(parse_spec(f"{repo}?path={path}"), access(**options))


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        place = folder / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)


def refusal(snapshot: Snapshot, path: str) -> str:
    with pytest.raises(RemoteError) as caught:
        snapshot.read([path])
    return str(caught.value)


def test_all_regular_files_count_and_nothing_else(repo: Path, opened: Open) -> None:
    write(repo, config="a", default__profiles__gate="b", x__git="c")
    (repo / ".git").mkdir()
    write(repo / ".git", config="secret")
    write(repo / "sub" / ".git", HEAD="x")
    (repo / "lost+found").mkdir()
    (repo / "empty").mkdir()
    os.mkfifo(repo / "pipe")
    (repo / "to-pipe").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.relpath(repo / "socket"))
    (repo / "Ünïcode und blank").write_text("d")
    snapshot = opened()
    assert snapshot.paths == {"config", "default/profiles/gate", "x/git", "to-pipe", "Ünïcode und blank"}
    wanted = snapshot.paths - {"to-pipe"}
    assert snapshot.read(wanted) == {
        "config": b"a",
        "default/profiles/gate": b"b",
        "x/git": b"c",
        "Ünïcode und blank": b"d",
    }
    assert refusal(snapshot, "to-pipe").endswith(
        "to-pipe is a symbolic link to a missing file. Fix or remove the link."
    )
    assert (snapshot.source.url, snapshot.source.revision) == (str(repo), "")
    snapshot.close()


def test_a_folder_of_it_as_root(repo: Path, opened: Open) -> None:
    write(repo, layers__prod__config="a", other="b")
    (repo / "now").symlink_to("layers/prod")
    for path in ("layers/prod", "/layers/./prod/".strip("/"), "now"):
        snapshot = opened(path)
        assert snapshot.read(snapshot.paths) == {"config": b"a"}
        assert snapshot.source.path == path.replace("/./", "/")


def test_links_are_followed_inside_the_root(repo: Path, opened: Open) -> None:
    write(repo, base__config="a", base__profiles__gate="b")
    (repo / "prod").symlink_to("base")
    (repo / "gate").symlink_to("prod/../base/profiles/./gate")
    (repo / "absolute").symlink_to(repo / "base" / "config")
    (repo / "again").symlink_to("gate")
    (repo / "..data").symlink_to("base")
    snapshot = opened()
    assert snapshot.read(snapshot.paths) == {
        "base/config": b"a",
        "base/profiles/gate": b"b",
        "prod/config": b"a",
        "prod/profiles/gate": b"b",
        "..data/config": b"a",
        "..data/profiles/gate": b"b",
        "gate": b"b",
        "again": b"b",
        "absolute": b"a",
    }


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "../outside",
            "is a symbolic link that leaves the source's root. Replace the link with the file, or widen --path.",
        ),
        ("/etc/passwd", "is a symbolic link that leaves the source's root."),
        ("folder/../../outside", "is a symbolic link that leaves the source's root."),
        ("../layer/config", "is a symbolic link that leaves the source's root."),
        ("nowhere", "is a symbolic link to a missing file. Fix or remove the link."),
        ("config/below", "is a symbolic link to a missing file."),
        ("link", "is a symbolic link loop. Fix or remove the link."),
        (".", "is a symbolic link loop."),
    ],
)
def test_a_link_that_leads_elsewhere_is_refused_when_read(repo: Path, opened: Open, target: str, words: str) -> None:
    write(repo, outside="secret", layer__config="a", layer__folder__x="b")
    (repo / "layer" / "link").symlink_to(target)
    snapshot = opened("layer")
    assert snapshot.paths == {"config", "folder/x", "link"}
    assert snapshot.read(["config"]) == {"config": b"a"}
    assert refusal(snapshot, "link").startswith(f"{repo}: link {words}")


def test_links_that_make_endless_paths_are_refused(repo: Path, opened: Open) -> None:
    for number in range(30):
        folder = repo / f"d{number}"
        folder.mkdir()
        (folder / "a").symlink_to(f"../d{number + 1}")
        (folder / "b").symlink_to(f"../d{number + 1}")
    (repo / "d30").mkdir()
    with pytest.raises(SourceError) as caught:
        opened()
    assert str(caught.value) == (
        f"{repo}: it has more than 200000 files, linked folders included. "
        "Select the configuration's folder with --path."
    )


def test_a_folder_may_be_deeper_than_python_can_recurse(repo: Path, opened: Open) -> None:
    folders = [repo]
    for _ in range(1050):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    config = folders[-1] / "config"
    config.write_text("a")
    try:
        snapshot = opened()
        path = config.relative_to(repo).as_posix()
        assert snapshot.read([path]) == {path: b"a"}
    finally:
        config.unlink()
        for folder in reversed(folders[1:]):
            folder.rmdir()


def test_the_root_may_be_a_link(repo: Path, tmp_path: Path, access: Callable[..., Access]) -> None:
    write(repo, config="a")
    (tmp_path / "current").symlink_to("repo")
    snapshot = open_source(parse_spec(f"{tmp_path}/current"), access())
    assert snapshot.read(["config"]) == {"config": b"a"}
    assert snapshot.source.url == f"{tmp_path}/current"


def test_large_files_are_refused_when_read(repo: Path, opened: Open) -> None:
    write(repo, config="12345", other="123456")
    snapshot = opened(largest_file=5)
    assert snapshot.read(["config"]) == {"config": b"12345"}
    assert refusal(snapshot, "other") == (
        f"{repo}: other has 6 bytes; the limit is 5. Remove the file or store it elsewhere."
    )


def test_a_pointer_of_git_lfs_is_refused(repo: Path, opened: Open) -> None:
    write(repo, config="version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
    assert refusal(opened(), "config") == (
        f"{repo}: config is a Git LFS pointer, not the file. "
        "Store the file in git: run `git lfs untrack` and commit it again."
    )


def test_names_that_cannot_be_shown_are_refused(repo: Path, opened: Open) -> None:
    odd = repo / os.fsdecode(b"caf\xe9")
    odd.write_text("a")
    with pytest.raises(SourceError) as caught:
        opened()
    assert str(caught.value) == f"{repo}: the file name caf\\xe9 is not UTF-8. Rename the file."
    odd.unlink()
    write(repo, **{"a\n::error::b": "c"})
    with pytest.raises(SourceError) as caught:
        opened()
    assert str(caught.value) == (
        f"{repo}: the file name 'a\\n::error::b' contains a control character. Rename the file."
    )


def test_what_vanishes_or_turns_into_something_else_is_refused(repo: Path, opened: Open) -> None:
    changed = "changed while it was being read. Run halgit again when nothing writes there."
    for name in ("gone", "pipe", "link", "folder"):
        write(repo, **{f"d__{name}": "a"})
    snapshot = opened()
    for name in ("gone", "pipe", "link", "folder"):
        (repo / "d" / name).unlink()
    os.mkfifo(repo / "d" / "pipe")
    (repo / "d" / "link").symlink_to("/etc/passwd")
    (repo / "d" / "folder").mkdir()
    for name in ("gone", "pipe", "link", "folder"):
        assert refusal(snapshot, f"d/{name}") == f"{repo}: d/{name} {changed}"
    (repo / "d").rename(repo / "e")
    (repo / "d").symlink_to("/etc")
    assert refusal(snapshot, "d/gone") == f"{repo}: d/gone {changed}"


def test_a_path_that_was_never_there(repo: Path, opened: Open) -> None:
    with pytest.raises(NotFoundError) as caught:
        opened().read(["../outside"])
    assert str(caught.value) == f"{repo}: file ../outside not found. Fix the path."


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root may read everything; be nobody for a while."""
    us = os.geteuid()
    if us == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(us)


def test_what_may_not_be_read_is_refused_by_name(access: Callable[..., Access]) -> None:
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        repo = Path(top)
        write(repo, config="a", private__config="b")
        (repo / "config").chmod(0)
        with somebody_else():
            snapshot = open_source(parse_spec(top), access())
            assert refusal(snapshot, "config") == (
                f"{top}: config cannot be read: permission denied. Grant read permission to the user that runs halgit."
            )
        (repo / "private").chmod(0)
        with somebody_else(), pytest.raises(SourceError) as caught:
            open_source(parse_spec(top), access())
        (repo / "private").chmod(0o700)
        assert str(caught.value) == (
            f"{top}: private/ cannot be read: permission denied. Grant read permission to the user that runs halgit."
        )


def test_folders_that_are_not_there(repo: Path, tmp_path: Path, opened: Open) -> None:
    write(repo, config="a")
    (repo / "out").symlink_to(tmp_path)
    expected: dict[str, tuple[type[HalgitError], str]] = {
        "nowhere": (NotFoundError, "the folder nowhere is not there. Fix --path."),
        "config": (NotFoundError, "the folder config is a file. Fix --path."),
        "out": (CorruptError, "--path out points outside the directory. Name a folder inside the directory."),
    }
    for path, (kind, words) in expected.items():
        with pytest.raises(SourceError) as caught:
            opened(path)
        assert isinstance(caught.value.__cause__, kind)
        assert str(caught.value) == f"{repo}: {words}"


def test_a_file_is_no_directory(repo: Path, access: Callable[..., Access]) -> None:
    write(repo, config="a")
    with pytest.raises(SourceError) as caught:
        open_source(parse_spec(f"{repo}/config"), access())
    assert str(caught.value) == (
        f"{repo}/config: the directory is a file. Name a directory, or a URL of git, S3 or Vault."
    )


def test_a_folder_that_is_swapped_for_a_link_gives_nothing_away(tmp_path: Path) -> None:
    """Between the listing and the reading somebody puts a link in the place of a folder."""
    (tmp_path / "repo" / "default").mkdir(parents=True)
    (tmp_path / "repo" / "default" / "config").write_text("ours")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "config").write_text("canary")
    snapshot = open_source(SourceSpec(str(tmp_path / "repo")), Access())
    (tmp_path / "repo" / "default").rename(tmp_path / "away")
    (tmp_path / "repo" / "default").symlink_to(tmp_path / "private")
    with pytest.raises(CorruptError, match="default/config changed while it was being read"):
        snapshot.read(["default/config"])
    (tmp_path / "repo").rename(tmp_path / "moved")
    (tmp_path / "repo").symlink_to(tmp_path / "private")
    (tmp_path / "moved" / "default").unlink()
    (tmp_path / "away").rename(tmp_path / "moved" / "default")
    assert snapshot.read(["default/config"]) == {"default/config": b"ours"}
    snapshot.close()
