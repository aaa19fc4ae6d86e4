"""Runs the real program in a process of its own, with an environment that holds nothing of this machine's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import needs

SAMPLE = needs.ROOT / "sample-repo"


@dataclass
class Ran:
    """How a run ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON object on stdout."""
        return json.loads(self.out)


def halgit(*arguments: object, cwd: Path | None = None, **environment: str) -> Ran:
    """Run `halgit` with these arguments and, beside PATH and HOME, this environment."""
    known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "halgit", *map(str, arguments)],
        env={**known, **environment},
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
