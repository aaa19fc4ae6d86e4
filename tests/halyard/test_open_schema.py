"""A schema whose definitions are parsed one by one is the schema; a name that is similar is found without difflib."""

from __future__ import annotations

import random
from difflib import get_close_matches

import pytest

from halgit.halyard.resources import list_schema_names, load_schema, open_schema
from halgit.text.phrases import find_similar


@pytest.mark.parametrize("name", list_schema_names())
def test_every_definition_is_the_one_of_the_whole_schema(name: str) -> None:
    whole, opened = load_schema(name), open_schema(name)
    assert {key: value for key, value in opened.items() if key != "$defs"} == {
        key: value for key, value in whole.items() if key != "$defs"
    }
    for key, definition in whole.get("$defs", {}).items():
        assert opened["$defs"][key] == definition
        assert opened["$defs"].get(key) == definition
    assert opened.get("$defs", {}).get("no such definition", 5) == 5


def test_the_definitions_of_the_halconfig_are_parsed_when_they_are_looked_up() -> None:
    open_schema.cache_clear()
    definitions = open_schema("halconfig")["$defs"]
    assert not len(definitions)
    assert definitions["uri"]["pattern"]
    assert len(definitions) == 1


@pytest.mark.parametrize("name", ["halconfig ", "nothing"])
def test_an_unknown_schema_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        open_schema(name)


def test_similar_names_are_those_of_difflib() -> None:
    chance = random.Random(13)
    found = 0
    for _ in range(500):
        names = ["".join(chance.choices("abcde", k=chance.randint(1, 7))) for _ in range(8)]
        word, cutoff = "".join(chance.choices("abcde", k=chance.randint(1, 7))), chance.choice((0.5, 0.65, 0.75, 0.9))
        assert find_similar(word, names, 2, cutoff) == get_close_matches(word, names, n=2, cutoff=cutoff)
        found += bool(find_similar(word, names, 2, cutoff))
    assert found > 50
