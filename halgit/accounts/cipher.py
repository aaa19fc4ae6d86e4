"""Values that Spring Cloud decrypts, byte for byte as its symmetric key does it: `{cipher}` and hexadecimal digits.

PBKDF2 with HMAC-SHA1 (1,024 rounds, 32 bytes) makes the key from `encrypt.key` and `encrypt.salt`; the text is
AES-256-CBC with a fresh IV in front. The format has no check of its own, so a changed value may go unnoticed.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from halgit.errors import UsageError
from halgit.redaction import Secret
from halgit.validation.open_secrets import is_public

PREFIX: Final = "{cipher}"
_BLOCK: Final = 16
_ROUNDS: Final = 1024


class Cipher:
    """Encrypts with one `encrypt.key`.

    Raises UsageError for a key that Spring would take for an RSA key, one that everybody can read in the ISD
    repositories, and a salt that is no hexadecimal text.
    """

    def __init__(self, key: Secret, salt: str = "deadbeef") -> None:
        text = key.open()
        if not text:
            raise UsageError(f"The encryption key ({key.name}) is empty.", "Put the value of encrypt.key there.")
        if "RSA PRIVATE KEY" in text or "RSA PUBLIC KEY" in text or text.startswith("ssh-rsa"):
            raise UsageError(f"The encryption key ({key.name}) is an RSA key.", "Use a symmetric encrypt.key.")
        if is_public(text):
            raise UsageError(
                f"The encryption key ({key.name}) is the default of the ISD charts, which everybody can read.",
                "Choose another encrypt.key, in spinnakerconfig.yml too, and change what it protected.",
            )
        try:
            grain = bytes.fromhex(salt)
        except ValueError:
            grain = b""
        if not grain:
            raise UsageError("The encryption salt is no hexadecimal text.", "Give encrypt.salt as Clouddriver has it.")
        self._key = hashlib.pbkdf2_hmac("sha1", text.encode("utf-8"), grain, _ROUNDS, 32)

    def encrypt(self, text: str) -> str:
        """The text as a `{cipher}` value, another one each time."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        start = secrets.token_bytes(_BLOCK)
        data = text.encode("utf-8")
        rest = _BLOCK - len(data) % _BLOCK
        machine = Cipher(algorithms.AES(self._key), modes.CBC(start)).encryptor()
        sealed = machine.update(data + bytes([rest]) * rest) + machine.finalize()
        return PREFIX + (start + sealed).hex()

    def decrypt(self, value: str) -> str:
        """The text of a `{cipher}` value. Raises ValueError for one that this key did not make."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        raw = bytes.fromhex(value.removeprefix(PREFIX))
        if len(raw) < 2 * _BLOCK or len(raw) % _BLOCK:
            raise ValueError("not a {cipher} value")
        machine = Cipher(algorithms.AES(self._key), modes.CBC(raw[:_BLOCK])).decryptor()
        data = machine.update(raw[_BLOCK:]) + machine.finalize()
        rest = data[-1]
        if not 1 <= rest <= _BLOCK or data[-rest:] != bytes([rest]) * rest:
            raise ValueError("not encrypted with this key")
        return data[:-rest].decode("utf-8")
