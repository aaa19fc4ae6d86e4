"""What sync remembers, and which services a new tree reaches."""

from __future__ import annotations

import pytest
from sync_world import CONFIG, GATE, ORCA, tree

from halgit.sync.plan import plan_deploy
from halgit.sync.state import Deployed, Pending, Services, SyncState, encode_state, parse_state

KEY = b"a key of this run"
A = Deployed("a", "rev-a", 1.0, "backup", "lock-a")


def published(state: SyncState, before: str, digest: str, services: Services) -> SyncState:
    return state.with_published(before, digest, services, f"rev-{digest}", f"lock-{digest}")


@pytest.mark.parametrize(
    ("state", "before", "digest", "reached", "deployed", "pending"),
    [
        # Nothing is known: everything is deployed, whatever the difference says.
        (SyncState(), "", "a", None, None, None),
        (SyncState(), "x", "a", ("gate",), None, None),
        # The published tree is the deployed one: what the difference reaches.
        (SyncState(deployed=A), "a", "b", ("gate",), "a", ("gate",)),
        (SyncState(deployed=A), "a", "b", None, "a", None),
        # Only comments changed: the new tree counts as deployed.
        (SyncState(deployed=A), "a", "b", (), "b", "none"),
        # Somebody else rendered the tree: all of it.
        (SyncState(deployed=A), "x", "b", ("gate",), "a", None),
        # One waits already: its services and those of the difference.
        (SyncState(deployed=A, pending=Pending("b", ("orca",))), "b", "c", ("gate",), "a", ("orca", "gate")),
        (SyncState(deployed=A, pending=Pending("b", None)), "b", "c", ("gate",), "a", None),
        # Back to the deployed tree after a deploy that may have reached some: those again.
        (SyncState(deployed=A, pending=Pending("b", ("orca",))), "b", "a", ("orca",), "a", ("orca",)),
        # Killed between the state and the publication: the old tree is there, and the services stay.
        (SyncState(deployed=A, pending=Pending("b", ("orca",))), "a", "b", ("orca",), "a", ("orca",)),
        # The same tree at a new revision.
        (SyncState(deployed=A, pending=Pending("b", ("orca",), attempts=2)), "b", "b", (), "a", ("orca",)),
    ],
)
def test_what_waits_after_a_tree_is_published(
    state: SyncState, before: str, digest: str, reached: Services, deployed: str | None, pending: Services | str
) -> None:
    after = published(state, before, digest, reached)
    assert (after.deployed.digest if after.deployed else None) == deployed
    if pending == "none":
        assert after.pending is None
        assert after.deployed == Deployed(digest, f"rev-{digest}", 1.0, "backup", f"lock-{digest}")
        return
    assert after.pending is not None
    assert (after.pending.digest, after.pending.services) == (digest, pending)
    assert after.pending.revision == f"rev-{digest}"


def test_the_state_survives_its_file() -> None:
    waiting = Pending("b", ("gate", "orca"), "rev", "task", 2, "lock")
    for state in (SyncState(), SyncState("prod", A, waiting, "bad"), SyncState(deployed=A, pending=Pending("b", None))):
        assert parse_state(encode_state(state)) == state
    assert SyncState(deployed=A, pending=waiting).with_failure().pending == Pending(
        "b", ("gate", "orca"), "rev", "", 3, "lock"
    )
    done = SyncState(deployed=A, pending=waiting).with_success(5.0, "after")
    assert (done.deployed, done.pending) == (Deployed("b", "rev", 5.0, "after", "lock"), None)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1}', b'{"format": 1, "deployed": 3}']
)
def test_a_broken_file_is_no_state(text: bytes) -> None:
    assert parse_state(text) is None


def files(**changes: str) -> dict[str, bytes]:
    return {path: text.encode() for path, text in {**tree(), **changes}.items()}


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        ({}, ()),
        ({GATE: "a: 2\n"}, ("gate",)),
        ({GATE: "# only a comment\na: 1\n"}, ()),
        ({GATE: "a: 2\n", ORCA: "b: 2\n"}, ("gate", "orca")),
        ({"default/profiles/settings-local.js": "window.x = 1;\n"}, ("deck",)),
        ({"config": CONFIG.format(zone="UTC").replace("1.36.0", "1.36.1")},
         ("clouddriver", "deck", "echo", "front50", "gate", "orca", "redis", "rosco")),
    ],
)  # fmt: skip
def test_a_plan_names_the_services_that_a_difference_reaches(
    changes: dict[str, str], services: tuple[str, ...]
) -> None:
    plan = plan_deploy(files(), files(**changes), KEY)
    assert plan.services is not None
    assert tuple(sorted(plan.services)) == services


def test_a_rotated_secret_is_a_difference_and_is_not_in_it() -> None:
    """Both trees hold their secrets in the open."""
    old, new = files(**{GATE: "password: hunter2-old\n"}), files(**{GATE: "password: hunter3-new\n"})
    plan = plan_deploy(old, new, KEY)
    assert plan.services == ("gate",)
    assert "hunter" not in repr(plan)


def test_a_sidecar_is_deployed_with_everything() -> None:
    """Halyard deploys the monitoring daemon with each service, and nothing when it is named alone."""
    metrics = CONFIG.format(zone="UTC") + "  metricStores:\n    prometheus: {enabled: true}\n"
    assert plan_deploy(files(), files(config=metrics), KEY).services is None


def test_a_service_that_stops_is_named_and_not_deployed() -> None:
    plan = plan_deploy(files(), files(**{"default/service-settings/rosco.yml": "enabled: false\n"}), KEY)
    assert plan.stopped == ("rosco",)
    assert plan.services is None or "rosco" not in plan.services


def test_without_an_old_tree_everything_is_deployed() -> None:
    assert plan_deploy(None, files(), KEY).services is None
