"""Positions from libyaml's events equal those of the nodes, for every path, key and spelling, also in broken files."""

from __future__ import annotations

import random

import pytest

from halgit import yaml as hyaml
from halgit.pipeline import Path, Position
from halgit.yaml import locator
from halgit.yaml.parser import compose

TEXTS = {
    "block": "a:\n  b: 1\n  c:\n  - x: 1\n    y: 2\n  - z\nd: 3\n",
    "duplicate key": "a:\n  b: 1\nc: 2\na:\n  d: 1\n",
    "duplicate in a list item": "l:\n- x: 1\n  y: 2\n  x: 3\n- x: 4\n",
    "duplicate in quotes": "a: 1\nb: 2\n\"\\x61\": 3\n'b': 4\n",
    "explicit duplicate": "a: 1\n? a\n: 2\n",
    "anchored duplicate": "a: 1\n&k a: 2\n",
    "duplicate of an earlier path": "b: 1\na: 1\nb: 2\n",
    "quoted duplicate of an earlier path": "'b': 1\na: 1\nb: 2\n",
    "duplicate by type": "true: 1\nyes: 2\nNaN: 1\n.nan: 2\n1: a\n0x1: b\n",
    "duplicate after a carriage return": "a: 1\ra: 2\rb: 3\r",
    "duplicate after a line separator": "a: 1\u2028a: 2\n",
    "like a duplicate in a block": "a:\n  b: |\n    x\n\n  b2: 1\nb:\n  b: 1\n",
    "flow": "a: {b: 1, c: [1, {d: 2}], b: 3}\n",
    "alias": "a: &x\n  b: 1\nc: *x\nd: {e: *x}\n",
    "merge key": "a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n",
    "tags": "!!map\na: !!str 1\n!!int 1: b\n",
    "list as a key": "[a, b]: 1\n? {x: 1}\n: 2\n",
    "documents": "---\na: 1\n---\nb: 2\n",
    "broken in the middle": "a:\n  b: 1\n  c: [1, 2\nd: 3\n",
    "broken after the path": "a: 1\nb: 'x\n",
    "key without a value": "a:\n  b: 1\n  c",
    "beyond ASCII": "\ufeffä: 1\nb:\n  ü: 2\n  b: 3\n",
    "empty values": "a:\nb:\n  -\n  - \nc: ''\n",
    "scalar": "word\n",
    "empty": "",
    "deep": "".join(f"{' ' * n}a{n}:\n" for n in range(60)),
    "deep in flow": "a: " + "[" * 60 + "]" * 60 + "\nb: 1\n",
    "control character": "a: 1\nb: \x01\n",
}


def all_paths(text: bytes) -> list[Path]:
    """Every path of the first document with its ancestors, and paths that do not exist."""
    paths: dict[Path, None] = {(): None, ("missing",): None, ("a", "missing", 0): None, (0,): None, ("a", 99): None}
    for scalar in hyaml.list_scalars(text):
        for depth in range(len(scalar.path) + 1):
            paths[scalar.path[:depth]] = None
        paths[(*scalar.path, "below")] = None
    return list(paths)


def by_nodes(text: bytes, paths: list[Path], *, keys: bool) -> dict[Path, Position]:
    roots = compose(text).roots
    found = {}
    for path in paths:
        trail = locator.find_nodes(roots[0], path, want_key=keys) if roots else []
        if trail and path and isinstance(path[-1], str) and trail[-1].kind in ("mapping", "sequence"):
            key = locator.find_nodes(roots[0], path, want_key=True)[-1]
            if not trail[-1].flow and key.start.line < trail[-1].start.line:
                trail = [key]
        if trail:
            found[path] = Position(trail[-1].start.line, trail[-1].start.column)
    return found


@pytest.mark.parametrize("keys", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_events_find_what_nodes_find(name: str, keys: bool) -> None:
    text = TEXTS[name].encode()
    paths = all_paths(text)
    expected = by_nodes(text, paths, keys=keys)
    assert hyaml.locate_all(text, paths, keys=keys) == expected
    for path in paths:
        one = {path: expected[path]} if path in expected else {}
        assert hyaml.locate_all(text, [path], keys=keys) == one, path


def test_a_mapping_or_list_has_the_line_of_its_key() -> None:
    text = b"a:\n\n  # a comment\n  b: [1]\n  c:\n  - d: 1\n    e: {f: 2}\n  g: {\n    h: 3}\n"
    paths: list[Path] = [("a",), ("a", "b"), ("a", "c"), ("a", "c", 0), ("a", "c", 0, "e"), ("a", "g")]
    assert [hyaml.locate(text, path) for path in paths] == [
        Position(1, 1), Position(4, 6), Position(5, 3), Position(6, 5), Position(7, 8), Position(8, 6),
    ]  # fmt: skip


def test_events_find_what_nodes_find_in_generated_files() -> None:
    rng = random.Random(13)
    for _ in range(1500):
        text = "".join(lines(rng, 0)).encode()
        paths = all_paths(text)
        wanted = rng.sample(paths, min(len(paths), rng.randrange(1, 4)))
        keys = rng.random() < 0.5
        assert hyaml.locate_all(text, wanted, keys=keys) == by_nodes(text, wanted, keys=keys), text.decode()


def lines(rng: random.Random, indentation: int) -> list[str]:
    """Lines of a block mapping whose few keys often repeat, in several spellings."""
    found = []
    for _ in range(rng.randrange(1, 5)):
        key = rng.choice(["a", "b", "c", "'a'", '"b"', "? a\n" + " " * indentation + ":", "yes", "true", "&x c"])
        lead = " " * indentation + (key if key.startswith("?") else f"{key}:")
        kind = rng.randrange(5)
        if kind == 0 and indentation < 6:
            found += [f"{lead}\n", *lines(rng, indentation + 2)]
        elif kind == 1:
            found.append(f"{lead}\n{' ' * indentation}- {rng.choice(['a', '{a: 1}', 'a: 1', 'b'])}\n")
        elif kind == 2:
            found.append(f"{lead} {rng.choice(['{a: 1, b: 2}', '[a, b]', '*x', '|', '# note'])}\n")
        else:
            found.append(f"{lead} {rng.choice(['1', 'word', '', 'a b'])}\n")
    return found


def test_parsing_ends_with_the_last_position(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = "".join(f"  - name: account-{n}\n    context: c\n" for n in range(1000))
    text = f"head:\n  accounts:\n{accounts}tail: 1\n".encode()
    events = 0

    def counted(source: bytes) -> object:
        parser = original(source)

        class Parser:
            def get_event(self) -> object:
                nonlocal events
                events += 1
                return parser.get_event()

        return Parser()

    original = locator.open_parser
    monkeypatch.setattr(locator, "open_parser", counted)
    assert hyaml.locate(text, ("head", "accounts")) == Position(2, 3)
    assert events < 10
