"""What a merge gives beside the data: how each file came about, its layers, what is read, where faults are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from merge.layering import SOURCE, layer, layer_of, told
from needs import shared_data

from halgit import yaml as hyaml
from halgit.halyard.merge_keys import KeyNode, build_key_tree
from halgit.merge.keyed_lists import check_items
from halgit.merge.layers import merge_layers
from halgit.merge.spring_names import elements
from halgit.pipeline import MISSING, File, Layer, LayerId, Origin, Trace
from halgit.redaction import Secret
from halgit.text import paths
from halgit.text.paths import Selector

GATE = "default/profiles/gate-local.yml"


def names(file: File) -> list[str]:
    return [layer.name for layer in file.layers]


def test_a_file_of_one_layer_is_copied_with_its_data_and_its_trace() -> None:
    base = layer("base", {GATE: "a: [1] # one\n"})
    file = merge_layers([base]).files[GATE]
    assert (file.how, file.body, file.data, names(file)) == ("copied", b"a: [1] # one\n", {"a": [1]}, ["base"])
    assert file.trace == Trace(Origin(base.id, f"base/{GATE}", ()))


def test_a_merged_file_has_no_body_and_names_its_layers_lowest_first() -> None:
    file = merge_layers([layer("base", {GATE: "a: 1"}), layer("top", {GATE: "b: 2"})]).files[GATE]
    assert (file.how, file.body, file.data, names(file)) == ("merged", None, {"a": 1, "b": 2}, ["base", "top"])


def test_a_layer_that_only_patches_a_file_is_one_of_its_layers() -> None:
    patches = f"patches: [{{target: {GATE}, ops: [{{op: add, path: /b, value: 2}}]}}]"
    file = merge_layers([layer("base", {GATE: "a: 1"}), layer("top", {"halgit.yaml": patches})]).files[GATE]
    assert (file.how, names(file)) == ("merged", ["base", "top"])


def test_a_test_alone_touches_nothing() -> None:
    patches = f"patches: [{{target: {GATE}, ops: [{{op: test, path: /a, value: 1}}]}}]"
    file = merge_layers([layer("base", {GATE: "a:   1"}), layer("top", {"halgit.yaml": patches})]).files[GATE]
    assert (file.how, file.body, names(file)) == ("copied", b"a:   1", ["base"])


def test_what_was_not_read_stays_so_and_is_the_highest_layers() -> None:
    low, high = (
        Layer(LayerId(name, SOURCE, name), frozenset({"files/key.pem", "big.tar"}), {"big.tar": name.encode()})
        for name in ("low", "high")
    )
    files = merge_layers([low, high]).files
    assert (files["files/key.pem"].body, files["files/key.pem"].data) == (None, MISSING)
    assert files["files/key.pem"].winner == high.id
    assert (files["big.tar"].body, files["big.tar"].data, names(files["big.tar"])) == (
        b"high",
        MISSING,
        ["low", "high"],
    )


def test_a_removed_file_is_gone_read_or_not() -> None:
    low = Layer(LayerId("low", SOURCE, "low"), frozenset({"files/key.pem", GATE}), {GATE: b"a: 1"})
    high = layer("high", {"halgit.yaml": f"remove: [files/key.pem, {GATE}]"})
    merged = merge_layers([low, high])
    assert (dict(merged.files), merged.findings) == ({}, ())


def test_halgits_own_files_never_become_files() -> None:
    assert list(merge_layers([layer("", {"halgit.yaml": "params: {}", "halgit.lock": "x", "config": ""})]).files) == [
        "config"
    ]


def test_settings_without_files_are_a_layer_whose_merge_keys_hold_above() -> None:
    keys = "mergeKeys: {default/profiles/orca-local.yml: {tasks: id}}"
    orca = "default/profiles/orca-local.yml"
    parts = [
        layer("", {"halgit.yaml": keys}),
        layer("base", {orca: "tasks: [{id: a}]"}),
        layer("top", {orca: "tasks: [{id: b}]"}),
    ]
    assert merge_layers(parts).files[orca].data == {"tasks": [{"id": "a"}, {"id": "b"}]}


def test_faults_of_a_text_name_their_layer() -> None:
    found = merge_layers([layer("base", {GATE: "a: [1"})]).findings
    assert [(finding.file, finding.layer, str(finding.severity)) for finding in found] == [
        (f"base/{GATE}", "base", "error")
    ]


def test_one_fault_is_told_with_everything_that_is_known_of_its_place() -> None:
    merged = merge_layers([layer("base", {GATE: "a:\n  b: 1"}), layer("overlays/prod", {GATE: "x: 1\na:\n  c: null"})])
    (finding,) = merged.findings
    assert (finding.file, finding.line, finding.column, finding.path, finding.layer) == (
        f"overlays/prod/{GATE}", 3, 3, ("a", "c"), "overlays/prod",
    )  # fmt: skip


def test_two_sources_may_have_a_layer_of_the_same_name() -> None:
    other = Layer(LayerId("base", SOURCE, "other"), frozenset({GATE}), {GATE: b"a: {b: null}"})
    merged = merge_layers([layer("base", {GATE: "a: {}"}), other])
    assert [finding.file for finding in merged.findings] == [f"other/{GATE}"]


def test_items_that_parameters_made_one_are_found_afterwards() -> None:
    base = layer("base", {"config": "deploymentConfigurations:\n- name: a\n- name: ${{ params.b }}\n"})
    merged = merge_layers([base])
    assert merged.findings == ()
    file = merged.files["config"]
    changed = File(
        "config", "merged", file.layers, {"deploymentConfigurations": [{"name": "a"}, {"name": "a"}]}, trace=file.trace
    )
    assert told(check_items({"config": changed}, [base])) == [
        "base/config:3: merge/duplicate-item: An item with `name` a already exists at base/config:2. "
        "Combine the two items, or change one of the keys."
    ]


def test_a_secret_names_no_item() -> None:
    base = layer("base", {"config": "deploymentConfigurations:\n- name: a\n- name: b\n"})
    file = merge_layers([base]).files["config"]
    hidden = {"deploymentConfigurations": [{"name": Secret("s3cret", "one")}, {"name": Secret("s3cret", "two")}]}
    assert check_items({"config": File("config", "merged", file.layers, hidden, trace=file.trace)}, [base]) == ()


def test_a_repository_of_today_comes_out_as_it_is() -> None:
    folder = shared_data() / "standard-isd-gitops"
    merged = merge_layers([layer_of(folder)])
    assert [finding for finding in merged.findings if str(finding.severity) == "error"] == []
    assert {path: file.body for path, file in merged.files.items()} == {
        str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", ()),
        ("/", ("",)),
        ("/a/b", ("a", "b")),
        ("/a~1b/m~0n", ("a/b", "m~n")),
        ("/a~01", ("a~1",)),
        ("/[name=x]/y", (Selector("name", "x", "[name=x]"), "y")),
        ("/[baseImage.id=a/b]", (Selector("baseImage.id", "a/b", "[baseImage.id=a/b]"),)),
        ("/[name=a]b]/c", (Selector("name", "a]b", "[name=a]b]"), "c")),
        ("/[name=a]~1b]", (Selector("name", "a]/b", "[name=a]/b]"),)),
        ("/[name=]", (Selector("name", "", "[name=]"),)),
        ("/[name=a=b]", (Selector("name", "a=b", "[name=a=b]"),)),
        ("/[0]/[open", ("[0]", "[open")),
        ("a", None),
        ("/a~2", None),
        ("/a~", None),
        ("/[a=1, b.c=2]", (Selector("a, b.c", "1, 2", "[a=1, b.c=2]"),)),
        ('/[a="1, b=2"]', (Selector("a", "1, b=2", '[a="1, b=2"]'),)),
    ],
)
def test_pointers(text: str, segments: object) -> None:
    assert paths.parse_pointer(text) == segments


def test_a_key_in_brackets_is_a_key_in_a_mapping() -> None:
    patches = f"patches: [{{target: {GATE}, ops: [{{op: replace, path: '/m/[a=b]', value: 2}}]}}]"
    file = merge_layers([layer("base", {GATE: "m: {'[a=b]': 1}", "halgit.yaml": patches})]).files[GATE]
    assert file.data == {"m": {"[a=b]": 2}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("server.port", "Server.Port"),
        ("kubeconfig-file", "kubeconfigFile"),
        ("kubeconfig_file", "KUBECONFIG-FILE"),
        ("a[0].b", "a[0].B"),
    ],
)
def test_spellings_of_one_property(one: str, other: str) -> None:
    assert elements(one) == elements(other)


@pytest.mark.parametrize(("one", "other"), [("a.b", "ab"), ("a[b.c]", "a.b.c"), ("a[B]", "a[b]"), ("*", "**")])
def test_spellings_of_two_properties(one: str, other: str) -> None:
    assert elements(one) != elements(other)


def test_every_keyed_list_of_the_halconfig_is_merged_by_its_key() -> None:
    """Each list the table knows: an item of the overlay meets the base's, and a new one goes to the end."""
    seen = 0
    for path, key in keyed_lists(build_key_tree("config"), ()):
        low, high = nest(path, [item(key, "a", x=1)]), nest(path, [item(key, "b"), item(key, "a", y=2)])
        merged = merge_layers([layer("base", {"config": hyaml.dump(low)}), layer("top", {"config": hyaml.dump(high)})])
        assert merged.findings == ()
        expected = nest(path, [item(key, "a", x=1, y=2), item(key, "b")])
        assert merged.files["config"].data == expected, path
        seen += 1
    assert seen > 50


def keyed_lists(node: KeyNode, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every keyed list below a node: its path and key; `key` stands for the keyed lists above it."""
    if node.key:
        yield path, node.key
        path = (*path, node.key)
    for name, child in node.children.items():
        yield from keyed_lists(child, (*path[:-1], (path[-1], name)) if node.key else (*path, name))


def nest(path: tuple[Any, ...], value: Any) -> Any:
    """The value at a path; a pair in it is an item of a keyed list (by its key), and the key inside it."""
    for step in reversed(path):
        value = [{**item(step[0], "one"), step[1]: value}] if isinstance(step, tuple) else {step: value}
    return value


def item(key: str, name: str, **rest: object) -> dict[str, object]:
    first, _, others = key.partition(", ")
    if others:
        return {**item(first, "both"), **item(others, name), **rest}
    step, _, deeper = key.partition(".")
    return {step: item(deeper, name) if deeper else name, **rest}
