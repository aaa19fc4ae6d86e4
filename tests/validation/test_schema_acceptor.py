"""The acceptor in Python never accepts what the compiled validator refuses, and accepts what repositories hold."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
import needs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halgit import yaml as hyaml
from halgit.halyard.resources import load_schema, read_schema_text
from halgit.validation.schema import READERS
from halgit.validation.schema_acceptor import ORDINARY_ADDRESS, accepts, find_unknown_keys

CASES = json.loads((needs.ROOT / "tests" / "fixtures" / "halyard-accepts.json").read_text())


@cache
def validator(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(read_schema_text(name))


def is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def test_it_agrees_with_the_validator_about_recorded_halconfigs() -> None:
    documents = [hyaml.read(case["yaml"].encode(), "config").data for case in CASES]
    documents = [one for one in documents if one is not None and is_plain(one)]
    wrong = [
        one for one in documents if accepts(load_schema("halconfig"), one) and not validator("halconfig").is_valid(one)
    ]
    assert not wrong
    decided = [one for one in documents if accepts(load_schema("halconfig"), one)]
    valid = [one for one in documents if validator("halconfig").is_valid(one)]
    assert len(decided) > len(valid) * 0.9


def unknown_keys(name: str, value: Any) -> dict[tuple[Any, ...], list[str]] | None:
    """The unknown keys that the validator finds; None if it finds anything else."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for error in validator(name).iter_errors(value):
        path = tuple(error.instance_path)
        if error.kind.name != "additionalProperties" or path in found:
            return None
        found[path] = sorted(error.kind.as_dict()["unexpected"])
    return found


def check_unknown_keys(name: str, value: Any) -> bool:
    """Compare the unknown keys with those of the validator, if they are decided; returns whether there are any."""
    found = find_unknown_keys(load_schema(name), value)
    if found is None:
        return False
    assert {path: sorted(keys) for path, keys in found.items()} == unknown_keys(name, value), value
    return bool(found)


def test_it_finds_the_unknown_keys_of_recorded_halconfigs() -> None:
    documents = [hyaml.read(case["yaml"].encode(), "config").data for case in CASES]
    decided = [check_unknown_keys("halconfig", one) for one in documents if one is not None and is_plain(one)]
    assert decided.count(True) > 5


@pytest.mark.parametrize("name", sorted(READERS))
def test_it_finds_the_unknown_keys_of_test_files(name: str) -> None:
    for file in sorted((needs.ROOT / "tests" / "validation" / "schema" / name).glob("*.yml")):
        data = hyaml.read(file.read_bytes(), file.name).data
        if data is not None and is_plain(data):
            check_unknown_keys(name, data)


@pytest.mark.parametrize("name", sorted(READERS))
def test_it_agrees_with_the_validator_about_test_files(name: str) -> None:
    for file in sorted((needs.ROOT / "tests" / "validation" / "schema" / name).glob("*.yml")):
        data = hyaml.read(file.read_bytes(), file.name).data
        if data is not None and is_plain(data):
            assert not accepts(load_schema(name), data) or validator(name).is_valid(data), file


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "true", "12", "-5", " 7 ", "x", "http://a", "http://a\n", "a b", "99999999999", "NONE"]),
    st.text(max_size=4),
)  # fmt: skip
ACCOUNT_KEYS = ["name", "cacheThreads", "namespaces", "permissions", "serviceAccount", "providerVersion", "nonsense"]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(ACCOUNT_KEYS), st.one_of(SCALARS, st.lists(SCALARS, max_size=2)), max_size=4),
    st.dictionaries(st.sampled_from(["overrideBaseUrl", "ssl", "x"]), SCALARS, max_size=2),
)
def test_it_never_accepts_what_the_validator_refuses(account: dict[str, Any], security: dict[str, Any]) -> None:
    deployment = {
        "name": "default",
        "providers": {"kubernetes": {"accounts": [account]}},
        "security": {"apiSecurity": security},
    }
    config = {"deploymentConfigurations": [deployment]}
    if accepts(load_schema("halconfig"), config):
        assert validator("halconfig").is_valid(config)
    check_unknown_keys("halconfig", config)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^a$"}, "a\n"),
        ({"pattern": "^[$]$"}, "a"),
        ({"type": "integer"}, True),
        ({"enum": [1]}, True),
        ({"type": "integer"}, 1.5),
        ({"minLength": 3}, "a"),
        ({"additionalProperties": False}, {"a": 1}),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}, {"b": 1}),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"xy": 1}),
        ({"allOf": [{"if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["b"]}}]}, {"k": "a"}),
        ({"required": ["a"]}, {}),
        ({"items": {"type": "null"}}, [1]),
    ],
)
def test_it_accepts_nothing_invalid_and_nothing_it_does_not_know(schema: dict[str, Any], value: Any) -> None:
    assert not accepts(schema, value)
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid(value)


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~/-]*)?", fullmatch=True))
def test_an_ordinary_address_is_a_uri_of_java(text: str) -> None:
    assert ORDINARY_ADDRESS.fullmatch(text)
    for name in ("halconfig", "service-settings"):
        definition = load_schema(name)["$defs"]["uri"]
        assert re.search(definition["pattern"], text)
        assert jsonschema_rs.is_valid(definition, text)
