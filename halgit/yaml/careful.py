"""Reads a YAML text node by node, with every fault in it and its place: the slow and thorough half of reading.

Puts the parts in order: is it text, does it parse, is it what SnakeYAML takes, are its keys and aliases in order, what
are its values. Never raises for bad input.
"""

from __future__ import annotations

from halgit.pipeline import Finding, Value
from halgit.yaml.causes import explain
from halgit.yaml.checking import MOST_EXPANDED, Checking, Expansion
from halgit.yaml.constructing import Construction
from halgit.yaml.encoding import check_text
from halgit.yaml.faults import Faults
from halgit.yaml.lines import Mark
from halgit.yaml.nodes import DEEPEST, Stream, compose
from halgit.yaml.refusals import check_refusals


def read_with_care(text: bytes, file: str, *, many: bool) -> tuple[tuple[Value, ...], tuple[Finding, ...]]:
    """The documents and the faults of a text; no documents where it cannot be parsed."""
    faults = Faults(file)
    whole = check_text(text, faults)
    if whole is None:
        return (), faults.sorted()
    stream = compose(text)
    check_refusals(whole, stream, faults)
    construction = Construction(faults)
    checking = Checking(construction, faults)
    for root in stream.roots:
        checking.document(root)
    if not many:
        _check_single(stream, faults)
    if stream.too_deep:
        _too_deep(stream.too_deep, faults)
    elif stream.problem:
        explain(whole, stream, faults)
    elif checking.within_limits:
        documents = tuple(construction.value(root) for root in stream.roots)
        if _fits(documents, stream, faults):
            return documents, faults.sorted()
    return (), faults.sorted()


def _check_single(stream: Stream, faults: Faults) -> None:
    for start in stream.starts[1:2]:
        faults.add("documents", start, "a second document starts here.", "Keep one document in this file.")


def _too_deep(mark: Mark, faults: Faults) -> None:
    message = f"more than {DEEPEST} mappings and lists inside one another; Halyard reads no deeper."
    faults.add("depth", mark, message, "Lift the inner ones up.")


def _fits(documents: tuple[Value, ...], stream: Stream, faults: Faults) -> bool:
    """Whether the documents stay in bounds once their aliases are written out."""
    for document, root in zip(documents, stream.roots, strict=True):
        expansion = Expansion(document)
        if expansion.depth > DEEPEST:
            _too_deep(root.start, faults)
            return False
        if expansion.size > stream.count + MOST_EXPANDED:
            message = f"aliases add more than {MOST_EXPANDED} values once they are written out."
            faults.add("alias-limit", root.start, message, "Write the values out, or use fewer aliases.")
            return False
    return True
