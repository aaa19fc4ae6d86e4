"""What a command imports: the start is most of a run at the common size, so what it loads is counted, not timed.

A limit that is exceeded is a question, not an error: can the import wait until it is needed? Only then raise it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import needs
import pytest

SAMPLE = needs.ROOT / "sample-repo"
BARE = (
    "deploymentConfigurations:\n- name: default\n  version: 1.36.1\n  deploymentEnvironment:\n    type: Distributed\n"
    "    accountName: a\n    location: spinnaker\n  providers:\n    kubernetes:\n      enabled: true\n"
    "      primaryAccount: a\n"
    "      accounts:\n      - {name: a, providerVersion: V2, serviceAccount: true}\n"
    "  persistentStorage: {persistentStoreType: s3, s3: {bucket: b, region: eu-central-1}}\n"
    "  security:\n    apiSecurity: {overrideBaseUrl: 'https://gate.example.com'}\n"
    "    uiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com'}\n"
)
HEAVY = {
    "asyncio", "boto3", "botocore", "click", "concurrent.futures", "cryptography", "ctypes", "dataclasses", "difflib",
    "email", "fastapi", "git", "hashlib", "html", "hvac", "http.client", "inspect", "jsonschema_rs", "lightkube",
    "locale", "logging", "platform", "requests", "socket", "ssl", "subprocess", "tempfile", "textwrap", "threading",
    "typing", "unittest", "weakref",
}  # fmt: skip
"""Modules that cost milliseconds, and that reading a directory and writing a tree does not need."""


def modules(*arguments: object) -> set[str]:
    """The modules that a command has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        "report = sys.argv.pop()\n"
        "atexit.register(lambda: open(report, 'w').write('\\n'.join(sys.modules)))\n"
        "from halgit.cli import main\n"
        "main()\n"
    )
    report = Path(os.environ["PYTEST_REPORT_FOLDER"]) / "modules"
    subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments), str(report)], check=True, capture_output=True, timeout=120
    )
    return set(report.read_text().split("\n"))


@pytest.fixture(autouse=True)
def _report_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_REPORT_FOLDER", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a folder that a killed run left in /tmp would be removed with shutil


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A halconfig with one account and an overlay without findings."""
    for path, text in {"base/config": BARE, "overlays/prod/halgit.yaml": "bases: [../../base]\n"}.items():
        file = tmp_path / "repo" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path / "repo"


def ours(loaded: set[str]) -> set[str]:
    return {name for name in loaded if name.split(".")[0] == "halgit"}


def test_the_version_loads_two_modules() -> None:
    assert ours(modules("--version")) == {"halgit", "halgit.cli"}


def test_a_render_loads_what_it_uses(repo: Path, tmp_path: Path) -> None:
    loaded = modules("render", "--repo", repo, "--overlay", "prod", "--out", tmp_path / ".hal")
    assert loaded & HEAVY == set()
    assert len(ours(loaded)) <= 125
    assert len(loaded) <= 230


def test_a_validation_of_the_sample_loads_what_it_uses() -> None:
    loaded = modules("validate", "--repo", SAMPLE, "--overlay", "prod")
    assert loaded & HEAVY == set()
    assert len(ours(loaded)) <= 134
    assert len(loaded) <= 239


def test_an_unchanged_render_loads_no_compiler(repo: Path, tmp_path: Path) -> None:
    command = ("render", "--repo", repo, "--overlay", "prod", "--out", tmp_path / ".hal")
    modules(*command)
    loaded = modules(*command)
    assert not {name for name in loaded if name.startswith(("halgit.compiler.", "halgit.merge", "halgit.validation"))}
    assert loaded & HEAVY == set()
    assert "yaml" not in loaded
    assert len(ours(loaded)) <= 36
    assert len(loaded) <= 114


SLOW_SERVER = """
import sys, time
from halgit import sources
from halgit.errors import SourceError

def open_source(spec, access):
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end and "halgit.compiler.build" not in sys.modules:
        time.sleep(0.01)
    print("halgit.compiler.build" in sys.modules)
    raise SourceError("unavailable")

sources.open_source = open_source
from halgit.cli.app import run
run(sys.argv[2:])
"""


@pytest.mark.parametrize(("seconds", "out", "loads"), [(30, "new", True), (1, ".", False), (0, "new", False)])
def test_the_compiler_is_loaded_while_a_server_is_slow(seconds: int, out: str, loads: bool, tmp_path: Path) -> None:
    """Only while it is slow, and not where a tree is there already: mostly nothing has changed then."""
    command = ("render", "--repo", "https://git.example.com/a.git", "--out", str(tmp_path / out))
    words = [sys.executable, "-c", SLOW_SERVER, str(seconds), *command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=needs.ROOT)
    assert done.stdout.split() == [str(loads)], done.stderr


@pytest.mark.parametrize("module", ["cli.app", "compiler.build", "validation.rules", "publish.publisher"])
def test_no_module_on_the_path_of_a_render_uses_dataclasses(module: str) -> None:
    code = f"import sys, halgit.{module}\nprint([name for name in sys.modules if name == 'dataclasses'])\n"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=needs.ROOT)
    assert done.stdout.strip() == "[]"
