"""What must hold of a whole file once it is merged: no item twice in a keyed list, no property spelt in two ways.

The first is looked at again after parameters are in, for a parameter can make two items one. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from halgit.halyard.merge_keys import KeyNode, tree_for
from halgit.merge import keyed_lists, spring_names
from halgit.merge.document_merger import twice
from halgit.merge.faults import Fault, findings
from halgit.merge.selection import is_merged, is_spring
from halgit.pipeline import EMPTY, MISSING, File, Finding, Layer, LayerId, Path, Trace


class Trees:
    """The keyed lists of each file, with the `mergeKeys` of the layers so far; lowest layer first."""

    def __init__(self) -> None:
        self._extra: dict[str, dict[str, str]] = {}
        self._trees: dict[str, KeyNode] = {}

    def learn(self, layer: Layer) -> None:
        """Add a layer's `mergeKeys`: they hold for it and all layers above it."""
        for path, keys in layer.settings.merge_keys.items():
            self._extra.setdefault(path, {}).update(keys)
            self._trees.pop(path, None)

    def of(self, path: str) -> KeyNode:
        if path not in self._trees:
            self._trees[path] = tree_for(path, self._extra.get(path, EMPTY))
        return self._trees[path]


def check_items(files: Mapping[str, File], layers: Sequence[Layer]) -> tuple[Finding, ...]:
    """A finding for every item of a keyed list whose key another item of the list has, in files whose data is known."""
    trees = Trees()
    for layer in layers:
        trees.learn(layer)
    return findings((fault for file in files.values() for fault in item_faults(file, trees)), layers)


def item_faults(file: File, trees: Trees) -> Iterator[Fault]:
    """The items of a file that its keyed lists have twice."""
    if file.data is MISSING or file.trace is None or not is_merged(file.path):
        return
    for found in keyed_lists.duplicates(file.data, trees.of(file.path), is_spring(file.path)):
        later, earlier = file.trace.at(found.later).origin, file.trace.at(found.earlier).origin
        message, hint = twice(found.key, found.name)
        yield Fault("merge/duplicate-item", later, message, hint, earlier)


def twin_faults(file: File, ranks: Mapping[LayerId, int]) -> Iterator[Fault]:
    """Properties of a file that Spring reads as one and that come from different layers. `ranks`: highest wins."""
    if file.data is MISSING or file.trace is None or not is_spring(file.path):
        return
    for paths in spring_names.twins(file.data, file.trace):
        yield from _twins(paths, file.trace, ranks)


def _twins(paths: list[Path], trace: Trace, ranks: Mapping[LayerId, int]) -> Iterator[Fault]:
    origins = sorted((trace.at(path).origin for path in paths), key=lambda origin: ranks[origin.layer])
    lowest = origins[0]
    for origin in origins:
        if origin.layer != lowest.layer:
            message = "Spring reads this as the property that {other} spells in another way, and would see both."
            hint = "Spell it as the lower layer does; the merge then replaces it."
            yield Fault("merge/twin-property", origin, message, hint, lowest)
