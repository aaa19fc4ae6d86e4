"""Writes plain data as YAML that Halyard reads as exactly that data: block style, no aliases, keys in their order.

An emitter of our own: ten times faster than libyaml's through Python, and free to quote what another YAML would read
otherwise. Opens a Secret only when told to.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, Final

from halgit.pipeline import Plain, Value
from halgit.redaction import Secret, Woven
from halgit.yaml.resolver import FLOAT, INT, TIMESTAMP, WORDS, to_java_double

_LITERAL: Final = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_LONGEST_KEY: Final = 1000


class _Forms(dict[str, str]):
    """How a text is written on one line, remembered."""

    def __missing__(self, text: str) -> str:
        form = quote(text)
        if len(text) < 200:
            if len(self) > 100_000:
                self.clear()
            self[text] = form
        return form


_FORMS: Final = _Forms()


def dump(data: Value, *, opened: bool = False) -> bytes:
    """The data as a YAML document. `opened` writes what a Secret or Woven holds; without it they raise TypeError."""
    emitter = _Emitter(opened)
    if isinstance(data, dict) and data:
        emitter.mapping(data, "")
    elif isinstance(data, (list, tuple)) and data:
        emitter.sequence(data, "")
    else:
        emitter.lines.append(emitter.scalar(data, "  "))
    emitter.lines.append("")
    return "\n".join(emitter.lines).encode("utf-8")


class _Emitter:
    def __init__(self, opened: bool) -> None:
        self.lines: list[str] = []
        self._opened = opened

    def mapping(self, data: dict[str, Value], pad: str) -> None:
        add, forms = self.lines.append, _FORMS
        for key, value in data.items():
            name = pad + (forms[key] if key.__class__ is str else _key(key))
            if len(name) > _LONGEST_KEY:
                name = f"{pad}? {name[len(pad) :]}\n{pad}"
            kind = value.__class__
            if kind is str and "\n" not in value:
                add(f"{name}: {forms[value]}")
            elif kind is dict and value:
                add(name + ":")
                self.mapping(value, pad + "  ")
            elif (kind is list or kind is tuple) and value:
                add(name + ":")
                self.sequence(value, pad)
            else:
                add(f"{name}: {self.scalar(value, pad + '  ')}")

    def sequence(self, data: Any, pad: str) -> None:
        lines, forms = self.lines, _FORMS
        inner = pad + "  "
        for item in data:
            kind = item.__class__
            if kind is str and "\n" not in item:
                lines.append(f"{pad}- {forms[item]}")
            elif (kind is dict or kind is list or kind is tuple) and item:
                start = len(lines)
                (self.mapping if kind is dict else self.sequence)(item, inner)
                lines[start] = f"{pad}- {lines[start][len(inner) :]}"
            else:
                lines.append(f"{pad}- {self.scalar(item, inner)}")

    def scalar(self, value: Value, pad: str) -> str:
        """Anything that is no filled collection, with `pad` before the lines of a block."""
        if isinstance(value, (Secret, Woven)):
            if not self._opened:
                raise TypeError(f"{value!r} is to be opened before it is written")
            value = value.open()
        if isinstance(value, Plain):
            return str(value)
        if isinstance(value, str):
            return format_block(value, pad) if "\n" in value else _FORMS[str(value)]
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return _float(value)
        return _other(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a text, not {type(key).__name__}")
    return str(key) if isinstance(key, Plain) else _FORMS[str(key)]


def _other(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
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
    """A text of several lines as a literal block where that is exact, else in double quotes."""
    body = text.rstrip("\n")
    if (
        not body
        or not _LITERAL.fullmatch(text)
        or any(line and not line.strip(" \t") for line in text.split("\n"))
        or "\t" in text
    ):
        return quote_double(text)
    ends = len(text) - len(body)
    chomp = "-" if ends == 0 else "" if ends == 1 else "+"
    hint = "2" if body[0] in " \n" else ""
    written = [pad + line if line else "" for line in body.split("\n")]
    return f"|{hint}{chomp}\n" + "\n".join(written) + "\n" * max(0, ends - 1)


_SAFE: Final = re.compile(
    r"[A-Za-z0-9_/.(^$+~\\;=-](?:[!-\"$-9;-~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|:(?![\s:])(?!$)|(?<!\s)\#(?!\#)| (?![\s#])(?!$))*"
)
_PRINTABLE: Final = re.compile(r"[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_LIKE_A_NUMBER: Final = re.compile(
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
_TO_ESCAPE: Final = re.compile(
    r"[^\x20\x21\x23-\x5b\x5d-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def quote(text: str) -> str:
    """A text on one line, in the plainest form that is safe in block style."""
    if is_plain(text):
        return text
    return quote_single(text) if is_printable(text) else quote_double(text)


def is_printable(text: str) -> bool:
    """Whether a text is of one line and needs no escape."""
    return bool(_PRINTABLE.fullmatch(text))


def is_plain(text: str) -> bool:
    """Whether a text can stand without quotes as a key or value in block style and is nothing else to any reader."""
    if text in WORDS or text in _WORDS or text in {"=", "<<", "-", "~"} or not _SAFE.fullmatch(text):
        return False
    if text[0] == "-" and (len(text) == 1 or text[1] in " -"):
        return False
    if text.startswith(("...", "---")):
        return False
    return not (
        _LIKE_A_NUMBER.fullmatch(text) or INT.fullmatch(text) or FLOAT.fullmatch(text) or TIMESTAMP.fullmatch(text)
    )


def quote_single(text: str) -> str:
    """A text in single quotes; it must be printable and on one line."""
    return "'" + text.replace("'", "''") + "'"


def quote_double(text: str) -> str:
    """A text in double quotes, everything that is not printable escaped."""
    return '"' + _TO_ESCAPE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
