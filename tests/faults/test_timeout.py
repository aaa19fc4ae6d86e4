"""`--timeout` ends a whole run, wherever it is: in git, in a read, in a name server, in C code.

The runs go on at the same time, so that all together take as long as the slowest.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import needs
import pytest
from servers.http import Asked, Said, server

from halgit.publish import DISK

WORDS = "The run did not finish within 1 seconds. Raise --timeout, or see with --log-format json where the time goes."
CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
LATEST = 40
"""In seconds: 1, 10 until a run that waits in C code is ended, and 11 more if it lets no other thread run."""

RESOLVER = """
import socket, sys, time
socket.getaddrinfo = lambda *rest, **more: time.sleep(300)
from halgit.cli import main
main()
"""
IN_C = """
import ctypes, sys
from halgit.cli.output import Output
from halgit.cli.process import limit_run
library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
with limit_run(1, Output.current()):
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
"""
ALONE_IN_C = """
import ctypes
from halgit.cli.output import Output
from halgit.cli.process import limit_run
library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)  # PyDLL keeps the lock of the interpreter
with limit_run(1, Output.current()):
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
"""
LOOP = """
from halgit.validation import rule
from halgit.cli import main
def validate(*rest, **more):
    while True:
        pass
rule.validate = validate
main()
"""
"""A rule, a pattern or a schema check that does not end."""
IN_TIME = """
import time
from halgit.cli import process
from halgit.cli.output import Output
process._GRACE, process._HARD_GRACE, process._STACKS = 0.1, 0.1, 0.1
with process.limit_run(0.2, Output.current()):
    pass
time.sleep(2)
"""
PROGRAM = "from halgit.cli import main; main()"


class Started:
    """A run of the program, and how many seconds it took."""

    def __init__(self, code: str, *arguments: object, **environment: str) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
            cwd=needs.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> tuple[int, str, float]:
        """Exit code, messages and seconds; kills a run that goes on."""
        try:
            out, err = self._process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return self._process.returncode, out + err, time.monotonic() - self._began


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes requests and never answers."""
    end = threading.Event()

    def answer(request: Asked) -> Said:
        end.wait(120)
        return Said()

    with server(answer) as url:
        yield url
        end.set()


@pytest.fixture
def mute() -> Iterator[str]:
    """A port that takes connections and says nothing, so that no TLS handshake ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Path]:
    """A target that another run is publishing to."""
    work_folder = tmp_path / "busy" / ".hal.halgit"
    work_folder.mkdir(parents=True)
    descriptor = DISK.lock(work_folder / "lock")
    assert descriptor is not None
    yield tmp_path / "busy" / ".hal"
    DISK.close(descriptor)


@pytest.fixture
def repo(tmp_path: Path) -> Callable[[str, str], Path]:
    def build(name: str, reference: str) -> Path:
        profiles = tmp_path / name / "default" / "profiles"
        profiles.mkdir(parents=True)
        (tmp_path / name / "config").write_text(CONFIG)
        (profiles / "gate-local.yml").write_text(f"a: \"${{{{ secret('{reference}') }}}}\"\n")
        return tmp_path / name

    return build


def test_a_run_ends_wherever_it_is(
    tmp_path: Path, silent: str, mute: str, busy: Path, repo: Callable[[str, str], Path]
) -> None:
    options = ("--timeout", "1", "--retries", "5", "--no-validate", "--out", tmp_path / "out")
    vault = ("render", "--repo", repo("v", "vault://kv/x#k"), "--vault-address")
    plain = ("render", "--repo", repo("p", "noop://x"), "--secrets", "mask")
    s3 = ("render", "--repo", "s3://some-bucket/x", *options, "--s3-endpoint")
    aws = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
    runs = {
        "git": Started(PROGRAM, "render", "--repo", f"{silent}/repo", *options),
        "vault": Started(PROGRAM, *vault, silent, *options, VAULT_TOKEN="t"),
        "s3": Started(PROGRAM, *s3, silent, **aws),
        "handshake of git": Started(PROGRAM, "render", "--repo", f"{mute}/repo", *options),
        "handshake of vault": Started(PROGRAM, *vault, mute, *options, VAULT_TOKEN="t"),
        "handshake of s3": Started(PROGRAM, *s3, mute, **aws),
        "a rule": Started(LOOP, "validate", "--repo", repo("r", "noop://x"), "--timeout", "1"),
        "a busy target": Started(PROGRAM, *plain, "--timeout", "1", "--no-validate", "--out", busy),
        "name server": Started(RESOLVER, *vault, "http://vault.example.com", *options, VAULT_TOKEN="t"),
        "C code": Started(IN_C),
        "C code alone": Started(ALONE_IN_C),
    }  # fmt: skip
    ended = {name: run.end() for name, run in runs.items()}
    assert {name: code for name, (code, _, _) in ended.items()} == dict.fromkeys(runs, 3) | {
        "vault": 4, "handshake of vault": 4,
    }, ended  # fmt: skip
    assert {name for name, (_, _, seconds) in ended.items() if seconds > LATEST} == set()
    assert {name for name, (_, text, _) in ended.items() if WORDS in text} == {
        "name server", "C code", "a rule", "a busy target",
    }, ended  # fmt: skip
    assert 'File "<string>", line 8 in <module>' in ended["C code alone"][1]
    assert "Traceback" not in "".join(text for _, text, _ in ended.values())
    assert not (tmp_path / "out").exists()


def test_a_run_that_ends_in_time_is_not_ended_later() -> None:
    assert Started(IN_TIME).end()[:2] == (0, "")
