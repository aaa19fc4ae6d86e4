"""A scalar replaced in place keeps its style where that can say the new value, and everything else stays."""

from __future__ import annotations

from typing import Any

import judge
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from halgit import yaml as hyaml
from halgit.pipeline import Path, PlainScalar

TEXT = """\
# head
plain: x # a comment
single: 'x'  # a comment
double: "x"
empty:
dash:
- x
-
flow: {a: x, b: ['x', x], c: "x", d: }
anchored: &one x
again: *one
tagged: !!str 5
literal: |  # a comment
  one

  two

folded: >-
    one
    two
keep: |+
  one


deep:
- - name: x
    text: |
      one
   # a comment
  - name: y
nothing: |
last: |
  one"""

CASES: list[tuple[Path, Any, str, str]] = [
    (("plain",), "isd-redis", "plain: x #", "plain: isd-redis #"),
    (("plain",), "a: b", "plain: x #", "plain: 'a: b' #"),
    (("plain",), "012", "plain: x #", "plain: '012' #"),
    (("plain",), "a\tb", "plain: x #", 'plain: "a\\tb" #'),
    (("plain",), 12, "plain: x #", "plain: 12 #"),
    (("plain",), None, "plain: x #", "plain: null #"),
    (("plain",), PlainScalar("2020-01-01"), "plain: x #", "plain: 2020-01-01 #"),
    (("single",), "isd", "single: 'x'  #", "single: 'isd'  #"),
    (("single",), "it's", "single: 'x'  #", "single: 'it''s'  #"),
    (("single",), "a\nb", "single: 'x'  #", 'single: "a\\nb"  #'),
    (("single",), True, "single: 'x'  #", "single: true  #"),
    (("double",), 'a "b"', 'double: "x"', 'double: "a \\"b\\""'),
    (("double",), "yes", 'double: "x"', 'double: "yes"'),
    (("empty",), "x", "empty:\n", "empty: x\n"),
    (("dash", 0), "- y", "- x\n-\n", "- '- y'\n-\n"),
    (("dash", 1), "z", "- x\n-\n", "- x\n- z\n"),
    (("flow", "a"), "isd-redis", "{a: x,", "{a: isd-redis,"),
    (("flow", "a"), "http://x:80/y", "{a: x,", "{a: http://x:80/y,"),
    (("flow", "a"), "a,b", "{a: x,", "{a: 'a,b',"),
    (("flow", "a"), "a?b", "{a: x,", "{a: 'a?b',"),
    (("flow", "b", 1), "a]", "['x', x]", "['x', 'a]']"),
    (("flow", "b", 0), "a", "['x', x]", "['a', x]"),
    (("flow", "d"), "z", "d: }", "d: z}"),
    (("anchored",), "y z", "anchored: &one x", "anchored: &one y z"),
    (("tagged",), "6", "tagged: !!str 5", "tagged: '6'"),
    (("literal",), "a\n b\n", "|  # a comment\n  one\n\n  two\n\n", "| # a comment\n  a\n   b\n\n"),
    (("literal",), "a\nb", "|  # a comment\n  one\n\n  two\n\n", "|- # a comment\n  a\n  b\n\n"),
    (("literal",), " a\n", "|  # a comment\n  one\n\n  two\n\n", '" a\\n" # a comment\n\n'),
    (("literal",), "", "|  # a comment\n  one\n\n  two\n\n", '"" # a comment\n\n'),
    (("folded",), "a\nb c", ">-\n    one\n    two\n", ">-\n    a\n\n    b c\n"),
    (("folded",), "a\n  b\nc\n", ">-\n    one\n    two\n", "|\n    a\n      b\n    c\n"),
    (("keep",), "a\n\n", "|+\n  one\n\n\n", '"a\\n\\n"\n\n\n'),
    (("deep", 0, 0, "text"), "a\nb\n", "text: |\n      one\n", "text: |\n      a\n      b\n"),
    (("nothing",), "a\nb\n", "nothing: |\n", "nothing: |\n  a\n  b\n"),
    (("last",), "a\nb\n", "last: |\n  one", "last: |\n  a\n  b\n"),
    (("last",), "a", "last: |\n  one", "last: |-\n  a"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "before", "after"), CASES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_style_is_kept_where_it_can_be(path: Path, value: Any, before: str, after: str, mark: str) -> None:
    assert TEXT.count(before) == 1
    assert hyaml.replace_scalars((mark + TEXT).encode(), {path: value}).decode() == mark + TEXT.replace(before, after)


def test_breaks_of_windows_stay() -> None:
    text = b"a: |\r\n  one\r\nb: x\r\n"
    assert hyaml.replace_scalars(text, {("a",): "p\nq\n", ("b",): "z"}) == b"a: |\r\n  p\r\n  q\r\nb: z\r\n"


PLACES = [path for path, *_ in CASES]
TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="ab \n\t:#-'\"\\,[]{}?|>&*!%@0.", max_size=12),
    st.lists(st.sampled_from(["a", "", " b", "c d", "- e", "# f"]), max_size=6).map("\n".join),
)
VALUES = st.one_of(TEXTS, st.booleans(), st.none(), st.integers(), st.sampled_from(["1e3", "~", "<<", "=", "on", "0_"]))


@settings(derandomize=True, deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(set(PLACES), key=str)), VALUES, st.sampled_from(["\n", "\r\n"]))
@example(("keep",), "a\n\n\n", "\n")
def test_snakeyaml_reads_the_new_value_and_the_rest_as_before(path: Path, value: Any, line_break: str) -> None:
    text = TEXT.replace("\n", line_break).encode()
    expected = hyaml.read(text, "x").data
    here: Any = expected
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    if path == ("anchored",):
        expected["again"] = value
    spliced = hyaml.replace_scalars(text, {path: value})
    assert judge.by_text(judge.read(spliced)) == judge.typed(expected), spliced


def test_many_at_once() -> None:
    spliced = hyaml.replace_scalars(
        TEXT.encode(), {("plain",): "1", ("last",): "z\n", ("flow", "a"): "[", ("deep", 0, 1, "name"): "n"}
    )
    data = hyaml.read(spliced, "x").data
    assert (data["plain"], data["last"], data["flow"]["a"], data["deep"][0][1]["name"]) == ("1", "z\n", "[", "n")


def test_a_lost_path_is_an_error() -> None:
    for path in [("none",), ("flow",), ("dash", 7)]:
        with pytest.raises(KeyError):
            hyaml.replace_scalars(TEXT.encode(), {path: "x"})
