"""Whether a value fits the declaration of its parameter, and texts converted to the declared type.

Only texts of options and variables are converted, and only to a declared type; what YAML gave is taken as it is or
refused. Says what is wrong without the value: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from halgit import yaml as hyaml
from halgit.pipeline import Declaration, ParameterType, PlainScalar, Value
from halgit.text import patterns
from halgit.text.phrases import describe_kind


class Misfit(ValueError):
    """A value that does not fit; its words do not show the value. `hint` is the next step."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


_WANTED: dict[ParameterType, tuple[str, str]] = {
    "string": ("a text", "Put it in quotes."),
    "integer": ("a whole number", "Write digits without quotes."),
    "number": ("a number", "Write digits without quotes."),
    "boolean": ("true or false", "Write true or false without quotes."),
    "list": ("a list", "Write [a, b]."),
}

_KINDS: dict[ParameterType, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
}


def fitted(declared: Declaration | None, value: Value, *, text: bool) -> Value:
    """The value as the parameter has it. `text`: it came as a text, and is converted where a type is declared.

    Without a declaration anything fits but a date. Raises Misfit.
    """
    if isinstance(value, PlainScalar):
        raise Misfit("the value is a date to YAML.", "Put it in quotes.")
    if declared is None:
        return value
    kind = "string" if declared.secret else declared.type
    if kind not in (None, "enum"):
        value = _CONVERT[kind](value) if text else _of_type(kind, value)
    if declared.enum and not declared.secret:
        value = _of_enum(declared.enum, value, text=text)
    if declared.pattern and not _matches(declared.pattern, value):
        raise Misfit(f"the value does not match the pattern {declared.pattern} as a whole.", "Correct the value.")
    return value


def _of_type(kind: ParameterType, value: Value) -> Value:
    if isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)):
        return value
    wanted, hint = _WANTED[kind]
    raise Misfit(f"{wanted} is declared ({kind}), and {describe_kind(value)} is given.", hint)


def _of_enum(allowed: tuple[Value, ...], value: Value, *, text: bool) -> Value:
    """The allowed value that this one is; a text of an option is compared with their texts."""
    for one in allowed:
        same = hyaml.to_java_string(one) == value if text and isinstance(value, str) else one == value
        if same and (text or type(one) is type(value)):
            return one
    names = ", ".join(hyaml.to_java_string(one) for one in allowed)
    raise Misfit("the value is not one of those allowed.", f"Choose one of: {names}.")


def _matches(pattern: str, value: Value) -> bool:
    items = value if isinstance(value, list) else [value]
    texts = (hyaml.to_java_string(item) for item in items if not isinstance(item, (list, Mapping)))
    return all(patterns.matches_pattern(pattern, text) for text in texts)


_LONGEST_NUMBER = 1000


# --- texts -----------------------------------------------------------------------------------------------------


def _integer(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise Misfit("a whole number is declared (integer), and the text is none.", "Write digits only.")
    return _whole(text)


def _number(text: str) -> int | float:
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", text):
        raise Misfit("a number is declared (number), and the text is none.", "Write digits, such as 3 or 0.5.")
    return _whole(text) if re.fullmatch(r"[-+]?[0-9]+", text) else float(text)


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise Misfit(f"the number has more than {_LONGEST_NUMBER} digits.", "Correct the value.")
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise Misfit("true or false is declared (boolean), and the text is neither.", "Write true or false.")
    return text.lower() == "true"


def _list(text: str) -> list[Value]:
    """`[a, b]` as YAML reads it, else texts with commas between them."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",")] if text.strip() else []
    read = hyaml.read(text.encode("utf-8"), "")
    if not isinstance(read.data, list):
        raise Misfit("a list is declared (list), and the text cannot be read as one.", "Write [a, b] or a,b.")
    return read.data


_CONVERT: dict[ParameterType, Callable[[str], Value]] = {
    "string": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "list": _list,
}
