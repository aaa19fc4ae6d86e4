"""What a release needs: one version everywhere, the same bytes twice, an SBOM, workflows with pinned actions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import needs
import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from halgit import __version__

LOCK = (needs.ROOT / "requirements.lock").read_text()
WORKFLOWS = sorted((needs.ROOT / ".github/workflows").glob("*.yml"))


def test_the_version_is_the_same_everywhere() -> None:
    charts = {yaml.safe_load(file.read_text())["version"] for file in needs.ROOT.glob("chart/*/Chart.yaml")}
    assert charts == {__version__}
    changelog = (needs.ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.M)
    assert changelog.index("## [Unreleased]") < changelog.index(f"## [{__version__}]")


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    changelog = (needs.ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^### (.+)$", changelog, re.M)
    assert set(headings) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    versions = re.findall(r"^## \[(.+?)\]", changelog, re.M)
    assert versions == re.findall(r"^\[(.+?)\]: https://github.com/opsmx/halgit/", changelog, re.M)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release without the image, which `test_image_run.py` builds, made in a clone of the last commit."""
    if not (needs.ROOT / ".git").exists():
        needs.unavailable("the git history of halgit")
    clone = tmp_path_factory.mktemp("release") / "clone"
    subprocess.run(["git", "clone", "-q", needs.ROOT, clone], check=True)
    return clone


def test_make_dist_gives_the_same_bytes_twice(dist: Path) -> None:
    sums = []
    for _ in range(2):
        done = subprocess.run(
            ["scripts/make_dist.sh", "--no-image"], cwd=dist, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHON": sys.executable},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        sums.append((dist / "dist/SHA256SUMS").read_text())
        for file in dist.glob("halgit/*.py"):
            file.touch()
    assert sums[0] == sums[1]
    assert {f"halgit-{__version__}-py3-none-any.whl", f"halgit-{__version__}.tar.gz", f"charts/isd-{__version__}.tgz",
            f"halgit-{__version__}.cdx.json"} <= {line.split()[1] for line in sums[0].splitlines()}  # fmt: skip
    bom = json.loads((dist / f"dist/halgit-{__version__}.cdx.json").read_text())
    assert (bom["bomFormat"], bom["metadata"]["component"]["name"]) == ("CycloneDX", "halgit")
    assert JsonStrictValidator(SchemaVersion.from_version(bom["specVersion"])).validate_str(json.dumps(bom)) is None
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.M))
    assert locked | {"lit-html"} == {component["name"] for component in bom["components"]}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_valid_and_pin_their_actions(workflow: Path) -> None:
    arguments = ["--builtin-schema", "vendor.github-workflows", workflow]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    for uses in re.findall(r"uses: (\S+)(.*)", workflow.read_text()):
        assert uses[0].startswith("./") or re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", uses[0]), uses
        assert uses[0].startswith("./") or re.fullmatch(r" # v\d+\.\d+\.\d+", uses[1]), uses
