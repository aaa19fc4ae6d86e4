"""References in the values of parameters: which values hold one, and which joined values would form one.

Only the value of a parameter that is declared with `secret` or `reference` may be a reference. A reference is written
as one piece: text and parameters that are joined never form one, so no parameter changes what a reference reads. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from halgit import references
from halgit.pipeline import Value
from halgit.references import FoundReference

Finder = Callable[[str], Sequence[FoundReference]]

JOINED_HINT = "Write the whole reference as one value, or as the value of a parameter with reference: true."


def is_reference(value: Value) -> bool:
    """Return whether a value is a reference, or a malformed one, which is reported where it is used."""
    if not isinstance(value, str):
        return False
    return bool(references.find_references(value)) or references.explain_malformed(value) is not None


def contains_reference(value: Value) -> bool:
    """Return whether a string, or an item of a list, contains a well-formed reference."""
    if isinstance(value, list):
        return any(contains_reference(item) for item in value)
    return isinstance(value, str) and bool(references.find_references(value))


def forms_reference(parts: Iterable[object], find: Finder = references.find_references) -> bool:
    """Return whether a reference reaches over several parts of a joined string. Secrets separate the parts."""
    for is_text, group in groupby(parts, lambda part: isinstance(part, str)):
        texts = [str(part) for part in group] if is_text else []
        if len(texts) > 1 and _crosses(texts, find("".join(texts))):
            return True
    return False


def _crosses(texts: Sequence[str], found: Sequence[FoundReference]) -> bool:
    spans, end = [], 0
    for text in texts:
        spans.append((end, end + len(text)))
        end += len(text)
    return any(not any(start <= each.start and each.end <= stop for start, stop in spans) for each in found)
