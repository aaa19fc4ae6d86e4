"""What must never reach Clouddriver, by kind: refused over HTTP, and a finding of `halgit validate` in a file.

The command line has the same kinds in `test_commands.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import needs
import pytest
import yaml
from program import halgit
from servers.accounts_server import WRITER, AccountServer, account_server


class Kind(NamedTuple):
    """An account, the words by which it is refused, and the rule that reports it."""

    provider: str
    entry: dict[str, Any]
    words: str
    rule: str


POD: dict[str, Any] = {"name": "x", "serviceAccount": True}
HUB: dict[str, Any] = {"name": "x", "address": "https://r.example.com"}
CF: dict[str, Any] = {"name": "x", "api": "api.example.com", "user": "u", "password": "p"}
WRONG, SKIPPED = "dynamic-accounts/wrong-type", "dynamic-accounts/skipped"
KINDS = {
    "a name with a slash": Kind("kubernetes", {**POD, "name": "a/b"}, "is not a safe file name", SKIPPED),
    "a name of ours": Kind("kubernetes", {**POD, "name": "kubeconfigs"}, "is a folder that Clouddriver uses", SKIPPED),
    "a flag as a number": Kind("kubernetes", {**POD, "debug": 1}, "debug is not true or false", WRONG),
    "above int32": Kind("kubernetes", {**POD, "cacheThreads": 2**31}, "cacheThreads is not an integer", WRONG),
    "an empty mapping": Kind("kubernetes", {**POD, "rawResourcesEndpointConfig": {}}, "is an empty mapping", WRONG),
    "null in a list": Kind("kubernetes", {**POD, "customResources": [None]}, "customResources[0] is null", WRONG),
    "a permission": Kind("kubernetes", {**POD, "permissions": {"ALL": ["a"]}}, "ALL is not a permission", WRONG),
    "a naming strategy": Kind("kubernetes", {**POD, "namingStrategy": "x"}, "is not a naming strategy", SKIPPED),
    "a regular expression": Kind(
        "kubernetes", {**POD, "rawResourcesEndpointConfig": {"kindExpressions": ["a("]}}, "is invalid", SKIPPED,
    ),
    "a custom resource twice": Kind(
        "kubernetes", {**POD, "customResources": [{"kubernetesKind": "A"}, {"kubernetesKind": "a"}]}, "twice", SKIPPED,
    ),
    "both namespaces": Kind(
        "kubernetes", {**POD, "namespaces": ["a"], "omitNamespaces": ["b"]}, "exclude each other", SKIPPED,
    ),
    "two passwords": Kind(
        "docker-registry", {**HUB, "password": "a", "dockerconfigFile": "/b"}, "exclude each other", WRONG,
    ),
    "repositories and a catalog": Kind(
        "docker-registry", {**HUB, "repositories": ["a/b"], "catalogFile": "/c"}, "exclude each other", WRONG,
    ),
    "no address": Kind("docker-registry", {**HUB, "address": ""}, "address is required", WRONG),
    "a scheme": Kind("cloudfoundry", {**CF, "api": "https://api.example.com"}, "api is not a host name", WRONG),
    "a region": Kind(
        "aws", {"name": "x", "accountId": "1", "regions": [{"name": "r", "deprecated": "maybe"}]}, "deprecated", WRONG,
    ),
    "a Google flag": Kind("google", {"name": "x", "project": "p", "alphaListed": "maybe"}, "alphaListed", WRONG),
    "no credentials of Azure": Kind("azure", {"name": "x"}, "clientId is required", SKIPPED),
    "no access": Kind("kubernetes", {"name": "x"}, "no kubeconfig", "dynamic-accounts/no-access"),
    "a program": Kind("kubernetes", {**POD, "kubectlExecutable": "/x"}, "--allow kubectl-exec", "trust/runs-command"),
    "a command": Kind(
        "docker-registry", {**HUB, "passwordCommand": "id"}, "needs --allow password-command", "trust/runs-command",
    ),
    "a file of the pod": Kind(
        "kubernetes", {"name": "x", "kubeconfigFile": "/etc/k"}, "needs --allow local-file", "trust/reads-file",
    ),
    "a key of Oracle in the pod": Kind(
        "oracle", {**dict.fromkeys(("compartmentId", "userId", "fingerprint", "tenancyId", "region"), "a"), "name": "x",
                   "sshPrivateKeyFilePath": "/k"}, "needs --allow local-file", "trust/reads-file",
    ),
    "a file outside": Kind(
        "kubernetes", {"name": "x", "kubeconfigFile": "configserver:../k"}, "is not a file of the store",
        "dynamic-accounts/kubeconfig",
    ),
    "a file that is missing": Kind(
        "google", {"name": "x", "project": "p", "jsonPath": "configserver:k"}, "is not a file of the store",
        "dynamic-accounts/kubeconfig",
    ),
    "a placeholder": Kind("kubernetes", {**POD, "environment": "${HOME}"}, "holds ${", "dynamic-accounts/placeholder"),
    "a cipher with a space": Kind(
        "docker-registry", {**HUB, "password": "{cipher}12 34"}, "is not a {cipher} value", "dynamic-accounts/cipher",
    ),
    "a cipher of another key": Kind(
        "docker-registry", {**HUB, "password": "{cipher}" + "0a" * 32}, "of another key", "dynamic-accounts/freeze",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountServer]:
    with account_server(tmp_path_factory.mktemp("kinds")) as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_over_http(server: AccountServer, kind: str) -> None:
    provider, entry, words, _ = KINDS[kind]
    fields = {key: value for key, value in entry.items() if key != "name"}
    before = server.repository.git("rev-parse", "main")
    answer = server.call(
        "POST", "/v1/accounts", {"name": entry["name"], "provider": provider, "fields": fields}, WRITER
    )
    assert (answer.status, words in answer.body["detail"]) == (422, True), answer.body
    assert server.repository.git("rev-parse", "main") == before


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_finding_of_validate(tmp_path: Path, kind: str) -> None:
    provider, entry, _, rule = KINDS[kind]
    shutil.copytree(needs.ROOT / "tests" / "validation" / "rules" / "base", tmp_path / "r")
    (tmp_path / "r" / "accounts").mkdir()
    file = tmp_path / "r" / "accounts" / "clouddriver-local.yml"
    file.write_text(yaml.safe_dump({provider: {"accounts": [entry]}}, sort_keys=False))
    found = halgit("validate", "--repo", tmp_path / "r", "--format", "json").json["findings"]
    assert rule in [one["rule"] for one in found if one["file"] == "accounts/clouddriver-local.yml"], found
