"""What must never reach Clouddriver, by kind: refused on the command line and over HTTP, a finding in a file.

Clouddriver's classes judge each kind that breaks a provider, and bind the corrected account that halgit wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

import needs
import pytest
import yaml
from clouddriver import Judge
from program import Ran
from servers.accounts_server import KEY, WRITER, AccountServer, account_server
from warm import warm


class Kind(NamedTuple):
    """An account, the words by which it is refused, the rule that reports it, and what corrects it.

    None in `better` removes a key; without `better` nothing corrects the account.
    """

    provider: str
    entry: dict[str, Any]
    words: str
    rule: str
    better: dict[str, Any] | None = None


POD: dict[str, Any] = {"name": "x", "serviceAccount": True}
HUB: dict[str, Any] = {"name": "x", "address": "https://r.example.com"}
CF: dict[str, Any] = {"name": "x", "api": "api.example.com", "user": "u", "password": "p"}
AWS: dict[str, Any] = {"name": "x", "accountId": "012345678901"}
GCE: dict[str, Any] = {"name": "x", "project": "p"}
WRONG, SKIPPED, SPELLED = "dynamic-accounts/wrong-type", "dynamic-accounts/skipped", "dynamic-accounts/spelling"
KINDS = {
    # Names.
    "a name with a slash": Kind("kubernetes", {**POD, "name": "a/b"}, "is not a safe file name", SKIPPED),
    "a name that leads up": Kind("aws", {**AWS, "name": "a..b"}, "is not a safe file name", SKIPPED),
    "a name that ends in a space": Kind("google", {**GCE, "name": "a "}, "is not a safe file name", SKIPPED),
    "a name that begins with a dot": Kind("ecs", {"name": ".a", "awsAccount": "a"}, "is not a safe file name", SKIPPED),
    "a name in Unicode": Kind("kubernetes", {**POD, "name": "pr\u00f6d"}, "is not a safe file name", SKIPPED),
    "a long name": Kind("docker-registry", {**HUB, "name": "a" * 201}, "is not a safe file name", SKIPPED),
    "a name of ours": Kind("kubernetes", {**POD, "name": "kubeconfigs"}, "is a folder that Clouddriver uses", SKIPPED),
    "a name of ours in capitals": Kind("aws", {**AWS, "name": "KubeConfigs"}, "is a folder that Clouddriver", SKIPPED),
    "the folder of the config server": Kind("google", {**GCE, "name": "config-repo"}, "is a folder that", SKIPPED),
    # All accounts of the provider.
    "a flag as 1": Kind("kubernetes", {**POD, "debug": 1}, "debug is not true or false", WRONG, {"debug": "1"}),
    "a flag as 0": Kind("aws", {**AWS, "lambdaEnabled": 0}, "is not true or false", WRONG, {"lambdaEnabled": "on"}),
    "a flag that is null": Kind("google", {**GCE, "required": None}, "is not true or", WRONG, {"required": "yes"}),
    "an empty flag": Kind("cloudfoundry", {**CF, "skipSslValidation": ""}, "is not true or false", WRONG,
                          {"skipSslValidation": True}),
    "a number that is null": Kind("docker-registry", {**HUB, "cacheThreads": None}, "is not an integer", WRONG,
                                  {"cacheThreads": "2"}),
    "an empty number": Kind("docker-registry", {**HUB, "paginateSize": ""}, "is not an integer", WRONG,
                            {"paginateSize": 1}),
    "above int32": Kind("kubernetes", {**POD, "cacheThreads": 2**31}, "cacheThreads is not an integer", WRONG,
                        {"cacheThreads": 2**31 - 1}),
    "entries that are null": Kind(
        "kubernetes", {**POD, "cachingPolicies": [{"kubernetesKind": "A", "maxEntriesPerAgent": None}]},
        "maxEntriesPerAgent is not an integer", WRONG,
        {"cachingPolicies": [{"kubernetesKind": "A", "maxEntriesPerAgent": 3}]},
    ),
    "permissions that are null": Kind("aws", {**AWS, "permissions": None}, "permissions is null", WRONG,
                                      {"permissions": {}}),
    "a permission": Kind("kubernetes", {**POD, "permissions": {"ALL": ["a"]}}, "ALL is not a permission", WRONG,
                         {"permissions": {"read": ["a"], "WRITE": ["0755"]}}),
    "an empty mapping": Kind("kubernetes", {**POD, "rawResourcesEndpointConfig": {}}, "is an empty mapping", WRONG,
                             {"rawResourcesEndpointConfig": {"kindExpressions": ["a.*"]}}),
    "a mapping that is null": Kind("kubernetes", {**POD, "rawResourcesEndpointConfig": None}, "is null", WRONG,
                                   {"rawResourcesEndpointConfig": {"omitKindExpressions": []}}),
    "null in a list": Kind("kubernetes", {**POD, "customResources": [None]}, "customResources[0] is null", WRONG,
                           {"customResources": []}),
    "an empty item": Kind("kubernetes", {**POD, "cachingPolicies": [{}]}, "[0] is an empty mapping", WRONG,
                          {"cachingPolicies": None}),
    "null in regions": Kind("aws", {**AWS, "regions": [None]}, "regions[0] is null", WRONG,
                            {"regions": [{"name": "us-east-1", "deprecated": False}]}),
    "a region": Kind("aws", {**AWS, "regions": [{"name": "r", "deprecated": "maybe"}]}, "deprecated", WRONG,
                     {"regions": [{"name": "1e3"}]}),
    "a lifecycle hook": Kind("aws", {**AWS, "lifecycleHooks": [{"name": "n", "heartbeatTimeout": "x"}]},
                             "heartbeatTimeout is not an integer", WRONG,
                             {"lifecycleHooks": [{"name": "n", "heartbeatTimeout": 3}]}),
    "a space filter that is null": Kind("cloudfoundry", {**CF, "spaceFilter": None}, "is not a mapping", WRONG,
                                        {"spaceFilter": {}}),
    "a space filter that is a string": Kind("cloudfoundry", {**CF, "spaceFilter": "org"}, "is not a mapping", WRONG,
                                            {"spaceFilter": {"org": ["dev"]}}),
    "a Google flag": Kind("google", {**GCE, "alphaListed": "maybe"}, "alphaListed", WRONG, {"alphaListed": True}),
    "two passwords": Kind("docker-registry", {**HUB, "password": "a", "passwordFile": "/b"}, "exclude each", WRONG,
                          {"passwordFile": None}),
    "a password and a file of logins": Kind(
        "docker-registry", {**HUB, "password": "a", "dockerconfigFile": "/b"}, "exclude each other", WRONG,
        {"dockerconfigFile": None},
    ),
    "a password file and a command": Kind(
        "docker-registry", {**HUB, "passwordFile": "/b", "passwordCommand": "id"}, "exclude each other", WRONG,
    ),
    "repositories and a catalog": Kind(
        "docker-registry", {**HUB, "repositories": ["a/b"], "catalogFile": "/c"}, "exclude each other", WRONG,
        {"catalogFile": None},
    ),
    "repositories and a pattern": Kind(
        "docker-registry", {**HUB, "repositories": ["a/b"], "repositoriesRegex": ".*"}, "exclude each other", WRONG,
        {"repositories": None},
    ),
    "no address": Kind("docker-registry", {**HUB, "address": ""}, "address is required", WRONG, {"address": "r:5000"}),
    "an api with a scheme": Kind("cloudfoundry", {**CF, "api": "https://api.example.com"}, "is not a host name", WRONG,
                                 {"api": "api.example.com"}),
    "an api with a path": Kind("cloudfoundry", {**CF, "api": "api.example.com/v2"}, "api is not a host name", WRONG,
                               {"api": "api.example.com:443"}),
    "an api with a space": Kind("cloudfoundry", {**CF, "api": "api. example.com"}, "api is not a host name", WRONG),
    # One account.
    "an empty api": Kind("cloudfoundry", {**CF, "api": ""}, "api is required", SKIPPED),
    "a resource without a kind": Kind("kubernetes", {**POD, "customResources": [{"versioned": True}]},
                                      "kubernetesKind is required", SKIPPED,
                                      {"customResources": [{"kubernetesKind": "A", "deployPriority": "role"}]}),
    "a custom resource twice": Kind(
        "kubernetes", {**POD, "customResources": [{"kubernetesKind": "A"}, {"kubernetesKind": "a"}]}, "twice", SKIPPED,
        {"customResources": [{"kubernetesKind": "A"}, {"kubernetesKind": "A.b.c"}]},
    ),
    "a priority in words": Kind(
        "kubernetes", {**POD, "customResources": [{"kubernetesKind": "A", "deployPriority": "high"}]},
        "deployPriority is not an integer", SKIPPED,
        {"customResources": [{"kubernetesKind": "A", "deployPriority": None}]},
    ),
    "a priority in hexadecimal": Kind(
        "kubernetes", {**POD, "customResources": [{"kubernetesKind": "A", "deployPriority": "0x10"}]},
        "deployPriority is not an integer", SKIPPED,
        {"customResources": [{"kubernetesKind": "A", "deployPriority": 16}]},
    ),
    "a naming strategy": Kind("kubernetes", {**POD, "namingStrategy": "x"}, "is not a naming strategy", SKIPPED,
                              {"namingStrategy": "kubernetesannotations"}),
    "a naming strategy that is null": Kind("google", {**GCE, "namingStrategy": None}, "is not a naming", SKIPPED,
                                           {"namingStrategy": "gceAnnotations"}),
    "an empty naming strategy": Kind("kubernetes", {**POD, "namingStrategy": ""}, "is not a naming", SKIPPED),
    "a naming strategy of ECS": Kind("ecs", {"name": "x", "awsAccount": "a", "namingStrategy": "x"}, "is not a naming",
                                     SKIPPED, {"namingStrategy": ""}),
    "both expressions": Kind(
        "kubernetes",
        {**POD, "rawResourcesEndpointConfig": {"kindExpressions": ["a"], "omitKindExpressions": ["b"]}},
        "exclude each other", SKIPPED, {"rawResourcesEndpointConfig": {"kindExpressions": ["a"]}},
    ),
    "a regular expression": Kind(
        "kubernetes", {**POD, "rawResourcesEndpointConfig": {"kindExpressions": ["a("]}}, "is invalid", SKIPPED,
        {"rawResourcesEndpointConfig": {"kindExpressions": ["(?<a>a)"]}},
    ),
    "a regular expression of Python": Kind(
        "docker-registry", {**HUB, "repositoriesRegex": "(?P<a>b)"}, "unknown kind of group", SKIPPED,
        {"repositoriesRegex": "\\p{Alpha}+"},
    ),
    "both namespaces": Kind(
        "kubernetes", {**POD, "namespaces": ["a"], "omitNamespaces": ["b"]}, "exclude each other", SKIPPED,
        {"namespaces": None},
    ),
    "a namespace that is null": Kind("kubernetes", {**POD, "namespaces": [None]}, "has an empty item", SKIPPED,
                                     {"namespaces": ["0755"]}),
    "no credentials of Azure": Kind("azure", {"name": "x"}, "clientId is required", SKIPPED,
                                    dict.fromkeys(("clientId", "appKey", "tenantId", "subscriptionId"), "007")),
    "no user": Kind("cloudfoundry", {**CF, "user": None}, "user is required", SKIPPED, {"user": "u"}),
    # Other spellings.
    "one field in two spellings": Kind("kubernetes", {**POD, "cacheThreads": 1, "cache-threads": 2}, "one key", SPELLED,
                                       {"cacheThreads": None}),
    "one space filter in two spellings": Kind("cloudfoundry", {**CF, "spaceFilter": {"Org": ["a"], "[org]": ["b"]}},
                                              "are one key", SPELLED, {"spaceFilter": {"Org": ["a"]}}),
    # Access.
    "no access": Kind("kubernetes", {"name": "x"}, "no kubeconfig", "dynamic-accounts/no-access", POD),
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
        "google", {**GCE, "jsonPath": "configserver:k"}, "is not a file of the store",
        "dynamic-accounts/kubeconfig",
    ),
    "a placeholder": Kind("kubernetes", {**POD, "environment": "${HOME}"}, "holds ${", "dynamic-accounts/placeholder",
                          {"environment": "$HOME {x}"}),
    "a placeholder in a password": Kind("docker-registry", {**HUB, "password": "a${HOME}"}, "password holds ${",
                                        "dynamic-accounts/placeholder", {"password": "{a:b}$#: x\n\n"}),
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


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Ran]]:
    with warm(tmp_path_factory.mktemp("warm")) as running:
        yield running


def corrected(kind: Kind) -> dict[str, Any]:
    return {key: value for key, value in {**kind.entry, **(kind.better or {})}.items() if value is not None}


@pytest.mark.parametrize("name", KINDS)
def test_it_is_refused_over_http(server: AccountServer, name: str) -> None:
    provider, entry, words, *_ = KINDS[name]
    fields = {key: value for key, value in entry.items() if key != "name"}
    before = server.repository.git("rev-parse", "main")
    answer = server.call(
        "POST", "/v1/accounts", {"name": entry["name"], "provider": provider, "fields": fields}, WRITER
    )
    said = answer.body["detail"]
    assert (answer.status, words in said or said == "The request does not fit its schema.") == (422, True), answer.body
    assert server.repository.git("rev-parse", "main") == before


@pytest.mark.parametrize("name", KINDS)
def test_it_is_refused_on_the_command_line(
    server: AccountServer, run: Callable[..., Ran], tmp_path: Path, name: str
) -> None:
    provider, entry, words, *_ = KINDS[name]
    before = server.repository.git("rev-parse", "main")
    file = tmp_path / "fields.yml"
    file.write_text(yaml.safe_dump({key: value for key, value in entry.items() if key != "name"}))
    ran = run(
        "accounts", "add", entry["name"], "--provider", provider, "--fields", file, "--repo", server.repository.url,
        "--ref", "main", "--encrypt-key-file", server.folder / "key", HOME="/nonexistent",
    )  # fmt: skip
    assert (ran.code, words in ran.err) == (6, True), ran.err
    assert server.repository.git("rev-parse", "main") == before


@pytest.mark.parametrize("name", KINDS)
def test_it_is_a_finding_of_validate(run: Callable[..., Ran], tmp_path: Path, name: str) -> None:
    provider, entry, _, rule, _ = KINDS[name]
    copytree(needs.ROOT / "tests" / "validation" / "rules" / "base", tmp_path / "r")
    (tmp_path / "r" / "accounts").mkdir()
    file = tmp_path / "r" / "accounts" / "clouddriver-local.yml"
    file.write_text(yaml.safe_dump({provider: {"accounts": [entry]}}, sort_keys=False))
    found = run("validate", "--repo", tmp_path / "r", "--format", "json", HOME="/nonexistent").json["findings"]
    assert rule in [one["rule"] for one in found if one["file"] == "accounts/clouddriver-local.yml"], found


CONSTRUCTED = {
    "two passwords", "a password and a file of logins", "a password file and a command", "repositories and a catalog",
    "repositories and a pattern", "no address", "an api with a scheme", "an api with a path", "an api with a space",
}  # fmt: skip
"""Kinds that bind, and by which Clouddriver then loads no account of the provider, as `real-programs.md` records."""


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if kind.rule == WRONG and name not in CONSTRUCTED]
)
def test_it_breaks_every_account_of_the_provider(clouddriver: Judge, name: str) -> None:
    provider, entry, *_ = KINDS[name]
    text = yaml.safe_dump(
        {provider: {"accounts": [{**corrected(KINDS[name]), "name": "good"}, entry]}}, sort_keys=False
    )
    assert clouddriver.of_text(text).fails(provider)


def test_clouddriver_binds_what_halgit_wrote_for_every_kind(
    server: AccountServer, run: Callable[..., Ran], clouddriver: Judge
) -> None:
    """Half of the corrected accounts are written over HTTP, half on the command line; all are served and bound."""
    better = {name: kind for name, kind in KINDS.items() if kind.better is not None}
    wanted: dict[str, dict[str, dict[str, Any]]] = {}
    for number, (name, kind) in enumerate(better.items()):
        fields = {key: value for key, value in corrected(kind).items() if key != "name"}
        wanted.setdefault(kind.provider, {})[f"n{number}"] = fields
        body = {"name": f"n{number}", "provider": kind.provider, "fields": fields}
        if number % 2:
            answer = server.call("POST", "/v1/accounts", body, WRITER)
            assert answer.status == 201, (name, answer.body)
            continue
        file = server.folder / "fields.yml"
        file.write_text(yaml.safe_dump(fields))
        ran = run(
            "accounts", "add", f"n{number}", "--provider", kind.provider, "--fields", file, "--repo",
            server.repository.url, "--ref", "main", "--encrypt-key-file", server.folder / "key", HOME="/nonexistent",
        )  # fmt: skip
        assert ran.code == 0, (name, ran.err)
    verdict = clouddriver.of_repository(server.repository.url, key=KEY)
    for provider, accounts in wanted.items():
        bound = {account["name"]: account for account in verdict.accounts(provider)}
        assert list(bound) == list(accounts)
        for name, fields in accounts.items():
            for key, value in fields.items():
                if isinstance(value, str) and isinstance(bound[name].get(key, ""), str):
                    assert bound[name].get(key, "") == value, (provider, name, key)


def test_a_merge_patch_removes_what_is_null_and_keeps_the_rest(server: AccountServer, clouddriver: Judge) -> None:
    """RFC 7396; keys of a map are compared with every character, other keys as Spring compares them."""
    fields = {**CF, "spaceFilter": {"Org-Space": ["a"], "OrgSpace": ["b"], "Größe": ["c"]}}
    del fields["name"]
    body = {"name": "patched", "provider": "cloudfoundry", "fields": fields}
    assert server.call("POST", "/v1/accounts", body, WRITER).status == 201

    def patch(fields: dict[str, Any]) -> dict[str, Any]:
        answer = server.call("PATCH", "/v1/accounts/patched", {"fields": fields}, WRITER)
        assert answer.status == 200, answer.body
        verdict = clouddriver.of_repository(server.repository.url, key=KEY)
        return next(one for one in verdict.accounts("cloudfoundry") if one["name"] == "patched")

    assert patch({"spaceFilter": {"OrgSpace": ["d"], "Org-Space": None, "New": None}})["spaceFilter"] == {
        "OrgSpace": ["d"], "Größe": ["c"],
    }  # fmt: skip
    assert patch({"spaceFilter": {"Größe": None}, "metrics-uri": "m"})["spaceFilter"] == {"OrgSpace": ["d"]}
    bound = patch({"SPACE-FILTER": None, "metricsUri": None, "permissions": {"read": ["x"], "WRITE": ["y"]}})
    assert "metricsUri" not in bound
    assert (bound["spaceFilter"], bound["permissions"]) == ({}, {"READ": ["x"], "WRITE": ["y"]})
    assert patch({"permissions": {"READ": None}})["permissions"] == {"WRITE": ["y"]}
    for removed in ("user", "Name"):
        assert server.call("PATCH", "/v1/accounts/patched", {"fields": {removed: None}}, WRITER).status == 422


def test_numbers_and_flags_for_string_fields_are_strings_or_refused(server: AccountServer) -> None:
    fields = {"accountId": 12, "externalId": True, "regions": [{"name": 10**40}]}
    body = {"name": "numbers", "provider": "aws", "fields": fields}
    assert server.call("POST", "/v1/accounts", body, WRITER).status == 201
    shown = server.call("GET", "/v1/accounts/numbers").body["fields"]
    assert (shown["accountId"], shown["externalId"], shown["regions"]) == ("12", "true", [{"name": str(10**40)}])
    for number in (b"1e3", b"0.10", b"1e400"):
        patch = b'{"fields": {"regions": [{"name": ' + number + b"}]}}"
        answer = server.call("PATCH", "/v1/accounts/numbers", patch, WRITER)
        assert (answer.status, "may have been written otherwise" in answer.body["detail"]) == (400, True), answer.body


def test_half_a_surrogate_pair_is_refused_over_http(server: AccountServer) -> None:
    fields = {**HUB, "username": "\ud800", "password": "\udfff"}
    del fields["name"]
    answer = server.call("POST", "/v1/accounts", {"name": "s", "provider": "docker-registry", "fields": fields}, WRITER)
    assert (answer.status, "username holds half of a surrogate pair" in answer.body["detail"]) == (422, True)
