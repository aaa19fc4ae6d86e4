"""The catalog against the code and against itself: every id is explained, and every example causes its finding.

An example is laid over `tests/validation/rules/base`: as a second source, as an overlay, or in its place.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import needs
import pytest

from halgit import sources
from halgit.catalog import CATALOG
from halgit.catalog.entry import Entry
from halgit.compiler import Locator, collect_findings, compile_tree
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.pipeline import Finding
from halgit.report import explanation
from halgit.secrets import plan_secrets

BASE = needs.ROOT / "tests" / "validation" / "rules" / "base"
EACH = pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.id)
EXAMPLES = [entry for entry in CATALOG.values() if entry.example]
SUBJECTS = {entry.subject for entry in CATALOG.values()}
_ID = re.compile(r"[a-z][a-z-]*/[a-z][a-z0-9-]*[a-z0-9]")


def _findings(*folders: Path, overlay: str = "") -> dict[str, Finding]:
    """What halgit reports of these sources, by id."""
    opened = [sources.open_source(SourceSpec(str(path)), Access()) for path in folders]
    try:
        operator = OperatorSettings(overlay=overlay)
        compiled = compile_tree(opened, operator)
        places = Locator(compiled.files, compiled.layers, compiled.accounts)
        found = collect_findings(compiled, plan_secrets(compiled, operator.trust, "resolve"), operator, places)
        return {finding.rule: finding for finding in found}
    finally:
        for snapshot in opened:
            snapshot.close()


def _as_source(example: Path, root: Path) -> dict[str, Finding]:
    """The example as a source over the base."""
    settled = {"halgit.yaml", "accounts"} & {file.name for file in example.iterdir()}
    return {} if settled else _findings(BASE, example)


def _as_overlay(example: Path, root: Path) -> dict[str, Finding]:
    """The example as an overlay of a repository whose base it builds on."""
    shutil.copytree(BASE, root / "base")
    shutil.copytree(example, root / "overlays" / "example")
    settings = root / "overlays" / "example" / "halgit.yaml"
    own = settings.read_text() if settings.exists() else ""
    settings.write_text(own if "bases:" in own else "bases: [../../base]\n" + own)
    return _findings(root, overlay="example")


def _as_root(example: Path, root: Path) -> dict[str, Finding]:
    """The example's files beside, and instead of, those of the base."""
    shutil.copytree(BASE, root, dirs_exist_ok=True)
    shutil.copytree(example, root, dirs_exist_ok=True)
    return _findings(root)


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry.id)
def test_an_example_causes_its_finding(entry: Entry, tmp_path: Path) -> None:
    for name, content in explanation.examples(entry):
        file = tmp_path / "example" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    seen: list[str] = []
    for number, layout in enumerate((_as_source, _as_overlay, _as_root)):
        root = tmp_path / f"root{number}"
        root.mkdir()
        seen += list(layout(tmp_path / "example", root))
    assert entry.id in seen


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
