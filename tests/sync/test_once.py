"""`halgit sync --once`: what is rendered, published and deployed, and what is not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from servers.halyard_tasks import Pace
from servers.http import Asked, Said, server
from sync_world import CONFIG, GATE, World, tree


def test_the_first_run_publishes_and_deploys_everything(one: World) -> None:
    ran = one.once()
    assert ran.code == 0, ran.err
    assert (one.hal / GATE).read_text() == "a: 1\n"
    assert one.daemon.asked_services == [[]]
    assert "Deploying all services.\nDeployed all services in" in ran.err
    commit = one.repository.git("rev-parse", "HEAD")
    assert one.state["deployed"]["revision"] == commit
    assert one.state["pending"] is None


def test_a_second_run_of_the_same_deploys_nothing(one: World) -> None:
    assert one.once().code == 0
    ran = one.once()
    assert (ran.code, len(one.daemon.deploys)) == (0, 1), ran.err
    assert one.once("--full").code == 0
    assert one.daemon.asked_services == [[], []]


@pytest.mark.parametrize(
    ("change", "services"),
    [
        ({GATE: "a: 2\n"}, [["gate"]]),
        ({GATE: "# a comment\na: 1\n"}, []),
        ({"README.md": "words"}, []),
        ({"accounts/clouddriver-local.yml": "kubernetes: {accounts: []}\n"}, []),
        (tree(zone="Europe/Berlin"), [["clouddriver", "deck", "echo", "front50", "gate", "orca", "rosco"]]),
        ({"default/service-settings/orca.yml": None}, [["orca"]]),
    ],
)
def test_only_the_services_that_a_change_reaches_are_deployed(
    one: World, change: dict[str, str | None], services: list[list[str]]
) -> None:
    one.repository.commit({name: "env: {A: a}\n" for name, text in change.items() if text is None})
    assert one.once().code == 0
    one.repository.commit({name: "env: {A: b}\n" if text is None else text for name, text in change.items()})
    ran = one.once()
    assert ran.code == 0, ran.err
    assert [sorted(names) for names in one.daemon.asked_services[1:]] == services
    assert one.state["deployed"]["revision"] == one.repository.git("rev-parse", "HEAD")


def test_a_change_that_fails_validation_never_touches_the_tree(one: World) -> None:
    assert one.once().code == 0
    before = {path: path.read_bytes() for path in one.hal.rglob("*") if path.is_file()}
    one.repository.commit(tree(zone="Mars/X"))
    ran = one.once()
    assert ran.code == 1
    assert "Mars/X" in ran.err
    assert {path: path.read_bytes() for path in one.hal.rglob("*") if path.is_file()} == before
    assert len(one.daemon.deploys) == 1


def test_a_failed_deploy_is_exit_7_with_the_problems_as_findings(one: World) -> None:
    one.daemon.refuse_manifest({"gate"}, "error: unable to connect to the server: i/o timeout")
    ran = one.once("--format", "json")
    assert ran.code == 7
    said = json.loads(ran.out)
    assert said["error"]["code"] == 7
    assert said["error"]["message"].startswith("Halyard failed the deploy (FAILED).")
    assert said["services"]["gate"] == "FAILED"
    errors = [finding["message"] for finding in said["findings"] if finding["severity"] == "error"]
    refused = (
        "gate was not deployed: Failed to deploy manifest Secret/spin-gate-files-1234567 (not shown: it may hold "
        "secrets): error: unable to connect to the server: i/o timeout"
    )
    assert refused in errors  # others may have been interrupted when the deploy failed
    assert not any("data:" in text or "YTogMQo" in text for text in errors)
    assert one.state["pending"]["attempts"] == 1


def test_after_a_failure_the_same_services_are_deployed_again(one: World) -> None:
    assert one.once().code == 0
    one.repository.commit({GATE: "a: 2\n"})
    one.daemon.refuse_manifest({"gate"}, "error: no")
    assert one.once().code == 7
    one.daemon.refuse_manifest(set(), "")
    one.repository.commit({"default/profiles/orca-local.yml": "a: 2\n"})
    assert one.once().code == 0
    assert [sorted(names) for names in one.daemon.asked_services] == [[], ["gate"], ["gate", "orca"]]


def test_a_problem_of_halyard_is_placed_in_the_file_of_the_layer(one: World) -> None:
    one.daemon.zones = frozenset({"Etc/UTC"})
    ran = one.once()
    assert ran.code == 7
    assert "config:3:3: error: Timezone UTC does not match any known canonical timezone ID" in ran.err


def test_a_tree_that_lies_there_is_deployed_although_the_source_is_away(one: World) -> None:
    """What an init container rendered."""
    from program import halgit

    assert halgit("render", "--repo", one.url, "--out", one.hal).code == 0
    one.url = "file:///nonexistent"
    ran = one.once()
    assert ran.code == 3
    assert one.daemon.deploys[0].state == "SUCCEEDED"
    assert one.once().code == 3
    assert len(one.daemon.deploys) == 1


def test_no_tree_is_never_deployed(one: World) -> None:
    """Halyard would take it for an empty Spinnaker."""
    one.url = "file:///nonexistent"
    assert one.once().code == 3
    assert not one.daemon.deploys


def test_a_changed_tree_is_neither_deployed_nor_replaced_without_self_heal(one: World) -> None:
    assert one.once().code == 0
    (one.hal / GATE).write_text("by: hand\n")
    ran = one.once()
    assert ran.code == 5
    assert f"changed since halgit wrote it: {GATE}" in ran.err
    assert (one.hal / GATE).read_text() == "by: hand\n"
    healed = one.once("--self-heal")
    assert healed.code == 0, healed.err
    assert (one.hal / GATE).read_text() == "a: 1\n"
    assert len(one.daemon.deploys) == 1


def test_placeholder_values_are_never_deployed(one: World) -> None:
    from program import halgit

    assert halgit("render", "--repo", one.url, "--out", one.hal, "--secrets", "mask").code == 0
    one.url = "file:///nonexistent"
    ran = one.once()
    assert ran.code == 7
    assert f"{one.hal}: its secrets are placeholder values." in ran.err
    assert not one.daemon.deploys


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (["--plan-only"], "--plan-only is set"),
        (["--suspend", "/etc/hostname"], "/etc/hostname exists"),
        (["--window", "Mon-Sun 00:00-00:00"], "no maintenance window is open"),
    ],
)
def test_a_hold_publishes_and_deploys_nothing_but_shows_the_plan(one: World, option: list[str], reason: str) -> None:
    assert one.once().code == 0
    one.repository.commit({GATE: "a: 2\n"})
    if reason.startswith("no maintenance"):
        option = ["--window", _closed_window()]
    ran = one.once(*option, "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["held"] == reason
    assert f"Held: {reason}. To be deployed: gate." in ran.err
    assert ran.json["plan"] == {"services": ["gate"], "stopped": [], "summary": ran.json["plan"]["summary"]}
    assert (one.hal / GATE).read_text() == "a: 1\n"
    assert len(one.daemon.deploys) == 1
    assert one.once().code == 0
    assert one.daemon.asked_services[1:] == [["gate"]]


def _closed_window() -> str:
    from datetime import datetime, timedelta, timezone

    now = datetime.now(timezone.utc)
    start, end = now - timedelta(hours=3), now - timedelta(hours=2)
    return f"{start:%H:%M}-{end:%H:%M}"


def test_a_rollback_deploys_the_last_good_revision_again(one: World) -> None:
    assert one.once().code == 0
    good = one.repository.git("rev-parse", "HEAD")
    one.repository.commit({GATE: "a: bad\n"})

    def refuse(service: str, manifest: str) -> str:
        return "Failed to deploy manifest:\nkind: Secret\n\nerror: bad\n\n" if "YTogYmFkCg==" in manifest else ""

    one.daemon.kubectl = refuse
    ran = one.once("--rollback")
    assert ran.code == 7
    assert f"rolled back to {good[:12]}" in ran.err
    given = one.daemon.given("gate")
    assert given is not None
    assert given.files["gate-local.yml"] == b"a: 1\n"
    assert (one.hal / GATE).read_text() == "a: 1\n"
    again = one.once("--rollback", "--format", "json")
    assert again.code == 0
    assert "was rolled back" in again.json["held"]
    assert len(one.daemon.deploys) == 3
    one.repository.commit({GATE: "a: 3\n"})
    assert one.once("--rollback").code == 0
    assert (one.hal / GATE).read_text() == "a: 3\n"


def test_a_secret_of_the_tree_is_in_no_message(one: World, tmp_path: Path) -> None:
    """Neither in the output nor in what others are told, though kubectl's own words hold it."""
    one.repository.commit({GATE: "password: ${{ secret('env://PASSWORD') }}\n"})
    sent: list[bytes] = []

    def receive(asked: Asked) -> Said:
        sent.append(asked.body)
        return Said()

    with server(receive) as url:
        (tmp_path / "notify").write_text(url)
        options = ("--allow-engine", "env", "--notify-url-file", tmp_path / "notify", "--format", "json")
        for value in ("hunter2-hunter2", "another-hunter3"):
            one.daemon.refuse_manifest({"gate"}, f"error: {value} is no password")
            ran = one.once(*options, PASSWORD=value)
            assert ran.code == 7
            assert (one.hal / GATE).read_text() == f"password: {value}\n"
            assert "******** is no password" in ran.err
            assert value not in ran.out + ran.err + json.dumps(one.state)
            assert value.encode() not in b"".join(sent)
    assert b"is no password" in b"".join(sent)


def test_a_config_of_another_deployment_name_is_deployed_by_it(one: World) -> None:
    text = CONFIG.format(zone="UTC").replace("name: default", "name: prod").replace(
        "currentDeployment: default", "currentDeployment: prod"
    )  # fmt: skip
    one.repository.git("rm", "-rq", "default")
    one.repository.commit({"config": text})
    ran = one.once()
    assert ran.code == 0, ran.err
    assert any("/deployments/prod/deploy/" in path for _, path in one.daemon.requests)


def test_the_tree_is_not_replaced_while_somebody_else_deploys(one: World) -> None:
    """A deploy reads profiles while it generates, staged files while it applies, and the halconfig at its end."""
    assert one.once().code == 0
    old = (one.hal / "config").read_bytes()
    one.repository.commit(tree(zone="Europe/Berlin", gate="a: 2\n", orca="a: 2\n"))
    one.daemon.pace = Pace(generate=0.3, apply=0.5)
    assert one.daemon.deploy_by_hand()
    ran = one.once()
    assert ran.code == 0, ran.err
    by_hand = [given for given in one.daemon.applied if given.task == one.daemon.deploys[1].uuid]
    assert {given.config for given in by_hand} == {hashlib.sha256(old).hexdigest()}
    assert {given.files["orca-local.yml"] for given in by_hand if given.service == "orca"} == {b"a: 1\n"}
    assert [task.state for task in one.daemon.deploys] == ["SUCCEEDED"] * 3
    assert one.daemon.overlaps == 0
    given = one.daemon.given("orca")
    assert given is not None
    assert given.files["orca-local.yml"] == b"a: 2\n"


def test_a_daemon_that_cannot_start_still_gets_the_tree_that_may_fix_it(one: World) -> None:
    """Its own configuration may be what keeps it from starting, so nothing waits for it forever."""
    one.daemon.refuse_manifest({"gate"}, "error: no")
    assert one.once().code == 7
    state = one.state
    state["pending"]["task"] = "a-deploy-of-an-earlier-run"
    (one.hal.parent / ".hal.sync.json").write_text(json.dumps(state))
    one.daemon.down = True
    one.repository.commit({GATE: "a: 2\n"})
    ran = one.once("--halyard-wait", "1")
    assert ran.code == 7
    assert "is not up after 1 seconds." in ran.err
    assert (one.hal / GATE).read_text() == "a: 2\n"


def test_an_unsigned_commit_is_neither_published_nor_deployed(one: World, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("somebody@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAA"
                                      "AAAAAAAAAAAAAAAAAAAAAA\n")  # fmt: skip
    ran = one.once("--verify-signatures", tmp_path / "signers")
    assert ran.code == 3
    assert "sign" in ran.err
    assert not one.daemon.deploys
    assert not one.hal.exists()


def test_locked_deploys_what_the_lock_records_and_nothing_else(one: World) -> None:
    lock = one.halgit("lock", "--repo", one.url, "--output", one.repository.folder / "halgit.lock")
    assert lock.code == 0, lock.err
    one.repository.commit()
    ran = one.once("--locked")
    assert ran.code == 0, ran.err
    one.repository.commit({GATE: "a: 2\n"})
    moved = one.once("--locked")
    assert moved.code == 3
    assert f"{GATE} has changed" in moved.err
    assert (one.hal / GATE).read_text() == "a: 1\n"
    assert len(one.daemon.deploys) == 1
