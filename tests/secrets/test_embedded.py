"""A secret in a block scalar that is itself YAML or JSON: indented or escaped so that the document means the same."""

from __future__ import annotations

import json
from typing import Any

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


OUTER = {
    "literal": "text: |\n{lines}",
    "stripped": "text: |-\n{lines}",
    "kept": "text: |+\n{lines}\n\n",
    "indicator": "text: |2\n{lines}",
    "indicator and chomping": "text: |-2\n{lines}",
    "comment": "text: | # a comment\n{lines}",
    "item": "list:\n- |\n{lines}- 2\n",
    "deep": "a:\n  b:\n  - c: |\n{deep}",
    "anchor": "text: &x |\n{lines}again: *x\n",
    "folded": "text: >\n{folded}",
    "folded and stripped": "text: >-\n{folded}",
    "double": "text: {double}\n",
    "flow": "list: [{double}, 1]\n",
}
"""Files in which a string is written in different styles."""

INNER = {
    "own line": "a:\n  key: |\n    REF\n  b: 1\n",
    "item": "a:\n- |-\n  REF\n- 2\n",
    "between lines": "a: |\n  before\n  REF\n  after\nb: 1\n",
    "double quotes": 'a: "x REF y"\nb: 1\n',
    "twice": "a: |\n  REF\nb: |\n  REF\n",
    "twice on a line": 'a: "REF REF"\nb: 1\n',
    "two documents": "a: 1\n---\nb: |\n  REF\n",
    "json": '{\n "a": "x REF",\n "b": ["REF", 1]\n}\n',
}


@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("lines", INNER)
@pytest.mark.parametrize("reference", ["${{ secret('k8s://git#key') }}", "encrypted:git:key"])
def test_whatever_the_style_of_the_string_its_document_means_the_same(outer: str, lines: str, reference: str) -> None:
    inner = INNER[lines].replace("REF", reference)
    parts = {
        "lines": "".join(f"  {line}\n" for line in inner.splitlines()),
        "deep": "".join(f"        {line}\n" for line in inner.splitlines()),
        "folded": "".join(f"  {line}\n\n" for line in inner.splitlines()),
        "double": json.dumps(inner),
    }
    file = OUTER[outer].format(**parts)
    tree = compiled({GATE: file})
    written = opened(resolved(tree, Store({"k8s://git": SecretData({"key": SEVERAL.encode()})})))[GATE]
    before = [list(hyaml.read(one.encode(), "", many=True).documents) for one in strings(file)]
    after = [list(hyaml.read(one.encode(), "", many=True).documents) for one in strings(written)]
    assert after == filled(before, reference, SEVERAL)


SEVERAL = "-----BEGIN KEY-----\n  MIIE: #1\n\n-----END KEY-----"


def strings(file: str) -> list[str]:
    """The strings of several lines of a file."""
    return [one for one in walk(hyaml.read(file.encode(), GATE).data) if isinstance(one, str) and "\n" in one]


def walk(data: object) -> list[object]:
    if isinstance(data, (dict, list)):
        return [leaf for item in (data.values() if isinstance(data, dict) else data) for leaf in walk(item)]
    return [data]


def filled(data: Any, reference: str, value: str) -> Any:
    """The data with the value in place of its reference."""
    if isinstance(data, dict):
        return {key: filled(item, reference, value) for key, item in data.items()}
    if isinstance(data, list):
        return [filled(item, reference, value) for item in data]
    return data.replace(reference, value) if isinstance(data, str) else data


LINES = ["p: #1", "a #b", "*x", "007", "true", "it's", 'say "x"', "a\\b", "{a", "x\n", "a,b]", "&x", "- a", "", "\t"]
SHAPES = [
    "a: REF\nb: 1\n",
    "a: 'REF'\nb: 1\n",
    'a: "REF"\nb: 1\n',
    "a: {c: REF}\nb: 1\n",
    "- REF\n- 2\n",
    "- a\n---\nb: REF\n",
]


@pytest.mark.parametrize("value", LINES)
@pytest.mark.parametrize("lines", SHAPES)
def test_a_value_of_one_line_is_quoted_where_it_would_mean_something_else(lines: str, value: str) -> None:
    written = inner(lines.replace("REF", "encrypted:git:key"), value)
    expected = filled(list(hyaml.read(lines.encode(), "", many=True).documents), "REF", value.rstrip("\n"))
    found = list(hyaml.read(written.encode(), "", many=True).documents)
    assert filled(found, "x\n", "x") == expected


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
