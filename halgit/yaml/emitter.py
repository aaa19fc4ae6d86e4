"""Plain data written as YAML that Halyard reads as exactly that data: block style, no aliases, keys in order.

Our own emitter is ten times faster than libyaml's through Python, and quotes scalars that another YAML version would
read differently. A string on one line is plain where that is safe for SnakeYAML and any YAML 1.2 reader, else in single
quotes, else in double quotes with escapes; it is never folded. Secrets are opened only on request.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from halgit.annotations import Any, Final
from halgit.lazy import lazy_pattern
from halgit.pipeline import PlainScalar, Value
from halgit.redaction import Secret, SecretText
from halgit.yaml.resolver import WORDS, find_number_kind, to_java_double

_LITERAL: Final = lazy_pattern(
    r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)
_LONGEST_KEY: Final = 1000


class _OneLineCache(dict[str, str]):
    """A cache of strings as written on one line."""

    def __missing__(self, text: str) -> str:
        written = quote(text)
        if len(text) < 200:
            if len(self) > 100_000:
                self.clear()
            self[text] = written
        return written


_ONE_LINE: Final = _OneLineCache()


def dump(data: Value, *, opened: bool = False) -> bytes:
    """Write data as a YAML document. `opened` writes the content of secrets, which otherwise raise TypeError."""
    emitter = _Emitter(opened)
    if isinstance(data, dict) and data:
        emitter.mapping(data, "")
    elif isinstance(data, (list, tuple)) and data:
        emitter.sequence(data, "")
    else:
        emitter.lines.append(emitter.scalar(data, "  "))
    emitter.lines.append("")
    return "\n".join(emitter.lines).encode("utf-8")


_SIMPLE: Final[dict[type, Callable[[Any], str]]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    list: lambda _: "[]",
}
"""The most common values that are neither a string nor a collection with content."""


class _NameCache(dict[Any, str]):
    """The keys of one indentation as lines begin with them; the accounts of a list share theirs."""

    def __init__(self, pad: str) -> None:
        super().__init__()
        self._pad = pad

    def __missing__(self, key: Any) -> str:
        name = _ONE_LINE[key] if key.__class__ is str else _key(key)
        name = f"{self._pad}{name}:"
        if len(name) > _LONGEST_KEY + 1:
            name = f"{self._pad}? {name[len(self._pad) : -1]}\n{self._pad}:"
        if key.__class__ is str:  # a key of another class is equal to a string, and is written in another way
            self[key] = name
        return name


class _Emitter:
    def __init__(self, opened: bool) -> None:
        self.lines: list[str] = []
        self._opened = opened
        self._names: dict[str, _NameCache] = {}

    def mapping(self, data: dict[str, Value], pad: str) -> None:
        add, one_line = self.lines.append, _ONE_LINE
        names = self._names.get(pad)
        if names is None:
            names = self._names[pad] = _NameCache(pad)
        for key, value in data.items():
            name = names[key] if key.__class__ is str else names.__missing__(key)
            kind = value.__class__
            if kind is str and "\n" not in value:
                add(f"{name} {one_line[value]}")
            elif kind is dict and value:
                add(name)
                self.mapping(value, pad + "  ")
            elif (kind is list or kind is tuple) and value:
                add(name)
                self.sequence(value, pad)
            elif kind in _SIMPLE:
                add(f"{name} {_SIMPLE[kind](value)}")
            else:
                add(f"{name} {self.scalar(value, pad + '  ')}")

    def sequence(self, data: Any, pad: str) -> None:
        lines, one_line = self.lines, _ONE_LINE
        inner = pad + "  "
        for item in data:
            kind = item.__class__
            if kind is str and "\n" not in item:
                lines.append(f"{pad}- {one_line[item]}")
            elif (kind is dict or kind is list or kind is tuple) and item:
                start = len(lines)
                (self.mapping if kind is dict else self.sequence)(item, inner)
                lines[start] = f"{pad}- {lines[start][len(inner) :]}"
            else:
                lines.append(f"{pad}- {self.scalar(item, inner)}")

    def scalar(self, value: Value, pad: str) -> str:
        """Write a scalar or an empty collection, with `pad` before the lines of a block."""
        if isinstance(value, (Secret, SecretText)):
            if not self._opened:
                raise TypeError(f"{value!r} must be opened before it is written")
            value = value.open()
        if isinstance(value, PlainScalar):
            return str(value)
        if isinstance(value, str):
            return format_block(value, pad) if "\n" in value else _ONE_LINE[str(value)]
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return _float(value)
        return _other(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"expected a string as key, got {type(key).__name__}")
    return str(key) if isinstance(key, PlainScalar) else _ONE_LINE[str(key)]


def _other(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        from base64 import b64encode

        return f'!!binary "{b64encode(value).decode("ascii")}"'
    if value == {}:
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    raise TypeError(f"{type(value).__name__} cannot be written as YAML")


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in {float("inf"), float("-inf")}:
        return ".inf" if value > 0 else "-.inf"
    return to_java_double(value)


def format_block(text: str, pad: str) -> str:
    """Write a multi-line string as a literal block if that is exact, else in double quotes."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    if (
        not body
        or ends > 1
        or not _LITERAL.fullmatch(text)
        or any(line and not line.strip(" \t") for line in text.split("\n"))
        or "\t" in text
    ):
        return quote_double(text)
    chomp = "" if ends else "-"
    hint = "2" if body[0] in " \n" else ""
    written = [pad + line if line else "" for line in body.split("\n")]
    return f"|{hint}{chomp}\n" + "\n".join(written)


_NAME: Final = lazy_pattern(r"[A-Za-z][A-Za-z0-9_./-]*")
"""Most strings, which need fewer checks: they begin like no number, date or indicator."""

_SAFE: Final = lazy_pattern(
    r"[A-Za-z0-9_/.(^$+~\\;=-](?:[!-\"$-9;-~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|:(?![\s:])(?!$)|(?<!\s)\#(?!\#)| (?![\s#])(?!$))*"
)
_SAFE_ASCII: Final = lazy_pattern(
    r"[A-Za-z0-9_/.(^$+~\\;=-](?:[!-\"$-9;-~]|:(?![\s:])(?!$)|(?<!\s)\#(?!\#)| (?![\s#])(?!$))*"
)
"""`_SAFE` for a string of ASCII, which is most; the ranges of the other take long to compile."""
_PRINTABLE: Final = lazy_pattern(r"[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_LIKE_A_NUMBER: Final = lazy_pattern(
    r"[-+.]?[0-9_.,:'eExXoObBa-fA-F+-]*[0-9][0-9_.,:eExXoObBa-fA-F+-]*|[-+]?\.(?:inf|nan)", re.IGNORECASE
)
_WORDS: Final = frozenset(
    form
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    for form in (word, word.capitalize(), word.upper())
)
_ESCAPES: Final = {
    "\0": "\\0",
    "\x07": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    "\x1b": "\\e",
    '"': '\\"',
    "\\": "\\\\",
    "\x85": "\\N",
    "\u2028": "\\L",
    "\u2029": "\\P",
}
_TO_ESCAPE: Final = lazy_pattern(
    r"[^\x20\x21\x23-\x5b\x5d-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def quote(text: str) -> str:
    """Write a string on one line in the simplest form that is safe in block style."""
    if is_plain(text):
        return text
    return quote_single(text) if is_printable(text) else quote_double(text)


def is_printable(text: str) -> bool:
    """Return whether a string has one line and needs no escape."""
    return text.isprintable() if text.isascii() else bool(_PRINTABLE.fullmatch(text))


def is_plain(text: str) -> bool:
    """Return whether a string can be a plain key or value in block style for every YAML reader."""
    if _NAME.fullmatch(text):
        return not (text in WORDS or text in _WORDS or _LIKE_A_NUMBER.fullmatch(text))
    if text in WORDS or text in _WORDS or text in {"=", "<<", "-", "~"} or not _is_safe(text):
        return False
    if text[0] == "-" and (len(text) == 1 or text[1] in " -"):
        return False
    if text.startswith(("...", "---")):
        return False
    return not (_LIKE_A_NUMBER.fullmatch(text) or find_number_kind(text))


def _is_safe(text: str) -> bool:
    pattern = _SAFE_ASCII if text.isascii() else _SAFE
    return bool(pattern.fullmatch(text))


def quote_single(text: str) -> str:
    """Write a printable one-line string in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def quote_double(text: str) -> str:
    """Write a string in double quotes, with unprintable characters escaped."""
    return '"' + _TO_ESCAPE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
