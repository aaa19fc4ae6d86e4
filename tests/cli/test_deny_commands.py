"""`--deny-commands`, against a repository that tries to get out of it."""

from __future__ import annotations

import json
from pathlib import Path

import program
import pytest

CONFIG = """\
deploymentConfigurations:
- name: default
  version: 1.36.0
  providers:
    dockerRegistry:
      accounts:
      # halgit: ignore=trust/runs-command we need it
      - {name: hub, address: 'https://h.example', username: bot, passwordCommand: cat /tmp/password}
"""
MESSAGE = "passwordCommand runs a program in the pod that reads it."


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that waives, ignores and lowers the rule."""
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "halgit.yaml").write_text(
        "rules: {ignore: [trust/*, trust], severity: {trust/runs-command: info}}\ndialect: halgit\n"
    )
    return tmp_path


def test_no_repository_setting_lowers_it(repository: Path) -> None:
    ran = program.halgit("validate", "--repo", repository, "--format", "json")
    found = [one for one in json.loads(ran.out)["findings"] if one["rule"] == "trust/runs-command"]
    assert [(one["severity"], one["message"], one["line"]) for one in found] == [("warning", MESSAGE, 8)]


@pytest.mark.parametrize("arguments", [["--deny-commands"], ["--deny-commands", "--no-validate"]])
def test_the_operator_refuses_it(repository: Path, tmp_path: Path, arguments: list[str]) -> None:
    out = tmp_path / "out" / ".hal"
    ran = program.halgit("render", "--repo", repository, "--out", out, *arguments)
    assert ran.code == 1
    assert f"config:8:83: error: {MESSAGE}" in ran.err
    assert not out.exists()


def test_a_variable_is_enough(repository: Path) -> None:
    ran = program.halgit("validate", "--repo", repository, HALGIT_DENY_COMMANDS="true")
    assert ran.code == 1


def test_the_list_of_secrets_names_it(repository: Path) -> None:
    ran = program.halgit("secrets", "list", "--repo", repository)
    assert MESSAGE in ran.out
    answer = json.loads(program.halgit("secrets", "list", "--repo", repository, "--format", "json").out)
    assert answer["commands"] == [{"path": "config:8", "message": MESSAGE}]
