"""The whole loop: a real git server, the fake Halyard, the real program, random commits, and kills of either side.

The short run is part of the suite. `make soak` runs 200 commits. The seed is printed, and SOAK_SEED repeats it.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from servers.git_http import GitHttpServer
from servers.halyard_tasks import Pace
from sync_world import CONFIG, GATE, ORCA, World, until, world

SECRET = re.compile(r"s3cret-[0-9]+-[0-9a-f]{24}")
REFERENCE = "${{ secret('file://PLACE') }}"
ZONES = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York")


@dataclass
class Chaos:
    """One run. `trees` are the valid commits: for each the files that Halyard reads, secrets still referenced."""

    one: World
    place: Path
    random: random.Random
    trees: list[dict[str, str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    kills: int = 0
    restarts: int = 0

    # --- what happens

    def rotate(self) -> None:
        """Put another value into the secret."""
        self.secrets.append(f"s3cret-{len(self.secrets)}-{self.random.getrandbits(96):024x}")
        self.place.write_text(self.secrets[-1])

    def commit(self, number: int, *, valid: bool) -> None:
        """Commit a change; every valid commit is one of a kind."""
        tree = dict(self.trees[-1]) if self.trees else self.first()
        what = self.random.choice(("gate", "orca", "both", "config", "comment"))
        if what in ("gate", "both") or not valid:
            tree[GATE] = f"number: {number}\npassword: {self.reference}\n"
        if what in ("orca", "both"):
            tree[ORCA] = f"number: {number}\n"
        if what == "config":
            tree["config"] = CONFIG.format(zone=self.random.choice(ZONES)) + f"# {number}\n"
        if what == "comment":
            tree[GATE] += f"# {number}\n"
        if valid:
            self.trees.append(tree)
        else:
            tree = {**tree, "config": CONFIG.format(zone=f"Mars/X{number}")}
        self.one.repository.commit(tree)

    def first(self) -> dict[str, str]:
        return {"config": CONFIG.format(zone="UTC"), GATE: f"password: {self.reference}\n", ORCA: "number: 0\n"}

    @property
    def reference(self) -> str:
        return REFERENCE.replace("PLACE", str(self.place))

    def start(self) -> None:
        self.process = self.one.start("--interval", "0.05", "--allow-engine", "file", "--refresh", "2")

    def kill(self) -> None:
        """Kill sync where it stands, and start it again."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.kills += 1
        self.start()

    def restart(self) -> None:
        """The daemon dies and comes back a moment later."""
        self.one.daemon.down = True
        self.one.daemon.restart(unseen=self.random.random() < 0.5)
        time.sleep(self.random.uniform(0.05, 0.3))
        self.one.daemon.down = False
        self.restarts += 1

    def disturb(self) -> None:
        """One of the things that go wrong."""
        daemon = self.one.daemon
        what = self.random.choice(
            ("kill", "kill", "restart", "restart", "polls", "refuse", "early", "rotate", "slow", "hand", "hand")
        )
        if what == "kill":
            self.kill()
        elif what == "restart":
            self.restart()
        elif what == "hand":
            daemon.pace = Pace(generate=0.05, apply=0.1)
            if daemon.deploy_by_hand():
                self.commit(len(self.trees) + 1000, valid=True)
        elif what == "polls":
            daemon.failing_polls = 2
        elif what == "early":
            daemon.early_states = True
        elif what == "rotate":
            self.rotate()
        elif what == "refuse":
            daemon.refuse_manifest({self.random.choice(("gate", "orca"))}, "error: unable to connect to the server")
        else:
            daemon.pace = Pace(generate=self.random.uniform(0, 0.02), apply=self.random.uniform(0, 0.1))

    # --- what must hold

    def is_done(self) -> bool:
        """Whether the last valid commit is what both services run, and nothing waits."""
        gate, orca = self.one.daemon.given("gate"), self.one.daemon.given("orca")
        if gate is None or orca is None or not (self.one.hal.parent / ".hal.sync.json").exists():
            return False
        text = self.last(GATE).encode()
        same = _meaning(gate.files["gate-local.yml"]) == _meaning(text)
        same = same and orca.files["orca-local.yml"] == self.last(ORCA).encode()
        return same and self.one.state["pending"] is None and (self.one.hal / GATE).read_bytes() == text

    def last(self, path: str) -> str:
        return self.trees[-1][path].replace(self.reference, self.secrets[-1])

    def check_nothing_torn(self) -> None:
        """Every deploy gave all its services the files of one commit, with one value of the secret."""
        known = [self._digests(tree) for tree in self.trees]
        by_task: dict[str, set[tuple[str, str]]] = {}
        for one in self.one.daemon.applied:
            rows = by_task.setdefault(one.task, set())
            rows.add(("config", one.config))
            if one.service in ("gate", "orca"):
                text = SECRET.sub(self.reference, one.files[f"{one.service}-local.yml"].decode())
                rows.add((one.service, hashlib.sha256(text.encode()).hexdigest()))
                assert len(set(SECRET.findall(one.files[f"{one.service}-local.yml"].decode()))) <= 1
        for task, rows in by_task.items():
            assert any(rows <= commit for commit in known), f"the deploy {task} is a mixture"

    def _digests(self, tree: dict[str, str]) -> set[tuple[str, str]]:
        named = {"config": tree["config"], "gate": tree[GATE], "orca": tree[ORCA]}
        return {(name, hashlib.sha256(text.encode()).hexdigest()) for name, text in named.items()}

    def check_no_secret_appeared(self) -> None:
        """No value of the secret is in the log, in the state, or in the name of a file."""
        seen = self.one.log + (self.one.hal.parent / ".hal.sync.json").read_text()
        assert not SECRET.findall(seen)
        assert not any(SECRET.search(str(path)) for path in self.one.folder.rglob("*"))


def _meaning(text: bytes) -> bytes:
    """The text without comments: a change of comments alone is not deployed."""
    return b"\n".join(line for line in text.splitlines() if not line.startswith(b"#"))


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    seed = int(os.environ.get("SOAK_SEED") or random.randrange(1_000_000))
    print(f"SOAK_SEED={seed}")
    with world(tmp_path) as one, GitHttpServer(tmp_path / "served") as git:
        one.url = f"{git.url}/repo/.git"
        run = Chaos(one, tmp_path / "password", random.Random(seed))
        run.rotate()
        run.trees.append(run.first())
        one.repository.commit(run.trees[0])
        run.start()
        try:
            yield run
        finally:
            assert run.process is not None
            run.process.kill()
            run.process.wait()


def test_the_last_commit_is_deployed_whatever_dies(chaos: Chaos) -> None:
    commits = int(os.environ.get("SOAK", "12"))
    daemon = chaos.one.daemon
    for number in range(1, commits + 1):
        chaos.commit(number, valid=chaos.random.random() < 0.85)
        time.sleep(chaos.random.uniform(0, 0.8))
        chaos.disturb()
        if chaos.random.random() < 0.3:
            daemon.refuse_manifest(set(), "")
    daemon.refuse_manifest(set(), "")
    chaos.kill()
    chaos.restart()
    chaos.rotate()
    chaos.commit(commits + 1, valid=True)
    until(chaos.is_done, 90)
    chaos.check_nothing_torn()
    chaos.check_no_secret_appeared()
    assert daemon.overlaps == 0, f"{[task.uuid in daemon.by_hand for task in daemon.deploys]}"
    assert daemon.rewrites == daemon.diffs == 0
    assert chaos.kills
    assert chaos.restarts
    print(f"{commits} commits, {chaos.kills} kills, {chaos.restarts} restarts, {len(daemon.deploys)} deploys")
