"""The catalog against the code and against itself: every id is explained, and every example causes its finding."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import needs
import pytest
from catalog.examples import layouts

from halgit.catalog import CATALOG
from halgit.catalog.entry import Entry

EACH = pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.id)
EXAMPLES = [entry for entry in CATALOG.values() if entry.example]
SUBJECTS = {entry.subject for entry in CATALOG.values()}
_ID = re.compile(r"[a-z][a-z-]*/[a-z][a-z0-9-]*[a-z0-9]")


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry.id)
def test_an_example_causes_its_finding(entry: Entry, tmp_path: Path) -> None:
    assert any(entry.id in {one.rule for one in layout.findings()} for layout in layouts(entry, tmp_path))


@EACH
def test_every_text_is_a_sentence(entry: Entry) -> None:
    for field in ("summary", "halyard", "impact", "fix"):
        text = getattr(entry, field)
        assert text.endswith("."), (field, text)


def _ids_in_code() -> Iterator[str]:
    for file in sorted((needs.ROOT / "halgit").rglob("*.py")):
        if file.parent.name == "catalog":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if _ID.fullmatch(text) and text.split("/", 1)[0] in SUBJECTS:
                yield text


def test_the_catalog_holds_exactly_the_ids_of_the_code() -> None:
    assert set(_ids_in_code()) - set(CATALOG) == set(), "ids that the catalog does not explain"
    assert set(CATALOG) - set(_ids_in_code()) == set(), "ids that no code reports"
