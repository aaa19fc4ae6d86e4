"""The fast reader gives what the node reader gives, or leaves the file to it; so does a file with aliases and flows."""

from __future__ import annotations

import random
from typing import Any

import pytest

from halgit.yaml import read
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
