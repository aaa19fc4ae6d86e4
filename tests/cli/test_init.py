"""`halgit init`: what a newcomer gets."""

from __future__ import annotations

from pathlib import Path

from program import halgit


def test_what_it_writes_renders_without_a_word_of_a_rule(tmp_path: Path) -> None:
    assert halgit("init", "mine", cwd=tmp_path).code == 0
    ran = halgit(
        "render", "--repo", "mine", "--overlay", "prod", "--fail-on", "warning", "--format", "json", cwd=tmp_path
    )
    assert (ran.code, ran.json["findings"]) == (0, [])


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "mine" / "base").mkdir(parents=True)
    (tmp_path / "mine" / "base" / "config").write_text("mine")
    ran = halgit("init", "mine", cwd=tmp_path)
    assert (ran.code, ran.err) == (2, "halgit: mine already has base/config. Choose an empty directory.\n")
    assert [path.name for path in (tmp_path / "mine").rglob("*") if path.is_file()] == ["config"]
