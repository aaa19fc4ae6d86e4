"""What follows from the values' comments is up to date, and packages come out the same each time."""

from __future__ import annotations

import hashlib
import re
import tarfile
from pathlib import Path

import chart_readme
import package_charts
import pytest
import yaml
from charts_values import CHARTS, CI
from helm_python import Chart

from halgit import __version__


def test_readmes_schemas_and_globals_follow_from_the_comments() -> None:
    stale = [str(file) for file, text in chart_readme.generated().items() if file.read_text() != text]
    assert not stale, f"run python scripts/chart_readme.py: {stale}"


def test_every_key_has_a_comment(tmp_path: Path) -> None:
    import chart_values

    file = tmp_path / "values.yaml"
    file.write_text("# What it is.\na:\n  b: 1\n")
    with pytest.raises(ValueError, match=r"values\.yaml:3: b has no comment$"):
        chart_values.read(file)


def test_the_globals_templates_know_are_those_of_the_values() -> None:
    text = (CHARTS / "common" / "templates" / "_everything.tpl").read_text()
    block = text[text.index('define "common.globalKeys"') :]
    assert re.findall(r"^(\w+): true$", block, re.M) == sorted([*chart_readme.global_names(), "umbrella"])


def test_charts_have_the_version_of_halgit() -> None:
    for chart in package_charts.names():
        described = package_charts.metadata(CHARTS / chart)
        assert described["version"] == __version__
        assert {row["version"] for row in described.get("dependencies", [])} <= {__version__}
    halgit = chart_readme.default("global.halgit.tag")
    assert halgit == __version__


def test_packages_are_the_same_each_time(tmp_path: Path) -> None:
    first = package_charts.package(tmp_path / "one", "")
    second = package_charts.package(tmp_path / "two", "")
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert len(first) == 22
    assert (tmp_path / "one" / "index.yaml").read_bytes() == (tmp_path / "two" / "index.yaml").read_bytes()
    _check_index(tmp_path / "one")
    _check_umbrella(tmp_path / "one")


def _check_index(folder: Path) -> None:
    index = yaml.safe_load((folder / "index.yaml").read_text())
    for name, (entry,) in index["entries"].items():
        data = (folder / entry["urls"][0]).read_bytes()
        assert entry["digest"] == hashlib.sha256(data).hexdigest()
        assert entry["name"] == name


def _check_umbrella(folder: Path) -> None:
    """Helm's engine loads the archive, finds all it depends on, and renders it."""
    with Chart.load(folder / f"isd-{__version__}.tgz") as chart:
        assert len(chart.dependencies) == 21
        assert any(name.startswith("isd/charts/sapor/") for name in chart.render(CI["hosts"], name="isd"))
    with tarfile.open(folder / f"isd-{__version__}.tgz") as tar:
        assert not [name for name in tar.getnames() if "/ci/" in name or name.startswith("/")]


def test_each_chart_is_packaged_with_what_it_needs(tmp_path: Path) -> None:
    for file in package_charts.package(tmp_path, "https://charts.example.org/"):
        with Chart.load(file) as chart:
            declared = {row["name"] for row in chart.metadata.get("dependencies") or []}
            assert {row["name"] for row in chart.dependencies} == declared, file.name
    index = yaml.safe_load((tmp_path / "index.yaml").read_text())
    assert index["entries"]["sapor"][0]["urls"] == [f"https://charts.example.org/sapor-{__version__}.tgz"]


def test_no_two_templates_write_a_workload() -> None:
    """Only the library writes workloads, pods and containers, each in one template."""
    writers = {"workload": r"batch/v1|apps/v1", "pod": r"^\s*serviceAccountName:", "container": r"^\s*volumeMounts:"}
    for what, pattern in writers.items():
        found = [file.relative_to(CHARTS).as_posix() for file in sorted(CHARTS.rglob("templates/*"))
                 if re.search(pattern, file.read_text(), re.M)]  # fmt: skip
        assert len(found) == 1, f"{what}: {found}"
        assert found[0].startswith("common/"), what
    one = [file for file in CHARTS.rglob("*.tpl") if 'define "common.workload"' in file.read_text()]
    assert len(one) == 1
