"""What we read and write against the real SnakeYAML: it reads the same before and after."""

from __future__ import annotations

import json
from typing import Any

import judge
import needs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halgit import yaml as hyaml

WORDS = """
yes no on off Yes NO y n true False ~ null Null = << 012 0o17 0x1F 0b101 1_000 1:30 190:20:30 1.20 1e3 1e-3 -.5 .5 0_
- -- --- ... .inf -.INF .nan 2020-01-01 2001-12-14t21:59:43.10-05:00 +1 -0 0 1. 685_230.15 # a:b a: #x %x @x `x !
& * ? : | > { } [ ] , ' " !x &x *x {a} [a] ${{x}} ${x} {{x}}
"""
TRICKY = [*WORDS.split(), "\\"]
EDGES = [
    "",
    " ",
    " a",
    "a ",
    "a\n",
    "\na",
    "a\n\n",
    "a\tb",
    "\t",
    "a: b",
    "a #b",
    "a\rb",
    "\u0085",
    "\u2028x",
    "\ufeff",
    "é",
]
TEXTS = st.one_of(
    st.sampled_from([*TRICKY, *EDGES]),
    st.text(max_size=30),
    st.text(alphabet=" \n\t:#-'\"\\aé0", max_size=20),
    st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=80), max_size=5).map("\n".join),
)
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.none(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
SLOW = settings(derandomize=True, deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))


@SLOW
@given(DOCUMENTS)
def test_what_we_write_means_the_same_to_snakeyaml(data: Any) -> None:
    text = hyaml.dump(data)
    assert numbers(judge.by_text(judge.read(text))) == numbers(judge.typed(data)), text


@SLOW
@given(DOCUMENTS)
def test_what_we_write_we_read_again(data: Any) -> None:
    read = hyaml.read(hyaml.dump(data), "x")
    assert read.findings == ()
    assert judge.typed(read.data) == judge.typed(data)


@SLOW
@given(st.sampled_from(TRICKY), st.sampled_from(["- {}", "a: {}", "'{}'", '"{}"', "{}: 1"]))
def test_a_scalar_is_read_as_snakeyaml_reads_it(scalar: str, form: str) -> None:
    compare(form.replace("{}", scalar).encode())


@SLOW
@given(st.text(alphabet="0123456789_.:eE+-xXob", min_size=1, max_size=8))
def test_what_looks_like_a_number_is_read_as_snakeyaml_reads_it(scalar: str) -> None:
    compare(f"a: {scalar}\n".encode())


def compare(text: bytes) -> None:
    """Both read the same, or both refuse."""
    read = hyaml.read(text, "x")
    theirs = answer(text)
    rules = {fault.rule for fault in read.findings}
    if theirs is None:
        assert rules, text
    elif rules:  # stricter than SnakeYAML, and told with its line: never a value read wrong
        assert all(fault.line and fault.message for fault in read.findings), (text, read.findings)
    else:
        assert numbers(judge.typed(read.data)) == numbers(theirs), text


def numbers(answer: Any) -> Any:
    """An answer with its floats as numbers: Java before 19 writes some with more digits than they need."""
    kind, content = answer
    if kind in {"list", "map"}:
        return [kind, [numbers(part) if isinstance(part, list) else part for part in content]]
    return [kind, repr(float(content.replace("Infinity", "inf")))] if kind == "float" else answer


def answer(text: bytes) -> Any:
    """What SnakeYAML reads; None where it refuses."""
    try:
        return judge.by_text(judge.read(text))
    except judge.RefusedError:
        return None


CASES = json.loads((needs.ROOT / "tests/fixtures/halyard-accepts.json").read_text())
CASES = CASES["cases"] if isinstance(CASES, dict) else CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_corpus_is_read_as_snakeyaml_reads_it(case: dict[str, Any]) -> None:
    compare(case["yaml"].encode())


@SLOW
@given(
    TEXTS, st.sampled_from([b"a: x # c\nb: 1\n", b"a: 'x'\n", b'b: [1, 2]\na: "x"  # c\n', b"a: |\n  x\n  y\nb: 2\n"])
)
def test_a_spliced_scalar_means_the_value_and_the_rest_stays(value: str, text: bytes) -> None:
    spliced = hyaml.replace_scalars(text, {("a",): value})
    before, after = hyaml.read(text, "x").data, judge.by_text(judge.read(spliced))
    assert after == judge.typed({**before, "a": value})
