"""No unkeyed digest of a secret: the tag of an entry, the digest of a request, the identity of an agent."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from servers.accounts_server import KEY, AccountServer, account_server

from halgit import yaml as hyaml
from halgit.accounts.checks import Policy
from halgit.accounts.cipher import Cipher
from halgit.accounts.manifests import AgentManifest, write_manifest
from halgit.accounts.requests import digest_request
from halgit.accounts.views import mask_fields, matches_tag, tag_entry
from halgit.redaction import Secret

ENTRY = {"name": "a", "password": "canary", "cacheThreads": 1, "permissions": {"READ": ["x"]}, "secrets": ["canary"]}
KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: TOKEN}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""


def key(text: str) -> Cipher:
    return Cipher(Secret(text, "key"))


PLAIN = Policy()


def test_a_tag_changes_with_every_field_and_no_guess_of_a_secret_can_be_tested_with_it() -> None:
    tag = tag_entry(ENTRY, PLAIN, "r1")
    assert re.fullmatch(r"[0-9a-f]{24}\.r1\.[0-9a-f]{32}", tag)
    others: list[dict[str, Any]] = [
        {"password": "guess"}, {"secrets": ["guess"]}, {"cacheThreads": 2}, {"permissions": {"READ": ["y"]}},
        {"password": ""}, {"environment": "prod"},
    ]  # fmt: skip
    tags = [tag_entry({**ENTRY, **other}, PLAIN, "r1") for other in others]
    assert len({tag, *tags}) == 7
    assert tag.split(".")[0] == tags[0].split(".")[0], "the part without a key covers no secret"
    text = (
        "from halgit.accounts.checks import Policy\nfrom halgit.accounts.views import tag_entry\n"
        f"print(tag_entry({ENTRY!r}, Policy(), 'r1'))"
    )
    other = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.strip()
    assert (other.rpartition(".")[0], other == tag) == (tag.rpartition(".")[0], False), "each process has its own key"


def test_an_encrypted_secret_counts_without_an_hmac() -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "secrets"}
    one, two = (tag_entry({**entry, "password": key(KEY).encrypt("canary")}, PLAIN, "r1") for _ in "ab")
    assert re.fullmatch("[0-9a-f]{24}", one)
    assert one != two


def test_an_entry_matches_its_tag() -> None:
    changed = {**ENTRY, "password": "other"}
    for policy in (PLAIN, Policy(cipher=key(KEY))):
        tag = tag_entry(ENTRY, policy, "r1")
        assert [matches_tag(tag, ENTRY, policy, revision) for revision in ("r1", "r2", "")] == [True, True, True]
        assert [matches_tag(tag, changed, policy, revision) for revision in ("r2", "")] == [False, False]
    other = f"{tag_entry(ENTRY, PLAIN, 'r1').rpartition('.')[0]}.{'0' * 32}"
    assert [matches_tag(other, ENTRY, PLAIN, revision) for revision in ("r1", "r2", "")] == [True, False, False]
    empty = other.replace(".r1.", "..")
    assert [matches_tag(empty, ENTRY, PLAIN, revision) for revision in ("", "r1")] == [False, False]
    for bad in ("", ".", "x.y", "*", other.partition(".")[0]):
        assert not matches_tag(bad, ENTRY, PLAIN, "r1"), bad


def test_a_list_of_secrets_is_masked() -> None:
    assert mask_fields({"secrets": ["canary", {"token": "canary", "of": "x"}]}) == {
        "secrets": ["********", {"token": "********", "of": "x"}]
    }


@pytest.mark.parametrize("secret", [{"kubeconfig": "canary"}, {"fields": {"password": "canary"}}])
def test_the_digest_of_a_request_tests_no_guess(secret: dict[str, Any]) -> None:
    body = {"name": "a", "kubeconfig": None, "fields": {}}
    guess = hyaml.read(hyaml.dump(secret).replace(b"canary", b"guess"), "").data
    without_key = digest_request("POST /v1/accounts", {**body, **secret}, None)
    assert without_key == digest_request("POST /v1/accounts", {**body, **guess}, None)
    with_key = digest_request("POST /v1/accounts", {**body, **secret}, key("one"))
    assert with_key == digest_request("POST /v1/accounts", {**body, **secret}, key("one"))
    others = [
        digest_request("POST /v1/accounts", {**body, **guess}, key("one")),
        digest_request("POST /v1/accounts", {**body, **secret}, key("two")),
        digest_request("PATCH /v1/accounts", {**body, **secret}, key("one")),
        without_key,
        digest_request("POST /v1/accounts", body, None),
        digest_request("POST /v1/accounts", {**body, **secret, "name": "b"}, None),
        digest_request("PATCH /v1/accounts", {**body, **secret}, None),
    ]
    assert len({with_key, *others}) == 8
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in (with_key, *others))


def test_the_digest_in_a_commit_is_keyed_with_the_key_of_the_operator(tmp_path: Path) -> None:
    """A process with another key cannot check a guess; the same body in another process finds its result."""
    body = {"name": "a", "kubeconfig": KUBECONFIG.replace("TOKEN", "canary-token")}
    headers = {"Idempotency-Key": "one"}
    with account_server(tmp_path / "a") as server:
        first = server.call("POST", "/v1/accounts", body, headers=headers)
        assert first.status == 201, first.body
        (line,) = re.findall("Request-Id: (.*)", server.repository.git("log", "-1", "--format=%B", "main"))
        sent = {**body, "context": "", "agent": None, "endpoint": "kubernetes", "provider": "kubernetes", "fields": {}}
        digest = line.split()[1]
        assert digest == digest_request("POST /v1/accounts", sent, key(KEY))
        with account_server(tmp_path / "b", HALGIT_REPO=server.repository.url) as other:
            again = other.call("POST", "/v1/accounts", body, headers=headers)
            assert (again.status, again.body["revision"]) == (201, first.body["revision"])
            guess = {**body, "kubeconfig": KUBECONFIG.replace("TOKEN", "guess")}
            assert other.call("POST", "/v1/accounts", guess, headers=headers).status == 422


def test_a_server_without_a_key_finds_its_results_too(tmp_path: Path) -> None:
    body = {"name": "a", "kubeconfig": KUBECONFIG.replace("TOKEN", "canary-token")}
    headers, plain = {"Idempotency-Key": "one"}, {"HALGIT_ENCRYPT_KEY_FILE": "", "HALGIT_PLAINTEXT_KUBECONFIG": "1"}
    with account_server(tmp_path / "a", **plain) as server:
        first = server.call("POST", "/v1/accounts", body, headers=headers)
        assert first.status == 201, first.body
        with account_server(tmp_path / "b", HALGIT_REPO=server.repository.url, **plain) as other:
            again = other.call("POST", "/v1/accounts", body, headers=headers)
            assert (again.status, again.body["revision"]) == (201, first.body["revision"])
            assert other.call("POST", "/v1/accounts", {**body, "name": "b"}, headers=headers).status == 422


def test_a_change_of_only_a_secret_in_plain_text_is_seen_without_a_key(tmp_path: Path) -> None:
    """By the server that read the account, and by another one: what was overwritten unseen would be lost."""
    fields = {"address": "https://registry.example", "username": "u", "password": "canary-one"}
    body = {"name": "r", "provider": "docker-registry", "fields": fields}
    with account_server(tmp_path / "a", HALGIT_ENCRYPT_KEY_FILE="") as server:
        assert server.call("POST", "/v1/accounts", body).status == 201
        with account_server(tmp_path / "b", HALGIT_REPO=server.repository.url, HALGIT_ENCRYPT_KEY_FILE="") as other:
            shown = server.call("GET", "/v1/accounts/r")
            tag = shown.headers["ETag"]
            assert "canary" not in str(shown.body) + tag

            def patch(to: AccountServer, password: str, tag: str) -> int:
                change = {"fields": {"password": password}}
                return to.call("PATCH", "/v1/accounts/r", change, headers={"If-Match": tag}).status

            assert patch(other, "canary-two", tag) == 200, "the revision is the one that was read"
            assert [patch(to, "canary-three", tag) for to in (server, other)] == [412, 412]
            tag = server.call("GET", "/v1/accounts/r").headers["ETag"]
            assert server.call("POST", "/v1/accounts", {**body, "name": "s"}).status == 201
            assert patch(other, "canary-four", tag) == 412, "another server cannot tell what changed"
            assert patch(server, "canary-four", tag) == 200, "only another account changed"


def test_changes_that_are_committed_together_see_each_other(tmp_path: Path) -> None:
    """Each of several callers has read the same version; exactly one may write."""
    fields = {"address": "https://registry.example", "username": "u", "password": "canary-one"}
    body = {"name": "r", "provider": "docker-registry", "fields": fields}
    with account_server(tmp_path / "a", HALGIT_ENCRYPT_KEY_FILE="") as server:
        assert server.call("POST", "/v1/accounts", body).status == 201
        headers = {"If-Match": server.call("GET", "/v1/accounts/r").headers["ETag"]}

        def patch(number: int) -> int:
            change = {"fields": {"password": f"canary-{number}"}}
            return server.call("PATCH", "/v1/accounts/r", change, headers=headers).status

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(patch, range(16)))
        assert sorted(answers) == [200, *[412] * 15]


def test_the_identity_of_an_agent_does_not_depend_on_its_key() -> None:
    def identity(**changed: str) -> str:
        parts = {"agentCertificate": "c", "agentKey": "k", "caCert": "ca", "serverHostname": "h"}
        text = write_manifest(AgentManifest("a", "n", tag="v3"), {**parts, **changed})
        (found,) = re.findall("halgit/identity: (.*)", text.decode())
        return str(found)

    assert identity(agentKey="guess") == identity()
    assert len({identity(), identity(caCert="other"), identity(agentCertificate="other")}) == 3
