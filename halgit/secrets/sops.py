"""The engine of `sops://FILE#KEY`: values of the layer files that SOPS encrypted, decrypted in memory.

A file is decrypted as a whole, with its MAC, however many of its values are used. The files are those of the run's
sources; only the key is the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit.errors import CorruptError, NotFoundError, RefusedError, RemoteError
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.remotes.age import AgeKeys
from halgit.remotes.aws_kms import KmsKey, KmsKeys
from halgit.remotes.engine import Presence, SecretData
from halgit.sops import KeyGroup, Metadata, combine_shares, decrypt_values, read_metadata

_SUPPORTED = "halgit opens keys of age and AWS KMS"


class SopsEngine:
    """Decrypts files that SOPS encrypted. `files` are their texts, by their names in references."""

    def __init__(self, access: Access, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._keys = AgeKeys(access)
        self._kms = KmsKeys(access)

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
        groups = metadata.groups
        if not any(group.age or group.kms for group in groups):
            message = f"{file} is encrypted by SOPS for {_describe(groups)}; {_SUPPORTED}."
            raise RefusedError(message, "Add an age recipient with `sops rotate -i --add-age RECIPIENT`.")
        if not self._keys.is_set and not any(group.kms for group in groups):
            message = f"{file} is encrypted by SOPS, and no key is set."
            raise RefusedError(message, "Set --sops-age-key-file, or use --secrets mask.")
        needed = 1 if len(groups) == 1 else metadata.threshold
        failures: list[RemoteError] = []
        opened: list[bytes] = []
        for group in groups:
            share = self._open(group, failures) if len(opened) < needed else None
            opened += [share] if share is not None else []
        if len(opened) < needed:
            raise _not_enough(file, groups, len(opened), needed, failures)
        return _check_length(opened[0] if len(groups) == 1 else _combine(opened, file), file)

    def _open(self, group: KeyGroup, failures: list[RemoteError]) -> bytes | None:
        """Return the data key or share of one group, with the age keys first; None if no key opens it."""
        share = self._keys.decrypt(group.age) if group.age and self._keys.is_set else None
        if share is not None or not group.kms:
            return share
        try:
            return self._kms.decrypt([KmsKey(one.arn, one.encrypted, dict(one.context), one.role) for one in group.kms])
        except RemoteError as reason:
            failures.append(reason)
            return None


def _not_enough(
    file: str, groups: tuple[KeyGroup, ...], opened: int, needed: int, failures: list[RemoteError]
) -> RemoteError:
    if failures and len(groups) == 1:
        reason = failures[0]
        return type(reason)(f"{file} is encrypted by SOPS, and AWS KMS does not open it: {reason.message}", reason.hint)
    message = f"The key of --sops-age-key-file opens {opened} of {needed} key groups that {file} needs."
    if failures:
        message = f"{opened} of {needed} key groups that {file} needs are opened. AWS KMS: {failures[0].message}"
    elif len(groups) == 1:
        message = f"The key of --sops-age-key-file does not open {file}."
    return RefusedError(message, "Use the key of one of its recipients, which its `sops` mapping lists.")


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
