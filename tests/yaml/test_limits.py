"""What Halyard's SnakeYAML stops at, told before Halyard meets it; each case is held against the real one."""

from __future__ import annotations

from typing import Any

import judge
import pytest

from halgit import yaml as hyaml
from halgit.yaml.node_reader import MAX_ADDED_VALUES, ExpandedSize


def findings_of(text: bytes, *, many: bool = False) -> list[str]:
    return [f"{f.line}:{f.column}: {f.rule}: {f.message} {f.hint}" for f in hyaml.read(text, "f", many=many).findings]


def refused(text: bytes) -> str:
    """SnakeYAML's exception and words; fails where it reads the text."""
    with pytest.raises(judge.RefusedError) as caught:
        judge.read(text)
    return str(caught.value)


def same(text: bytes) -> Any:
    """What both read."""
    read = hyaml.read(text, "f")
    assert read.findings == ()
    assert judge.typed(read.data) == judge.by_text(judge.read(text))
    return read.data


# --- aliases ---


def aliases(count: int, value: str) -> bytes:
    return (f"a: &x {value}\n" + "".join(f"b{number}: *x\n" for number in range(count))).encode()


@pytest.mark.parametrize("value", ["{k: v}", "[v]"])
def test_fifty_aliases_to_collections_are_read_and_one_more_is_told(value: str) -> None:
    assert len(same(aliases(50, value))) == 51
    assert "Number of aliases for non-scalar nodes exceeds the specified max=50" in refused(aliases(51, value))
    assert findings_of(aliases(51, value)) == [
        "52:6: yaml/alias-limit: more than 50 aliases to mappings or lists, which Halyard does not support. "
        "Repeat some of the values."
    ]


def test_aliases_to_scalars_do_not_count() -> None:
    assert len(same(aliases(500, "v"))) == 501


def test_an_aliased_value_is_one_value_shared() -> None:
    data = same(b"a: &x {k: [v]}\nb: *x\nc: {<<: *x, l: 1}\n")
    assert data["a"] is data["b"]
    assert data["c"] == {"k": ["v"], "l": 1}


def test_an_alias_without_anchor_is_told_and_so_is_every_other() -> None:
    text = b"a: *one\nb: [*two]\nc: &two x\n"
    assert "found undefined alias one" in refused(text)
    words = "a value that begins with * is an alias in YAML, and no anchor with its name precedes it."
    hint = "Define the anchor, repeat the value, or quote it."
    assert findings_of(text) == [f"1:4: yaml/alias: {words} {hint}", f"2:5: yaml/alias: {words} {hint}"]


def test_an_alias_inside_its_own_value_is_told() -> None:
    assert findings_of(b"a: &x\n  b: *x\n") == [
        "2:6: yaml/alias: the alias *x refers to a value that contains it. Repeat the value."
    ]


def bomb(levels: int, width: int = 9) -> bytes:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


def test_a_bomb_of_nested_aliases_is_told_and_costs_no_more_than_its_text() -> None:
    """Five levels stay below fifty aliases, and stand for 66,000 values; six are too many for SnakeYAML too."""
    text = bomb(6, 10)
    assert "exceeds the specified max=50" not in str(judge.read(text))
    assert findings_of(text) == [
        "1:1: yaml/alias-limit: aliases expand to more than 100000 additional values. "
        "Repeat the values, or use fewer aliases."
    ]


class Counted(list[Any]):
    """A list that counts how often any of its kind is gone through."""

    walks = 0

    def __iter__(self) -> Any:
        Counted.walks += 1
        return super().__iter__()


@pytest.mark.parametrize("levels", [10, 40])
def test_the_work_of_measuring_a_bomb_grows_with_its_text_not_with_what_it_stands_for(levels: int) -> None:
    data = Counted("x")
    for _ in range(levels):
        data = Counted([data] * 9)
    Counted.walks = 0
    assert ExpandedSize(data).size > MAX_ADDED_VALUES
    assert Counted.walks == levels + 1


# --- depth ---


def nested(depth: int, opening: str, closing: str) -> bytes:
    return (opening * depth + "x" + closing * depth).encode()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]")])
def test_as_deep_as_snakeyaml_reads_is_read_and_one_more_is_told(opening: str, closing: str) -> None:
    steps = opening.count("[") + opening.count("{") + opening.count("- ")
    deep = nested(50 // steps, opening, closing)
    same(deep)
    deeper = nested(52 // steps, opening, closing)
    assert "Nesting Depth exceeded max 50" in refused(deeper)
    assert [line.split(": ", 1)[1] for line in findings_of(deeper)] == [
        "yaml/depth: mappings and lists are nested more than 51 levels deep, which Halyard does not support. "
        "Reduce the nesting."
    ]


def test_a_very_deep_text_is_told_and_does_not_break_the_reader() -> None:
    assert [line.split()[1] for line in findings_of(b"[" * 200_000)] == ["yaml/depth:"]


# --- characters, tabs, tags, escapes ---


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x80", "\x9f", "\ufffe", "\uffff"])
def test_a_control_character_is_told_with_its_place(character: str) -> None:
    text = f"a: 1\nb: x{character}y\n".encode()
    assert "special characters are not allowed" in refused(text)
    assert findings_of(text) == [
        f"2:5: yaml/control-character: the character U+{ord(character):04X} is not allowed in YAML. "
        'Remove it, or write it as an escape in double quotes ("\\x07").'
    ]


@pytest.mark.parametrize("character", ["\x85", "\xa0", "\u200b", "\ufffd", "😀"])
def test_other_odd_characters_are_read(character: str) -> None:
    same(f'a: "x{character}y"\n'.encode())


TABS = {
    "a:\t1\n": ["1:3: yaml/tab: a tab follows 'a:'; Halyard accepts only spaces there. Replace the tab with spaces."],
    "a: \t1\n": ["1:4: yaml/tab: a tab follows 'a:'; Halyard accepts only spaces there. Replace the tab with spaces."],
    "-\t1\n": ["1:2: yaml/tab: a tab follows '-'; Halyard accepts only spaces there. Replace the tab with spaces."],
    "a: [1,\t2]\n": [
        "1:7: yaml/tab: a tab follows '[1,'; Halyard accepts only spaces there. Replace the tab with spaces."
    ],
    "a:\n\tb: 1\n": [
        "2:1: yaml/tab: a tab indents this line; Halyard accepts only spaces there. Replace the tab with spaces."
    ],
    "a: 'x'\t# c\n": [
        "1:7: yaml/tab: a tab follows a value; Halyard accepts only spaces there. Replace the tab with spaces."
    ],
}


@pytest.mark.parametrize("text", TABS)
def test_a_tab_where_blanks_belong_is_told(text: str) -> None:
    refused(text.encode())
    assert findings_of(text.encode()) == TABS[text]


@pytest.mark.parametrize(
    "text", ["a: x\ty\n", "a: 'x\ty'\n", 'a: "x\ty"\n', "a: |\n  x\ty\n", "a: 1 #\tc\n", "a: 1\t# c\n"]
)
def test_a_tab_inside_a_text_or_comment_is_read(text: str) -> None:
    same(text.encode())


def test_escapes_halyard_does_not_know_are_told() -> None:
    text = b'a: "x\\/y"\nb: "\\/"\n'
    assert "found unknown escape character /" in refused(text)
    words = "yaml/escape: Halyard does not support the escape \\/. Write / without the backslash."
    assert findings_of(text) == [f"1:6: {words}", f"2:5: {words}"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("!vault x", "Halyard does not support the tag !vault. Remove the tag, and write the value it represents."),
        (
            "!!python/none x",
            "Halyard does not support the tag !!python/none. Remove the tag, and write the value it represents.",
        ),
        (
            "!<tag:x.org,1> x",
            "Halyard does not support the tag !<tag:x.org,1>. Remove the tag, and write the value it represents.",
        ),
        ("!!int x", "the tag !!int does not fit this string. Correct the tag or the value."),
        ("!x [1]", "Halyard does not support the tag !x. Remove the tag, and write the value it represents."),
        ("!pw", "a value that begins with ! is a tag in YAML, which Halyard does not support. Quote the value."),
    ],
)
def test_a_tag_of_ones_own_is_told(value: str, words: str) -> None:
    text = f"a: {value}\n".encode()
    refused(text)
    assert findings_of(text) == [f"1:4: yaml/tag: {words}"]


@pytest.mark.parametrize(
    "value",
    [
        "!!str 12",
        "!!float 1",
        "!!int '7'",
        "!!bool 'yes'",
        "!!null ''",
        "!!seq [1]",
        "!!map {a: 1}",
        "!!binary aGk=",
        "! 12",
    ],
)
def test_the_tags_of_yaml_are_read(value: str) -> None:
    same(f"a: {value}\n".encode())


# --- keys and documents ---


def test_duplicate_keys_are_told_with_both_places() -> None:
    """SnakeYAML takes the last, without a word."""
    text = b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n'a': 2\na: 3\n"
    assert judge.read(text)
    assert findings_of(text) == [
        "5:3: yaml/duplicate-key: duplicate key c in this mapping, first used on line 3; the last one is used."
        " Keep one of the two keys.",
        "6:1: yaml/duplicate-key: duplicate key a in this mapping, first used on line 1; the last one is used."
        " Keep one of the two keys.",
        "7:1: yaml/duplicate-key: duplicate key a in this mapping, first used on line 1; the last one is used."
        " Keep one of the two keys.",
    ]


def test_keys_that_become_one_text_are_duplicates() -> None:
    assert [line.split()[0] for line in findings_of(b"1: a\n'1': b\n0x1: c\ntrue: d\nyes: e\n")] == [
        "2:1:",
        "3:1:",
        "5:1:",
    ]


def test_a_second_document_is_told_where_one_is_required() -> None:
    text = b"a: 1\n---\nb: 2\n---\nc: 3\n"
    assert "expected a single document" in refused(text)
    assert findings_of(text) == [
        "2:1: yaml/documents: a second document begins here, where one is allowed. Keep one document in the file."
    ]
    assert findings_of(text, many=True) == []
    assert [judge.typed(each) for each in hyaml.read(text, "f", many=True).documents] == [
        judge.by_text(each) for each in judge.read_all(text)
    ]


def test_all_faults_are_told_at_once() -> None:
    text = b'a: *x\na: 1\nb: !x 1\nc: "\\/"\nd:\t1\n---\ne: 1\n'
    assert [line.split()[1] for line in findings_of(text)] == [
        "yaml/alias:",
        "yaml/duplicate-key:",
        "yaml/tag:",
        "yaml/escape:",
        "yaml/tab:",
        "yaml/documents:",
    ]
