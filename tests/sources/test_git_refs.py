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
        ("mian", "there is no branch or tag mian; it has main and 4 more. Correct --ref."),
        ("v3", "there is no branch or tag v3; it has v2, v1 and 3 more. Correct --ref."),
        ("zzz", "there is no branch or tag zzz; it has beef123, main, release/2.0, v1, v2. Correct --ref."),
        (
            "abcdef12",
            "abcdef12 is no branch or tag; as a commit it is cut short. Give all 40 characters of the commit.",
        ),
        ("1" * 40, f"there is no commit {'1' * 40}. Correct --ref."),
        ("refs/heads/mian", "there is no branch or tag refs/heads/mian; it has "),
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
    assert str(caught.value) == f"{url}: v1 is both a branch and a tag. Give --ref refs/heads/v1 or --ref refs/tags/v1."
    assert config("refs/heads/v1")[0] == b"third"
    assert config("refs/tags/v1")[0] == b"first"


def test_a_ref_that_is_no_commit(repository: Repository, url: str, access: Callable[..., Access]) -> None:
    repository.git("tag", "tree", "HEAD^{tree}")
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(url, "tree"), access())
    assert str(caught.value) == f"{url}: the ref leads to no commit. Give a branch, a tag or a full commit."


def test_an_empty_repository(tmp_path: Path, access: Callable[..., Access]) -> None:
    made = Repository(tmp_path / "empty")
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(made.url), access())
    assert str(caught.value) == (
        f"{made.url}: the repository names no default branch; it may be empty. Push to it, or give --ref."
    )
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(made.url, "main"), access())
    assert str(caught.value) == f"{made.url}: there is no branch or tag main; it has none at all. Correct --ref."


def test_a_repository_of_another_object_format(tmp_path: Path, access: Callable[..., Access]) -> None:
    made = Repository(tmp_path / "sha256", GIT_DEFAULT_HASH="sha256")
    made.commit({"config": "a"})
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(made.url), access())
    assert str(caught.value) == (
        f"{made.url}: the repository's object format is not SHA-1, the only one read here. "
        "Convert the repository to SHA-1."
    )
