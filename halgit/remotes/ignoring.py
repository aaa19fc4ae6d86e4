"""Asks git whether it ignores a path of a work tree. Reads only; a machine without git gives no answer."""

from __future__ import annotations

from pathlib import Path

from halgit.operator_settings import Access

_KNOWN = ("PATH", "HOME", "XDG_CONFIG_HOME", "LANG")
"""What git needs to find itself and the user's own ignore file."""


def ignored(path: Path, access: Access) -> bool | None:
    """Whether git ignores this path; None where there is no git, no work tree, or no answer in time."""
    import subprocess

    folder = next(parent for parent in (path, *path.parents) if parent.is_dir())
    environment = {name: access.environment[name] for name in _KNOWN if name in access.environment}
    try:
        done = subprocess.run(
            ["git", "check-ignore", "--quiet", "--no-index", "--", str(path)],
            cwd=folder,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=min(access.timeout, 10.0),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {0: True, 1: False}.get(done.returncode)
