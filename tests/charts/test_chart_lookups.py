"""What the charts ask a cluster while Helm 3 renders: versions of Secrets, and labels of Spinnaker's namespace."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from charts_values import CI, over
from servers.json_http import serving

Object = dict[str, Any]
Installed = Callable[..., tuple[list[Object], str]]
KINDS = {
    "v1": ["Namespace", "Secret", "Service", "ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "Pod"],
    "apps/v1": ["Deployment", "StatefulSet"],
    "batch/v1": ["CronJob", "Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "policy/v1": ["PodDisruptionBudget"],
    "rbac.authorization.k8s.io/v1": ["Role", "RoleBinding"],
}
OWNED = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "isd", "meta.helm.sh/release-namespace": "isd-ns"},
}
PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}


class Cluster:
    """An API server that says what it has: the discovery of the kinds above, Secrets and namespaces."""

    def __init__(self) -> None:
        self.installed = True
        self.versions: dict[str, str] = {}
        self.changed: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.enforced = ""
        self.claims: dict[str, Object] = {}
        self.applied: dict[str, Object] = {}
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, body: Any) -> Any:
        path = path.partition("?")[0]
        self.asked.append(path)
        if path == "/version":
            return {"major": "1", "minor": "30", "gitVersion": "v1.30.0"}
        if path in ("/api", "/apis"):
            return self.groups(path)
        name = path.removeprefix("/apis/").removeprefix("/api/")
        if name in KINDS:
            return {
                "kind": "APIResourceList",
                "groupVersion": name,
                "resources": [self.row(kind, name) for kind in KINDS[name]],
            }
        return self.object(path.split("/"))

    def groups(self, path: str) -> Object:
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        versions = [{"groupVersion": name, "version": "v1"} for name in KINDS if "/" in name]
        groups = [
            {"name": row["groupVersion"].split("/")[0], "versions": [row], "preferredVersion": row} for row in versions
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def row(self, kind: str, version: str) -> Object:
        plural = PLURALS.get(kind, f"{kind.lower()}s")
        return {"name": plural, "kind": kind, "namespaced": kind != "Namespace", "verbs": ["get", "list", "create"]}

    def object(self, steps: list[str]) -> Object | None:
        if steps[-2] == "namespaces":
            labels = {"pod-security.kubernetes.io/enforce": self.enforced} if self.enforced else {}
            return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": steps[-1], "labels": labels}}
        if steps[-2] in ("deployments", "statefulsets") and self.installed:
            kind = {"deployments": "Deployment", "statefulsets": "StatefulSet"}[steps[-2]]
            metadata = {"name": steps[-1], "creationTimestamp": "2026-11-26T06:10:00Z", **OWNED}
            return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata}
        if steps[-2] == "persistentvolumeclaims" and steps[-1] in self.claims:
            claim: Object = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
            claim["metadata"] = {"name": steps[-1], **OWNED}
            return {**claim, "spec": self.claims[steps[-1]]}
        if steps[-2] == "secrets" and steps[-1] in self.applied:
            return self.applied[steps[-1]]
        if steps[-2] == "secrets" and steps[-1] in self.versions:
            metadata: Object = {"name": steps[-1], "resourceVersion": self.versions[steps[-1]]}
            metadata["creationTimestamp"] = "2026-11-26T06:00:00Z"
            changed = {
                "manager": "kubectl",
                "operation": "Update",
                "time": self.changed.get(steps[-1], "2026-11-26T06:00:01Z"),
            }
            metadata["managedFields"] = [changed]
            if steps[-1] in self.owners:
                metadata["annotations"] = {"meta.helm.sh/release-name": self.owners[steps[-1]]}
            return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": "Y2FuYXJ5"}}
        return None

    def apply_secrets(self, objects: list[Object]) -> None:
        """Keep the Secrets of a rendered release, as the API server returns them."""
        for one in (one for one in objects if one["kind"] == "Secret"):
            annotations = {**one["metadata"].get("annotations", {}), **OWNED["annotations"]}
            metadata = {**one["metadata"], "annotations": annotations, "resourceVersion": "1"}
            metadata |= {"creationTimestamp": "2026-11-26T06:00:00Z", "managedFields": []}
            data = {key: base64.b64encode(text.encode()).decode() for key, text in one["stringData"].items()}
            self.applied[one["metadata"]["name"]] = {
                "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data,
            }  # fmt: skip


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def installed(cluster: Cluster, vendored: Callable[[str], Path], tmp_path: Path) -> Iterator[Installed]:
    """What `helm install --dry-run=server` would create and print in the cluster."""
    helm = needs.go_tool("helm")
    with serving(cluster) as url:
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}],
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }  # fmt: skip
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        env = {"KUBECONFIG": str(tmp_path / "kubeconfig"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

        def install(values: Object, chart: str = "isd", refused: bool = False) -> tuple[list[Object], str]:
            (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
            command = [helm, "install", "isd", vendored(chart), "--namespace", "isd-ns", "--dry-run=server"]
            command += ["--disable-openapi-validation", "--values", tmp_path / "values.yaml"]
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            if refused:
                assert done.returncode != 0
                return [], done.stderr
            assert done.returncode == 0, done.stderr
            manifest, _, notes = done.stdout.partition("\nMANIFEST:\n")[2].partition("\nNOTES:\n")
            return [one for one in yaml.safe_load_all(manifest) if one], notes

        yield install


def generations(objects: list[Object]) -> dict[str, str]:
    """The annotation of each workload's pods that changes with credentials that are in the values."""
    found = {}
    for one in objects:
        if one["kind"] in ("Deployment", "StatefulSet"):
            annotations = one["spec"]["template"]["metadata"].get("annotations", {})
            found[one["metadata"]["name"]] = annotations.get("isd/credential-generations", "")
    return found


def versions(objects: list[Object]) -> dict[str, str]:
    """The annotation of each workload's pods that changes with their Secrets."""
    found = {}
    for one in objects:
        if one["kind"] in ("Deployment", "StatefulSet"):
            annotations = one["spec"]["template"]["metadata"].get("annotations", {})
            found[one["metadata"]["name"]] = annotations.get("checksum/secrets", "")
    return found


VALUES = over(
    CI["hosts"],
    {
        "global": {"credentials": {"redis": {"existingSecret": "redis-login"}}},
        "halyard": {"credentials": {"sshSecret": "git-ssh"}},
        "sapor": {"envFrom": [{"secretRef": {"name": "more"}}]},
    },
)


def test_pods_are_replaced_when_a_secret_that_they_read_has_changed(cluster: Cluster, installed: Installed) -> None:
    """By its version, which shows nothing of its content; those of other pods stay."""
    cluster.versions = {"redis-login": "1", "git-ssh": "1", "more": "1", "isd-database": "1"}
    assert set(versions(installed(VALUES)[0]).values()) == {""}, "pods have read them as they are"
    before = versions(installed(VALUES)[0])
    readers = {
        "redis-login": {"isd-oes-redis", "isd-oes-gate", "isd-platform"},
        "git-ssh": {"isd-halyard"},
        "more": {"isd-sapor"},
    }
    for version in ("2", "3"):
        for name, pods in readers.items():
            cluster.versions[name], cluster.changed[name] = version, f"2026-11-26T07:0{version}:00Z"
            after = versions(installed(VALUES)[0])
            assert {pod for pod in after if after[pod] != before[pod]} == pods, name
            assert versions(installed(VALUES)[0]) == after, "once"
            before = after
    cluster.installed = False
    assert set(versions(installed(VALUES)[0]).values()) == {""}, "the first installation"
    cluster.installed = True
    assert set(versions(installed(over(VALUES, {"global": {"lookup": {"secrets": False}}}))[0]).values()) == {""}


def test_secrets_of_the_release_itself_are_not_asked_for_twice(cluster: Cluster, installed: Installed) -> None:
    """Their values are in another annotation; Helm changes their labels with each version of the chart."""
    cluster.versions, cluster.owners = {"redis-login": "1"}, {"redis-login": "isd"}
    cluster.changed["redis-login"] = "2026-11-26T07:00:00Z"
    assert set(versions(installed(VALUES)[0]).values()) == {""}
    cluster.owners = {"redis-login": "another-release"}
    assert set(versions(installed(VALUES)[0]).values()) != {""}


def with_passwords(redis: str, database: str = "canary-0") -> Object:
    credentials = {"redis": {"values": {"password": redis}}, "database": {"values": {"password": database}}}
    return over(CI["hosts"], {"global": {"credentials": credentials}})


def test_a_changed_credential_replaces_the_pods_that_read_it(cluster: Cluster, installed: Installed) -> None:
    """By a number, which shows nothing of its content; the Secret keeps it, so that a failed upgrade loses nothing."""
    first, _ = installed(with_passwords("canary-1"))
    before = generations(first)
    readers = {name for name, text in before.items() if "redis" in text}
    assert readers == {"isd-oes-redis", "isd-oes-gate", "isd-platform"}
    assert before["isd-platform"] == "database 1, redis 1"
    assert {before[name] for name in before} == {"", "database 1", "redis 1", "database 1, redis 1"}
    cluster.apply_secrets(first)
    assert generations(installed(with_passwords("canary-1"))[0]) == before, "nothing has changed"
    for generation, password in ((2, "canary-2"), (3, "canary-1")):
        changed, _ = installed(with_passwords(password))
        after = generations(changed)
        assert {name for name in after if after[name] != before[name]} == readers
        assert after["isd-platform"] == f"database 1, redis {generation}"
        cluster.apply_secrets(changed)
        assert generations(installed(with_passwords(password))[0]) == after, "once"
        before = after
    cluster.applied["isd-redis"]["data"]["of-somebody-else"] = "Y2FuYXJ5"
    assert generations(installed(with_passwords("canary-1"))[0]) == before, "only keys of the chart count"
    unasked = over(with_passwords("canary-9"), {"global": {"lookup": {"secrets": False}}})
    assert generations(installed(unasked)[0])["isd-platform"] == "database 1, redis 1"


def test_nothing_but_the_secret_depends_on_the_content_of_a_credential(cluster: Cluster, installed: Installed) -> None:
    """A reader of workloads, jobs and annotations, who may not read Secrets, cannot test a guess of a password."""

    def rest(password: str) -> list[Object]:
        objects, _ = installed(with_passwords(password))
        return [{**one, "stringData": ""} if one["kind"] == "Secret" else one for one in objects]

    assert rest("canary-1") == rest("guess")


@pytest.mark.parametrize("chart", ["isd", "halyard"])
def test_a_namespace_that_restricts_pods_is_a_warning(cluster: Cluster, installed: Installed, chart: str) -> None:
    values: Object = CI["hosts"] if chart == "isd" else {"source": CI["hosts"]["halyard"]["source"]}
    elsewhere = over(values, {"global": {"spinnaker": {"namespace": "spinnaker"}}})
    assert "WARNING" not in installed(values, chart)[1]
    cluster.enforced = "baseline"
    assert "WARNING" not in installed(values, chart)[1]
    cluster.enforced = "restricted"
    warning = 'WARNING: namespace isd-ns enforces the Pod Security Standard "restricted".'
    assert warning in installed(values, chart)[1]
    assert "WARNING: namespace spinnaker enforces" in installed(elsewhere, chart)[1]
    cluster.asked.clear()
    assert "WARNING" not in installed(over(values, {"global": {"lookup": {"namespace": False}}}), chart)[1]
    assert not [path for path in cluster.asked if path.endswith("/namespaces/isd-ns")]


CLAIM = {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}


@pytest.mark.parametrize(
    ("persistence", "reason"),
    [
        (
            {"size": "8Gi"},
            "oes-redis.persistence.size: claim isd-oes-redis-data has 10Gi, and Kubernetes does not",
        ),
        ({"size": "10G"}, "let it shrink to 10G. Set at least 10Gi, or move the data to another claim"),
        (
            {"size": "10Gi", "storageClassName": "slow"},
            "isd-oes-redis-data has class fast, which Kubernetes does not",
        ),
        ({"size": "10Gi", "storageClassName": "fast"}, ""),
        ({"size": "10240Mi"}, ""),
        ({"size": "0.5Ti"}, ""),
    ],
    ids=str,
)
def test_a_change_of_a_volume_that_kubernetes_refuses_is_refused(
    cluster: Cluster, installed: Installed, persistence: Object, reason: str
) -> None:
    cluster.claims = {"isd-oes-redis-data": CLAIM}
    values: Object = {"persistence": persistence}
    said = installed(values, "oes-redis", refused=True)[1] if reason else ""
    assert reason in said
    if reason:
        installed(over(values, {"global": {"lookup": {"volumes": False}}}), "oes-redis")
    else:
        installed(values, "oes-redis")
