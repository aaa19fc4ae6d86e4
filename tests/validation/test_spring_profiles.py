"""`spring.profiles` in a profile: what Spring Boot 2.7.18 does with it, and what `profiles/spring-profiles` says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import needs
import pytest
from java_judge import started
from program import halgit

Start = Callable[[str], str]
REFUSED = "InvalidConfigDataPropertyException"
HIDDEN, READ = "x=null", "x=1"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a service with this `gate-local.yml`: what it reads as `x`, or the exception that ends it."""
    folder = tmp_path_factory.mktemp("profiles")
    with started("profiles", "Start") as java:

        def ask(profile: str) -> str:
            (folder / "gate-local.yml").write_text(profile)
            return java.ask_line(str(folder))

        yield ask


def _found(profile: str, folder: Path) -> str:
    """The severity of the finding on a `gate-local.yml`; empty if there is none."""
    path = folder / "default" / "profiles" / "gate-local.yml"
    path.parent.mkdir(parents=True)
    path.write_text(profile)
    shutil.copy(needs.ROOT / "tests" / "validation" / "rules" / "base" / "config", folder / "config")
    ran = halgit("validate", "--repo", folder, "--select", "profiles/spring-profiles", "--format", "json")
    (severity, *more) = [one["severity"] for one in ran.json["findings"]] or [""]
    assert not more
    return str(severity)


@pytest.mark.parametrize(
    ("profile", "answer", "severity"),
    [
        ("x: 1\n", READ, ""),
        ("x: 1\nspring: {profiles: {active: prod}}\n", REFUSED, "error"),
        ("x: 1\nspring.profiles.include: [a, b]\n", REFUSED, "error"),
        ("x: 1\nspring: {profiles.include: a}\n", REFUSED, "error"),
        ("x: 1\nspring: {profiles: {default: prod}}\n", REFUSED, "error"),
        ("x: 1\nSPRING: {PROFILES: {ACTIVE: prod}}\n", REFUSED, "error"),
        ("x: 1\nspring: {profiles: {active: ''}}\n", REFUSED, "error"),
        ("x: 1\nspring: {profiles: {active: }}\n", REFUSED, "error"),
        ("x: 1\nspring: {profiles: {active: []}}\n", REFUSED, "error"),
        ("y: 1\n---\nx: 1\nspring.profiles.active: prod\n", REFUSED, "error"),
        ("x: 1\nspring: {profiles: prod}\n", HIDDEN, "warning"),
        ("x: 1\nspring: {profiles: [prod, eu]}\n", HIDDEN, "warning"),
        ("x: 1\nspring: {profiles: '!local'}\n", HIDDEN, "warning"),
        ("x: 1\nspring: {profiles: local}\n", READ, ""),
        ("x: 1\nspring: {profiles: '!prod'}\n", READ, ""),
        ("x: 1\nspring: {profiles: [prod, local]}\n", READ, ""),
        ("x: 1\nspring: {config: {activate: {on-profile: prod}}}\n", HIDDEN, "warning"),
        ("x: 1\nspring.config.activate.on-profile: local & prod\n", HIDDEN, "warning"),
        ("x: 1\nspring.config.activate.on-profile: local | prod\n", READ, ""),
        ("x: 1\nspring.config.activate.on-profile: '!(prod | local)'\n", HIDDEN, "warning"),
        ("x: 1\nspring.config.activate.on-profile: 'local & (prod | !eu)'\n", READ, ""),
        ("x: 1\nspring.config.activate.on-profile: 'prod,local'\n", READ, ""),
        ("x: 1\nspring.config.activate.on-profile: ''\n", READ, ""),
        ("x: 1\nspring: {profiles: 7}\n", HIDDEN, "warning"),
        ("x: 1\nspring: {profiles: {group: {local: a}}}\n", READ, ""),
    ],
)  # fmt: skip
def test_the_rule_says_what_spring_boot_does(
    profile: str, answer: str, severity: str, start: Start, tmp_path: Path
) -> None:
    assert start(profile) == answer
    assert _found(profile, tmp_path) == severity
