"""A value inside a string that is itself a YAML or JSON document, such as a block scalar with a kubeconfig.

In JSON the value is escaped for its place. In YAML a value of several lines is indented to its place, or escaped in
double quotes, and one of a single line is quoted where it would mean something else. The result is parsed again, so
that it means what the document meant. Parameters and secrets share it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from halgit import yaml as hyaml
from halgit.annotations import TypeAlias
from halgit.parameters import escaping
from halgit.pipeline import Value

_MARK = "halgit-marks-this-place"
_SPECIAL = "\n\"'\\,[]{}#"
"""Characters with a meaning of their own in quotes, flow style or comments, or that end a line."""

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
    if "\n" not in text or _is_simple(plain, is_string=is_string):
        return plain
    marked = _read(_with_mark(text, places, start, _MARK))
    if not any(isinstance(document, (dict, list)) for document in marked):
        return plain
    for candidate, meaning in _candidates(text, start, plain, is_string=is_string):
        if _read(_with_mark(text, places, start, candidate)) == [_with_meaning(one, meaning) for one in marked]:
            return candidate
    return None if "\n" in plain.rstrip("\n") else plain


def _is_simple(plain: str, *, is_string: bool) -> bool:
    """Return whether a value means itself wherever a document of YAML has it; a quick check."""
    if any(one in plain for one in _SPECIAL):
        return False
    return hyaml.is_plain(plain) or (not is_string and plain.replace(".", "").isalnum())


def _read(text: str) -> list[Value]:
    """Return the YAML documents of a string; none if it cannot be parsed."""
    return list(hyaml.read(text.encode("utf-8"), "", many=True).documents)


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


def _candidates(text: str, start: int, plain: str, *, is_string: bool) -> Iterator[tuple[str, Value]]:
    """Yield ways to write a value, each with the value that it must have."""
    line = plain.rstrip("\n")
    if "\n" in line:
        indentation = text[text.rfind("\n", 0, start) + 1 : start]
        if not indentation.strip(" "):
            yield "\n".join(indentation * (at > 0 and one != "") + one for at, one in enumerate(line.split("\n"))), line
    else:
        if not is_string and not isinstance(scalar := hyaml.read(line.encode("utf-8"), "").data, (dict, list)):
            yield line, scalar
        yield line, line
        yield hyaml.quote_single(line), line
        yield hyaml.quote_double(line), line
        yield hyaml.quote_single(line)[1:-1], line
    yield hyaml.quote_double(plain)[1:-1], plain


def _with_meaning(data: Value, meaning: Value) -> Value:
    """Return the data with the mark replaced: by the value, or in a string by its text."""
    if isinstance(data, dict):
        return {_with_meaning(key, str(meaning)): _with_meaning(value, meaning) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_meaning(value, meaning) for value in data]
    if data == _MARK:
        return meaning
    return data.replace(_MARK, str(meaning)) if isinstance(data, str) and _MARK in data else data
