"""Overlays in nested folders, and folders below overlays/ without a layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import halgit

CONFIG = """deploymentConfigurations:
- name: default
  version: 1.30.1
  persistentStorage: {persistentStoreType: redis}
"""
FILES = {
    "base/config": CONFIG,
    "overlays/eu/halgit.yaml": "bases: [../../base]\nparams: {region: eu}\n",
    "overlays/eu/default/profiles/gate-local.yml": "region: ${{ params.region }}\n",
    "overlays/eu/prod/halgit.yaml": "bases: [..]\n",
    "overlays/eu/prod/default/profiles/gate-local.yml": "prod: true\n",
    "overlays/us/test/default/profiles/rosco/packer/profiles/x.json": "{}\n",
    "overlays/us/test/config": CONFIG,
    "overlays/docs/README.md": "text\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        (tmp_path / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / path).write_text(text)
    return tmp_path / "repo"


def test_an_overlay_in_a_nested_folder_builds_on_the_one_around_it(repo: Path, tmp_path: Path) -> None:
    ran = halgit("render", "--repo", str(repo), "--overlay", "eu/prod", "--out", str(tmp_path / "hal"))
    assert ran.code == 0, ran.err
    assert (tmp_path / "hal/default/profiles/gate-local.yml").read_text() == "region: eu\nprod: true\n"
    ran = halgit("render", "--repo", str(repo), "--overlay", "eu", "--out", str(tmp_path / "eu"), "--format", "json")
    assert (tmp_path / "eu/default/profiles/gate-local.yml").read_text() == "region: eu\n"
    assert json.loads(ran.out)["skipped"] == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "has no overlay nowhere. Its overlays are: eu, eu/prod, us/test."),
        ("docs", "overlays/docs contains no file of a layer. Add a halgit.yaml or a config there"),
        ("us", "overlays/us contains no file of a layer."),
        ("eu/prdo", "has no overlay eu/prdo. Did you mean eu/prod?"),
    ],
)
def test_what_is_no_overlay_is_a_usage_error(repo: Path, tmp_path: Path, name: str, message: str) -> None:
    ran = halgit("render", "--repo", str(repo), "--overlay", name, "--out", str(tmp_path / "hal"))
    assert ran.code == 2
    assert message in ran.err


def test_all_overlays_names_the_folders_it_skips(repo: Path) -> None:
    ran = halgit("overlays", "--repo", str(repo))
    assert "Skipped overlays/docs: it contains no file of a layer." in ran.err
    ran = halgit("validate", "--repo", str(repo), "--all-overlays")
    assert "Skipped overlays/docs: it contains no file of a layer." in ran.err
    assert "overlays/us" not in ran.err
