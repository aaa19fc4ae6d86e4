"""Profiles beside Spring Boot 2.7.18: which documents it reads, and of which of several lists it takes the items."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import needs
import pytest
from java_judge import started
from program import halgit

Start = Callable[[dict[str, str]], str]
REFUSED = "InvalidConfigDataPropertyException"
HIDDEN, READ = "x=null", "x=1"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts Gate with these profiles: what it reads as `x` and `accounts`, or the exception that ends it."""
    with started("profiles", "Start") as java:

        def ask(profiles: dict[str, str]) -> str:
            folder = tmp_path_factory.mktemp("profiles")
            for name, text in profiles.items():
                (folder / name).write_text(text)
            return java.ask_line(str(folder))

        yield ask


def _find(rule: str, profiles: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """The findings of a rule on a repository with these profiles."""
    path = folder / "default" / "profiles"
    path.mkdir(parents=True)
    for name, text in profiles.items():
        (path / name).write_text(text)
    shutil.copy(needs.ROOT / "tests" / "validation" / "rules" / "base" / "config", folder / "config")
    ran = halgit("validate", "--repo", folder, "--select", rule, "--format", "json")
    return list(ran.json["findings"])


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
        ("x: 1\nspring.profiles[0]: prod\n", HIDDEN, "warning"),
        ("x: 1\nspring: {'profiles.include[0]': prod}\n", REFUSED, "error"),
        ("x: 1\nspring.config.activate.on-profile[0]: prod\n", HIDDEN, "warning"),
        ("x: 1\nspring: {config.activate: {onProfile: prod}}\n", HIDDEN, "warning"),
    ],
)  # fmt: skip
def test_the_rule_says_what_spring_boot_does(
    profile: str, answer: str, severity: str, start: Start, tmp_path: Path
) -> None:
    profiles = {"gate-local.yml": profile}
    assert start(profiles) == answer
    assert [one["severity"] for one in _find("profiles/spring-profiles", profiles, tmp_path)] == [severity] * bool(
        severity
    )


TWO = "accounts: [{name: one}, {name: two}]\n"


@pytest.mark.parametrize(
    ("profiles", "read", "lost"),
    [
        ({"gate.yml": TWO}, "one,two", ""),
        ({"gate.yml": TWO, "gate-local.yml": "accounts: [{name: three}]\n"}, "three", "one and two disappear"),
        ({"gate.yml": TWO, "gate-local.yml": "accounts[0].name: three\n"}, "three", "one and two disappear"),
        ({"gate.yml": TWO, "gate-local.yml": "accounts[0]: {name: one}\n"}, "one", "two disappears"),
        ({"gate.yml": TWO, "gate-local.yml": "Accounts: [{NAME: two}, {name: one}]\n"}, "two,one", ""),
        ({"gate.yml": "accounts[1].name: b\naccounts[0].name: a\n", "gate-local.yml": "accounts: [{name: b}]\n"},
         "b", "a disappears"),
        ({"spinnaker-local.yml": TWO, "gate.yml": "accounts: [{name: three}]\n"}, "one,two", "three disappears"),
        ({"spinnaker.yml": TWO, "gate.yml": "accounts: [{name: one}]\n"}, "one", "two disappears"),
        ({"spinnaker-local.yml": TWO, "gate-local.yml": "accounts: [{name: one}]\n"}, "one", "two disappears"),
        ({"gate.yml": TWO + "accounts[0].name: three\n"}, "three,two", ""),
    ],
)  # fmt: skip
def test_a_list_is_taken_whole_from_the_profile_with_the_highest_precedence(
    profiles: dict[str, str], read: str, lost: str, start: Start, tmp_path: Path
) -> None:
    assert start(profiles) == f"x=null accounts={read}"
    found = [one["message"].partition(": ")[2] for one in _find("profiles/hidden-list", profiles, tmp_path)]
    assert found == ([f"{lost}."] if lost else [])
