"""The fast reader gives what the node reader gives, or leaves the file to it; so does a file with aliases and flows."""

from __future__ import annotations

import random
from typing import Any

import pytest

from halgit.yaml import read, reader
from halgit.yaml.block_reader import read_block
from halgit.yaml.libyaml import open_parser
from halgit.yaml.node_reader import read_nodes

VALUES = (
    "1", "t?", "[a, b?]", "[a, 'b?']", "{p: q}", "{p: *x}", "*x", "*y", "", "[*x, *y]", "'s'", "{*x : 1}",
    "{? a : b}", "[[a?]]", "\n  - 1\n  - &x 2\n  - *x", "\n  m: &y [1]\n  n: *y",
)  # fmt: skip


def document(chance: random.Random) -> bytes:
    lines = []
    for number in range(chance.randint(1, 7)):
        anchor, value = chance.choice(("", "", "&x ", "&y ")), chance.choice(VALUES)
        on_value = chance.random() < 0.85
        lines.append(f"k{number}: {anchor}{value}" if on_value else f"{anchor}k{number}: {value}")
    return ("\n".join(lines) + "\n").encode()


def shape(value: Any, seen: dict[int, int]) -> Any:
    """The types and texts of a value, and which of its mappings and lists are one object."""
    if not isinstance(value, (dict, list)):
        return type(value).__name__, str(value)
    if id(value) in seen:
        return seen[id(value)]
    seen[id(value)] = len(seen)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return type(value).__name__, [(str(key), shape(item, seen)) for key, item in items]


@pytest.mark.parametrize("many", [False, True])
def test_both_readers_agree(many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, aliases, nodes = random.Random(13), 0, 0
    for _ in range(3000):
        text = document(chance)
        count = 0

        def through_nodes(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            return read_nodes(*arguments, **options)

        monkeypatch.setattr("halgit.yaml.node_reader.read_nodes", through_nodes)
        result = read(text, "f", many=many)
        documents, findings = read_nodes(text, "f", many=many)
        assert (shape(list(result.documents), {}), result.findings) == (shape(list(documents), {}), findings), text
        aliases += b"*" in text and not count
        nodes += count
    assert aliases > 90
    assert nodes > 500


@pytest.mark.parametrize("text", [b"a: &x [1]\nb: *x\n", b"a: {b: 'c?', d: [e]}\nf: g?\n"])
def test_few_aliases_and_quoted_questions_are_read_fast(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("halgit.yaml.node_reader.read_nodes")
    assert read(text, "f").documents


def test_deep_and_many_aliased_values_are_left_to_the_node_reader() -> None:
    nest = "[" * 30 + "]" * 30
    deep = f"a: &x {nest}\nb: {'[' * 25}*x{']' * 25}\n".encode()
    assert [finding.rule for finding in read(deep, "f").findings] == ["yaml/depth"]
    wide = f"a: &x [{', '.join('1' * 1 for _ in range(1000))}]\n".encode() + b"".join(
        b"k%d: *x\n" % number for number in range(40)
    )
    assert len(read(wide, "f").data) == 41


# --- large files, line by line ---

LINE_VALUES = (
    "1", "a b", "a  b", "'x: y'", '"q # r"', "[]", "{}", "[a, b-c]", "[ a ]", "http://x:80/y", "a:b", "a: b", "x #c",
    "x#c", "", "~", "null", "yes", "1.5", "2020-01-01", "- x", "&a x", "*a", "|", "- ", "[1, yes]", "[a] # c",
    "{a: b} c", "[*x]", "[a?]", "{{ a }}", "[a]: b", "{a: {b: [c]}}", "['x, y', z]", "[!t a]", "'it''s'", "-5", "?",
    "...", "---", "a ", "<<", "${{ params.a }}", "encrypted:k8s!n:a!k:b", "0x1F", "é", "'é'", "\\x", "a'b", "a]", "@x",
)  # fmt: skip
LINE_KEYS = ("a", "b", "c", "yes", "1a", "k.k", "<<", "null", "a-b", "'q'", "é", "_x")


def block(chance: random.Random, indent: int, depth: int) -> list[str]:
    """Lines of a mapping or list, most of them in order."""
    lines: list[str] = []
    is_list, keys = chance.random() < 0.4, chance.sample(LINE_KEYS, 3)
    for key in keys[: chance.randint(1, 3)]:
        if chance.random() < 0.06:
            lines.append(" " * chance.randint(0, 4) + chance.choice(("# c", "", "#é", "   ", "#\x07")))
        below = depth < 4 and chance.random() < 0.45
        if below and is_list:
            first, *rest = block(chance, indent + 2, depth + 1)
            lines += [" " * indent + "- " + first[indent + 2 :], *rest]
        elif below:
            lines += [" " * indent + key + ":", *block(chance, indent + chance.choice((0, 1, 2, 2, 2, 4)), depth + 1)]
        elif is_list:
            lines.append(" " * indent + "-" + chance.choice((" ", " ", "  ")) + chance.choice(LINE_VALUES))
        else:
            lines.append(" " * indent + key + ":" + chance.choice((" ", " ", "  ", "")) + chance.choice(LINE_VALUES))
    return lines


def test_what_is_read_line_by_line_is_what_the_node_reader_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LARGE", 1)
    chance, by_line = random.Random(13), []

    def by_lines(*arguments: Any) -> Any:
        by_line.append(read_block(*arguments))
        return by_line[-1]

    monkeypatch.setattr("halgit.yaml.block_reader.read_block", by_lines)
    count = 0
    for _ in range(12_000):
        text = ("\n".join(block(chance, 0, 0)) + chance.choice(("\n", ""))).encode()
        by_line.clear()
        result = read(text, "f")
        if by_line:
            count += 1
            documents, findings = read_nodes(text, "f", many=False)
            assert (shape(list(result.documents), {}), ()) == (shape(list(documents), {}), findings), text
    assert count > 800


def test_a_large_file_needs_no_event_of_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    account = "  - name: n%d\n    context: c%d\n    permissions: {READ: [a, b]}\n    namespaces:\n    - x%d\n"
    text = "accounts:\n" + "".join(account % (number, number, number) for number in range(1000))
    parsed: list[bytes] = []
    monkeypatch.setattr(reader, "open_parser", lambda part: parsed.append(part) or open_parser(part))
    accounts = read(text.encode(), "f").data["accounts"]
    last = {"name": "n999", "context": "c999", "permissions": {"READ": ["a", "b"]}, "namespaces": ["x999"]}
    assert accounts[999] == last
    assert accounts[0]["permissions"]["READ"] is not accounts[1]["permissions"]["READ"]
    assert parsed == [b"{READ: [a, b]}"]


def test_a_large_file_with_a_tag_is_left_to_the_other_readers() -> None:
    text = b"a:\n" + b"  - b: c\n" * 5000 + b"d: !!str 5\n"
    assert read(text, "f").data["d"] == "5"
