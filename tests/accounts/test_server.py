"""`halgit accounts serve`, a real process on loopback: its API, its errors, its limits, its log."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import needs
import pytest
from clouddriver import Judge
from prometheus_client.parser import text_string_to_metric_families
from servers.accounts_server import ADMIN, KEY, OLD, READER, WRITER, AccountServer, account_server
from servers.controller import error
from servers.git_http import GitHttpServer, Reply
from servers.repositories import Repository

KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: canary-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""
POD: dict[str, Any] = {"serviceAccount": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountServer]:
    with account_server(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_an_account_from_start_to_end(server: AccountServer, clouddriver: Judge) -> None:
    added = server.call(
        "POST", "/v1/accounts", {"name": "prod", "kubeconfig": KUBECONFIG, "fields": {"cacheThreads": 2}}
    )
    assert (added.status, added.body["account"], added.body["files"]) == (201, "prod", ["clouddriver-local.yml"])
    assert added.body["revision"] == server.repository.git("rev-parse", "main")
    assert added.body["diff"][0] == "+ name: prod"
    shown = server.call("GET", "/v1/accounts/prod", token=READER)
    assert shown.body["fields"] == {
        "name": "prod", "cacheThreads": 2, "context": "one", "kubeconfigContents": "********",
    }  # fmt: skip
    tag = shown.headers["ETag"]
    assert server.call("GET", "/v1/accounts/prod", headers={"If-None-Match": tag}).status == 304
    fields = {"permissions": {"READ": ["dev"], "WRITE": ["ops"]}, "namespaces": ["a"]}
    patched = server.call("PATCH", "/v1/accounts/prod", {"fields": fields}, WRITER, {"If-Match": tag})
    assert patched.status == 200, patched.body
    stale = server.call("PATCH", "/v1/accounts/prod", {"fields": fields}, WRITER, {"If-Match": tag})
    assert (stale.status, stale.body["title"]) == (412, "Precondition Failed")
    merged = server.call("PATCH", "/v1/accounts/prod", {"fields": {"permissions": {"READ": None}, "namespaces": None}})
    assert merged.status == 200, merged.body
    shown = server.call("GET", "/v1/accounts/prod")
    assert shown.body["fields"]["permissions"] == {"WRITE": ["ops"]}
    assert "namespaces" not in shown.body["fields"]
    (bound,) = clouddriver.of_repository(server.repository.url, key=KEY).accounts("kubernetes")
    assert (bound["permissions"], "canary-token" in bound["kubeconfigContents"]) == ({"WRITE": ["ops"]}, True)
    listed = server.call("GET", "/v1/accounts?history=true").body["accounts"]
    assert ("prod", "api-token") in [(one["name"], one["changedBy"]) for one in listed]
    removed = server.call("DELETE", "/v1/accounts/prod")
    assert removed.body["notes"][0].startswith("Nothing was revoked")
    assert server.call("GET", "/v1/accounts/prod").status == 404
    last = [json.loads(line) for line in server.log.splitlines() if '"what"' in line][-1]
    assert (last["who"], last["what"], last["account"]) == ("api-token", "remove", "prod")
    assert (last["commit"], last["result"]) == (server.repository.git("rev-parse", "main"), "done")


def test_a_dry_run_returns_the_difference_and_asks_the_controller_nothing(server: AccountServer) -> None:
    before, asked = server.repository.git("rev-parse", "main"), len(server.remote.asked)
    body = {"name": "dry", "agent": "shop", "fields": {"environment": "prod"}}
    answer = server.call("POST", "/v1/accounts?dryRun=true", body)
    assert answer.status == 201, answer.body
    assert answer.body["revision"] == ""
    assert "+ environment: prod" in answer.body["diff"]
    assert (server.repository.git("rev-parse", "main"), len(server.remote.asked)) == (before, asked)


def test_an_account_behind_an_agent_shows_its_agent_and_is_renewed(server: AccountServer) -> None:
    server.remote.names, server.remote.namespaces, server.remote.days = {"shop": ["kubernetes"]}, ["shop-a"], 20
    added = server.call("POST", "/v1/accounts", {"name": "shop", "agent": "shop"})
    notes = [note for note in added.body["notes"] if not note.startswith("halgit.keep was added")]
    assert (added.status, notes) == (201, []), added.body
    one = next(a for a in server.call("GET", "/v1/accounts").body["accounts"] if a["name"] == "shop")
    assert (one["agent"], one["endpoint"], one["isConnected"], one["daysLeft"]) == ("shop", "kubernetes", True, 19)
    assert server.call("GET", "/v1/accounts/shop").body["fields"]["namespaces"] == ["shop-a"]
    assert 'halgit_accounts_certificate_days{account="shop"} 19.0' in server.call("GET", "/metrics", token="").body
    server.remote.days = 365
    assert server.call("POST", "/v1/accounts/shop/renew").status == 200
    assert server.call("GET", "/v1/accounts/shop").body["daysLeft"] == 364
    agents = server.call("GET", "/v1/agents").body["agents"]
    assert agents == [
        {"name": "shop", "version": "v3.5.9", "lastPing": 12.0, "endpoints": [
            {"name": "kubernetes", "type": "kubernetes", "isConfigured": True, "namespaces": ["shop-a"]}]},
    ]  # fmt: skip
    manifest = server.call("POST", "/v1/agents/shop/manifest", {"namespace": "opsmx"})
    assert manifest.body.startswith("apiVersion: v1\nkind: Namespace\n")
    assert manifest.headers["Cache-Control"] == "no-store"
    server.call("POST", "/v1/agents/Shop!/manifest", {"namespace": "opsmx"})
    logged = [json.loads(line) for line in server.log.splitlines() if '"manifest"' in line]
    assert [(line["account"], line["result"]) for line in logged[-2:]] == [
        ("shop", "done"), ("Shop!", "refused (UsageError)"),
    ]  # fmt: skip
    services = server.call("POST", "/v1/agents/shop/manifest", {"namespace": "opsmx", "services": True})
    assert "opsmx-services-shop" in services.body


def test_a_repeated_request_finds_its_result(server: AccountServer) -> None:
    headers = {"Idempotency-Key": "one"}
    first = server.call("POST", "/v1/accounts", {"name": "once", "fields": POD}, headers=headers)
    again = server.call("POST", "/v1/accounts", {"name": "once", "fields": POD}, headers=headers)
    assert (again.status, again.body["revision"]) == (201, first.body["revision"])
    other = server.call("POST", "/v1/accounts", {"name": "other", "fields": POD}, headers=headers)
    assert (other.status, "was used for another request" in other.body["detail"]) == (422, True)
    same_key = server.call("POST", "/v1/accounts", {"name": "mine", "fields": POD}, WRITER, headers)
    assert same_key.status == 201, "a key is the caller's own"


def test_a_repeated_request_has_no_second_credential_issued_and_survives_a_restart(tmp_path: Path) -> None:
    """The credential of an agent cannot be revoked, so a retry that finds its result must not ask for another."""
    body, headers = {"name": "shop", "agent": "shop"}, {"Idempotency-Key": "two"}

    def issued(server: AccountServer) -> int:
        return sum("generateKubectlComponents" in asked[0] for asked in server.remote.asked)

    with account_server(tmp_path / "a") as server:
        first = server.call("POST", "/v1/accounts", body, headers=headers)
        again = server.call("POST", "/v1/accounts", body, headers=headers)
        assert (first.status, again.status, again.body["revision"]) == (201, 201, first.body["revision"])
        assert issued(server) == 1
        renewed = [server.call("POST", "/v1/accounts/shop/renew", {}, headers={"Idempotency-Key": "r"}) for _ in "ab"]
        assert {answer.status for answer in renewed} == {200}
        assert issued(server) == 2
        url = server.repository.url
        with account_server(tmp_path / "b", HALGIT_REPO=url) as restarted:
            later = restarted.call("POST", "/v1/accounts", body, headers=headers)
            assert (later.status, later.body["revision"]) == (201, first.body["revision"])
            assert issued(restarted) == 0
            other = restarted.call("POST", "/v1/accounts", {"name": "x", "fields": POD}, headers=headers)
            assert other.status == 422


PROBLEMS = (
    ("no token", "GET", "/v1/accounts", None, "", 401),
    ("a wrong token", "GET", "/v1/accounts", None, "x", 401),
    ("an expired token", "GET", "/v1/accounts", None, OLD, 401),
    ("a reader who writes", "POST", "/v1/accounts", {"name": "a"}, READER, 403),
    ("a writer who issues", "POST", "/v1/agents/a/manifest", {"namespace": "x"}, WRITER, 403),
    ("broken JSON", "POST", "/v1/accounts", b"{", WRITER, 400),
    ("deep JSON", "POST", "/v1/accounts", b"[" * 100_000, WRITER, 400),
    ("an unknown key", "POST", "/v1/accounts", {"name": "a", "kind": "x"}, WRITER, 422),
    ("a wrong type", "PATCH", "/v1/accounts/a", {"fields": []}, WRITER, 422),
    ("no such account to renew", "POST", "/v1/accounts/nobody/renew", None, WRITER, 404),
    ("no such account", "DELETE", "/v1/accounts/nobody", None, WRITER, 404),
    ("a refused change", "POST", "/v1/accounts", {"name": "a/b", "fields": POD}, WRITER, 422),
    ("a name as a field", "POST", "/v1/accounts", {"name": "a", "fields": {**POD, "NAME": "b"}}, WRITER, 422),
    ("an empty agent", "POST", "/v1/accounts", {"name": "a", "agent": ""}, WRITER, 422),
    ("another media type", "POST", "/v1/accounts", b"name: a", WRITER, 415),
    ("too large", "POST", "/v1/accounts", {"name": "a", "kubeconfig": "x" * 2_000_000}, WRITER, 413),
    ("nothing there", "GET", "/v1/nothing", None, WRITER, 404),
    ("a wrong method", "PUT", "/v1/accounts/a", {}, WRITER, 405),
)


@pytest.mark.parametrize("case", PROBLEMS, ids=[one[0] for one in PROBLEMS])
def test_every_error_is_a_problem(server: AccountServer, case: tuple[Any, ...]) -> None:
    _, method, path, body, token, status = case
    media = {"Content-Type": "application/yaml"} if status == 415 else {}
    answer = server.call(method, path, body, token, {"X-Request-Id": "my-request", **media})
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.body["status"] == status
    assert answer.body["requestId"] == answer.headers["X-Request-Id"] == "my-request"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    if status == 405:
        assert answer.headers["Allow"] == "DELETE, GET, PATCH"


def test_probes_need_no_token(server: AccountServer) -> None:
    assert server.call("GET", "/livez", token="").body == {"status": "UP"}
    assert server.call("GET", "/health", token="").body == {"status": "UP"}
    assert server.call("GET", "/readyz", token="").body == {"status": "UP", "faults": []}
    assert server.call("GET", "/metrics", token="").status == 200
    for path in ("/livez", "/"):
        refused = server.call("PUT", path, token="")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert server.call("GET", "/v1/accounts/").status == 404


ROLES = {
    "reader": {"GET /v1/me", "GET /v1/accounts", "GET /v1/accounts/{name}", "POST /v1/contexts", "GET /v1/agents"},
    "writer": {"POST /v1/accounts", "PATCH /v1/accounts/{name}", "DELETE /v1/accounts/{name}",
               "POST /v1/accounts/{name}/renew"},
    "admin": {"POST /v1/agents/{name}/manifest"},
}  # fmt: skip


def test_every_operation_needs_its_role(server: AccountServer) -> None:
    paths = server.call("GET", "/openapi.json", token="").body["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert operations == set().union(*ROLES.values())
    for role, needed in ROLES.items():
        for method, path in (one.split() for one in sorted(needed)):
            body = {} if method in {"POST", "PATCH"} else None
            at = path.format(name="nobody")
            anonymous = server.call(method, at, body, "")
            assert (anonymous.status, "WWW-Authenticate" in anonymous.headers) == (401, True), (method, path)
            too_low = {"writer": [READER], "admin": [READER, WRITER]}.get(role, [])
            assert {server.call(method, at, body, token).status for token in too_low} <= {403}, (method, path)
            enough = {"reader": READER, "writer": WRITER, "admin": ADMIN}[role]
            assert server.call(method, at, body, enough).status not in {401, 403}, (method, path)


def test_the_page_and_its_policy(server: AccountServer) -> None:
    page = server.call("GET", "/", token="")
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'; trusted-types lit-html" in policy
    assert "style=" not in page.body
    assert "onclick" not in page.body


PAGE = needs.ROOT / "halgit" / "server" / "page"
LIT_HTML = ("3.3.3", "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2")


@pytest.mark.parametrize("name", sorted(file.name for file in PAGE.iterdir() if file.suffix in {".js", ".css"}))
def test_files_of_the_page_have_their_type_and_are_sent_once(server: AccountServer, name: str) -> None:
    media = {".js": "text/javascript", ".css": "text/css"}[Path(name).suffix]
    answer = server.call("GET", f"/{name}", token="")
    assert (answer.status, answer.headers["Content-Type"]) == (200, f"{media}; charset=utf-8")
    assert answer.body == (PAGE / name).read_text()
    again = server.call("GET", f"/{name}", token="", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, "")


def test_the_library_of_the_page_is_the_published_one() -> None:
    version, digest = LIT_HTML
    assert hashlib.sha256((PAGE / "lit-html.js").read_bytes()).hexdigest() == digest
    assert "BSD 3-Clause License" in (PAGE / "lit-html.LICENSE").read_text()
    for file in ("docs/architecture.md", "scripts/make_sbom.py"):
        text = (needs.ROOT / file).read_text()
        assert version in text, file
        assert "lit-html" in text, file


def test_the_description_is_the_pinned_one(server: AccountServer) -> None:
    described = server.call("GET", "/openapi.json", token="").body
    pinned = json.loads((needs.ROOT / "schemas" / "accounts-api.json").read_text())
    assert described == pinned, "run scripts/make_accounts_api.py"


def test_a_log_line_cannot_be_forged(server: AccountServer) -> None:
    server.call("POST", "/v1/accounts", {"name": 'a\n{"who": "admin"}', "fields": POD})
    assert all(json.loads(line) for line in server.log.splitlines())
    assert [json.loads(line) for line in server.log.splitlines()][-1]["account"] == 'a?{"who": "admin"}'


def test_a_name_cannot_forge_who_changed_another_account(server: AccountServer) -> None:
    for name in ("forged", "forged by admin", "forged by"):
        assert server.call("POST", "/v1/accounts", {"name": name, "fields": POD}, WRITER).status == 201
    listed = {one["name"]: one for one in server.call("GET", "/v1/accounts?history=true").body["accounts"]}
    assert {listed[name]["changedBy"] for name in ("forged", "forged by admin", "forged by")} == {"writer"}


def test_changes_at_once_share_commits_and_none_is_lost(server: AccountServer) -> None:
    before = int(server.repository.git("rev-list", "--count", "main"))
    with ThreadPoolExecutor(32) as pool:
        bodies = [{"name": f"crowd-{number}", "fields": POD} for number in range(64)]
        answers = list(pool.map(lambda body: server.call("POST", "/v1/accounts", body, WRITER), bodies))
    assert {answer.status for answer in answers} == {201}
    listed = {one["name"] for one in server.call("GET", "/v1/accounts").body["accounts"]}
    assert {f"crowd-{number}" for number in range(64)} <= listed
    assert int(server.repository.git("rev-list", "--count", "main")) - before <= 32


def test_rotated_tokens_are_read_and_the_store_away_is_503(tmp_path: Path) -> None:
    (tmp_path / "git-token").write_text("canary-git-1")
    (tmp_path / "served").mkdir()
    repository = Repository(tmp_path / "served" / "accounts.git")
    repository.commit({"README": "hello\n"})
    repository.git("checkout", "--quiet", "--detach")
    repository.git("config", "http.receivepack", "true")
    with GitHttpServer(tmp_path / "served", token="canary-git-1") as git:
        store = {"HALGIT_REPO": f"{git.url}/accounts.git", "HALGIT_GIT_TOKEN_FILE": str(tmp_path / "git-token")}
        with account_server(tmp_path, "--timeout", "2", **store) as server:
            (tmp_path / "token").write_text("canary-rotated")
            assert server.call("GET", "/v1/accounts").status == 401
            assert server.call("GET", "/v1/accounts", token="canary-rotated").status == 200
            added = {"name": "a", "fields": POD}
            assert server.call("POST", "/v1/accounts", added, "canary-rotated").status == 201

            # The token of the store is replaced; the server goes on with the new one.
            git.token = "canary-git-2"
            (tmp_path / "git-token").write_text("canary-git-2")
            assert server.call("DELETE", "/v1/accounts/a", token="canary-rotated").status == 200

            down = [Reply(ignore_progress=True)]
            git.rule = lambda request: down[0] if down else None
            for method, path, body in (("GET", "/v1/accounts", None), ("POST", "/v1/accounts", added)):
                answer = server.call(method, path, body, "canary-rotated")
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2"), answer.body
            ready = server.call("GET", "/readyz", token="")
            assert (ready.status, ready.body["status"]) == (503, "DOWN")
            assert server.call("GET", "/livez", token="").status == 200
            down.clear()
            assert server.call("GET", "/v1/accounts", token="canary-rotated").status == 200
            end = time.monotonic() + 20
            while server.call("GET", "/readyz", token="").status != 200:
                assert time.monotonic() < end, "the answer of the probe is older than its few seconds"
                time.sleep(0.2)


def test_a_controller_that_does_not_answer_is_asked_once_and_hides_no_account(server: AccountServer) -> None:
    assert server.call("POST", "/v1/accounts", {"name": "seen", "fields": POD}).status == 201
    server.remote.rule = lambda asked: error(503, "starting")
    try:
        asked, connections = len(server.remote.asked), server.remote.connections
        listed = server.call("GET", "/v1/accounts")
        assert (listed.status, len(server.remote.asked) - asked) == (200, 1)
        assert "seen" in {one["name"] for one in listed.body["accounts"]}
        assert {one["isConnected"] for one in listed.body["accounts"]} == {None}
        agents = server.call("GET", "/v1/agents")
        assert (agents.status, len(server.remote.asked) - asked) == (503, 2)
        assert server.remote.connections - connections <= 1, "connections are kept"
        end = time.monotonic() + 20
        while (ready := server.call("GET", "/readyz", token="")).status != 503:
            assert time.monotonic() < end, "the probe does not ask the controller"
            time.sleep(0.2)
        assert "The controller at" in ready.body["faults"][0]
    finally:
        server.remote.rule = lambda asked: None
        assert server.call("DELETE", "/v1/accounts/seen").status == 200


METRICS = (
    'halgit_accounts_requests_total{operation="add",status="201"}',
    'halgit_accounts_requests_total{operation="add",status="422"}',
    "halgit_accounts_request_seconds_bucket", "halgit_accounts_queue_length 0.0", "halgit_accounts_commits_total",
    "halgit_accounts_retries_total",
)  # fmt: skip


def test_metrics_count_requests_by_code_commits_and_retries(server: AccountServer) -> None:
    server.call("POST", "/v1/accounts", {"name": "counted", "fields": POD})
    server.call("POST", "/v1/accounts", {"name": "a/b", "fields": POD})
    text = server.call("GET", "/metrics", token="").body
    assert [one for one in METRICS if one not in text] == []
    commits = next(line for line in text.splitlines() if line.startswith("halgit_accounts_commits_total"))
    assert float(commits.split()[1]) >= 1
    types = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert {name: kind for name, kind in types.items() if not name.endswith("_created")} == {
        "halgit_accounts_requests": "counter", "halgit_accounts_request_seconds": "histogram",
        "halgit_accounts_queue_length": "gauge", "halgit_accounts_commits": "counter",
        "halgit_accounts_retries": "counter", "halgit_accounts_certificate_days": "gauge",
    }  # fmt: skip


def test_days_left_of_certificates_are_known_without_a_list(tmp_path: Path) -> None:
    with account_server(tmp_path) as server:
        server.remote.names, server.remote.days = {"shop": ["kubernetes"]}, 20
        assert server.call("POST", "/v1/accounts", {"name": "shop", "agent": "shop"}).status == 201
        end = time.monotonic() + 20
        while '{account="shop"} 19.0' not in server.call("GET", "/metrics", token="").body:
            assert time.monotonic() < end, "the certificates are not read"
            time.sleep(0.1)


def test_a_stop_answers_everything_within_five_seconds(tmp_path: Path) -> None:
    with account_server(tmp_path) as server:
        hook = server.repository.folder / ".git" / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nsleep 1.5\n")
        hook.chmod(0o755)
        answers: list[int] = []

        def write(number: int) -> None:
            answers.append(server.call("POST", "/v1/accounts", {"name": f"a{number}", "fields": POD}, WRITER).status)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        time.sleep(0.3)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert time.monotonic() - started < 5.5
        for thread in threads:
            thread.join()
        assert set(answers) == {201, 503}
        names = server.repository.git("show", "main:accounts/clouddriver-local.yml").count("- name: ")
        assert names == answers.count(201)


def test_random_requests_find_no_server_error_and_no_answer_that_is_not_described(tmp_path: Path) -> None:
    """Schemathesis over the served description, with real commits to a real repository.

    Every check runs but that of valid bodies, because a schema cannot say what a kubeconfig must hold.
    """
    with account_server(tmp_path) as server:
        server.remote.names = {"shop": ["kubernetes"]}
        assert server.call("POST", "/v1/accounts", {"name": "prod", "agent": "shop"}).status == 201
        environment = {"SCHEMATHESIS_HOOKS": "servers.schemathesis_hooks", "PYTHONPATH": str(needs.ROOT / "tests")}
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json",
             "--checks", "all", "--exclude-checks", "positive_data_acceptance",
             "--header", f"Authorization: Bearer {ADMIN}", "--max-examples", "15", "--seed", "1", "--workers", "1",
             "--phases", "examples,coverage,fuzzing,stateful", "--no-color"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
        assert "Traceback" not in done.stderr
        assert "Tested: 10\n" in done.stdout
        assert done.stdout.count("10 passed") == 2, "coverage and fuzzing of every operation"
