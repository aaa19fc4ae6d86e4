"""docs/merge.md: every example on the page does what the page says, and every rule is on it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

import needs
import pytest
from merge.layering import layer, told

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.pipeline import File

PAGE = (needs.ROOT / "docs" / "merge.md").read_text()
BLOCK = re.compile(r"^```(yaml|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Example:
    line: int
    layers: dict[str, dict[str, str]] = field(default_factory=dict)
    result: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def examples() -> list[Example]:
    """The blocks of the page; an example ends with its results or its errors."""
    found: list[Example] = []
    done = True
    for block in BLOCK.finditer(PAGE):
        kind, text = block.groups()
        if kind == "text":
            found[-1].errors = text.splitlines()
            done = True
            continue
        name, body = text.split("\n", 1)
        folder, path = name.removeprefix("# ").split("/", 1)
        if done and folder != "result":
            found.append(Example(PAGE[: block.start()].count("\n") + 1))
        if folder == "result":
            found[-1].result[path] = body
        else:
            found[-1].layers.setdefault(folder, {})[path] = text
        done = folder == "result"
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"line {example.line}")
def test_the_example_is_true(example: Example) -> None:
    merged = merge_layers([layer(folder, files) for folder, files in example.layers.items()])
    assert told(merged.findings) == example.errors
    if not example.errors:
        assert {path: shown(file) for path, file in merged.files.items()} == example.result


def shown(file: File) -> str:
    """A file as the page shows it: one that was copied without the comment that names it."""
    return hyaml.dump(file.data).decode() if file.body is None else file.body.decode().split("\n", 1)[1]


def test_the_page_has_examples_of_both_kinds() -> None:
    assert all(example.result or example.errors for example in EXAMPLES)
    assert sum(bool(example.errors) for example in EXAMPLES) > 8 < sum(bool(example.result) for example in EXAMPLES)


def test_the_page_names_every_rule_and_no_other() -> None:
    room = needs.ROOT / "halgit" / "merge"
    texts = (node for file in room.glob("*.py") for node in ast.walk(ast.parse(file.read_text())))
    rules = {
        node.value
        for node in texts
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(merge|patch)/[a-z-]+", node.value)
    }
    assert set(re.findall(r"^\| `((?:merge|patch)/[a-z-]+)`", PAGE, re.MULTILINE)) == rules
