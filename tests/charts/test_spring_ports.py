"""Where a service of Spring Boot 2.7 serves its API, health and metrics with the variables and files of the charts."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from charts_pods import Pod
from java_judge import java_command
from servers.ports import free_port, wait_for

Object = dict[str, Any]


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("apart", [True, False], ids=["on the management port", "on the API port"])
def test_health_and_metrics_are_where_probes_and_prometheus_ask(
    render: Callable[..., list[Object]], tmp_path: Path, apart: bool
) -> None:
    """`visibility`, whose file has the settings of Actuator; only port numbers are the test's."""
    command = java_command("spring")
    values = {"global": {"serviceMonitor": {"enabled": True}, **({} if apart else {"managementPort": 0})}}
    objects = render("visibility", values)
    spec = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    login = {"username": "postgres", "password": "a-password", "key": "a-key"}
    pod = Pod(spec, tmp_path, {**maps, "isd-database": login, "isd-encryption": login})
    container = pod.container("visibility")
    pod.mount(container)
    env = pod.environment(container)
    assert env.get("MANAGEMENT_SERVER_PORT") == ("9190" if apart else None)
    ports = {row["name"]: free_port() for row in container["ports"]}
    env |= {"MANAGEMENT_SERVER_PORT": str(ports["metrics"])} if apart else {}
    command += [
        f"--server.port={ports['http']}",
        f"--spring.config.location={pod.path('/opsmx/conf/visibility-local.yml')}",
    ]
    (monitor,) = (one["spec"]["endpoints"][0] for one in objects if one["kind"] == "ServiceMonitor")
    probe = container["readinessProbe"]["httpGet"]
    running = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for port in ports.values():
            wait_for(port, running, 60)
        assert status(ports["http"], "/api") == 200
        assert status(ports[probe["port"]], probe["path"]) == 200
        assert status(ports[monitor["port"]], monitor["path"]) == 200
        assert status(ports["http"], monitor["path"]) == (404 if apart else 200)
    finally:
        running.terminate()
        running.wait(20)
