"""The fake Halyard against the recordings of the real one: statuses, bodies, the order of fields, the words."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.halyard import Daemon, halyard
from servers.halyard_tasks import Pace
from sync_world import tree

TASK = ["name", "timeout", "events", "children", "uuid", "timedOut", "version", "state", "response", "fatalError",
        "runningJobs"]  # fmt: skip
FATAL = ["cause", "stackTrace", "problems", "responseCode", "message", "suppressed", "localizedMessage"]
DEPLOY = "/v1/config/deployments/default/deploy/"
ERROR = r'\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00","status":%d,"error":"%s","path":"%s"\}'


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    for name, text in tree().items():
        path = tmp_path / ".hal" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with halyard(tmp_path / ".hal") as running:
        yield running


def ask(daemon: Daemon, method: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(daemon.url + path, method=method), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def finished(daemon: Daemon, method: str, path: str) -> Any:
    """The task that a request starts, once it has ended."""
    status, text = ask(daemon, method, path)
    assert status == 200
    task = json.loads(text)
    end = time.monotonic() + 10
    while task["response"] is None:
        assert time.monotonic() < end
        task = json.loads(ask(daemon, "GET", f"/v1/tasks/{task['uuid']}/")[1])
    return task


def test_what_is_answered_byte_for_byte(daemon: Daemon) -> None:
    assert ask(daemon, "GET", "/health") == (200, '{"status":"UP"}')
    assert ask(daemon, "GET", "/v1/tasks/") == (200, '{"tasks":[]}')
    assert ask(daemon, "GET", "/v1/tasks/0a31c07c-f632-48fe-866c-7c50a212ac08/") == (200, "")
    assert ask(daemon, "GET", "/v1/nothing") == (
        200,
        '{"name":"v1","profiles":["nothing"],"label":null,"version":null,"state":null,"propertySources":[]}',
    )
    assert ask(daemon, "POST", f"{DEPLOY}?severity=SEVERE") == (400, "")
    assert ask(daemon, "GET", DEPLOY) == (404, "")
    status, text = ask(daemon, "POST", f"{DEPLOY}?deployOptions=NOPE")
    assert status == 400
    assert re.fullmatch(ERROR % (400, "Bad Request", DEPLOY), text)
    status, text = ask(daemon, "PUT", "/v1/tasks/unknown/interrupt")
    assert status == 404
    assert re.fullmatch(ERROR % (404, "Not Found", "/v1/tasks/unknown/interrupt"), text)
    daemon.pace = Pace(apply=0.5)
    uuid = json.loads(ask(daemon, "POST", DEPLOY)[1])["uuid"]
    daemon.failing_polls = 1
    status, text = ask(daemon, "GET", f"/v1/tasks/{uuid}/")
    assert status == 500
    assert re.fullmatch(ERROR % (500, "Internal Server Error", f"/v1/tasks/{uuid}/"), text)
    assert ask(daemon, "PUT", f"/v1/tasks/{uuid}/interrupt") == (200, "")


def test_a_deploy_from_its_first_answer_to_its_last(daemon: Daemon) -> None:
    daemon.pace = Pace(validate=0.1)
    first = json.loads(ask(daemon, "POST", f"{DEPLOY}?validate=true")[1])
    assert list(first) == TASK
    assert (first["name"], first["timeout"], first["state"]) == ("Apply deployment", 1800000, "RUNNING")
    (event,) = first["events"]
    assert list(event) == ["message", "stage", "timestamp"]
    assert event["message"] == "Validating halconfig with DeploymentConfigurationValidator"
    assert event["stage"] == "Running validation"
    assert (first["response"], first["fatalError"], first["runningJobs"]) == (None, None, [])
    last = finished(daemon, "POST", f"{DEPLOY}?validate=true")
    messages = [event["message"] for event in last["events"]]
    assert messages[-1] == "Waiting on deployments to complete"
    assert "Generated 3 profiles and discovered 1 custom profiles for gate" in messages
    child = last["children"][0]
    assert (child["name"], child["timeout"], list(child)) == ("Deploy spin-redis", 600000, TASK)
    assert last["response"]["responseBody"] == {"scriptPath": None, "scriptDescription": None, "autoRun": False}
    (problem,) = last["response"]["problemSet"]["problems"]
    assert list(problem) == ["message", "remediation", "options", "severity", "location"]
    assert (problem["severity"], problem["location"]) == ("INFO", "default.stats")
    rows = json.loads(ask(daemon, "GET", "/v1/tasks/")[1])["tasks"]
    assert list(rows[0]) == ["uuid", "name", "state", "lastEvent", "fatalException", "jobs", "children"]


def test_a_failure_is_a_task_with_a_fatal_error(daemon: Daemon) -> None:
    (daemon.hal / "config").write_text(tree(zone="Mars/X")["config"])
    task = finished(daemon, "POST", f"{DEPLOY}?validate=true")
    assert (task["state"], task["children"], list(task["fatalError"])) == ("FAILED", [], FATAL)
    assert task["fatalError"]["responseCode"] == 409
    assert task["fatalError"]["problems"]["problems"] == task["response"]["problemSet"]["problems"]
    unknown = finished(daemon, "GET", "/v1/config/deployments/nope/")
    assert unknown["name"] == "Get deployment configuration"
    assert unknown["fatalError"]["responseCode"] == 404
    (problem,) = unknown["response"]["problemSet"]["problems"]
    assert problem["message"] == 'No deployment with name "nope" could be found'
    assert problem["remediation"] == 'Create a new deployment with name "nope"'
    (daemon.hal / "config").write_text("{")
    assert finished(daemon, "GET", "/v1/config/")["events"] == []


def test_what_the_tree_lacks_looks_like_success(daemon: Daemon) -> None:
    (daemon.hal / "config").unlink()
    task = finished(daemon, "GET", "/v1/config/deployments/default/?validate=true")
    assert task["state"] == "SUCCEEDED"
    severities = [one["severity"] for one in task["response"]["problemSet"]["problems"]]
    assert "ERROR" not in severities
    deploy = finished(daemon, "POST", DEPLOY)
    assert deploy["response"]["problemSet"]["problems"][0]["message"] == (
        "You must pick a version of Spinnaker to deploy."
    )


@pytest.mark.parametrize(
    ("query", "state", "words"),
    [
        ("serviceNames=nope", "FAILED", "IllegalArgumentException: No service with canonical name nope exists."),
        ("deployOptions=DELETE_ORPHANED_SERVICES&serviceNames=gate", "FAILED", "Cannot delete orphaned services"),
        ("deployOptions=FLUSH_INFRASTRUCTURE_CACHES", "FAILED", "UnsupportedOperationException"),
        ("deployOptions=WAIT_FOR_COMPLETION&waitForCompletionTimeoutMinutes=0", "TIMED_OUT", "Child task timed out"),
    ],
)
def test_what_a_deploy_refuses(daemon: Daemon, query: str, state: str, words: str) -> None:
    daemon.pace = Pace(apply=0.2)
    task = finished(daemon, "POST", f"{DEPLOY}?{query}")
    assert task["state"] == state
    assert words in task["response"]["problemSet"]["problems"][0]["message"]


def test_the_other_calls(daemon: Daemon) -> None:
    start = "/v1/config/deployments/default"
    assert finished(daemon, "GET", "/v1/config/currentDeployment")["response"]["responseBody"] == "default"
    generated = finished(daemon, "POST", f"{start}/generate/")
    assert (generated["name"], generated["response"]["responseBody"]) == (
        "Generate config", f"{daemon.hal}/default/staging",
    )  # fmt: skip
    assert (daemon.hal / "default/staging/gate-local.yml").read_text() == "a: 1\n"
    prepared = finished(daemon, "POST", f"{start}/prep/")
    assert prepared["timeout"] == 300000
    assert prepared["response"]["responseBody"] == {"scriptPath": None, "scriptDescription": None, "autoRun": True}
    assert finished(daemon, "POST", f"{start}/connect/")["response"]["responseBody"]["scriptPath"].endswith(
        "connect.sh"
    )
    diff = finished(daemon, "GET", f"{start}/configDiff/")["response"]["responseBody"]
    assert diff["nodeDiffs"][0]["fieldDiffs"][0]["fieldName"] == "instanceId"
    assert "# " not in (daemon.hal / "config").read_text()
    finished(daemon, "PUT", f"{start}/version/")
    assert daemon.rewrites == 1
