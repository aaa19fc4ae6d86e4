"""No unkeyed digest of a secret: the tag of an entry, the digest of a request, the identity of an agent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from servers.accounts_server import KEY, account_server

from halgit import yaml as hyaml
from halgit.accounts.cipher import Cipher
from halgit.accounts.manifests import AgentManifest, write_manifest
from halgit.accounts.requests import digest_request
from halgit.accounts.views import mask_fields, tag_entry
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


def test_a_tag_covers_everything_but_secrets_in_plain_text() -> None:
    tag = tag_entry(ENTRY)
    for other in ({"password": "guess"}, {"secrets": ["guess"]}):
        assert tag_entry({**ENTRY, **other}) == tag
    for other in ({"cacheThreads": 2}, {"permissions": {"READ": ["y"]}}, {"password": ""}, {"environment": "prod"}):
        assert tag_entry({**ENTRY, **other}) != tag
    one, two = (tag_entry({**ENTRY, "password": key(KEY).encrypt("canary")}) for _ in "ab")
    assert len({one, two, tag}) == 3, "an encrypted secret counts, and its text is different each time"


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


def test_the_identity_of_an_agent_does_not_depend_on_its_key() -> None:
    def identity(**changed: str) -> str:
        parts = {"agentCertificate": "c", "agentKey": "k", "caCert": "ca", "serverHostname": "h"}
        text = write_manifest(AgentManifest("a", "n", tag="v3"), {**parts, **changed})
        (found,) = re.findall("halgit/identity: (.*)", text.decode())
        return str(found)

    assert identity(agentKey="guess") == identity()
    assert len({identity(), identity(caCert="other"), identity(agentCertificate="other")}) == 3
