"""Keeps retired words out of names, messages, help, docs, charts and schemas; names the replacement for each.

The glossary says "say X, never Y" where a reader who knows Spinnaker, Helm and Kubernetes would not know Y. Whole
files are searched, comments included, and identifiers by their parts (`is_left_out` holds "left out").
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import needs
import pytest

RETIRED = {
    r"mend(s|ed|ing)?": "hint, fix",
    r"stand-?ins?": "placeholder values",
    r"left out|leaves? out": "skipped",
    r"(can(not)?|could not|to|not) be had": "unavailable, unreachable, not found",
    r"meets? (nothing|no)": "does not match anything",
    r"wrong use": "usage error",
    r"reveal\w*": "resolve",
    r"told": "reported",
    r"laying": "merging",
    r"settl(e[sd]?|ing)": "decide, resolve, or say what happens",
    r"rooms?": "package",
    r"in silence": "silently",
    r"anew": "again, recreate",
    r"woven|weaves?|weaving": "text with secrets",
    r"beaten|beats|wins over": "overridden, overrides",
    r"makes no sense": "invalid, unsupported",
    r"whole numbers?": "integer",
    r"bills?(?! of materials)": "BOM",
    r"introductions?|introduces?|introduced|introducing": "register, create",
    r"somebody else was first": "conflict",
    r"out of reach": "unreachable",
}
"""Words that no text of the product may hold, each with what to write."""

NAMES = {
    "given": "what the value is",
    "held": "content, secret",
    "joined": "merged",
    "standing": "current",
    "twice": "duplicate",
    "beaten": "overridden",
    "said": "what the value is",
}
"""Participles of idioms that name nothing: not used for modules, classes, functions, parameters or fields."""

_WORDS = re.compile(
    rf"(?<![A-Za-z])(?:{'|'.join(f'(?P<w{at}>{word})' for at, word in enumerate(RETIRED))})(?![A-Za-z])", re.I
)
_HINTS = list(RETIRED.values())
_ENDINGS = {
    "",
    *[".py", ".md", ".yaml", ".yml", ".json", ".tpl", ".txt", ".html", ".css", ".js", ".toml", ".sh", ".conf"],
}
_FOREIGN = "lit-html.js"
"""A published file of another project, kept unchanged."""
_FOLDERS = ("halgit", "docs", "chart", "schemas", "sample-repo", "ci", "bench", "scripts")
_FILES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "action.yml",
    "Dockerfile",
    "Makefile",
    ".ci/run",
)

ALLOWED = {
    "docs/rules.md": {"heartbeats"},
    "CHANGELOG.md": {"mend", "left out", "bill"},
}
"""Words that a file may hold after all, because they quote another program."""


def _texts() -> Iterator[Path]:
    for folder in _FOLDERS:
        for file in sorted((needs.ROOT / folder).rglob("*")):
            if file.suffix in _ENDINGS and "__pycache__" not in file.parts and file.is_file() and file.name != _FOREIGN:
                yield file
    yield from (file for name in _FILES if (file := needs.ROOT / name).is_file())


def _retired(text: str) -> Iterator[tuple[int, str, str]]:
    """Each retired word of a text, with its line and its replacement; `_` counts as a space."""
    for number, line in enumerate(text.replace("_", " ").splitlines(), 1):
        for found in _WORDS.finditer(line):
            at = next(index for index in range(len(_HINTS)) if found[f"w{index}"] is not None)
            yield number, found[0], _HINTS[at]


@pytest.mark.parametrize("folder", [*_FOLDERS, "files"])
def test_no_retired_word_in_what_people_read(folder: str) -> None:
    wrong = []
    for file in _texts():
        name = file.relative_to(needs.ROOT).as_posix()
        if (name.split("/", 1)[0] if "/" in name and name not in _FILES else "files") != folder:
            continue
        text = file.read_text("utf-8", "replace")
        wrong += [
            f"{name}:{line}: {word!r}; write: {better}"
            for line, word, better in _retired(text)
            if word.lower() not in ALLOWED.get(name, ())
        ]
    assert not wrong, f"{len(wrong)} retired words:\n" + "\n".join(wrong[:200])


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.target.id
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def test_no_name_is_a_participle_of_an_idiom() -> None:
    wrong = []
    for file in sorted((needs.ROOT / "halgit").rglob("*.py")):
        name = file.relative_to(needs.ROOT).as_posix()
        names = [(1, file.stem), *_names(ast.parse(file.read_text("utf-8")))]
        wrong += [
            f"{name}:{line}: {found!r}; name it by {NAMES[found.strip('_').lower()]}"
            for line, found in names
            if found.strip("_").lower() in NAMES
        ]
    assert not wrong, f"{len(wrong)} names:\n" + "\n".join(wrong[:200])


def test_the_search_finds_words_in_identifiers_and_messages() -> None:
    found = [
        word for _, word, _ in _retired("is_left_out = 'Mend it.'\nthe file cannot be had\nrecommended, heartbeat")
    ]
    assert found == ["left out", "Mend", "cannot be had"]
