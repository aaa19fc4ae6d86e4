"""Every kind of field with every kind of value, beside the real Jackson and SnakeYAML of Halyard.

halgit refuses a value where Jackson refuses it, and `explain` shows what Jackson makes of a scalar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from java_judge import started

from halgit import yaml as hyaml
from halgit.explain import read_value
from halgit.pipeline import File, LayerId, Severity, SourceId
from halgit.validation.schema import check, verdict

VALUES = (
    "a text", "''", "' '", "true", "True", "yes", "off", "'true'", "'True'", "'TRUE'", "'tRUE'", "' true '", "'yes'",
    "'false'", "'null'", "0", "1", "2", "-1", "'1'", "' 1 '", "'+1'", "'-0'", "'1.5'", "'0x10'", "'1e3'", "1.5", "1.0",
    "-0.9", "1e3", "1.0e+3", ".nan", ".inf", "-.inf", "2147483647", "2147483648", "-2147483649", "9223372036854775807",
    "9223372036854775808", "99999999999999999999", "2147483648.5", "012", "0x1F", "0b11", "1_000", "1:30", "08",
    "2020-01-01", "'2020-01-01'", "2020-01-01T10:00:00Z", "2001-12-14 21:59:43.10 -5", "[]", "[a]", "[1, yes]",
    "[[a]]", "[~]", "[{}]", "[{name: a}]", "[{nam: a}]", "{}", "{a: b}", "{a: 1}", "{a: ~}", "{a: [b]}", "{a: {b: c}}",
    "{1: a}", "{yes: a}", "{name: a}", "{name: [a]}", "{READ: [a]}", "{READ: a}", "{read: [a]}", "{READ: []}",
    "{READ: [~]}", "!!binary aGFs", "!!set {a, b}", "!!str 12", "!!int '12'", "!!float 1", "!!bool yes", "SMALL",
    "small", "' SMALL '", "'0'", "'2'", "'3'", "' True '", "'NULL'", "'1_000'", "1e400", "-9223372036854775809",
    "0.1e1", "s3", "S3", "' s3 '", "oraclebmcs", "SQL", "[OBJECT_STORE]", "[object_store]", "[' OBJECT_STORE ']",
    "[0]", "['2']", "[3]", "[-1]", "['']", "[OBJECT_STORE, OBJECT_STORE]", "[1.5]", "[true]", "[2020-01-01]",
    "OBJECT_STORE", "{originUser: a}", "{originUser: [a]}", "{originUser: {a: b}}", "{originUser: 1}",
    "{originUser: ~, nope: ~}", "{nope: 1}", "{a: [{b: c}]}", "{a: [b]}", "{a: [[b]]}", "{a: [~]}", "{a: {b: [c]}}",
    "{a: [{key: b, operator: Exists}]}", "{a: [{key: b, operator: exists}]}", "{a: [{key: [b]}]}",
    "{a: {id: b, enabled: 'yes'}}", "{a: {id: b, enabled: 1}}", "{a: {config: {b: [1, {c: ~}]}}}", "{a: {config: b}}",
    "{a: {id: b, nope: c}}", "{a: ''}", "{a: []}", "{a: {}}", "http://a.example/b", "'http://a b'", "'http://['",
    "ldap://a:b", "a:b", "//x",
)  # fmt: skip
FIELDS = {
    "text": ("timezone",),
    "flag": ("providers", "kubernetes", "enabled"),
    "number": ("metricStores", "period"),
    "big": ("providers", "dockerRegistry", "accounts", 0, "cacheIntervalSeconds"),
    "size": ("deploymentEnvironment", "size"),
    "url": ("security", "authn", "saml", "serviceAddress"),
    "uri": ("security", "authn", "ldap", "url"),
    "texts": ("metricStores", "datadog", "tags"),
    "map": ("deploymentEnvironment", "nodeSelectors"),
    "rights": ("providers", "aws", "accounts", 0, "permissions"),
    "sizing": ("deploymentEnvironment", "customSizing"),
    "wrapped": ("deploymentEnvironment", "updateVersions"),
    "count": ("deploymentEnvironment", "livenessProbeConfig", "initialDelaySeconds"),
    "store": ("persistentStorage", "persistentStoreType"),
    "pair": ("deploymentEnvironment", "gitConfig"),
    "array": (
        "deploymentEnvironment",
        "affinity",
        "spin-gate",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
        0,
        "matchFields",
        0,
        "values",
    ),
    "supported": ("canary", "serviceIntegrations", 0, "accounts", 0, "supportedTypes"),
    "inners": ("providers", "aws", "defaultRegions"),
    "aliases": ("deploymentEnvironment", "hostAliases"),
    "tolerations": ("deploymentEnvironment", "tolerations"),
    "config": ("spinnaker", "extensibility", "plugins", "a", "config"),
    "plugins": ("spinnaker", "extensibility", "plugins"),
    "filter": ("providers", "cloudfoundry", "accounts", 0, "spaceFilter"),
}
"""The field of the judge, and a field of the same kind in a deployment of the halconfig."""

SCALARS = ("text", "flag", "number", "big", "size", "wrapped", "count")
"""Those of which the judge shows the value as Halyard has it; the type of the store is shown by its own name."""
Judge = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def jackson() -> Iterator[Judge]:
    with started("jackson") as java:
        yield lambda text: dict(java.ask_text(text.encode()))


_MORE = {"nodeSelectorTerms": "", "matchFields": "", "serviceIntegrations": "name: google, "}
"""What the items of a list begin with, where it is not a name."""


def halconfig(path: tuple[str | int, ...], value: str) -> str:
    """A halconfig with a value, as it is written, in one field of its deployment."""
    for at in range(len(path) - 1, -1, -1):
        more = _MORE.get(str(path[at - 1]), "name: a, ")
        value = f"[{{{more}{value.removeprefix('{')}]" if path[at] == 0 else f"{{{path[at]}: {value}}}"
    value = value.replace("dockerRegistry: {accounts: [{", "dockerRegistry: {accounts: [{address: b, ")
    return f"deploymentConfigurations:\n- {value}\n"


@pytest.mark.parametrize("field", FIELDS)
def test_halgit_refuses_what_jackson_refuses(field: str, jackson: Judge) -> None:
    disagreed = {}
    for value in VALUES:
        answer = jackson(f"{field}: {value}")
        outcome = verdict(halconfig(FIELDS[field], value).encode()).outcome
        if ("refused" in answer) != (outcome == "rejected"):
            disagreed[value] = (answer, outcome)
    assert disagreed == {}


SETTINGS = {
    "string": "{{artifactId: {}}}",
    "boolean": "{{enabled: {}}}",
    "integer": "{{port: {}}}",
    "map": "{{env: {}}}",
    "object": "{{kubernetes: {}}}",
    "list": "{{kubernetes: {{imagePullSecrets: {}}}}}",
    "volumes": "{{kubernetes: {{volumes: {}}}}}",
    "volume type": "{{kubernetes: {{volumes: [{{id: a, mountPath: b, type: {}}}]}}}}",
    "strategy": "{{kubernetes: {{deploymentStrategy: {}}}}}",
    "strategy type": "{{kubernetes: {{deploymentStrategy: {{type: {}}}}}}}",
    "context": "{{kubernetes: {{securityContext: {}}}}}",
}


@pytest.mark.parametrize("field", SETTINGS)
def test_halgit_refuses_what_jackson_refuses_in_service_settings(field: str, jackson: Judge) -> None:
    path = "default/service-settings/gate.yml"
    different = {}
    for value in (
        *VALUES,
        "~",
        "secret",
        "configMap",
        "recreate",
        "RollingUpdate",
        "{type: recreate}",
        "{runAsUser: a}",
    ):
        text = SETTINGS[field].format(value)
        is_refused = "refused" in jackson(f"settings: {text}")
        found = check(hyaml.read(text.encode(), path).data, path, "service-settings")
        errors = [one for one in found if one.severity is Severity.ERROR and one.rule != "schema/null-item"]
        if bool(errors) != is_refused:
            different[value] = (is_refused, [one.message for one in errors])
    assert different == {}


@pytest.mark.parametrize("field", SCALARS)
def test_explain_shows_what_jackson_makes_of_a_scalar(field: str, jackson: Judge) -> None:
    layer = LayerId(".", SourceId("a"))
    differing: dict[str, Any] = {}
    for value in VALUES:
        answer = jackson(f"{field}: {value}")
        data = hyaml.read(halconfig(FIELDS[field], value).encode(), "config").data
        if "refused" in answer or answer["value"] == "null":
            continue
        path = ("deploymentConfigurations", 0, *FIELDS[field])
        here = data
        for step in path:
            here = here[step]
        shown = hyaml.to_java_string(read_value(File("config", "merged", (layer,), data), path, here).value)
        if shown != answer["value"]:
            differing[value] = (shown, answer["value"])
    assert differing == {}
