"""The jobs of the umbrella, rendered, run for real: against the Kubernetes API, and against the services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from charts_pods import Pod, allowed_by, job, template
from charts_values import CI, over
from servers.http import Asked, Said, server
from servers.isd_services import Services, isd_services
from servers.kubernetes_api import Cluster, kubernetes

from halgit.isd.certificates import issue_control_certificate, read_ca

Object = dict[str, Any]
Render = Callable[..., list[Object]]
GATE_PASSWORD, TOKEN = "the-gate-password", "the-git-token"
VALUES = over(CI["controller"], {"configure": {"accountsRepository": "https://github.com/org/accounts.git"}})


def pod(
    render: Render, name: str, root: Path, objects: Mapping[str, dict[str, str]] | None = None, kind: str = "Job"
) -> Pod:
    return Pod(template(job(render("isd", VALUES), name, kind))["spec"], root, dict(objects or {}))


def role(render: Render, name: str) -> Callable[[Asked], Said | None]:
    """Refuses what the role of a job does not let it do."""
    return allowed_by(render("isd", VALUES), f"isd-{name}")


@pytest.fixture
def cluster(tmp_path: Path, render: Render) -> Iterator[Cluster]:
    """A cluster in which the job may do what its role says."""
    with kubernetes(tmp_path) as running:
        running.rule = role(render, "bootstrap")
        yield running


def test_the_bootstrap_job_makes_what_is_absent_and_once(render: Render, cluster: Cluster, tmp_path: Path) -> None:
    started = pod(render, "bootstrap", tmp_path / "pod")
    done = started.run("bootstrap", KUBECONFIG=cluster.kubeconfig("elsewhere"))
    assert done.returncode == 0, done.stderr
    made = {name: dict(data) for name, data in cluster.secrets.items()}
    of_the_controller = {
        "ca": {"tls.crt", "tls.key"}, "control": {"tls.crt", "tls.key"},
        "service-auth": {"public.pem"}, "trust": {"cacerts"},
    }  # fmt: skip
    assert {name: set(made[f"isd-ns/isd-controller-{name}"]) for name in of_the_controller} == of_the_controller
    assert made["isd-ns/isd-database"]["username"] == b"postgres"
    assert set(made["isd-ns/isd-accounts-api"]) == {"token"}
    again = started.run("bootstrap", KUBECONFIG=cluster.kubeconfig("elsewhere"))
    assert again.returncode == 0, again.stderr
    assert cluster.secrets == made
    said = done.stdout + done.stderr + again.stdout + again.stderr
    assert not [name for name, data in made.items() for key, value in data.items()
                if key not in ("username", "accessKey", "cacerts") and value.decode() in said]  # fmt: skip


def test_every_secret_a_pod_mounts_is_made_or_given(render: Render, cluster: Cluster, tmp_path: Path) -> None:
    done = pod(render, "bootstrap", tmp_path / "pod").run("bootstrap", KUBECONFIG=cluster.kubeconfig())
    assert done.returncode == 0, done.stderr
    given = {"git-login"}
    for one in (one for one in render("isd", VALUES) if one["kind"] in ("Deployment", "StatefulSet")):
        spec = one["spec"]["template"]["spec"]
        for volume in (volume["secret"] for volume in spec["volumes"] if "secret" in volume):
            if volume["secretName"] not in given:
                held = cluster.secrets[f"isd-ns/{volume['secretName']}"]
                assert {item["key"] for item in volume.get("items", [])} <= set(held), one["metadata"]["name"]
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            for source in (row["valueFrom"] for row in container.get("env", []) if "valueFrom" in row):
                reference = source.get("secretKeyRef", {"name": "git-login"})
                if reference["name"] not in given:
                    assert reference["key"] in cluster.secrets[f"isd-ns/{reference['name']}"], one["metadata"]["name"]


def test_the_renewing_job_renews_with_what_its_role_allows(render: Render, cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = cluster.kubeconfig()
    assert pod(render, "bootstrap", tmp_path / "pod").run("bootstrap", KUBECONFIG=kubeconfig).returncode == 0
    cluster.rule = role(render, "renew")
    cluster.deployments["isd-ns/isd-sapor"] = {}
    renewing = pod(render, "renew", tmp_path / "renewing", kind="CronJob")
    before = dict(cluster.secrets)
    assert renewing.run("renew", KUBECONFIG=kubeconfig).returncode == 0
    assert cluster.secrets == before, "a new certificate stays"
    now, control = datetime.now(timezone.utc), "isd-ns/isd-controller-control"
    ca = read_ca("ca", cluster.secrets["isd-ns/isd-controller-ca"], now)
    cluster.secrets[control] = dict(issue_control_certificate(ca, now - timedelta(days=310)))
    old = cluster.secrets[control]
    done = renewing.run("renew", KUBECONFIG=kubeconfig)
    assert done.returncode == 0, done.stderr
    assert cluster.secrets[control] != old
    assert {**cluster.secrets, control: b""} == {**before, control: b""}
    assert cluster.deployments["isd-ns/isd-sapor"], "sapor reads the new certificate when it restarts"


@pytest.fixture
def services() -> Iterator[tuple[Services, str]]:
    """The services, and the address of what leads to them by the names the chart gives them."""
    with isd_services() as running:
        known = {f"isd-{name}": running.answerer(name) for name in ("platform", "sapor")}
        known["isd-sapor-gate"] = running.answerer("gate")

        def lead(asked: Asked) -> Said:
            url = urlsplit(asked.path)
            return known[url.hostname or ""](Asked(asked.method, url.path, asked.headers, asked.body))

        with server(lead) as address:
            yield running, address


def test_the_configure_job_registers_the_services_once(
    render: Render, services: tuple[Services, str], tmp_path: Path
) -> None:
    running, address = services
    running.login = ("admin", GATE_PASSWORD)
    objects = {
        "isd-sapor-gate": {"username": "admin", "password": GATE_PASSWORD},
        "git-login": {"username": "robot", "token": TOKEN},
    }
    started = pod(render, "configure", tmp_path / "pod", objects)
    done = started.run("configure", HTTP_PROXY=address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row["name"] for row in running.sources] == ["Autopilot", "gitops"]
    assert running.sources[1]["configurationFields"]["token"] == TOKEN
    (spinnaker,) = running.spinnakers
    assert (spinnaker["name"], spinnaker["url"]) == ("spinnaker", "http://isd-sapor-gate:8084")
    assert spinnaker["password"] == GATE_PASSWORD
    before = list(running.posted())
    again = started.run("configure", HTTP_PROXY=address)
    assert again.returncode == 0, again.stderr
    assert running.posted() == before
    for ran in (done, again):
        assert not [secret for secret in (TOKEN, GATE_PASSWORD) if secret in ran.stdout + ran.stderr]
