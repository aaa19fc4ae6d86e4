"""The field's own tools over the charts: Helm 3, helm-unittest and kube-score, installed by `.ci/run` where Go is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from charts_values import ALONE, CHARTS, CI, EXAMPLES, ROOT

Object = dict[str, Any]
ALL = {**CI, **EXAMPLES}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def identity(one: Object) -> tuple[str, ...]:
    return one["apiVersion"], one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]


@pytest.fixture(scope="module")
def rendered(vendored: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """What Helm 3 renders of the umbrella with a set of values: a file."""
    helm = needs.go_tool("helm")
    folder = tmp_path_factory.mktemp("helm")

    def render(name: str) -> Path:
        out = folder / f"{name}.yaml"
        if not out.exists():
            values = folder / "values.yaml"
            values.write_text(yaml.safe_dump(ALL[name]))
            command = [helm, "template", "isd", vendored("isd"), "--namespace", "isd-ns", "--kube-version", "1.29.0"]
            done = subprocess.run([*command, "--values", values], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            out.write_text(done.stdout)
        return out

    return render


@pytest.mark.parametrize("name", sorted(ALL))
def test_helm_3_renders_the_objects_that_helm_4_does(
    rendered: Callable[[str], Path], render: Callable[..., list[Object]], name: str
) -> None:
    theirs = [one for one in yaml.load_all(rendered(name).read_text(), LOADER) if one]
    assert sorted(theirs, key=identity) == sorted(render("isd", ALL[name]), key=identity)


@pytest.mark.parametrize("chart", sorted([*ALONE, "isd"]))
def test_the_cases_of_helm_unittest_pass(vendored: Callable[[str], Path], tmp_path: Path, chart: str) -> None:
    unittest = needs.go_tool("helm-unittest")
    folder = shutil.copytree(vendored(chart), tmp_path / chart)
    for beside in ("tests", "examples"):
        if (CHARTS / chart / beside).exists():
            shutil.copytree(CHARTS / chart / beside, folder / beside)
    done = subprocess.run([unittest, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Tests: +[1-9]\d* passed", done.stdout), done.stdout


def reasons() -> dict[str, str]:
    """The checks of kube-score that docs/charts.md explains."""
    text = (ROOT / "docs" / "charts.md").read_text()
    block = text[text.index("| kube-score") :].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    return {row[0].strip("`"): row[1] for row in rows}


def criticals(file: Path) -> dict[str, str]:
    """The checks of kube-score that are CRITICAL for a render, each with an object."""
    command = [needs.go_tool("kube-score"), "score", "--output-format", "json", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {
        check["check"]["id"]: f"{file.stem}: {one['object_name']}"
        for one in json.loads(done.stdout)
        for check in one["checks"] or []
        if check["grade"] == 1 and not check["skipped"]
    }


def test_each_critical_of_kube_score_has_its_reason(rendered: Callable[[str], Path]) -> None:
    """None is unexplained in any render, and no explanation is left of one that was fixed."""
    files = [rendered(name) for name in sorted(ALL)]
    with ThreadPoolExecutor(2) as pool:
        found = {check: where for one in pool.map(criticals, files) for check, where in one.items()}
    assert found.keys() == reasons().keys(), found
