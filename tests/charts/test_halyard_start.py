"""The init container of the halyard chart, rendered, run for real against a git server on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from charts_pods import Pod
from servers import ports
from servers.certificates import Authority
from servers.git_http import GitHttpServer
from servers.json_http import serving
from servers.repositories import Repository

Object = dict[str, Any]
TOKEN = "a-token-of-the-test"
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
    location: spinnaker
  persistentStorage:
    persistentStoreType: s3
    s3:
      bucket: front50
      rootFolder: front50
      region: eu-west-1
"""
FILES = {
    "base/config": CONFIG,
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


@pytest.fixture
def git(tmp_path: Path) -> Iterator[tuple[GitHttpServer, Path]]:
    authority = Authority(tmp_path / "authority")
    Repository(tmp_path / "repositories" / "config").commit(FILES)
    with GitHttpServer(
        tmp_path / "repositories", token=TOKEN, user="robot", tls=authority.server("127.0.0.1")
    ) as server:
        yield server, authority.ca


def pod(render: Callable[..., list[Object]], url: str, ca: Path, root: Path, **source: Any) -> Pod:
    values = {
        "source": {"repositories": [url], "overlay": "prod", "dialect": "halgit", **source},
        "credentials": {"git": True},
        "check": {"enabled": True},
        "parameters": {"gateHost": "gate.example.org"},
        "secretParameters": {"gatePassword": {"secret": "gate-login", "key": "password"}},
        "global": {
            "caBundle": {"configMap": "company-ca"},
            "credentials": {"git": {"existingSecret": "git-login", "keys": {"token": "password"}}},
        },
    }
    objects = render("halyard", values)
    stateful = next(one for one in objects if one["kind"] == "StatefulSet")
    own = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    given = {
        "company-ca": {"ca.crt": ca.read_text()},
        "git-login": {"username": "robot", "password": TOKEN},
        "gate-login": {"password": "the-gate-password"},
    }
    return Pod(stateful["spec"]["template"]["spec"], root, {**own, **given})


def test_the_tree_appears_where_halyard_looks(
    render: Callable[..., list[Object]], git: tuple[GitHttpServer, Path], tmp_path: Path
) -> None:
    server, ca = git
    started = pod(render, f"{server.url}/config", ca, tmp_path / "pod")
    done = started.run("halgit")
    assert done.returncode == 0, done.stderr
    tree = started.path("/home/spinnaker/.hal")
    assert "version: '1.30.2'" in (tree / "config").read_text()
    gate = (tree / "default" / "profiles" / "gate-local.yml").read_text()
    assert "gate.example.org" in gate
    assert "the-gate-password" in gate
    assert not (tree / "README.md").exists()
    manifest = json.loads((tree / ".halgit.json").read_text())
    assert manifest["overlay"] == "prod"
    daemon = started.path("/opt/halyard/config")
    assert "8064" in (daemon / "halyard.yml").read_text()
    assert "0.0.0.0" in (daemon / "halyard-local.yml").read_text()
    said = done.stdout + done.stderr
    assert TOKEN not in said
    assert "the-gate-password" not in said
    home = {mount["mountPath"]: mount["name"] for mount in started.container("halyard")["volumeMounts"]}
    assert home["/home/spinnaker"] == "home"
    assert started.volumes["home"]["emptyDir"]["medium"] == "Memory"


def test_the_check_says_when_the_source_has_moved(
    render: Callable[..., list[Object]], git: tuple[GitHttpServer, Path], tmp_path: Path
) -> None:
    server, ca = git
    started = pod(render, f"{server.url}/config", ca, tmp_path / "pod")
    assert started.run("halgit").returncode == 0
    init = started.container("halgit")
    init["args"] = ["render", "--check"]
    assert started.run("halgit").returncode == 0
    change = {"overlays/prod/config": "deploymentConfigurations:\n- name: default\n  version: 1.30.3\n"}
    Repository(tmp_path / "repositories" / "config").commit(change)
    assert started.run("halgit").returncode == 1
    assert "1.30.2" in (started.path("/home/spinnaker/.hal") / "config").read_text()


@pytest.mark.parametrize(
    ("config", "reason", "metric", "words"),
    [
        (CONFIG.replace("SMALL", "MEDIUM"), "SourceMoved", "halgit_source_broken 0\n", "Restart the pod to take it."),
        (CONFIG + "nonsense: [\n", "SourceBroken", "halgit_source_broken 1\n", "A pod that restarts would not start."),
    ],
    ids=["moved", "broken"],
)
def test_the_sidecar_counts_and_posts_one_event(
    render: Callable[..., list[Object]],
    git: tuple[GitHttpServer, Path],
    tmp_path: Path,
    config: str,
    reason: str,
    metric: str,
    words: str,
) -> None:
    server, ca = git
    started = pod(render, f"{server.url}/config", ca, tmp_path / "pod")
    assert started.run("halgit").returncode == 0
    Repository(tmp_path / "repositories" / "config").commit({"overlays/prod/halyard.yaml": "server:\n  port: 8065\n"})
    Repository(tmp_path / "repositories" / "config").commit({"base/config": config})
    events: list[Object] = []
    posted = threading.Event()

    def api(method: str, path: str, body: Any) -> Any:
        events.append({"path": path, **body})
        posted.set()
        return {}

    started.objects["account"] = {"namespace": "isd-ns", "token": "a-token"}
    started.volumes["api-token"] = {"secret": {"secretName": "account"}}
    check = started.container("check")
    started.mount(check)
    assert check["command"] == ["python3", "/etc/isd/check/watch.py"]
    port = ports.free_port()
    with serving(api) as address:
        env = {**started.environment(check), "API_SERVER": address}
        env["ACCOUNT_DIRECTORY"] = str(started.path("/var/run/secrets/kubernetes.io/serviceaccount"))
        env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
        command = [sys.executable, str(started.path(check["command"][1])), "0.2", str(port), *check["args"][2:]]
        running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        try:
            assert posted.wait(60)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
                text = reply.read().decode()
                assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        finally:
            running.terminate()
            said = running.communicate()[0].decode()
    assert "halgit_source_moved 1\n" in text
    assert "halgit_check_failed 0\n" in text
    assert [event["path"] for event in events] == ["/api/v1/namespaces/isd-ns/events"]
    assert events[0]["involvedObject"]["name"] == "isd-halyard-0"
    assert events[0]["reason"] == reason
    assert metric in text
    assert words in said
    assert words in events[0]["message"]


def test_a_source_that_cannot_be_had_stops_the_pod_and_says_why(
    render: Callable[..., list[Object]], git: tuple[GitHttpServer, Path], tmp_path: Path
) -> None:
    server, ca = git
    started = pod(render, f"{server.url}/config", ca, tmp_path / "pod", ref="nowhere")
    done = started.run("halgit")
    assert done.returncode == 3
    assert "nowhere" in done.stderr
    assert not started.path("/home/spinnaker/.hal").exists()
