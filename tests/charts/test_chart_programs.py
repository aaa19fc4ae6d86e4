"""The small programs the charts bring, run for real: the refill of OPA, files with credentials, the deployment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import needs
from charts_values import CHARTS
from servers import ports
from servers.json_http import serving

Object = dict[str, Any]


def program(folder: Path, name: str, text: str) -> None:
    """A program of this name, first on the search path of what is run with `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_opa_is_given_its_policies_when_it_has_none(tmp_path: Path) -> None:
    policy = {"policyId": 7, "policyName": "Black out", "rego": "package x"}
    kept: list[Any] = []
    full = threading.Event()

    def sapor(method: str, path: str, body: Any) -> Any:
        if path == "/oes/v1/policies/list":
            return [{"policyName": "Black out"}]
        if (method, path) == ("GET", "/oes/v1/policy/Black%20out"):
            return {"response": policy}
        if (method, path) == ("PUT", "/oes/v1/policy/7"):
            kept.append(body)
            full.set()
            return {}
        return None

    def opa(method: str, path: str, body: Any) -> Any:
        return {"result": kept} if path == "/v1/policies" else None

    script = CHARTS / "opa" / "files" / "refill.py"
    with serving(sapor) as one, serving(opa) as two:
        running = subprocess.Popen([sys.executable, script, one, two, "admin", "0.05"], stdout=subprocess.PIPE)
        try:
            assert full.wait(30)
            assert running.stdout is not None
            said = running.stdout.readline().decode()
        finally:
            running.terminate()
            running.communicate()
    assert kept == [{"policyName": "Black out", "rego": "package x"}]
    assert said == "sent 1 policies to OPA\n"


def test_datascience_reads_credentials_as_they_are(render: Callable[..., list[Object]], tmp_path: Path) -> None:
    objects = render("datascience", {"global": {"trial": True}})
    spec = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    files = next(one for one in objects if one["kind"] == "ConfigMap")["data"]
    (tmp_path / "templates").mkdir()
    (tmp_path / "filled").mkdir()
    for name, text in files.items():
        (tmp_path / "templates" / name).write_text(text)
    code = spec["initContainers"][0]["command"][2].replace('"/', f'"{tmp_path}/')
    env = {row["name"]: f"it's ${{{row['name']}}}" for row in spec["initContainers"][0]["env"]}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    filled = (tmp_path / "filled" / "credentials").read_text()
    assert "aws_secret_access_key = it's ${OBJECT_STORE_SECRET_KEY}" in filled
    assert "it's ${DB_PASSWORD}" in (tmp_path / "filled" / "app_config.yaml").read_text()


def test_the_pod_of_helm_test_connects_to_each_port(render: Callable[..., list[Object]]) -> None:
    pod = next(
        one for one in render("oes-redis", {"global": {"tests": {"enabled": True}}}) if one["kind"] == "Pod"
    )
    container = pod["spec"]["containers"][0]
    assert container["args"] == ["isd-oes-redis:6379"]
    command = [sys.executable, *container["command"][1:]]
    with serving(lambda method, path, body: {}) as address:
        done = subprocess.run([*command, address.removeprefix("http://")], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith(" answers\n")
    closed = f"127.0.0.1:{ports.free_port()}"
    assert subprocess.run([*command, closed], capture_output=True, check=False).returncode != 0


def apply(tmp_path: Path, curl: str, hal: str) -> subprocess.CompletedProcess[str]:
    needs.program("sh", "dash")
    program(tmp_path / "bin", "curl", f"#!/bin/sh\n{curl}\n")
    program(tmp_path / "bin", "hal", f"#!/bin/sh\n{hal}\n")
    text = (CHARTS / "halyard" / "files" / "apply.sh").read_text()
    for path in ("/dev/termination-log", "/tmp/apply.log", "/proc/1/fd/1"):
        text = text.replace(path, str(tmp_path / Path(path).name))
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-c", text, "apply.sh", "0", "--flush"], env=env, capture_output=True, text=True, check=False
    )


def test_halyard_is_waited_for_and_told_to_deploy(tmp_path: Path) -> None:
    done = apply(tmp_path, "exit 0", f'echo "$@" > {tmp_path}/asked; echo deployed')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text() == "deploy apply --no-color --flush\n"


def test_a_deployment_that_fails_says_why(tmp_path: Path) -> None:
    done = apply(tmp_path, "exit 0", "echo the reason; exit 1")
    assert done.returncode == 1
    assert (tmp_path / "termination-log").read_text() == "the reason\n"


def test_a_halyard_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    done = apply(tmp_path, "exit 7", "exit 0")
    assert done.returncode == 1
    said = "Halyard does not answer after 0 seconds. See its log above.\n"
    assert (tmp_path / "termination-log").read_text() == said
