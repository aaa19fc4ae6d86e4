"""`--mounted`: files that others mount into Halyard's pod, which rules on missing files accept."""

from __future__ import annotations

import shutil
from pathlib import Path

import needs
import pytest
from program import halgit

BASE = needs.ROOT / "tests" / "validation" / "rules" / "base" / "config"
BOM = "version: 1.30.1\nservices:\n  monitoring-daemon: {version: 1.0.0}\n  gate: {version: 'local:1.2.3'}\n"
HOME = "/home/spinnaker/.hal"


def _repository(folder: Path, *, version: str = "1.36.1", files: tuple[str, ...] = ()) -> Path:
    shutil.copy(BASE, folder / "config")
    (folder / "config").write_text((folder / "config").read_text().replace("1.36.1", version))
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(BOM if "/bom/" in name else "a: b\n")
    return folder


def _problems(repository: Path, rule: str, *mounted: str) -> tuple[int, str]:
    options = [part for path in mounted for part in ("--mounted", path)]
    ran = halgit("validate", "--repo", repository, "--select", rule, *options)
    return ran.code, ran.out


@pytest.mark.parametrize("mounted", [".boms", ".boms/bom", ".boms/bom/9.9.9.yml", f"{HOME}/.boms", HOME, f"{HOME}/"])
def test_a_missing_local_bom_is_an_error_unless_it_is_mounted(mounted: str, tmp_path: Path) -> None:
    repository = _repository(tmp_path, version="local:9.9.9")
    code, out = _problems(repository, "versions/no-bom", ".boms/bo", "/boms", ".boms/bom/9.9.9")
    assert code == 1
    assert "error: The tree has no .boms/bom/9.9.9.yml, the BOM of this version." in out
    assert _problems(repository, "versions/no-bom", mounted)[0] == 0


@pytest.mark.parametrize("profile", ["", ".boms/gate/1.2.4/gate.yml", ".boms/gate/1.2.34/gate.yml"])
def test_a_missing_profile_of_a_local_bom_is_an_error_unless_it_is_mounted(profile: str, tmp_path: Path) -> None:
    files = (".boms/bom/1.30.1.yml", *filter(None, [profile]))
    repository = _repository(tmp_path, version="local:1.30.1", files=files)
    code, out = _problems(repository, "versions/no-local-profile")
    assert code == 1
    assert "the tree has no .boms/gate/1.2.3/gate.yml." in out
    for mounted in (".boms/gate", ".boms/gate/1.2.3", ".boms/gate/1.2.3/gate.yml"):
        assert _problems(repository, "versions/no-local-profile", mounted)[0] == 0


@pytest.mark.parametrize("profile", [".boms/gate/1.2.3/gate.yml", ".boms/gate/gate.yml"])
def test_a_profile_is_found_below_its_version_or_beside_the_versions(profile: str, tmp_path: Path) -> None:
    repository = _repository(tmp_path, version="local:1.30.1", files=(".boms/bom/1.30.1.yml", profile))
    assert _problems(repository, "versions/no-local-profile")[0] == 0


@pytest.mark.parametrize(
    ("file", "rule", "text"),
    [
        ("/mnt/k", "trust/reads-file", "warning: kubeconfigFile makes Halyard read /mnt/k"),
        ("files/k", "local-files/missing", "error: kubeconfigFile names files/k"),
    ],
)
def test_a_file_that_halgit_cannot_read_is_reported_unless_it_is_mounted(
    file: str, rule: str, text: str, tmp_path: Path
) -> None:
    repository = _repository(tmp_path)
    config = (repository / "config").read_text()
    (repository / "config").write_text(config.replace("serviceAccount: true", f"kubeconfigFile: {file}"))
    assert text in _problems(repository, rule)[1]
    for mounted in (file, file.removesuffix("/k")):
        assert "kubeconfigFile" not in _problems(repository, rule, mounted)[1]


@pytest.mark.parametrize(
    "file", ["/mnt/../etc/passwd", "/mnt/k/../../etc/passwd", f"{HOME}/../../../etc/passwd", "//etc/passwd"]
)
def test_a_path_that_leaves_what_is_mounted_is_reported(file: str, tmp_path: Path) -> None:
    repository = _repository(tmp_path)
    config = (repository / "config").read_text()
    (repository / "config").write_text(config.replace("serviceAccount: true", f"kubeconfigFile: {file}"))
    assert "kubeconfigFile makes Halyard read" in _problems(repository, "trust/reads-file", "/mnt", "/mnt/k")[1]
