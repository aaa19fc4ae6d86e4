"""What parameters leave behind: origins, the names that were used, and data that nobody changed in place."""

from __future__ import annotations

import copy

import pytest
from merge.layering import layer, told

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.operator_settings import OperatorSettings
from halgit.parameters.parameter_set import collect_parameters
from halgit.parameters.substitution import substitute_parameters
from halgit.parameters.values import variable_name
from halgit.pipeline import MISSING, Origin
from halgit.record import replace

BASE = layer(
    "base",
    {
        "halgit.yaml": "params: {host: gate, port: {type: integer, default: 8084}, unused: 1}\n",
        "config": "a: {b: 'x${{ params.host }}:${{ params.port }}', c: 1}\nlist: [1, '${{ params.port }}']\n",
    },
)
PROD = layer("prod", {"halgit.yaml": "params: {host: prod}\n", "config": "a: {c: '${{ params.host }}'}\n"})


def test_an_origin_says_which_parameters_put_a_value_there() -> None:
    layers = (BASE, PROD)
    parameters = collect_parameters(layers, OperatorSettings(set={"port": "1"}))
    made = substitute_parameters(merge_layers(layers).files, parameters, layers)
    config = made.files["config"]
    assert config.trace
    assert config.data == {"a": {"b": "xprod:1", "c": "prod"}, "list": [1, "1"]}
    assert config.trace.at(("a", "b")).origin == Origin(
        BASE.id, "base/config", ("a", "b"), "parameter host, parameter port"
    )
    changed = config.trace.at(("a", "c"))
    assert changed.origin == Origin(PROD.id, "prod/config", ("a", "c"), "parameter host")
    assert changed.overridden == (Origin(BASE.id, "base/config", ("a", "c")),)
    assert config.trace.at(("list", 0)).origin == Origin(BASE.id, "base/config", ("list", 0))
    assert config.trace.at(("list", 1)).origin.how == "parameter port"


def test_parameters_know_their_giver_and_whether_they_were_used() -> None:
    layers = (BASE, PROD)
    parameters = collect_parameters(layers, OperatorSettings(set={"port": "1"}))
    made = substitute_parameters(merge_layers(layers).files, parameters, layers)
    told_of = parameters.with_used(made.used)
    assert {name: (one.set_by, one.used) for name, one in told_of.items()} == {
        "host": ("prod/halgit.yaml", True),
        "port": ("--set", True),
        "unused": ("base/halgit.yaml", False),
    }
    assert told_of["host"].origin == Origin(PROD.id, "prod/halgit.yaml", ("params", "host"))
    by_default = collect_parameters(layers, OperatorSettings()).values["port"]
    assert by_default.set_by == "default in base/halgit.yaml"
    assert by_default.origin == Origin(BASE.id, "base/halgit.yaml", ("params", "port", "default"), "default of port")


def test_what_a_patch_put_there_says_so_too() -> None:
    text = (
        "params: {host: gate}\npatches: [{target: config, ops: [{op: add, path: /new, value: '${{ params.host }}'}]}]\n"
    )
    layers = (BASE, layer("prod", {"halgit.yaml": text}))
    made = substitute_parameters(merge_layers(layers).files, collect_parameters(layers, OperatorSettings()), layers)
    trace = made.files["config"].trace
    assert trace
    assert trace.at(("new",)).origin.how == "patch, parameter host"
    assert trace.at(("new",)).origin.file == "prod/halgit.yaml"


def test_nothing_is_changed_in_place() -> None:
    layers = (BASE, PROD)
    merged = merge_layers(layers)
    before = copy.deepcopy(merged.files["config"].data)
    made = substitute_parameters(merged.files, collect_parameters(layers, OperatorSettings()), layers)
    assert merged.files["config"].data == before
    assert made.files["config"].data != before


def test_a_value_under_an_alias_is_replaced_wherever_it_shows() -> None:
    text = "first: &x ['${{ params.host }}', plain]\nsecond: *x\n"
    layers = (layer("base", {"halgit.yaml": "params: {host: gate}\n", "config": text}),)
    made = substitute_parameters(
        merge_layers(layers).files, collect_parameters(layers, OperatorSettings()), layers
    ).files["config"]
    assert made.data == {"first": ["gate", "plain"], "second": ["gate", "plain"]}
    assert isinstance(made.body, bytes)
    assert hyaml.replace_scalars(made.body, made.splices) == b"first: &x ['gate', plain]\nsecond: *x\n"


def test_a_file_that_is_read_later_can_be_handed_in_then() -> None:
    layers = (layer("base", {"halgit.yaml": "params: {host: gate}\n", "config": "a: 1\n"}),)
    layers = (replace(layers[0], paths=layers[0].paths | {"files/a.txt"}),)
    parameters = collect_parameters(layers, OperatorSettings())
    first = substitute_parameters(merge_layers(layers).files, parameters, layers)
    unread = first.files["files/a.txt"]
    assert (unread.body, unread.data, first.used) == (None, MISSING, frozenset())
    later = {"files/a.txt": replace(unread, body=b"one\n${{ params.host }} ${{ params.hst }}\n")}
    second = substitute_parameters(later, parameters, layers)
    assert second.files["files/a.txt"].body == b"one\ngate ${{ params.hst }}\n"
    assert told(second.findings) == [
        "base/files/a.txt:2: parameter/undeclared: Parameter hst is not declared. Did you mean host?"
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gateHost", "GATE_HOST"), ("gate-host", "GATE_HOST"), ("RELEASE_NAME", "RELEASE_NAME"), ("CDName", "CD_NAME"),
     ("s3Bucket", "S3_BUCKET"), ("dnsTTL", "DNS_TTL"), ("a", "A")],
)  # fmt: skip
def test_variables_are_in_upper_snake_case(name: str, expected: str) -> None:
    assert variable_name(name) == f"HALGIT_PARAM_{expected}"
