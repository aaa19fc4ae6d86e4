"""Decryption of a file's values with its data key, and the check of its MAC.

Each value is AES-256-GCM with the names of the keys above it as additional data. The MAC is a SHA-512 over the plain
values in the order of the file; for those that are not encrypted their types must be read as SOPS reads them (go-yaml
3, and all numbers of JSON as floats), because it hashes the value and not its spelling.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from halgit import yaml as hyaml
from halgit.errors import CorruptError, UntrustedError
from halgit.lazy import lazy_pattern
from halgit.pipeline import PlainScalar
from halgit.sops.layer_file import COMMENT, ENCRYPTED, format_key
from halgit.sops.metadata import KEY, Metadata

_MAC_ONLY_ENCRYPTED: Final = hashlib.sha256(b"sops").digest()
"""First bytes of a MAC that covers encrypted values only (`MACOnlyEncryptedInitialization`)."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {text: name for name in ("True", "False") for text in (name, name.lower(), name.upper())}
_INTEGER: Final = lazy_pattern(r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]*|[1-9][0-9_]*)")
_FLOAT: Final = lazy_pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_EDIT: Final = "Edit the file with `sops`, which writes the MAC again, or restore the version that SOPS wrote."


def decrypt_values(text: bytes, file: str, metadata: Metadata, key: bytes) -> Mapping[str, str | bytes]:
    """Return the encrypted values of a file by the keys of their references; numbers and booleans as plain scalars.

    Raises CorruptError for a value that the data key does not open, UntrustedError for a wrong MAC.
    """
    digest = hashlib.sha512(_MAC_ONLY_ENCRYPTED if metadata.is_mac_only_encrypted else b"")
    is_json = text.lstrip().startswith(b"{")
    found: dict[str, str | bytes] = {}
    for scalar in hyaml.list_scalars(text):
        if scalar.key or scalar.path[0] == KEY or (scalar.plain and scalar.text in _NULLS):
            continue
        if metadata.encrypts(scalar.path):
            data = "".join(f"{step}:" for step in scalar.path if isinstance(step, str))
            value = _decrypt(scalar.text, data, key, f"{file}:{scalar.line}") if scalar.text else ""
            if scalar.text.endswith(f",type:{COMMENT}]"):
                continue
            digest.update(_to_bytes(value))
            if scalar.text:
                found[format_key(scalar.path)] = value
        elif not metadata.is_mac_only_encrypted:
            digest.update(_read_plain(scalar.text, is_json) if scalar.plain else scalar.text.encode("utf-8"))
    mac = _decrypt(metadata.mac, metadata.lastmodified, key, f"{file}: sops.mac")
    if not hmac.compare_digest(_to_bytes(mac).lower(), digest.hexdigest().encode("ascii")):
        raise UntrustedError(f"{file} was changed after SOPS encrypted it: its MAC does not match.", _EDIT)
    return found


def _decrypt(text: str, data: str, key: bytes, place: str) -> str | bytes:
    """Open one `ENC[...]` with its additional data."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    match = ENCRYPTED.fullmatch(text)
    if match is None:
        raise CorruptError(f"{place} is not encrypted, though the rules of its `sops` mapping require it.", _EDIT)
    try:
        body, nonce, tag = (base64.b64decode(part, validate=True) for part in match.groups()[:3])
        plain = AESGCM(key).decrypt(nonce, body + tag, data.encode("utf-8"))
        return _typed(plain, match.group(4))
    except (InvalidTag, binascii.Error, ValueError):
        message = f"{place} cannot be decrypted: it was changed, moved to another key, or is of another file."
        raise UntrustedError(message, _EDIT) from None


def _typed(plain: bytes, kind: str) -> str | bytes:
    """Return a value by its type; raises ValueError for an unknown type, or text that is not UTF-8."""
    if kind == "bytes":
        return plain
    text = plain.decode("utf-8")
    if kind in ("str", COMMENT):
        return text
    if kind == "bool" and text in _BOOLEANS:
        return PlainScalar(text.lower())
    if (kind == "int" and _INTEGER.fullmatch(text)) or (kind == "float" and _FLOAT.fullmatch(text)):
        return PlainScalar(text)
    raise ValueError(kind)


def _to_bytes(value: str | bytes) -> bytes:
    """Return a decrypted value as the MAC has it (`ToBytes`)."""
    if isinstance(value, bytes):
        return value
    return (_BOOLEANS.get(value, value) if isinstance(value, PlainScalar) else value).encode("utf-8")


def _read_plain(text: str, is_json: bool) -> bytes:
    """Return an unquoted scalar that is not encrypted as the MAC has it."""
    if text in _BOOLEANS:
        return _BOOLEANS[text].encode("ascii")
    if not is_json and _INTEGER.fullmatch(text):
        return str(_read_integer(text.replace("_", ""))).encode("ascii")
    if _FLOAT.fullmatch(text):
        return _format_float(float(text)).encode("ascii")
    return text.encode("utf-8")


def _read_integer(text: str) -> int:
    """Read an integer as go-yaml does: 0o17 and 017 are octal."""
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return sign * (int(digits, 8) if is_octal else int(digits, 0))


def _format_float(value: float) -> str:
    """Format a float as Go's `FormatFloat(value, 'f', -1, 64)`: the fewest digits, never an exponent."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")
