"""What is said of kubeconfigs that Clouddriver could not use, and what is made of a controller's answer."""

from __future__ import annotations

import pytest

from halgit import yaml as hyaml
from halgit.accounts.kubeconfig import check, from_controller
from halgit.errors import AccountError

GOOD = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://x', certificate-authority-data: YQ==}}]
users: [{name: u, user: {token: a-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c, user: u}}]
current-context: one
"""
MEND = " `kubectl config view --minify --flatten --raw` writes one that holds all it needs."


def refused(text: str, context: str = "") -> str:
    with pytest.raises(AccountError) as caught:
        check(text.encode(), context)
    assert str(caught.value).endswith(MEND)
    return caught.value.message.removeprefix("The kubeconfig cannot be used: ")


def test_a_good_one_is_taken_as_it_is_in_the_named_context_or_its_own() -> None:
    assert check(GOOD.encode()).text == GOOD.encode()
    assert [check(GOOD.encode(), name).context for name in ("", "two")] == ["one", "two"]
    assert "a-token" not in repr(check(GOOD.encode()))


FAULTS = {
    "a: [": "line 1: ",
    "- a": "it is no mapping.",
    GOOD.replace("current-context: one", ""): "it has no current-context, and no context is named.",
    GOOD.replace("current-context: one", "current-context: three"): "it has no context three (contexts: one, two).",
    GOOD.replace("name: u, user: {", "name: v, user: {"): "context one names the user u, which is not there.",
    GOOD.replace("name: c, cluster: {", "name: d, cluster: {"): "context one names the cluster c, which is not there.",
    GOOD.replace("certificate-authority-data: YQ==", "certificate-authority: /ca.crt"): (
        "cluster c has certificate-authority, a file that Clouddriver does not have; give certificate-authority-data."
    ),
    GOOD.replace("token: a-token", "tokenFile: /token, client-key: k"): (
        "user u has client-key, a file that Clouddriver does not have; give client-key-data; "
        "user u has tokenFile, a file that Clouddriver does not have; give token."
    ),
    GOOD.replace("a-token", "'a-${TOKEN}'"): ("it holds ${, which Spring takes for a placeholder; write \\${ for it."),
}


@pytest.mark.parametrize("text", FAULTS, ids=range(len(FAULTS)))
def test_faults_are_named(text: str) -> None:
    assert refused(text).startswith(FAULTS[text])


def test_all_faults_come_together() -> None:
    text = GOOD.replace("token: a-token", "tokenFile: /token").replace("name: c, cluster: {", "name: d, cluster: {")
    assert refused(text).count(";") == 2


def test_what_works_only_under_a_condition_is_a_note() -> None:
    text = GOOD.replace("token: a-token", "exec: {command: aws}").replace(
        "certificate-authority-data: YQ==", "insecure-skip-tls-verify: true"
    )
    assert check(text.encode()).notes == (
        "The kubeconfig runs a program to log in, which must be in Clouddriver's image.",
        "The kubeconfig does not verify the cluster's certificate.",
    )


def test_one_is_made_from_a_certificate_or_a_token() -> None:
    old = {"serverUrl": "https://controller:9002", "userCertificate": "Yw==", "userKey": "aw==", "caCert": "Y2E="}
    made = from_controller(old, "prod")
    data = hyaml.read(made.text, "").data
    assert data["users"] == [{"name": "prod", "user": {"client-certificate-data": "Yw==", "client-key-data": "aw=="}}]
    assert data["clusters"][0]["cluster"] == {
        "server": "https://controller:9002", "certificate-authority-data": "Y2E=",
    }  # fmt: skip
    new = hyaml.read(from_controller({"serverUrl": "http://controller:9002", "token": "t"}, "prod").text, "").data
    assert new["users"] == [{"name": "prod", "user": {"token": "t"}}]
    assert new["clusters"][0]["cluster"] == {"server": "http://controller:9002"}
    assert check(made.text).context == "prod"
