"""The Dockerfile, as far as it can be held to without an engine that builds images: what it names is there."""

from __future__ import annotations

import re
import sys

import needs
import pytest
import yaml

from halgit import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = re.sub(r"\\\n", " ", (needs.ROOT / "Dockerfile").read_text())
LINES = [line.split(None, 1) for line in TEXT.splitlines() if line and not line.startswith("#")]
PROJECT = tomllib.loads((needs.ROOT / "pyproject.toml").read_text())["project"]


def said(instruction: str) -> list[str]:
    """What follows each such instruction."""
    return [rest for name, rest in LINES if name == instruction]


def test_what_it_copies_is_there_and_not_ignored() -> None:
    copied = {name for rest in said("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]}
    assert all((needs.ROOT / name).exists() for name in copied)
    ignored = (needs.ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"], "halgit", "schemas"} == copied


def test_its_user_is_the_one_of_the_charts() -> None:
    values = yaml.safe_load((needs.ROOT / "chart" / "isd" / "values.yaml").read_text())
    user = values["global"]["podSecurity"]["runAsUser"]
    assert said("USER") == [f"{user}:{user}"]
    assert f"useradd --uid {user} --gid {user}" in TEXT


def test_its_version_is_the_packages() -> None:
    assert f'org.opencontainers.image.version="{__version__}"' in TEXT


def test_its_python_is_one_of_ours_and_every_extra_is_in_it() -> None:
    images = {rest.split()[0] for rest in said("FROM")}
    assert images == {"python:3.13-slim"}
    assert "Programming Language :: Python :: 3.13" in PROJECT["classifiers"]
    extras = re.search(r"\$\{wheel\}\[([a-z,]+)\]", TEXT)
    assert extras
    assert set(extras[1].split(",")) == set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("package", ["git", "openssh-client", "gpg", "ca-certificates"])
def test_it_has_the_programs_that_sources_need(package: str) -> None:
    assert package in " ".join(said("RUN")).split()


def test_it_runs_halgit() -> None:
    assert said("ENTRYPOINT") == ['["halgit"]']
