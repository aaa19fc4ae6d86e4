"""One repository, four ways to it: the same bytes from a directory, over file://, over http with a token, over ssh."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from program import SAMPLE, halgit, tree
from servers.git_http import GitHttpServer
from servers.git_ssh import GitSshServer
from servers.repositories import Repository

TOKEN = "canary-token-5d2e"


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, pushed to a bare repository."""
    folder = tmp_path_factory.mktemp("served")
    work = Repository(folder / "work")
    shutil.copytree(SAMPLE, work.folder, dirs_exist_ok=True)
    work.commit({})
    work.git("clone", "--quiet", "--bare", ".", str(folder / "root" / "sample.git"))
    return folder / "root"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return render(tmp_path_factory.mktemp("directory"), str(SAMPLE))


def render(folder: Path, source: str, *options: object, **environment: str) -> dict[str, bytes]:
    """The tree of prod from a source, without what names the source."""
    out = folder / ".hal"
    ran = halgit(
        "render", "--repo", source, "--overlay", "prod", "--secrets", "mask", "--out", out, *options, **environment
    )
    assert ran.code == 0, ran.err
    assert TOKEN not in ran.out + ran.err
    files = tree(out)
    assert all(TOKEN.encode() not in text for text in files.values())
    files.pop(".halgit.json")
    return files


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


def test_over_file(pushed: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    assert render(tmp_path, f"file://{pushed}/sample.git") == expected


def test_over_http_with_a_token(pushed: Path, expected: dict[str, bytes], tmp_path: Path, token: Path) -> None:
    with GitHttpServer(pushed, token=TOKEN) as server:
        url = f"{server.url}/sample.git"
        assert render(tmp_path, url, "--git-token-file", token) == expected
        again = halgit("render", "--repo", url, "--overlay", "prod", "--out", tmp_path / "none", "--secrets", "mask")
        assert again.code == 3
        assert not (tmp_path / "none").exists()


def test_over_ssh_with_a_key(pushed: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    with GitSshServer(pushed, tmp_path / "keys") as server:
        url = f"ssh://git@{server.server}/sample.git"
        options = ("--ssh-key-file", server.key, "--known-hosts-file", server.known_hosts)
        assert render(tmp_path, url, *options) == expected
