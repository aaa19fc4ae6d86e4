"""What docs/charts.md says of the jobs is what they are run with, and halgit knows what the charts give it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click
import pytest
from charts_pods import template
from charts_values import CI, ROOT, over

from halgit.cli.program import program

Object = dict[str, Any]
DOCUMENT = (ROOT / "docs" / "charts.md").read_text()


def runs(every: dict[str, list[Object]], name: str) -> list[Object]:
    """Every rendered container of this name."""
    found = []
    for one in (one for objects in every.values() for one in objects):
        spec = template(one).get("spec", {})
        found += [c for c in [*spec.get("containers", []), *spec.get("initContainers", [])] if c["name"] == name]
    return found


def test_the_arguments_of_the_jobs_are_documented(every: dict[str, list[Object]]) -> None:
    given = {
        text.split("=")[0]
        for name in ("bootstrap", "renew", "configure")
        for one in runs(every, name)
        for text in one["args"]
    }
    documented = set(re.findall(r"(--[a-z-]+)=", DOCUMENT))
    assert {option for option in given if option.startswith("--")} == documented


@pytest.mark.parametrize(
    ("name", "words"), [("halgit", ["render"]), ("accounts", ["accounts", "serve"]), ("sync", ["sync"])]
)
def test_halgit_knows_the_options_the_charts_give(every: dict[str, list[Object]], name: str, words: list[str]) -> None:
    command: click.Command = program
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None, word
        command = found
    known = {option.envvar for option in command.params}
    containers = runs(every, name)
    assert containers
    for container in containers:
        command_line = container.get("args") or re.findall(r"halgit (\w+)", container["command"][2])
        assert command_line[: len(words)] == words
        names = {row["name"] for row in container["env"] if row["name"].startswith("HALGIT_")}
        assert {one for one in names if not one.startswith("HALGIT_PARAM_")} <= known


def test_the_notes_say_when_the_control_certificate_ends_and_what_renews_it(
    texts: Callable[..., dict[str, str]],
) -> None:
    command = (
        "halgit isd status --namespace isd-ns --ca-secret isd-controller-ca --control-secret isd-controller-control\n"
    )
    by_hand = over(CI["controller"], {"bootstrap": {"renew": {"schedule": ""}}})
    notes = texts("isd", CI["controller"])["isd/templates/NOTES.txt"]
    assert command in notes
    assert "one year after it was issued; the job isd-renew renews it and restarts sapor." in notes
    notes = texts("isd", by_hand)["isd/templates/NOTES.txt"]
    assert command in notes
    assert "one year after it was issued. Renew it in time, or set bootstrap.renew.schedule." in notes
    assert "--control-secret" not in texts("isd", CI["hosts"])["isd/templates/NOTES.txt"]
