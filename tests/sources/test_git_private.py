"""The private folders git works in: of one user alone, and removed after a run that was killed."""

from __future__ import annotations

import stat
from pathlib import Path

from halgit.operator_settings import Access
from halgit.remotes.private_files import PrivateFolder


def test_folders_of_runs_under_way_stay_and_those_of_killed_runs_go(tmp_path: Path) -> None:
    access = Access(environment={"TMPDIR": str(tmp_path)})
    killed, young, of_others = (tmp_path / f"halgit-git-{name}" for name in ("killed", "young", "link"))
    killed.mkdir()
    (killed / "held").write_text("")
    (killed / "token").write_text("left")
    young.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "held").write_text("")
    of_others.symlink_to(elsewhere)
    first = PrivateFolder(access)
    second = PrivateFolder(access)
    assert {path.name for path in tmp_path.iterdir()} == {
        "elsewhere", "halgit-git-young", "halgit-git-link", Path(first.path).name, Path(second.path).name
    }  # fmt: skip
    for folder in (first, second):
        assert stat.S_IMODE(Path(folder.path).stat().st_mode) == 0o700
        assert [stat.S_IMODE(file.stat().st_mode) for file in Path(folder.path).iterdir()] == [0o600]
    first.close()
    assert not Path(first.path).exists()
    assert Path(second.path).exists()
    second.close()
    assert (elsewhere / "held").exists()
