"""Names as Spring binds them: `NAME`, `cache-threads` and `Accounts` are what the keyed lists call otherwise."""

from __future__ import annotations

import pytest
from merge.layering import layer

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers

PROFILE = "default/profiles/clouddriver-local.yml"


def merged(base: str, overlay: str) -> tuple[object, list[str]]:
    result = merge_layers((layer("base", {PROFILE: base}), layer("prod", {PROFILE: overlay})))
    return result.files[PROFILE].data, [one.rule for one in result.findings]


@pytest.mark.parametrize(
    "spelled",
    [
        "kubernetes: {accounts: [{NAME: ITEM}]}",
        "kubernetes: {Accounts: [{Name: ITEM}]}",
        "KUBERNETES: {accounts: [{name: ITEM}]}",
        "kubernetes.Accounts: [{name: ITEM}]",
        "docker_registry: {accounts: [{name: ITEM}]}",
        "aws: {bakery_defaults: {BaseImages: [{base-image: {ID: ITEM}}]}}",
        "kubernetes: {accounts: [{name: x, caching_policies: [{kubernetes-kind: ITEM}]}]}",
    ],
)
def test_items_are_merged_in_every_spelling(spelled: str) -> None:
    data, rules = merged(spelled.replace("ITEM", "a"), spelled.replace("ITEM", "b"))
    assert rules == []
    both = hyaml.read(spelled.replace("ITEM", "a").encode(), "").data
    text = str(data)
    assert text.count("'a'") == 1
    assert text.count("'b'") == 1
    assert merged(spelled.replace("ITEM", "a"), spelled.replace("ITEM", "a")) == (both, [])


@pytest.mark.parametrize(
    ("base", "overlay"),
    [
        ("kubernetes: {accounts: [{name: a}]}", "'kubernetes.accounts[0]': {name: a}"),
        ("kubernetes: {accounts: [{name: a}]}", "kubernetes: {'accounts[0]': {name: b}}"),
        ("kubernetes: {accounts: [{name: a}]}", "kubernetes: {Accounts: [{name: a}]}"),
        (
            "kubernetes: {accounts: [{name: a, cacheThreads: 1}]}",
            "kubernetes: {accounts: [{name: a, CACHETHREADS: 2}]}",
        ),
        ("kubernetes: {accounts: [{name: a}]}", "kubernetes: {accounts: [{NAME: a}]}"),
    ],
)
def test_two_spellings_of_one_property_are_an_error(base: str, overlay: str) -> None:
    assert set(merged(base, overlay)[1]) == {"merge/two-spellings"}


def test_duplicate_items_are_found_in_every_spelling() -> None:
    _, rules = merged("kubernetes: {Accounts: [{NAME: a}, {Name: a}]}", "b: 1")
    assert rules == ["merge/duplicate-item"]


def test_the_halconfig_has_one_spelling() -> None:
    layers = (
        layer("base", {"config": "DeploymentConfigurations: [1]\n"}),
        layer("p", {"config": "DeploymentConfigurations: [2]\n"}),
    )
    assert merge_layers(layers).files["config"].data == {"DeploymentConfigurations": [2]}
