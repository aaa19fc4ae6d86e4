"""The interface of secret engines, and the engines that need no server: noop, env and file.

An engine reads a whole secret in one request; `halgit.secrets` selects keys from it. Engines raise RemoteErrors and
never show a value. `env` and `file` access data of the operator and are used only if the operator allows them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from halgit.annotations import BinaryIO, Literal, Protocol
from halgit.errors import NotFoundError, RefusedError
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.record import Record


class SecretData(Record):
    """One secret as it was read: values by key, or (`keys` None) one text or file. `version` is the server's."""

    __repr__ = object.__repr__

    keys: Mapping[str, object] | None = None
    whole: bytes = b""
    version: str = ""


class Presence(Record):
    """The existence of a secret: how it was checked, and the names of its keys if known."""

    how: Literal["metadata", "read"]
    keys: frozenset[str] | None = None


class Engine(Protocol):
    """Reads the secrets of one kind. Called from several threads at once."""

    def read(self, reference: Reference) -> SecretData:
        """The whole secret that this reference names a part of."""

    def check(self, reference: Reference) -> Presence:
        """Return whether the secret exists, without reading its value where the server offers that. Raises Missing."""


class NoopEngine:
    """`encrypted:noop!v:VALUE` holds VALUE itself; Spinnaker has it for tests."""

    def __init__(self, access: Access) -> None:
        pass

    def read(self, reference: Reference) -> SecretData:
        return SecretData(whole=reference.get("value").encode("utf-8"))

    def check(self, reference: Reference) -> Presence:
        return Presence("metadata")


class EnvEngine:
    """`env://NAME` is a variable of the operator's environment."""

    def __init__(self, access: Access) -> None:
        self._variables = access.variables

    def read(self, reference: Reference) -> SecretData:
        value = self._variables.get(reference.get("name"))
        if value is None:
            raise NotFoundError(
                f"The environment variable {reference.get('name')} is not set.", "Set it in halgit's environment."
            )
        return SecretData(whole=value.encode("utf-8", "surrogateescape"))

    def check(self, reference: Reference) -> Presence:
        self.read(reference)
        return Presence("read")


class FileEngine:
    """`file:///path` is a file of the machine halgit runs on."""

    def __init__(self, access: Access) -> None:
        self._largest = access.largest_file

    def read(self, reference: Reference) -> SecretData:
        path = Path(reference.get("path"))
        try:
            with open(path, "rb", opener=_without_waiting) as opened:
                return SecretData(whole=self._read_whole(path, opened))
        except FileNotFoundError:
            raise NotFoundError(f"File {path} not found.", "Create it, or fix the reference.") from None
        except OSError as reason:
            raise RefusedError(f"The file {path} cannot be read: {reason.strerror}.") from None

    def _read_whole(self, path: Path, opened: BinaryIO) -> bytes:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise RefusedError(f"{path} is not a regular file.")
        content = opened.read(self._largest + 1)
        if len(content) > self._largest:
            raise RefusedError(f"The file {path} is larger than {self._largest} bytes.")
        return content

    def check(self, reference: Reference) -> Presence:
        if not Path(reference.get("path")).is_file():
            raise NotFoundError(f"File {reference.get('path')} not found.", "Create it, or fix the reference.")
        return Presence("metadata")


def _without_waiting(path: str, flags: int) -> int:
    """Open a file so that a pipe without a writer does no harm."""
    return os.open(path, flags | os.O_NONBLOCK)
