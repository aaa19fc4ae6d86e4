"""What a test needs of the machine: outside programs and example repositories.

A missing one skips the test with its name and Debian package. With TEST_ALL set, as in `.ci/run`, every skip
is a failure (`conftest.py` turns it into one), except for what no Debian package provides: see `unavailable`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

UNAVAILABLE = "not available on this machine"
ROOT = Path(__file__).resolve().parent.parent
GO_TOOLS = Path.home() / ".cache" / "halgit" / "go-tools"


def program(name: str, package: str) -> str:
    """The path of an outside program, or a skip that names it and its Debian package."""
    search = [os.environ.get("PATH", ""), str(Path(sys.executable).parent), "/usr/lib/git-core"]
    found = shutil.which(name, path=os.pathsep.join(search))
    if found is None:
        pytest.skip(f"needs the program {name} (Debian package {package})")
    return found


def root(reason: str) -> None:
    """Skips unless the tests run as root; `reason` says what only root can do."""
    if os.geteuid() != 0:
        pytest.skip(f"only root can {reason}")


def file(path: str, package: str) -> Path:
    """A file that a Debian package brings, or a skip that names both."""
    if not Path(path).is_file():
        pytest.skip(f"needs {path} (Debian package {package})")
    return Path(path)


def folder(pattern: str, package: str) -> Path:
    """The last folder below / that a pattern matches, or a skip that names it and its Debian package."""
    found = sorted(Path("/").glob(pattern.lstrip("/")))
    if not found:
        pytest.skip(f"needs {pattern} (Debian package {package})")
    return found[-1]


def go_tool(name: str) -> str:
    """A program that `.ci/run` installs with Go, or a skip; without Go the machine cannot have it."""
    beside = GO_TOOLS / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is not None:
        return found
    if shutil.which("go") is None:
        unavailable(f"no Go to install {name} with")
    pytest.skip(f"needs the program {name} (run .ci/go-tools, which installs it with Go)")


def built_program(name: str) -> str:
    """A program that `.ci/go-tools` builds from a public repository where that is reachable, or a skip."""
    beside = GO_TOOLS / name
    if not beside.is_file():
        unavailable(f"{name}, which no package provides (.ci/go-tools builds it where GitHub can be reached)")
    return str(beside)


def npm_tool(name: str) -> str:
    """A program that `.ci/run` installs with npm, or a skip; without npm the machine cannot have it."""
    beside = Path.home() / ".cache" / "halgit" / "npm-tools" / "node_modules" / ".bin" / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is not None:
        return found
    if shutil.which("npm") is None:
        unavailable(f"no npm to install {name} with")
    pytest.skip(f"needs the program {name} (run .ci/npm-tools, which installs it with npm)")


def shared_data() -> Path:
    """The folder of real repositories beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        unavailable("the folder ../shared/data of real repositories, which only the maintainers have")
    return folder


def unavailable(reason: str) -> NoReturn:
    """A skip that is never a failure: no package provides this."""
    pytest.skip(f"{UNAVAILABLE}: {reason}")
