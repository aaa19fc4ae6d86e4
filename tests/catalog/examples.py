"""Repositories that cause a finding: the examples of the catalog, laid out in every way in which one can be written.

An example is laid over `tests/validation/rules/base`: as a second source, as an overlay, or in its place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import needs

from halgit import sources
from halgit.catalog.entry import Entry
from halgit.compiler import Locator, collect_findings, compile_tree
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.pipeline import Finding
from halgit.record import replace
from halgit.report import explanation
from halgit.secrets import plan_secrets

BASE = needs.ROOT / "tests" / "validation" / "rules" / "base"


@dataclass(frozen=True)
class Layout:
    """Sources, later over earlier, and how they are compiled. `settings` is the folder of the root `halgit.yaml`."""

    folders: Sequence[Path]
    settings: Path
    operator: OperatorSettings = field(default_factory=OperatorSettings)

    def findings(self, **changes: object) -> list[Finding]:
        """What halgit reports, with other operator settings where some are given."""
        operator = replace(self.operator, **changes)  # type: ignore[arg-type]
        opened = [sources.open_source(SourceSpec(str(path)), Access()) for path in self.folders]
        try:
            compiled = compile_tree(opened, operator)
            places = Locator(compiled.files, compiled.layers, compiled.accounts, compiled.parameters)
            plan = plan_secrets(compiled, operator.trust, "resolve")
            return list(collect_findings(compiled, plan, operator, places))
        finally:
            for snapshot in opened:
                snapshot.close()


def layouts(entry: Entry, folder: Path) -> Iterator[Layout]:
    """The example of an entry as a source over the base, as an overlay that builds on it, and in its place."""
    example = folder / "example"
    for name, content in explanation.examples(entry):
        (example / name).parent.mkdir(parents=True, exist_ok=True)
        (example / name).write_text(content)
    if not {"halgit.yaml", "accounts"} & {file.name for file in example.iterdir()}:
        shutil.copytree(BASE, folder / "source")
        yield Layout([folder / "source", example], folder / "source")
    yield _as_overlay(example, folder / "layered")
    root = folder / "root"
    shutil.copytree(BASE, root)
    shutil.copytree(example, root, dirs_exist_ok=True)
    yield Layout([root], root)


def _as_overlay(example: Path, root: Path) -> Layout:
    shutil.copytree(BASE, root / "base")
    shutil.copytree(example, root / "overlays" / "example")
    settings = root / "overlays" / "example" / "halgit.yaml"
    own = settings.read_text() if settings.exists() else ""
    settings.write_text(own if "bases:" in own else "bases: [../../base]\n" + own)
    return Layout([root], root, OperatorSettings(overlay="example"))
