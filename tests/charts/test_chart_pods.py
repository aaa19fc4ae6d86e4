"""Pods keep to the restricted Pod Security Standard, have what they mount, and follow what is set for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from charts_pods import NAME, containers, distinct, pods, template
from charts_values import ALONE, EVERYTHING

Object = dict[str, Any]
WITHOUT = {"datascience": {"livenessProbe"}}
"""Containers of which only a connection is known, which readiness tries. Those without a port have no probe."""
Every = dict[str, list[Object]]


def test_everything_is_everything(render: Callable[..., list[Object]]) -> None:
    names = {template(one)["metadata"]["labels"][NAME] for one in render("isd", EVERYTHING) if template(one)}
    assert names == {*ALONE, "bootstrap", "configure", "renew", "controller-restart"}


def test_pods_keep_to_the_restricted_standard(every: Every) -> None:
    for where, spec in pods(every):
        allowed = {"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile"}
        assert spec["securityContext"].keys() <= allowed, where
        assert spec["securityContext"].get("runAsUser", 1000) > 0, where
        assert spec["securityContext"]["runAsNonRoot"] is True, where
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), where
        kinds = {kind for volume in spec["volumes"] for kind in volume} - {"name"}
        assert kinds <= {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}, where
        for container in containers(spec):
            assert not [port for port in container.get("ports", []) if "hostPort" in port], where
            context = container["securityContext"]
            assert len(context) == 3, where
            assert context["allowPrivilegeEscalation"] is False, where
            assert context["readOnlyRootFilesystem"] is True, where
            assert context["capabilities"] == {"drop": ["ALL"]}, where
            assert container["resources"]["limits"]["memory"], where
            assert container["resources"]["requests"].keys() == {"cpu", "memory", "ephemeral-storage"}, where


def test_tokens_only_where_they_are_used(every: Every) -> None:
    with_token = set()
    for where, spec in pods(every):
        assert spec["automountServiceAccountToken"] is False, where
        for container in containers(spec):
            if any(mount["name"] == "api-token" for mount in container["volumeMounts"]):
                with_token.add(container["name"])
    assert with_token == {"halyard", "halgit", "sync", "controller", "controller-restart", "bootstrap", "renew"}


def test_every_mount_has_its_volume_and_every_volume_a_mount(every: Every) -> None:
    for where, spec in pods(every):
        volumes = [volume["name"] for volume in spec["volumes"]]
        assert len(volumes) == len(set(volumes)), f"{where}: {volumes}"
        mounted = {mount["name"] for container in containers(spec) for mount in container["volumeMounts"]}
        assert mounted == set(volumes), where
        for container in containers(spec):
            paths = [mount["mountPath"] for mount in container["volumeMounts"]]
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(paths) == len(set(paths)), f"{where}: {paths}"
            assert len(names) == len(set(names)), f"{where}: {names}"


def test_long_running_pods_have_probes_and_a_spread(every: Every) -> None:
    for where, one in distinct(every):
        if one["kind"] not in ("Deployment", "StatefulSet"):
            continue
        spec = one["spec"]["template"]["spec"]
        for container in spec["containers"]:
            probes = {"startupProbe", "readinessProbe", "livenessProbe"} if container.get("ports") else set()
            wanted = probes - WITHOUT.get(container["name"], set())
            assert wanted <= container.keys(), where
            assert container.get("readinessProbe", {}).keys() - container.get("livenessProbe", {}).keys() or (
                container.get("readinessProbe") != container.get("livenessProbe") or not wanted
            ), f"{where}: one probe for both"
        if one["spec"].get("replicas", 1) > 1:
            assert {row["topologyKey"] for row in spec["topologySpreadConstraints"]} == {
                "kubernetes.io/hostname",
                "topology.kubernetes.io/zone",
            }, where


def test_images_come_from_the_private_registry_by_digest(every: Every, render: Callable[..., list[Object]]) -> None:
    images = set()
    for where, spec in pods({"": every["private-registry"]}):
        assert spec["imagePullSecrets"] == [{"name": "registry-login"}], where
        images |= {container["image"] for container in containers(spec)}
    everything = render("isd", EVERYTHING)
    for where, spec in pods({"everything": everything}):
        assert spec["imagePullSecrets"] == [{"name": "registry-login"}], where
        images |= {container["image"] for container in containers(spec)}
    assert len(images) > 20
    assert all(image.startswith("registry.example.org/") for image in images)
    assert f"registry.example.org/opsmxpublic/ubi8-oes-sapor@sha256:{'b' * 64}" in images
    assert f"registry.example.org/opsmxpublic/halgit@sha256:{'a' * 64}" in images


def test_an_assigned_user_is_left_to_the_platform(every: Every) -> None:
    for where, spec in pods({"": every["restricted"]}):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & spec["securityContext"].keys(), where
    for where, spec in pods({"": every["hosts"]}):
        assert spec["securityContext"]["runAsUser"] == 1000, where


def test_proxies_and_ca_certificates_reach_every_container(every: Every) -> None:
    for where, spec in pods({"": every["restricted"]}):
        for container in containers(spec):
            env = {variable["name"]: variable.get("value") for variable in container["env"]}
            assert env["HTTPS_PROXY"] == "http://proxy.example.org:3128", where
            assert "isd-platform" in env["NO_PROXY"].split(","), where
            assert env["SSL_CERT_FILE"] == "/etc/isd/ca/ca.crt", where
            if "JAVA_TOOL_OPTIONS" in env:
                assert "-Dhttps.proxyHost=proxy.example.org -Dhttps.proxyPort=3128" in env["JAVA_TOOL_OPTIONS"], where
                assert "trustStorePassword=$(TRUST_STORE_PASSWORD)" in env["JAVA_TOOL_OPTIONS"], where
