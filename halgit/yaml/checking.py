"""What is wrong with a tree of nodes before any value is made: repeated keys, keys that are no text, aliases.

Looks at every mapping, also at those whose values are never used. Makes no values of its own and never raises for
what a text holds.
"""

from __future__ import annotations

from typing import Final

from halgit.pipeline import Path, Value
from halgit.yaml.constructing import Construction
from halgit.yaml.faults import Faults
from halgit.yaml.nodes import DEEPEST, Node, is_merge

MOST_ALIASES: Final = 50
"""How many aliases to mappings or lists SnakeYAML takes in one text."""

MOST_EXPANDED: Final = 100_000
"""How many values aliases may add to a text once they are written out."""


class Checking:
    """Goes through the documents of one text, and gathers faults."""

    def __init__(self, construction: Construction, faults: Faults) -> None:
        self._key = construction.key
        self._faults = faults
        self._above: set[Node] = set()
        self._aliases = 0

    @property
    def within_limits(self) -> bool:
        """Whether Halyard would go on to make values of this text."""
        return self._aliases <= MOST_ALIASES

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
            text = None if is_merge(key) else self._name(node, key, path)
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
            if self._aliases == MOST_ALIASES + 1:
                message = f"more than {MOST_ALIASES} aliases to mappings or lists; Halyard reads no more of them."
                self._faults.add("alias-limit", node.start, message, "Write some of the values out.", path)


class Expansion:
    """How large a value is once its aliases are written out, at the cost of what it takes in memory.

    `size` counts all values then, `depth` the collections inside one another.
    """

    def __init__(self, data: Value) -> None:
        self._seen: dict[int, tuple[int, int]] = {}
        self.size, self.depth = self._measure(data, 0)

    def _measure(self, value: Value, level: int) -> tuple[int, int]:
        if not isinstance(value, (dict, list)) or level > DEEPEST:
            return 1, 0
        if id(value) not in self._seen:
            below = [self._measure(item, level + 1) for item in (value.values() if isinstance(value, dict) else value)]
            size, depth = sum(size for size, _ in below), max((depth for _, depth in below), default=0)
            self._seen[id(value)] = 1 + size, 1 + depth
        return self._seen[id(value)]
