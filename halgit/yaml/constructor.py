"""From nodes to values, the way SnakeYAML's SafeConstructor does it: tags, aliases, `<<`, keys.

What SafeConstructor refuses is gathered as faults; how aliases and keys are used is `checking.py`'s to judge. An
aliased node becomes one shared value. Never raises for what a text holds.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Final

from halgit.pipeline import Path, Plain, Value
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

_NONE: Final = object()
_COLLECTIONS: Final = {"sequence": ("seq", "omap", "pairs"), "mapping": ("map", "set")}


def _binary(text: str) -> bytes:
    packed = re.sub(r"[ \t\n\x0b\f\r]", "", text)
    if len(packed) % 4 or not re.fullmatch("[A-Za-z0-9+/]*={0,2}", packed):
        raise InvalidScalarError("is no base64")
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
    """Makes the values of one text's nodes. Faults go to the list it is given."""

    def __init__(self, faults: FindingCollector) -> None:
        self._faults = faults
        self._made: dict[Node, Value] = {}
        self._pairs: dict[Node, list[Pair]] = {}
        self._flat: set[Node] = set()

    def value(self, node: Node, path: Path = ()) -> Value:
        """The value of a node; None in the place of a fault."""
        node = node.resolved()
        if node not in self._made:
            self._made[node] = None
            self._made[node] = self._make(node, path)
        return self._made[node]

    def key(self, node: Node, path: Path = ()) -> str | None:
        """A key as the text Halyard makes of it, Plain where it is no text; None for a mapping or list."""
        value = self.value(node, path)
        if isinstance(value, (dict, list)):
            return None
        return str(value) if isinstance(value, str) and not isinstance(value, Plain) else Plain(to_java_string(value))

    def _make(self, node: Node, path: Path) -> Value:
        tag = (node.tag or "").removeprefix(TAG_PREFIX)
        if node.kind == "scalar":
            return self._tagged(node, path) if node.tag else self._scalar(node, path)
        if tag == node.tag or (tag and tag not in _COLLECTIONS.get(node.kind, ())):
            return self._refuse_tag(node, path)
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
            rule = "merge-key" if node.text == "<<" else "number"
            self._faults.add(
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
            return make(node.text) if make and (node.tag or "").startswith(TAG_PREFIX) else self._refuse_tag(node, path)
        except InvalidScalarError:
            return self._refuse_tag(node, path)

    def _refuse_tag(self, node: Node, path: Path) -> None:
        tag = node.tag or ""
        kind = tag.removeprefix(TAG_PREFIX)
        known = kind != tag and any(kind in names for names in (_SCALARS, *_COLLECTIONS.values()))
        name = "!!" + kind if kind != tag else tag if tag.startswith("!") else f"!<{tag}>"
        what = "list" if node.kind == "sequence" else "mapping" if node.kind == "mapping" else "text"
        message = f"the tag {name} does not fit this {what}." if known else f"Halyard takes no tag {name}."
        hint = "Correct the tag or the value." if known else "Remove the tag; write what it stands for."
        if not known and node.kind == "scalar" and not node.text:
            message, hint = "a value that begins with ! is a tag to YAML, and Halyard takes none.", "Quote the value."
        self._faults.add("tag", node.start, message, hint, path)

    def _paired(self, node: Node, tag: str, path: Path) -> Value:
        """`!!omap` and `!!pairs`: a list of mappings of one key each."""
        found: list[tuple[Node, Node]] = []
        for item in node.items:
            target = item.resolved()
            if target.kind == "mapping" and len(target.items) == 2:
                found += target.pairs()
            else:
                message = f"an item of !!{tag} must be one key with its value."
                self._faults.add("tag", item.start, message, "Correct the item, or remove the tag.", path)
        if tag == "pairs":
            return [[self.value(key, path), self.value(value, path)] for key, value in found]
        return {text: self.value(value, path) for key, value in found if (text := self.key(key, path)) is not None}

    # --- mappings ---

    def _mapping(self, node: Node, path: Path) -> dict[str, Value]:
        made: dict[str, Value] = {}
        for key, value in self._flattened(node, path):
            text = self.key(key, path)
            if text is not None:
                if made.pop(text, _NONE) is not _NONE:
                    message = f"the key {text} comes twice into this mapping, once as a text and once not."
                    self._faults.add("duplicate-key", key.start, message, "Keep one of the two.", (*path, str(text)))
                made[text] = self.value(value, (*path, str(text)))
        return made

    def _flattened(self, node: Node, path: Path) -> list[Pair]:
        """The pairs of a mapping, of each key only the last, and `<<` resolved."""
        if node not in self._flat:
            self._flat.add(node)
            last: dict[object, Pair] = {}
            for key, value in self._now(node):
                name = key if is_merge_key(key) else self._identity(key, path)
                last.pop(name, None)
                last[name] = (key, value)
            self._pairs[node] = list(last.values())
            if any(is_merge_key(key) for key, _ in last.values()):
                self._pairs[node] = list(self._merge(node, path, {}, own=True).values())
        return self._pairs[node]

    def _merge(self, node: Node, path: Path, into: dict[object, Pair], *, own: bool) -> dict[object, Pair]:
        """Gathers the pairs of a mapping and of what its `<<` bring in. Own keys win, then those brought in first.

        A key keeps the place where it was met first. SnakeYAML takes the `<<` out of the mapping it reads, so one that
        is read here before it is read for itself has lost them then; so it is here.
        """
        pairs = self._now(node)
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

    def _now(self, node: Node) -> list[Pair]:
        return self._pairs[node] if node in self._pairs else list(node.pairs())

    def _identity(self, key: Node, path: Path) -> object:
        """What makes two keys the same to Java: type and text, so 1 is not "1"."""
        text = self.key(key, path)
        return (type(self.value(key, path)), text) if text is not None else key

    def _sources(self, node: Node, path: Path) -> Iterator[Node]:
        """The mappings that a `<<` names."""
        target = node.resolved()
        for item in target.items if target.kind == "sequence" else [node]:
            source = item.resolved()
            if source.kind == "mapping":
                yield source
            elif source.kind != "alias":
                message = "<< takes a mapping or a list of mappings."
                self._faults.add("merge-key", item.start, message, "Correct it, or quote the key: '<<'.", path)
