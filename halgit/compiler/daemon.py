"""The Halyard daemon's own configuration: `halyard.yml` and `halyard-local.yml` for `--daemon-config`.

Halyard reads them from its installation directory, never from `~/.hal`; a layer has them as `halyard.yaml` and
`halyard-local.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit.merge.selection import DAEMON_FILES
from halgit.pipeline import File, Resolved, Value
from halgit.record import replace

_DEFAULT: Mapping[str, Value] = {"server": {"port": 8064}, "grpc": {"enabled": False}}
"""The daemon's settings if no layer has a `halyard.yaml`: the port that `hal` uses, and no gRPC."""


def split_daemon_files(resolved: Resolved, address: str) -> tuple[Resolved, Resolved]:
    """Return the tree without the daemon's files, and those files under the daemon's names.

    `address` is what the daemon listens on (`--halyard-address`); empty keeps the layers' setting.
    """
    tree = {path: file for path, file in resolved.files.items() if path not in DAEMON_FILES}
    local = [file for path, file in resolved.files.items() if path in DAEMON_FILES[1:]]
    files = {
        "halyard.yml": _main_file(resolved),
        "halyard-local.yml": _local_file(local[-1] if local else None, address, resolved),
    }
    return replace(resolved, files=tree), replace(resolved, files=files)


def _main_file(resolved: Resolved) -> File:
    file = resolved.files.get(DAEMON_FILES[0])
    return file if file is not None else _generated_file("halyard.yml", dict(_DEFAULT), resolved)


def _local_file(file: File | None, address: str, resolved: Resolved) -> File:
    if file is not None and not address:
        return file
    data = file.data if file is not None and isinstance(file.data, dict) else {}
    if address:
        server = data.get("server")
        data = {**data, "server": {**(server if isinstance(server, dict) else {}), "address": address}}
    return _generated_file("halyard-local.yml", data, resolved)


def _generated_file(path: str, data: Value, resolved: Resolved) -> File:
    layers = tuple(layer.id for layer in resolved.compiled.layers)[-1:]
    return File(path, "generated", layers, data=data)
