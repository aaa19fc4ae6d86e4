"""Globs: what they match, the same in both ways of matching, and the time of those with many stars."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halgit.text import globs

CASES = {
    ("files/*", "files/a"): True,
    ("files/*", "files/a/b"): False,
    ("files/**", "files/a/b"): True,
    ("**/x", "x"): True,
    ("**/x", "a/b/x"): True,
    ("**/x", "a/bx"): False,
    ("a/**/b", "a/b"): True,
    ("a/**/b", "a/c/d/b"): True,
    ("a?c", "abc"): True,
    ("a?c", "a/c"): False,
    ("a.c", "abc"): False,
    ("*", ""): True,
    ("**/", "a"): False,
}


@pytest.mark.parametrize(("pattern", "path"), CASES)
def test_what_a_glob_matches(pattern: str, path: str) -> None:
    assert globs.matches_glob(pattern, path) is CASES[pattern, path]
    assert globs._simulate(tuple(globs._TOKENS.findall(pattern)), path) is CASES[pattern, path]


@given(
    st.lists(st.sampled_from(["a", "b", "/", "?", "*", "**", "**/"]), max_size=5).map("".join),
    st.text("ab/", max_size=8),
)
def test_both_ways_agree(pattern: str, path: str) -> None:
    import re

    tokens = tuple(globs._TOKENS.findall(pattern))
    expression = "".join(globs._EXPRESSIONS.get(token) or re.escape(token) for token in tokens)
    assert globs._simulate(tokens, path) is (re.fullmatch(expression, path, re.DOTALL) is not None)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("*a" * 30 + "b", "a" * 2000), ("**/a/" * 30 + "b", "a/" * 1000 + "c"), ("**" * 30 + "b", "a" * 2000)],
)
def test_many_stars_cost_no_more_than_their_length(pattern: str, path: str) -> None:
    begin = time.process_time()
    assert globs.matches_glob(pattern, path) is False
    assert time.process_time() - begin < 5
