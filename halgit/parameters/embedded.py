"""A value inside a string that is itself a YAML or JSON document, such as a block scalar with a kubeconfig.

In JSON the value is escaped for its place. In YAML a value of several lines is indented to its place, or escaped in
double quotes. The result is parsed again, so that it means what the document meant. Parameters and secrets share it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from halgit import yaml as hyaml
from halgit.annotations import TypeAlias
from halgit.parameters import escaping
from halgit.pipeline import Value

_MARK = "halgit-marks-this-place"
Places: TypeAlias = Sequence[tuple[int, int]]
"""Start and end of each place in a string where a value is inserted, in order."""


def fit_text(text: str, places: Places, start: int, plain: str, *, is_string: bool = True) -> str | None:
    """Return a value as it must be written at the place that begins at `start`.

    Outside of the strings of a JSON document it becomes a string with `is_string`, else it is written as it is, such as
    a number. Returns None for a value of several lines that cannot be written there.
    """
    if text.lstrip()[:1] in ("{", "[") and _is_json(_with_mark(text, places, start, "0")):
        context = escaping.find_contexts(text, [start], javascript=False)[start]
        if context == "code":
            return escaping.format_literal(plain) if is_string else plain
        return escaping.escape_in(plain, context)
    if "\n" not in text or "\n" not in plain.rstrip("\n"):
        return plain
    marked = hyaml.read(_with_mark(text, places, start, _MARK).encode("utf-8"), "")
    if len(marked.documents) != 1 or not isinstance(marked.data, (dict, list)):
        return plain
    for candidate, meaning in _candidates(text, start, plain):
        read = hyaml.read(_with_mark(text, places, start, candidate).encode("utf-8"), "")
        if not read.findings and read.data == _with_meaning(marked.data, meaning):
            return candidate
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _with_mark(text: str, places: Places, start: int, mark: str) -> str:
    """Return the text with `mark` at the place that begins at `start`, and 0 at every other place."""
    result, at = "", 0
    for begin, end in places:
        result += text[at:begin] + (mark if begin == start else "0")
        at = end
    return result + text[at:]


def _candidates(text: str, start: int, plain: str) -> Iterator[tuple[str, str]]:
    """Yield ways to write a value, each with the value that it must have."""
    indentation = text[text.rfind("\n", 0, start) + 1 : start]
    if not indentation.strip(" "):
        lines = plain.rstrip("\n").split("\n")
        yield "\n".join([lines[0], *(indentation + line if line else "" for line in lines[1:])]), plain.rstrip("\n")
    yield escaping.escape_in(plain, '"'), plain


def _with_meaning(data: Value, meaning: str) -> Value:
    """Return the data with the mark replaced."""
    if isinstance(data, dict):
        return {key: _with_meaning(value, meaning) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_meaning(value, meaning) for value in data]
    return data.replace(_MARK, meaning) if isinstance(data, str) and _MARK in data else data
