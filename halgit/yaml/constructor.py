"""Values from nodes, as SnakeYAML's SafeConstructor makes them: tags, aliases, `<<` and keys.

Reports what SafeConstructor rejects; `node_reader` checks how keys and aliases are used. An aliased node becomes one
shared value. Never raises for invalid input.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

from halgit.annotations import Final
from halgit.pipeline import Path, PlainScalar, Value
from halgit.yaml.parser import TAG_PREFIX, Node, Pair, is_merge_key
from halgit.yaml.resolver import (
    BOOLS,
    InvalidScalarError,
    parse_float,
    parse_integer,
    parse_timestamp,
    resolve_scalar,
    to_java_string,
)
from halgit.yaml.source_text import FindingCollector

_ABSENT: Final = object()
_COLLECTIONS: Final = {"sequence": ("seq", "omap", "pairs"), "mapping": ("map", "set")}


def _binary(text: str) -> bytes:
    packed = re.sub(r"[ \t\n\x0b\f\r]", "", text)
    if len(packed) % 4 or not re.fullmatch("[A-Za-z0-9+/]*={0,2}", packed):
        raise InvalidScalarError("is not base64")
    return base64.b64decode(packed)


_SCALARS: Final[dict[str, Callable[[str], Value]]] = {
    "str": str,
    "int": parse_integer,
    "float": parse_float,
    "bool": lambda text: BOOLS.get(text.lower()),
    "null": lambda text: None,
    "timestamp": parse_timestamp,
    "binary": _binary,
}


class Constructor:
    """Constructs the values of the nodes of one file."""

    def __init__(self, findings: FindingCollector) -> None:
        self._findings = findings
        self._values: dict[Node, Value] = {}
        self._pairs: dict[Node, list[Pair]] = {}
        self._flat: set[Node] = set()

    def value(self, node: Node, path: Path = ()) -> Value:
        """Return the value of a node; None where a finding was reported."""
        node = node.resolved()
        if node not in self._values:
            self._values[node] = None
            self._values[node] = self._construct(node, path)
        return self._values[node]

    def key(self, node: Node, path: Path = ()) -> str | None:
        """Return a key as the string Halyard makes of it, Plain if it is another type; None for a mapping or list."""
        value = self.value(node, path)
        if isinstance(value, (dict, list)):
            return None
        return (
            str(value)
            if isinstance(value, str) and not isinstance(value, PlainScalar)
            else PlainScalar(to_java_string(value))
        )

    def _construct(self, node: Node, path: Path) -> Value:
        tag = (node.tag or "").removeprefix(TAG_PREFIX)
        if node.kind == "scalar":
            return self._tagged(node, path) if node.tag else self._scalar(node, path)
        if tag == node.tag or (tag and tag not in _COLLECTIONS.get(node.kind, ())):
            return self._reject_tag(node, path)
        if tag == "set":
            return [self.value(key, path) for key, _ in self._flattened(node, path)]
        if tag in {"omap", "pairs"}:
            return self._paired(node, tag, path)
        if node.kind == "sequence":
            return [self.value(item, (*path, position)) for position, item in enumerate(node.items)]
        return self._mapping(node, path) if node.kind == "mapping" else None

    # --- scalars and tags ---

    def _scalar(self, node: Node, path: Path) -> Value:
        try:
            return resolve_scalar(node.text) if node.plain else node.text
        except InvalidScalarError as problem:
            rule = "yaml/merge-key" if node.text == "<<" else "yaml/number"
            self._findings.add(
                rule,
                node.start,
                f"{'<<' if node.text == '<<' else 'this'} {problem}.",
                "Quote it, or correct it.",
                path,
            )
        return None

    def _tagged(self, node: Node, path: Path) -> Value:
        make = _SCALARS.get((node.tag or "").removeprefix(TAG_PREFIX))
        try:
            return make(node.text) if make and (node.tag or "").startswith(TAG_PREFIX) else self._reject_tag(node, path)
        except InvalidScalarError:
            return self._reject_tag(node, path)

    def _reject_tag(self, node: Node, path: Path) -> None:
        tag = node.tag or ""
        kind = tag.removeprefix(TAG_PREFIX)
        known = kind != tag and any(kind in names for names in (_SCALARS, *_COLLECTIONS.values()))
        name = "!!" + kind if kind != tag else tag if tag.startswith("!") else f"!<{tag}>"
        what = "list" if node.kind == "sequence" else "mapping" if node.kind == "mapping" else "string"
        message = f"the tag {name} does not fit this {what}." if known else f"Halyard does not support the tag {name}."
        hint = "Correct the tag or the value." if known else "Remove the tag, and write the value it represents."
        if not known and node.kind == "scalar" and not node.text:
            message = "a value that begins with ! is a tag in YAML, which Halyard does not support."
            hint = "Quote the value."
        self._findings.add("yaml/tag", node.start, message, hint, path)

    def _paired(self, node: Node, tag: str, path: Path) -> Value:
        """Return the value of `!!omap` or `!!pairs`: a list of mappings with one key each."""
        found: list[tuple[Node, Node]] = []
        for item in node.items:
            target = item.resolved()
            if target.kind == "mapping" and len(target.items) == 2:
                found += target.pairs()
            else:
                message = f"expected one key with its value in an item of !!{tag}."
                self._findings.add("yaml/tag", item.start, message, "Correct the item, or remove the tag.", path)
        if tag == "pairs":
            return [[self.value(key, path), self.value(value, path)] for key, value in found]
        return {text: self.value(value, path) for key, value in found if (text := self.key(key, path)) is not None}

    # --- mappings ---

    def _mapping(self, node: Node, path: Path) -> dict[str, Value]:
        result: dict[str, Value] = {}
        for key, value in self._flattened(node, path):
            text = self.key(key, path)
            if text is not None:
                if result.pop(text, _ABSENT) is not _ABSENT:
                    message = f"duplicate key {text} in this mapping, once as a string and once as another type."
                    hint, here = "Keep one of the two keys.", (*path, str(text))
                    self._findings.add("yaml/duplicate-key", key.start, message, hint, here)
                result[text] = self.value(value, (*path, str(text)))
        return result

    def _flattened(self, node: Node, path: Path) -> list[Pair]:
        """Return the pairs of a mapping, with the last of each key and `<<` resolved."""
        if node not in self._flat:
            self._flat.add(node)
            last: dict[object, Pair] = {}
            for key, value in self._current_pairs(node):
                name = key if is_merge_key(key) else self._identity(key, path)
                last.pop(name, None)
                last[name] = (key, value)
            self._pairs[node] = list(last.values())
            if any(is_merge_key(key) for key, _ in last.values()):
                self._pairs[node] = list(self._merge(node, path, {}, own=True).values())
        return self._pairs[node]

    def _merge(self, node: Node, path: Path, into: dict[object, Pair], *, own: bool) -> dict[object, Pair]:
        """Collect the pairs of a mapping and of its `<<` sources. Own keys override, then the first source.

        A key keeps its first position. SnakeYAML removes `<<` from a mapping when it flattens it, so a source that
        was flattened for another mapping first has lost its own `<<`; this does the same.
        """
        pairs = self._current_pairs(node)
        self._pairs[node] = [pair for pair in pairs if not is_merge_key(pair[0])]
        for key, value in pairs:
            if is_merge_key(key):
                for source in self._sources(value, path):
                    self._merge(source, path, into, own=False)
            elif own:
                into[self._identity(key, path)] = (key, value)
            else:
                into.setdefault(self._identity(key, path), (key, value))
        return into

    def _current_pairs(self, node: Node) -> list[Pair]:
        return self._pairs[node] if node in self._pairs else list(node.pairs())

    def _identity(self, key: Node, path: Path) -> object:
        """Return what makes two keys equal in Java: type and string, so 1 is not "1"."""
        text = self.key(key, path)
        return (type(self.value(key, path)), text) if text is not None else key

    def _sources(self, node: Node, path: Path) -> Iterator[Node]:
        """Iterate over the mappings that a `<<` refers to."""
        target = node.resolved()
        for item in target.items if target.kind == "sequence" else [node]:
            source = item.resolved()
            if source.kind == "mapping":
                yield source
            elif source.kind != "alias":
                message = "<< expects a mapping or a list of mappings."
                self._findings.add("yaml/merge-key", item.start, message, "Correct it, or quote the key: '<<'.", path)


class TextConstructor(Constructor):
    """Constructs the values of a file with every scalar but null as the text that was written."""

    def _scalar(self, node: Node, path: Path) -> Value:
        return None if super()._scalar(node, path) is None else node.text
