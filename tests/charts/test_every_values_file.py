"""Each values file of the umbrella: the containers of halgit's image run, with servers on loopback for what they call.

Addresses of repositories and stores are the test's; all else is as the file says. nginx, Redis, PostgreSQL, slapd and
the containers `refill` of OPA and `connect` of `helm test` run in tests of their own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from charts_pods import NAME, Pod, allowed_by, containers, template
from charts_sources import TOKEN, Source, https, s3, ssh, vault
from charts_values import CI, EXAMPLES, over
from servers.controller import controller
from servers.halyard import halyard
from servers.http import Asked, Said, server
from servers.isd_services import isd_services
from servers.kubernetes_api import Cluster, kubernetes
from servers.ports import free_port, wait_for
from servers.repositories import Repository

Object = dict[str, Any]
Render = Callable[..., list[Object]]
ALL = {**CI, **EXAMPLES}
KEBAB = re.compile(r"(?<=[a-z])(?=[A-Z])")
ELSEWHERE = {"refill", "connect"}
CONFIG: Object = {
    "currentDeployment": "default",
    "deploymentConfigurations": [{
        "name": "default", "version": "1.30.1",
        "providers": {"kubernetes": {
            "enabled": True, "accounts": [{"name": "spinnaker", "serviceAccount": True}], "primaryAccount": "spinnaker",
        }},
        "deploymentEnvironment": {
            "size": "SMALL", "type": "Distributed", "accountName": "spinnaker", "location": "SPINNAKER_NAMESPACE",
        },
        "persistentStorage": {
            "persistentStoreType": "s3", "s3": {"bucket": "front50", "rootFolder": "front50", "region": "eu-west-1"},
        },
    }],
}  # fmt: skip
GIT = """\
spring: {cloud: {config: {server: {git: {uri: DYNAMIC_ACCOUNTS_REPO, username: GIT_USER, password: GIT_TOKEN, \
defaultLabel: BRANCH}}}}}
encrypt: {key: KEY}
"""
GIT_SSH = "spring: {cloud: {config: {server: {git: {uri: DYNAMIC_ACCOUNTS_REPO, privateKey: ''}}}}}\n"
S3 = "spring: {cloud: {config: {server: {awss3: {bucket: AWS_S3_BUCKET, region: AWS_S3_REGION}}}}}\n"


class AnyKey(dict[str, str]):
    """A Secret or config map that also has every further key that is asked for."""

    def __missing__(self, key: str) -> str:
        return {"username": "admin", "password": "a-password", "token": TOKEN}.get(key, f"the-{key}")


class Mounted(dict[str, dict[str, str]]):
    """What pods mount, by name: what the test knows, then the Secrets of the cluster, then one with any key."""

    def __init__(self, known: dict[str, dict[str, str]], cluster: Cluster) -> None:
        super().__init__({name: AnyKey(data) for name, data in known.items()})
        self._cluster = cluster

    def __missing__(self, name: str) -> dict[str, str]:
        data = self._cluster.secrets.get(f"isd-ns/{name}", {})
        return AnyKey({key: value.decode("latin-1") for key, value in data.items()})


@dataclass
class Release:
    """What a values file renders here, with the Secrets of its pods, and a cluster that has those it refers to."""

    objects: list[Object]
    folder: Path
    cluster: Cluster
    secrets: Mounted
    environment: dict[str, str] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)

    def pod(self, workload: str) -> Pod | None:
        """The pod of a workload, by the name of its component; None where the file installs none."""
        for one in self.objects:
            if template(one) and template(one)["metadata"]["labels"][NAME] == workload:
                return Pod(template(one)["spec"], self.folder / workload, self.secrets)
        return None

    def run(self, pod: Pod, container: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a container of halgit's image to its end."""
        self.ran.add(container)
        env = {"KUBECONFIG": self.cluster.kubeconfig("isd-ns"), **self.environment, **more}
        done = pod.run(container, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return done


def files_of(values: Object) -> dict[str, str]:
    """A configuration repository as the values expect it: its dialect, overlay, parameters and references."""
    config = yaml.safe_dump(CONFIG)
    chart = values["halyard"]
    if values["global"].get("spinnaker", {}).get("dialect") == "opsmx":
        profile = {"ssh": {"": GIT, ".ssh": GIT_SSH}, "s3": {"": GIT, ".s3": S3}}.get(
            chart["source"].get("variant", "")
        )
        rows = profile or {"": GIT if chart.get("credentials", {}).get("git") else "encrypt: {key: KEY}\n"}
        generated = [name for name, one in values["global"].get("credentials", {}).items() if one.get("generate")]
        keys = {"rabbitmq": "username", "objectStore": "accessKey"}
        lines = [
            f"{name}: encrypted:isd-{KEBAB.sub('-', name).lower()}:{keys.get(name, 'password')}" for name in generated
        ]
        echo = {"default/profiles/echo-local.yml": "".join(f"{line}\n" for line in lines)} if lines else {}
        return {
            "config": config,
            **echo,
            **{f"default/profiles/spinnakerconfig.yml{end}": text for end, text in rows.items()},
        }
    config = config.replace("SPINNAKER_NAMESPACE", values["global"].get("spinnaker", {}).get("namespace", "isd-ns"))
    allowed = chart.get("secrets", {}).get("kubernetes", [])
    echo = "".join(f"{name}: encrypted:{name}:secret\n" for name in allowed) or "a: 1\n"
    layer = {"config": config, "default/profiles/echo-local.yml": echo}
    overlay = chart["source"].get("overlay")
    if not overlay:
        return layer
    names = [*chart.get("parameters", {}), *chart.get("secretParameters", {})]
    params = {name: {"type": "string", "secret": name in chart.get("secretParameters", {})} for name in names}
    settings = {"bases": ["../../base"], "params": params}
    profile_text = "".join(f"{name}: ${{{{ params.{name} }}}}\n" for name in names) or "a: 1\n"
    return {
        **{f"base/{path}": text for path, text in layer.items()},
        f"overlays/{overlay}/halgit.yaml": yaml.safe_dump(settings),
        f"overlays/{overlay}/default/profiles/gate-local.yml": profile_text,
    }


def source_of(stack: ExitStack, folder: Path, values: Object) -> Source:
    """A server for the kind of repository that the values name, with what they ask of it: ref, path, signatures."""
    first = values["halyard"]["source"]["repositories"][0]
    files = files_of(values)
    kind = {"https": https, "s3": s3, "vault": vault}.get(urlsplit(first).scheme, ssh)
    if kind in (s3, vault):
        return kind(stack, folder, files)
    files |= {f"halyard/{path}": text for path, text in files.items()}
    signed = "signersConfigMap" in values["halyard"]["source"]
    environment = signing(folder) if signed else {}
    repository = Repository(folder / "repositories" / "config", **environment)
    private = bool(values["halyard"].get("credentials", {}).get("git"))
    source = https(stack, folder, files, private=private) if kind is https else kind(stack, folder, files)
    repository.commit({}, *(["--gpg-sign"] if signed else []))
    repository.git("tag", "v1")
    repository.git("branch", "release")
    if signed:
        source.secrets["signers"] = {"signers": (folder / "allowed").read_text()}
    if kind is https:
        login = {"username": "robot", "token": TOKEN, "password": TOKEN}
        source.secrets |= {"git-login": login, "isd-git-login": login}
        source.values = {"global": {"caBundle": {"configMap": "company-ca"}}}
    return source


def signing(folder: Path) -> dict[str, str]:
    """Settings of git with which it signs commits, by a key of ssh that `allowed` names."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "signer"], check=True)
    (folder / "allowed").write_text(f"somebody@example.com {(folder / 'signer.pub').read_text()}")
    rows = {"gpg.format": "ssh", "user.signingkey": str(folder / "signer")}
    pairs = {f"GIT_CONFIG_{kind}_{number}": text for number, row in enumerate(rows.items())
             for kind, text in zip(("KEY", "VALUE"), row, strict=True)}  # fmt: skip
    return {"GIT_CONFIG_COUNT": str(len(rows)), **pairs}


def here(values: Object, source: Source | None, folder: Path) -> Object:
    """The values with the addresses of the test's servers."""
    more: Object = {}
    if source is not None:
        common = source.values.pop("global", {})
        queries = [url.partition("?") for url in values["halyard"]["source"]["repositories"]]
        addresses = [source.url + mark + query for _, mark, query in queries]
        more = {"halyard": over(source.values, {"source": {"repositories": addresses}}), "global": common}
    if values.get("accounts", {}).get("enabled"):
        more = over(more, {"accounts": store_of(values, source, folder)})
    return over(values, more)


def store_of(values: Object, source: Source | None, folder: Path) -> Object:
    """Where the accounts are: beside the configuration."""
    assert source is not None
    url = re.sub(r"config$", "accounts", source.url)
    if url.startswith("s3:"):
        return {
            "store": {"url": "s3://config-bucket/accounts", "endpoint": source.values["credentials"]["s3"]["endpoint"]}
        }
    if url.startswith("vault:"):
        return {"store": {"url": "vault://hal/accounts"}, "credentials": source.values["credentials"]}
    Repository(folder / "repositories" / "accounts").commit({"README": "accounts\n"})
    return {"store": {"url": url}}


@pytest.fixture
def release(request: pytest.FixtureRequest, render: Render, tmp_path: Path) -> Iterator[Release]:
    values = ALL[request.param]
    with ExitStack() as stack:
        installed = values["global"].get("spinnaker", {}).get("install", True)
        source = source_of(stack, tmp_path, values) if installed else None
        cluster = stack.enter_context(kubernetes(tmp_path))
        for name in values.get("halyard", {}).get("secrets", {}).get("kubernetes", []):
            cluster.secrets[f"isd-ns/{name}"] = {"secret": b"a-client-secret"}
        objects = render("isd", here(values, source, tmp_path))
        maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
        environment = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "NO_PROXY": "",
            "no_proxy": "",
        }
        environment |= dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "")
        known = {**maps, **(source.secrets if source else {})}
        yield Release(objects, tmp_path, cluster, Mounted(known, cluster), environment)


@pytest.mark.parametrize("release", sorted(ALL), indirect=True)
def test_the_containers_of_a_values_file_run(release: Release) -> None:
    bootstrap(release)
    render_and_deploy(release)
    serve_accounts(release)
    configure(release)
    run_small_programs(release)
    own = {
        container["name"] for one in release.objects if template(one)
        for container in containers(template(one)["spec"]) if "/halgit" in container["image"]
    }  # fmt: skip
    assert own - ELSEWHERE == release.ran


def render_and_deploy(release: Release) -> None:
    """The init container renders the tree, strictly; the container sync deploys it through Halyard's API."""
    pod = release.pod("halyard")
    if pod is None:
        return
    release.run(pod, "halgit")
    tree = pod.path("/home/spinnaker/.hal")
    assert (tree / "config").is_file()
    assert "SPINNAKER_NAMESPACE" not in (tree / "config").read_text()
    echo = tree / "default" / "profiles" / "echo-local.yml"
    assert not echo.exists() or "encrypted:" not in echo.read_text()
    release.ran.add("sync")
    container = pod.container("sync")
    pod.mount(container)
    programs = str(Path(sys.executable).parent)
    with halyard(tree) as daemon, (release.folder / "sync.log").open("w+") as log:
        env = {**pod.environment(container), **release.environment, "HALGIT_HALYARD_URL": daemon.url}
        env |= {"KUBECONFIG": release.cluster.kubeconfig("isd-ns"), "HALGIT_LISTEN": f"127.0.0.1:{free_port()}"}
        env["PATH"] = f"{programs}:{env['PATH']}"
        command = container.get("command") or [f"{programs}/halgit", *container["args"]]
        running = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while "Deployed all services" not in (release.folder / "sync.log").read_text():
                assert time.monotonic() < end, (release.folder / "sync.log").read_text()
                assert running.poll() is None, (release.folder / "sync.log").read_text()
                time.sleep(0.05)
        finally:
            running.terminate()
            running.wait(20)
        assert len(daemon.deploys) == 1


def serve_accounts(release: Release) -> None:
    """The accounts are listed from their store, with the token of the Secret."""
    pod = release.pod("accounts")
    if pod is None:
        return
    release.ran.add("accounts")
    port = free_port()
    ports = {"HALGIT_LISTEN": f"127.0.0.1:{port}", "HALGIT_METRICS_LISTEN": f"127.0.0.1:{free_port()}"}
    with ExitStack() as stack:
        log = stack.enter_context((release.folder / "accounts.log").open("w+"))
        if "HALGIT_CONTROLLER_URL" in pod.environment(pod.container("accounts")):
            remote = stack.enter_context(controller(release.folder))
            files = {"CA": remote.ca, "CERT": remote.cert, "KEY": remote.key}
            ports |= {f"HALGIT_CONTROLLER_{name}_FILE": str(file) for name, file in files.items()}
            ports["HALGIT_CONTROLLER_URL"] = remote.url
        running = pod.start("accounts", log.buffer, **release.environment, **ports)  # type: ignore[arg-type]
        try:
            wait_for(port, running)
            headers = {"Authorization": f"Bearer {release.secrets['isd-accounts-api']['token']}"}
            with urllib.request.urlopen(
                urllib.request.Request(f"http://127.0.0.1:{port}/v1/accounts", headers=headers)
            ) as reply:
                assert json.loads(reply.read())["accounts"] == []
        finally:
            running.terminate()
            running.wait(20)


def bootstrap(release: Release) -> None:
    """The Secrets are created with the rights of the job's role; then the CronJobs run with theirs."""
    pod = release.pod("bootstrap")
    assert pod is not None
    release.cluster.rule = allowed_by(release.objects, "isd-bootstrap")
    release.run(pod, "bootstrap")
    for workload in ("renew", "controller-restart"):
        later = release.pod(workload)
        if later is not None:
            release.cluster.deployments |= {f"isd-ns/isd-{name}": {} for name in ("sapor", "controller")}
            release.cluster.rule = allowed_by(release.objects, f"isd-{workload}")
            release.run(later, workload)
    release.cluster.rule = lambda asked: None


def configure(release: Release) -> None:
    """The services are registered with each other, by the names of the release."""
    pod = release.pod("configure")
    assert pod is not None
    with isd_services() as services:
        services.login = ("admin", release.secrets["isd-sapor-gate"]["password"])
        known = {f"isd-{name}": services.answerer(name) for name in ("platform", "sapor")}
        known["isd-sapor-gate"] = services.answerer("gate")

        def lead(asked: Asked) -> Said:
            url = urlsplit(asked.path)
            return known[url.hostname or ""](Asked(asked.method, url.path, asked.headers, asked.body))

        with server(lead) as proxy:
            release.run(pod, "configure", HTTP_PROXY=proxy, http_proxy=proxy)
        assert "Autopilot" in [row["name"] for row in services.sources]


def run_small_programs(release: Release) -> None:
    """The programs that the chart brings in the command: name servers for nginx, files for datascience."""
    for workload, name in (("oes-ui", "resolver"), ("datascience", "fill")):
        pod = release.pod(workload)
        if pod is not None:
            release.ran.add(name)
            container = pod.container(name)
            pod.mount(container)
            texts = [*container["command"][1:], *container.get("args", [])]
            for mount in container["volumeMounts"]:
                texts = [text.replace(mount["mountPath"], str(pod.path(mount["mountPath"]))) for text in texts]
            subprocess.run([sys.executable, *texts], env=pod.environment(container), check=True)
