"""Commit statuses and required checks, against fakes that take what GitHub, GitLab, Bitbucket and Gitea document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from program import Ran
from servers.git_http import GitHttpServer
from servers.http import Asked, Said, server
from sync_world import GATE, World, tree, world

from halgit.errors import UsageError
from halgit.operator_settings import Access
from halgit.redaction import Secret
from halgit.remotes.commit_statuses import FORGES, CommitStatuses, ForgeName, guess_forge

TOKEN = "forge-token-123456"
COMMIT = "0123456789012345678901234567890123456789"
HEADERS = {
    "github": ("authorization", f"Bearer {TOKEN}"),
    "gitea": ("authorization", f"token {TOKEN}"),
    "gitlab": ("private-token", TOKEN),
    "bitbucket": ("authorization", f"Bearer {TOKEN}"),
}
SET = {
    "github": f"/repos/org/spinnaker/statuses/{COMMIT}",
    "gitea": f"/repos/org/spinnaker/statuses/{COMMIT}",
    "gitlab": f"/projects/org%2Fspinnaker/statuses/{COMMIT}",
    "bitbucket": f"/repositories/org/spinnaker/commit/{COMMIT}/statuses/build",
}
STATES = {
    "github": {"pending", "success", "failure", "error"},
    "gitea": {"pending", "success", "failure", "error", "warning"},
    "gitlab": {"pending", "running", "success", "failed", "canceled"},
    "bitbucket": {"INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"},
}


@dataclass
class Api:
    """The fake of one forge. `checks` is what it answers when checks are listed, by the end of the path."""

    forge: ForgeName
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    checks: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        name, value = HEADERS[self.forge]
        if asked.headers.get(name) != value:
            return Said(401)
        if asked.method == "GET":
            path, _, _ = asked.path.partition("?")
            return Said(body=json.dumps(self.checks.get(path.rsplit("/", 1)[1], {})).encode())
        body = json.loads(asked.body)
        too_long = len(body.get("description", "")) > 140
        lacks_url = self.forge == "bitbucket" and not body.get("url")
        if body["state"] not in STATES[self.forge] or too_long or lacks_url:
            return Said(422)
        self.posted.append((asked.path, body))
        return Said(201)


@contextmanager
def forge(name: ForgeName) -> Iterator[Api]:
    api = Api(name)
    with server(api.answer) as url:
        api.url = url
        yield api


def statuses(api: Api) -> CommitStatuses:
    url = "https://git.example.com/org/spinnaker.git"
    return CommitStatuses(Access(timeout=5), url, api.forge, api.url, Secret(TOKEN, "token"))


EACH = pytest.mark.parametrize("name", list(FORGES))


@EACH
def test_a_status_is_set_with_a_link_to_the_difference(name: ForgeName) -> None:
    with forge(name) as api:
        own = statuses(api)
        for state in ("pending", "success", "failure"):
            own.set(COMMIT, state, "halgit/prod", "Deployed gate, orca. " * 10, own.compare_url("0" * 40, COMMIT))
    assert [path for path, _ in api.posted] == [SET[name]] * 3
    link = next(api.posted[0][1][key] for key in ("target_url", "url") if key in api.posted[0][1])
    assert COMMIT in link
    assert "0" * 40 in link


CHECKS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "github": [
        ({"check-runs": {"check_runs": [{"name": "ci", "status": "completed", "conclusion": "success"}]}}, "success"),
        ({"check-runs": {"check_runs": [{"name": "ci", "status": "in_progress", "conclusion": None}]}}, "pending"),
        ({"check-runs": {"check_runs": [{"name": "ci", "status": "completed", "conclusion": "failure"}]}}, "failure"),
        (
            {"check-runs": {"check_runs": []}, "status": {"statuses": [{"context": "ci", "state": "success"}]}},
            "success",
        ),
        ({"check-runs": {"check_runs": []}, "status": {"statuses": [{"context": "ci", "state": "error"}]}}, "failure"),
        ({"check-runs": {"check_runs": []}, "status": {"statuses": []}}, "missing"),
    ],
    "gitea": [
        ({"status": {"statuses": [{"context": "ci", "status": "success"}]}}, "success"),
        ({"status": {"statuses": [{"context": "ci", "status": "pending"}]}}, "pending"),
        ({"status": {"statuses": [{"context": "other", "status": "success"}]}}, "missing"),
    ],
    "gitlab": [
        ({"statuses": [{"name": "ci", "status": "success"}]}, "success"),
        ({"statuses": [{"name": "ci", "status": "running"}]}, "pending"),
        ({"statuses": [{"name": "ci", "status": "canceled"}]}, "failure"),
        ({"statuses": []}, "missing"),
    ],
    "bitbucket": [
        ({"statuses": {"values": [{"key": "k", "name": "ci", "state": "SUCCESSFUL"}]}}, "success"),
        ({"statuses": {"values": [{"key": "ci", "name": "x", "state": "INPROGRESS"}]}}, "pending"),
        ({"statuses": {"values": [{"key": "ci", "name": "x", "state": "STOPPED"}]}}, "failure"),
    ],
}


@EACH
def test_a_check_is_read(name: ForgeName) -> None:
    with forge(name) as api:
        for answer, state in CHECKS[name]:
            api.checks = answer
            assert statuses(api).check(COMMIT, "ci") == state, answer


def test_the_forge_is_known_by_its_host() -> None:
    assert guess_forge("https://github.com/org/x") == "github"
    assert guess_forge("git@gitlab.example.com:org/x.git") == "gitlab"
    assert guess_forge("ssh://git@bitbucket.org/org/x") == "bitbucket"
    assert guess_forge("https://git.example.com/org/x") is None
    usual = {name: FORGES[name].api("git.example.com") for name in FORGES}
    assert usual == {
        "github": "https://git.example.com/api/v3",
        "gitlab": "https://git.example.com/api/v4",
        "bitbucket": "https://api.bitbucket.org/2.0",
        "gitea": "https://git.example.com/api/v1",
    }
    assert FORGES["github"].api("github.com") == "https://api.github.com"


def test_a_token_is_not_sent_over_plain_http() -> None:
    with pytest.raises(UsageError, match="a token is not sent over plain http"):
        CommitStatuses(Access(), "https://git.example.com/a/b", "gitea", "http://git.example.com", Secret("t", "t"))


@pytest.fixture
def one(tmp_path: Path, halgit: Callable[..., Ran]) -> Iterator[World]:
    with world(tmp_path, halgit) as made, GitHttpServer(tmp_path / "served") as git:
        made.url = f"{git.url}/repo/.git"
        yield made


def test_commits_get_their_statuses_and_wait_for_a_check(one: World, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    with forge("gitea") as api:
        options = ("--forge", "gitea", "--forge-api", api.url, "--forge-token-file", tmp_path / "token",
                   "--commit-status", "halgit/prod", "--require-check", "ci")  # fmt: skip
        ran = one.once(*options)
        assert ran.code == 0, ran.err
        first = one.repository.git("rev-parse", "HEAD")
        assert f"Held: the check ci of commit {first[:12]} is missing." in ran.err
        assert not one.daemon.deploys
        assert not (one.hal / GATE).exists()
        api.checks = {"status": {"statuses": [{"context": "ci", "status": "success"}]}}
        assert one.once(*options).code == 0
        second = one.repository.commit({GATE: "a: 2\n"})
        assert one.once(*options).code == 0
        bad = one.repository.commit(tree(zone="Mars/X"))
        assert one.once(*options).code == 1
    seen = [(path.rsplit("/", 1)[1], body["state"], body["description"].split(" in ")[0]) for path, body in api.posted]
    assert seen[:3] == [
        (first, "pending", f"Held: the check ci of commit {first[:12]} is missing. To be deployed: all services."),
        (first, "pending", "Deploying all services."),
        (first, "success", "Deployed all services"),
    ]
    assert seen[3:5] == [(second, "pending", "Deploying gate."), (second, "success", "Deployed gate")]
    assert seen[5][:2] == (bad, "failure")
    assert api.posted[4][1]["target_url"].endswith(f"/compare/{first}...{second}")
    assert TOKEN not in ran.err


def test_a_notification_is_sent_and_its_address_is_not_shown(one: World, tmp_path: Path) -> None:
    received: list[dict[str, Any]] = []
    answers = [Said(200, b"ok", {"Content-Type": "text/plain"}), Said(500)]

    def answer(asked: Asked) -> Said:
        received.append(json.loads(asked.body))
        return answers[min(len(received) - 1, 1)]

    with server(answer) as url:
        (tmp_path / "notify").write_text(f"{url}/services/T000/B000/verysecrettoken\n")
        ran = one.once("--notify-url-file", tmp_path / "notify")
    assert ran.code == 0, ran.err
    assert received[0]["text"] == "Spinnaker: Deploying all services."
    assert received[0]["event"] == "deploying"
    assert "The notification: " in ran.err
    assert "verysecrettoken" not in ran.err
