"""What the charts render is what Kubernetes takes, and fits together."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from charts_pods import NAME, containers, distinct, pods, template
from charts_values import ALONE, CI, EVERYTHING, EXAMPLES, over
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

ROOT = Path(__file__).resolve().parent.parent.parent
CRDS = Path(__file__).parent / "crds"
CHARTS = sorted(file.parent.name for file in (ROOT / "chart").glob("*/Chart.yaml"))
NEWEST = "1.37"

Object = dict[str, Any]
Every = dict[str, list[Object]]


def oldest() -> str:
    """The oldest Kubernetes the charts say they support."""
    versions = {yaml.safe_load((ROOT / "chart" / chart / "Chart.yaml").read_text())["kubeVersion"] for chart in CHARTS}
    assert len(versions) == 1, "the charts do not agree on kubeVersion"
    return ".".join(re.findall(r"\d+", versions.pop())[:2])


@functools.cache
def validator(kind: str, api_version: str, version: str) -> jsonschema.Draft202012Validator:
    """kubernetes-validate's strict schema of a kind, compiled once; our own for kinds it does not know."""
    group, _, short = api_version.rpartition("/")
    own = CRDS / f"{group}.{kind}.json"
    if own.exists():
        return jsonschema.Draft202012Validator(json.loads(own.read_text()))
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    prefix = f"{kind.lower()}-{group.split('.')[0]}-{short}" if group else f"{kind.lower()}-{short}"
    schema = schema_contents(f"{folder}/{prefix}.json", version)
    definitions = schema_contents(f"{folder}/_definitions.json", version)
    registry: Any = Resource.from_contents(schema) @ Registry()
    return jsonschema.Draft202012Validator(schema, registry=Resource.from_contents(definitions) @ registry)


@pytest.mark.parametrize("version", [oldest(), NEWEST])
def test_every_object_is_valid_for_kubernetes(every: Every, version: str) -> None:
    faults = []
    for where, one in distinct(every):
        for error in validator(one["kind"], one["apiVersion"], version).iter_errors(one):
            faults.append(f"{where}: {error.json_path}: {error.message[:200]}")
    assert not faults, "\n".join(faults)


def test_kubernetes_validate_itself_says_the_same_of_one_object_of_each_kind(every: Every) -> None:
    known = {one["kind"]: one for _, one in distinct(every) if not (CRDS / _crd_name(one)).exists()}
    assert len(known) > 10
    for one in known.values():
        for version in (oldest(), NEWEST):
            kubernetes_validate.validate(one, version, strict=True)
    broken = {**known["Service"], "spec": {**known["Service"]["spec"], "prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, NEWEST, strict=True)
    assert list(validator("Service", "v1", NEWEST).iter_errors(broken))


def _crd_name(one: Object) -> str:
    return f"{one['apiVersion'].rpartition('/')[0]}.{one['kind']}.json"


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_lints_without_a_warning(chart: str, vendored: Callable[[str], Path]) -> None:
    from helm_python import lint

    given = (
        [{"global": {"hosts": {"ui": "isd.example.org"}}}, *CI.values()] if chart == "isd" else [ALONE.get(chart, {})]
    )
    for values in given:
        report = lint(str(vendored(chart)), values, strict=True)
        assert not report["messages"]


def test_twice_the_same_bytes(texts: Callable[..., dict[str, str]]) -> None:
    assert texts("isd", CI["trial"]) == texts("isd", CI["trial"], fresh=True)


def test_no_two_objects_of_a_release_have_one_name(every: Every) -> None:
    for where, objects in every.items():
        names = [
            (one["kind"], one["apiVersion"], one["metadata"]["namespace"], one["metadata"]["name"]) for one in objects
        ]
        doubled = {name for name in names if names.count(name) > 1}
        assert not doubled, f"{where}: {doubled}"


@pytest.mark.parametrize("name", [*CI, "everything"])
def test_two_releases_of_a_namespace_do_not_meet(vendored: Callable[[str], Path], name: str) -> None:
    """But for what pipeline stages mount by a name the values give, and the predecessor's names if asked for."""
    from helm_python import Chart

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values = over(CI.get(name, EVERYTHING), {"global": {"predecessorNames": False}})
    found = []
    for release in ("one", "two"):
        with Chart.load(vendored("isd")) as chart:
            made = chart.render(values, name=release, namespace="isd-ns").items()
        objects = [one for file, text in made if "NOTES" not in file for one in yaml.load_all(text, loader) if one]
        found.append({(one["kind"], one["metadata"]["name"]) for one in objects})
    assert len(found[0]) > 50
    assert {one for _, one in found[0] & found[1]} == _given_names(values)


def _given_names(values: Object) -> set[str]:
    if not values.get("pipelinePromotion"):
        return set()
    return {"pipe-promot-config", "pipe-promot-scripts", "git-token", "spin-cli-config"}


def test_every_object_has_the_labels_of_kubernetes(every: Every) -> None:
    for where, one in distinct(every):
        labels = one["metadata"]["labels"]
        for label in ("name", "instance", "component", "part-of", "managed-by"):
            assert f"app.kubernetes.io/{label}" in labels, where


def test_nothing_reaches_beyond_the_namespaces(every: Every) -> None:
    """No object is of the whole cluster, no role lets anybody raise his rights, none has a wildcard."""
    for where, one in distinct(every):
        assert one["metadata"]["namespace"], where
        for rule in one.get("rules", []) if one["kind"] == "Role" else []:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], where
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), where


def test_two_pods_have_a_disruption_budget(every: Every) -> None:
    objects = every["high-availability"]
    several = {o["metadata"]["name"] for o in objects if o["kind"] == "Deployment" and o["spec"].get("replicas", 2) > 1}
    budgets = {one["metadata"]["name"] for one in objects if one["kind"] == "PodDisruptionBudget"}
    assert several == budgets
    assert "isd-sapor" in several


def test_services_lead_to_pods_and_their_ports(every: Every) -> None:
    for where, objects in every.items():
        for service in (one for one in objects if one["kind"] == "Service"):
            pods_of = [o for o in objects if o["kind"] in ("Deployment", "StatefulSet") and _selects(service, o)]
            assert len(pods_of) == 1, f"{where}: {service['metadata']['name']}"
            spec = pods_of[0]["spec"]["template"]["spec"]
            ports = {port["name"] for container in containers(spec) for port in container.get("ports", [])}
            wanted = {port["targetPort"] for port in service["spec"]["ports"]}
            assert wanted <= ports, f"{where}: {service['metadata']['name']}"


def _selects(service: Object, workload: Object) -> bool:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    return service["spec"]["selector"].items() <= labels.items()


def test_a_change_of_configuration_rolls_the_pods(render: Callable[..., list[Object]]) -> None:
    def checksum(values: Object) -> str:
        found = [one for one in render("sapor", values) if one["kind"] == "Deployment"]
        text: str = found[0]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return text

    assert checksum({}) != checksum({"syncPermissions": False})
    assert checksum({}) == checksum({"replicas": 2})


def test_secrets_pods_need_are_made_or_named(every: Every) -> None:
    """A Secret of the release's own name is made by the bootstrap job or from values: nobody else would make it."""
    for where, objects in every.items():
        if where.endswith("alone"):
            continue
        made = {one["metadata"]["name"] for one in objects if one["kind"] == "Secret"}
        made |= {o["spec"]["secretName"] for o in objects if o["kind"] == "Certificate"}
        for one in (
            o for o in objects if o["kind"] == "Job" and template(o)["metadata"]["labels"][NAME] == "bootstrap"
        ):
            text = " ".join(template(one)["spec"]["containers"][0]["args"])
            made |= set(re.findall(r"=(isd-[a-z-]+)", text))
        for name, spec in pods({where: objects}):
            used = {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
            for container in containers(spec):
                refs = [variable.get("valueFrom", {}).get("secretKeyRef") for variable in container.get("env", [])]
                used |= {ref["name"] for ref in refs if ref}
            assert {secret for secret in used if secret.startswith("isd-") and not secret.endswith("-login")} <= made, (
                name
            )


@pytest.mark.parametrize("name", sorted({**CI, **EXAMPLES}))
def test_no_mapping_has_a_key_twice(texts: Callable[..., dict[str, str]], name: str) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def twice(node: yaml.Node) -> Iterator[str]:
        for part in node.value if isinstance(node, yaml.SequenceNode) else []:
            yield from twice(part)
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            yield from {key for key in keys if keys.count(key) > 1}
            for _, value in node.value:
                yield from twice(value)

    for file, text in texts("isd", {**CI, **EXAMPLES}[name]).items():
        documents = [] if file.endswith("NOTES.txt") else yaml.compose_all(text, loader)
        assert not [key for node in documents if node for key in twice(node)], file


def test_texts_that_look_like_numbers_stay_texts(render: Callable[..., list[Object]]) -> None:
    values = {"login": {"adminUser": "0123", "adminGroups": "yes"}}
    data = next(one for one in render("platform", {"global": values}) if one["kind"] == "ConfigMap")["data"]
    settings = yaml.safe_load(data["platform-local.yml"])
    assert settings["app"]["dashboard"]["adminuser"] == "0123"
    assert settings["userGroup"]["superAdminGroups"] == "yes"
    source = {"repositories": ["https://git.example.org/c.git"], "ref": "1.20"}
    stateful = next(
        one
        for one in render("halyard", {"source": source, "global": {"spinnaker": {"dialect": "opsmx"}}})
        if one["kind"] == "StatefulSet"
    )
    env = {row["name"]: row["value"] for row in stateful["spec"]["template"]["spec"]["initContainers"][0]["env"]}
    assert env["HALGIT_REF"] == "1.20"
    assert env["HALGIT_PARAM_BRANCH"] == "1.20"


def test_tokens_the_halyard_chart_gives_are_known_to_the_dialect(every: Every) -> None:
    known = json.loads((ROOT / "halgit" / "halyard" / "tables" / "opsmx_tokens.json").read_text())
    wanted = {f"HALGIT_PARAM_{name}" for name in known}
    for where, spec in pods(every):
        for container in containers(spec):
            env = {row["name"]: row.get("value") for row in container.get("env", [])}
            if env.get("HALGIT_DIALECT") == "opsmx":
                given = {name.removesuffix("_FILE") for name in env if name.startswith("HALGIT_PARAM_")}
                assert given <= wanted | {"HALGIT_PARAM_GIT_SSH_KEY"}, where


def test_halyard_may_read_only_the_secrets_references_name(every: Every) -> None:
    roles = {one["metadata"]["name"]: one["rules"] for one in every["several-sources"] if one["kind"] == "Role"}
    assert roles["isd-halyard"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["gate-oauth", "front50-s3"]}
    ]
    assert "isd-halyard" not in {one["metadata"]["name"] for one in every["hosts"] if one["kind"] == "Role"}


def test_a_monitor_finds_one_service_with_its_port(render: Callable[..., list[Object]]) -> None:
    values = over(CI["trial"], {"global": {"serviceMonitor": {"enabled": True}}})
    objects = render("isd", values)
    monitors = [one for one in objects if one["kind"] == "ServiceMonitor"]
    assert len(monitors) == 8
    for monitor in monitors:
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        (endpoint,) = monitor["spec"]["endpoints"]
        services = [one for one in objects if one["kind"] == "Service" and wanted <= one["metadata"]["labels"].items()]
        ports = [row["name"] for one in services for row in one["spec"]["ports"] if row["name"] == endpoint["port"]]
        assert len(ports) == 1, monitor["metadata"]["name"]


def test_a_component_of_another_name_is_reached_by_it(render: Callable[..., list[Object]]) -> None:
    other = {"oes-ui": "console", "controller": "tunnel", "sapor": "accounts-service"}
    values = over(CI["gateway"], {
        **{chart: {"fullnameOverride": name} for chart, name in other.items()},
        "global": {"addresses": other, "controller": {"enabled": True}, "hosts": {"controller": "agents.example.org"}},
    })  # fmt: skip
    objects = render("isd", values)
    services = {one["metadata"]["name"] for one in objects if one["kind"] == "Service"}
    routes = [one for one in objects if one["kind"] in ("HTTPRoute", "TLSRoute")]
    led = {ref["name"] for one in routes for rule in one["spec"]["rules"] for ref in rule.get("backendRefs", [])}
    assert {"console", "tunnel-agent"} <= led
    assert {name for name in led if not name.startswith("spin-")} <= services
    assert {"console", "tunnel", "accounts-service"} <= services
    assert "isd-sapor:" not in "".join(str(one) for one in objects)


DEFAULTS: dict[str, set[str]] = {
    "fieldPath": {"apiVersion"},
    "volumeMode": {"accessModes"},
    "targetPort": {"protocol"},
    "containerPort": {"protocol"},
    "weight": {"group", "kind"},
    "sectionName": {"group", "kind"},
    "pathType": {"path"},
}
"""Mappings that have this key, and the keys with a default of the API server that they write out beside it."""


def test_defaults_of_lists_that_are_owned_as_a_whole_are_written_out(every: dict[str, list[Object]]) -> None:
    """Server-side apply meets no conflict with what the API server filled in for a client-side one."""
    seen = set()

    def mappings(value: Any) -> Iterator[Object]:
        if isinstance(value, dict):
            yield value
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from mappings(one)

    for where, one in ((where, one) for where, objects in every.items() for one in objects):
        if one["kind"] == "PersistentVolumeClaim":
            assert one["spec"]["volumeMode"] == "Filesystem", where
        sides = [one["spec"].get(side, []) for side in ("ingress", "egress")] if one["kind"] == "NetworkPolicy" else []
        assert all("protocol" in port for rules in sides for rule in rules for port in rule.get("ports", [])), where
        for mapping in mappings(one):
            for key in DEFAULTS.keys() & mapping.keys():
                seen.add(key)
                assert DEFAULTS[key] <= mapping.keys(), f"{where}: {one['kind']} {one['metadata']['name']}: {mapping}"
            if "serviceAccountToken" in mapping:
                assert "expirationSeconds" in mapping["serviceAccountToken"], where
    assert seen == DEFAULTS.keys()
