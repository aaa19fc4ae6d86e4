"""`check_entry` against Spring's binder with Clouddriver's own classes: nothing that breaks a provider gets through."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from clouddriver import FIELDS, JAVA, REAL, Judge

from halgit.halyard import resources
from halgit.halyard.merge_keys import build_key_tree
from halgit.pipeline import Value
from halgit.validation.account_entries import check_entry
from halgit.validation.account_keys import field_kind, find_provider, provider_names, section_name

BASE: dict[str, dict[str, Value]] = {
    "kubernetes": {"name": "a"},
    "docker-registry": {"name": "a", "address": "https://registry.example.com"},
    "cloudfoundry": {"name": "a", "api": "api.example.com", "user": "u", "password": "p"},
    "aws": {"name": "a", "accountId": "123456789012"},
    "google": {"name": "a", "project": "p"},
    "azure": {"name": "a", "clientId": "c", "appKey": "k", "tenantId": "t", "subscriptionId": "s"},
    "appengine": {"name": "a"},
    "titus": {"name": "a", "environment": "e", "accountType": "t", "regions": [{"name": "r"}]},
    "dcos": {"name": "a"},
    "huaweicloud": dict.fromkeys(("name", "authUrl", "username", "password", "projectName", "domainName"), "a")
    | {"regions": ["r"]},
}
ODD: tuple[Value, ...] = (
    None, "", 1, 0, "1", "on", "yes", "maybe", True, -1, 2**31, 2**31 - 1, 2**63, "2147483648", "0x10", "1.5", [], {},
    [None], [{}], ["a"], [["a"]], {"a": "b"}, {"READ": ["a"]}, {"read": "a"}, {"READ": None}, {"FOO": ["a"]},
    {"READ": {"a": "b"}}, {"READ": [None]}, {"a[0]": ["b"]}, {"[a b]": ["c"]}, {"a": [None]}, {"a": []},
    [{"name": "x"}], [{"name": None}], [{"kubernetesKind": "K", "versioned": 1}], [{"kubernetesKind": "K"}],
    [{"kubernetesKind": "K", "maxEntriesPerAgent": None}], [{"name": "r", "deprecated": "maybe"}],
    [{"heartbeatTimeout": "x"}], "beta", "GAMMA", [{"port": "x"}], [{"name": "c", "uid": ["a"]}], {"kindExpressions": ["a"]}, {"kindExpressions": None}, {"enabled": None},
)  # fmt: skip
KEYS = {
    "kubernetes": (
        "debug", "serviceAccount", "cacheThreads", "kubectlRequestTimeoutSeconds", "cacheIntervalSeconds", "context",
        "namespaces", "customResources", "cachingPolicies", "permissions", "rawResourcesEndpointConfig",
    ),
    "docker-registry": ("trackDigests", "cacheThreads", "cacheIntervalSeconds", "email", "skip", "permissions"),
    "cloudfoundry": ("skipSslValidation", "resultsPerPage", "metricsUri", "spaceFilter", "permissions"),
    "aws": ("lambdaEnabled", "enabled", "externalId", "regions", "lifecycleHooks", "defaultSecurityGroups", "permissions"),
    "google": ("alphaListed", "userDataFile", "imageProjects", "consul", "permissions"),
    "azure": ("useSshPublicKey", "regions", "vmImages", "customImages", "permissions"),
    "appengine": ("sshTrustUnknownHosts", "gcloudReleaseTrack", "services", "cachingIntervalSeconds", "permissions"),
    "titus": ("discoveryEnabled", "regions", "stack"),
    "dcos": ("clusters", "dockerRegistries", "permissions"),
    "huaweicloud": ("insecure", "environment"),
}  # fmt: skip


def written(provider: str, entry: dict[str, Value]) -> str:
    return yaml.safe_dump({provider: {"accounts": [entry]}}, sort_keys=False, allow_unicode=True)


@pytest.mark.parametrize(("provider", "key"), [(provider, key) for provider, keys in KEYS.items() for key in keys])
def test_what_breaks_a_provider_is_a_fault_and_good_values_are_none(
    clouddriver: Judge, provider: str, key: str
) -> None:
    missed, wrong = [], []
    for value in ODD:
        entry = {**BASE[provider], key: value}
        faults = list(check_entry(provider, entry))
        verdict = clouddriver.of_text(written(provider, entry))
        if verdict.fails(provider) and not any(fault.effect == "provider" for fault in faults):
            missed.append((value, verdict.bound[provider][-200:]))
        bound = None if verdict.fails(provider) else verdict.accounts(provider)[0].get(key)
        if faults and bound is not None and bound == value and value not in ([None], [""]):
            wrong.append((value, faults))
    assert not missed
    assert not wrong


def test_an_entry_with_every_field_binds_with_every_value(clouddriver: Judge) -> None:
    entry: dict[str, Value] = {
        **BASE["aws"], "environment": "prod", "accountType": "x", "defaultKeyPair": "k", "enabled": True,
        "regions": [{"name": "us-east-1", "availabilityZones": ["a"], "preferredZones": ["a"], "deprecated": False}],
        "defaultSecurityGroups": ["g"], "permissions": {"READ": ["a"], "WRITE": ["b"]}, "assumeRole": "role/x",
        "sessionName": "s", "externalId": "0755", "lambdaEnabled": True, "bastionHost": "h",
        "lifecycleHooks": [{"name": "n", "roleARN": "r", "heartbeatTimeout": 3}],
    }  # fmt: skip
    assert not list(check_entry("aws", entry))
    (bound,) = clouddriver.of_text(written("aws", entry)).accounts("aws")
    assert bound["externalId"] == "0755"
    assert bound["permissions"] == {"READ": ["a"], "WRITE": ["b"]}


NEWER = {"aws": {"sessionDurationSeconds"}}
"""Fields that Clouddriver got after 5.90.0."""


def kinds(node: Any) -> Any:
    """The kinds of the fields of a schema's mapping, as `clouddriver_fields.json` names them."""
    if "$ref" in node:
        return node["$ref"].removeprefix("#/$defs/")
    if "items" in node:
        return [kinds(node["items"])]
    if node.get("title") == "Permissions":
        return "permissions"
    return {key: kinds(below) for key, below in node["properties"].items() if not below.get("deprecated")}


@pytest.mark.parametrize("provider", sorted(FIELDS))
def test_the_schema_has_the_fields_and_types_of_the_source(provider: str) -> None:
    section = resources.load_schema("clouddriver-accounts")["properties"][section_name(provider)]
    found = kinds(section["properties"]["accounts"]["items"])
    for key in NEWER.get(provider, ()):
        found.pop(key)
    recorded = {key: "releaseTrack" if str(kind).startswith("enum") else kind for key, kind in FIELDS[provider].items()}
    assert found == recorded


def test_every_provider_of_clouddriver_is_known() -> None:
    assert set(provider_names()) == set(FIELDS)


def java(kind: Any) -> Any:
    """A recorded kind as the judge describes it."""
    if isinstance(kind, dict):
        return {key: java(below) for key, below in kind.items()}
    if isinstance(kind, list):
        return [java(kind[0])]
    if kind.startswith("enum"):
        return "enum"
    name = {
        "groups": "java.util.Map<java.lang.String, java.util.Set<java.lang.String>>",
        "texts": "List<String>",
        "permissions": JAVA["permissions"].replace("Permissions.", "Permissions$"),
    }
    short = name.get(kind, JAVA[kind])
    return f"java.lang.{short}" if short in {"String", "Boolean", "Integer", "Long"} else short


def test_the_classes_themselves_have_the_recorded_fields(clouddriver: Judge) -> None:
    described = clouddriver.fields()
    for provider in REAL:
        assert described[provider] == java(FIELDS[provider]), provider


def test_clouddriver_keeps_one_account_of_each_name(clouddriver: Judge) -> None:
    """So the lists of accounts are keyed by name; `merge_keys` names this class as the source."""
    assert clouddriver.kept(["a", "b", "a", "B"]) == {"a": 2, "b": 1, "B": 3}


def test_the_keys_of_lists_are_fields_of_the_classes_that_read_them(clouddriver: Judge) -> None:
    described = clouddriver.fields()
    tree = build_key_tree("default/profiles/clouddriver-local.yml")
    for provider, names in (("docker-registry", "dockerRegistry"), *((one, one) for one in REAL if "-" not in one)):
        accounts = tree.child(names).child("accounts")
        assert accounts.key in described[provider], provider
        for name, below in accounts.children.items():
            field = described[provider].get(name)
            if below.key and isinstance(field, list):
                assert below.key in field[0], (provider, name)
    assert tree.child("aws").child("accounts").child("regions").key in described["aws"]["regions"][0]


# ruff: noqa: E501
FAULTS: tuple[tuple[str, dict[str, Value], str], ...] = (
    ("kubernetes", {"namespaces": ["a"], "omitNamespaces": ["b"]}, "namespaces and omitNamespaces exclude each other; the account is skipped"),
    ("kubernetes", {"kinds": ["a"], "omit-kinds": ["b"]}, "kinds and omitKinds exclude each other; the account is skipped"),
    ("kubernetes", {"namespaces": [None]}, "namespaces has an empty item"),
    ("kubernetes", {"customResources": [{"kubernetesKind": "A"}, {"kubernetesKind": "a"}]}, "a is a custom resource twice"),
    ("kubernetes", {"customResources": [{"spinnakerKind": "A"}]}, "kubernetesKind is required"),
    ("kubernetes", {"customResources": [{"kubernetesKind": "A", "deployPriority": "high"}]}, "deployPriority is not an integer"),
    ("kubernetes", {"namingStrategy": None}, "namingStrategy is not a naming strategy of the provider"),
    ("kubernetes", {"rawResourcesEndpointConfig": {"kindExpressions": ["a("]}}, "the regular expression is invalid: missing ), unterminated subpattern"),
    ("kubernetes", {"rawResourcesEndpointConfig": {"kindExpressions": ["a"], "omitKindExpressions": ["b"]}}, "kindExpressions and omitKindExpressions exclude each other"),
    ("kubernetes", {"cacheThreads": 1, "cache-threads": 2}, "cache-threads and cacheThreads are one key to Spring"),
    ("kubernetes", {"cacheThread": 1}, "Clouddriver has no field cacheThread"),
    ("docker-registry", {"repositories": ["a"], "catalogFile": "/c"}, "repositories and catalogFile exclude each other; no account of the provider loads"),
    ("docker-registry", {"password": "a", "passwordFile": "b"}, "password and passwordFile exclude each other; no account of the provider loads"),
    ("docker-registry", {"address": ""}, "address is required"),
    ("cloudfoundry", {"api": "https://api.example.com"}, "api is not a host name; no account of the provider loads"),
    ("cloudfoundry", {"api": "api.example.com/v2"}, "api is not a host name; no account of the provider loads"),
    ("cloudfoundry", {"api": " "}, "api is not a host name; no account of the provider loads"),
    ("cloudfoundry", {"password": None}, "password is required"),
    ("cloudfoundry", {"spaceFilter": {"Org Space": ["a"]}}, "Spring reads the key Org Space as OrgSpace"),
    ("aws", {"accountId": ""}, "accountId is required"),
    ("aws", {"permissions": {"FOO": ["a"]}}, "FOO is not a permission"),
    ("google", {"alphaListed": "maybe"}, "alphaListed is not true or false"),
    ("titus", {"name": ""}, "name is required"),
    ("oracle", {"name": "a"}, "compartmentId is required"),
    ("huaweicloud", {"password": ""}, "password is required"),
    ("appengine", {"gcloudReleaseTrack": "GAMMA"}, "gcloudReleaseTrack is not a release track"),
    ("dcos", {"clusters": [{"name": "c", "password": "p", "serviceKeyFile": "/f"}]}, "password and serviceKeyFile exclude each other; the account is skipped"),
    ("ecs", {"awsAccount": "a", "regions": ["r"]}, "Clouddriver has no field regions"),
)  # fmt: skip


@pytest.mark.parametrize(("provider", "fields", "message"), FAULTS)
def test_each_fault_has_its_message(provider: str, fields: dict[str, Value], message: str) -> None:
    assert message in [fault.message for fault in check_entry(provider, {**BASE.get(provider, {}), **fields})]


def test_names_of_providers_and_fields_have_one_spelling() -> None:
    assert {find_provider(name) for name in ("dockerRegistry", "docker-registry", "DOCKER_REGISTRY")} == {
        "docker-registry"
    }
    assert {"kubernetes", "aws", "ecs", "google", "appengine", "azure", "cloudrun"} <= set(provider_names())
    assert field_kind("aws", "external-id") == "text"
    assert field_kind("kubernetes", "CACHE_THREADS") == "int"
