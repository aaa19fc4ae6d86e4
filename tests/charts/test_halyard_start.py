"""The containers of the halyard chart, rendered, run for real: sources and Halyard are servers on loopback.

Every kind of source with its credentials, in both dialects; then the container that deploys.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from charts_pods import Pod
from charts_sources import TOKEN, Source, https, public, s3, ssh, vault, vault_by_account
from charts_values import over
from servers.halyard import Daemon, halyard
from servers.kubernetes_api import kubernetes
from servers.ports import free_port
from servers.repositories import Repository

Object = dict[str, Any]
Render = Callable[..., list[Object]]
GATE_PASSWORD, KEY, JIRA = "the-gate-password", "the-encryption-key", "jira-login"
SECRETS = (TOKEN, GATE_PASSWORD, KEY, JIRA)
CONFIG = """\
currentDeployment: default
deploymentConfigurations:
- name: default
  version: 1.30.1
  providers:
    kubernetes:
      enabled: true
      accounts:
      - name: spinnaker
        serviceAccount: true
      primaryAccount: spinnaker
  deploymentEnvironment:
    size: SMALL
    type: Distributed
    accountName: spinnaker
    location: SPINNAKER_NAMESPACE
  persistentStorage:
    persistentStoreType: s3
    s3:
      bucket: front50
      rootFolder: front50
      region: eu-west-1
"""
LAYERED = {
    "base/config": CONFIG.replace("SPINNAKER_NAMESPACE", "spinnaker"),
    "base/default/profiles/gate-local.yml": (
        "host: ${{ params.gateHost }}\nsecurity:\n  user:\n    password: ${{ params.gatePassword }}\n"
    ),
    "base/halyard.yaml": "server:\n  port: 8064\n",
    "base/README.md": "Not for Halyard.\n",
    "overlays/prod/halgit.yaml": (
        "bases: [../../base]\nparams:\n  gateHost: {type: string, required: true}\n"
        "  gatePassword: {type: string, secret: true}\n"
    ),
    "overlays/prod/config": "deploymentConfigurations:\n- name: default\n  version: 1.30.2\n",
}
TOKENS = {
    "config": CONFIG,
    "default/profiles/spinnakerconfig.yml": (
        "spring:\n  profiles:\n    include: git\n  cloud:\n    config:\n      server:\n        git:\n"
        "          uri: DYNAMIC_ACCOUNTS_REPO\n          username: GIT_USER\n          password: GIT_TOKEN\n"
        "          searchPaths: DYN_ACCNT_CONFG_PATH\n          defaultLabel: BRANCH\nencrypt:\n  key: KEY\n"
    ),
    "default/profiles/orca-local.yml": (
        "jira: JIRA_URL\nlogin: JIRA_BASE64_USR_PASSWD\nnamespace: SPINNAKER_NAMESPACE\n"
    ),
}
KUBERNETES = {
    "JIRA_BASE64_USR_PASSWD": {"secret": "jira", "key": "login"},
    "JIRA_URL": {"secret": "jira", "key": "url"},
}


SOURCES = (https, public, ssh, s3, vault, vault_by_account)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as one:
        yield one


def pod(render: Render, origin: Source, root: Path, dialect: str = "halgit", **values: Any) -> Pod:
    """The pod of the chart for a source, in one of the dialects."""
    ours: Object = {
        "halgit": {
            "source": {"overlay": "prod"},
            "parameters": {"gateHost": "gate.example.org"},
            "secretParameters": {"gatePassword": {"secret": "gate-login", "key": "password"}},
        },
        "opsmx": {
            "secretParameters": KUBERNETES,
            "global": {"spinnaker": {"dialect": "opsmx"}, "hosts": {"ui": "isd.example.org"}},
        },
    }
    base = {"source": {"repositories": [origin.url], "ref": ""}}
    objects = render("halyard", over(over(over(base, ours[dialect]), origin.values), values))
    stateful = next(one for one in objects if one["kind"] == "StatefulSet")
    own = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    secrets = {
        "gate-login": {"password": GATE_PASSWORD},
        "jira": {"login": JIRA, "url": "https://jira.example.org"},
        "isd-encryption": {"key": KEY},
    }
    return Pod(stateful["spec"]["template"]["spec"], root, {**own, **secrets, **origin.secrets})


@pytest.mark.parametrize("kind", SOURCES, ids=lambda kind: kind.__name__)
def test_a_layered_source_is_rendered_where_halyard_looks(
    render: Render, stack: ExitStack, tmp_path: Path, kind: Callable[..., Source]
) -> None:
    source = kind(stack, tmp_path, LAYERED)
    started = pod(render, source, tmp_path / "pod")
    done = started.run("halgit", **source.environment)
    assert done.returncode == 0, done.stderr
    tree = started.path("/home/spinnaker/.hal")
    assert "version: '1.30.2'" in (tree / "config").read_text()
    gate = (tree / "default" / "profiles" / "gate-local.yml").read_text()
    assert "gate.example.org" in gate
    assert GATE_PASSWORD in gate
    assert not (tree / "README.md").exists()
    assert json.loads((tree / ".halgit.json").read_text())["overlay"] == "prod"
    daemon = started.path("/opt/halyard/config")
    assert "8064" in (daemon / "halyard.yml").read_text()
    assert "0.0.0.0" in (daemon / "halyard-local.yml").read_text()
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    home = {mount["mountPath"]: mount["name"] for mount in started.container("halyard")["volumeMounts"]}
    assert home["/home/spinnaker"] == "home"
    assert started.volumes["home"]["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize("kind", SOURCES, ids=lambda kind: kind.__name__)
def test_a_source_of_the_predecessor_is_rendered_with_all_its_tokens(
    render: Render, stack: ExitStack, tmp_path: Path, kind: Callable[..., Source]
) -> None:
    """Git's user and its secret token reach the file; the branch is the repository's default."""
    files = dict(TOKENS)
    if kind is s3:
        files["default/profiles/spinnakerconfig.yml.s3"] = "bucket: AWS_S3_BUCKET\nregion: AWS_S3_REGION\n"
    if kind is ssh:
        files["default/profiles/spinnakerconfig.yml.ssh"] = (
            "spring:\n  cloud:\n    config:\n      server:\n        git:\n"
            "          uri: DYNAMIC_ACCOUNTS_REPO\n          privateKey: |\n"
        )
    source = kind(stack, tmp_path, files)
    if kind in (public, vault, vault_by_account):
        source.values = over(source.values, {"parameters": {"GIT_USER": "robot"}})
        tokens = {**KUBERNETES, "GIT_TOKEN": {"secret": "git-token", "key": "token"}}
        source.values = over(source.values, {"secretParameters": tokens})
        source.secrets["git-token"] = {"token": TOKEN}
    if kind in (https, public, ssh):
        Repository(tmp_path / "repositories" / "config").git("branch", "--move", "team/live")
    more = {"source": {"variant": {s3: "s3", ssh: "ssh"}.get(kind, "token")}}
    if kind in (vault, vault_by_account):
        more = over(more, {"parameters": {"BRANCH": "main"}})
    started = pod(render, source, tmp_path / "pod", "opsmx", **more)
    done = started.run("halgit", **source.environment)
    assert done.returncode == 0, done.stderr
    profiles = started.path("/home/spinnaker/.hal/default/profiles")
    accounts = yaml.safe_load((profiles / "spinnakerconfig.yml").read_text())
    if kind is s3:
        assert accounts == {"bucket": "config-bucket", "region": "us-east-1"}
    elif kind is ssh:
        git = accounts["spring"]["cloud"]["config"]["server"]["git"]
        assert (git["uri"], git["privateKey"]) == (source.url, source.secrets["git-ssh"]["ssh-privatekey"])
    else:
        git = accounts["spring"]["cloud"]["config"]["server"]["git"]
        assert git == {
            "uri": source.url, "username": "robot", "password": TOKEN, "searchPaths": "/",
            "defaultLabel": "main" if kind in (vault, vault_by_account) else "team/live",
        }  # fmt: skip
        assert accounts["encrypt"]["key"] == KEY
    orca = yaml.safe_load((profiles / "orca-local.yml").read_text())
    assert orca == {"jira": "https://jira.example.org", "login": JIRA, "namespace": "isd-ns"}
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]


def test_a_branch_that_does_not_exist_stops_the_pod_with_the_reason(
    render: Render, stack: ExitStack, tmp_path: Path
) -> None:
    started = pod(
        render, https(stack, tmp_path, LAYERED), tmp_path / "pod", source={"ref": "nowhere", "overlay": "prod"}
    )
    done = started.run("halgit")
    assert done.returncode == 3
    assert "nowhere" in done.stderr
    assert not started.path("/home/spinnaker/.hal").exists()


@pytest.mark.parametrize("allowed", [[], ["gate-oauth"]])
def test_only_the_secrets_of_the_list_are_read_though_the_account_may_read_all(
    render: Render, stack: ExitStack, tmp_path: Path, allowed: list[str]
) -> None:
    """A repository that asks for the CA's key does not get it, whatever the role of the pod's account allows."""
    files = {**LAYERED, "base/default/profiles/echo-local.yml": "a: encrypted:gate-oauth:secret\n"}
    if not allowed:
        files["base/default/profiles/echo-local.yml"] = "a: encrypted:isd-controller-ca:tls.key\n"
    cluster = stack.enter_context(kubernetes(tmp_path))
    cluster.secrets["isd-ns/isd-controller-ca"] = {"tls.key": b"the CA's key"}
    cluster.secrets["isd-ns/gate-oauth"] = {"secret": b"a-client-secret"}
    source = public(stack, tmp_path, files)
    del source.values["global"]["caBundle"]
    started = pod(render, source, tmp_path / "pod", secrets={"kubernetes": allowed})
    trust = {"HALGIT_CA_FILE": str(tmp_path / "authority" / "ca.pem")}
    done = started.run("halgit", KUBECONFIG=cluster.kubeconfig("isd-ns"), **trust)
    echo = started.path("/home/spinnaker/.hal/default/profiles/echo-local.yml")
    if allowed:
        assert done.returncode == 0, done.stderr
        assert echo.read_text() == "a: a-client-secret\n"
    else:
        assert done.returncode == 1
        assert "reference/not-allowed" in done.stdout + done.stderr or "allow-reference" in done.stdout + done.stderr
        assert not echo.exists()
        assert not [path for path in cluster.asked if "isd-controller-ca" in path]


@dataclass
class Running:
    """The container that deploys, beside Halyard's fake."""

    daemon: Daemon
    process: subprocess.Popen[bytes]
    log: Path
    repository: Path
    url: str
    container: Object

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)


@pytest.fixture
def deploying(render: Render, stack: ExitStack, tmp_path: Path) -> Callable[..., Running]:
    """Start the pod: the init container, then the container sync against a daemon on the tree it rendered."""

    def start(*, refused: bool = False, **sync: Any) -> Running:
        source = https(stack, tmp_path, LAYERED)
        cluster = stack.enter_context(kubernetes(tmp_path))
        started = pod(render, source, tmp_path / "pod", sync={"retrySeconds": 10, "intervalSeconds": 10, **sync})
        assert started.run("halgit").returncode == 0
        daemon = stack.enter_context(halyard(started.path("/home/spinnaker/.hal")))
        if refused:
            daemon.refuse_manifest({"gate"}, "error: unable to connect to the server: i/o timeout")
        container = started.container("sync")
        started.mount(container)
        assert container["image"] == started.container("halgit")["image"]
        bin_folder = str(Path(sys.executable).parent)
        env = {
            **started.environment(container),
            "HALGIT_HALYARD_URL": daemon.url,
            "HALGIT_INTERVAL": "1",
            "HALGIT_ATTEMPTS": "1",
            "KUBECONFIG": cluster.kubeconfig("isd-ns"),
        }
        port = free_port()
        if "HALGIT_LISTEN" in env:
            env["HALGIT_LISTEN"] = f"127.0.0.1:{port}"
        env["PATH"] = f"{bin_folder}:{env['PATH']}"
        command = container.get("command") or [f"{bin_folder}/halgit", *container["args"]]
        if "command" in container:
            command = [text.replace("sleep 10 ", "sleep 1 ") for text in command]
        log = tmp_path / "sync.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(command, env=env, stdout=stream, stderr=subprocess.STDOUT)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        url = f"http://127.0.0.1:{port}"
        return Running(daemon, process, log, tmp_path / "repositories" / "config", url, container)

    return start


def test_the_pod_deploys_once_through_halyards_api(deploying: Callable[..., Running]) -> None:
    running = deploying()
    running.until(lambda: bool(running.daemon.deploys) and "Deployed all services" in running.log.read_text())
    time.sleep(1.5)
    assert running.process.poll() is None, "a container that ends is started again"
    assert len(running.daemon.deploys) == 1
    assert not [secret for secret in SECRETS if secret in running.log.read_text()]


def test_a_failed_deploy_is_reported_and_tried_again(deploying: Callable[..., Running]) -> None:
    """It is a container of its own: Halyard's is not touched by it."""
    running = deploying(refused=True)
    running.until(lambda: len(running.daemon.deploys) > 1)
    text = running.log.read_text()
    assert "gate was not deployed: Failed to deploy manifest" in text
    assert "The deploy failed, see above. Next attempt in 10 seconds." in text


def test_with_watch_a_change_of_the_source_is_deployed(deploying: Callable[..., Running]) -> None:
    running = deploying(watch=True)
    running.until(lambda: "Deployed all services" in running.log.read_text())
    change = {"overlays/prod/default/profiles/gate-local.yml": "more: 1\n"}
    Repository(running.repository).commit(change)
    running.until(lambda: len(running.daemon.asked_services) > 1)
    for probe in ("readinessProbe", "livenessProbe"):
        with urllib.request.urlopen(running.url + running.container[probe]["httpGet"]["path"]) as reply:
            assert reply.status == 200
    with urllib.request.urlopen(running.url + "/metrics") as reply:
        assert b"halgit_sync" in reply.read()
    assert running.daemon.asked_services[1:] == [["gate"]]
