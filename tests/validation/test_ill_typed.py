"""No rule stumbles over data of the wrong kind: whatever stands in a file, every rule gives findings and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from halgit import yaml as hyaml
from halgit.pipeline import Compiled, File, Layer, LayerId, Skipped, SourceId
from halgit.redaction import Secret
from halgit.validation.rule import validate
from halgit.validation.rules import ALL

KEYS = [
    "accounts", "name", "enabled", "services", "baseUrl", "env", "kubernetes", "aws", "namespaces", "omitNamespaces",
    "overrideBaseUrl", "password", "encrypt", "key", "value", "providerVersion", "port", "version", "accountName",
    "haServices", "clouddriver", "groupMembership", "google", "roleProviderType", "stats", "customSizing",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.just(""), st.sampled_from(KEYS),
    st.sampled_from(["http://spin-gate:x", "http://[", "redis://:a@b", "encrypted:a:b"]),
    st.builds(Secret, st.just("not-for-you"), st.just("a")),
)  # fmt: skip
DATA = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS), below, max_size=4)
)
SECTIONS = st.dictionaries(
    st.sampled_from([
        "providers", "security", "deploymentEnvironment", "persistentStorage", "canary", "pubsub", "stats", "features",
        "metricStores", "version", "timezone", "artifacts", "notifications", "ci",
    ]),
    DATA,
)  # fmt: skip
CONFIGS = st.one_of(
    DATA,
    st.builds(lambda body: {"deploymentConfigurations": [{"name": "default", **body}]}, SECTIONS),
    st.builds(
        lambda body: {"deploymentConfigurations": [{"name": "default", "providers": body}]},
        st.dictionaries(st.sampled_from(["kubernetes", "aws", "dockerRegistry", "oracle", "dcos", "google"]), DATA),
    ),
)


def tree(config: Any, profile: Any, settings_: Any, accounts: Any) -> Compiled:
    id = LayerId(".", SourceId("a"))
    names = ["config", "default/profiles/gate-local.yml", "default/profiles/spinnakerconfig.yml"]
    data = dict(zip(names, [config, profile, profile], strict=True))
    data["default/service-settings/gate.yml"] = settings_
    files = {path: File(path, "merged", (id,), value) for path, value in data.items()}
    layer = Layer(id, frozenset(files), dict.fromkeys(files, b"a: 012"))
    left = (Skipped("default/profiles/a.yml", "no service reads a profile with this name"),)
    text = hyaml.dump(accounts)
    return Compiled(files, "default", (layer,), skipped=left, accounts={"accounts/clouddriver-local.yml": text})


@settings(max_examples=300, deadline=None)
@given(CONFIGS, DATA, DATA, DATA.filter(lambda data: "Secret(" not in repr(data)))
def test_no_rule_stumbles(config: Any, profile: Any, settings_: Any, accounts: Any) -> None:
    for finding in validate(tree(config, profile, settings_, accounts), ALL):
        assert finding.message
        assert "not-for-you" not in finding.message + finding.hint


ON = {
    "version": "1.30.1",
    "timezone": "UTC",
    "deploymentEnvironment": {
        "type": "Distributed",
        "accountName": "a",
        "size": "SMALL",
        "nodeSelectors": {},
        "livenessProbeConfig": {"enabled": True},
        "haServices": {"clouddriver": {"enabled": True, "redisMasterEndpoint": "a"}},
        "customSizing": {"spin-gate": {"replicas": 1}},
    },
    "security": {
        "authn": {
            "oauth2": {"client": {"scope": "a"}, "enabled": True, "provider": "GOOGLE", "userInfoRequirements": {}},
            "saml": {"enabled": True, "metadataLocal": "a", "serviceAddress": "https://a", "signatureDigest": "MD5"},
            "ldap": {"enabled": True, "url": "ldap://a:1"},
            "x509": {"enabled": True, "roleOid": "1"},
            "iap": {"enabled": True},
        },
        "authz": {"enabled": True, "groupMembership": {"service": "LDAP", "ldap": {"managerDn": "a"}}},
        "apiSecurity": {"overrideBaseUrl": "https://a"},
    },
    "persistentStorage": {"persistentStoreType": "oracle", "oracle": {"bucketName": "a"}},
    "spinnaker": {"extensibility": {"plugins": {}}},
    "providers": {"google": {"accounts": [{"name": "a"}]}, "kubernetes": {"accounts": [{"name": "b"}]}},
}
"""A deployment in which everything is on that rules look at."""

ODD: list[Any] = [
    None, "", 0, 1.5, True, [], {}, ["a"], {"a": "b"}, "x", "http://[", "ldap://a:99999999", "encrypted:a:b", b"x",
    Secret("not-for-you", "a"), "local:1.30.1-a",
]  # fmt: skip


def replaced(node: Any, odd: Any) -> Iterator[Any]:
    """A node with each of its parts in turn replaced by something odd."""
    if isinstance(node, dict):
        for key, below in node.items():
            yield {**node, key: odd}
            yield from ({**node, key: other} for other in replaced(below, odd))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__ + str(odd))
def test_no_rule_stumbles_over_an_odd_value_anywhere(odd: Any) -> None:
    for body in replaced(ON, odd):
        config = {"deploymentConfigurations": [{"name": "default", **body}]}
        for finding in validate(tree(config, {}, {}, {}), ALL):
            assert "not-for-you" not in finding.message + finding.hint
