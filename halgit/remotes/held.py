"""What a secret engine gives: the protocol all of them follow, and what one read holds.

An engine reads a whole secret in one request, however many of its keys are wanted; picking a key is the task of
`halgit.secrets`. It raises RemoteErrors. Nothing here shows a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from halgit.pipeline import Reference


@dataclass(frozen=True, slots=True, repr=False)
class Held:
    """One secret as it was read: values by key, or (`keys` None) one text or file. `version` is the server's."""

    keys: Mapping[str, object] | None = None
    whole: bytes = b""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """That a secret exists: how that was found out, and the names of its keys where that told them."""

    how: Literal["metadata", "read"]
    keys: frozenset[str] | None = None


class Engine(Protocol):
    """Reads the secrets of one kind. Called from several threads at once."""

    def read(self, reference: Reference) -> Held:
        """The whole secret that this reference names a part of."""

    def check(self, reference: Reference) -> Presence:
        """Whether the secret exists, without reading its value where the server offers that. Raises Missing."""
