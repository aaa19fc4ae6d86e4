"""What holds of every merge, whatever the layers hold: tried with documents made at random."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from merge.layering import SOURCE, layer

from halgit import yaml as hyaml
from halgit.halyard.merge_keys import build_key_tree
from halgit.merge import patches
from halgit.merge.document_merger import DocumentMerger
from halgit.merge.draft import Draft
from halgit.merge.layers import merge_layers
from halgit.pipeline import Layer, LayerId, Merged, Origin, Patch, Path, Trace

FILE = "default/profiles/clouddriver-local.yml"
Data = Any

SCALARS = st.one_of(st.integers(0, 3), st.booleans(), st.sampled_from(["x", "y", "${z}", ""]))
NAMES = st.sampled_from("abcdef")


def items(fields: st.SearchStrategy[Data]) -> st.SearchStrategy[Data]:
    """The items of a keyed list, each name once."""
    return st.dictionaries(NAMES, fields, max_size=4).map(
        lambda found: [{"name": name, **rest} for name, rest in found.items()]
    )


def mappings(depth: int) -> st.SearchStrategy[Data]:
    """Mappings whose keys tell the kind of what is below, so that layers agree on kinds."""
    kinds = {"s1": SCALARS, "s2": SCALARS, "l1": st.lists(SCALARS, max_size=3)}
    if depth:
        kinds |= {"m1": mappings(depth - 1), "m2": mappings(depth - 1)}
    return st.fixed_dictionaries({}, optional=kinds)


PLAIN = st.fixed_dictionaries(
    {},
    optional={"top": mappings(2), "kubernetes": st.fixed_dictionaries({}, optional={"accounts": items(mappings(1))})},
)

VALUE = st.one_of(SCALARS, st.none(), st.lists(SCALARS, max_size=2))
WORDY_ITEM = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "$patch": st.sampled_from(["delete", "replace", "merge"]),
        "s1": VALUE,
        "l1": st.lists(SCALARS, max_size=2).map(lambda rest: [{"$list": "append"}, *rest]),
        "m1": st.fixed_dictionaries({}, optional={"s1": VALUE, "$patch": st.just("replace"), "s2": SCALARS}),
    },
)
WORDY_LIST = st.lists(WORDY_ITEM, max_size=4)
HEADED = st.tuples(st.sampled_from(["append", "prepend", "replace", "merge"]), WORDY_LIST).map(
    lambda pair: [{"$list": pair[0]}, *pair[1]]
)
WORDY = st.fixed_dictionaries(
    {},
    optional={
        "top": st.one_of(mappings(1), st.none(), st.just({"$value": None}), st.just({"$patch": "replace", "m1": {}})),
        "kubernetes": st.fixed_dictionaries({}, optional={"accounts": st.one_of(WORDY_LIST, HEADED)}),
    },
)
"""Documents with directives, deletes and nulls; most merges of them have faults too."""

AT = "/kubernetes/accounts"
OPS = st.lists(
    st.one_of(
        st.builds(lambda n, v: {"op": "add", "path": f"{AT}/[name={n}]/m1", "value": v}, NAMES, mappings(0)),
        st.builds(lambda n: {"op": "remove", "path": f"{AT}/[name={n}]"}, NAMES),
        st.builds(
            lambda n, at: {"op": "move", "from": f"{AT}/[name={n}]", "path": f"{AT}/{at}"}, NAMES, st.integers(0, 2)
        ),
        st.builds(lambda n: {"op": "copy", "from": "/top", "path": f"{AT}/[name={n}]/m1"}, NAMES),
        st.builds(lambda n, v: {"op": "replace", "path": f"{AT}/[name={n}]/name", "value": v}, NAMES, NAMES),
        st.builds(lambda v: {"op": "add", "path": f"{AT}/-", "value": v}, WORDY_ITEM),
        st.builds(lambda v: {"op": "replace", "path": "/top", "value": v}, mappings(1)),
    ),
    max_size=5,
)


def layers_of(*documents: Data) -> list[Layer]:
    return [layer(f"l{number}", {FILE: hyaml.dump(data)}) for number, data in enumerate(documents)]


def compiled(*documents: Data) -> Data:
    merged = merge_layers(layers_of(*documents))
    assert all(str(finding.severity) != "error" for finding in merged.findings), merged.findings
    return merged.files[FILE].data


def in_order(data: Data) -> bytes:
    """Data as a text, for the order of keys counts too."""
    return hyaml.dump(data)


@settings(deadline=None)
@given(PLAIN)
def test_an_overlay_that_says_nothing_changes_nothing(data: Data) -> None:
    assert in_order(compiled(data, {})) == in_order(compiled(data, None)) == in_order(data)


@settings(deadline=None)
@given(PLAIN)
def test_a_layer_over_itself_changes_nothing(data: Data) -> None:
    assert in_order(compiled(data, data)) == in_order(data)


@settings(deadline=None)
@given(PLAIN, PLAIN, PLAIN)
def test_it_is_the_same_which_two_layers_are_merged_first(one: Data, two: Data, three: Data) -> None:
    assert in_order(compiled(one, compiled(two, three))) == in_order(compiled(one, two, three))


@settings(deadline=None)
@given(PLAIN, PLAIN)
def test_what_the_higher_layer_says_stands(one: Data, two: Data) -> None:
    made = compiled(one, two)
    for path, value in leaves(two.get("top", {})):
        assert follow(made, ("top", *path)) == value


@settings(deadline=None)
@given(PLAIN, WORDY, WORDY, OPS)
def test_every_leaf_comes_from_where_its_origin_says(one: Data, two: Data, three: Data, ops: Data) -> None:
    lowest, middle, highest = layers_of(one, two, three)
    patched = layer("l1", {**middle.files, "halgit.yaml": hyaml.dump({"patches": [{"target": FILE, "ops": ops}]})})
    merged = merge_layers([lowest, patched, highest])
    for path, value in leaves(merged.files[FILE].data):
        trace = merged.files[FILE].trace.at(path)
        assert written(trace.origin, merged) == value, path
        for origin in trace.overridden:
            written(origin, merged)


def written(origin: Origin, merged: Merged) -> Data:
    """What stands at an origin, which must be there."""
    found = next(layer for layer in merged.layers if layer.id == origin.layer)
    own = origin.file == found.settings.file
    return follow(hyaml.read(found.settings.text if own else found.files[FILE], FILE).data, origin.path)


@settings(deadline=None)
@given(PLAIN, WORDY, OPS)
def test_what_was_read_is_never_changed(one: Data, two: Data, ops: Data) -> None:
    before = copy.deepcopy((one, two, ops))
    draft = laid(one, two)
    origin = Origin(LayerId("l1", SOURCE), FILE, ())
    patches.apply_patch(draft, Patch(FILE, tuple(ops), ()), origin, [], patches.PatchBudget())
    draft.freeze()
    assert (one, two, ops) == before


@settings(deadline=None)
@given(PLAIN)
def test_what_no_layer_touches_is_shared(data: Data) -> None:
    made, trace = laid({**data, "other": {"kept": [1]}}, {"new": 1}).freeze()
    assert all(made[key] is data[key] for key in data)
    assert set(trace.children) == {"new"}


def laid(one: Data, two: Data) -> Draft:
    low, high = (Origin(LayerId(f"l{number}", SOURCE, f"l{number}"), FILE, ()) for number in range(2))
    return DocumentMerger(high, [], has_directives=True, is_spring=True).merge(
        Draft(one, Trace(low)), two, build_key_tree(FILE)
    )


def leaves(data: Data, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Every scalar and its path."""
    if not isinstance(data, (dict, list)):
        yield path, data
        return
    for step, item in data.items() if isinstance(data, dict) else enumerate(data):
        yield from leaves(item, (*path, step))


def follow(data: Data, path: Path) -> Data:
    for step in path:
        data = data[step]
    return data
