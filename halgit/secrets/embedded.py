"""A secret inside a string that is itself a YAML or JSON document, such as a block scalar with a kubeconfig.

In JSON the value is escaped for its place. In YAML a value of several lines is indented to the place of its reference,
or escaped in double quotes. The result is parsed again, so that it means what the document meant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from halgit import references
from halgit import yaml as hyaml
from halgit.errors import CorruptError
from halgit.parameters import escaping
from halgit.pipeline import Reference, Value
from halgit.redaction import Secret
from halgit.references import FoundReference

_MARK = "halgit-marks-this-place"


def fit_value(text: str, found: FoundReference, value: Secret, reference: Reference) -> Secret:
    """Return the value as it must be written at `found` in `text`.

    Raises CorruptError for a value of several lines that cannot be written there.
    """
    if found.whole:
        return value
    plain = value.open()
    if text.lstrip()[:1] in ("{", "[") and _is_json(_with_mark(text, found, "0")):
        context = escaping.find_contexts(text, [found.start], javascript=False)[found.start]
        is_code = context == "code"
        return Secret(escaping.format_literal(plain) if is_code else escaping.escape_in(plain, context), value.name)
    if "\n" not in text or "\n" not in plain.rstrip("\n"):
        return value
    marked = hyaml.read(_with_mark(text, found, _MARK).encode("utf-8"), "")
    if len(marked.documents) != 1 or not isinstance(marked.data, (dict, list)):
        return value
    for candidate, meaning in _candidates(text, found, plain):
        read = hyaml.read(_with_mark(text, found, candidate).encode("utf-8"), "")
        if not read.findings and read.data == _with_meaning(marked.data, meaning):
            return Secret(candidate, value.name)
    raise CorruptError(
        f"{references.describe_reference(reference)} has several lines, which cannot be written at its place in a "
        "string that is a YAML document.",
        "Put the reference alone on a line below `key: |`, or in double quotes.",
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _with_mark(text: str, found: FoundReference, mark: str) -> str:
    """Return the text with `mark` at the reference, and 0 at every other reference."""
    result, at = "", 0
    for one in references.find_references(text):
        result += text[at : one.start] + (mark if one.start == found.start else "0")
        at = one.end
    return result + text[at:]


def _candidates(text: str, found: FoundReference, plain: str) -> Iterator[tuple[str, str]]:
    """Yield ways to write a value, each with the value that it must have."""
    start = text.rfind("\n", 0, found.start) + 1
    indentation = text[start : found.start]
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
