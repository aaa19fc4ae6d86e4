"""Reads a YAML text node by node, with every fault in it and its place: the slow and thorough half of reading.

Aliases, `<<`, tags and repeated keys are taken as SnakeYAML's SafeConstructor takes them. Never raises for bad input.
"""

from __future__ import annotations

import yaml

from halgit.tree import Finding, Path, Plain, Severity, Value
from halgit.yaml.nodes import Mark, Node, compose
from halgit.yaml.scalars import java_text, resolve


def read_with_care(text: bytes, file: str, *, many: bool) -> tuple[tuple[Value, ...], tuple[Finding, ...]]:
    """The documents and the faults of a text; no documents where it cannot be parsed."""
    stream = compose(text)
    faults: list[Finding] = []

    def fault(rule: str, mark: Mark, message: str, mend: str, path: Path = ()) -> None:
        faults.append(Finding("yaml/" + rule, Severity.ERROR, message, mend, file, path, mark.line, mark.column))

    if stream.problem is not None:
        mark = getattr(stream.problem, "problem_mark", None)
        where = Mark(0, mark.line + 1, mark.column + 1) if mark else Mark(0, 0, 0)
        fault("syntax", where, f"not YAML: {getattr(stream.problem, 'problem', stream.problem)}.", "Correct the text.")
        return (), tuple(faults)
    if len(stream.roots) > 1 and not many:
        fault(
            "several-documents", stream.starts[1], "a second document starts here.", "Keep one document in this file."
        )
    return tuple(_value(root) for root in stream.roots), tuple(faults)


def _value(node: Node) -> Value:
    if node.kind == "alias":
        return _value(node.target) if node.target else None
    if node.kind == "sequence":
        return [_value(item) for item in node.items]
    if node.kind == "mapping":
        return {_key(key): _value(value) for key, value in node.pairs()}
    return resolve(node.text) if node.plain else node.text


def _key(node: Node) -> str:
    value = _value(node)
    return str(value) if isinstance(value, str) and not isinstance(value, Plain) else Plain(java_text(value))


__all__ = ["read_with_care", "yaml"]
