"""What Jackson makes of a scalar, as Halyard binds it: texts of numbers, booleans of texts, enums of ordinals.

Pure. A value that Jackson refuses gives None here; the words for that are in `validation`. Secrets are left closed:
they count as texts nobody can read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from halgit.halyard.resources import load_table
from halgit.pipeline import Value

_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE", "", "null"})
_BLANKS: Final = "".join(map(chr, range(0x21)))
_WHOLE: Final = re.compile(r"[-+]?[0-9]+")


def coerce_boolean(value: Value) -> bool | None:
    """A boolean field's value: words for true and false, whole numbers, and no text at all for false."""
    if isinstance(value, (bool, int)):
        return bool(value)
    if isinstance(value, str):
        word = value.strip(_BLANKS)
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def coerce_integer(value: Value, bits: int) -> int | None:
    """A whole-number field's value: digits in quotes, and what stands before the point of a float within the range."""
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if isinstance(value, float):
        return 0 if math.isnan(value) else int(value) if lowest <= value <= highest else None
    if isinstance(value, str):
        word = value.strip(_BLANKS)
        value = int(word) if _WHOLE.fullmatch(word) else 0 if word in {"", "null"} else None
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and lowest <= value <= highest else None


def coerce_enum(value: Value, enum: str, model: str = "halconfig") -> str | None:
    """An enum field's constant: the exact word with blanks around it, or its number from 0."""
    known = load_table(model)["enums"][enum]
    words: Sequence[str] = known["constants"]
    if known.get("any_case"):
        return next((word for word in words if isinstance(value, str) and word == value.lower()), None)
    if isinstance(value, str):
        word = value.strip(_BLANKS)
        if word in words:
            return word
        value = int(word) if known["ordinals"] and word.isascii() and word.isdigit() else None
    ordinal = known["ordinals"] and isinstance(value, int) and not isinstance(value, bool)
    return words[value] if ordinal and 0 <= value < len(words) else None


def is_true(value: Value) -> bool:
    """Whether a boolean field with this value counts as true; what Jackson refuses does not."""
    return coerce_boolean(value) is True
