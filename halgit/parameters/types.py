"""Types of parameters: checks a value against its declaration and converts strings to the declared type.

Only strings from options and variables are converted, and only to a declared type; values from YAML are accepted or
refused. Messages never show the value, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from halgit import yaml as hyaml
from halgit.pipeline import Declaration, ParameterType, PlainScalar, Value
from halgit.text import patterns
from halgit.text.phrases import describe_kind

_MAX_DIGITS = 1000


class InvalidValue(ValueError):
    """A value that does not match its declaration. Neither `message` nor `hint` shows the value."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


_EXPECTED: dict[ParameterType, tuple[str, str]] = {
    "string": ("a string", "Put it in quotes."),
    "integer": ("an integer", "Write digits without quotes."),
    "number": ("a number", "Write digits without quotes."),
    "boolean": ("a boolean", "Write true or false without quotes."),
    "list": ("a list", "Write [a, b]."),
}

_PYTHON_TYPES: dict[ParameterType, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
}


def convert_value(declared: Declaration | None, value: Value, *, is_text: bool) -> Value:
    """Return the value in the type of its parameter. With `is_text` a string is converted to a declared type.

    A parameter without a declaration accepts anything but a date. Raises InvalidValue.
    """
    if isinstance(value, PlainScalar):
        raise InvalidValue("YAML reads the value as a date.", "Put it in quotes.")
    if declared is None:
        return value
    kind = "string" if declared.secret else declared.type
    if kind not in (None, "enum"):
        value = _FROM_TEXT[kind](value) if is_text else _check_type(kind, value)
    if declared.enum and not declared.secret:
        value = _find_enum_value(declared.enum, value, is_text=is_text)
    if declared.pattern and not _matches(declared.pattern, value):
        hint = "Correct the value; the pattern must match all of it."
        raise InvalidValue(f"the value does not match the pattern {declared.pattern}.", hint)
    return value


def _check_type(kind: ParameterType, value: Value) -> Value:
    if isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool)):
        return value
    expected, hint = _EXPECTED[kind]
    raise InvalidValue(f"expected {expected}, got {describe_kind(value)}.", hint)


def _find_enum_value(allowed: tuple[Value, ...], value: Value, *, is_text: bool) -> Value:
    """Return the allowed value that equals this one. The string of an option is compared with their strings."""
    for one in allowed:
        equal = hyaml.to_java_string(one) == value if is_text and isinstance(value, str) else one == value
        if equal and (is_text or type(one) is type(value)):
            return one
    names = ", ".join(hyaml.to_java_string(one) for one in allowed)
    raise InvalidValue("the value is not an allowed one.", f"Choose one of: {names}.")


def _matches(pattern: str, value: Value) -> bool:
    items = value if isinstance(value, list) else [value]
    strings = (hyaml.to_java_string(item) for item in items if not isinstance(item, (list, Mapping)))
    return all(patterns.matches_pattern(pattern, text) for text in strings)


# --- conversion of strings -------------------------------------------------------------------------------------


def _to_integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise InvalidValue("expected an integer, got another string.", "Write digits only.")
    return _parse_integer(text)


def _to_number(text: str) -> int | float:
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", text):
        raise InvalidValue("expected a number, got another string.", "Write digits, such as 3 or 0.5.")
    return _parse_integer(text) if re.fullmatch(r"[-+]?[0-9]+", text) else float(text)


def _parse_integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise InvalidValue(f"the number has more than {_MAX_DIGITS} digits.", "Correct the value.")
    return int(text)


def _to_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise InvalidValue("expected a boolean, got another string.", "Write true or false.")
    return text.lower() == "true"


def _to_list(text: str) -> list[Value]:
    """Parse `[a, b]` as YAML, or strings separated by commas."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",")] if text.strip() else []
    read = hyaml.read(text.encode("utf-8"), "")
    if not isinstance(read.data, list):
        raise InvalidValue("expected a list, got another string.", "Write [a, b] or a,b.")
    return read.data


_FROM_TEXT: dict[ParameterType, Callable[[str], Value]] = {
    "string": str,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "list": _to_list,
}
