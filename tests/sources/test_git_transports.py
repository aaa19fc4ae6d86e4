"""The same repository over every transport: the same bytes, and no more of it on the wire than is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import needs
import pytest
from servers.certificates import Authority
from servers.git_http import GitHttpServer
from servers.git_ssh import GitSshServer
from servers.repositories import Repository

from halgit.errors import CorruptError
from halgit.operator_settings import Access
from halgit.pipeline import Snapshot
from halgit.sources import open_source, parse_spec

TOKEN = "a-token-of-32-characters-or-more"
FILES = {
    "config": b"currentDeployment: default\r\nname: \xc3\xa9\n",
    "default/profiles/gate-local.yml": b"server: {port: 8084}",
    "files/key.p12": bytes(range(256)),
    "empty": b"",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The repository all transports serve."""
    made = Repository(tmp_path / "served" / "repo")
    (made.folder / "link").symlink_to("default/profiles")
    made.commit({**FILES, ".gitattributes": "*.yml text eol=crlf filter=evil\n"})
    return made


@pytest.fixture
def sources(repository: Repository, tmp_path: Path, access: Callable[..., Access]) -> Iterator[dict[str, Snapshot]]:
    """The repository as a snapshot, by transport."""
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    authority = Authority(tmp_path / "ca")
    root = repository.folder.parent
    with ExitStack() as stack:
        http = stack.enter_context(GitHttpServer(root, token=TOKEN, user="x-access-token"))
        https = stack.enter_context(GitHttpServer(root, token=TOKEN, user="me", tls=authority.server("127.0.0.1")))
        ssh = stack.enter_context(GitSshServer(root, tmp_path / "ssh"))
        keys = {"ssh_key_file": ssh.key, "known_hosts_file": ssh.known_hosts}
        urls = {
            repository.url: access(),
            f"{http.url}/repo": access(git_token_file=token),
            f"{https.url}/repo": access({"HALGIT_GIT_TOKEN": TOKEN}, ca_file=authority.ca, git_user="me"),
            f"ssh://git@{ssh.server}/repo": access(**keys),
        }
        yield {
            url: stack.enter_context(closing(open_source(parse_spec(url), allowed))) for url, allowed in urls.items()
        }


def test_the_same_bytes_over_every_transport(sources: dict[str, Snapshot], repository: Repository) -> None:
    commit = repository.git("rev-parse", "HEAD")
    for url, snapshot in sources.items():
        assert snapshot.source.url == url
        assert snapshot.source.revision == commit
        assert snapshot.paths == {*FILES, "link/gate-local.yml", ".gitattributes"}
        assert snapshot.read(FILES) == FILES
        assert snapshot.read(["link/gate-local.yml"])["link/gate-local.yml"] == FILES["default/profiles/gate-local.yml"]


@pytest.fixture
def large(tmp_path: Path) -> Repository:
    """A repository with a little configuration, much else, and a past."""
    made = Repository(tmp_path / "served" / "large")
    for number in range(4):
        made.commit({"video.bin": os.urandom(500_000), "config": f"a: {number}\n", f"old{number}": os.urandom(99_000)})
    made.git("config", "uploadpack.allowFilter", "true")
    return made


def test_a_large_repository_costs_what_its_configuration_costs(
    large: Repository, access: Callable[..., Access]
) -> None:
    with (
        GitHttpServer(large.folder.parent) as server,
        closing(open_source(parse_spec(f"{server.url}/large"), access())) as snapshot,
    ):
        assert snapshot.read(["config"]) == {"config": b"a: 3\n"}
        assert server.sent < 20_000
        posts = sum(request.method == "POST" for request in server.seen)
        snapshot.read(["config"])
        assert sum(request.method == "POST" for request in server.seen) == posts, "what is here is not asked for again"


def test_many_files_come_in_one_request(large: Repository, access: Callable[..., Access], said: list[str]) -> None:
    large.commit({f"default/profiles/p{number}.yml": f"a: {number}" for number in range(300)})
    with (
        GitHttpServer(large.folder.parent) as server,
        closing(open_source(parse_spec(f"{server.url}/large?path=default"), access())) as snapshot,
    ):
        before = len(server.seen)
        assert len(snapshot.read(snapshot.paths)) == 300
        assert len([request for request in server.seen[before:] if request.method == "POST"]) <= 2
        assert server.sent < 60_000
    assert said == [f"{server.url}/large: fetching HEAD", f"{server.url}/large: fetching 300 files"]


def test_a_local_repository_serves_parts_of_itself(
    tmp_path: Path, access: Callable[..., Access], scratch: Path
) -> None:
    made = Repository(tmp_path / "large")
    made.commit({"video.bin": os.urandom(3_000_000), "config": "a: 1\n"})
    with closing(open_source(parse_spec(made.url), access())) as snapshot:
        assert snapshot.read(["config"]) == {"config": b"a: 1\n"}
        here = sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file())
        assert here < 100_000


def test_a_local_repository_may_belong_to_somebody_else(tmp_path: Path, access: Callable[..., Access]) -> None:
    needs.root("give a repository to somebody else")
    made = Repository(tmp_path / "theirs")
    made.commit({"config": "a: 1\n"})
    for place in (made.folder, made.folder / ".git"):
        os.chown(place, 12345, 12345)
    with closing(open_source(parse_spec(made.url), access())) as snapshot:
        assert snapshot.read(["config"]) == {"config": b"a: 1\n"}


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize("old", [True, False])
def test_servers_that_can_do_less(large: Repository, access: Callable[..., Access], filters: str, old: bool) -> None:
    large.git("config", "uploadpack.allowFilter", filters)
    (large.folder / "link").symlink_to("config")
    large.commit()
    with (
        GitHttpServer(large.folder.parent, old=old) as server,
        closing(open_source(parse_spec(f"{server.url}/large"), access())) as snapshot,
    ):
        assert snapshot.read(["config", "link"]) == {"config": b"a: 3\n", "link": b"a: 3\n"}


def test_a_branch_that_moves_while_it_is_read_is_refused(large: Repository, access: Callable[..., Access]) -> None:
    with (
        GitHttpServer(large.folder.parent, old=True) as server,
        closing(open_source(parse_spec(f"{server.url}/large?ref=main"), access())) as snapshot,
    ):
        large.commit({"config": "a: 5\n"})
        with pytest.raises(CorruptError, match=r"refs/heads/main moved while it was being read. Run halgit again."):
            snapshot.read(["config"])


def test_what_was_listed_is_read_though_the_branch_has_moved(large: Repository, access: Callable[..., Access]) -> None:
    with (
        GitHttpServer(large.folder.parent) as server,
        closing(open_source(parse_spec(f"{server.url}/large"), access())) as snapshot,
    ):
        large.commit({"config": "a: 5\n"})
        assert snapshot.read(["config"]) == {"config": b"a: 3\n"}
