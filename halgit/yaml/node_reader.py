"""The thorough reader: YAML read node by node, with every finding and its position. Never raises for invalid input.

Checks encoding, syntax, compatibility with SnakeYAML, keys and aliases of every mapping, and the limits of SnakeYAML,
then constructs the values.
"""

from __future__ import annotations

from halgit.annotations import Final
from halgit.pipeline import Finding, Path, Severity, Value
from halgit.yaml.compatibility import check_compatibility
from halgit.yaml.constructor import Constructor, TextConstructor
from halgit.yaml.diagnosis import diagnose
from halgit.yaml.parser import Node, Stream, compose, is_merge_key
from halgit.yaml.reader import MAX_DEPTH
from halgit.yaml.source_text import FindingCollector, Mark, decode_text


def read_nodes(text: bytes, file: str, *, many: bool) -> tuple[tuple[Value, ...], tuple[Finding, ...]]:
    """Read the documents and findings of a file; no documents if it cannot be parsed. `many` as in `reader.read`."""
    findings = FindingCollector(file, "Spring" if many else "Halyard")
    whole = decode_text(text, findings)
    if whole is None:
        return (), findings.sorted()
    stream = compose(text)
    check_compatibility(whole, stream, findings)
    constructor = Constructor(findings)
    checker = DocumentChecker(constructor, findings, spring=many)
    for root in stream.roots:
        checker.check(root)
    if not many:
        _check_single(stream, findings)
    if stream.too_deep:
        _report_depth(stream.too_deep, findings)
    elif stream.problem:
        diagnose(whole, stream, findings)
    elif checker.is_within_limits:
        documents = tuple(constructor.value(root) for root in stream.roots)
        if _fits(documents, stream, findings):
            return documents, findings.sorted()
    return (), findings.sorted()


def read_texts(text: bytes) -> Value:
    """Return the first document with every scalar but null as the text that was written: `0755` and not 493.

    None if it cannot be parsed; `reader.read` tells why.
    """
    roots = compose(text).roots
    return TextConstructor(FindingCollector("")).value(roots[0]) if roots else None


def _check_single(stream: Stream, findings: FindingCollector) -> None:
    for start in stream.starts[1:2]:
        message = "a second document begins here, where one is allowed."
        hint = _MANIFESTS if _is_manifest(stream.roots[0]) else "Keep one document in the file."
        findings.add("yaml/documents", start, message, hint)


_MANIFESTS: Final = (
    "Keep Kubernetes manifests outside the layers; `halgit import` converts a SpinnakerService among them."
)


def _is_manifest(root: Node) -> bool:
    keys = {key.text for key, _ in root.pairs()} if root.kind == "mapping" else set()
    return {"apiVersion", "kind"} <= keys


def _report_depth(mark: Mark, findings: FindingCollector) -> None:
    message = f"mappings and lists are nested more than {MAX_DEPTH} levels deep, which Halyard does not support."
    findings.add("yaml/depth", mark, message, "Reduce the nesting.")


def _fits(documents: tuple[Value, ...], stream: Stream, findings: FindingCollector) -> bool:
    """Return whether the documents stay within the limits after their aliases are expanded."""
    for document, root in zip(documents, stream.roots, strict=True):
        expansion = ExpandedSize(document)
        if expansion.depth > MAX_DEPTH:
            _report_depth(root.start, findings)
            return False
        if expansion.size > stream.count + MAX_ADDED_VALUES:
            message = f"aliases expand to more than {MAX_ADDED_VALUES} additional values."
            findings.add("yaml/alias-limit", root.start, message, "Repeat the values, or use fewer aliases.")
            return False
    return True


MAX_ALIASES: Final = 50
"""The maximum number of aliases to mappings or lists in a file, as in SnakeYAML; Spring Boot lifts the limit."""

MAX_ADDED_VALUES: Final = 100_000
"""The maximum number of values that aliases may add to a file."""


class DocumentChecker:
    """Checks the keys and aliases of all mappings of one file, used or not."""

    def __init__(self, constructor: Constructor, findings: FindingCollector, *, spring: bool) -> None:
        self._spring = spring
        self._key = constructor.key
        self._findings = findings
        self._above: set[Node] = set()
        self._aliases = 0

    @property
    def is_within_limits(self) -> bool:
        """True if Halyard would construct values from this file."""
        return self._spring or self._aliases <= MAX_ALIASES

    def check(self, node: Node, path: Path = ()) -> None:
        """Check a node and its descendants in the order of the file."""
        if node.kind == "alias":
            self._alias(node, path)
        elif node.kind != "scalar":
            self._above.add(node)
            if node.kind == "mapping":
                self._mapping(node, path)
            else:
                for position, item in enumerate(node.items):
                    self.check(item, (*path, position))
            self._above.discard(node)

    def _mapping(self, node: Node, path: Path) -> None:
        first: dict[str, Node] = {}
        for key, value in node.pairs():
            self.check(key, path)
            text = None if is_merge_key(key) else self._name(node, key, path)
            below = path if text is None else (*path, str(text))
            if text is not None and (before := first.setdefault(text, key)) is not key:
                self._report_duplicate(text, before, key, below)
            self.check(value, below)

    def _report_duplicate(self, text: str, before: Node, key: Node, path: Path) -> None:
        """Spring Boot refuses a duplicate key; Halyard's loader options allow it, and the last value is used."""
        effect = "Spring does not start with it" if self._spring else "the last one is used"
        message = f"duplicate key {text} in this mapping, first used on line {before.start.line}; {effect}."
        severity = Severity.ERROR if self._spring else Severity.WARNING
        self._findings.add("yaml/duplicate-key", key.start, message, "Keep one of the two keys.", path, severity)

    def _name(self, mapping: Node, key: Node, path: Path) -> str | None:
        if key.resolved().kind in {"scalar", "alias"}:
            return self._key(key, path)
        if key.flow and mapping.flow and key.start.index == mapping.start.index + 1:
            message = "{{ ... }} without quotes is a mapping in YAML, not a string."
            hint = "Render the template before halgit reads the file, or quote the whole value."
            self._findings.add("yaml/template", mapping.start, message, hint, path)
        else:
            kind = "list" if key.resolved().kind == "sequence" else "mapping"
            self._findings.add("yaml/key", key.start, f"a {kind} cannot be a key.", "Use a string as the key.", path)
        return None

    def _alias(self, node: Node, path: Path) -> None:
        if node.target is None:
            message = "a value that begins with * is an alias in YAML, and no anchor with its name precedes it."
            self._findings.add(
                "yaml/alias", node.start, message, "Define the anchor, repeat the value, or quote it.", path
            )
        elif node.target in self._above:
            message = f"the alias *{node.text} refers to a value that contains it."
            self._findings.add("yaml/alias", node.start, message, "Repeat the value.", path)
        elif node.target.kind != "scalar":
            self._aliases += 1
            if self._aliases == MAX_ALIASES + 1 and not self._spring:
                message = f"more than {MAX_ALIASES} aliases to mappings or lists, which Halyard does not support."
                self._findings.add("yaml/alias-limit", node.start, message, "Repeat some of the values.", path)


class ExpandedSize:
    """The size of a value with its aliases expanded, computed without expanding them.

    `size` counts all values, `depth` the nesting of collections.
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
