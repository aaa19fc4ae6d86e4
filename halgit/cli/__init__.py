"""The command line: declares options, builds the parts, calls one function, prints, exits.

`--version` is answered before anything heavy loads.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the `halgit` program; the process ends with the exit code."""
    if sys.argv[1:] == ["--version"] and _print_version():
        sys.exit(0)
    import gc

    gc.disable()  # a command makes few cycles and ends soon; `accounts serve` enables it again
    from halgit.cli.app import run
    from halgit.cli.process import exit_at_once, open_streams

    open_streams()
    code = run(sys.argv[1:])
    if code > 128 or (code and _has_threads()):
        os._exit(code)  # a stopped program does not wait for threads that wait for a server
    if _has_threads():
        sys.exit(code)
    exit_at_once(code)


def _has_threads() -> bool:
    """Return whether threads run beside the main thread."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _print_version() -> bool:
    """Print the version; False if that failed, and the whole program reports why."""
    from halgit import __version__

    try:
        sys.stdout.write(f"halgit {__version__}\n")
        sys.stdout.flush()
    except (AttributeError, OSError):  # stdout is None if it was closed
        return False
    return True
