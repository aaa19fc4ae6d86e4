"""Patterns of repositories: which are valid, what they match, and that Python only matches those it reads alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halgit.text import patterns

CLASSES = st.sampled_from(["a", "b", "[a-c]", "[-a-z0-9]", "[a-z.-]", "-", "[b-a]", "[a-c-e]", " ", "[A-Z_./:@]"])
REPEATS = st.sampled_from(["", "", "?", "*", "+", "{0,3}", "{2}", "{1,}", "{3,1}"])
ATOMS = st.builds("{}{}".format, CLASSES, REPEATS)
GROUPS = st.builds("({}){}".format, st.lists(ATOMS, min_size=1, max_size=3).map("".join), st.sampled_from(["", "?"]))
PATTERNS = st.lists(st.one_of(ATOMS, GROUPS), min_size=1, max_size=4).map("".join)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.lists(st.text("ab-c. zA\n", max_size=8), max_size=5))
def test_python_and_the_bounded_engine_agree_about_simple_patterns(pattern: str, texts: list[str]) -> None:
    simple = patterns._compile_simple(pattern)
    if simple is None:
        return
    bounded = patterns._compile(pattern)
    for text in texts:
        assert bounded.is_valid(text) == (simple.fullmatch(text) is not None), (pattern, text)


@pytest.mark.parametrize("pattern", ["[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "[a-z0-9]([-.a-z0-9]*[a-z0-9])?", "[a-z]+"])
def test_usual_patterns_need_no_other_engine(pattern: str) -> None:
    assert patterns._compile_simple(pattern) is not None
    assert patterns.matches_pattern(pattern, "ab")
    assert not patterns.matches_pattern(pattern, "ab\n")


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a*)*b", "a|b", r"\d+", "a*b*c*", "[^a]+", "a*+", ".*", "^a$", "(?i)a", "[a--b]", "x{1000000}"],
)
def test_what_could_take_long_or_mean_another_thing_is_left_to_the_bounded_engine(pattern: str) -> None:
    assert patterns._compile_simple(pattern) is None


def test_a_long_text_is_matched_by_the_bounded_engine() -> None:
    assert not patterns.matches_pattern("[a-z]*[a-z]*b", "a" * 100_000)
    assert patterns.matches_pattern("[a-z]*", "a" * 100_000)


def test_an_invalid_pattern_is_refused() -> None:
    for pattern in ("[b-a]", "(", "a{3,1}"):
        assert not patterns.is_valid_pattern(pattern)
        with pytest.raises(re.error):
            re.compile(pattern)
