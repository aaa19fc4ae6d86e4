"""`{cipher}` values, byte for byte as Spring Cloud's symmetric key encrypts and decrypts them.

PBKDF2 with HMAC-SHA1 (1,024 rounds, 32 bytes) derives the key from `encrypt.key` and `encrypt.salt`; the value is
AES-256-CBC with a random IV in front, in hexadecimal. The format has no check of its own, so that a wrong key is found
by the padding and by the text it leaves.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

from halgit.errors import UsageError
from halgit.redaction import Secret
from halgit.validation.account_access import CIPHER, is_well_formed
from halgit.validation.open_secrets import is_public

PREFIX: Final = CIPHER
DEFAULT_SALT: Final = "deadbeef"
"""Spring's own `encrypt.salt`."""

_BLOCK: Final = 16
_ROUNDS: Final = 1024
_BOM: Final = "\ufeff"


class Cipher:
    """Encrypts and decrypts with one `encrypt.key`.

    Raises UsageError for a key that Spring takes for an RSA key, for a salt that is not hexadecimal and, unless it is
    an `old` key, for the default key of the ISD charts.
    """

    def __init__(self, key: Secret, salt: str = DEFAULT_SALT, *, old: bool = False) -> None:
        text = key.open()
        if not text:
            raise UsageError(f"The encryption key ({key.name}) is empty.", "Store the value of encrypt.key there.")
        if "RSA PRIVATE KEY" in text or "RSA PUBLIC KEY" in text or text.startswith("ssh-rsa"):
            raise UsageError(f"The encryption key ({key.name}) is an RSA key.", "Use a symmetric encrypt.key.")
        if is_public(text) and not old:
            raise UsageError(
                f"The encryption key ({key.name}) is the default of the ISD charts, which is public.",
                "Choose another encrypt.key, also in spinnakerconfig.yml, and change what it protected.",
            )
        try:
            grain = bytes.fromhex(salt) if re.fullmatch(r"[0-9a-fA-F]+", salt) else b""
        except ValueError:
            grain = b""
        if not grain:
            raise UsageError("The salt is not a hexadecimal string.", "Use Clouddriver's encrypt.salt.")
        self._key = hashlib.pbkdf2_hmac("sha1", text.encode("utf-8"), grain, _ROUNDS, 32)

    def encrypt(self, text: str) -> str:
        """Return the text as a `{cipher}` value, different each time."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        start = secrets.token_bytes(_BLOCK)
        data = text.encode("utf-8")
        rest = _BLOCK - len(data) % _BLOCK
        machine = Cipher(algorithms.AES(self._key), modes.CBC(start)).encryptor()
        sealed = machine.update(data + bytes([rest]) * rest) + machine.finalize()
        return PREFIX + (start + sealed).hex()

    def decrypt(self, value: str) -> str:
        """Return the text of a `{cipher}` value. Raises ValueError if Spring could not decrypt it with this key."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if not is_well_formed(value):
            raise ValueError("not a {cipher} value")
        raw = bytes.fromhex(value.removeprefix(PREFIX))
        machine = Cipher(algorithms.AES(self._key), modes.CBC(raw[:_BLOCK])).decryptor()
        data = machine.update(raw[_BLOCK:]) + machine.finalize()
        rest = data[-1]
        if not 1 <= rest <= _BLOCK or data[-rest:] != bytes([rest]) * rest:
            raise ValueError("not encrypted with this key")
        return data[:-rest].decode("utf-8")

    def authenticate(self, text: str) -> str:
        """Return the HMAC-SHA-256 of a text with this key, in hexadecimal."""
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()

    def opens(self, value: str) -> bool:
        """Return whether this key decrypts the value."""
        try:
            self.decrypt(value)
        except ValueError:
            return False
        return True


def read_key(content: bytes, name: str) -> Secret:
    """Return the key of a key file. The newline at its end is not part of the key; nothing else is removed.

    Raises UsageError for a file that is not UTF-8, has a byte order mark, or has spaces or lines around the key.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8.", "Save the key as UTF-8.") from None
    if text.startswith(_BOM):
        raise UsageError(f"{name} begins with a byte order mark.", "Save the key as UTF-8 without one.")
    text = text[:-1] if text.endswith("\n") else text
    if text != text.strip() or "\n" in text:
        raise UsageError(
            f"{name} has spaces or lines around the key, which would be part of it.",
            "Store the key alone, on one line.",
        )
    return Secret(text, name)
