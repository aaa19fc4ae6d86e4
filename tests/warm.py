"""Runs the real program as `program.py` does, each run a fork of one process that has everything loaded.

A start then costs little, and no run sees anything of another: environment, streams and state are its own.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from program import Ran

_LONGEST = 120
"""Seconds one run may take."""


@contextmanager
def warm(folder: Path) -> Iterator[Callable[..., Ran]]:
    """A function like `program.halgit`, for the length of a with block; `folder` takes the streams of its runs."""
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def halgit(*arguments: object, **environment: str) -> Ran:
            job = {"arguments": [*map(str, arguments)], "environment": environment}
            print(json.dumps(job), file=process.stdin, flush=True)
            code = int(process.stdout.readline())  # type: ignore[union-attr]
            return Ran(code, (folder / "stdout").read_text("utf-8"), (folder / "stderr").read_text("utf-8"))

        yield halgit
        process.stdin.close()


def _serve(folder: Path) -> None:
    _load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(folder, json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _load() -> None:
    """What a run of halgit imports, imported before the forks. No thread is started here."""
    for name in ("boto3", "hvac", "halgit.cli.app", "halgit.cli.render", "halgit.cli.secrets",
                 "halgit.cli.sync_parts", "jsonschema_rs"):  # fmt: skip
        importlib.import_module(name)


def _run(folder: Path, job: dict[str, Any]) -> None:
    """In the child: become halgit, and never return."""
    import signal

    from halgit.cli import main

    signal.alarm(_LONGEST)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    path = os.environ["PATH"]
    os.environ.clear()
    os.environ.update({"PATH": path, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **job["environment"]})
    sys.argv = ["halgit", *job["arguments"]]
    code: Any = 70
    try:
        main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
