"""The client of Halyard's API and the deployer, against the fake that answers as the daemon was recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.halyard import Daemon, halyard
from servers.halyard_tasks import Pace

from halgit.errors import CorruptError, DeployError, RefusedError
from halgit.operator_settings import Access
from halgit.pipeline import Severity
from halgit.remotes.halyard import DeployRequest, Halyard, cut_manifest
from halgit.sync.deployer import Deployer, Limits, SystemClock
from halgit.sync.problems import locate, task_findings

CONFIG = """\
currentDeployment: default
deploymentConfigurations:
- name: default
  version: 1.36.0
  timezone: {zone}
  deploymentEnvironment: {{type: Distributed, accountName: spin}}
  providers:
    kubernetes:
      enabled: true
      accounts:
      - {{name: spin, serviceAccount: true}}
"""
QUICK = Limits(start=5, deploy=10, poll=0.01, ending=0.3, reruns=2)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    hal = tmp_path / ".hal"
    (hal / "default" / "profiles").mkdir(parents=True)
    (hal / "config").write_text(CONFIG.format(zone="UTC"))
    (hal / "default/profiles/gate-local.yml").write_text("a: 1\n")
    with halyard(hal) as running:
        yield running


def client(daemon: Daemon) -> Halyard:
    return Halyard(Access(timeout=5), daemon.url)


def deployer(daemon: Daemon, limits: Limits = QUICK, lines: list[str] | None = None) -> Deployer:
    return Deployer(client(daemon), limits, SystemClock(), (lines if lines is not None else []).append)


DEFAULT = DeployRequest("default")


def test_a_deploy_ends_with_the_state_of_every_service(daemon: Daemon) -> None:
    started: list[str] = []
    result = deployer(daemon).deploy(DEFAULT, started.append)
    assert result.succeeded
    assert [daemon.deploys[0].uuid] == started
    expected = ("redis", "clouddriver", "deck", "echo", "front50", "gate", "orca", "rosco")
    assert dict(result.services) == dict.fromkeys(expected, "SUCCEEDED")
    gate = daemon.given("gate")
    assert gate is not None
    assert gate.files["gate-local.yml"] == b"a: 1\n"


def test_only_the_named_services_are_deployed(daemon: Daemon) -> None:
    result = deployer(daemon).deploy(DeployRequest("default", ("gate", "orca")), lambda uuid: None)
    assert sorted(result.services) == ["gate", "orca"]
    assert daemon.asked_services == [["gate", "orca"]]


def test_a_failed_task_is_http_200_and_its_problems_become_findings(daemon: Daemon) -> None:
    (daemon.hal / "config").write_text(CONFIG.format(zone="Mars/X"))
    result = deployer(daemon).deploy(DEFAULT, lambda uuid: None)
    assert not result.succeeded
    config = {"deploymentConfigurations": [{"name": "default", "security": {}, "stats": {}}]}
    found = task_findings(result.task, config)
    assert [(one.severity, one.path[2:], one.message.split(".")[0]) for one in found] == [
        (Severity.ERROR, (), "Timezone Mars/X does not match any known canonical timezone ID"),
        (
            Severity.WARNING,
            ("security",),
            "Your UI or API domain does not have override base URLs set even though your Spinnaker deployment is a"
            " Distributed deployment on a remote cloud provider",
        ),
        (Severity.INFO, ("stats",), "Stats are currently DISABLED"),
    ]
    assert found[0].hint.startswith("Pick a timezone from those listed here: ")
    assert found[0].path == ("deploymentConfigurations", 0)


def test_a_higher_tolerated_severity_lets_errors_pass(daemon: Daemon) -> None:
    (daemon.hal / "config").write_text(CONFIG.format(zone="Mars/X"))
    assert deployer(daemon).deploy(DeployRequest("default", tolerated="ERROR"), lambda uuid: None).succeeded
    assert not deployer(daemon).deploy(DeployRequest("default", tolerated="NONE"), lambda uuid: None).succeeded


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("deploymentConfigurations: [", "Could not parse your halconfig: while parsing a flow"),
        ("deploymentConfigurations: [{name: default, timezonee: x}]", 'halconfig: Unrecognized field "timezonee"'),
        ("a: *tz", "Unexpected exception: found undefined alias"),
        ("", "You must pick a version of Spinnaker to deploy."),
        ("deploymentConfigurations: [{name: other}]", 'No deployment with name "default" could be found'),
    ],
)
def test_a_halconfig_that_cannot_be_deployed(daemon: Daemon, config: str, message: str) -> None:
    (daemon.hal / "config").write_text(config)
    result = deployer(daemon).deploy(DEFAULT, lambda uuid: None)
    assert result.task.state == "FAILED"
    assert message in result.task.problems[0].message


def test_an_unknown_service_fails_the_task(daemon: Daemon) -> None:
    result = deployer(daemon).deploy(DeployRequest("default", ("nope",)), lambda uuid: None)
    assert [one.message for one in result.task.problems] == [
        "Unexpected exception: java.lang.IllegalArgumentException: No service with canonical name nope exists."
    ]


def test_a_word_that_halyard_does_not_take_is_refused(daemon: Daemon) -> None:
    with pytest.raises(DeployError, match=r"Halyard refuses the deploy: .* HTTP 400"):
        deployer(daemon).deploy(DeployRequest("default", options=("NOPE",)), lambda uuid: None)
    with pytest.raises(RefusedError):
        client(daemon).deploy(DeployRequest("default", tolerated="SEVERE"))  # type: ignore[arg-type]


def test_another_server_at_the_address_is_not_taken_for_halyard(daemon: Daemon) -> None:
    with pytest.raises(CorruptError, match="not as Halyard does"):
        Halyard(Access(timeout=5), f"{daemon.url}/v1/nothing").task("x")


def test_a_poll_that_fails_once_is_asked_again(daemon: Daemon) -> None:
    daemon.pace = Pace(apply=0.2)
    daemon.failing_polls = 3
    daemon.early_states = True
    assert deployer(daemon).deploy(DEFAULT, lambda uuid: None).succeeded
    assert daemon.failing_polls == 0
    assert not daemon.early_states


def test_a_lost_task_is_deployed_again(daemon: Daemon) -> None:
    daemon.pace = Pace(apply=0.3)
    lines: list[str] = []

    def restart(uuid: str) -> None:
        if len(daemon.deploys) == 1:
            daemon.restart()

    assert deployer(daemon, lines=lines).deploy(DEFAULT, restart).succeeded
    assert len(daemon.deploys) == 2
    assert "Halyard lost the deploy (it was restarted); deploying again" in lines


def test_a_deploy_that_is_lost_again_and_again_has_no_outcome(daemon: Daemon) -> None:
    daemon.pace = Pace(apply=0.3)
    with pytest.raises(DeployError, match="lost the deploy 3 times, so its outcome is unknown"):
        deployer(daemon).deploy(DEFAULT, lambda uuid: daemon.restart())


def test_a_daemon_that_is_away_is_waited_for(daemon: Daemon) -> None:
    daemon.down = True
    threading.Timer(0.3, lambda: setattr(daemon, "down", False)).start()
    assert deployer(daemon).deploy(DEFAULT, lambda uuid: None).succeeded
    daemon.down = True
    with pytest.raises(DeployError, match=r"is not up after 0\.1 seconds"):
        deployer(daemon, Limits(start=0.1, poll=0.01)).wait_until_up()


def test_a_task_that_never_ends_is_interrupted_at_our_deadline(daemon: Daemon) -> None:
    daemon.stuck = True
    with pytest.raises(DeployError, match=r"has not ended the deploy after 0\.3 seconds, so halgit interrupted it"):
        deployer(daemon, Limits(start=1, deploy=0.3, poll=0.01, ending=5)).deploy(DEFAULT, lambda uuid: None)
    assert daemon.deploys[0].state == "TIMED_OUT"


def test_a_deploy_of_somebody_else_is_waited_for(daemon: Daemon) -> None:
    daemon.pace = Pace(generate=0.02, apply=0.1)
    client(daemon).deploy(DEFAULT)
    assert not deployer(daemon).is_idle()
    assert deployer(daemon).deploy(DEFAULT, lambda uuid: None).succeeded
    assert daemon.overlaps == 0
    assert [task.state for task in daemon.deploys] == ["SUCCEEDED", "SUCCEEDED"]


def test_two_deploys_at_once_tear_each_other(daemon: Daemon) -> None:
    """What the serializing is for: the fake does as the daemon was seen to do."""
    daemon.pace = Pace(generate=0.3)
    first, second = client(daemon).deploy(DEFAULT), client(daemon).deploy(DEFAULT)
    assert daemon.overlaps == 1
    states = [deployer(daemon).adopt(task.uuid) for task in (first, second)]
    assert [one.succeeded for one in states if one] == [False, True]
    lost = states[0]
    assert lost is not None
    assert lost.task.problems[0].message.startswith("Failed to write config for profile spinnaker.yml: /")


def test_a_deploy_of_an_earlier_run_is_adopted(daemon: Daemon) -> None:
    daemon.pace = Pace(apply=0.1)
    task = client(daemon).deploy(DEFAULT)
    adopted = deployer(daemon).adopt(task.uuid)
    assert adopted is not None
    assert adopted.succeeded
    daemon.collect(task.uuid)
    assert deployer(daemon).adopt(task.uuid) is None


def test_services_fail_on_their_own(daemon: Daemon) -> None:
    daemon.refuse_manifest({"gate"}, "error: unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout")
    result = deployer(daemon).deploy(DEFAULT, lambda uuid: None)
    assert result.services["gate"] == "FAILED"
    assert result.services["redis"] == "SUCCEEDED"
    found = [one.message for one in task_findings(result.task, {}) if one.severity is Severity.ERROR]
    assert (
        "gate was not deployed: Failed to deploy manifest Secret/spin-gate-files-1234567 (not shown: it may hold "
        "secrets): error: unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout"
    ) in found  # the failure may have interrupted others
    assert not any("YTogMQo=" in text for text in found)


def test_a_timeout_of_a_service_is_a_timeout_of_the_deploy(daemon: Daemon) -> None:
    daemon.pace = Pace(apply=3)
    request = DeployRequest("default", options=("WAIT_FOR_COMPLETION",), completion_minutes=1)
    task = client(daemon).deploy(request)
    time.sleep(0.1)
    client(daemon).interrupt(task.uuid)
    ended = deployer(daemon).adopt(task.uuid)
    assert ended is not None
    assert ended.task.state == "FAILED"
    assert "Interrupted during reap by exception: null" in ended.task.problems[0].message
    client(daemon).interrupt("unknown")


SECRET = """\
Failed to deploy manifest:
apiVersion: v1
kind: Secret
metadata:
  labels: {app: spin}
  name: spin-gate-files-1
type: Opaque
data:
  gate-local.yml: aHVudGVyMg==

  more: c2VjcmV0

The Secret "spin-gate-files-1" is invalid: data[x]: Invalid value: "hunter2": must be
* data[y]: Invalid value: "hunter2"
Error from server (BadRequest): error when creating "STDIN": object: &{map[data:map[x:aHVudGVyMg==]]}

"""


def test_a_manifest_is_cut_out_of_every_message() -> None:
    cut = cut_manifest(SECRET)
    assert cut == (
        "Failed to deploy manifest Secret/spin-gate-files-1 (not shown: it may hold secrets): The Secret "
        '"spin-gate-files-1" is invalid: data[x]: Error from server (BadRequest): error when creating "STDIN'
    )
    json_form = (
        'Unterminated deployment of manifest:\n{"apiVersion":"v1","kind":"Secret","data":{"x":"aHVudGVyMg=="}}\n'
    )
    assert cut_manifest(json_form) == "Unterminated deployment of manifest Secret (not shown: it may hold secrets)"
    plain = (
        "Failed check for Namespace/spinnaker in null\nerror: You must be logged in to the server (Unauthorized)\n\n"
    )
    assert cut_manifest(plain) == plain.strip()


def test_a_location_is_followed_as_far_as_the_halconfig_goes() -> None:
    config = {
        "deploymentConfigurations": [
            {"name": "other"},
            {"name": "prod", "providers": {"kubernetes": {"accounts": [{"name": "a"}, {"name": "b"}]}}},
        ]
    }
    start = ("deploymentConfigurations", 1)
    assert locate("prod.provider.kubernetes.b", config) == (*start, "providers", "kubernetes", "accounts", 1)
    assert locate("prod.security", config) == start
    assert locate("Global", config) == ()
    assert locate("nope.stats", config) == ()


def test_nothing_is_sent_that_changes_the_configuration(daemon: Daemon) -> None:
    deployer(daemon).deploy(DEFAULT, lambda uuid: None)
    assert daemon.rewrites == daemon.diffs == 0
    assert {method for method, _ in daemon.requests} == {"GET", "POST"}
