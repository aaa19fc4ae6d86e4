"""The command line: declares options, builds the parts, calls one function, prints, exits.

Nothing is decided here that a library user would miss. `--version` is answered before anything heavy loads.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `halgit` program; never returns, the process ends with the exit code of the contract."""
    if sys.argv[1:] == ["--version"]:
        from halgit import __version__

        sys.stdout.write(f"halgit {__version__}\n")
        sys.exit(0)
    from halgit.cli.app import run

    code = run(sys.argv[1:])
    if code > 128:
        os._exit(code)  # a stopped program does not wait for threads that wait for a server
    sys.exit(code)
