"""Watching sources: the revision that a render would have, asked for as cheaply as the source allows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from servers.aws import aws
from servers.git_http import GitHttpServer
from servers.openbao import ROOT_TOKEN, openbao
from servers.repositories import Repository

from halgit import sources
from halgit.errors import SourceError, UsageError
from halgit.operator_settings import Access, PerHost, SourceSpec


def watched(spec: SourceSpec, access: Callable[[], Access] = Access) -> sources.Watch:
    return sources.watch_source(spec, access)


def opened(spec: SourceSpec, access: Access) -> str:
    snapshot = sources.open_source(spec, access)
    try:
        return snapshot.source.revision
    finally:
        snapshot.close()


def test_a_branch_a_tag_and_the_default_branch_are_what_a_render_gets(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    first = repository.commit({"config": "a"})
    repository.git("tag", "v1")
    repository.git("tag", "--annotate", "--message=x", "v2")
    second = repository.commit({"config": "b"})
    for ref, commit in (("", second), ("main", second), ("v1", first), ("v2", first), (first, first),
                        ("refs/heads/main", second), ("refs/tags/v2", first), ("HEAD", second)):  # fmt: skip
        spec = SourceSpec(repository.url, ref)
        watch = watched(spec)
        assert watch.revision() == commit, ref
        assert opened(spec, Access()) == commit
        watch.close()


def test_a_ref_that_is_gone_or_ambiguous_is_an_error(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"config": "a"})
    repository.git("branch", "both")
    repository.git("tag", "both")
    with pytest.raises(UsageError, match="both is both a branch and a tag"):
        watched(SourceSpec(repository.url, "both")).revision()
    watch = watched(SourceSpec(repository.url, "gone"))
    with pytest.raises(SourceError, match="gone"):
        watch.revision()
    repository.git("branch", "gone")
    assert watch.revision() == repository.git("rev-parse", "HEAD")
    with pytest.raises(SourceError, match="the folder"):
        watched(SourceSpec(str(tmp_path), "", "nowhere")).revision()


def test_a_look_is_one_listing_and_a_rotated_token_is_used(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "served" / "r")
    commit = repository.commit({"config": "a"})
    token = tmp_path / "token"
    token.write_text("first-token-1\n")
    with GitHttpServer(tmp_path / "served", token="first-token-1") as server:
        access = lambda: Access(git_token_file=PerHost(str(token)), timeout=10)  # noqa: E731
        watch = watched(SourceSpec(f"{server.url}/r/.git", "main"), access)
        assert watch.revision() == commit
        before = len(server.seen)
        assert watch.revision() == commit
        assert [request.path for request in server.seen[before:]].count("/r/.git/git-upload-pack") == 1
        server.token = "second-token-2"
        with pytest.raises(SourceError):
            watch.revision()
        token.write_text("second-token-2\n")
        assert watch.revision() == commit
        watch.close()


def test_a_directory_differs_when_a_file_does(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a")
    watch = watched(SourceSpec(str(tmp_path)))
    first = watch.revision()
    assert watch.revision() == first
    os.utime(tmp_path / "config", ns=(1, 1))
    second = watch.revision()
    (tmp_path / "more").write_text("b")
    assert len({first, second, watch.revision()}) == 3


def test_s3_differs_when_its_listing_does_and_no_object_is_read() -> None:
    with aws() as server:
        server.bucket("watched", {"p/config": b"a"})
        watch = watched(SourceSpec("s3://watched/p"), server.access)
        first = watch.revision()
        assert first == watch.revision()
        server.client("s3").put_object(Bucket="watched", Key="p/config", Body=b"b")
        assert watch.revision() != first
        server.client("s3").delete_object(Bucket="watched", Key="p/config")
        with pytest.raises(SourceError, match="s3://watched/p"):
            watch.revision()
        server.client("s3").put_object(Bucket="watched", Key="p/config", Body=b"c")
        assert watch.revision() == watch.revision() != first
        watch.close()


def test_vault_differs_when_a_version_does(tmp_path: Path) -> None:
    with openbao(tmp_path) as bao:
        bao.mount("kv", 2)
        bao.put("kv", "p", {"config": "a"})
        access = lambda: Access(  # noqa: E731
            vault_address=PerHost(bao.url), environment={"VAULT_TOKEN": ROOT_TOKEN}, timeout=10
        )
        watch = watched(SourceSpec("vault://kv/p"), access)
        first = watch.revision()
        assert watch.revision() == first == opened(SourceSpec("vault://kv/p"), access())
        bao.put("kv", "p", {"config": "a"})
        assert watch.revision() != first
        watch.close()
