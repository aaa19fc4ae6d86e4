"""Free ports on loopback, and waiting until something listens there."""

from __future__ import annotations

import random
import socket
import subprocess
import time

_RANDOM = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on now, and no other caller in this process was given.

    The kernel takes ports of clients, and those of a bind to port 0, from 32768 on: a server that listens a moment
    later would find one of these taken.
    """
    while True:
        port = _RANDOM.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None, seconds: float = 30) -> None:
    """Return once the port answers; fail when the process ends or the time is up before that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing listens on port {port} after {seconds} seconds")
