"""Texts that some YAML reads as something else are quoted; others stand as they are."""

from __future__ import annotations

import judge
import pytest

from halgit import yaml as hyaml

WORDS = """
yes Yes YES no No NO on On ON off Off OFF y Y n N true True TRUE false False FALSE ~ null Null NULL = <<
012 0_ 1_000 0b101 0x1F +1 -1 1:30 190:20:30 1.20 1. .5 -.5 1e3 1e-3 1.5e+3 .inf -.INF +.Inf .nan .NaN
2020-01-01 2001-12-14t21:59:43.10-05:00 2001-1-1 1:30:00 685_230.15 0
"""
OTHERWISE_TO_1_1 = [*WORDS.split()]
OTHERWISE_TO_1_2 = ["0o17", "0xfF", "1e3", "1E3", "09", "-0", "0.", ".0e1", "12e03", "-2E+05", "1.30", ".inf"]
OUTLINES = [
    "", " ", " a", "a ", "\ta", "a\t", "a: b", "a:", ": a", "a #b", "#a", "- a", "-", "--- a", "...", "? a", "?", "| a",
    "> a", "%a", "@a", "`a`", "!a", "&a", "*a", "{a}", "[a]", "a]}", "'a'", '"a"', "{{ a }}", "\ufeffa", "a\u2028b",
    "a\x85b", "a\x00b", "a\x1bb", "a\rb", "\U000e0001", "${{ a }}: b", "a\\", "x" * 5000, "x: " * 2000,
]  # fmt: skip
PLAIN = [
    "isd",
    "http://gate:8084/x",
    "a b",
    "it's",
    "${services.gate.host}",
    "a:b",
    "a#b",
    "1.2.3-rc1",
    "v1",
    "aé",
    "/x",
]


@pytest.mark.parametrize("text", [*OTHERWISE_TO_1_1, *OTHERWISE_TO_1_2])
def test_what_a_reader_takes_for_another_type_is_quoted(text: str) -> None:
    assert hyaml.dump([text]).decode() == f"- '{text}'\n"
    assert hyaml.dump({text: text}).decode() == f"'{text}': '{text}'\n"


@pytest.mark.parametrize("text", [*OTHERWISE_TO_1_1, *OTHERWISE_TO_1_2, *OUTLINES, *PLAIN])
def test_every_text_is_the_same_text_to_snakeyaml_as_item_key_and_value(text: str) -> None:
    data = [text, {text: text}, {"a": [text]}]
    written = hyaml.dump(data)
    assert judge.by_text(judge.read(written)) == judge.typed(data)
    assert hyaml.read(written, "f").data == data


@pytest.mark.parametrize("text", PLAIN)
def test_an_ordinary_text_stands_plain(text: str) -> None:
    assert hyaml.dump([text]).decode() == f"- {text}\n"


def test_long_texts_and_texts_of_many_lines_stay_exact() -> None:
    data = {
        "long": "word " * 400 + "end",
        "lines": "a\n  b\n\n\nc\n",
        "ends": "a\n\n\n",
        "none": "a\nb",
        "starts": "\n a\n",
    }
    assert judge.by_text(judge.read(hyaml.dump(data))) == judge.typed(data)
    assert len(hyaml.dump({"long": data["long"]}).splitlines()) == 1


def test_order_stays_and_no_alias_is_written() -> None:
    shared = {"x": [1]}
    text = hyaml.dump({"z": shared, "a": shared, "m": [shared, shared["x"]]})
    assert text == b"z:\n  x:\n  - 1\na:\n  x:\n  - 1\nm:\n- x:\n  - 1\n- - 1\n"
