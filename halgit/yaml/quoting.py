"""How one text is written on one line so that SnakeYAML, and any YAML 1.2 reader, reads exactly that text again.

Plain where that is safe, else in single quotes, else in double quotes with escapes. Never folds, never changes a text.
"""

from __future__ import annotations

import re
from typing import Final

from halgit.yaml.scalars import FLOAT, INT, TIMESTAMP, WORDS

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


def quoted(text: str) -> str:
    """A text on one line, in the plainest form that is safe in block style."""
    if is_plain(text):
        return text
    return single(text) if is_printable(text) else double(text)


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


def single(text: str) -> str:
    """A text in single quotes; it must be printable and on one line."""
    return "'" + text.replace("'", "''") + "'"


def double(text: str) -> str:
    """A text in double quotes, everything that is not printable escaped."""
    return '"' + _TO_ESCAPE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
