"""One fault is told once: what only follows from a file that cannot be read, or a base that is not there, is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import halgit

PROD = "overlays/prod/halgit.yaml"
CONFLICT = "deploymentConfigurations:\n<<<<<<< HEAD\n- name: default\n=======\n- name: x\n>>>>>>> other\n"


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({PROD: "bases: [../nope]\n"}, ["merge/base-missing"]),
        ({PROD: "bases: 1\n"}, ["settings/type"]),
        ({PROD: "bases: [\n"}, ["yaml/syntax"]),
        ({PROD: "- bases\n"}, ["settings/type"]),
        ({PROD: "base: [../../base]\n"}, ["settings/unknown-key"]),
        ({"overlays/prod/config": CONFLICT}, ["yaml/conflict"]),
        ({"base/config": "", "overlays/prod/config": ""}, ["config/empty"]),
        ({"base/default/profiles/gate-local.yml": "a: ["}, ["yaml/syntax"]),
        ({"base/default/profiles/gate-local.yml": "a: encrypted:k8s!n:a!k:b\nc: ["}, ["yaml/syntax"]),
        # what does not follow from another fault is told beside it
        (
            {PROD: "bases: [../nope]\nrmove: []\n", "overlays/prod/default/profiles/echo-local.yml": "a: ["},
            ["merge/base-missing", "settings/unknown-key", "yaml/syntax"],
        ),
    ],
)
def test_one_fault_is_told_once(changed: dict[str, str], rules: list[str], tmp_path: Path) -> None:
    assert halgit("init", tmp_path).code == 0
    for path, text in changed.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    ran = halgit("validate", "--repo", tmp_path, "--overlay", "prod", "--format", "json")
    assert (ran.code, sorted(finding["rule"] for finding in ran.json["findings"])) == (1, rules)


def test_a_wrong_parameter_is_one_finding(tmp_path: Path) -> None:
    assert halgit("init", tmp_path).code == 0
    settings, config = tmp_path / "base" / "halgit.yaml", tmp_path / "base" / "config"
    settings.write_text(settings.read_text().replace("params:\n", "params:\n  threads: {type: integer, default: 1}\n"))
    value = "serviceAccount: true\n        cacheThreads: ${{ params.threads }}"
    config.write_text(config.read_text().replace("serviceAccount: true", value))
    arguments = ("validate", "--repo", tmp_path, "--overlay", "prod", "--format", "json")
    assert halgit(*arguments, "--set", "threads=2").json["findings"] == []
    ran = halgit(*arguments, "--set", "threads=abc")
    assert [finding["rule"] for finding in ran.json["findings"]] == ["parameter/value"]
