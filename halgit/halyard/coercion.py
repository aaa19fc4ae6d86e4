"""Jackson's scalar coercions, as Halyard applies them: strings to numbers and booleans, ordinals to enum constants.

Pure. A value that Jackson rejects gives None; the messages are in `validation`. Secrets stay closed and count as
strings of unknown content.
"""

from __future__ import annotations

from collections.abc import Sequence

from halgit.annotations import Final
from halgit.halyard.resources import load_table
from halgit.lazy import lazy_pattern
from halgit.pipeline import Value

_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE", "", "null"})
_TRIMMED: Final = "".join(map(chr, range(0x21)))
_MOST_DIGITS: Final = 40
"""A number with more digits is outside of every range, and slow to convert."""
_INTEGER: Final = lazy_pattern(r"[-+]?[0-9]+")


def coerce_boolean(value: Value) -> bool | None:
    """Return the value of a boolean field: from a boolean, an integer, or a string; an empty string is false."""
    if isinstance(value, (bool, int)):
        return bool(value)
    if isinstance(value, str):
        word = value.strip(_TRIMMED)
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def coerce_integer(value: Value, bits: int) -> int | None:
    """Return the value of an integer field: from an integer, digits in a string, or a float, which is truncated."""
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if isinstance(value, float):
        import math

        return 0 if math.isnan(value) else int(value) if lowest <= value <= highest else None
    if isinstance(value, str):
        word = value.strip(_TRIMMED)
        is_number = len(word) <= _MOST_DIGITS and _INTEGER.fullmatch(word)
        value = int(word) if is_number else 0 if word in {"", "null"} else None
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and lowest <= value <= highest else None


def coerce_enum(value: Value, enum: str, model: str = "halconfig") -> str | None:
    """Return the constant of an enum field: from its exact name, surrounding spaces ignored, or its ordinal."""
    known = load_table(model)["enums"][enum]
    words: Sequence[str] = known["constants"]
    if known.get("any_case"):
        return next((word for word in words if isinstance(value, str) and word == value.lower()), None)
    if isinstance(value, str):
        word = value.strip(_TRIMMED)
        if word in words:
            return word
        is_ordinal = known["ordinals"] and len(word) <= _MOST_DIGITS and word.isascii() and word.isdigit()
        value = int(word) if is_ordinal else None
    ordinal = known["ordinals"] and isinstance(value, int) and not isinstance(value, bool)
    return words[value] if ordinal and 0 <= value < len(words) else None


def is_true(value: Value) -> bool:
    """Return whether a boolean field with this value is true. A value that Jackson rejects is not."""
    return coerce_boolean(value) is True
