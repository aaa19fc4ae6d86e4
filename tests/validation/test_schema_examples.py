"""What `schema.check` says of whole files, word for word.

`schema/<schema>/<name>.yml` is checked, `<name>.txt` pins every finding: `line: severity: rule: path: message` and, on
a line of its own, the next step. UPDATE_EXAMPLES=1 writes it. `nothing-wrong` files have none.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from halgit import yaml as hyaml
from halgit.pipeline import Finding
from halgit.text import paths
from halgit.validation.schema import READERS, check

EXAMPLES = Path(__file__).parent / "schema"
FILES = sorted(EXAMPLES.glob("*/*.yml"))


def told(text: bytes, found: tuple[Finding, ...]) -> str:
    """Findings as the pinned file has them."""
    lines = []
    for finding in found:
        place = hyaml.locate(text, finding.path, key=finding.rule == "schema/unknown-key")
        where = paths.format_path(finding.path) or "(the document)"
        line = place.line if place else 0
        lines.append(f"{line}: {finding.severity}: {finding.rule}: {where}: {finding.message}\n    {finding.hint}\n")
    return "".join(lines)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_fault_of_a_file_is_told(file: Path) -> None:
    text = file.read_bytes()
    read = hyaml.read(text, file.name)
    assert not read.findings
    found = told(text, check(read.data, file.name, file.parent.name))
    pinned = file.with_suffix(".txt")
    if os.environ.get("UPDATE_EXAMPLES") and file.stem != "nothing-wrong":
        pinned.write_text(found)
    assert found == ("" if file.stem == "nothing-wrong" else pinned.read_text())
    assert "hunter2" not in found, "a value that may be a secret"


def test_every_kind_of_file_has_examples() -> None:
    assert {file.parent.name for file in FILES} == set(READERS)
    for schema in READERS:
        assert (EXAMPLES / schema / "nothing-wrong.yml").exists()
