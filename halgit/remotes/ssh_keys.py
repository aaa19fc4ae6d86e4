"""Why a file is not an SSH private key that can be used without a person: a public key, PuTTY's format, a passphrase.

Knows the formats of OpenSSH (`PROTOCOL.key`) and PEM by their heads; checks no mathematics.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from halgit.lazy import lazy_pattern

_PUBLIC: Final = lazy_pattern(
    r"(?:ssh-|ecdsa-|sk-)\S+ AAAA|-----BEGIN (?:[A-Z]+ )?PUBLIC KEY|---- BEGIN SSH2 PUBLIC KEY"
)
_BEGIN: Final = lazy_pattern(r"-----BEGIN ((?:[A-Z]+ )*)PRIVATE KEY-----\s+")
_END: Final = lazy_pattern(r"\s+-----END (?:[A-Z]+ )*PRIVATE KEY-----\s*\Z")
_MAGIC: Final = b"openssh-key-v1\0"

_NO_PASSPHRASE: Final = "Write a copy without a passphrase: `ssh-keygen -p -N '' -f FILE`."
_CREATE: Final = "Create a key with `ssh-keygen -t ed25519 -N ''`, and give the server its public half."


def find_key_problem(text: bytes) -> tuple[str, str]:
    """Return why the file cannot be used as a key, as the end of a sentence, and the hint; empty if it can."""
    content = text.decode("latin-1").strip()
    if content.startswith("PuTTY-User-Key-File"):
        return "is a key of PuTTY", "Convert it: `puttygen FILE -O private-openssh -o NEW-FILE`."
    if _PUBLIC.match(content):
        return "is the public half of a key", "Name the private file, whose name does not end in .pub."
    begin, end = _BEGIN.match(content), _END.search(content)
    if begin is None:
        return ("is empty" if not content else "is not a private key"), _CREATE
    if end is None:
        return "is cut off: its last line, -----END ... PRIVATE KEY-----, is missing", "Copy the whole file again."
    if begin.group(1) == "ENCRYPTED " or "Proc-Type: 4,ENCRYPTED" in content:
        return "is protected by a passphrase", _NO_PASSPHRASE
    if begin.group(1) == "OPENSSH ":
        return _find_openssh_problem(content[begin.end() : end.start()])
    return "", ""


def _find_openssh_problem(body: str) -> tuple[str, str]:
    try:
        content = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        return "is damaged: its lines are not base64", "Copy the whole file again, with its line breaks."
    start = len(_MAGIC) + 4
    length = int.from_bytes(content[len(_MAGIC) : start], "big")
    if not content.startswith(_MAGIC) or len(content) < start + length:
        return "is damaged", "Copy the whole file again, with its line breaks."
    is_open = content[start : start + length] == b"none"
    return ("", "") if is_open else ("is protected by a passphrase", _NO_PASSPHRASE)
