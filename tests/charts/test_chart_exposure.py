"""The public points, by each way to expose them: which host leads to which service and port, and where TLS ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from charts_values import CI, over

Object = dict[str, Any]
Points = dict[str, tuple[str, int, str]]
UI = ("isd-oes-ui", 8080, "terminate")
GATE = ("isd-oes-gate", 8084, "terminate")
DECK = ("spin-deck", 9000, "terminate")
AGENT = ("isd-controller-agent", 9001, "passthrough")
THREE: Points = {"isd.example.org": UI, "isd-gate.example.org": GATE, "spinnaker.example.org": DECK}


def of(objects: list[Object], kind: str, group: str = "") -> list[Object]:
    return [one for one in objects if one["kind"] == kind and one["apiVersion"].startswith(group)]


def ingress_points(objects: list[Object]) -> Points:
    found = {}
    for one in of(objects, "Ingress"):
        (rule,) = one["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        backend = path["backend"]["service"]
        tls = "terminate" if one["spec"].get("tls", [{}])[0].get("hosts") == [rule["host"]] else "passthrough"
        found[rule["host"]] = (backend["name"], backend["port"]["number"], tls)
    return found


def gateway_points(objects: list[Object]) -> Points:
    modes = {"HTTPRoute": "terminate", "TLSRoute": "passthrough"}
    found = {}
    for kind, mode in modes.items():
        for one in (one for one in of(objects, kind) if "backendRefs" in one["spec"]["rules"][0]):
            (backend,) = one["spec"]["rules"][0]["backendRefs"]
            found[one["spec"]["hostnames"][0]] = (backend["name"], backend["port"], mode)
    return found


def istio_points(objects: list[Object]) -> Points:
    found = {}
    for one in of(objects, "VirtualService"):
        mode = "passthrough" if "tls" in one["spec"] else "terminate"
        (row,) = one["spec"].get("tls") or one["spec"]["http"]
        target = row["route"][0]["destination"]
        found[one["spec"]["hosts"][0]] = (target["host"], target["port"]["number"], mode)
    return found


def test_three_points_by_ingress(every: dict[str, list[Object]]) -> None:
    assert ingress_points(every["hosts"]) == THREE


def test_separate_gates_make_four(every: dict[str, list[Object]]) -> None:
    points = ingress_points(every["separate-gates"])
    assert points == {**THREE, "spinnaker-gate.example.org": ("spin-gate", 8084, "terminate")}
    for one in of(every["separate-gates"], "Ingress"):
        assert one["spec"]["ingressClassName"] == "traefik"
        assert one["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
        assert one["spec"]["tls"][0]["secretName"] == f"{one['metadata']['name']}-tls"


def test_five_points_by_ingress_where_it_can_pass_tls_through(render: Callable[..., list[Object]]) -> None:
    values = over(CI["separate-gates"], {
        "global": {"controller": {"enabled": True}, "hosts": {"controller": "agents.example.org"}},
        "controller": {"agent": {"advertisePort": 443}},
        "exposure": {"ingress": {"passthroughAnnotations": {"haproxy.org/ssl-passthrough": "true"}}},
    })  # fmt: skip
    objects = render("isd", values)
    assert len(ingress_points(objects)) == 5
    assert ingress_points(objects)["agents.example.org"] == AGENT
    agent = next(one for one in of(objects, "Ingress") if one["metadata"]["name"] == "isd-controller")
    assert agent["metadata"]["annotations"] == {"haproxy.org/ssl-passthrough": "true"}


@pytest.mark.parametrize(("name", "points"), [("gateway", gateway_points), ("istio", istio_points)])
def test_the_controller_is_passed_through(
    every: dict[str, list[Object]], name: str, points: Callable[[list[Object]], Points]
) -> None:
    assert points(every[name]) == {**THREE, "agents.example.org": AGENT}
    assert not of(every[name], "Ingress")


def test_the_gateway_has_a_listener_for_each_point(every: dict[str, list[Object]]) -> None:
    (gateway,) = of(every["gateway"], "Gateway", "gateway.networking.k8s.io/")
    listeners = {row["name"]: row for row in gateway["spec"]["listeners"]}
    routes = [*of(every["gateway"], "HTTPRoute"), *of(every["gateway"], "TLSRoute")]
    parents = [route["spec"]["parentRefs"][0] for route in routes]
    assert {parent["sectionName"] for parent in parents} == listeners.keys()
    assert {parent["name"] for parent in parents} == {gateway["metadata"]["name"]}
    assert listeners["controller"]["tls"] == {"mode": "Passthrough"}
    assert listeners["ui"]["tls"]["certificateRefs"] == [{"group": "", "kind": "Secret", "name": "isd-ui-tls"}]


def test_http_is_redirected_to_https(every: dict[str, list[Object]], render: Callable[..., list[Object]]) -> None:
    (route,) = (one for one in of(every["gateway"], "HTTPRoute") if one["metadata"]["name"] == "isd-redirect")
    (rule,) = route["spec"]["rules"]
    assert rule["filters"] == [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]
    assert route["spec"]["parentRefs"][0]["sectionName"] == "http"
    assert set(route["spec"]["hostnames"]) == THREE.keys()
    (gateway,) = of(every["istio"], "Gateway", "networking.istio.io/")
    assert [row["tls"] for row in gateway["spec"]["servers"] if row["port"]["number"] == 80] == [
        {"httpsRedirect": True}
    ] * 3
    names = {"sectionName": "https", "passthroughSectionName": "tls", "httpSectionName": "web"}
    existing = render("isd", over(CI["gateway-existing"], {"exposure": {"gateway": names}}))
    sections = {
        one["metadata"]["name"]: one["spec"]["parentRefs"][0]["sectionName"] for one in of(existing, "HTTPRoute")
    }
    assert sections == {"isd-ui": "https", "isd-oes-gate": "https", "isd-deck": "https", "isd-redirect": "web"}


def test_certificates_are_in_the_namespace_of_istios_gateway(every: dict[str, list[Object]]) -> None:
    assert {one["metadata"]["namespace"] for one in of(every["istio"], "Certificate")} == {"istio-system"}


def test_routes_stand_beside_the_services_they_lead_to(every: dict[str, list[Object]]) -> None:
    places = {
        one["metadata"]["name"]: one["metadata"]["namespace"] for one in of(every["gateway-existing"], "HTTPRoute")
    }
    assert places == {"isd-ui": "isd-ns", "isd-oes-gate": "isd-ns", "isd-deck": "spinnaker"}


@pytest.mark.parametrize("name", sorted(CI))
def test_points_lead_to_services_that_are_there(every: dict[str, list[Object]], name: str) -> None:
    objects = every[name]
    services = {
        one["metadata"]["name"]: {row["port"] for row in one["spec"]["ports"]} for one in of(objects, "Service")
    }
    for service, port, _ in {**ingress_points(objects), **gateway_points(objects), **istio_points(objects)}.values():
        assert service.startswith("spin-") or port in services[service], (service, port)


def test_without_https_nothing_asks_for_a_certificate(render: Callable[..., list[Object]]) -> None:
    for kind in ("ingress", "istio"):
        values = over(CI["hosts"], {"global": {"tls": {"enabled": False}}, "exposure": {"kind": kind}})
        objects = render("isd", values)
        assert not [one for one in of(objects, "Ingress") if "tls" in one["spec"]]
        assert not [row for one in of(objects, "Gateway") for row in one["spec"]["servers"] if "tls" in row]


def test_nothing_is_exposed_where_you_bring_your_own(render: Callable[..., list[Object]]) -> None:
    objects = render("isd", over(CI["isd-only"], {"exposure": {"kind": "none"}}))
    assert not [one for one in objects if one["kind"] in ("Ingress", "HTTPRoute", "VirtualService", "Gateway")]
    assert len(objects) > 40


def test_predecessor_names_lead_to_the_same_pods(every: dict[str, list[Object]]) -> None:
    services = {one["metadata"]["name"]: one["spec"] for one in of(every["trial"], "Service")}
    old = {f"oes-{name}": f"isd-{name}" for name in (
        "sapor", "platform", "autopilot", "dashboard", "visibility", "audit-service", "audit-client", "datascience",
    )}  # fmt: skip
    old |= {name: f"isd-{name}" for name in ("oes-gate", "oes-ui", "oes-db", "sapor-gate", "opa")}
    old |= {"isd-redis-master": "isd-oes-redis", "rabbitmq-service": "isd-rabbitmq"}
    old |= {"agent-grpc": "isd-controller-agent", "opsmx-controller-controller1": "isd-controller"}
    for before, now in old.items():
        assert services[before]["selector"] == services[now]["selector"]
        assert services[before]["ports"] == services[now]["ports"]
        assert services[before]["type"] == "ClusterIP", "one load balancer for one port"
    assert not old.keys() & {one["metadata"]["name"] for one in of(every["hosts"], "Service")}
