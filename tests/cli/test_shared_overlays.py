"""Several overlays share what they have in common: files are read once, and the findings are those of each alone."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from program import halgit

from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.remotes.directory import DirectorySnapshot

HEAD = "deploymentConfigurations:\n- name: default\n  providers:\n    kubernetes:\n      accounts:\n"
ACCOUNT = """      - name: account-{n}
        providerVersion: V2
        kinds: [a]
        omitKinds: {omitted}
        context: cluster-{n}
        customResources: []
"""
CHANGE = "      - {{name: account-{n}, omitKinds: [b], cacheThreads: -1, context: 'password: moved-secret-{n}'}}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """200 accounts, of which each overlay gives others a fault."""
    files = {"base/config": HEAD + "".join(ACCOUNT.format(n=n, omitted="[c]" if n == 7 else "[]") for n in range(200))}
    for number in range(4):
        files[f"overlays/o{number}/halgit.yaml"] = "bases: [../../base]\n"
        files[f"overlays/o{number}/config"] = HEAD + "".join(CHANGE.format(n=n) for n in range(number, 200, 40))
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def findings(repo: Path, *options: str) -> set[tuple[Any, ...]]:
    ran = halgit("validate", "--repo", str(repo), *options, "--format", "json")
    return {(one["rule"], one["file"], one["line"], one["message"]) for one in json.loads(ran.out)["findings"]}


def test_all_overlays_together_have_the_findings_of_each(repo: Path) -> None:
    alone = [findings(repo, "--overlay", f"o{number}") for number in range(4)]
    assert findings(repo, "--all-overlays") == set().union(*alone)
    assert all(len(one - set().union(*alone[:number], *alone[number + 1 :])) >= 5 for number, one in enumerate(alone))


def test_each_file_is_read_once(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, reads = DirectorySnapshot.read, Counter[str]()

    def counted(self: DirectorySnapshot, paths: Any) -> dict[str, bytes]:
        wanted = list(paths)
        reads.update(wanted)
        return read(self, wanted)

    monkeypatch.setattr(DirectorySnapshot, "read", counted)
    output = Output.current()
    with Session({"repos": (str(repo),), "overlay": ""}, output) as run:
        findings, _ = run.compile_all(run.open())
    assert findings
    assert reads["base/config"] == 1
    assert set(reads.values()) == {1}
