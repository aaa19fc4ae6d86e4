"""File variants of the OpsMx repositories: `spinnakerconfig.yml.ssh` stands for `spinnakerconfig.yml` in variant ssh.

The variant is chosen by name, never by how the repository is reached, and a variant file is never written beside the
file it replaces. Looks at names; moves bytes, and reads none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from halgit.opsmx.tokens import VARIANTS, base_name
from halgit.pipeline import File, Layer, LayerId, Origin, Skipped, Trace, Variant


@dataclass(frozen=True, slots=True)
class Chosen:
    """The layers with one variant of each file.

    `layers` are for the merge. `sources` are the same for whoever names a place: there the text of a variant also
    stands under its own name, and `taken` says by (layer, path) which name that is.
    """

    layers: tuple[Layer, ...]
    sources: tuple[Layer, ...]
    skipped: tuple[Skipped, ...]
    taken: Mapping[tuple[LayerId, str], str]

    def own_names(self, files: Mapping[str, File]) -> dict[str, File]:
        """Merged files whose origins name the variant a value was written in."""
        names = {(id, id.file(path)): id.file(own) for (id, path), own in self.taken.items()}
        paths = {path for _, path in self.taken}
        return {
            path: replace(file, trace=_renamed(file.trace, names)) if file.trace and path in paths else file
            for path, file in files.items()
        }


def variants(layers: Sequence[Layer], variant: Variant) -> Chosen:
    """The layers with files of this variant in the place of those they stand for, and all other variants left out."""
    compiled: list[Layer] = []
    sources: list[Layer] = []
    skipped: list[Skipped] = []
    taken: dict[tuple[LayerId, str], str] = {}
    for layer in layers:
        files = {path: text for path, text in layer.files.items() if base_name(path) == path}
        own: dict[str, bytes] = {}
        for path in sorted(layer.paths):
            kind = path.rsplit(".", 1)[-1]
            if kind not in VARIANTS or path not in layer.files:
                continue
            if kind == variant:
                files[base_name(path)] = own[path] = layer.files[path]
                taken[layer.id, base_name(path)] = path
            else:
                skipped.append(Skipped(path, f"it is the {kind} variant of {base_name(path)}, and {variant} is chosen"))
        paths = frozenset(base_name(path) if path in own else path for path in layer.paths)
        paths -= {path for path in layer.files if base_name(path) != path}
        compiled.append(replace(layer, paths=paths | files.keys(), files=files))
        sources.append(replace(layer, paths=paths | files.keys(), files={**files, **own}))
    return Chosen(tuple(compiled), tuple(sources), tuple(skipped), taken)


def _renamed(trace: Trace, names: Mapping[tuple[LayerId, str], str]) -> Trace:
    """The trace with origins in the files these names are for."""

    def own(origin: Origin) -> Origin:
        return replace(origin, file=names.get((origin.layer, origin.file), origin.file))

    children = {step: _renamed(child, names) for step, child in trace.children.items()}
    return Trace(own(trace.origin), tuple(map(own, trace.overridden)), children)
