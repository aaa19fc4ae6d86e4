"""Lease, ConfigMap and Events of sync, against a fake that refuses what the API server refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers.kubernetes_objects import Objects, kubernetes_objects
from sync_world import GATE, World

from halgit.errors import RefusedError
from halgit.operator_settings import Access
from halgit.remotes.kubernetes_objects import KubernetesObjects
from halgit.sync.leadership import LeaseLeadership


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Objects]:
    with kubernetes_objects(tmp_path) as running:
        yield running


def connect(api: Objects) -> KubernetesObjects:
    return KubernetesObjects(Access(environment={"KUBECONFIG": api.kubeconfig()}, timeout=5, retries=0))


@dataclass
class Hand:
    """A clock that a test moves by hand."""

    at: float = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def replica(api: Objects, name: str, clock: Hand, lines: list[str] | None = None) -> LeaseLeadership:
    return LeaseLeadership(lambda: connect(api), "halgit", name, clock, (lines if lines is not None else []).append)


def test_one_replica_leads_and_another_takes_over_when_it_falls_silent(api: Objects) -> None:
    clock = Hand()
    first, second = replica(api, "a", clock), replica(api, "b", clock)
    first.renew()
    second.renew()
    assert (first.is_leader(), second.is_leader()) == (True, False)
    clock.at = 19.0
    first.renew()
    second.renew()
    assert (first.is_leader(), second.is_leader()) == (True, False)
    clock.at = 40.0
    assert not first.is_leader()  # before another one may take over
    second.renew()
    assert not second.is_leader()
    clock.at = 49.0
    second.renew()
    assert second.is_leader()
    first.renew()
    assert not first.is_leader()
    assert api.items["leases", "halgit"]["spec"]["leaseTransitions"] == 1


def test_a_lease_that_is_given_back_is_free_at_once(api: Objects) -> None:
    clock = Hand()
    first, second = replica(api, "a", clock), replica(api, "b", clock)
    first.renew()
    first.close()
    assert not first.is_leader()
    second.renew()
    assert second.is_leader()


def test_of_two_that_take_a_lease_at_once_one_wins(api: Objects) -> None:
    one, two = connect(api), connect(api)
    assert one.create_lease("halgit", "a", 30)
    assert not two.create_lease("halgit", "b", 30)
    record_one, record_two = one.lease("halgit"), two.lease("halgit")
    assert record_one is not None
    assert record_two is not None
    assert one.take_lease(record_one, "a", 30)
    assert not two.take_lease(record_two, "b", 30)


def test_a_refusal_is_reported_once_and_nobody_leads(api: Objects) -> None:
    api.denied = {("get", "leases")}
    lines: list[str] = []
    lease = replica(api, "a", Hand(), lines)
    lease.renew()
    lease.renew()
    assert not lease.is_leader()
    assert lines == [
        "The Lease halgit cannot be renewed: Kubernetes denied access to Lease halgit in namespace spinnaker: "
        "Forbidden. Grant the account's role the verb get for Leases there."
    ]


def test_a_config_map_keeps_what_others_wrote(api: Objects) -> None:
    objects = connect(api)
    objects.write_config_map("halgit-sync", {"status.json": "{}"}, {"a": "b"})
    item = api.items["configmaps", "halgit-sync"]
    item["metadata"]["annotations"] = {"halgit.opsmx.io/suspend": "true"}
    item["data"]["other"] = "kept"
    objects.write_config_map("halgit-sync", {"status.json": "{1}"}, {"a": "b"})
    assert api.items["configmaps", "halgit-sync"]["data"] == {"status.json": "{1}", "other": "kept"}
    assert objects.annotations("halgit-sync") == {"halgit.opsmx.io/suspend": "true"}
    assert objects.annotations("none") == {}


def test_a_long_message_is_cut_for_an_event(api: Objects) -> None:
    connect(api).create_event(("Pod", "halyard-0", "uid"), "Deployed", "x" * 5000, warning=False)
    (event,) = api.events()
    assert len(event["message"]) == 1024
    assert event["involvedObject"]["uid"] == "uid"
    api.denied = {("create", "events")}
    with pytest.raises(RefusedError):
        connect(api).create_event(("Pod", "halyard-0", "uid"), "Deployed", "x", warning=False)


def test_a_run_writes_the_condition_and_events(one: World, api: Objects) -> None:
    options = ("--status-config-map", "halgit-sync", "--pod-name", "halyard-0", "--pod-uid", "1")
    ran = one.once(*options, KUBECONFIG=api.kubeconfig())
    assert ran.code == 0, ran.err
    data = api.items["configmaps", "halgit-sync"]["data"]
    (condition,) = json.loads(data["conditions.json"])
    assert (condition["type"], condition["status"], condition["reason"]) == ("Synchronized", "True", "Deployed")
    assert json.loads(data["status.json"])["deployedRevision"] == one.repository.git("rev-parse", "HEAD")
    assert [(event["reason"], event["type"]) for event in api.events()] == [
        ("Deploying", "Normal"),
        ("Deployed", "Normal"),
    ]


def test_the_annotation_suspends(one: World, api: Objects) -> None:
    options = ("--status-config-map", "halgit-sync")
    assert one.once(*options, KUBECONFIG=api.kubeconfig()).code == 0
    api.items["configmaps", "halgit-sync"]["metadata"]["annotations"] = {"halgit.opsmx.io/suspend": "true"}
    one.repository.commit({GATE: "a: 2\n"})
    ran = one.once(*options, KUBECONFIG=api.kubeconfig())
    assert ran.code == 0
    assert "Held: the annotation halgit.opsmx.io/suspend is set on halgit-sync." in ran.err
    assert len(one.daemon.deploys) == 1


def test_an_api_server_that_refuses_stops_no_deploy(one: World, api: Objects) -> None:
    api.denied = {(verb, kind) for verb in ("get", "create", "update") for kind in ("configmaps", "events")}
    ran = one.once("--status-config-map", "halgit-sync", KUBECONFIG=api.kubeconfig())
    assert ran.code == 0
    assert (
        ran.err.count("Grant the account's role the verb get for ConfigMaps there.") == 2
    )  # the annotation, and the report
    assert len(one.daemon.deploys) == 1


def test_a_replica_without_the_lease_stands_by(one: World, api: Objects) -> None:
    api.items["leases", "halgit"] = {
        "metadata": {"name": "halgit", "namespace": "spinnaker", "resourceVersion": "1"},
        "spec": {"holderIdentity": "other", "leaseDurationSeconds": 3600},
    }
    single = one.once("--lease", "halgit", "--identity", "me", KUBECONFIG=api.kubeconfig())
    assert single.code == 0
    assert "Held: another replica is the leader." in single.err
    process = one.start("--lease", "halgit", "--identity", "me", "--interval", "0.2", KUBECONFIG=api.kubeconfig())
    try:
        time.sleep(4)
        assert not one.daemon.deploys
        api.items["leases", "halgit"]["spec"]["holderIdentity"] = ""
        end = time.monotonic() + 20
        while not one.daemon.deploys and time.monotonic() < end:
            time.sleep(0.05)
        assert one.daemon.deploys
    finally:
        process.terminate()
        process.wait()
    assert not api.items["leases", "halgit"]["spec"].get("holderIdentity")
