"""What a test needs of the machine: outside programs and example repositories.

A missing one skips the test with its name and Debian package; with HALGIT_TEST_ALL set, as in `.ci/run`, it fails.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


def program(name: str, package: str) -> str:
    """The path of an outside program, or a skip that names it and its Debian package."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/git-core")
    if found is None:
        absent(f"needs the program {name} (Debian package {package})")
    return found


def file(path: str, package: str) -> Path:
    """A file that a Debian package brings, or a skip that names both."""
    if not Path(path).is_file():
        absent(f"needs {path} (Debian package {package})")
    return Path(path)


def shared_data() -> Path:
    """The folder of real repositories beside the checkout; the only skip that is never a failure."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder of real repositories beside this checkout")
    return folder


def absent(reason: str) -> NoReturn:
    """Skip for this reason, or fail where nothing may be missing."""
    if os.environ.get("HALGIT_TEST_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
