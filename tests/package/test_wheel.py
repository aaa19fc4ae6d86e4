"""The wheel: everything the program needs is in it, nothing else, and it works away from the checkout."""

from __future__ import annotations

import ast
import email
import os
import re
import subprocess
import sys
from email.message import Message
from importlib.metadata import packages_distributions
from pathlib import Path

import needs
import pytest
from program import SAMPLE

from halgit import __version__

INDIRECT = {"botocore": {"boto3"}, "urllib3": {"boto3"}, "starlette": {"fastapi"}}
"""What comes with a library and is part of how that one is used."""
DATA = {"tzdata"}
"""Packages without code: Python's zoneinfo reads this one."""


def halgit(installed: Path, cwd: Path, *arguments: object) -> str:
    """What the halgit of the wheel says on stdout, run where no checkout is."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "halgit", *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def metadata(installed: Path) -> Message:
    return email.message_from_bytes((installed / f"halgit-{__version__}.dist-info" / "METADATA").read_bytes())


def test_it_holds_the_package_and_the_schemas_and_nothing_else(installed: Path) -> None:
    def below(folder: Path, at: str) -> set[str]:
        found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {f"{at}/{path.relative_to(folder).as_posix()}" for path in found}

    wanted = below(needs.ROOT / "halgit", "halgit") | below(needs.ROOT / "schemas", "halgit/schemas")
    assert below(installed / "halgit", "halgit") == wanted
    assert {path.name for path in installed.iterdir()} == {"halgit", f"halgit-{__version__}.dist-info"}
    assert {"halgit/py.typed", "halgit/halyard/start_files/base/config", "halgit/schemas/halgit.schema.json"} <= wanted


def test_its_description(installed: Path, metadata: Message) -> None:
    pythons = [f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)]
    assert metadata["Name"] == "halgit"
    assert metadata["Requires-Python"] == "<3.14,>=3.10"
    assert metadata["License-Expression"] == "Apache-2.0 AND BSD-3-Clause"
    assert set(pythons) <= set(metadata.get_all("Classifier") or [])
    licenses = installed / f"halgit-{__version__}.dist-info" / "licenses"
    assert (licenses / "LICENSE").is_file()
    assert "Redistributions" in (licenses / "halgit/server/page/lit-html.LICENSE").read_text()
    entry = (installed / f"halgit-{__version__}.dist-info" / "entry_points.txt").read_text()
    assert entry == "[console_scripts]\nhalgit = halgit.cli:main\n"


def test_it_works_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = "import halgit; print(halgit.__file__)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)}
    found = subprocess.run(
        [sys.executable, "-c", where], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout).is_relative_to(installed)
    assert halgit(installed, tmp_path, "--version") == f"halgit {__version__}\n"
    schema = (needs.ROOT / "schemas" / "halconfig.schema.json").read_text()
    assert halgit(installed, tmp_path, "schema", "halconfig") == schema
    halgit(installed, tmp_path, "init", "mine")
    halgit(installed, tmp_path, "render", "--repo", "mine", "--overlay", "prod", "--out", "new/.hal")
    assert (tmp_path / "new" / ".hal" / "config").is_file()
    halgit(installed, tmp_path, "render", "--repo", SAMPLE, "--overlay", "prod", "--secrets", "mask")
    assert (tmp_path / ".hal" / "config").is_file()


def test_every_library_it_imports_is_asked_for_and_no_other(metadata: Message) -> None:
    asked = {re.split(r"[^a-z0-9-]", text.lower(), maxsplit=1)[0] for text in metadata.get_all("Requires-Dist") or []}
    brings = packages_distributions()
    used: set[str] = set()
    for name in imported():
        here = INDIRECT.get(name) or {one.lower().replace("_", "-") for one in brings.get(name, [])}
        assert asked & here, name
        used |= here
    assert asked - DATA <= used


def imported() -> set[str]:
    """The packages that the code imports at run time, anywhere in it, beside Python's own and itself."""
    found: set[str] = set()
    for file in (needs.ROOT / "halgit").rglob("*.py"):
        tree = ast.parse(file.read_text())
        for block in ast.walk(tree):
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
                block.body.clear()
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    return found - set(sys.stdlib_module_names) - {"halgit"}
