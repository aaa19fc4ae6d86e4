"""Texts made fit for JSON and JavaScript, and where in a file they stand."""

from __future__ import annotations

import ast
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halgit.parameters.escaping import escape_in, find_contexts, format_literal

MARK = "§"


@given(st.text())
def test_a_text_in_double_quotes_is_read_back(text: str) -> None:
    assert json.loads(f'"{escape_in(text, chr(34))}"') == text
    assert json.loads(format_literal(text)) == text


@given(st.text())
def test_a_text_in_single_quotes_is_read_back(text: str) -> None:
    inner = escape_in(text, "'").replace("<\\/", "</")
    assert ast.literal_eval(f"'{inner}'") == text


@given(st.text(alphabet="a`$\\{}</*\"'\n\u2028", max_size=12))
def test_nothing_ends_the_place_a_text_stands_in(text: str) -> None:
    for context, end in (("'", "'"), ('"', '"'), ("`", "`")):
        inner = escape_in(text, context)  # type: ignore[arg-type]
        assert find_contexts(f"{end}{inner}{MARK}{end}", [len(inner) + 1], javascript=True) == {len(inner) + 1: context}
        assert not {"\n", "\u2028", "</"} & {inner[at : at + size] for at in range(len(inner)) for size in (1, 2)}
    assert "$" not in re.findall(r"\\.|.", escape_in(text, "`"), re.DOTALL)
    comment = f"/* {escape_in(text, 'comment')} {MARK} */"
    assert find_contexts(comment, [comment.index(MARK)], javascript=True) == {comment.index(MARK): "comment"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("var a = §;", "code"),
        ("var a = '§';", "'"),
        ("var a = 'it\\'s §';", "'"),
        ('var a = "§";', '"'),
        ("var a = `x ${b} §`;", "`"),
        ("// it's §\n", "comment"),
        ("/* ' */ § /* ' */", "code"),
        ("a = 'x' // '\n+ §", "code"),
        ("a = b / 2; c = '§' / 3;", "'"),
        ("a.replace(/['\"]/g, '§')", "'"),
        ("a.replace(/§/g, '')", "pattern"),
        ("return /[/']/.test(a) ? § : 1", "code"),
        ("a = 'http://x/§'", "'"),
        ("§", "code"),
        ("'unfinished\n§", "code"),
    ],
)
def test_a_place_in_a_script_is_known(script: str, expected: str) -> None:
    assert find_contexts(script, [script.index(MARK)], javascript=True) == {script.index(MARK): expected}


@pytest.mark.parametrize(
    ("text", "expected"), [('{"a": "it\'s §"}', '"'), ('{"a": §}', "code"), ('{"//": 1, "b": §}', "code")]
)
def test_a_place_in_json_is_known(text: str, expected: str) -> None:
    assert find_contexts(text, [text.index(MARK)], javascript=False) == {text.index(MARK): expected}
