"""What the schemas refuse stops `validate` and `render` alike; `--no-validate` passes it."""

from __future__ import annotations

from pathlib import Path

import program
import pytest

BASE = (Path(__file__).parent / "rules" / "base" / "config").read_text()
SAID = "Deployment has no key versoin; Halyard refuses the whole file. Did you mean version?"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "config").write_text(f"{BASE}  versoin: '1.36.1'\n")
    return tmp_path / "repo"


def test_validate_says_it(source: Path) -> None:
    ran = program.halgit("validate", "--repo", source)
    assert ran.code == 1
    assert f"config:22:12: error: {SAID}" in ran.out


def test_render_says_it_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    ran = program.halgit("render", "--repo", source, "--out", tmp_path / "hal")
    assert ran.code == 1
    assert SAID in ran.err
    assert not (tmp_path / "hal").exists()


def test_render_without_validation_writes_it(source: Path, tmp_path: Path) -> None:
    ran = program.halgit("render", "--repo", source, "--out", tmp_path / "hal", "--no-validate")
    assert ran.code == 0
    assert "versoin" in (tmp_path / "hal" / "config").read_text()


def test_it_can_be_waived_with_a_reason(source: Path) -> None:
    text = (source / "config").read_text().rstrip()
    (source / "config").write_text(f"{text} # halgit: ignore=schema/unknown-key our own Halyard knows it\n")
    assert program.halgit("validate", "--repo", source).code == 0
