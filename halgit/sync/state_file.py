"""The state on the disk, and on the status board: written before whatever it describes is done."""

from __future__ import annotations

from pathlib import Path

from halgit import publish
from halgit.remotes.private_files import read_operator_file
from halgit.sync.events import show_services
from halgit.sync.state import SyncState, encode_state, parse_state
from halgit.sync.status import StatusBoard


class StateFile:
    """One state file. `state` is what it holds; a missing or broken file is an empty state."""

    def __init__(self, path: Path, board: StatusBoard) -> None:
        self._path = path
        self._board = board
        self.state = SyncState()
        self.reload()

    def reload(self) -> None:
        """Read the file again: another replica may have written it."""
        try:
            self.state = parse_state(read_operator_file(self._path)) or SyncState()
        except OSError:
            self.state = SyncState()
        self._show()

    def save(self, state: SyncState) -> None:
        """Write the state where it differs. Raises PublishError."""
        if state != self.state:
            publish.write_file(self._path, encode_state(state))
            self.state = state
            self._show()

    def _show(self) -> None:
        deployed, pending = self.state.deployed, self.state.pending
        self._board.set(
            deployedRevision=deployed.revision if deployed else "",
            deployedAt=deployed.at if deployed else 0.0,
            pendingServices=show_services(pending.services) if pending else [],
        )
