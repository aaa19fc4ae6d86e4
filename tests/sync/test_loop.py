"""The loop of `halgit sync` as a process: it notices changes, survives kills, and costs little."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise

from servers.git_http import GitHttpServer
from servers.halyard_tasks import Pace
from sync_world import GATE, World, cpu, is_deployed, resident, running, tree, until


def test_a_commit_is_deployed_without_anybody_asking(one: World) -> None:
    with running(one) as process:
        until(lambda: is_deployed(one, b"a: 1\n"))
        one.repository.commit({GATE: "a: 2\n"})
        until(lambda: is_deployed(one, b"a: 2\n"))
        assert [sorted(names) for names in one.daemon.asked_services] == [[], ["gate"]]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM


def test_a_bad_commit_is_reported_once_and_a_good_one_follows(one: World) -> None:
    with running(one):
        until(lambda: is_deployed(one, b"a: 1\n"))
        one.repository.commit(tree(zone="Mars/X"))
        until(lambda: "Mars/X" in one.log)
        time.sleep(1)
        assert one.log.count("Mars/X") == 1, one.log
        one.repository.commit(tree(gate="a: 3\n"))
        until(lambda: is_deployed(one, b"a: 3\n"))
    assert len(one.daemon.deploys) == 2


def test_what_failed_is_tried_again_with_longer_pauses(one: World) -> None:
    one.daemon.refuse_manifest({"gate"}, "error: no")
    with running(one, "--retry", "0.5"):
        until(lambda: len(one.daemon.deploys) >= 4 and one.daemon.deploys[3].events)
        begins = [task.events[0]["timestamp"] for task in one.daemon.deploys[:4]]
        pauses = [later - earlier for earlier, later in pairwise(begins)]
        assert pauses[0] >= 450
        assert pauses[1] >= 900
        assert pauses[2] >= 1800
        one.daemon.refuse_manifest(set(), "")
        until(lambda: is_deployed(one, b"a: 1\n"))
    assert "DaemonTaskInterrupted" not in one.log


def test_newer_commits_replace_those_that_wait(one: World) -> None:
    one.daemon.pace = Pace(apply=1.0)
    with running(one):
        until(lambda: one.daemon.deploys)
        for number in range(5, 10):
            one.repository.commit({GATE: f"a: {number}\n"})
        until(lambda: is_deployed(one, b"a: 9\n"))
    assert len(one.daemon.deploys) == 2
    assert one.daemon.overlaps == 0


def test_a_signal_starts_a_full_round(one: World) -> None:
    with running(one, "--interval", "1000") as process:
        until(lambda: is_deployed(one, b"a: 1\n"))
        one.repository.commit({GATE: "a: 2\n"})
        process.send_signal(signal.SIGUSR1)
        until(lambda: is_deployed(one, b"a: 2\n"))


def test_a_loop_that_was_killed_adopts_its_deploy(one: World) -> None:
    one.daemon.pace = Pace(apply=2.0)
    with running(one):
        until(lambda: one.daemon.deploys and one.state["pending"]["task"])
    with running(one):
        until(lambda: is_deployed(one, b"a: 1\n"))
        until(lambda: one.state["pending"] is None)
    assert len(one.daemon.deploys) == 1


def test_drift_is_reported_and_corrected_with_self_heal(one: World) -> None:
    with running(one, "--self-heal"):
        until(lambda: is_deployed(one, b"a: 1\n") and one.state["pending"] is None)
        (one.hal / GATE).write_text("by: hand\n")
        until(lambda: (one.hal / GATE).read_text() == "a: 1\n")
        assert f"Drift: {GATE}: changed since halgit wrote it." in one.log
        assert len(one.daemon.deploys) == 1
        backup = one.hal / ".backup" / "config"
        until(backup.exists)  # carried over a moment after the exchange
        backup.write_text("by: hand\n")
        until(lambda: len(one.daemon.deploys) == 2)
        assert "Drift: somebody else deployed after halgit did." in one.log


def test_drift_is_only_reported_without_self_heal(one: World) -> None:
    with running(one):
        until(lambda: is_deployed(one, b"a: 1\n") and one.state["pending"] is None)
        (one.hal / GATE).write_text("by: hand\n")
        until(lambda: "Drift: " in one.log)
        time.sleep(0.7)
        assert (one.hal / GATE).read_text() == "by: hand\n"
        assert one.log.count("Drift: ") == 1


def test_a_round_without_a_change_is_one_ls_remote_and_costs_little(one: World) -> None:
    """At most 20 ms of CPU for a round, git included, and memory that stays: 60 rounds here, 1,000 with `make soak`."""
    rounds = 1000 if os.environ.get("SOAK") else 60
    with GitHttpServer(one.folder / "served") as server:
        one.url = f"{server.url}/repo/.git"
        with running(one, "--interval", "0.05") as process:
            until(lambda: is_deployed(one, b"a: 1\n") and one.state["pending"] is None)
            warmed = len(server.seen) + 20
            until(lambda: len(server.seen) >= warmed, 60)
            asked, spent, memory = len(server.seen), cpu(process.pid), resident(process.pid)
            # Protocol 2: one GET for the capabilities, one POST that lists the ref.
            until(lambda: len(server.seen) >= asked + 2 * rounds, 600)
            requests, used, grown = len(server.seen) - asked, cpu(process.pid) - spent, resident(process.pid) - memory
            seen = server.seen[asked:]
    assert {request.path.split("?")[0].rsplit("/", 1)[1] for request in seen} == {"refs", "git-upload-pack"}
    print(f"{used / (requests / 2) * 1000:.1f} ms of CPU for each of {requests // 2} rounds, {grown} KiB grown")
    assert used / (requests / 2) < 0.020
    assert grown < 1024
