"""The image built with buildah and run: as uid 1000 and as another one, with a read-only root, from a git server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import needs
import pytest
from program import SAMPLE, tree
from servers.git_http import GitHttpServer
from servers.repositories import Repository

from halgit import __version__

IMAGE = f"localhost/halgit:{__version__}"
RUN = """\
set -e
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
mkdir "$ROOT/tmp/out"
mount --bind "$OUT" "$ROOT/tmp/out"
mount -t proc proc "$ROOT/proc"
exec chroot --userspec="$USER_ID:$USER_ID" --groups= "$ROOT" env -i $VARIABLES "$@"
"""
"""What a container runtime does for this test: its own mounts, a read-only root, a user, a clean environment."""


@pytest.fixture(scope="session")
def root() -> Iterator[Path]:
    """The mounted image."""
    needs.root("mount an image")
    for program in ("buildah", "debootstrap", "unshare"):
        needs.program(program, "util-linux" if program == "unshare" else program)
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        needs.unavailable("mount namespaces; run the tests in a container with CAP_SYS_ADMIN")
    environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
    done = subprocess.run(
        ["scripts/make_image.sh"], cwd=needs.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    def buildah(*arguments: str) -> str:
        done = subprocess.run(["buildah", *arguments], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    container = buildah("from", IMAGE)
    yield Path(buildah("mount", container))
    buildah("rm", container)


def run(root: Path, out: Path, user: int, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the image with a read-only root."""
    known = {"PATH": "/opt/halgit/bin:/usr/bin:/bin", "HOME": "/nonexistent", **variables}
    environment = {
        "PATH": os.environ["PATH"],
        "ROOT": str(root),
        "OUT": str(out),
        "USER_ID": str(user),
        "VARIABLES": " ".join(f"{name}={value}" for name, value in known.items()),
    }
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", RUN, "run", *command],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("user", [1000, 1_234_567])
def test_it_renders_from_a_git_server_with_a_read_only_root(root: Path, tmp_path: Path, user: int) -> None:
    made = Repository(tmp_path / "root" / "repo")
    commit = made.commit(tree(SAMPLE))
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)
    with GitHttpServer(tmp_path / "root") as server:
        done = run(
            *(root, out, user, "halgit", "render", "--out", "/tmp/out/.hal"),
            HALGIT_REPO=f"{server.url}/repo",
            HALGIT_OVERLAY="prod",
            HALGIT_SECRETS="mask",
        )
    assert done.returncode == 0, done.stderr
    record = json.loads((out / ".hal/.halgit.json").read_text())
    assert (record["sources"][0]["revision"], (out / ".hal").stat().st_uid) == (commit, user)


def test_it_has_no_pip_no_compiler_and_no_setuid_file(root: Path) -> None:
    files = [path for path in root.rglob("*") if not path.is_symlink() and path.is_file()]
    programs = {path.name for path in files if path.stat().st_mode & 0o111}
    assert not programs & {"pip", "pip3", "gcc", "cc", "g++", "make", "ld"}
    assert not list(root.glob("**/site-packages/pip"))
    assert not [path for path in files if path.stat().st_mode & 0o6000]


def test_its_modules_have_byte_code_that_is_not_checked_against_the_source(root: Path) -> None:
    modules = list((root / "opt/halgit/lib").glob("*/site-packages/halgit/**/*.py"))
    assert modules
    for module in modules:
        (code,) = (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc")
        assert int.from_bytes(code.read_bytes()[4:8], "little") == 0b01, "hash-based and unchecked"


def test_its_labels_and_entry_point_are_the_projects(root: Path) -> None:
    text = subprocess.run(
        ["buildah", "inspect", "--type", "image", IMAGE], capture_output=True, text=True, check=True
    ).stdout
    config = json.loads(text)["OCIv1"]["config"]
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert (config["User"], config["Entrypoint"]) == ("1000:1000", ["halgit"])
