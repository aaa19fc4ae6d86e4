"""A token that may be seen nowhere: every process and file there is, looked at while a fetch is under way."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from servers.git_http import GitHttpServer, Reply, Request
from servers.repositories import Repository

from halgit.errors import SourceError
from halgit.operator_settings import Access, SourceSpec
from halgit.sources import open_source

CANARY = "canary-canary-canary-canary"
FORMS = (CANARY.encode(), base64.b64encode(CANARY.encode())[:24], CANARY.encode().hex().encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = Repository(tmp_path / "served" / "repo")
    made.commit({"config": "a"})
    made.git("config", "uploadpack.allowFilter", "true")
    return made.folder.parent


class Watch:
    """Notes, for each process below this one and each file in a folder, where the canary is to be seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: set[str] = set()
        self.files: set[str] = set()
        self.seen: set[str] = set()

    def look(self) -> None:
        for process in _descendants(os.getpid()):
            command = _read(process / "cmdline")
            self.commands.add(command.replace(b"\0", b" ").decode("utf-8", "replace"))
            self._note(f"arguments of {command!r}", command)
            self._note(f"environment of {command!r}", _read(process / "environ"))
        for file in self.folder.rglob("*"):
            if file.is_file():
                self.files.add(file.name)
                self._note(f"file {file}", _read(file))

    def _note(self, where: str, text: bytes) -> None:
        if any(form in text for form in FORMS):
            self.seen.add(where)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _descendants(top: int) -> list[Path]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _read(folder / "stat").rpartition(b")")[2].split()
        if fields:
            parents[int(folder.name)] = int(fields[1])
    found, waiting = [], [top]
    while waiting:
        here = waiting.pop()
        children = [process for process, parent in parents.items() if parent == here]
        waiting += children
        found += [Path(f"/proc/{child}") for child in children]
    return found


@pytest.fixture
def programs(tmp_path: Path) -> tuple[Path, Path]:
    """A folder for the front of PATH where `git` and `cat` write down how they were called, and that log."""
    folder, log = tmp_path / "programs", tmp_path / "calls"
    folder.mkdir()
    for name in ("git", "cat"):
        program = folder / name
        real = shutil.which(name)
        program.write_text(
            f'#!/bin/sh\n{{ echo "call: {name} $*"; tr "\\0" "\\n" < /proc/$$/environ; }} >> {log}\nexec {real} "$@"\n'
        )
        program.chmod(0o755)
    return folder, log


def test_the_token_is_in_no_process_and_no_file(
    root: Path,
    access: Callable[..., Access],
    scratch: Path,
    programs: tuple[Path, Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HALGIT_GIT_TOKEN", CANARY)
    monkeypatch.setenv("HALGIT_PARAM_PASSWORD", CANARY)
    folder, log = programs
    watch = Watch(scratch)
    logins = []

    def looked_at(request: Request) -> Reply | None:
        watch.look()
        logins.append(request.login)
        return None

    with GitHttpServer(root, token=CANARY) as server:
        server.rule = looked_at
        allowed = access({"HALGIT_GIT_TOKEN": CANARY, "PATH": f"{folder}:{os.environ['PATH']}"})
        with closing(open_source(SourceSpec(f"{server.url}/repo", ref="main"), allowed)) as snapshot:
            assert snapshot.read(["config"]) == {"config": b"a"}
            watch.look()
            assert CANARY not in repr(snapshot.source)
        assert CANARY not in repr(allowed.git_token_file)
    assert f"x-access-token:{CANARY}" in logins, "the token did its work"
    assert any("remote-http" in command for command in watch.commands), "git's own children were looked at"
    assert {"config", "askpass"} <= watch.files, "the repository's own config was looked at"
    assert watch.seen == set()
    calls = log.read_text()
    assert "call: cat /dev/fd/" in calls, "the askpass program was looked at"
    assert CANARY not in calls
    assert CANARY not in caplog.text
    assert CANARY not in "".join(said)


def test_a_server_that_repeats_the_token_does_not_get_it_shown(root: Path, access: Callable[..., Access]) -> None:
    def repeat(request: Request) -> Reply | None:
        words = f"your login is {request.login}, {request.headers.get('authorization')}".encode()
        return Reply(418, words, {"Content-Type": "text/plain"}) if request.login else None

    with GitHttpServer(root, token=CANARY) as server:
        server.rule = repeat
        with pytest.raises(SourceError) as caught:
            open_source(SourceSpec(f"{server.url}/repo"), access({"GIT_TOKEN": CANARY}))
    assert "your login is" in str(caught.value)
    assert not any(form.decode() in str(caught.value) for form in FORMS)


def test_git_is_not_even_started_with_our_environment(root: Path, programs: tuple[Path, Path], scratch: Path) -> None:
    """GitPython runs `git version` when it is imported, with all of our environment, unless it is told of no git."""
    folder, log = programs
    program = (
        "import sys\n"
        "from halgit.operator_settings import Access, SourceSpec\n"
        "from halgit.sources import open_source\n"
        "snapshot = open_source(SourceSpec(sys.argv[1]), Access(environment={'PATH': sys.argv[2]}))\n"
        "print(snapshot.read(['config']))\n"
        "snapshot.close()\n"
    )
    path = f"{folder}:{os.environ['PATH']}"
    environment = {
        "PATH": path,
        "TMPDIR": str(scratch),
        "HALGIT_PARAM_PASSWORD": CANARY,
        "GIT_PYTHON_REFRESH": "quiet",
        "GIT_PYTHON_GIT_EXECUTABLE": "/dev/null",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, f"file://{root}/repo", path],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{'config': b'a'}\n", done.stderr
    assert "call: git " in log.read_text()
    assert CANARY not in log.read_text()
