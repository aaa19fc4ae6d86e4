"""Faults of regular expressions that Java's `Pattern.compile` refuses. Pure.

Only what Java refuses for certain is a fault: what both engines know is judged by Python's, and the differences by
tables. A pattern is never matched here.
"""

from __future__ import annotations

import re
import warnings

from halgit.annotations import Final
from halgit.lazy import lazy_pattern

_QUOTED = lazy_pattern(r"\\Q.*?(?:\\E|$)", re.DOTALL)
_ESCAPE = lazy_pattern(r"\\(?:[pP](?:\{\w+\}|\w)|k<\w+>|c.|[xN]\{\w+\}|.)", re.DOTALL)
_CLASS = lazy_pattern(r"\[\^?\]?[^\[\]]*\]")
_NAMED = lazy_pattern(r"\(\?<(?=[A-Za-z])")
_REPEAT = lazy_pattern(r"\{[0-9]+(?:,[0-9]*)?\}")
_UNKNOWN_ESCAPES: Final = frozenset("gijlmoqyCFIJKLMOTUY")
_UNKNOWN_GROUP = lazy_pattern(r"\(\?[idmsuxU-]*[^idmsuxU:)=!<>-]")
_DANGLING = lazy_pattern(r"[*+?}]\*")
_BOTH: Final = (
    "missing ), unterminated", "unbalanced parenthesis", "unterminated character", "nothing to rep", "min repeat",
    "bad character range", "bad escape (end",
)  # fmt: skip
"""How Python's messages begin for what Java refuses too."""


def find_java_fault(pattern: str) -> str:
    """Return why Java refuses a pattern; empty if it accepts it, or if only Java can tell."""
    text = _QUOTED.sub("q", pattern)
    unknown = next((one for one in _ESCAPE.findall(text) if one[1] in _UNKNOWN_ESCAPES), "")
    if unknown:
        return f"unknown escape {unknown}"
    plain = _NAMED.sub("(", _ESCAPE.sub("e", text))
    outside = _CLASS.sub("c", plain)
    if _UNKNOWN_GROUP.search(outside):
        return "unknown kind of group"
    if "[" not in outside and "{" in _REPEAT.sub("", outside):
        return "{ without a number"
    if _DANGLING.search(_REPEAT.sub("}", outside)):
        return "nothing to repeat"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets in sets, which Java has
            re.compile(plain)
    except re.error as reason:
        return reason.msg if reason.msg.startswith(_BOTH) else ""
    return ""
