"""A render of unchanged sources and settings ends after reading the sources; anything that changed is rendered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from program import SAMPLE, Ran, halgit, tree

UNCHANGED = "unchanged, nothing written: sources and settings are those of the last render"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy of the sample, so that it can be changed."""
    shutil.copytree(SAMPLE, tmp_path / "repo")
    return tmp_path / "repo"


def render(repo: Path, *options: object, **environment: str) -> Ran:
    out = repo.parent / ".hal"
    return halgit(
        "render", "--repo", repo, "--overlay", "prod", "--out", out, "--secrets", "keep", *options, **environment
    )


def inputs(repo: Path) -> Any:
    return json.loads((repo.parent / ".hal" / ".halgit.json").read_text()).get("inputs")


def test_a_second_render_is_recognized(repo: Path) -> None:
    assert UNCHANGED not in render(repo).out
    before = tree(repo.parent / ".hal")
    again = render(repo)
    assert (again.code, again.err) == (0, "")
    assert UNCHANGED in again.out
    assert tree(repo.parent / ".hal") == before


def test_check_says_that_the_tree_is_up_to_date(repo: Path) -> None:
    render(repo)
    assert render(repo, "--check").code == 0


def test_findings_of_the_last_render_are_counted(repo: Path) -> None:
    profile = repo / "overlays" / "prod" / "default" / "profiles" / "nobody-local.yml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text("a: 1\n")
    first = render(repo)
    assert "profiles/" in first.err
    assert (
        render(repo).err
        == f"{inputs(repo)['findings']} finding as in the last render. Run `halgit validate` to list them.\n"
    )


@pytest.mark.parametrize(
    "options", [("--set", "logLevel=DEBUG"), ("--no-validate",), ("--fail-on", "warning"), ("--hal-home", "/x/.hal")]
)
def test_other_settings_render_again(repo: Path, options: tuple[str, ...]) -> None:
    render(repo)
    assert UNCHANGED not in render(repo, *options).out


def test_a_variable_that_sets_a_parameter_renders_again(repo: Path) -> None:
    render(repo)
    assert UNCHANGED not in render(repo, HALGIT_PARAM_LOG_LEVEL="DEBUG").out


@pytest.mark.parametrize("change", ["edit", "add", "remove", "layer settings"])
def test_a_changed_source_renders_again(repo: Path, change: str) -> None:
    render(repo)
    config = repo / "base" / "config"
    if change == "edit":
        config.write_text(config.read_text() + "# a comment\n")
    elif change == "add":
        (repo / "base" / "new").write_text("x")
    elif change == "remove":
        next((repo / "base" / "default" / "profiles").iterdir()).unlink()
    else:
        settings = repo / "overlays" / "prod" / "halgit.yaml"
        settings.write_text(settings.read_text() + "\n")
    assert UNCHANGED not in render(repo).out


@pytest.mark.parametrize("change", ["edit", "remove", "mode", "manifest"])
def test_a_changed_tree_is_not_taken_for_the_last_one(repo: Path, change: str) -> None:
    render(repo)
    config = repo.parent / ".hal" / "config"
    if change == "edit":
        config.write_text(config.read_text() + "# edited\n")
    elif change == "remove":
        config.unlink()
    elif change == "mode":
        config.chmod(0o644)
    else:
        (repo.parent / ".hal" / ".halgit.json").write_text("{}")
    assert UNCHANGED not in render(repo).out


def test_secrets_are_read_again(tmp_path: Path) -> None:
    repo, secret = tmp_path / "repo", tmp_path / "secret"
    shutil.copytree(SAMPLE / "base", repo / "base")
    (repo / "base" / "halgit.yaml").unlink()
    for file in (repo / "base" / "default").rglob("*"):
        if file.is_file():
            file.unlink()
    (repo / "halgit.yaml").write_text("bases: [base]\n")
    (repo / "base" / "config").write_text("deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n")
    profile = repo / "base" / "default" / "profiles" / "gate-local.yml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(f"a: ${{{{ secret('file://{secret}') }}}}\n")
    command = ("render", "--repo", repo, "--out", tmp_path / ".hal", "--allow-engine", "file", "--no-validate")
    secret.write_text("first-value")
    assert halgit(*command).code == 0
    secret.write_text("second-value")
    assert halgit(*command).code == 0
    rendered = (tmp_path / ".hal" / "default" / "profiles" / "gate-local.yml").read_text()
    assert rendered == "a: second-value\n"
    assert UNCHANGED not in halgit(*command).out


def test_no_digest_covers_a_secret_parameter(repo: Path) -> None:
    settings = repo / "base" / "halgit.yaml"
    settings.write_text(
        settings.read_text().replace("params:\n", "params:\n  pin: {type: string, secret: true, default: x}\n")
    )
    render(repo, "--set", "pin=1234")
    assert inputs(repo) is None
    assert UNCHANGED not in render(repo, "--set", "pin=1235").out
