"""One KV 2 secret as a place to write to: read with its version, written only over that version (check-and-set)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from halgit.errors import Missing, UsageError
from halgit.operator_settings import Access
from halgit.remotes.vault import vault


class VaultSecret:
    """The secret at `mount/path` as it is now. Raises UsageError for a mount that is KV 1, and RemoteErrors."""

    def __init__(self, path: str, access: Access) -> None:
        self._vault = vault(access)
        self._mount, self._rest, version = self._vault.kv(path)
        if version != 2:
            raise UsageError(
                f"The Vault mount {self._mount} is KV 1, where two writers overwrite each other.", "Use a KV 2 mount."
            )
        try:
            data = self._vault.get(f"{self._mount}/data/{self._rest}").get("data") or {}
        except Missing:
            data = {}
        values = data.get("data")
        self.values: Mapping[str, Any] | None = values if isinstance(values, dict) else None
        self._version = int((data.get("metadata") or {}).get("version") or 0)

    @property
    def revision(self) -> str:
        """The version that was read; 0 where there was none."""
        return str(self._version)

    def write(self, values: Mapping[str, Any]) -> str:
        """Write a new version; its number. Raises Conflicting where another writer was first."""
        body = {"options": {"cas": self._version}, "data": dict(values)}
        answer = self._vault.put(f"{self._mount}/data/{self._rest}", body)
        return str((answer.get("data") or {}).get("version", ""))
