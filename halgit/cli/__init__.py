"""The command line: declares options, builds the parts, calls one function, prints, exits.

Nothing is decided here that a library user would miss. `--version` is answered before anything heavy loads.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `halgit` program; never returns, the process ends with the exit code of the contract."""
    if sys.argv[1:] == ["--version"] and _version():
        sys.exit(0)
    import gc

    from halgit.cli.app import run
    from halgit.cli.streams import open_streams

    open_streams()
    gc.disable()  # a command makes few cycles and ends soon; `accounts serve` turns it on again
    code = run(sys.argv[1:])
    if code > 128:
        os._exit(code)  # a stopped program does not wait for threads that wait for a server
    sys.exit(code)


def _version() -> bool:
    """Whether the version could be told; where not, the whole program says why."""
    from halgit import __version__

    try:
        sys.stdout.write(f"halgit {__version__}\n")
        sys.stdout.flush()
    except (AttributeError, OSError):  # stdout is None where it was closed
        return False
    return True
