"""Drift: a tree that somebody changed since halgit wrote it, and a deploy that halgit did not start.

A look costs one `stat` for each file; contents are read only after one of them has changed.
"""

from __future__ import annotations

import os
from pathlib import Path

from halgit.sync.state import SyncState
from halgit.sync.tree import backup_digest, read_tree

FOREIGN_DEPLOY = "somebody else deployed after halgit did"

Signature = tuple[tuple[str, int, int, int], ...]


class DriftDetector:
    """Looks at one tree. `reports` what differs, as lines for people."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._paths: tuple[str, ...] = ()
        self._signature: Signature | None = None
        self._tree_drift: tuple[str, ...] = ()

    def find(self, state: SyncState) -> tuple[str, ...]:
        """Everything that differs from what halgit wrote and deployed."""
        if self._signature is None or self._sign() != self._signature:
            self._read()
        return (*self._tree_drift, *self._deployment_drift(state))

    def _read(self) -> None:
        tree = read_tree(self._target)
        self._paths = (".halgit.json", *sorted(tree.files), *tree.changed) if tree else (".halgit.json",)
        self._signature = self._sign()
        self._tree_drift = tuple(f"{path}: changed since halgit wrote it" for path in tree.changed) if tree else ()

    def _sign(self) -> Signature:
        rows = []
        for path in self._paths:
            try:
                status = os.stat(self._target / path)
            except OSError:
                rows.append((path, 0, 0, 0))
            else:
                rows.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(rows)

    def _deployment_drift(self, state: SyncState) -> tuple[str, ...]:
        """Return whether the copy of the halconfig that a deploy leaves is another than after our last deploy."""
        deployed = state.deployed
        if deployed is None or not deployed.backup or state.pending is not None:
            return ()
        return () if backup_digest(self._target) in {"", deployed.backup} else (FOREIGN_DEPLOY,)
