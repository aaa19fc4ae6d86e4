"""The value of a plain scalar, by the resolver table of SnakeYAML 1.31 and the values of its SafeConstructor.

`to_java_string` is the reverse: the string Java makes of a value. PyYAML's own table is never used, because it reads
`1e3`, `-.5`, `0_`, `=` and more differently. Dates are lenient like Java's calendar (month 13 is January of the next
year), Julian before 15 October 1582, and UTC without a valid zone. Pure; never reads the clock.
"""

from __future__ import annotations

import re

from halgit.annotations import Final, Literal
from halgit.lazy import lazy_pattern
from halgit.pipeline import PlainScalar, UnquotedScalar, Value

INT: Final = lazy_pattern(
    r"[-+]?0b_*[01][01_]*"
    r"|[-+]?0_*[0-7][0-7_]*"
    r"|[-+]?(?:0|[1-9][0-9_]*)"
    r"|[-+]?0x_*[0-9a-fA-F][0-9a-fA-F_]*"
    r"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+"
)
FLOAT: Final = lazy_pattern(
    r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
    r"|[-+]?\.(?:inf|Inf|INF)"
    r"|\.(?:nan|NaN|NAN)"
)
TIMESTAMP: Final = lazy_pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?"
)
BOOLS: Final = {
    form: value
    for word, value in (("yes", True), ("no", False), ("true", True), ("false", False), ("on", True), ("off", False))
    for form in (word, word.capitalize(), word.upper())
}
NULLS: Final = frozenset({"", "~", "null", "Null", "NULL", " "})
WORDS: Final[dict[str, Value]] = {**BOOLS, **dict.fromkeys(NULLS)}

_DAY: Final = lazy_pattern(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_DIGITS: Final = lazy_pattern(r"[0-9a-zA-Z:]+")
_DECIMALS: Final = lazy_pattern(r"[0-9.e:+-]+|\.inf|\.nan")
_NUMBER_STARTS: Final = frozenset(".0123456789")
_NUMBER_ENDS: Final = frozenset("0123456789_.abcdefABCDEFnN")
_LONGEST_NUMBER = 1024
_LONGEST_DATE = 50


class InvalidScalarError(ValueError):
    """A scalar whose resolved type SafeConstructor cannot construct (`._`, `<<` as a value)."""


def resolve_scalar(text: str) -> Value:
    """Resolve a plain scalar. A date stays a string, as Plain; a string that contains `${{` becomes Bare.

    Raises InvalidScalarError if SafeConstructor rejects it; the message is a predicate ("is not a date").
    """
    if text in WORDS:
        return WORDS[text]
    kind = find_number_kind(text)
    if kind == "integer" and len(text) <= _LONGEST_NUMBER:
        return parse_integer(text)
    if kind == "float" and len(text) <= _LONGEST_NUMBER:
        return parse_float(text)
    if kind == "date" and len(text) <= _LONGEST_DATE:
        return PlainScalar(text)
    if text == "<<":
        raise InvalidScalarError("is a merge key and cannot be a value")
    return UnquotedScalar(text) if "${{" in text else text


def find_number_kind(text: str) -> Literal["", "integer", "float", "date"]:
    """Return what a plain scalar looks like. Most are decided before a pattern has to be compiled."""
    if is_decimal(text):
        return "integer"
    if (text[1:2] if text[0] in "+-" else text[0]) not in _NUMBER_STARTS:
        return ""
    if text[-1] in _NUMBER_ENDS:
        dots = text.count(".")
        if dots == 0 and INT.fullmatch(text):
            return "integer"
        if dots < 2 and FLOAT.fullmatch(text):
            return "float"
    return "date" if text.count("-") > 1 and TIMESTAMP.fullmatch(text) else ""


def is_decimal(text: str) -> bool:
    """Return whether a text is an integer in its usual form, without a sign."""
    return text.isdecimal() and text.isascii() and (text[0] != "0" or len(text) == 1)


class ResolverCache(dict[str, Value]):
    """A cache of `resolve_scalar`, cleared when it exceeds 100,000 entries."""

    def __missing__(self, text: str) -> Value:
        if len(self) > 100_000:
            self.clear()
        value = self[text] = resolve_scalar(text)
        return value


def parse_integer(text: str) -> int:
    """Parse an integer in any form of YAML 1.1. Raises InvalidScalarError where Java fails."""
    if is_decimal(text):
        return int(text)
    digits = text.replace("_", "")
    sign = -1 if digits[:1] == "-" else 1
    digits = digits[1:] if digits[:1] in {"+", "-"} else digits
    try:
        if not _DIGITS.fullmatch(digits):
            raise ValueError
        if digits[:2] == "0b":
            return sign * int(digits[2:], 2)
        if digits[:2] == "0x":
            return sign * int(digits[2:], 16)
        if digits[:1] == "0" and digits != "0":
            return sign * int(digits[1:], 8)
        if ":" in digits:
            return _sexagesimal(digits, sign)
        return sign * int(digits)
    except ValueError:
        raise InvalidScalarError("looks like an integer but is not one") from None


def _sexagesimal(digits: str, sign: int) -> int:
    """Parse base 60 digits as SnakeYAML does: in 32 bits that wrap around."""
    total, base = 0, 1
    for part in reversed(digits.split(":")):
        number = int(part)
        if number >= 2**63:
            raise ValueError
        total = _wrapped(total + number * base)
        base = _wrapped(base * 60)
    if sign < 0 and total < 0:
        raise ValueError
    return sign * total


def _wrapped(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


def parse_float(text: str) -> float:
    """Parse a float in any form of YAML 1.1. Raises InvalidScalarError where Java fails."""
    digits = text.replace("_", "")
    sign = -1.0 if digits[:1] == "-" else 1.0
    digits = digits[1:] if digits[:1] in {"+", "-"} else digits
    lower = digits.lower()
    try:
        if not _DECIMALS.fullmatch(lower):
            raise ValueError
        if lower in {".inf", ".nan"}:
            return sign * float(lower[1:])
        if ":" not in digits:
            return sign * float(digits)
        total, base = 0.0, 1
        for part in reversed(digits.split(":")):
            total += float(part) * base
            base = _wrapped(base * 60)
        return sign * total
    except ValueError:
        raise InvalidScalarError("looks like a number but is not one") from None


def parse_timestamp(text: str) -> PlainScalar:
    """Normalize a scalar tagged `!!timestamp` to a form that needs no tag. Raises InvalidScalarError for other text."""
    if _DAY.fullmatch(text):
        text = "-".join(part.zfill(2) for part in text.split("-"))
    if not TIMESTAMP.fullmatch(text):
        raise InvalidScalarError("is not a date")
    return PlainScalar(text)


def to_java_string(value: Value) -> str:
    """Convert a scalar to the string Halyard makes of it in a String field: `True` is `true`, a date its milliseconds.

    Items of keyed lists are compared by it. Raises TypeError for a list or mapping.
    """
    if isinstance(value, PlainScalar):
        return _plain_text(value)
    if isinstance(value, str):
        return str(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return to_java_double(value)
    if isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no string form")


def _plain_text(value: PlainScalar) -> str:
    return str(to_epoch_milliseconds(value)) if TIMESTAMP.fullmatch(value) else str(value)


def to_java_double(value: float) -> str:
    """Format a float like Java's Double.toString: at least one decimal, an exponent below 1e-3 and from 1e7 on."""
    if value != value:
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if str(value)[0] == "-" else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0.0"
    if -3 < point <= 7:
        padded = "0" * max(0, 1 - point) + digits + "0" * max(0, point - len(digits))
        cut = max(point, 1)
        return f"{sign}{padded[:cut]}.{padded[cut:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


_PARTS: Final = lazy_pattern(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:Z|([-+]\d{1,2})(?::(\d\d))?))?)?",
    re.ASCII,
)
_MILLISECONDS_PER_DAY = 24 * 60 * 60 * 1000
_FIRST_GREGORIAN = -141427
"""15 October 1582 in days since 1970."""


def to_epoch_milliseconds(text: str) -> int:
    """Convert a YAML 1.1 timestamp to milliseconds since 1970 in UTC. Raises ValueError for other text."""
    match = _PARTS.fullmatch(text)
    if not match:
        raise ValueError("not a timestamp")
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    time = 0
    if match.group(4):
        hour, minute, second = (int(part) for part in match.group(4, 5, 6))
        time = ((hour * 60 + minute) * 60 + second) * 1000 + _milliseconds(match.group(6), match.group(7))
        time -= _zone(match.group(8), match.group(9))
    return _days(year, month, day) * _MILLISECONDS_PER_DAY + time


def _milliseconds(second: str, fraction: str | None) -> int:
    """Return the milliseconds, rounded through a double as Java does."""
    if not fraction:
        return 0
    value = float(f"{second}.{fraction}")
    return int((value - int(value)) * 1000 + 0.5)


def _zone(hours: str | None, minutes: str | None) -> int:
    """Return the offset of the zone in milliseconds; Java reads an invalid zone (hours over 23) as UTC."""
    if hours is None:
        return 0
    shift, extra = int(hours[1:]), int(minutes or 0)
    if shift > 23 or extra > 59:
        return 0
    return (shift * 60 + extra) * 60_000 * (-1 if hours[0] == "-" else 1)


def _days(year: int, month: int, day: int) -> int:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    gregorian = _count(year, month, gregorian=True) + day - 1
    return gregorian if gregorian >= _FIRST_GREGORIAN else _count(year, month, gregorian=False) + day - 1


def _count(year: int, month: int, *, gregorian: bool) -> int:
    """Count the days from 1970 to the first of a month."""
    if month < 3:
        year, month = year - 1, month + 12
    leaps = year // 4 - year // 100 + year // 400 if gregorian else year // 4 - 2
    return 365 * year + leaps + (153 * (month - 3) + 2) // 5 - 719_468
