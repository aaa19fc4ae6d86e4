"""A text made fit for its place in a JSON or JavaScript file: inside a string, a comment, or as a value of its own.

Tells the places apart by the tokens of the language, no more. Knows no parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Literal

from halgit.pipeline import Value

Context = Literal["'", '"', "`", "comment", "pattern", "code"]

_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<double> "(?:\\.|[^"\\\n])*"? )
    | (?P<single> '(?:\\.|[^'\\\n])*'? )
    | (?P<template> `(?:\\.|[^`\\])*`? )
    | (?: [=(,:\[!&|?;{}] | \breturn\b | \A ) \s* (?P<pattern> /(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/ )
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTEXTS: dict[str, Context] = {
    "comment": "comment",
    "double": '"',
    "single": "'",
    "template": "`",
    "pattern": "pattern",
}


def contexts(text: str, offsets: Iterable[int], *, javascript: bool) -> dict[int, Context]:
    """Where each of the offsets, which ascend, stands. In JSON there are only texts in double quotes and code."""
    found: dict[int, Context] = {}
    tokens = _TOKEN.finditer(text)
    token = next(tokens, None)
    for offset in offsets:
        while token is not None and token.end() <= offset:
            token = next(tokens, None)
        found[offset] = "code"
        if token is not None and token.lastgroup and token.start(token.lastgroup) < offset:
            context = _CONTEXTS[token.lastgroup]
            found[offset] = context if javascript or context == '"' else "code"
    return found


def as_value(value: Value) -> str:
    """A value where code stands: `"text"`, `5`, `true`, `["a"]`."""
    return _safe(json.dumps(value, ensure_ascii=False))


def within(text: str, context: Context) -> str:
    """A text inside a string of these quotes, or a comment."""
    inner = _safe(json.dumps(text, ensure_ascii=False)[1:-1])
    if context == "'":
        return inner.replace('\\"', '"').replace("'", "\\'")
    if context == "`":
        return inner.replace('\\"', '"').replace("`", "\\`").replace("$", "\\$")
    return inner.replace("*/", "*\\/") if context == "comment" else inner


def _safe(text: str) -> str:
    """Without what ends a line of JavaScript or a `<script>` element; JSON reads these escapes too."""
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("</", "<\\/")
