"""Input that is larger than any configuration: handled in seconds, or refused. Times are of the CPU, with a margin."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from program import halgit

CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
GATE = "default/profiles/gate-local.yml"
WIDE = "deploymentConfigurations:\n- name: default\n" + "".join(f"  unknown{n}: 1\n" for n in range(5_000))
SECONDS = 20
"""Each takes a few seconds alone; the margin is for a machine that does other things too."""

COPIES = ", ".join(f"{{op: copy, from: /a, path: /a/b{number}}}" for number in range(40))


def parameters(reference: Callable[[int], str]) -> str:
    return "".join(f"k{number}: {reference(number)}\n" for number in range(50_000))


CASES: dict[str, tuple[dict[str, str], str]] = {
    "unknown keys": ({"config": WIDE}, "more keys are unknown."),
    "parameters": (
        {"halgit.yaml": "params: {p: v}\n", GATE: parameters(lambda n: "${{ params.p }}")}, "persistentStoreType",
    ),
    "documents": ({GATE: "---\na: 1\n" * 300_000}, "The file has more than 1000 YAML documents. Split the file."),
    "profiles": ({f"default/profiles/svc{n}-local.yml": "a: 1\n" for n in range(3_000)}, "persistentStoreType"),
    "copies of copies": (
        {"halgit.yaml": f"patches:\n- {{target: {GATE}, ops: [{COPIES}]}}\n", GATE: "a: {x: 1}\n"},
        "The copies of this patch create more than 100000 values. Copy less.",
    ),
    "a glob with many stars": (
        {"halgit.yaml": "include: ['" + "*a" * 30 + "b']\n", "f/" + "a" * 200: "x"}, "persistentStoreType",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_ends(tmp_path: Path, case: str) -> None:
    files, words = CASES[case]
    for path, text in {"config": CONFIG, **files}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ran = halgit("validate", "--repo", tmp_path)
    assert ran.code == 1
    assert words in ran.out + ran.err
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < SECONDS
