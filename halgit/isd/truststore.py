"""A Java trust store (JKS) made of certificates in PEM. Pure.

JKS, because every Java opens it, with the customary password and with none: what a service is given in place of its
own `cacerts` is opened without one. Its digest finds damage only; certificates are public.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable
from datetime import datetime

from halgit.errors import UsageError

PASSWORD = "changeit"
"""What Java's own trust store has always had; it protects nothing."""

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.*?)-----END", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_SEQUENCE = b"\x30"


def trust_store(authority: bytes, others: Iterable[bytes], now: datetime) -> bytes:
    """The store of the authority, under the name isd-controller, and of these bundles; each certificate once."""
    certificates = dict.fromkeys(one for bundle in (authority, *others) for one in _certificates(bundle))
    made = int(now.timestamp() * 1000)
    entries = [
        struct.pack(">I", _TRUSTED)
        + _text("isd-controller" if number == 0 else f"ca-{number:03d}")
        + struct.pack(">Q", made)
        + _text("X.509")
        + struct.pack(">I", len(der))
        + der
        for number, der in enumerate(certificates)
    ]
    body = struct.pack(">III", _MAGIC, _VERSION, len(entries)) + b"".join(entries)
    return body + hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def read_bundle(name: str, text: bytes) -> bytes:
    """A PEM bundle as it is, or a refusal where it holds no certificate."""
    if not _certificates(text):
        raise UsageError(f"--ca-file: {name} holds no certificates in PEM.", "Give a file of PEM certificates.")
    return text


def _certificates(bundle: bytes) -> list[bytes]:
    """The certificates of a bundle as DER, without looking into them: some public ones are no longer well formed."""
    found = []
    for match in _PEM.finditer(bundle):
        try:
            der = base64.b64decode(b"".join(match[1].split()), validate=True)
        except binascii.Error:
            continue
        if der.startswith(_SEQUENCE):
            found.append(der)
    return found


def _text(text: str) -> bytes:
    """A short text as Java writes it; these are all plain letters."""
    return struct.pack(">H", len(text)) + text.encode("ascii")
