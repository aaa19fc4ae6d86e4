"""Layers made of texts, for tests of the overlay room; and findings as the lines a user sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from halgit import settings
from halgit.pipeline import Finding, Layer, LayerId, LayerSettings, SourceId

SOURCE = SourceId("file:///example", "0" * 40)


def layer(folder: str, files: Mapping[str, str | bytes]) -> Layer:
    """A layer of these files; a `halgit.yaml` among them becomes its settings and must have no fault."""
    texts = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    said = LayerSettings()
    if "halgit.yaml" in texts:
        file = f"{folder}/halgit.yaml" if folder else "halgit.yaml"
        said, faults = settings.parse_settings(texts["halgit.yaml"], file, root=not folder)
        assert not faults, told(faults)
    return Layer(LayerId(folder or ".", SOURCE, folder), frozenset(texts), texts, said)


def layer_of(folder: Path) -> Layer:
    """A folder as a layer named like it."""
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return layer(folder.name, files)


def told(findings: Iterable[Finding]) -> list[str]:
    """Findings as lines: place, rule, words. A warning says that it is one."""
    return [
        f"{f.file}:{f.line}: {'' if str(f.severity) == 'error' else f'{f.severity}: '}{f.rule}: {f.message} {f.hint}"
        for f in findings
    ]
