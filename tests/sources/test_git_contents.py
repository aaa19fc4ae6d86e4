"""What may stand in a repository: hostile trees, links, submodules, and folders that are not there."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from servers.repositories import Repository

from halgit.errors import RemoteError, SourceError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import Snapshot
from halgit.sources import open_source

Open = Callable[..., Snapshot]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


@pytest.fixture
def opened(repository: Repository, access: Callable[..., Access], request: pytest.FixtureRequest) -> Open:
    """Opens the repository, or a folder of it."""

    def make(path: str = "", **options: object) -> Snapshot:
        snapshot = open_source(SourceSpec(repository.url, path=path), access(**options))
        request.addfinalizer(snapshot.close)
        return snapshot

    return make


def refusal(snapshot: Snapshot, path: str) -> str:
    with pytest.raises(RemoteError) as caught:
        snapshot.read([path])
    return str(caught.value)


def no_opening(opened: Open, path: str = "") -> str:
    with pytest.raises(SourceError) as caught:
        opened(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "../outside",
            "is a symbolic link that leaves the source's root. Replace the link with the file, or widen --path.",
        ),
        ("/etc/passwd", "is a symbolic link that leaves the source's root."),
        ("../layer/config", "is a symbolic link that leaves the source's root."),
        ("nowhere", "is a symbolic link to a missing file. Fix or remove the link."),
        ("config/below", "is a symbolic link to a missing file."),
        ("link", "is a symbolic link loop. Fix or remove the link."),
        (".", "is a symbolic link loop."),
        ("x" * 5000, "is a symbolic link to a missing file."),
    ],
)
def test_a_link_that_leads_elsewhere_is_refused_when_read(
    repository: Repository, opened: Open, target: str, words: str
) -> None:
    file, link = repository.blob(b"a"), repository.blob(target.encode())
    layer = repository.tree([("100644", file, "config"), ("120000", link, "link")])
    repository.point(repository.tree([("040000", layer, "layer"), ("100644", file, "outside")]))
    snapshot = opened("layer")
    assert snapshot.paths == {"config", "link"}
    assert snapshot.read(["config"]) == {"config": b"a"}
    assert refusal(snapshot, "link").startswith(f"{repository.url}: link {words}")


def test_links_are_followed_inside_the_root(repository: Repository, opened: Open) -> None:
    for name, target in {"prod": "base", "gate": "prod/../base/profiles/./gate", "again": "gate"}.items():
        (repository.folder / name).symlink_to(target)
    repository.commit({"base/config": "a", "base/profiles/gate": "b"})
    snapshot = opened()
    assert snapshot.read(snapshot.paths) == {
        "base/config": b"a",
        "base/profiles/gate": b"b",
        "prod/config": b"a",
        "prod/profiles/gate": b"b",
        "gate": b"b",
        "again": b"b",
    }
    through = opened("prod")
    assert through.read(through.paths) == {"config": b"a", "profiles/gate": b"b"}


def test_a_submodule_is_left_out_and_told(repository: Repository, opened: Open, said: list[str]) -> None:
    commit = repository.commit({"config": "a", ".gitmodules": '[submodule "x"]\npath = base\nurl = ext::sh\n'})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},base")
    repository.git("commit", "--quiet", "--message=A submodule")
    assert opened().paths == {"config", ".gitmodules"}
    assert said[-1] == f"{repository.url}: submodule base is skipped"
    assert no_opening(opened, "base/profiles") == (
        f"{repository.url}: the folder base/profiles is in submodule base, which is not fetched. "
        "Fetch it with --submodules, or put the files into the repository."
    )


def test_nothing_of_the_repository_is_run(repository: Repository, opened: Open, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    repository.git("config", "filter.evil.smudge", f"touch {trace}; cat")
    hook = repository.folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trace}\n")
    hook.chmod(0o755)
    repository.commit({"config": "a", "x.yml": "b", ".gitattributes": "*.yml filter=evil text eol=crlf ident\n"})
    snapshot = opened()
    assert snapshot.read(["config", "x.yml"]) == {"config": b"a", "x.yml": b"b"}
    assert not trace.exists()


def test_a_pointer_of_git_lfs_is_refused(repository: Repository, opened: Open) -> None:
    repository.commit({"config": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"})
    assert refusal(opened(), "config").startswith(f"{repository.url}: config is a Git LFS pointer, not the file")


def test_large_files_are_refused_when_read(repository: Repository, opened: Open) -> None:
    repository.commit({"config": "12345", "other": "123456"})
    snapshot = opened(largest_file=5)
    assert snapshot.read(["config"]) == {"config": b"12345"}
    assert refusal(snapshot, "other").startswith(f"{repository.url}: other has 6 bytes; the limit is 5.")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("..", "the file name '../config' would leave the tree. Remove the file from the source."),
        (".", "the file name './config' would leave the tree."),
        ("a/../../b", "the file name 'a/../../b/config' would leave the tree."),
        ("/etc", "the file name '/etc/config' would leave the tree."),
        ("a\nb", "the file name 'a\\nb/config' contains a control character. Rename the file."),
        ("\x1b[2J", "the file name '\\x1b[2J/config' contains a control character."),
        ("caf\udce9", "the file name caf\\xe9/config is not UTF-8. Rename the file."),
    ],
)
def test_names_that_cannot_be(repository: Repository, opened: Open, name: str, words: str) -> None:
    below = repository.tree([("100644", repository.blob(b"a"), "config")])
    repository.point(repository.tree([("040000", below, name)]))
    assert no_opening(opened).startswith(f"{repository.url}: {words}")


def test_a_name_that_stands_twice_is_refused(repository: Repository, opened: Open) -> None:
    one, two = repository.blob(b"a"), repository.blob(b"b")
    repository.point(repository.tree([("100644", one, "config"), ("100644", two, "config")]))
    assert no_opening(opened) == f"{repository.url}: the tree has config twice. Check it with git fsck."


def test_odd_names_that_can_be(repository: Repository, opened: Open) -> None:
    names = ["a b", "-x", "ünï", '"quoted"', "back\\slash", "tab'", ":(top)x", "*", "%2e%2e", ".gitx"]
    repository.commit({f"d/{name}": name for name in names})
    snapshot = opened("d")
    assert snapshot.paths == set(names)
    assert snapshot.read(names) == {name: name.encode() for name in names}


def test_git_folders_inside_a_tree_are_left_out(repository: Repository, opened: Open) -> None:
    file = repository.blob(b"a")
    inside = repository.tree([("100644", file, "config")])
    repository.point(repository.tree([("040000", inside, ".GIT"), ("040000", inside, ".git"), ("100644", file, "b")]))
    assert opened().paths == {"b"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("layers/prd", "the folder layers/prd not found in commit {0}. Did you mean layers/prod or layers/pre-prod?"),
        ("zzz", "the folder zzz not found in commit {0}. Fix --path."),
        ("config", "config is a file, not a folder. Select a folder with --path."),
        ("out", "the folder out is a symbolic link that leaves the source's root."),
        ("-x", "the folder -x not found in commit {0}."),
        (":x", "the folder :x not found in commit {0}."),
    ],
)
def test_folders_that_are_not_there(repository: Repository, opened: Open, path: str, words: str) -> None:
    (repository.folder / "out").symlink_to("..")
    commit = repository.commit({"config": "a", "layers/prod/config": "a", "layers/pre-prod/config": "a"})
    assert no_opening(opened, path).startswith(f"{repository.url}: {words.format(commit[:12])}")


def test_two_snapshots_of_one_source_do_not_meet(repository: Repository, opened: Open) -> None:
    repository.commit({"config": "a"})
    first = opened()
    repository.commit({"config": "b"})
    second = opened()
    assert (first.read(["config"]), second.read(["config"])) == ({"config": b"a"}, {"config": b"b"})


def test_a_tree_that_names_itself_many_times_is_refused_at_the_limit(tmp_path: Path) -> None:
    """Ten folders of ten folders, ten deep: 10,000,000,000 files from eleven objects."""
    repository = tmp_path / "bomb"

    def git(*arguments: str, text: str = "") -> str:
        identity = {f"GIT_{role}_{part}": "x@y" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        return subprocess.run(
            ["git", *arguments], cwd=repository, input=text, capture_output=True, text=True, check=True,
            env={"PATH": os.environ["PATH"], **identity},
        ).stdout.strip()  # fmt: skip

    repository.mkdir()
    git("init", "-q", "-b", "main")
    here, mode, kind = git("hash-object", "-w", "--stdin", text="a"), "100644", "blob"
    for _ in range(10):
        here = git("mktree", text="".join(f"{mode} {kind} {here}\tf{number}\n" for number in range(10)))
        mode, kind = "040000", "tree"
    git("update-ref", "refs/heads/main", git("commit-tree", here, "-m", "bomb"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with pytest.raises(SourceError, match="it has more than 200000 files, linked folders included"):
        open_source(SourceSpec(f"file://{repository}"), Access())
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 500_000)
