"""The order of layers: bases depth first, each once; what is wrong with a base, with its place."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from merge.layering import told

from halgit import settings
from halgit.merge.order import order_layers
from halgit.pipeline import LayerSettings


def ordered(start: str, bases: Mapping[str, str | None]) -> tuple[tuple[str, ...], list[str]]:
    """The order of folders given as their `bases` lines; None for a folder without a halgit.yaml."""

    def said(folder: str) -> LayerSettings | None:
        if folder not in bases:
            return None
        text = bases[folder]
        if text is None:
            return LayerSettings()
        file = f"{folder}/halgit.yaml" if folder else "halgit.yaml"
        parsed, faults = settings.parse_settings(text.encode(), file, root=not folder)
        assert not faults
        return parsed

    folders, findings = order_layers(start, said)
    return folders, told(findings)


def test_a_layer_without_bases_stands_alone() -> None:
    assert ordered("base", {"base": None}) == (("base",), [])


def test_a_folder_without_files_is_no_layer() -> None:
    assert ordered("overlays/none", {}) == ((), [])


def test_bases_come_first_and_in_their_order_depth_first() -> None:
    layers = {
        "overlays/prod": "bases: [../../ha, ../../base/]",
        "ha": "bases: [../storage]",
        "storage": None,
        "base": None,
    }
    assert ordered("overlays/prod", layers) == (("storage", "ha", "base", "overlays/prod"), [])


def test_a_layer_reached_twice_is_merged_once() -> None:
    layers = {"top": "bases: [../left, ../right, ../left]", "left": "bases: [../base]", "right": "bases: [../base]"}
    assert ordered("top", {**layers, "base": None}) == (("base", "left", "right", "top"), [])


def test_the_root_can_be_a_base_and_can_have_bases() -> None:
    assert ordered("overlays/a", {"overlays/a": "bases: [../..]", "": None}) == (("", "overlays/a"), [])
    assert ordered("", {"": "bases: [./base]", "base": None}) == (("base", ""), [])


def test_a_circle_is_told_with_its_chain_and_its_place() -> None:
    layers = {"a": "bases: [../b]", "b": "bases:\n- ../c\n- ../d", "c": "bases: [../b]", "d": None}
    folders, faults = ordered("a", layers)
    assert faults == [
        "c/halgit.yaml:1: merge/base-cycle: The bases form a cycle: b -> c -> b. Remove one of them.",
    ]
    assert folders == ("c", "d", "b", "a")


def test_a_layer_that_builds_on_itself() -> None:
    assert ordered("", {"": "bases: [.]"})[1] == [
        "halgit.yaml:1: merge/base-cycle: The bases form a cycle: . -> .. Remove one of them.",
    ]


@pytest.mark.parametrize("base", ["../../../other", "/base", "../.././../x", "x/../../../../y"])
def test_no_base_leaves_the_root(base: str) -> None:
    _, faults = ordered("overlays/prod", {"overlays/prod": f"bases:\n- {base}", "base": None})
    assert faults == [
        "overlays/prod/halgit.yaml:2: merge/base-outside: This base is outside the root of the source. "
        "Write a relative path that stays inside the root, which `--path` sets."
    ]


def test_every_wrong_base_of_every_layer_is_told() -> None:
    layers = {"a": "bases:\n- ../gone\n- ../b\n- /abs", "b": "bases: [../gone]"}
    folders, faults = ordered("a", layers)
    missing = "does not exist or has no file. Correct the path, which is relative to the folder of this halgit.yaml."
    assert [fault.split(":", 2)[:2] for fault in faults] == [
        ["a/halgit.yaml", "2"],
        ["b/halgit.yaml", "1"],
        ["a/halgit.yaml", "4"],
    ]
    assert faults[1] == f"b/halgit.yaml:1: merge/base-missing: Base gone {missing}"
    assert folders == ("b", "a")


def test_a_long_chain_of_bases_is_no_trouble() -> None:
    layers: dict[str, str | None] = {f"l{n}": f"bases: [../l{n + 1}]" for n in range(3000)}
    folders, faults = ordered("l0", {**layers, "l3000": None})
    assert (len(folders), folders[0], faults) == (3001, "l3000", [])


@pytest.mark.parametrize(
    "base",
    [
        "https://git.example.com/base.git",
        "git@git.example.com:base.git",
        "s3://bucket/base",
        "git.example.com/team/base//overlay?ref=v1",
        "github.com/team/base",
    ],
)
def test_a_url_is_no_base_and_the_hint_names_the_option(base: str) -> None:
    _, findings = ordered("a", {"a": f"bases: ['{base}']"})
    assert findings == [
        "a/halgit.yaml:1: merge/base-outside: A base is a folder of the same source, not a URL. "
        "Pass the repository with --repo, before the one that builds on it."
    ]
