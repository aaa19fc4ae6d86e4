"""A real repository of today, which is not part of this project: it renders without a change to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import needs
import pytest
from merge.layering import layer
from opsmx.tokens import Rendered, by_variables, render

from halgit import yaml as hyaml
from halgit.halyard.resources import load_table
from halgit.opsmx import substitution, tokens
from halgit.pipeline import Layer, Value, Variant

VALUES = {name: f"<{name.lower()}> & /a\\b: #c" for name in load_table("opsmx_tokens")}
NAMES = sorted(VALUES, key=len, reverse=True)


@pytest.fixture(scope="module")
def folder() -> Path:
    return needs.shared_data() / "standard-isd-gitops"


@pytest.fixture(scope="module")
def repository(folder: Path) -> Layer:
    return layer("", {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()})


def open_tokens(rendered: Rendered) -> list[tuple[str, int, str]]:
    return [(f.file, f.line, f.message.split()[1]) for f in rendered.findings if f.rule == "opsmx/open-token"]


def in_lines(folder: Path, path: str) -> list[tuple[str, int, str]]:
    """What a person finds who looks for the tokens line by line, comments aside."""
    rows = load_table("opsmx_tokens")
    found = []
    for number, line in enumerate((folder / path).read_text().splitlines(), 1):
        words = line.split(" #")[0] if not line.lstrip().startswith("#") else ""
        for char in "/:-@\"'.,=":
            words = words.replace(char, " ")
        found += [
            (path, number, word)
            for word in dict.fromkeys(words.split())
            if tokens.without_variant(path) in rows.get(word, {"files": ()})["files"]
        ]
    return found


def test_its_dialect_is_found(repository: Layer) -> None:
    assert substitution.is_opsmx([repository])


@pytest.mark.parametrize("variant", ["token", "ssh", "s3"])
def test_without_values_every_open_token_is_listed(repository: Layer, folder: Path, variant: Variant) -> None:
    rendered = render([repository], by_variables({}), variant)
    taken = [f"{path}.{variant}" if f"{path}.{variant}" in repository.paths else path for path in rendered.files]
    expected = [found for path in taken for found in in_lines(folder, path)]
    if variant == "ssh":
        expected.append(("default/profiles/spinnakerconfig.yml.ssh", 15, "GIT_SSH_KEY"))
    assert Counter(open_tokens(rendered)) == Counter(expected)
    assert len(expected) > 25


def test_a_token_that_never_was_replaced_is_warned_of(repository: Layer) -> None:
    rendered = render([repository], by_variables(VALUES))
    words = [(f.file, f.line, f.rule, f.hint) for f in rendered.findings if f.rule != "parameter/unused"]
    assert words == [("default/profiles/fiat-local.yml", 10, "opsmx/misspelled-token", "Did you mean RELEASE_NAME?")]


@pytest.mark.parametrize("variant", ["token", "ssh", "s3"])
def test_with_values_nothing_but_the_tokens_changes(repository: Layer, folder: Path, variant: Variant) -> None:
    rendered = render([repository], by_variables(VALUES), variant)
    assert not open_tokens(rendered)
    for path in rendered.files:
        own = f"{path}.{variant}" if f"{path}.{variant}" in repository.paths else path
        original = (folder / own).read_bytes()
        if not in_lines(folder, own):
            assert rendered.text(path) == original
        elif hyaml.read(original, own).documents:
            expected = with_values(hyaml.read(original, own).data)
            if variant == "ssh" and own.endswith(".ssh"):
                expected["spring"]["cloud"]["config"]["server"]["git"]["privateKey"] = VALUES["GIT_SSH_KEY"] + "\n"
            assert rendered.data(path) == expected
            assert comments(rendered.text(path)) == comments(original)


def test_its_nulls_are_kept(repository: Layer) -> None:
    rendered = render([repository], by_variables(VALUES))
    assert nulls(rendered.data("default/profiles/orca-local.yml")) == 37


def with_values(data: Value) -> Value:
    """The data with each token replaced in one pass, done in another way than the program does it."""
    if isinstance(data, dict):
        return {key: with_values(item) for key, item in data.items()}
    if isinstance(data, list):
        return [with_values(item) for item in data]
    if not isinstance(data, str):
        return data
    for number, name in enumerate(NAMES):
        data = data.replace(name, f"\0{number}\0")
    for number, name in enumerate(NAMES):
        data = data.replace(f"\0{number}\0", VALUES[name])
    return data


def comments(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines() if line.lstrip().startswith(b"#")]


def nulls(data: Value) -> int:
    if isinstance(data, (dict, list)):
        return sum(map(nulls, data.values() if isinstance(data, dict) else data))
    return data is None
