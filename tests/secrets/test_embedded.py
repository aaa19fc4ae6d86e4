"""A secret in a block scalar that is itself YAML or JSON: indented or escaped so that the document means the same."""

from __future__ import annotations

import json

import pytest
from secret_trees import Store, compiled, opened, resolved

from halgit import yaml as hyaml
from halgit.errors import SecretError
from halgit.remotes.engine import SecretData

GATE = "default/profiles/gate-local.yml"
KEY = "-----BEGIN KEY-----\nMIIE: #1\n\n  odd indentation\n-----END KEY-----\n"


def block(lines: str) -> str:
    return "inner: |\n" + "".join(f"  {line}\n" for line in lines.splitlines())


def inner(lines: str, value: str = KEY) -> str:
    """The string of the block scalar after the secret took its reference's place, as Spring reads the file."""
    tree = compiled({GATE: block(lines)})
    text = opened(resolved(tree, Store({"k8s://git": SecretData({"key": value.encode()})})))[GATE]
    return str(hyaml.read(text.encode(), GATE).data["inner"])


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ("a:\n  key: |\n    encrypted:git:key\n  b: 1", ("a", "key")),
        ("a:\n- key: |-\n    ${{ secret('k8s://git#key') }}\n- 2", ("a", 0, "key")),
        ('a: "encrypted:git:key"\nb: 1', ("a",)),
        ("a:\n  b: >\n    x\n  key: |\n      before\n      encrypted:git:key\n      after\n", ("a", "key")),
    ],
)
def test_in_yaml_lines_are_indented_to_the_place(lines: str, path: tuple[str | int, ...]) -> None:
    data = hyaml.read(inner(lines).encode(), "").data
    before = hyaml.read(lines.encode(), "").data
    for step in path:
        data, before = data[step], before[step]
    reference = "${{ secret('k8s://git#key') }}" if "secret" in lines else "encrypted:git:key"
    assert data == before.replace(reference, KEY.rstrip("\n"))


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ('{"key": "encrypted:git:key", "n": 1}', KEY),
        ('{\n  "key": "encrypted:git:key",\n  "n": 1\n}', KEY),
        ('{"key": "encrypted:git:key", "n": 1}', 'p"a\\ss'),
        ('{"key": "x-encrypted:git:key", "other": "encrypted:git:key"}', 'p"'),
    ],
)
def test_in_json_the_value_is_escaped(lines: str, value: str) -> None:
    data = json.loads(inner(lines, value))
    assert str(data["key"]).removeprefix("x-") == value.rstrip("\n")
    assert data.get("n", 1) == 1


@pytest.mark.parametrize(
    "lines",
    ["a: encrypted:git:key\nb: 1", "a: {b: 'encrypted:git:key'}\nb: 1", "a: x-encrypted:git:key/y\nb: 1"],
)
def test_where_it_cannot_be_written_is_an_error_without_the_value(lines: str) -> None:
    with pytest.raises(SecretError) as caught:
        inner(lines)
    assert str(caught.value).startswith(f"{GATE}:1: inner: ")
    assert str(caught.value).endswith(
        "has several lines, which cannot be written at its place in a string that is a YAML document. "
        "Put the reference alone on a line below `key: |`, or in double quotes."
    )
    assert "MIIE" not in str(caught.value)


@pytest.mark.parametrize("lines", ["#!/bin/sh\nexport A=encrypted:git:key", "just text\nencrypted:git:key"])
def test_any_other_text_takes_the_value_as_it_is(lines: str) -> None:
    assert inner(lines) == lines.replace("encrypted:git:key", KEY.rstrip("\n")) + "\n"


def test_a_value_of_one_line_is_written_as_it_is() -> None:
    assert inner("a: encrypted:git:key\nb: 1", "one") == "a: one\nb: 1\n"
