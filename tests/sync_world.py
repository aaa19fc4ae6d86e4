"""What the tests of `halgit sync` share: a repository, a fake Halyard over a tree, and the program between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import program
from program import Ran
from servers.halyard import Daemon, halyard
from servers.repositories import Repository

CONFIG = """\
currentDeployment: default
deploymentConfigurations:
- name: default
  version: 1.36.0
  timezone: {zone}
  deploymentEnvironment:
    type: Distributed
    accountName: spin
    location: spinnaker
  persistentStorage: {{persistentStoreType: redis}}
  security:
    apiSecurity: {{overrideBaseUrl: https://gate.example.com}}
    uiSecurity: {{overrideBaseUrl: https://deck.example.com}}
  providers:
    kubernetes:
      enabled: true
      primaryAccount: spin
      accounts:
      - {{name: spin, serviceAccount: true}}
"""
GATE, ORCA = "default/profiles/gate-local.yml", "default/profiles/orca-local.yml"


def tree(zone: str = "UTC", gate: str = "a: 1\n", orca: str = "a: 1\n") -> dict[str, str]:
    """The files of a repository of one plain layer."""
    return {"config": CONFIG.format(zone=zone), GATE: gate, ORCA: orca}


@dataclass
class World:
    """One repository, one daemon, one tree. `url` is what `--repo` names."""

    folder: Path
    repository: Repository
    daemon: Daemon
    url: str
    halgit: Callable[..., Ran] = program.halgit

    @property
    def hal(self) -> Path:
        return self.daemon.hal

    @property
    def state(self) -> dict[str, Any]:
        """The state file."""
        found: dict[str, Any] = json.loads((self.hal.parent / ".hal.sync.json").read_text())
        return found

    def arguments(self, *more: object) -> list[str]:
        """The arguments of a sync against this world."""
        fixed = ("--repo", self.url, "--out", self.hal, "--halyard-url", self.daemon.url, "--poll", "0.02",
                 "--halyard-wait", "10", "--deploy-timeout", "30")  # fmt: skip
        return ["sync", *map(str, fixed), *map(str, more)]

    def once(self, *more: object, **environment: str) -> Ran:
        """Run `halgit sync --once` to its end."""
        return self.halgit(*self.arguments("--once", "--attempts", "1", *more), **environment)

    def start(self, *more: object, **environment: str) -> subprocess.Popen[str]:
        """Start a loop; whoever starts it ends it. Its stderr goes to the file `log`."""
        known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **environment}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "halgit", *self.arguments(*more)],
                env=known, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True)  # fmt: skip

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")


@contextmanager
def world(folder: Path, halgit: Callable[..., Ran] = program.halgit) -> Iterator[World]:
    """A world with one commit, for the length of a with block; `halgit` runs the program."""
    repository = Repository(folder / "served" / "repo")
    repository.commit(tree())
    (folder / "home").mkdir()
    with halyard(folder / "home" / ".hal") as daemon:
        yield World(folder, repository, daemon, repository.url, halgit)


@contextmanager
def running(one: World, *more: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = one.start("--interval", "0.2", *more, **environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition; fails where it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def is_deployed(one: World, text: bytes) -> bool:
    gate = one.daemon.given("gate")
    return gate is not None and gate.files.get("gate-local.yml") == text


def cpu(pid: int) -> float:
    """Seconds of CPU of a process and the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[index]) for index in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """KiB of memory of a process."""
    return next(
        int(line.split()[1])
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
