"""Whether bytes are a text that YAML can begin with: UTF-8, of characters SnakeYAML's reader lets through."""

from __future__ import annotations

import re
from typing import Final

from halgit.yaml.faults import Faults
from halgit.yaml.lines import Mark, Text

UNPRINTABLE: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def check_text(text: bytes, faults: Faults) -> Text | None:
    """The text, without a byte order mark; None where it is none, with the faults that say why."""
    if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        faults.add("encoding", Mark(0, 1, 1), "the file is UTF-16.", "Save it as UTF-8.")
        return None
    try:
        whole = Text(text.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as problem:
        before = text[: problem.start].decode("utf-8")
        byte = text[problem.start]
        message = f"the byte 0x{byte:02X} is not UTF-8 (in Latin-1 it is {chr(byte)!r})."
        faults.add("encoding", Text(before).mark(len(before)), message, "Save the file as UTF-8.")
        return None
    return None if _unprintable(whole, faults) else whole


def _unprintable(text: Text, faults: Faults) -> bool:
    """Whether there is a character that no YAML may hold; a fault for the first on each line, or the first colour."""
    if colour := _COLOUR.search(text.whole):
        message = "colours of a terminal stand in the text."
        hint = "Save it again without colours and without lines that tell of progress (hal --color false --quiet)."
        faults.add("terminal", text.mark(colour.start()), message, hint)
        return True
    lines = set()
    for match in UNPRINTABLE.finditer(text.whole):
        mark = text.mark(match.start())
        if mark.line not in lines:
            message = f"the character U+{ord(match.group()):04X} may not stand in YAML."
            hint = 'Remove it; where it is meant, write it as an escape in double quotes ("\\x07").'
            faults.add("control-character", mark, message, hint)
            lines.add(mark.line)
    return bool(lines)
