"""The engine of `sops://FILE#KEY`: values of the layer files that SOPS encrypted, decrypted in memory.

A file is decrypted as a whole, with its MAC, however many of its values are used. The files are those of the run's
sources; only the key is the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit.errors import CorruptError, NotFoundError, RefusedError
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.remotes.age import AgeKeys
from halgit.remotes.engine import Presence, SecretData
from halgit.sops import KeyGroup, Metadata, combine_shares, decrypt_values, read_metadata

_SUPPORTED = "halgit opens age keys"


class SopsEngine:
    """Decrypts files that SOPS encrypted. `files` are their texts, by their names in references."""

    def __init__(self, access: Access, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._keys = AgeKeys(access)

    def read(self, reference: Reference) -> SecretData:
        """Return all values of a file. Raises RemoteError for a wrong key, metadata, value or MAC."""
        file = reference.get("path")
        text = self._files.get(file)
        metadata = read_metadata(text, file) if text is not None else None
        if text is None or metadata is None:
            message = f"{file} is not a layer file that SOPS encrypted."
            raise NotFoundError(message, "Encrypt the file with `sops`; it needs no reference.")
        if metadata.problem:
            message = f"{file} is encrypted by SOPS in a way that is not supported: {metadata.problem}."
            raise CorruptError(message, "Encrypt it again with SOPS 3 and other rules.")
        return SecretData(keys=decrypt_values(text, file, metadata, self._data_key(file, metadata)))

    def check(self, reference: Reference) -> Presence:
        """Decrypt the file, which shows that the key opens it and that the MAC matches."""
        return Presence("read", frozenset(self.read(reference).keys or {}))

    def _data_key(self, file: str, metadata: Metadata) -> bytes:
        """Open the data key, or as many shares of it as it needs."""
        if not any(group.age for group in metadata.groups):
            message = f"{file} is encrypted by SOPS for {_describe(metadata.groups)}; {_SUPPORTED}."
            raise RefusedError(message, "Add an age recipient with `sops rotate -i --add-age RECIPIENT`.")
        if not self._keys.is_set:
            message = f"{file} is encrypted by SOPS, and no key is set."
            raise RefusedError(message, "Set --sops-age-key-file, or use --secrets mask.")
        opened = [share for group in metadata.groups if (share := self._keys.decrypt(group.age)) is not None]
        needed = 1 if len(metadata.groups) == 1 else metadata.threshold
        if len(opened) < needed:
            message = f"The key of --sops-age-key-file opens {len(opened)} of {needed} key groups that {file} needs."
            if len(metadata.groups) == 1:
                message = f"The key of --sops-age-key-file does not open {file}."
            hint = "Use the key of one of its recipients, which its `sops` mapping lists."
            raise RefusedError(message, hint)
        return _check_length(opened[0] if len(metadata.groups) == 1 else _combine(opened, file), file)


def _combine(shares: list[bytes], file: str) -> bytes:
    try:
        return combine_shares(shares)
    except ValueError as reason:
        message = f"The key groups of {file} do not give a data key: {reason}."
        raise CorruptError(message, "Encrypt the file again.") from None


def _check_length(key: bytes, file: str) -> bytes:
    if len(key) != 32:
        message = f"The data key of {file} has {len(key)} bytes instead of 32."
        raise CorruptError(message, "Encrypt the file again.")
    return key


def _describe(groups: tuple[KeyGroup, ...]) -> str:
    from halgit.text.phrases import join_words

    names = list(dict.fromkeys(name for group in groups for name in group.others))
    return join_words(names) if names else "no key that is listed"
