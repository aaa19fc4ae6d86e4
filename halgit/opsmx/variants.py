"""File variants of OpsMx repositories: `spinnakerconfig.yml.ssh` replaces `spinnakerconfig.yml` in variant ssh.

The variant is selected by name, never by the transport of the repository. A variant file is never written beside the
file that it replaces. The files for Stormdriver are rendered only if the parameter `stormdriver` is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from halgit.opsmx.tokens import VARIANTS, without_variant
from halgit.pipeline import File, Layer, LayerId, Origin, Skipped, Trace, Variant
from halgit.record import Record, replace

STORMDRIVER = "stormdriver"
"""The parameter that says whether Stormdriver replaces Clouddriver."""

_STORMDRIVER_PROFILES = ("orca-overrides.yml", "fiat-overrides.yml", "gate-overrides.yml")
STORMDRIVER_SERVICES, _SPINNAKER = "profiles/stormdriver-spinnaker.yml", "profiles/spinnaker.yml"
"""With Stormdriver this file is Spinnaker's `spinnaker.yml`, which Halyard generates otherwise.

A `spinnaker.yml` beside it is its copy, which users edit: it is rendered instead, and only with Stormdriver.
"""


class VariantSelection(Record):
    """The layers with one variant of each file.

    `layers` are merged. `sources` are the same layers for messages: they also have the text of a variant under its
    own name, and `selected` maps (layer, path) to that name.
    """

    layers: tuple[Layer, ...]
    sources: tuple[Layer, ...]
    skipped: tuple[Skipped, ...]
    selected: Mapping[tuple[LayerId, str], str]

    def restore_names(self, files: Mapping[str, File]) -> dict[str, File]:
        """Return merged files whose origins name the variant file that a value was written in."""
        names = {(id, id.file(path)): id.file(own) for (id, path), own in self.selected.items()}
        paths = {path for _, path in self.selected}
        return {
            path: replace(file, trace=_rename(file.trace, names)) if file.trace and path in paths else file
            for path, file in files.items()
        }


def select_variants(layers: Sequence[Layer], variant: Variant, *, stormdriver: bool = False) -> VariantSelection:
    """Replace files by their variant of this name; files of other variants are skipped."""
    merged: list[Layer] = []
    sources: list[Layer] = []
    skipped: list[Skipped] = []
    selected: dict[tuple[LayerId, str], str] = {}
    for layer in layers:
        files = {path: text for path, text in layer.files.items() if without_variant(path) == path}
        own: dict[str, bytes] = {}
        skipped += _drop_templates(files) if stormdriver else _drop_stormdriver(files)
        for path in sorted(layer.paths):
            if path.endswith(f"/{STORMDRIVER_SERVICES}") and path in files:
                base = path.removesuffix(STORMDRIVER_SERVICES) + _SPINNAKER
                files[base] = own[path] = files.pop(path)
                selected[layer.id, base] = path
                continue
            kind, base = path.rsplit(".", 1)[-1], without_variant(path)
            if kind not in VARIANTS or path not in layer.files:
                continue
            if kind == variant:
                files[base] = own[path] = layer.files[path]
                selected[layer.id, base] = path
            else:
                reason = f"it is the {kind} variant of {base}; the selected variant is {variant}"
                skipped.append(Skipped(path, reason))
        paths = layer.paths - (layer.files.keys() - files.keys())
        merged.append(replace(layer, paths=paths | files.keys(), files=files))
        sources.append(replace(layer, paths=paths | files.keys(), files={**files, **own}))
    return VariantSelection(tuple(merged), tuple(sources), tuple(skipped), selected)


def _drop_stormdriver(files: dict[str, bytes]) -> list[Skipped]:
    """Remove the files for Stormdriver and return them as skipped."""
    names = (*(f"/profiles/{name}" for name in _STORMDRIVER_PROFILES), f"/{STORMDRIVER_SERVICES}")
    found = sorted({*(path for path in files if path.endswith(names)), *_copies(files)})
    return _drop(files, found, f"it is for Stormdriver, and the parameter {STORMDRIVER} is not true")


def _drop_templates(files: dict[str, bytes]) -> list[Skipped]:
    """Remove the files that have an edited copy, and return them as skipped."""
    found = [path.removesuffix(_SPINNAKER) + STORMDRIVER_SERVICES for path in _copies(files)]
    return _drop(files, found, "spinnaker.yml is its copy, which is rendered instead")


def _copies(files: Mapping[str, bytes]) -> list[str]:
    """Return the files `spinnaker.yml` that have a `stormdriver-spinnaker.yml` beside them."""
    found = (
        path.removesuffix(STORMDRIVER_SERVICES) + _SPINNAKER
        for path in files
        if path.endswith(f"/{STORMDRIVER_SERVICES}")
    )
    return sorted(path for path in found if path in files)


def _drop(files: dict[str, bytes], paths: Sequence[str], reason: str) -> list[Skipped]:
    for path in paths:
        del files[path]
    return [Skipped(path, reason) for path in paths]


def _rename(trace: Trace, names: Mapping[tuple[LayerId, str], str]) -> Trace:
    """Return the trace with the files of its origins renamed."""

    def renamed(origin: Origin) -> Origin:
        return replace(origin, file=names.get((origin.layer, origin.file), origin.file))

    children = {step: _rename(child, names) for step, child in trace.children.items()}
    return Trace(renamed(trace.origin), tuple(map(renamed, trace.overridden)), children)
