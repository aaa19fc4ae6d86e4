"""A force-push while halgit reads: the old commit's files are gone from the server, and no other commit's are taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.repositories import Repository

from halgit import sources
from halgit.errors import CorruptError, NotFoundError
from halgit.operator_settings import Access, SourceSpec

FILES = {"config": "a: 1\n" * 200, "default/profiles/gate-local.yml": "secret-of-the-old-commit\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "r")
    repository.commit(FILES)
    return repository


def force_push(repository: Repository) -> str:
    """Replace the only commit, and remove what nothing names any more."""
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.git("rm", "-r", "--quiet", "--cached", "-f", ".")
    commit = repository.commit({path: text.replace("old", "new") + "b: 2\n" for path, text in FILES.items()})
    repository.git("branch", "--quiet", "-M", "other", "main")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    return commit


def test_a_branch_that_was_force_pushed_during_the_read_is_refused(repository: Repository) -> None:
    snapshot = sources.open_source(SourceSpec(repository.url, "main"), Access(timeout=20.0))
    try:
        force_push(repository)
        with pytest.raises(CorruptError) as caught:
            snapshot.read(["config"])
    finally:
        snapshot.close()
    assert str(caught.value) == f"{repository.url}: refs/heads/main moved while it was being read. Run halgit again."


def test_a_commit_that_was_force_pushed_away_is_named(repository: Repository) -> None:
    commit = repository.git("rev-parse", "HEAD")
    snapshot = sources.open_source(SourceSpec(repository.url, commit), Access(timeout=20.0))
    try:
        force_push(repository)
        with pytest.raises(NotFoundError, match=f"commit {commit}"):
            snapshot.read(["config"])
    finally:
        snapshot.close()


def test_files_that_are_still_on_the_server_are_those_of_the_commit_that_was_opened(repository: Repository) -> None:
    snapshot = sources.open_source(SourceSpec(repository.url, "main"), Access(timeout=20.0))
    try:
        repository.commit({"config": "other: 1\n"}, "--amend")
        assert snapshot.read(["config"]) == {"config": FILES["config"].encode()}
    finally:
        snapshot.close()
