"""The daemon's own configuration, parted from the tree: `halyard.yml` and `halyard-local.yml` for `--daemon-config`.

Halyard reads them from its installation directory, never from `~/.hal`; a layer keeps them as `halyard.yaml` and
`halyard-local.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from halgit.merge.selection import DAEMON_FILES
from halgit.pipeline import MISSING, File, Resolved, Value

_DEFAULT: Mapping[str, Value] = {"server": {"port": 8064}, "grpc": {"enabled": False}}
"""What the daemon is given where no layer has a `halyard.yaml`: the port of `hal`, and no gRPC."""


def part(resolved: Resolved, address: str) -> tuple[Resolved, Resolved]:
    """The tree without the daemon's files, and those files alone under the daemon's names.

    `address` is what the daemon listens on (`--halyard-address`), empty to leave it as the layers have it.
    """
    tree = {path: file for path, file in resolved.files.items() if path not in DAEMON_FILES}
    given = [file for path, file in resolved.files.items() if path in DAEMON_FILES[1:]]
    files = {
        "halyard.yml": _main(resolved),
        "halyard-local.yml": _local(given[-1] if given else None, address, resolved),
    }
    return replace(resolved, files=tree), replace(resolved, files=files)


def _main(resolved: Resolved) -> File:
    given = resolved.files.get(DAEMON_FILES[0])
    return given if given is not None else _made("halyard.yml", dict(_DEFAULT), resolved)


def _local(given: File | None, address: str, resolved: Resolved) -> File:
    if given is not None and not address:
        return given
    data = given.data if given is not None and isinstance(given.data, dict) else {}
    if address:
        server = data.get("server")
        data = {**data, "server": {**(server if isinstance(server, dict) else {}), "address": address}}
    return _made("halyard-local.yml", data, resolved)


def _made(path: str, data: Value, resolved: Resolved) -> File:
    assert data is not MISSING
    layers = tuple(layer.id for layer in resolved.compiled.layers)[-1:]
    return File(path, "generated", layers, data=data)
