"""Escaping of a value for its place in a JSON or JavaScript file: inside a string or comment, or as a literal.

Finds the places with a tokenizer of strings, comments and regular expressions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from halgit.annotations import Literal
from halgit.lazy import lazy_pattern
from halgit.pipeline import Value

Context = Literal["'", '"', "`", "comment", "pattern", "code"]

_TOKEN = lazy_pattern(
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


def find_contexts(text: str, offsets: Iterable[int], *, javascript: bool) -> dict[int, Context]:
    """Return the context of each offset; offsets are ascending. JSON has only strings in double quotes and code."""
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


def format_literal(value: Value) -> str:
    """Return a value as a literal: `"text"`, `5`, `true`, `["a"]`."""
    return _escape_line_ends(json.dumps(value, ensure_ascii=False))


def escape_in(text: str, context: Context) -> str:
    """Escape a string for use inside a string or comment of this context."""
    inner = _escape_line_ends(json.dumps(text, ensure_ascii=False)[1:-1])
    if context == "'":
        return inner.replace('\\"', '"').replace("'", "\\'")
    if context == "`":
        return inner.replace('\\"', '"').replace("`", "\\`").replace("$", "\\$")
    return inner.replace("*/", "*\\/") if context == "comment" else inner


def _escape_line_ends(text: str) -> str:
    """Escape what ends a line of JavaScript or a `<script>` element; JSON accepts these escapes too."""
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("</", "<\\/")
