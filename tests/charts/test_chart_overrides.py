"""What a user of a chart may change of a component: one template serves all of them, so each chart takes each value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from charts_pods import template
from charts_values import ALONE, over

Object = dict[str, Any]
SINGLE = {"halyard", "minio", "oes-db", "oes-redis", "opa", "openldap", "rabbitmq"}
PERSISTENT = {"minio": True, "oes-db": True, "oes-redis": True, "rabbitmq": False}
PROBE = {"exec": {"command": ["true"]}}
CHANGES: Object = {
    "command": ["/own"], "args": ["--own"], "extraEnv": [{"name": "OWN", "value": "1"}],
    "envFrom": [{"secretRef": {"name": "own"}}], "writablePaths": ["/own/path"],
    "extraVolumes": [{"name": "own", "emptyDir": {}}], "extraVolumeMounts": [{"name": "own", "mountPath": "/own"}],
    "initContainers": [{"name": "before", "image": "own"}], "extraContainers": [{"name": "beside", "image": "own"}],
    "podSecurityContext": {"fsGroup": 2000, "runAsUser": None}, "securityContext": {"readOnlyRootFilesystem": False},
    "resources": {"limits": {"cpu": "2"}}, "lifecycle": {"preStop": PROBE},
    "annotations": {"own": "a"}, "labels": {"own": "l"}, "podAnnotations": {"own": "p"}, "podLabels": {"own-pod": "l"},
    "nodeSelector": {"own": "n"}, "tolerations": [{"key": "own", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}}, "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "own"}],
    "priorityClassName": "own", "runtimeClassName": "own",
    "dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"]},
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["own"]}], "terminationGracePeriodSeconds": 7,
    "probes": {"startup": PROBE, "readiness": PROBE, "liveness": PROBE}, "image": {"pullPolicy": "Always"},
    "service": {"type": "LoadBalancer", "loadBalancerClass": "own", "loadBalancerSourceRanges": ["10.0.0.0/8"],
                "annotations": {"own": "s"}},
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-own"}}],
}  # fmt: skip


def workload(objects: list[Object]) -> Object:
    return next(one for one in objects if one["kind"] in ("Deployment", "StatefulSet"))


def main_container(chart: str, spec: Object) -> Object:
    return next(one for one in spec["containers"] if one["name"] == chart)


@pytest.mark.parametrize("chart", sorted(ALONE))
def test_every_chart_takes_what_people_change_of_pods(render: Callable[..., list[Object]], chart: str) -> None:
    changes = {key: value for key, value in CHANGES.items() if (chart, key) != ("accounts", "image")}
    objects = render(chart, over(ALONE[chart], changes))
    one = workload(objects)
    pod = template(one)
    spec = pod["spec"]
    main = main_container(chart, spec)
    assert (main["command"], main["args"]) == (["/own"], ["--own"])
    assert {"name": "OWN", "value": "1"} in main["env"]
    assert main["envFrom"] == CHANGES["envFrom"]
    assert {"name": "own", "mountPath": "/own"} in main["volumeMounts"]
    assert "/own/path" in {mount["mountPath"] for mount in main["volumeMounts"]}
    assert CHANGES["extraVolumes"][0] in spec["volumes"]
    assert spec["initContainers"][0] == CHANGES["initContainers"][0]
    assert spec["containers"][-1] == CHANGES["extraContainers"][0]
    assert spec["securityContext"]["fsGroup"] == 2000
    assert "runAsUser" not in spec["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert main["securityContext"]["readOnlyRootFilesystem"] is False
    assert main["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert main["resources"]["limits"]["cpu"] == "2"
    assert main["resources"]["limits"]["memory"]
    assert main["lifecycle"] == CHANGES["lifecycle"]
    assert [main[f"{probe}Probe"] for probe in ("startup", "readiness", "liveness")] == [PROBE] * 3
    same = ("affinity", "topologySpreadConstraints", "priorityClassName", "runtimeClassName", "dnsPolicy", "dnsConfig",
            "hostAliases", "terminationGracePeriodSeconds", "tolerations", "nodeSelector")  # fmt: skip
    assert {key: spec[key] for key in same} == {key: CHANGES[key] for key in same}
    assert pod["metadata"]["labels"].items() >= {"own": "l", "own-pod": "l"}.items()
    assert pod["metadata"]["annotations"]["own"] == "p"
    assert one["metadata"]["annotations"]["own"] == "a"
    assert "isd-own" in {found["metadata"]["name"] for found in objects if found["kind"] == "ConfigMap"}


@pytest.mark.parametrize("chart", sorted(ALONE))
def test_every_service_takes_a_load_balancer(render: Callable[..., list[Object]], chart: str) -> None:
    objects = render(chart, over(ALONE[chart], {"service": CHANGES["service"]}))
    service = next(one for one in objects if one["kind"] == "Service" and one["metadata"]["name"] == f"isd-{chart}")
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["loadBalancerClass"] == "own"
    assert service["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert service["metadata"]["annotations"] == {"own": "s"}
    headless = [one for one in objects if one["kind"] == "Service" and one["spec"].get("clusterIP") == "None"]
    assert {one["spec"]["type"] for one in headless} <= {"ClusterIP"}
    governing = workload(objects)["spec"].get("serviceName")
    assert governing is None or governing in {one["metadata"]["name"] for one in headless}


@pytest.mark.parametrize("chart", sorted(ALONE.keys() - SINGLE))
def test_components_without_state_scale(render: Callable[..., list[Object]], chart: str) -> None:
    scaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 5, "targetMemoryUtilizationPercentage": 70}
    objects = render(chart, over(ALONE[chart], {"autoscaling": scaling}))
    (scaler,) = (one for one in objects if one["kind"] == "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == workload(objects)["metadata"]["name"]
    assert {row["resource"]["name"] for row in scaler["spec"]["metrics"]} == {"cpu", "memory"}
    assert "replicas" not in workload(objects)["spec"]
    assert "PodDisruptionBudget" in {one["kind"] for one in objects}


@pytest.mark.parametrize("chart", sorted(PERSISTENT))
def test_state_is_on_a_claim_that_may_grow_or_exists(render: Callable[..., list[Object]], chart: str) -> None:
    """The claim is no part of the StatefulSet, whose templates Kubernetes does not let change."""
    for size in ("5Gi", "50Gi"):
        objects = render(chart, over(ALONE[chart], {"persistence": {"enabled": True, "size": size}}))
        (claim,) = (one for one in objects if one["kind"] == "PersistentVolumeClaim")
        assert claim["spec"]["resources"]["requests"]["storage"] == size
        assert "volumeClaimTemplates" not in workload(objects)["spec"]
    mine = render(chart, over(ALONE[chart], {"persistence": {"enabled": True, "existingClaim": "mine"}}))
    assert not [one for one in mine if one["kind"] == "PersistentVolumeClaim"]
    volumes = template(workload(mine))["spec"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}} in volumes
    default = [one for one in render(chart, ALONE[chart]) if one["kind"] == "PersistentVolumeClaim"]
    assert bool(default) is PERSISTENT[chart]


def test_jobs_take_them_too(render: Callable[..., list[Object]]) -> None:
    from charts_pods import job
    from charts_values import CI

    values = {name: {"nodeSelector": {"own": name}, "resources": {"limits": {"cpu": "1"}},
                     "networkPolicy": {"egress": [{"ports": [{"port": 9999}]}]}}
              for name in ("bootstrap", "configure")}  # fmt: skip
    objects = render("isd", over(CI["hosts"], values))
    for name in values:
        spec = template(job(objects, name))["spec"]
        assert spec["nodeSelector"] == {"own": name}
        assert spec["containers"][0]["resources"]["limits"]["cpu"] == "1"
        policy = next(o for o in objects if o["kind"] == "NetworkPolicy" and o["metadata"]["name"] == f"isd-{name}")
        assert {"ports": [{"port": 9999}]} in policy["spec"]["egress"]


def test_a_quota_of_limits_is_met_by_every_container(render: Callable[..., list[Object]]) -> None:
    """With limits for the components and for halgit's image no container is without one."""
    from charts_values import EVERYTHING

    limits = {"resources": {"limits": {"cpu": "1"}}}
    values = over(
        EVERYTHING, {"global": {"halgit": limits, "tests": {"enabled": True}}, **dict.fromkeys(ALONE, limits)}
    )
    for one in render("isd", values):
        spec = one["spec"] if one["kind"] == "Pod" else template(one).get("spec", {})
        for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
            assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}, container["name"]


def test_submodules_are_fetched_from_the_hosts_of_the_values(render: Callable[..., list[Object]]) -> None:
    from charts_values import CI

    def variables(name: str) -> dict[str, str]:
        pods = (template(one)["spec"] for one in render("isd", CI[name]) if template(one))
        init = next(one for pod in pods for one in pod.get("initContainers", []) if one["name"] == "halgit")
        return {one["name"]: one.get("value", "") for one in init["env"] if "SUBMODULE" in one["name"]}

    hosts = "git.example.com\ngit.example.net:2222"
    assert variables("git-ssh") == {"HALGIT_SUBMODULES": "1", "HALGIT_SUBMODULE_HOST": hosts}
    assert variables("hosts") == {}
