"""Every rule against its examples: a folder that shows what it finds, word for word, and one where it is silent.

`rules/<subject>/<rule>/positive/` and `.../negative/` are overlays on `rules/base/` (or stand alone where they hold a
file named `alone`). `positive/findings.txt` pins what the rule says, one line each:
`file:line:column: severity: message` and, on a line of its own, the next step. UPDATE_EXAMPLES=1 writes it.
`large.txt` names files that are made for the test, each with its size, for they are too large to be kept.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from findings import find_in_layers

from halgit.pipeline import Finding
from halgit.validation.rules import ALL

EXAMPLES = Path(__file__).parent / "rules"
RULES = {rule.id for rule in ALL} - {"schema/too-large"}
"""All but the one whose text the YAML reader refuses first; a test of the schemas covers it."""
POSITIVE = sorted(EXAMPLES.glob("*/*/positive*"))
NEGATIVE = sorted(EXAMPLES.glob("*/*/negative*"))


def rule_of(folder: Path) -> str:
    """The id of the rule an example folder is about."""
    return f"{folder.parent.parent.name}/{folder.parent.name}"


def name_of(folder: Path) -> str:
    return f"{rule_of(folder)}/{folder.name}"


def findings(folder: Path) -> list[Finding]:
    """What all rules say of an example."""
    large = folder / "large.txt"
    if not large.exists():
        return settled(folder)
    with TemporaryDirectory() as made:
        for source in (EXAMPLES / "base", folder):
            shutil.copytree(source, made, dirs_exist_ok=True)
        (Path(made) / "alone").touch()
        for line in large.read_text().splitlines():
            name, size = line.rsplit(" ", 1)
            (Path(made) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(made) / name).write_bytes(b"x" * int(size))
        return settled(Path(made))


def settled(folder: Path) -> list[Finding]:
    """What all rules say of the files in a folder."""
    alone = (folder / "alone").exists()
    return list(find_in_layers(folder) if alone else find_in_layers(EXAMPLES / "base", folder))


def told(found: list[Finding]) -> str:
    """Findings as `findings.txt` has them."""
    lines = [f"{f.file}:{f.line}:{f.column}: {f.severity}: {f.message}\n    {f.hint}" for f in found]
    return "".join(line.rstrip() + "\n" for line in lines)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_positive_and_a_negative_example(rule: str) -> None:
    kinds = {folder.name[:8] for folder in (*POSITIVE, *NEGATIVE) if rule_of(folder) == rule}
    assert kinds == {"positive", "negative"}


@pytest.mark.parametrize("folder", [*POSITIVE, *NEGATIVE], ids=name_of)
def test_every_example_is_of_a_rule(folder: Path) -> None:
    assert rule_of(folder) in RULES


@pytest.mark.parametrize("folder", POSITIVE, ids=name_of)
def test_a_rule_finds_what_it_is_for(folder: Path) -> None:
    found = told([f for f in findings(folder) if f.rule == rule_of(folder)])
    pinned = folder / "findings.txt"
    if os.environ.get("UPDATE_EXAMPLES"):
        pinned.write_text(found)
    assert found, "the rule finds nothing in its positive example"
    assert found == pinned.read_text()


@pytest.mark.parametrize("folder", NEGATIVE, ids=name_of)
def test_a_rule_is_silent_where_nothing_is_wrong(folder: Path) -> None:
    assert told([f for f in findings(folder) if f.rule == rule_of(folder)]) == ""
