"""Data keys of files that SOPS encrypted, opened by AWS KMS with the run's AWS login.

Only the operator's login and endpoint count. The file names the key and its region; a role or profile that it names is
never used, because whoever can write the file could choose it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from halgit.errors import CorruptError, RefusedError, RemoteError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access
from halgit.record import Record
from halgit.remotes.aws import get_aws

_ARN: Final = lazy_pattern(r"arn:aws[a-z-]*:kms:([a-z0-9-]{1,40}):\d+:(?:key|alias)/.+")


class KmsKey(Record):
    """A data key as one key of AWS KMS encrypted it; `context` is its encryption context."""

    arn: str
    encrypted: str
    context: Mapping[str, str]
    role: str = ""


class KmsKeys(Record):
    """Opens data keys with the login of the run."""

    access: Access

    def decrypt(self, keys: Sequence[KmsKey]) -> bytes:
        """Return the data key that the first usable key opens. Raises the RemoteError of the last one if none does."""
        failure: RemoteError | None = None
        for key in keys:
            try:
                return self._open(key)
            except RemoteError as reason:
                failure = reason
        raise failure or RefusedError("No key of AWS KMS is listed.", "Encrypt the file again.")

    def _open(self, key: KmsKey) -> bytes:
        match = _ARN.fullmatch(key.arn)
        if match is None:
            raise CorruptError(f"{key.arn} is not the ARN of a key of AWS KMS.", "Encrypt the file again.")
        if key.role:
            message = f"{key.arn} is to be used with the role {key.role}; halgit uses only the operator's login."
            raise RefusedError(message, "Grant that login kms:Decrypt, and remove the role with `sops updatekeys`.")
        try:
            blob = base64.b64decode(key.encrypted, validate=True)
        except binascii.Error:
            message = f"The data key that {key.arn} encrypted is not base64."
            raise CorruptError(message, "Encrypt the file again.") from None
        aws = get_aws(self.access)
        client = aws.client("kms", region=match.group(1))
        arguments = {"KeyId": key.arn, "CiphertextBlob": blob, "EncryptionContext": dict(key.context)}
        answer = aws.ask(key.arn, lambda: client.decrypt(**arguments))
        return bytes(answer["Plaintext"])
