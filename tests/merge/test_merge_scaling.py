"""Merging costs what it looks at: twice the accounts, twice the calls, whatever is done to them. Counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from merge.layering import layer

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.pipeline import Layer

AT = "/deploymentConfigurations/0/providers/kubernetes/accounts"


def layers(count: int, overlay: list[Any], **settings: Any) -> list[Layer]:
    """A base of so many accounts, and an overlay with these entries for the same list."""
    base = [{"name": f"account-{n}", "context": "c", "namespaces": ["a"], "customResources": []} for n in range(count)]
    files = {"config": config(overlay), "halgit.yaml": hyaml.dump(settings)}
    return [layer("base", {"config": config(base)}), layer("overlay", files)]


def config(accounts: list[Any]) -> bytes:
    return hyaml.dump(
        {"deploymentConfigurations": [{"name": "default", "providers": {"kubernetes": {"accounts": accounts}}}]}
    )


def all_changed(count: int) -> list[Layer]:
    return layers(count, [{"name": f"account-{n}", "context": "other", "x": {"y": 1}} for n in range(count)])


def half_deleted(count: int) -> list[Layer]:
    return layers(count, [{"name": f"account-{n}", "$patch": "delete"} for n in range(0, count, 2)])


def all_new(count: int) -> list[Layer]:
    return layers(count, [{"$list": "prepend"}, *({"name": f"new-{n}"} for n in range(count))])


def all_patched(count: int) -> list[Layer]:
    ops = [{"op": "replace", "path": f"{AT}/[name=account-{n}]/context", "value": "p"} for n in range(count)]
    return layers(count, [], patches=[{"target": "config", "ops": ops}])


def all_wrong(count: int) -> list[Layer]:
    return layers(count, [{"name": f"missing-{n}", "$patch": "delete"} for n in range(count)])


def all_twice(count: int) -> list[Layer]:
    return layers(count, [{"$list": "append"}, *({"name": f"account-{n}"} for n in range(count))])


@pytest.mark.parametrize("made", [all_changed, half_deleted, all_new, all_patched, all_wrong, all_twice])
def test_twice_the_accounts_cost_twice_the_calls(made: Callable[[int], list[Layer]]) -> None:
    merge_layers(made(10))
    few, many = (calls(merge_layers, made(count)) for count in (200, 400))
    assert many < 2.2 * few


def test_an_overlay_of_few_costs_little_beside_reading() -> None:
    """What comes on top of reading both files is some calls for each account, not for each of its values."""
    changed = layers(1000, [{"name": f"account-{n}", "context": "other"} for n in range(0, 1000, 10)])
    merge_layers(changed)
    reading = sum(calls(hyaml.read, part.files["config"], "config") for part in changed)
    assert calls(merge_layers, changed) - reading < 60 * 1000


def calls(function: Callable[..., object], *arguments: object) -> int:
    """How many calls a function makes, its own and the interpreter's."""
    made = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return made
