"""Layers into one set of files: for each layer, lowest first, `remove`, then the merge, then `patches`.

Every document keeps where each value was written and what it overrode. All faults are collected; a file with one
stands as the lower layers have it. No parameter or reference is looked at, and nothing is read here but the bytes
the layers hold.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from halgit import yaml as hyaml
from halgit.merge import directives, keyed_lists, patches, spring_names
from halgit.merge.diagnostics import Fault, findings
from halgit.merge.document_merger import Laying
from halgit.merge.draft import Draft
from halgit.merge.selection import SETTINGS, is_merged, is_spring, may_hold_several
from halgit.pipeline import (
    MISSING,
    File,
    Finding,
    Layer,
    LayerId,
    Merged,
    Origin,
    Patch,
    Severity,
    Trace,
    Value,
)
from halgit.text.phrases import suggest_nearest


class Reader(Protocol):
    """What `halgit.yaml.read` is."""

    def __call__(self, text: bytes, file: str, *, many: bool = False) -> hyaml.ReadResult: ...


def merge(layers: Sequence[Layer], read: Reader = hyaml.read) -> Merged:
    """The layers, lowest first, as one. Faults are its findings; none is raised.

    `read` reads a document: a caller that merges the same layers again hands in one that remembers.

    A file that `documents.is_merged` names must be in `files` of every layer that has it; one that is only in
    `paths` counts as not read yet, like any other file, and is the highest layer's.
    """
    joining = _Joining(read)
    for layer in layers:
        joining.add(layer)
    return joining.merged(tuple(layers))


@dataclass(slots=True)
class _Standing:
    """One file as the layers so far make it.

    `layers` have a word in it, `origins` are its files in them, `text` is the highest one's. `root` is the document
    where it can be merged; None for files that are replaced whole, and where `several` documents or a fault of the
    text (`broken`) forbid it. `read` is the data as it was parsed: while the root is still that, nothing touched it.
    """

    path: str
    layers: list[LayerId]
    origins: list[Origin]
    text: bytes | None
    root: Draft | None = None
    read: Value = MISSING
    several: bool = False
    broken: bool = False

    @property
    def empty(self) -> bool:
        """Whether the document says nothing at all: no line, or comments only."""
        return self.root is not None and self.root.kind == "null"


@dataclass(slots=True)
class _Joining:
    reader: Reader
    standing: dict[str, _Standing] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)
    trees: keyed_lists.Trees = field(default_factory=keyed_lists.Trees)

    def add(self, layer: Layer) -> None:
        """One more layer, over all those before it."""
        self.trees.learn(layer)
        for number, path in enumerate(layer.settings.remove):
            self._remove(layer, path, number)
        for path in sorted(layer.paths.union(layer.files) - SETTINGS):
            self._take(layer, path)
        for patch in layer.settings.patches:
            self._patch(layer, patch)

    def _remove(self, layer: Layer, path: str, number: int) -> None:
        if self.standing.pop(path, None) is None:
            where = Origin(layer.id, layer.settings.file, ("remove", number))
            message = f"No lower layer has the file {path}."
            hint = suggest_nearest(path, self.standing, "Take it out, or correct the path; a folder cannot be named.")
            self.faults.append(Fault("merge/removes-nothing", where, message, hint))

    # --- files -------------------------------------------------------------------------------------------------

    def _take(self, layer: Layer, path: str) -> None:
        """A layer's file, over what stands there."""
        text, below = layer.files.get(path), self.standing.get(path)
        origin = Origin(layer.id, layer.id.file(path), ())
        if text is None or not is_merged(path):
            origins = [*below.origins, origin] if below else [origin]
            self.standing[path] = _Standing(path, [at.layer for at in origins], origins, text)
            return
        above = self._read(path, text, origin)
        if below is None or below.empty or below.text is None:
            if above.read is not MISSING:
                above.root = self._laying(above).first(above.read)
            self.standing[path] = above
        elif above.read is not None:
            self._join(below, above)

    def _read(self, path: str, text: bytes, origin: Origin) -> _Standing:
        """A layer's file on its own."""
        read = self.reader(text, origin.file, many=may_hold_several(path))
        self.found += [replace(fault, layer=origin.layer.name) for fault in read.findings]
        broken = not read.documents and any(fault.severity is Severity.ERROR for fault in read.findings)
        several = len(read.documents) > 1
        data = MISSING if broken or several else read.data
        return _Standing(path, [origin.layer], [origin], text, read=data, several=several, broken=broken)

    def _join(self, below: _Standing, above: _Standing) -> None:
        """A layer's document over the lower one."""
        if below.several or above.several:
            here, other = above.origins[0], below.origins[-1]
            message = "This file meets {other}, and a file of several YAML documents cannot be merged."
            hint = "Name the file under `remove` in this layer's halgit.yaml to replace it whole."
            self.faults.append(Fault("merge/several-documents", here, message, hint, other))
        if below.root is None or above.read is MISSING:
            below.root = None
        else:
            below.root = self._laying(above).over(below.root, above.read, self.trees.of(below.path))
        below.several, below.broken = below.several or above.several, below.broken or above.broken
        below.layers += above.layers
        below.origins += above.origins
        below.text = above.text

    def _laying(self, file: _Standing) -> Laying:
        directed = directives.in_text(file.text or b"")
        return Laying(file.origins[0], self.faults, directed=directed, spring=is_spring(file.path))

    # --- patches -----------------------------------------------------------------------------------------------

    def _patch(self, layer: Layer, patch: Patch) -> None:
        origin = Origin(layer.id, layer.settings.file, patch.path)
        file = self.standing.get(patch.target)
        wrong = self._why_not(patch.target, file)
        if wrong is not None:
            rule, message, hint = wrong
            where = Origin(layer.id, layer.settings.file, (*patch.path, "target"))
            self.faults.append(Fault(rule, where, message, hint))
        elif file is not None and file.root is not None:
            file.root = patches.apply(file.root, patch, origin, self.faults)
            if layer.id not in file.layers:
                file.layers.append(layer.id)

    def _why_not(self, target: str, file: _Standing | None) -> tuple[str, str, str] | None:
        """Why a file cannot be patched. One that cannot be read is passed over: that is told already."""
        if file is None:
            hint = suggest_nearest(target, self.standing, "Correct the path, or take the patch out.")
            return "patch/no-target", f"No layer so far has the file {target}.", hint
        if not is_merged(target) or (file.root is None and not file.several and not file.broken):
            hint = "Put the whole file in this layer instead."
            return "patch/not-merged", "Only the halconfig, profiles and service-settings are patched.", hint
        if file.several:
            hint = "Put the whole file in this layer, and name it under `remove`."
            return "patch/several-documents", "A file of several YAML documents cannot be patched.", hint
        return None

    # --- the result --------------------------------------------------------------------------------------------

    def merged(self, layers: tuple[Layer, ...]) -> Merged:
        """The files as they stand, and all that is wrong with them."""
        files = {path: _file(self.standing[path]) for path in sorted(self.standing)}
        ranks = {layer.id: rank for rank, layer in enumerate(layers)}
        for file in files.values():
            self.faults += keyed_lists.item_faults(file, self.trees)
            self.faults += spring_names.twin_faults(file, ranks)
        return Merged(files, layers, (*self.found, *findings(self.faults, layers)))


def _file(standing: _Standing) -> File:
    layers = tuple(standing.layers)
    if standing.root is not None:
        data, trace = standing.root.freeze()
        if data is standing.read and len(standing.origins) == 1:
            return File(standing.path, "copied", layers[:1], data, standing.text, trace=trace)
        data = oauth2_in_order(data) if standing.path == "config" else data
        return File(standing.path, "merged", layers, data, trace=trace)
    *overridden, winner = standing.origins
    return File(standing.path, "copied", layers, body=standing.text, trace=Trace(winner, tuple(reversed(overridden))))


_OAUTH2 = ("deploymentConfigurations", "security", "authn", "oauth2")


def oauth2_in_order(config: Value, steps: tuple[str, ...] = _OAUTH2) -> Value:
    """The halconfig with `provider` first in every `security.authn.oauth2`; the very object where it is so already.

    Halyard reads the keys in order, and `OAuth2.setProvider` overwrites what was read before it with presets.
    """
    if isinstance(config, list):
        items = [oauth2_in_order(item, steps) for item in config]
        return config if all(map(operator.is_, items, config)) else items
    if not isinstance(config, dict):
        return config
    if steps:
        below = config.get(steps[0])
        made = oauth2_in_order(below, steps[1:])
        return config if made is below else {**config, steps[0]: made}
    if "provider" not in config or next(iter(config)) == "provider":
        return config
    return {"provider": config["provider"], **config}
