"""Runs the program on planted repositories, and gathers all that it let out: streams, files, and what it started."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from program import Ran, halgit

_HOOK = '''\
"""Writes down every program that Python starts, and breaks it where it is told to, from outside of it."""
import json, os, sys

_log, _bug = os.environ["WATCH_LOG"], os.environ.pop("WATCH_BUG", "")
del os.environ["WATCH_LOG"]

def _watch(event, arguments):
    if arguments and arguments[0] == os.devnull:
        return
    if event in ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system"):
        with os.fdopen(os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "a") as log:
            log.write(f"started {arguments!r} {dict(os.environ) if arguments[-1] is None else ''}\\n")
    if _bug and event == "os.mkdir" and ".hal" in str(arguments[0]):
        with open(_bug) as file:
            raise RuntimeError(f"cannot go on with {file.read()}")

sys.addaudithook(_watch)
'''


@dataclass
class Driver:
    """Runs halgit in a folder of its own; `watched` holds the programs it started, `reason` its last words in a pod."""

    folder: Path
    environment: dict[str, str]
    home: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        for name in ("hook", "programs", "home/tmp"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "hook/sitecustomize.py").write_text(_HOOK)
        for name in ("git", "cat", "ssh"):
            self._wrap(name)

    @property
    def log(self) -> Path:
        return self.folder / "started"

    @property
    def reason(self) -> Path:
        return self.home / "termination-log"

    def _wrap(self, name: str) -> None:
        """A program of this name that writes down how it is called, by us or by git, and runs the real one."""
        real = shutil.which(name)
        program = self.folder / "programs" / name
        watch = f'{{ echo "call: {name} $*"; tr "\\0" "\\n" < /proc/$$/environ; }} >> {self.log}'
        program.write_text(f'#!/bin/sh\n{watch}\nexec {real} "$@"\n')
        program.chmod(0o755)

    def __call__(self, *arguments: object, **environment: str) -> Ran:
        """One run. Its log of programs grows; the termination message is what this run left."""
        self.reason.write_text("")
        known = {
            "PATH": f"{self.folder / 'programs'}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "hook"),
            "WATCH_LOG": str(self.log),
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "HALGIT_TERMINATION_FILE": str(self.reason),
        }
        return halgit(*arguments, cwd=self.home, **{**known, **self.environment, **environment})

    def left(self) -> dict[str, bytes]:
        """All files it left, rendered trees and their backups apart."""
        found = (path for path in self.home.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path): path.read_bytes() for path in found if ".hal" not in path.relative_to(self.home).parts[0]}
