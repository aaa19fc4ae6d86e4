"""Merge of layers into one set of files: for each layer, lowest first, `remove`, then its files, then `patches`.

Every document keeps where each value was written and what it overrode. All problems are collected; a file with one
keeps the content of the lower layers. Parameters and references are not looked at. Pure: layers bring their bytes.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence

from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING, Protocol
from halgit.halyard.sensitivity import is_secret_value
from halgit.merge.diagnostics import Diagnostic, to_findings
from halgit.merge.directives import may_contain_directives
from halgit.merge.document_merger import DocumentMerger
from halgit.merge.draft import Draft
from halgit.merge.keyed_lists import KeyedLists, duplicate_item_diagnostics
from halgit.merge.selection import SETTINGS, is_merged, is_spring, may_have_several_documents
from halgit.pipeline import (
    MISSING,
    File,
    Finding,
    Layer,
    LayerId,
    Merged,
    Origin,
    Patch,
    Path,
    Severity,
    Trace,
    Value,
)
from halgit.record import Record, field, replace
from halgit.text.limits import limit_findings
from halgit.text.phrases import suggest_nearest

if TYPE_CHECKING:
    from halgit.merge.patches import PatchBudget

DUPLICATE_KEY = "yaml/duplicate-key"

_LONGEST_VALUE = 60
_MOST_VALUES = 10

"""Values that are longer are not repeated in a finding."""


class DocumentReader(Protocol):
    """The signature of `halgit.yaml.read`."""

    def __call__(self, text: bytes, file: str, *, many: bool = False) -> hyaml.ReadResult: ...


def merge_layers(layers: Sequence[Layer], read: DocumentReader = hyaml.read) -> Merged:
    """Merge the layers, lowest first. Problems become findings of the result; none is raised.

    A file for which `selection.is_merged` is true must be in `files` of every layer that has it. A file that is only
    in `paths` has not been read yet and is that of the highest layer. `read` may be a reader that caches.
    """
    merger = _LayerMerger(read)
    for layer in layers:
        merger.add_layer(layer)
    return merger.result(tuple(layers))


class _FileState(Record, frozen=False):
    """One file as merged so far.

    `layers` contributed to it, `origins` are its files in them, `text` is that of the highest. `root` is the document
    if it can be merged; None for files that are replaced as a whole, of `several` documents, or with a syntax error
    (`broken`). `read` is the data as parsed: while `root` freezes to it, no layer changed anything.
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
        """True if the document has no content, except perhaps comments."""
        return self.root is not None and self.root.kind == "null"

    def to_file(self) -> File:
        """Return the file as it leaves the merge."""
        layers = tuple(self.layers)
        if self.root is not None:
            data, trace = self.root.freeze()
            if data is self.read and len(self.origins) == 1:
                return File(self.path, "copied", layers[:1], data, self.text, trace=trace)
            data = order_oauth2_keys(data) if self.path == "config" else data
            return File(self.path, "merged", layers, data, trace=trace)
        *overridden, highest = self.origins
        return File(self.path, "copied", layers, body=self.text, trace=Trace(highest, tuple(reversed(overridden))))


class _LayerMerger(Record, frozen=False):
    reader: DocumentReader
    files: dict[str, _FileState] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    keyed_lists: KeyedLists = field(default_factory=KeyedLists)
    budget: PatchBudget | None = None

    def add_layer(self, layer: Layer) -> None:
        """Merge one more layer over all those before it."""
        self.keyed_lists.add_layer(layer)
        for number, path in enumerate(layer.settings.remove):
            self._remove(layer, path, number)
        for path in sorted(layer.paths.union(layer.files) - SETTINGS):
            self._merge_file(layer, path)
        for patch in layer.settings.patches:
            self._patch(layer, patch)

    def _remove(self, layer: Layer, path: str, number: int) -> None:
        if self.files.pop(path, None) is None and path not in layer.settings.optional:
            where = Origin(layer.id, layer.settings.file, ("remove", number))
            message = f"No lower layer has the file {path}."
            default = "Remove the entry, or correct the path; folders are not supported."
            hint = suggest_nearest(path, self.files, default)
            self.diagnostics.append(Diagnostic("merge/removes-nothing", where, message, hint))

    # --- files -------------------------------------------------------------------------------------------------

    def _merge_file(self, layer: Layer, path: str) -> None:
        text, below = layer.files.get(path), self.files.get(path)
        origin = Origin(layer.id, layer.id.file(path), ())
        if text is None or not is_merged(path):
            origins = [*below.origins, origin] if below else [origin]
            self.files[path] = _FileState(path, [at.layer for at in origins], origins, text)
            return
        above = self._read(path, text, origin)
        if below is None or below.empty or below.text is None:
            if above.read is not MISSING:
                above.root = self._document_merger(above).start(above.read)
            self.files[path] = above
        elif above.read is not None:
            self._merge_document(below, above)

    def _read(self, path: str, text: bytes, origin: Origin) -> _FileState:
        """Parse one layer's file."""
        read = self.reader(text, origin.file, many=may_have_several_documents(path))
        found = limit_findings(replace(one, layer=origin.layer.name) for one in read.findings)
        self.findings += _add_values(found, path, text)
        broken = not read.documents and any(finding.severity is Severity.ERROR for finding in read.findings)
        several = len(read.documents) > 1
        data = MISSING if broken or several else read.data
        return _FileState(path, [origin.layer], [origin], text, read=data, several=several, broken=broken)

    def _merge_document(self, below: _FileState, above: _FileState) -> None:
        if below.several or above.several:
            here, other = above.origins[0], below.origins[-1]
            message = "This file cannot be merged with {other}: a file of several YAML documents is never merged."
            hint = "List the file under `remove` in this layer's halgit.yaml to replace it."
            self.diagnostics.append(Diagnostic("merge/several-documents", here, message, hint, other))
        if below.root is None or above.read is MISSING:
            below.root = None
        else:
            node = self.keyed_lists.for_file(below.path)
            below.root = self._document_merger(above).merge(below.root, above.read, node)
        self._raise_duplicates(below, above)
        below.several, below.broken = below.several or above.several, below.broken or above.broken
        below.layers += above.layers
        below.origins += above.origins
        below.text = above.text

    def _raise_duplicates(self, *files: _FileState) -> None:
        """Make duplicate keys of these files errors: the merged file does not show them any more."""
        named = {origin.file for file in files for origin in file.origins}
        self.findings = [
            replace(one, severity=Severity.ERROR) if one.rule == DUPLICATE_KEY and one.file in named else one
            for one in self.findings
        ]

    def _document_merger(self, file: _FileState) -> DocumentMerger:
        has_directives = may_contain_directives(file.text or b"")
        spring = is_spring(file.path)
        return DocumentMerger(file.origins[0], self.diagnostics, has_directives=has_directives, is_spring=spring)

    # --- patches -----------------------------------------------------------------------------------------------

    def _patch(self, layer: Layer, patch: Patch) -> None:
        from halgit.merge.patches import PatchBudget, apply_patch

        file = self.files.get(patch.target)
        problem = self._target_problem(patch.target, file)
        if problem is not None:
            rule, message, hint = problem
            if patch.optional and rule == "patch/no-target":
                return
            where = Origin(layer.id, layer.settings.file, (*patch.path, "target"))
            self.diagnostics.append(Diagnostic(rule, where, message, hint))
        elif file is not None and file.root is not None:
            origin = Origin(layer.id, layer.settings.file, patch.path)
            self.budget = self.budget or PatchBudget()
            file.root = apply_patch(file.root, patch, origin, self.diagnostics, self.budget)
            self._raise_duplicates(file)
            if layer.id not in file.layers:
                file.layers.append(layer.id)

    def _target_problem(self, target: str, file: _FileState | None) -> tuple[str, str, str] | None:
        """Return why a file cannot be patched. A file with a syntax error is reported where it is read."""
        if file is None:
            hint = suggest_nearest(target, self.files, "Correct the path, or remove the patch.")
            return "patch/no-target", f"No layer up to this one has the file {target}.", hint
        if not is_merged(target) or (file.root is None and not file.several and not file.broken):
            hint = "Put the complete file into this layer instead."
            return "patch/not-merged", "Patches apply to the halconfig, profiles and service-settings only.", hint
        if file.several:
            hint = "Put the complete file into this layer, and list it under `remove`."
            return "patch/several-documents", "A file of several YAML documents cannot be patched.", hint
        return None

    # --- the result --------------------------------------------------------------------------------------------

    def result(self, layers: tuple[Layer, ...]) -> Merged:
        """Return the merged files with all findings."""
        files = {path: self.files[path].to_file() for path in sorted(self.files)}
        ranks = {layer.id: rank for rank, layer in enumerate(layers)}
        for file in files.values():
            self.diagnostics += duplicate_item_diagnostics(file, self.keyed_lists)
            if is_spring(file.path) and file.trace is not None:
                from halgit.merge.spring_names import respelled_diagnostics

                self.diagnostics += respelled_diagnostics(file, ranks)
        return Merged(files, layers, (*self.findings, *to_findings(self.diagnostics, layers)))


_OAUTH2 = ("deploymentConfigurations", "security", "authn", "oauth2")


def order_oauth2_keys(config: Value, steps: tuple[str, ...] = _OAUTH2) -> Value:
    """Return the halconfig with `provider` first in every `security.authn.oauth2`; the same object if it is so.

    Halyard reads the keys in order, and `OAuth2.setProvider` overwrites what was read before it with presets.
    """
    if isinstance(config, list):
        items = [order_oauth2_keys(item, steps) for item in config]
        return config if all(map(operator.is_, items, config)) else items
    if not isinstance(config, dict):
        return config
    if steps:
        below = config.get(steps[0])
        ordered = order_oauth2_keys(below, steps[1:])
        return config if ordered is below else {**config, steps[0]: ordered}
    if "provider" not in config or next(iter(config)) == "provider":
        return config
    return {"provider": config["provider"], **config}


def _add_values(findings: list[Finding], path: str, text: bytes) -> Iterator[Finding]:
    """Add both values to the findings of duplicate keys, unless they are long or may be secret."""
    duplicates = {one.path for one in findings if one.rule == DUPLICATE_KEY and not is_secret_value(one.path, path)}
    values: dict[Path, list[str]] = {key: [] for key in duplicates}
    for scalar in hyaml.list_scalars(text) if duplicates else ():
        if scalar.path in duplicates and not scalar.key:
            values[scalar.path].append(scalar.text)
    for one in findings:
        found = values.get(one.path, []) if one.rule == DUPLICATE_KEY else []
        is_shown = 2 <= len(found) <= _MOST_VALUES and max(map(len, found)) <= _LONGEST_VALUE
        is_shown = is_shown and not any("@" in value for value in found)
        yield replace(one, message=f"{one.message} Values: {', '.join(found)}.") if is_shown else one
