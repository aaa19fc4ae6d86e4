"""A repository of today, in the opsmx dialect, renders without a change to it. Skips where none lies beside us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import judge
import pytest
from needs import shared_data
from program import Ran, halgit, tree
from real_repository import SECRETS, VALUES


@pytest.fixture(scope="module")
def repository() -> Path:
    return shared_data() / "standard-isd-gitops"


@pytest.fixture(scope="module")
def rendered(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    folder = tmp_path_factory.mktemp("real")
    arguments = [part for name, value in VALUES.items() for part in ("--set", f"{name}={value}")]
    given = {}
    for name, value in SECRETS.items():
        (folder / name).write_text(value)
        given[f"HALGIT_PARAM_{name}_FILE"] = str(folder / name)
    return halgit("render", "--repo", repository, *arguments, "--out", folder / ".hal", **given), folder / ".hal"


def test_it_renders_without_an_error(rendered: tuple[Ran, Path]) -> None:
    ran, _ = rendered
    assert ran.code == 0, ran.err
    assert "error" not in ran.err
    assert "RELEASE resembles a token but is none, and is kept unchanged. Did you mean RELEASE_NAME?" in ran.err


def filled(value: Any) -> Any:
    """What SnakeYAML read, with the tokens in its texts replaced."""
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, str):
        for name in sorted({**VALUES, **SECRETS}, key=len, reverse=True):
            value = value.replace(name, {**VALUES, **SECRETS}[name])
    return value


def test_the_halconfig_means_what_it_meant_with_exactly_the_tokens_replaced(
    repository: Path, rendered: tuple[Ran, Path]
) -> None:
    before = judge.read((repository / "config").read_bytes())
    after = judge.read((rendered[1] / "config").read_bytes())
    assert after == filled(before)
    assert after != before


def test_files_without_tokens_are_the_same_bytes(repository: Path, rendered: tuple[Ran, Path]) -> None:
    made = tree(rendered[1])
    same = [path for path, text in made.items() if path != ".halgit.json" and (repository / path).read_bytes() == text]
    changed = sorted(set(made) - set(same) - {".halgit.json"})
    assert changed == [
        "config",
        "default/profiles/orca-local.yml",
        "default/profiles/rosco-local.yml",
        "default/profiles/spinnakerconfig.yml",
        "default/service-settings/redis.yml",
    ]


def test_only_the_lines_of_tokens_differ(repository: Path, rendered: tuple[Ran, Path]) -> None:
    for path in ("config", "default/profiles/orca-local.yml", "default/profiles/spinnakerconfig.yml"):
        before = (repository / path).read_text().splitlines()
        after = (rendered[1] / path).read_text().splitlines()
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert old == new or any(name in old for name in {**VALUES, **SECRETS})


def test_values_that_broke_sed_arrive_whole(rendered: tuple[Ran, Path]) -> None:
    said = str(judge.read((rendered[1] / "default/profiles/spinnakerconfig.yml").read_bytes()))
    assert repr(SECRETS["GIT_TOKEN"]) in said
    assert "'KEYSTONE'" in said


def test_without_values_every_open_token_is_told_with_file_and_line(repository: Path, tmp_path: Path) -> None:
    ran = halgit("render", "--repo", repository, "--out", tmp_path / ".hal", "--format", "json")
    assert ran.code == 1
    assert list(tmp_path.iterdir()) == []
    opened = [finding for finding in ran.json["findings"] if finding["rule"] == "opsmx/open-token"]
    assert all(finding["file"] and finding["line"] for finding in opened)
    tokens = {finding["message"].split()[1] for finding in opened}
    assert tokens == {*VALUES, *SECRETS}
    for finding in opened:
        line = (repository / finding["file"]).read_text().splitlines()[finding["line"] - 1]
        assert finding["message"].split()[1] in line
