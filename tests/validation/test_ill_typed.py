"""No rule stumbles over data of the wrong kind: whatever stands in a file, every rule gives findings and no more."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from halgit import yaml as hyaml
from halgit.masking import Secret
from halgit.tree import File, Layer, LayerId, LeftOut, Merged, SourceId
from halgit.validation.rules import ALL
from halgit.validation.run import validate

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


def tree(config: Any, profile: Any, settings_: Any, accounts: Any) -> Merged:
    id = LayerId(".", SourceId("a"))
    names = ["config", "default/profiles/gate-local.yml", "default/profiles/spinnakerconfig.yml"]
    data = dict(zip(names, [config, profile, profile], strict=True))
    data["default/service-settings/gate.yml"] = settings_
    files = {path: File(path, "merged", (id,), value) for path, value in data.items()}
    layer = Layer(id, frozenset(files), dict.fromkeys(files, b"a: 012"))
    left = (LeftOut("default/profiles/a.yml", "no service takes a profile of this name"),)
    text = hyaml.dump(accounts)
    return Merged(files, "default", (layer,), left_out=left, accounts={"accounts/clouddriver-local.yml": text})


@settings(max_examples=300, deadline=None)
@given(CONFIGS, DATA, DATA, DATA.filter(lambda data: "Secret(" not in repr(data)))
def test_no_rule_stumbles(config: Any, profile: Any, settings_: Any, accounts: Any) -> None:
    for finding in validate(tree(config, profile, settings_, accounts), ALL):
        assert finding.message
        assert "not-for-you" not in finding.message + finding.mend
