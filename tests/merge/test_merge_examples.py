"""Layers in, files out: each folder of `examples` is one case, picked up by itself.

All folders but `expected` are layers, in the order of their names. `expected` is every file that comes out;
`errors.txt` the findings as lines; `origins.txt` where values come from: `FILE POINTER <- PLACE < PLACE IT BEAT ...`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from merge.layering import layer_of, told

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.pipeline import File, Layer, Merged, Origin
from halgit.pipeline import Path as Steps
from halgit.text import paths

EXAMPLES = Path(__file__).parent / "examples"
CASES = sorted(folder for folder in EXAMPLES.iterdir() if folder.is_dir())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_example(folder: Path) -> None:
    layers = [layer_of(part) for part in sorted(folder.iterdir()) if part.is_dir() and part.name != "expected"]
    merged = merge_layers(layers)
    errors = folder / "errors.txt"
    assert told(merged.findings) == (errors.read_text().splitlines() if errors.exists() else [])
    if (folder / "expected").is_dir():
        assert {path: shown(file) for path, file in merged.files.items()} == read(folder / "expected")
    if (folder / "origins.txt").exists():
        lines = (folder / "origins.txt").read_text().splitlines()
        assert [origins(line.split(" <- ")[0], merged, layers) for line in lines] == lines


def read(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def shown(file: File) -> str:
    assert file.how == ("merged" if file.body is None else "copied")
    return (hyaml.dump(file.data) if file.body is None else file.body).decode()


def origins(place: str, merged: Merged, layers: list[Layer]) -> str:
    """One line of `origins.txt`, as it is."""
    name, text = place.split(" ", 1)
    trace = merged.files[name].trace.at(steps(text))
    return f"{place} <- " + " < ".join(where(origin, layers) for origin in (trace.origin, *trace.overridden))


def steps(text: str) -> Steps:
    return tuple(
        int(step) if step.isdigit() else step for step in paths.parse_pointer(text) or () if isinstance(step, str)
    )


def where(origin: Origin, layers: list[Layer]) -> str:
    layer = next(layer for layer in layers if layer.id == origin.layer)
    path = origin.file.removeprefix(f"{layer.id.folder}/")
    text = layer.settings.text if origin.file == layer.settings.file else layer.files[path]
    spot = hyaml.locate(text, origin.path)
    assert spot, f"{origin.file} has nothing at {origin.path}"
    return f"{origin.file}:{spot.line}:{spot.column}" + (f" ({origin.how})" if origin.how else "")
