"""Branches, tags and commits: which is taken, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from servers.git_http import GitHttpServer
from servers.repositories import Repository

from halgit.errors import SourceError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.remotes.git.snapshot import GitSnapshot
from halgit.sources import open_source


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served" / "repo")
    made.commit({"config": "before"})
    made.commit({"config": "first"})
    made.git("tag", "v1")
    made.commit({"config": "second"})
    made.git("tag", "--annotate", "--message=A tag", "v2")
    made.git("branch", "release/2.0")
    made.git("branch", "beef123")
    made.commit({"config": "third"})
    made.git("config", "uploadpack.allowFilter", "true")
    return made


@pytest.fixture(params=[False, True], ids=["protocol 2", "protocol 0"])
def url(repository: Repository, request: pytest.FixtureRequest) -> Iterator[str]:
    with GitHttpServer(repository.folder.parent, old=request.param) as server:
        yield f"{server.url}/repo"


@pytest.fixture
def config(url: str, access: Callable[..., Access]) -> Callable[[str], tuple[bytes, str]]:
    """The content of `config` at a ref, and the commit it was read from."""

    def read(ref: str) -> tuple[bytes, str]:
        with closing(open_source(SourceSpec(url, ref), access())) as snapshot:
            assert snapshot.source.ref == ref
            return snapshot.read(["config"])["config"], snapshot.source.revision

    return read


@pytest.mark.parametrize(
    ("ref", "content", "commit"),
    [
        ("", b"third", "main"),
        ("HEAD", b"third", "main"),
        ("main", b"third", "main"),
        ("refs/heads/main", b"third", "main"),
        ("release/2.0", b"second", "release/2.0"),
        ("beef123", b"second", "beef123"),
        ("v1", b"first", "v1"),
        ("v2", b"second", "v2^{commit}"),
        ("refs/tags/v2", b"second", "v2^{commit}"),
    ],
)
def test_branches_and_tags(
    repository: Repository, config: Callable[[str], tuple[bytes, str]], ref: str, content: bytes, commit: str
) -> None:
    assert config(ref) == (content, repository.git("rev-parse", commit))


@pytest.mark.parametrize("name", ["main", "v1", "main~1", "main~3"])
def test_full_commits_also_below_the_tips(
    repository: Repository, config: Callable[[str], tuple[bytes, str]], name: str
) -> None:
    commit = repository.git("rev-parse", name)
    expected = repository.git("show", f"{commit}:config").encode()
    assert config(commit) == (expected, commit)
    assert config(commit.upper()) == (expected, commit)


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("mian", "branch or tag mian not found; the repository has main and 4 more. Fix --ref."),
        ("v3", "branch or tag v3 not found; the repository has v2, v1 and 3 more. Fix --ref."),
        ("zzz", "branch or tag zzz not found; the repository has beef123, main, release/2.0, v1, v2. Fix --ref."),
        (
            "abcdef12",
            "abcdef12 is not a branch or tag; it looks like an abbreviated commit id. "
            "Use all 40 characters of the commit id.",
        ),
        ("1" * 40, f"commit {'1' * 40} not found. Fix --ref."),
        ("refs/heads/mian", "branch or tag refs/heads/mian not found; the repository has "),
    ],
)
def test_refs_that_are_not_there(url: str, access: Callable[..., Access], ref: str, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(url, ref), access())
    assert str(caught.value).startswith(f"{url}: {words}")


def test_a_name_of_both_a_branch_and_a_tag_is_refused(
    repository: Repository, url: str, access: Callable[..., Access], config: Callable[[str], tuple[bytes, str]]
) -> None:
    repository.git("branch", "v1")
    with pytest.raises(UsageError) as caught:
        open_source(SourceSpec(url, "v1"), access())
    assert str(caught.value) == f"{url}: v1 is both a branch and a tag. Use --ref refs/heads/v1 or --ref refs/tags/v1."
    assert config("refs/heads/v1")[0] == b"third"
    assert config("refs/tags/v1")[0] == b"first"


def test_a_ref_that_is_no_commit(repository: Repository, url: str, access: Callable[..., Access]) -> None:
    repository.git("tag", "tree", "HEAD^{tree}")
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(url, "tree"), access())
    assert str(caught.value) == f"{url}: the ref does not point to a commit. Use a branch, a tag or a full commit id."


def test_an_empty_repository(tmp_path: Path, access: Callable[..., Access]) -> None:
    made = Repository(tmp_path / "empty")
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(made.url), access())
    assert str(caught.value) == (
        f"{made.url}: the repository has no default branch; it is empty, or the URL leads to a web page. "
        "Push a branch, or fix the URL."
    )
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(made.url, "main"), access())
    assert str(caught.value) == f"{made.url}: branch or tag main not found; the repository has none. Fix --ref."


def test_a_repository_of_another_object_format(tmp_path: Path, access: Callable[..., Access]) -> None:
    made = Repository(tmp_path / "sha256", GIT_DEFAULT_HASH="sha256")
    made.commit({"config": "a"})
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(made.url), access())
    assert str(caught.value) == (
        f"{made.url}: the repository's object format is unsupported; only SHA-1 is supported. "
        "Convert the repository to SHA-1."
    )


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("", "main"),
        ("HEAD", "main"),
        ("release/2.0", "release/2.0"),
        ("refs/heads/main", "main"),
        ("v2", ""),
        ("refs/tags/v1", ""),
    ],
)
def test_a_snapshot_knows_its_branch(url: str, access: Callable[..., Access], ref: str, branch: str) -> None:
    with closing(open_source(SourceSpec(url, ref), access())) as snapshot:
        assert isinstance(snapshot, GitSnapshot)
        assert snapshot.branch() == branch
        revision = snapshot.source.revision
    with closing(open_source(SourceSpec(url, ref, commit=revision), access())) as pinned:
        assert isinstance(pinned, GitSnapshot)
        assert (pinned.source.revision, pinned.source.ref, pinned.branch()) == (revision, ref, branch)
    with closing(open_source(SourceSpec(url, revision), access())) as commit:
        assert isinstance(commit, GitSnapshot)
        assert commit.branch() == ""
