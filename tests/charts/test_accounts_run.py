"""The container of the accounts chart, rendered beside the controller, run for real: git over https, keys from Secrets.

What the cluster would do is done by the test: the probe and the monitor are followed to the port they lead to, and the
controller's name in the release to the server that stands for it.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from charts_pods import Pod
from charts_values import CI, over
from servers.certificates import Authority
from servers.controller import FakeController, controller
from servers.git_http import GitHttpServer
from servers.ports import free_port, wait_for
from servers.repositories import Repository

from halgit.accounts.cipher import Cipher
from halgit.redaction import Secret

Object = dict[str, Any]
GIT_TOKEN, API_TOKEN, ENCRYPT_KEY = "canary-git-token", "canary-api-token", "canary-encrypt-key"
KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: canary-user-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""


@dataclass
class Running:
    """The container's process and what is around it. `objects` are those of the accounts chart."""

    objects: list[Object]
    url: str
    metrics: str
    repository: Repository
    remote: FakeController

    def one(self, kind: str) -> Object:
        (found,) = (one for one in self.objects if one["kind"] == kind)
        return found

    def container(self) -> Object:
        (found,) = self.one("Deployment")["spec"]["template"]["spec"]["containers"]
        assert isinstance(found, dict)
        return found

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def entries(self) -> list[Object]:
        text = self.repository.git("show", "main:accounts/clouddriver-local.yml")
        accounts = yaml.safe_load(text)["kubernetes"]["accounts"]
        assert isinstance(accounts, list)
        return accounts


def secrets(folder: Path, remote: FakeController) -> dict[str, dict[str, str]]:
    """What the pod mounts: name -> key -> text."""
    return {
        "company-ca": {"ca.crt": (folder / "git-ca" / "ca.pem").read_text()},
        "git-login": {"username": "robot", "token": GIT_TOKEN},
        "isd-accounts-api": {"token": API_TOKEN},
        "isd-encryption": {"key": ENCRYPT_KEY},
        "isd-controller-ca": {"tls.crt": remote.ca.read_text()},
        "isd-controller-control": {"tls.crt": remote.cert.read_text(), "tls.key": remote.key.read_text()},
    }


@pytest.fixture(scope="module")
def running(render: Callable[..., list[Object]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("accounts")
    repository = Repository(folder / "repositories" / "accounts.git")
    repository.commit({"README": "hello\n"})
    repository.git("checkout", "--quiet", "--detach")
    tls = Authority(folder / "git-ca").server("127.0.0.1")
    with (
        GitHttpServer(folder / "repositories", token=GIT_TOKEN, user="robot", tls=tls) as git,
        controller(folder) as remote,
        open(folder / "log", "wb") as log,
    ):
        more = {
            "accounts": {"store": {"url": f"{git.url}/accounts.git", "branch": "main"}},
            "global": {"caBundle": {"configMap": "company-ca"}, "serviceMonitor": {"enabled": True}},
        }
        objects = [one for one in render("isd", over(CI["controller"], more))
                   if one["metadata"]["labels"]["app.kubernetes.io/name"] == "accounts"]  # fmt: skip
        port, metrics = free_port(), free_port()
        server = Running(objects, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}", repository, remote)
        spec = server.one("Deployment")["spec"]["template"]["spec"]
        pod = Pod(spec, folder / "pod", secrets(folder, remote))
        process = pod.start(
            "accounts",
            log,
            HALGIT_LISTEN=f"127.0.0.1:{port}",
            HALGIT_METRICS_LISTEN=f"127.0.0.1:{metrics}",
            HALGIT_CONTROLLER_URL=remote.url,
        )
        try:
            wait_for(port, process)
            yield server
        finally:
            process.terminate()
            process.wait(20)
    assert "canary" not in (folder / "log").read_text()


def test_it_listens_where_probes_service_and_monitor_lead(running: Running) -> None:
    container = running.container()
    env = {row["name"]: row.get("value", "") for row in container["env"]}
    port, metrics = container["ports"]
    assert env["HALGIT_LISTEN"] == f"0.0.0.0:{port['containerPort']}"
    assert env["HALGIT_METRICS_LISTEN"] == f"0.0.0.0:{metrics['containerPort']}"
    assert container["livenessProbe"]["tcpSocket"] == {"port": port["name"]}
    for probe in ("startupProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert (asked["port"], asked["scheme"]) == (port["name"], "HTTP")
        status, text = running.ask("GET", asked["path"])
        assert (status, json.loads(text)) == (200, {"status": "UP"})
    served, counted = running.one("Service")["spec"]["ports"]
    (watched,) = running.one("ServiceMonitor")["spec"]["endpoints"]
    assert (served["targetPort"], counted["targetPort"]) == (port["name"], metrics["name"])
    assert watched["port"] == counted["name"]
    assert running.ask("GET", "/v1/accounts")[0] == 401
    assert running.ask("GET", watched["path"])[0] == 404, "metrics are on their own port"
    with urllib.request.urlopen(running.metrics + watched["path"]) as reply:
        text = reply.read().decode()
    assert 'halgit_accounts_requests_total{operation="list",status="401"} ' in text


def test_the_controller_is_asked_where_its_chart_serves_it(
    running: Running, render: Callable[..., list[Object]]
) -> None:
    env = {row["name"]: row.get("value", "") for row in running.container()["env"]}
    services = {one["metadata"]["name"]: one["spec"]["ports"]
                for one in render("isd", CI["controller"]) if one["kind"] == "Service"}  # fmt: skip
    (port,) = (row["port"] for row in services["isd-controller"] if row["name"] == "control-api")
    assert env["HALGIT_CONTROLLER_URL"] == f"https://isd-controller:{port}"


def test_with_the_token_an_account_is_written_to_the_repository_encrypted(running: Running) -> None:
    body = {"name": "prod-eu", "kubeconfig": KUBECONFIG, "fields": {"cacheThreads": 2}}
    status, told = running.ask("POST", "/v1/accounts", body, API_TOKEN)
    assert status == 201, told
    assert json.loads(told)["revision"] == running.repository.git("rev-parse", "main")
    (entry,) = (one for one in running.entries() if one["name"] == "prod-eu")
    assert entry["cacheThreads"] == 2
    opened = Cipher(Secret(ENCRYPT_KEY, "key")).decrypt(entry["kubeconfigContents"])
    assert yaml.safe_load(opened)["users"][0]["user"]["token"] == "canary-user-token"
    assert "canary" not in running.repository.git("show", "main:accounts/clouddriver-local.yml")


def test_a_remote_account_is_created_from_the_controllers_answer(running: Running) -> None:
    status, told = running.ask("POST", "/v1/accounts", {"name": "shop", "agent": "shop"}, API_TOKEN)
    assert status == 201, told
    assert ("generateKubectlComponents", {"agentName": "shop", "name": "kubernetes"}) in running.remote.asked
    (entry,) = (one for one in running.entries() if one["name"] == "shop")
    opened = yaml.safe_load(Cipher(Secret(ENCRYPT_KEY, "key")).decrypt(entry["kubeconfigContents"]))
    key = opened["users"][0]["user"]["client-key-data"]
    assert "PRIVATE KEY" in base64.b64decode(key).decode()


@pytest.mark.parametrize("token", ["", "another"])
def test_without_the_token_nothing_is_told_or_written(running: Running, token: str) -> None:
    before = running.repository.git("rev-parse", "main")
    for method, body in (("GET", None), ("POST", {"name": "stranger", "kubeconfig": KUBECONFIG})):
        status, told = running.ask(method, "/v1/accounts", body, token)
        assert (status, json.loads(told)["status"]) == (401, 401)
    assert running.repository.git("rev-parse", "main") == before
