"""What follows from the values' comments is up to date, and packages come out the same each time."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chart_readme
import needs
import package_charts
import pytest
import yaml
from charts_values import ALONE, CHARTS, CI, EXAMPLES
from helm_python import Chart
from servers.ports import free_port, wait_for

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
    writers = {
        "workload": r'(?<!lookup ")(batch|apps)/v1',
        "pod": r"^\s*serviceAccountName:",
        "container": r"^\s*volumeMounts:",
    }
    for what, pattern in writers.items():
        found = [file.relative_to(CHARTS).as_posix() for file in sorted(CHARTS.rglob("templates/*"))
                 if re.search(pattern, file.read_text(), re.M)]  # fmt: skip
        assert len(found) == 1, f"{what}: {found}"
        assert found[0].startswith("common/"), what
    one = [file for file in CHARTS.rglob("*.tpl") if 'define "common.workload"' in file.read_text()]
    assert len(one) == 1


def test_every_chart_has_an_icon_and_says_where_it_comes_from() -> None:
    for chart in package_charts.names():
        described = package_charts.metadata(CHARTS / chart)
        assert described["icon"].endswith("/chart/icon.svg"), chart
        assert described["annotations"]["artifacthub.io/license"] == "Apache-2.0", chart
        assert described["sources"], chart
    assert (CHARTS / "icon.svg").read_text().startswith("<svg")


def test_a_release_puts_its_image_into_every_chart(tmp_path: Path) -> None:
    digest = "sha256:" + "c" * 64
    package_charts.package(tmp_path, "", f"registry.example.org/team/halgit:0.2.0@{digest}")
    for name in ("isd", "accounts"):
        values = {**CI["hosts"]} if name == "isd" else ALONE[name]
        with Chart.load(tmp_path / f"{name}-{__version__}.tgz") as chart:
            text = "".join(chart.render(values, name="isd").values())
        images = set(re.findall(r"image: (\S*halgit\S*)", text))
        assert images == {f"registry.example.org/team/halgit@{digest}"}
    with pytest.raises(ValueError, match=r"^halgit is not REGISTRY/REPOSITORY"):
        package_charts.set_image(tmp_path, "halgit")


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A key of GnuPG that signs as charts@example.org, and the file that verifies it."""
    gpg = needs.program("gpg", "gnupg")
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    monkeypatch.setenv("GNUPGHOME", str(home))
    key = ["--batch", "--passphrase", "", "--quick-generate-key", "charts@example.org", "rsa2048", "sign", "never"]
    try:
        subprocess.run([gpg, *key], check=True, capture_output=True)
        (tmp_path / "ring.gpg").write_bytes(subprocess.run([gpg, "--export"], check=True, capture_output=True).stdout)
        yield tmp_path / "ring.gpg"
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(home)


def test_helm_verifies_signed_packages(tmp_path: Path, ring: Path) -> None:
    helm = needs.go_tool("helm")
    package_charts.package(tmp_path, "", key="charts@example.org")

    def verify(file: Path) -> int:
        command = [helm, "verify", "--keyring", ring, file]
        return subprocess.run(command, capture_output=True, check=False).returncode

    for name in ("isd", "oes-redis"):
        file = tmp_path / f"{name}-{__version__}.tgz"
        assert verify(file) == 0
    file.write_bytes(file.read_bytes() + b"x")
    assert verify(file)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """An OCI registry on loopback; its address."""
    program = needs.program("docker-registry", "docker-registry")
    port = free_port()
    config = {
        "version": 0.1, "log": {"level": "error"}, "http": {"addr": f"127.0.0.1:{port}"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
    }  # fmt: skip
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump(config))
    command = [program, "serve", tmp_path / "registry.yaml"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, running)
        yield f"127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def test_a_registry_serves_the_signed_chart(
    tmp_path: Path, ring: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`helm push` uploads the provenance file with the chart; `helm pull` verifies it; the reference renders."""
    helm = needs.go_tool("helm")
    for variable in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    package_charts.package(tmp_path / "packages", "", key="charts@example.org")

    def run(*arguments: object) -> str:
        done = subprocess.run([helm, *arguments, "--plain-http"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    reference = f"oci://{registry}/charts/isd"
    run("push", tmp_path / "packages" / f"isd-{__version__}.tgz", f"oci://{registry}/charts")
    pulled = run("pull", reference, "--version", __version__, "--destination", tmp_path, "--verify", "--keyring", ring)
    assert "Signed by: charts@example.org" in pulled
    assert (tmp_path / f"isd-{__version__}.tgz.prov").exists()
    values = CHARTS / "isd" / "examples" / "newcomer.yaml"
    rendered = run("template", "isd", reference, "--version", __version__, "--kube-version=1.29.0", "--values", values)
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(rendered) if one and one["kind"] == "StatefulSet"]


def _amount(text: str) -> float:
    units = {"m": 0.001, "Mi": 2.0**-10, "Gi": 1.0}
    number = re.match(r"[\d.]+", text)
    assert number is not None
    return float(number[0]) * units.get(text[number.end() :], 1.0)


def test_the_sizes_in_the_readme_are_those_of_the_examples(render: Callable[..., list[dict[str, Any]]]) -> None:
    readme = (CHARTS / "isd" / "README.md").read_text()
    for name, values in EXAMPLES.items():
        sums = {"pods": 0.0, "cpu": 0.0, "memory": 0.0, "limit": 0.0, "disk": 0.0}
        for one in render("isd", values):
            if one["kind"] == "PersistentVolumeClaim":
                sums["disk"] += _amount(one["spec"]["resources"]["requests"]["storage"])
            if one["kind"] in ("Deployment", "StatefulSet"):
                number = one["spec"].get("replicas", 1)
                sums["pods"] += number
                for resources in (c["resources"] for c in one["spec"]["template"]["spec"]["containers"]):
                    sums["cpu"] += number * _amount(resources["requests"]["cpu"])
                    sums["memory"] += number * _amount(resources["requests"]["memory"])
                    sums["limit"] += number * _amount(resources["limits"]["memory"])
        row = next(line for line in readme.splitlines() if line.startswith(f"| [{name.removeprefix('example ')}]"))
        shown = [float(re.sub(r"[^\d.]", "", cell) or 0) for cell in row.split("|")[2:-1]]
        for number, value in zip(shown, sums.values(), strict=True):
            assert abs(number - value) <= max(0.11, 0.05 * value), f"{name}: {sums}"
