"""Every connection the components make is let through by the network policies of both ends, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from charts_pods import NAME, template
from charts_values import ALONE, CI, EXAMPLES, over

Object = dict[str, Any]
EDGES: list[Object] = json.loads((Path(__file__).parent / "edges.json").read_text())
SPINNAKER = {"app": "spin", "cluster": "spin-orca"}
SPINNAKER_PORTS = (7002, 8080, 8083, 8084, 8087, 8088, 8089, 9000)


class Cluster:
    """The pods, services and policies of a release, and who may reach whom, as Kubernetes reads policies."""

    def __init__(self, objects: list[Object], spinnaker_namespace: str = "isd-ns") -> None:
        self.policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
        self.services = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Service"}
        self.namespaces = {"spinnaker": spinnaker_namespace}
        self.pods = {"spinnaker": SPINNAKER}
        self.containers: dict[str, list[Object]] = {}
        for one in objects:
            if pods := template(one):
                name = pods["metadata"]["labels"][NAME]
                self.pods[name] = pods["metadata"]["labels"]
                self.containers[name] = pods["spec"]["containers"]

    def pod_port(self, component: str, port: int | None) -> int:
        """The port of the container behind a service's port; the first port where none is named."""
        if component == "spinnaker":
            return port or 7002
        rows = [row for name, service in self.services.items() if self._leads(service, component)
                for row in service["spec"]["ports"]]  # fmt: skip
        target = next(row["targetPort"] for row in rows if port in (None, row["port"]))
        ports = {
            row["name"]: row["containerPort"] for one in self.containers[component] for row in one.get("ports", [])
        }
        return int(ports[target])

    def _leads(self, service: Object, component: str) -> bool:
        return bool(service["spec"]["selector"].items() <= self.pods[component].items())

    def allows(self, caller: str, called: str, port: int) -> bool:
        """Whether the policies of both ends let this connection through."""
        out = self._passes(caller, called, port, "egress", "to")
        return out and self._passes(called, caller, port, "ingress", "from")

    def _passes(self, owner: str, peer: str, port: int, side: str, key: str) -> bool:
        if self._namespace(owner) != "isd-ns":
            return True
        own = [p for p in self.policies if _matches(p["spec"]["podSelector"], self.pods[owner])]
        rules = [rule for policy in own for rule in policy["spec"].get(side, [])]
        return not own or any(self._rule(rule.get(key), rule.get("ports"), peer, port) for rule in rules)

    def _rule(self, peers: list[Object] | None, ports: list[Object] | None, peer: str, port: int) -> bool:
        fits = ports is None or any(row["port"] == port and row["protocol"] == "TCP" for row in ports)
        return fits and (peers is None or any(self._peer(one, peer) for one in peers))

    def _peer(self, rule: Object, peer: str) -> bool:
        if "ipBlock" in rule:
            return False
        namespace = {"kubernetes.io/metadata.name": self._namespace(peer)}
        here = rule.get("namespaceSelector", {"matchLabels": {"kubernetes.io/metadata.name": "isd-ns"}})
        return _matches(here, namespace) and _matches(rule.get("podSelector", {}), self.pods[peer])

    def _namespace(self, component: str) -> str:
        return self.namespaces.get(component, "isd-ns")


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


@pytest.fixture(scope="module")
def trial(every: dict[str, list[Object]]) -> Cluster:
    return Cluster(every["trial"])


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge['from']}-{edge['to']}")
def test_every_connection_is_let_through(trial: Cluster, edge: Object) -> None:
    port = trial.pod_port(edge["to"], edge["port"])
    assert trial.allows(edge["from"], edge["to"], port), edge


def test_every_address_in_a_configuration_is_a_connection(trial: Cluster, every: dict[str, list[Object]]) -> None:
    """What a component is told to call is a service that is there, at a port it has, and is let through."""
    seen = set()
    for one in (one for one in every["trial"] if one["kind"] == "ConfigMap"):
        caller = one["metadata"]["labels"]["app.kubernetes.io/name"]
        for service, number in re.findall(r"\bisd-([a-z-]+):(\d+)", " ".join(one["data"].values())):
            if service != caller:
                port = trial.pod_port(service, int(number))
                assert trial.allows(caller, service, port), f"{caller} is told to call {service}:{number}"
                seen.add((caller, service))
    assert len(seen) > 35


CONFIGURED = {"platform": 8095, "sapor": 8085, "sapor-gate": 8084}


def test_the_configuring_job_reaches_what_it_configures(trial: Cluster) -> None:
    for name, port in CONFIGURED.items():
        assert trial.allows("configure", name, port)
    assert not trial.allows("bootstrap", "platform", 8095)


def test_there_is_a_connection_for_every_component() -> None:
    assert len(EDGES) > 50
    assert {"sapor", "platform", "oes-db", "oes-redis", "controller", "spinnaker"} <= {edge["to"] for edge in EDGES}


def test_what_is_no_connection_is_refused(trial: Cluster) -> None:
    real = {(edge["from"], edge["to"]) for edge in EDGES} | {("configure", to) for to in CONFIGURED}
    real |= {("halyard", "minio"), ("halyard", "oes-redis"), ("halyard", "spinnaker")}
    let_through = []
    for caller in trial.pods:
        for called in set(trial.containers) - {"bootstrap", "configure"}:
            if caller == called or (caller, called) in real:
                continue
            if called in ("oes-ui", "oes-gate"):
                continue  # these two are public
            if trial.allows(caller, called, trial.pod_port(called, None)):
                let_through.append((caller, called))
    assert not let_through


def test_a_stranger_reaches_the_public_ports_and_nothing_else(trial: Cluster) -> None:
    trial.pods["stranger"] = {"app": "stranger"}
    open_to_all = {called for called in trial.containers for port in _ports(trial, called)
                   if called not in ("bootstrap", "configure") and trial.allows("stranger", called, port)}  # fmt: skip
    assert open_to_all == {"oes-ui", "oes-gate", "controller"}
    assert trial.allows("stranger", "controller", 9001)
    assert not trial.allows("stranger", "controller", 9003)


def _ports(cluster: Cluster, component: str) -> list[int]:
    return [row["containerPort"] for one in cluster.containers[component] for row in one.get("ports", [])]


def test_spinnaker_may_stand_in_a_namespace_of_its_own(every: dict[str, list[Object]]) -> None:
    cluster = Cluster(every["isd-only"], spinnaker_namespace="spinnaker")
    for port in SPINNAKER_PORTS:
        assert cluster.allows("oes-gate", "spinnaker", port)
    assert cluster.allows("spinnaker", "sapor", 8085)
    cluster.namespaces["spinnaker"] = "elsewhere"
    assert not cluster.allows("oes-gate", "spinnaker", 7002)


def test_servers_outside_the_cluster_are_reached_at_their_ports(every: dict[str, list[Object]]) -> None:
    policies = {o["metadata"]["name"]: o["spec"] for o in every["external-servers"] if o["kind"] == "NetworkPolicy"}

    def outside(name: str) -> set[int]:
        rules = [rule for rule in policies[name]["egress"] if "ipBlock" in rule.get("to", [{}])[0]]
        return {row["port"] for rule in rules for row in rule["ports"]}

    assert outside("isd-platform") >= {6432, 6380, 636}
    assert outside("isd-datascience") >= {6432, 5672, 443}
    assert outside("isd-sapor") >= {6432, 8181}
    assert outside("isd-oes-ui") == set()


def test_ports_that_addresses_name_are_let_out(render: Callable[..., list[Object]]) -> None:
    def outside(chart: str, values: Object) -> set[int]:
        policy = next(one for one in render(chart, over(ALONE[chart], values)) if one["kind"] == "NetworkPolicy")
        rules = [rule for rule in policy["spec"]["egress"] if "ipBlock" in rule.get("to", [{}])[0]]
        return {row["port"] for rule in rules for row in rule["ports"]}

    assert outside("accounts", {"store": {"url": "https://git.example.org:8443/org/accounts.git"}}) == {
        443,
        22,
        8200,
        8443,
    }
    s3 = {"url": "s3://bucket/accounts", "endpoint": "https://minio.example.org:9000"}
    assert outside("accounts", {"store": s3}) == {443, 22, 8200, 9000}
    sources = ["ssh://git@git.example.org:2222/org/config.git?ref=v1:2", "git@git.example.org:org/more.git"]
    halyard = {
        "source": {"repositories": sources},
        "credentials": {"sshSecret": "ssh", "vault": {"address": "http://vault:8300", "role": "halyard"}},
    }
    assert outside("halyard", halyard) == {443, 6443, 22, 8200, 2222, 8300}
    promotion = {"kind": "github", "cloneUrl": "https://git.example.org:7990/org/pipelines"}
    git = {"global": {"credentials": {"git": {"existingSecret": "git-login"}}}}
    assert outside("sapor", {"pipelinePromotion": promotion, **git}) == {443, 22, 7990}


def test_policies_can_be_turned_off(render: Callable[..., list[Object]]) -> None:
    values = {**CI["hosts"], "global": {**CI["hosts"]["global"], "networkPolicy": {"enabled": False}}}
    assert not [one for one in render("isd", values) if one["kind"] == "NetworkPolicy"]


def test_a_component_elsewhere_is_called_and_let_through(render: Callable[..., list[Object]]) -> None:
    objects = render("dashboard", {"global": {"addresses": {"platform": "platform.shared"}}})
    data = next(one for one in objects if one["kind"] == "ConfigMap")["data"]["dashboard-local.yml"]
    assert "platformservice.url: http://platform.shared:8095" in data
    policy = next(one for one in objects if one["kind"] == "NetworkPolicy")
    peers = [peer for rule in policy["spec"]["egress"] for peer in rule.get("to", [])]
    labels = {"app.kubernetes.io/name": "platform"}
    assert {"namespaceSelector": {}, "podSelector": {"matchLabels": labels}} in peers


def policies(objects: list[Object]) -> dict[str, Object]:
    return {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "NetworkPolicy"}


def test_dns_is_reached_on_the_ports_of_kubernetes_and_openshift(every: dict[str, list[Object]]) -> None:
    wanted = {(port, protocol) for port in (53, 5353) for protocol in ("UDP", "TCP")}
    for name, spec in policies(every["trial"]).items():
        if name not in ("isd-isd-default-deny", "isd-isd-stages"):
            rules = [rule["ports"] for rule in spec["egress"] if "to" not in rule]
            assert wanted in [{(row["port"], row["protocol"]) for row in ports} for ports in rules], name


def test_the_api_server_is_named_by_networks_of_both_families_or_by_cilium(render: Callable[..., list[Object]]) -> None:
    def rules(values: Object) -> list[Object]:
        found = policies(render("isd", over(CI["hosts"], values)))["isd-halyard"]["egress"]
        return [rule for rule in found if {"port": 6443, "protocol": "TCP"} in rule.get("ports", [])]

    (both,) = rules({})
    assert [row["ipBlock"]["cidr"] for row in both["to"]] == ["0.0.0.0/0", "::/0"]
    narrow = {"apiServer": {"cidrs": ["10.0.0.0/24"], "ports": [6443]}}
    (one,) = rules({"global": {"networkPolicy": narrow}})
    assert [row["ipBlock"]["cidr"] for row in one["to"]] == ["10.0.0.0/24"]
    cilium = over(CI["hosts"], {"global": {"networkPolicy": {"apiServer": {"cilium": True}}}})
    assert not rules({"global": {"networkPolicy": {"apiServer": {"cilium": True}}}})
    found = {
        one["metadata"]["name"]: one["spec"] for one in render("isd", cilium) if one["kind"] == "CiliumNetworkPolicy"
    }
    assert found.keys() == {"isd-halyard-api-server", "isd-bootstrap-api-server"}
    assert found["isd-halyard-api-server"]["egress"] == [{"toEntities": ["kube-apiserver"]}]


def test_stage_jobs_reach_sapor_gate_from_their_namespace(render: Callable[..., list[Object]]) -> None:
    values = over(CI["pipelines"], {"global": {"saporGate": {"enabled": True}}})
    spec = policies(render("isd", values))["isd-isd-stages"]
    assert spec["podSelector"]["matchLabels"][NAME] == "sapor-gate"
    (rule,) = spec["ingress"]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}]
    assert rule["ports"] == [{"port": 8084, "protocol": "TCP"}]


def test_metrics_are_read_from_the_monitoring_namespace_only(every: dict[str, list[Object]]) -> None:
    for name, spec in policies(every["high-availability"]).items():
        for rule in spec.get("ingress", []):
            for peer in rule.get("from", []):
                if "namespaceSelector" in peer:
                    labels = peer["namespaceSelector"]["matchLabels"]
                    assert labels == {"kubernetes.io/metadata.name": "monitoring"}, name


def test_the_api_of_accounts_admits_the_pods_of_isd_or_those_of_the_values(render: Callable[..., list[Object]]) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"team": "platform"}}}]
    default = policies(render("accounts", ALONE["accounts"]))["isd-accounts"]["ingress"]
    own = {"podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "isd"}}}
    assert {"from": [own], "ports": [{"port": 8088, "protocol": "TCP"}]} in default
    changed = policies(render("accounts", over(ALONE["accounts"], {"callers": peers})))["isd-accounts"]["ingress"]
    assert {"from": peers, "ports": [{"port": 8088, "protocol": "TCP"}]} in changed


def test_services_through_the_controller_reach_their_targets_and_are_reached(
    render: Callable[..., list[Object]],
) -> None:
    services = {
        "outgoingServices": [{"name": "jenkins", "type": "jenkins", "config": {"url": "http://jenkins.ci:8080/"}}],
        "incomingServices": [{"name": "front50", "port": 9080, "useHTTP": True}],
    }
    objects = render("controller", over(ALONE["controller"], services))
    spec = policies(objects)["isd-controller"]
    assert {"ports": [{"port": 8080, "protocol": "TCP"}]} in spec["egress"]
    ports = [row["port"] for rule in spec["ingress"] for row in rule.get("ports", [])]
    assert 9080 in ports
    service = next(one for one in objects if one["kind"] == "Service" and one["metadata"]["name"] == "isd-controller")
    assert 9080 in {row["port"] for row in service["spec"]["ports"]}
    data = next(one["data"] for one in objects if one["kind"] == "ConfigMap")
    config = yaml.safe_load(data["config.yaml"])
    assert config["services"] == services
    assert config["serverNames"] == ["isd-controller.isd-ns.svc", "isd-controller.isd-ns.svc.cluster.local"]


def test_the_cluster_is_reached_without_a_proxy(every: dict[str, list[Object]]) -> None:
    objects = every["restricted"]
    spec = next(template(one)["spec"] for one in objects if one["metadata"]["name"] == "isd-sapor" and template(one))
    env = {row["name"]: row.get("value", "") for row in spec["containers"][0]["env"]}
    hosts = env["NO_PROXY"].split(",")
    wanted = {"kubernetes.default", "$(KUBERNETES_SERVICE_HOST)", ".svc", ".isd-ns", "isd-platform", "spin-orca"}
    assert wanted <= set(hosts)
    assert "*.svc|" in env["JAVA_TOOL_OPTIONS"]


def test_tests_try_every_port_also_that_of_agents(render: Callable[..., list[Object]]) -> None:
    values = over(ALONE["controller"], {"global": {"tests": {"enabled": True}}})
    pod = next(one for one in render("controller", values) if one["kind"] == "Pod")
    assert "isd-controller-agent:9001" in pod["spec"]["containers"][0]["args"]
    assert not [one for one in render("controller", ALONE["controller"]) if one["kind"] == "Pod"]


@pytest.mark.parametrize("chart", ["trial", "example production"])
def test_metrics_have_ports_of_their_own_that_only_prometheus_reaches(
    render: Callable[..., list[Object]], chart: str
) -> None:
    values = over({**CI, **EXAMPLES}[chart], {"global": {"serviceMonitor": {"enabled": True}}})
    objects = render("isd", values)
    policies = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "NetworkPolicy"}
    monitors = [one for one in objects if one["kind"] == "ServiceMonitor"]
    assert len(monitors) >= 8
    for monitor in monitors:
        (endpoint,) = monitor["spec"]["endpoints"]
        name = monitor["metadata"]["name"]
        (number,) = {
            row["port"] for one in objects if one["kind"] == "Service" and one["metadata"]["name"] == name
            for row in one["spec"]["ports"] if row["name"] == endpoint["port"]
        }  # fmt: skip
        opened = [
            rule for rule in policies[name]["ingress"] if number in [row["port"] for row in rule.get("ports", [])]
        ]
        assert [rule["from"] for rule in opened] == [
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
        ], name
        assert [row["port"] for row in opened[0]["ports"]] == [number], name


def test_health_and_metrics_can_stay_on_the_api_port(render: Callable[..., list[Object]]) -> None:
    objects = render("sapor", {"global": {"managementPort": 0, "serviceMonitor": {"enabled": True}}})
    container = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert [row["name"] for row in container["ports"]] == ["http"]
    assert container["readinessProbe"]["httpGet"]["port"] == "http"
    assert "MANAGEMENT_SERVER_PORT" not in [row["name"] for row in container["env"]]
    assert next(one for one in objects if one["kind"] == "ServiceMonitor")["spec"]["endpoints"][0]["port"] == "http"


def test_webhooks_have_a_port_of_their_own(render: Callable[..., list[Object]]) -> None:
    objects = render("halyard", over(ALONE["halyard"], {"sync": {"watch": True, "webhookSecret": "webhooks"}}))
    spec = next(one for one in objects if one["kind"] == "StatefulSet")["spec"]["template"]["spec"]
    sync = next(one for one in spec["containers"] if one["name"] == "sync")
    assert {row["name"]: row["containerPort"] for row in sync["ports"]} == {"sync": 9105, "webhook": 9107}
    env = {row["name"]: row.get("value") for row in sync["env"]}
    assert (env["HALGIT_LISTEN"], env["HALGIT_WEBHOOK_LISTEN"]) == ("0.0.0.0:9105", "0.0.0.0:9107")
    ports = {row["name"]: row["port"] for one in objects if one["kind"] == "Service" for row in one["spec"]["ports"]}
    assert ports["webhook"] == 9107
