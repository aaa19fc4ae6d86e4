"""What is said of kubeconfigs that Clouddriver could not use, and what is made of a controller's answer."""

from __future__ import annotations

import pytest

from halgit import yaml as hyaml
from halgit.accounts.kubeconfig import check_kubeconfig, from_controller
from halgit.errors import AccountError

GOOD = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://x', certificate-authority-data: YQ==}}]
users: [{name: u, user: {token: a-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c, user: u}}]
current-context: one
"""
HINT = " `kubectl config view --minify --flatten --raw` writes one that is complete."


def refused(text: str, context: str = "") -> str:
    with pytest.raises(AccountError) as caught:
        check_kubeconfig(text.encode(), context)
    assert str(caught.value).endswith(HINT)
    return caught.value.message.removeprefix("The kubeconfig cannot be used: ")


def test_a_good_one_is_reduced_to_the_named_context_or_its_own() -> None:
    for name, wanted in (("", "one"), ("two", "two")):
        kubeconfig = check_kubeconfig(GOOD.encode(), name)
        assert kubeconfig.context == wanted
        assert hyaml.read(kubeconfig.text, "").data == {
            "apiVersion": "v1", "kind": "Config",
            "clusters": [{"name": wanted, "cluster": {"server": "https://x", "certificate-authority-data": "YQ=="}}],
            "users": [{"name": wanted, "user": {"token": "a-token"}}],
            "contexts": [{"name": wanted, "context": {"cluster": wanted, "user": wanted}}], "current-context": wanted,
        }  # fmt: skip
    assert "a-token" not in repr(check_kubeconfig(GOOD.encode()))


FAULTS = {
    "a: [": "line 1: ",
    "- a": "it is not a mapping.",
    GOOD.replace("current-context: one", ""): "it has no current-context, and no context is selected.",
    GOOD.replace("current-context: one", "current-context: three"): "it has no context three (contexts: one, two).",
    GOOD.replace("name: u, user: {", "name: v, user: {"): "context one names the user u, which is missing.",
    GOOD.replace("name: c, cluster: {", "name: d, cluster: {"): "context one names the cluster c, which is missing.",
    GOOD.replace("certificate-authority-data: YQ==", "certificate-authority: /ca.crt"): (
        "the cluster has certificate-authority, a file that Clouddriver does not have; use certificate-authority-data."
    ),
    GOOD.replace("token: a-token", "tokenFile: /token"): (
        "the user has tokenFile, a file that Clouddriver does not have; use token."
    ),
    GOOD.replace("a-token", "'a-${TOKEN}'"): (
        "it holds ${, which Spring takes for a placeholder; kubeconfigContents has no escape for it, so "
        "change the value."
    ),
    GOOD.replace("token: a-token", "exec: {command: aws}"): (
        "the user runs a program in Clouddriver's pod (exec), which needs --allow exec."
    ),
    GOOD.replace("token: a-token", "auth-provider: {name: gcp}"): (
        "the user runs a program in Clouddriver's pod (auth-provider), which needs --allow auth-provider."
    ),
    GOOD.replace("token: a-token", ""): ("the user has no credentials: no token, client certificate or password."),
    GOOD.replace("token: a-token", "client-key-data: YQ=="): (
        "the user has a client certificate without its key, or a key without its certificate."
    ),
    GOOD.replace("YQ==", "'a b!'"): "certificate-authority-data is not valid base64.",
    GOOD.replace("https://x", "x:6443"): "the cluster's server is not an https:// address.",
    GOOD.replace("a-token", "a" * 300_000): "it has 300",
}


@pytest.mark.parametrize("text", FAULTS, ids=range(len(FAULTS)))
def test_faults_are_named(text: str) -> None:
    assert refused(text).startswith(FAULTS[text])


def test_all_faults_come_together() -> None:
    text = GOOD.replace("token: a-token", "tokenFile: /token").replace("YQ==", "'!'")
    assert refused(text).count(";") == 2


def test_what_the_operator_permits_is_a_note() -> None:
    text = GOOD.replace("token: a-token", "exec: {command: aws}").replace(
        "certificate-authority-data: YQ==", "insecure-skip-tls-verify: true"
    )
    assert check_kubeconfig(text.encode(), allowed=["exec"]).notes == (
        "The kubeconfig runs a program to log in, which must be in Clouddriver's image.",
        "The kubeconfig does not verify the cluster's certificate.",
    )


def test_a_placeholder_can_be_escaped_in_a_file_only() -> None:
    text = GOOD.replace("a-token", r"'a-\${TOKEN}'").encode()
    assert check_kubeconfig(text, as_file=True).context == "one"
    with pytest.raises(AccountError, match="kubeconfigContents has no escape"):
        check_kubeconfig(text)
    with pytest.raises(AccountError, match=r"write \\\$\{ for it"):
        check_kubeconfig(GOOD.replace("a-token", "'a-${TOKEN}'").encode(), as_file=True)


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
