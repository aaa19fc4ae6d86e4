"""The findings of all rules on a repository that a test writes, without a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from halgit import sources
from halgit.compiler import Locator, collect_findings, compile_tree
from halgit.operator_settings import Access, OperatorSettings, SourceSpec
from halgit.pipeline import Finding
from halgit.secrets import plan_secrets


def find_in_files(files: Mapping[str, str], folder: Path) -> tuple[Finding, ...]:
    """Write the files into a folder, and return the findings."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    return find_in_layers(folder)


def find_in_layers(*folders: Path) -> tuple[Finding, ...]:
    """Return the findings of folders, each a configuration layer over the one before."""
    opened = [sources.open_source(SourceSpec(str(folder)), Access()) for folder in folders]
    try:
        operator = OperatorSettings()
        compiled = compile_tree(opened, operator)
        locator = Locator(compiled.files, compiled.layers, compiled.accounts)
        return collect_findings(compiled, plan_secrets(compiled, operator.trust, "resolve"), operator, locator)
    finally:
        for snapshot in opened:
            snapshot.close()
