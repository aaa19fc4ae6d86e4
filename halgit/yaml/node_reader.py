"""Reads a YAML text node by node, with every fault in it and its place: the slow and thorough half of reading.

Puts the parts in order: is it text, does it parse, is it what SnakeYAML takes, are its keys and aliases in order, what
are its values. Never raises for bad input.
"""

from __future__ import annotations

from typing import Final

from halgit.pipeline import Finding, Path, Value
from halgit.yaml.compatibility import check_compatibility
from halgit.yaml.constructor import Constructor
from halgit.yaml.diagnosis import diagnose
from halgit.yaml.parser import MAX_DEPTH, Node, Stream, compose, is_merge_key
from halgit.yaml.source_text import FindingCollector, Mark, decode_text


def read_nodes(text: bytes, file: str, *, many: bool) -> tuple[tuple[Value, ...], tuple[Finding, ...]]:
    """The documents and the faults of a text; no documents where it cannot be parsed."""
    faults = FindingCollector(file)
    whole = decode_text(text, faults)
    if whole is None:
        return (), faults.sorted()
    stream = compose(text)
    check_compatibility(whole, stream, faults)
    construction = Constructor(faults)
    checking = DocumentChecker(construction, faults)
    for root in stream.roots:
        checking.document(root)
    if not many:
        _check_single(stream, faults)
    if stream.too_deep:
        _too_deep(stream.too_deep, faults)
    elif stream.problem:
        diagnose(whole, stream, faults)
    elif checking.within_limits:
        documents = tuple(construction.value(root) for root in stream.roots)
        if _fits(documents, stream, faults):
            return documents, faults.sorted()
    return (), faults.sorted()


def _check_single(stream: Stream, faults: FindingCollector) -> None:
    for start in stream.starts[1:2]:
        faults.add("documents", start, "a second document starts here.", "Keep one document in this file.")


def _too_deep(mark: Mark, faults: FindingCollector) -> None:
    message = f"more than {MAX_DEPTH} mappings and lists inside one another; Halyard reads no deeper."
    faults.add("depth", mark, message, "Lift the inner ones up.")


def _fits(documents: tuple[Value, ...], stream: Stream, faults: FindingCollector) -> bool:
    """Whether the documents stay in bounds once their aliases are written out."""
    for document, root in zip(documents, stream.roots, strict=True):
        expansion = ExpandedSize(document)
        if expansion.depth > MAX_DEPTH:
            _too_deep(root.start, faults)
            return False
        if expansion.size > stream.count + MAX_ADDED_VALUES:
            message = f"aliases add more than {MAX_ADDED_VALUES} values once they are written out."
            faults.add("alias-limit", root.start, message, "Write the values out, or use fewer aliases.")
            return False
    return True


MAX_ALIASES: Final = 50
"""How many aliases to mappings or lists SnakeYAML takes in one text."""

MAX_ADDED_VALUES: Final = 100_000
"""How many values aliases may add to a text once they are written out."""


class DocumentChecker:
    """Goes through the documents of one text, and gathers faults."""

    def __init__(self, construction: Constructor, faults: FindingCollector) -> None:
        self._key = construction.key
        self._faults = faults
        self._above: set[Node] = set()
        self._aliases = 0

    @property
    def within_limits(self) -> bool:
        """Whether Halyard would go on to make values of this text."""
        return self._aliases <= MAX_ALIASES

    def document(self, node: Node, path: Path = ()) -> None:
        """Checks a node and all below it, in the order of the text."""
        if node.kind == "alias":
            self._alias(node, path)
        elif node.kind != "scalar":
            self._above.add(node)
            if node.kind == "mapping":
                self._mapping(node, path)
            else:
                for position, item in enumerate(node.items):
                    self.document(item, (*path, position))
            self._above.discard(node)

    def _mapping(self, node: Node, path: Path) -> None:
        first: dict[str, Node] = {}
        for key, value in node.pairs():
            self.document(key, path)
            text = None if is_merge_key(key) else self._name(node, key, path)
            below = path if text is None else (*path, str(text))
            if text is not None and (before := first.setdefault(text, key)) is not key:
                message = f"the key {text} stands twice in this mapping, first on line {before.start.line}."
                self._faults.add("duplicate-key", key.start, message, "Keep one of the two.", below)
            self.document(value, below)

    def _name(self, mapping: Node, key: Node, path: Path) -> str | None:
        if key.resolved().kind in {"scalar", "alias"}:
            return self._key(key, path)
        if key.flow and mapping.flow and key.start.index == mapping.start.index + 1:
            message = "{{ ... }} without quotes is a mapping to YAML, not a text."
            hint = "Fill in the template before halgit reads the file, or quote the whole value."
            self._faults.add("template", mapping.start, message, hint, path)
        else:
            kind = "list" if key.resolved().kind == "sequence" else "mapping"
            self._faults.add("key", key.start, f"a {kind} stands as a key.", "Write a text as the key.", path)
        return None

    def _alias(self, node: Node, path: Path) -> None:
        if node.target is None:
            message = "a value that begins with * is an alias to YAML, and no anchor of its name stands before it."
            self._faults.add("alias", node.start, message, "Define the anchor, write the value out, or quote it.", path)
        elif node.target in self._above:
            message = f"the alias *{node.text} stands inside the value it stands for."
            self._faults.add("alias", node.start, message, "Write the value out.", path)
        elif node.target.kind != "scalar":
            self._aliases += 1
            if self._aliases == MAX_ALIASES + 1:
                message = f"more than {MAX_ALIASES} aliases to mappings or lists; Halyard reads no more of them."
                self._faults.add("alias-limit", node.start, message, "Write some of the values out.", path)


class ExpandedSize:
    """How large a value is once its aliases are written out, at the cost of what it takes in memory.

    `size` counts all values then, `depth` the collections inside one another.
    """

    def __init__(self, data: Value) -> None:
        self._seen: dict[int, tuple[int, int]] = {}
        self.size, self.depth = self._measure(data, 0)

    def _measure(self, value: Value, level: int) -> tuple[int, int]:
        if not isinstance(value, (dict, list)) or level > MAX_DEPTH:
            return 1, 0
        if id(value) not in self._seen:
            below = [self._measure(item, level + 1) for item in (value.values() if isinstance(value, dict) else value)]
            size, depth = sum(size for size, _ in below), max((depth for _, depth in below), default=0)
            self._seen[id(value)] = 1 + size, 1 + depth
        return self._seen[id(value)]
