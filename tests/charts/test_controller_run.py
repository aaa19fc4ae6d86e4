"""The OpsMx controller of 3.5 itself, with the chart's config map and the Secrets that the bootstrap job creates.

No package brings the program: `.ci/go-tools` builds it from its public repository where that can be reached.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from charts_pods import Pod, job, template
from charts_values import CI
from cryptography import x509
from program import Ran, halgit
from servers.kubernetes_api import kubernetes
from servers.ports import free_port, wait_for

Object = dict[str, Any]
Render = Callable[..., list[Object]]
HOST = "isd-controller"
NAMES = (HOST, f"{HOST}.isd-ns", f"{HOST}.isd-ns.svc", f"{HOST}.isd-ns.svc.cluster.local", "agents.example.org")


@dataclass
class Running:
    """The controller's process: the ports it listens on, its Secrets as files, and what its config map says."""

    ports: dict[str, int]
    files: Path
    config: Object
    secrets: dict[str, dict[str, bytes]]

    def ask(self, command: str, *arguments: object) -> Ran:
        """A command of `halgit accounts` with the release's control certificate, by the name of the Service."""
        return halgit(
            "accounts", command, f"--controller-url=https://127.0.0.1:{self.ports['control']}",
            f"--controller-server-name={HOST}", f"--controller-ca-file={self.files / 'ca.crt'}",
            f"--controller-cert-file={self.files / 'tls.crt'}", f"--controller-key-file={self.files / 'tls.key'}",
            *arguments,
        )  # fmt: skip

    def connect(
        self, port: str, name: str, certificate: tuple[Path, Path] | None = None, protocol: str = "h2"
    ) -> ssl.SSLSocket:
        """A TLS connection to a port, by the name that a client calls it, with trust in the release's CA only."""
        context = ssl.create_default_context(cafile=str(self.files / "ca.crt"))
        context.set_alpn_protocols([protocol])
        if certificate:
            context.load_cert_chain(*certificate)
        raw = socket.create_connection(("127.0.0.1", self.ports[port]), 10)
        return context.wrap_socket(raw, server_hostname=name)


def bootstrap(render: Render, folder: Path) -> dict[str, dict[str, bytes]]:
    """The Secrets that the rendered bootstrap job creates."""
    with kubernetes(folder) as cluster:
        spec = template(job(render("isd", CI["controller"]), "bootstrap"))["spec"]
        done = Pod(spec, folder / "bootstrap", {}).run("bootstrap", KUBECONFIG=cluster.kubeconfig("isd-ns"))
        assert done.returncode == 0, done.stderr
        return {name.partition("/")[2]: dict(data) for name, data in cluster.secrets.items()}


def configured(render: Render, pod: Pod, ports: dict[str, int]) -> Object:
    """The rendered configuration below the pod's root; only paths and listening ports of this machine are added."""
    path = pod.path("/app/config/config.yaml")
    rendered: Object = yaml.safe_load(path.read_text())
    files = {"caCertFile": "/app/secrets/ca/tls.crt", "caKeyFile": "/app/secrets/ca/tls.key"}
    here = {
        "caConfig": {key: str(pod.path(file)) for key, file in files.items()},
        "serviceAuth": {**rendered["serviceAuth"], "secretsPath": str(pod.path("/app/secrets/serviceAuth"))},
        **{f"{name}ListenPort": port for name, port in ports.items()},
    }
    path.write_text(yaml.safe_dump({**rendered, **here}))
    return rendered


@pytest.fixture(scope="module")
def running(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program = needs.built_program("forwarder-controller")
    folder = tmp_path_factory.mktemp("controller")
    secrets = bootstrap(render, folder)
    objects = render("isd", CI["controller"])
    deployment = next(one for one in objects if one["kind"] == "Deployment" and one["metadata"]["name"] == HOST)
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    texts = {name: {key: value.decode("latin-1") for key, value in data.items()} for name, data in secrets.items()}
    pod = Pod(deployment["spec"]["template"]["spec"], folder / "pod", {**maps, **texts})
    pod.mount(pod.container("controller"))
    ports = {name: free_port() for name in ("agent", "service", "control", "prometheus")}
    config = configured(render, pod, ports)
    files = folder / "files"
    files.mkdir()
    (files / "ca.crt").write_bytes(secrets["isd-controller-ca"]["tls.crt"])
    for key, value in secrets["isd-controller-control"].items():
        (files / key).write_bytes(value)
    command = [program, "-configFile", pod.path("/app/config/config.yaml")]
    env = {"HOME": str(folder)}  # with POD_NAMESPACE, as in a pod, it also loads the token of the pod's account
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        try:
            for port in ports.values():
                wait_for(port, process)
            yield Running(ports, files, config, secrets)
        finally:
            process.terminate()
            process.wait(20)
    shutil.rmtree(folder / "pod")


def test_it_is_ready_where_the_probe_asks(running: Running, render: Render) -> None:
    objects = render("isd", CI["controller"])
    deployment = next(one for one in objects if one["kind"] == "Deployment" and one["metadata"]["name"] == HOST)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert {row["name"]: row["containerPort"] for row in container["ports"]} == {
        "agent-grpc": 9001, "service-api": 9002, "control-api": 9003, "metrics": 9102,
    }, "the program's own ports, which the config map does not change"  # fmt: skip
    assert not [key for key in running.config if key.endswith("ListenPort")]
    asked = container["readinessProbe"]["httpGet"]
    assert asked["port"] == "metrics"
    with urllib.request.urlopen(f"http://127.0.0.1:{running.ports['prometheus']}{asked['path']}") as reply:
        assert (reply.status, reply.read()) == (200, b"{}")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_that_clients_use_is_in_its_certificate(running: Running, name: str) -> None:
    """Sapor and accounts use the Service, kubeconfigs its namespace too, agents the public name; no address works."""
    with running.connect("service", name) as connected:
        shown = x509.load_der_x509_certificate(connected.getpeercert(True) or b"")
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert name in names.get_values_for_type(x509.DNSName)
    assert names.get_values_for_type(x509.IPAddress) == []
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        running.connect("service", "127.0.0.1")


def identity(manifest: Path) -> tuple[Path, Path]:
    """The certificate and the key of an agent's manifest, as files beside it."""
    secret = next(one for one in yaml.safe_load_all(manifest.read_text()) if one and one["kind"] == "Secret")
    data = {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}
    data |= {key: value.encode() for key, value in secret.get("stringData", {}).items()}
    for key in ("tls.crt", "tls.key"):
        (manifest.parent / key).write_bytes(data[key])
    return manifest.parent / "tls.crt", manifest.parent / "tls.key"


def test_an_agent_connects_with_the_identity_of_its_manifest(running: Running, tmp_path: Path) -> None:
    manifest = tmp_path / "agent.yaml"
    done = running.ask("manifest", "shop", "--namespace=agents", "--agent-tag=v3.5.7", f"--output={manifest}")
    assert done.code == 0, done.err
    assert "agents.example.org:443" in manifest.read_text(), "the advertised port, not the controller's own"
    with running.connect("agent", "agents.example.org", identity(manifest)) as connected:
        assert (connected.version(), connected.selected_alpn_protocol()) == ("TLSv1.3", "h2")
        assert connected.recv(9)[3] == 4, "the settings of HTTP/2: the certificate was accepted"
    with running.connect("agent", "agents.example.org") as stranger, pytest.raises(ssl.SSLError):
        stranger.recv(9)


def test_logins_are_issued_and_known_with_the_generated_key(running: Running, tmp_path: Path) -> None:
    assert json.loads(running.ask("agents", "--format=json").out)["agents"] == []
    done = running.ask("service-credentials", "shop", "ci", "--type=jenkins", f"--output={tmp_path / 'login.json'}")
    assert done.code == 0, done.err
    login = json.loads((tmp_path / "login.json").read_text())
    assert login["url"].startswith(f"https://{HOST}.isd-ns:")
    basic = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    assert status(running, f"Basic {basic}") == 502, "no agent is connected"
    assert status(running, "Basic bm86Ym9keQ==") == 400


def status(running: Running, authorization: str) -> int:
    """The answer of the service API to a request with this login."""
    connection = http.client.HTTPConnection("127.0.0.1", timeout=10)
    connection.sock = running.connect("service", f"{HOST}.isd-ns", protocol="http/1.1")
    try:
        connection.request("GET", "/", headers={"Authorization": authorization})
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_certificate_of_an_agent_does_not_open_the_control_api(running: Running, tmp_path: Path) -> None:
    manifest = tmp_path / "agent.yaml"
    assert (
        running.ask("manifest", "other", "--namespace=agents", "--agent-tag=v3.5.7", f"--output={manifest}").code == 0
    )
    certificate, key = identity(manifest)
    refused = running.ask("agents", f"--controller-cert-file={certificate}", f"--controller-key-file={key}")
    assert refused.code != 0
    assert "not authorized for 'control': agent" in refused.err
