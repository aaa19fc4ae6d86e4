"""Servers that break, stall or are not there: what is tried again, when it ends, and what is said."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import needs
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from servers.git_http import GitHttpServer, Reply, Request
from servers.git_ssh import GitSshServer
from servers.repositories import Repository

from halgit.errors import NotFoundError, RemoteError, SourceError, ThrottledError, UnreachableError
from halgit.operator_settings import Access, SourceSpec
from halgit.sources import open_source


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = Repository(tmp_path / "served" / "repo")
    made.commit({"config": "a"})
    made.git("config", "uploadpack.allowFilter", "true")
    return made.folder.parent


@pytest.fixture
def server(root: Path) -> Iterator[GitHttpServer]:
    with GitHttpServer(root) as running:
        yield running


def failure(url: str, access: Access) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(SourceSpec(url), access)
    return caught.value


def first(count: int, reply: Reply) -> Callable[[Request], Reply | None]:
    """Answers the first requests with this reply and leaves the rest to git."""
    left = iter(range(count))
    return lambda request: reply if next(left, None) is not None else None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503),
        Reply(500),
        Reply(502),
        Reply(429),
        Reply(ignore_progress=True),
        Reply(headers={"Content-Length": "999"}),
    ],
    ids=["503", "500", "502", "429", "hangs up", "cut short"],
)
def test_a_fault_that_may_pass_is_tried_again(
    server: GitHttpServer, access: Callable[..., Access], reply: Reply
) -> None:
    server.rule = first(2, reply)
    with closing(open_source(SourceSpec(f"{server.url}/repo"), access(retries=2))) as snapshot:
        server.rule = first(2, reply)
        assert snapshot.read(["config"]) == {"config": b"a"}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(503), ThrottledError, "asks to retry later. Retry later, or check the server."),
        (Reply(500), UnreachableError, "failed with a server error. Retry later, or check the server."),
        (
            Reply(ignore_progress=True),
            UnreachableError,
            "closed the connection. Retry later, or check the server.",
        ),
    ],
)
def test_the_tries_are_bounded(
    server: GitHttpServer, access: Callable[..., Access], reply: Reply, kind: type[RemoteError], words: str
) -> None:
    server.rule = lambda request: reply
    error = failure(f"{server.url}/repo", access(retries=2))
    assert isinstance(error.__cause__, kind)
    assert str(error) == f"{server.url}/repo: 127.0.0.1:{server.port} {words}"
    assert len(server.seen) == 3


def test_nobody_listens(access: Callable[..., Access]) -> None:
    needs.program("git", "git")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{probe.getsockname()[1]}"
        error = failure(f"http://{server}/repo", access(retries=1))
    assert isinstance(error.__cause__, UnreachableError)
    assert str(error) == (
        f"http://{server}/repo: {server} is unreachable. Check the URL, the network and the proxy variables."
    )


def test_a_name_that_does_not_resolve(access: Callable[..., Access]) -> None:
    needs.program("git", "git")
    error = failure("https://git.invalid/repo", access())
    assert isinstance(error.__cause__, UnreachableError)
    assert str(error) == (
        "https://git.invalid/repo: the host name git.invalid cannot be resolved. "
        "Check the URL, the network and the proxy variables."
    )


def test_what_is_no_git_server(server: GitHttpServer, access: Callable[..., Access]) -> None:
    server.rule = lambda request: Reply(200, b"<html>hello</html>", {"Content-Type": "text/html"})
    error = failure(f"{server.url}/repo", access())
    assert isinstance(error.__cause__, NotFoundError)


def test_words_of_a_server_are_shown_clean_and_short(server: GitHttpServer, access: Callable[..., Access]) -> None:
    words = b"\x1b[2Jevil \r\n::error::" + b"x" * 5000
    server.rule = lambda request: Reply(418, words, {"Content-Type": "text/plain"})
    error = failure(f"{server.url}/repo", access())
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 600


def test_no_repository_in_a_folder(tmp_path: Path, access: Callable[..., Access]) -> None:
    needs.program("git", "git")
    error = failure(f"file://{tmp_path}", access())
    assert str(error) == (
        f"file://{tmp_path}: no git repository found. Check the path; write a plain directory without file://."
    )


class TestTime:
    def test_a_server_that_stalls_is_left_with_all_that_was_started(
        self, server: GitHttpServer, access: Callable[..., Access], tmp_path: Path
    ) -> None:
        reached, go_on = threading.Event(), threading.Event()

        def hold(request: Request) -> None:
            reached.set()
            go_on.wait(60)

        server.rule = hold
        marked = f"{os.environ['PATH']}:{tmp_path}/marked"
        error = failure(f"{server.url}/repo", access({"PATH": marked}, timeout=1, retries=0))
        assert reached.is_set()
        assert isinstance(error.__cause__, UnreachableError)
        assert str(error).startswith(f"{server.url}/repo: ")
        assert running_with(f"PATH={marked}") == []
        go_on.set()

    def test_the_limit_itself(self, root: Path, access: Callable[..., Access], tmp_path: Path) -> None:
        """ssh waits for ever for a server that has taken the command and says nothing."""
        with GitSshServer(root, tmp_path / "ssh", ignore_progress=True) as ssh:
            marked = f"{os.environ['PATH']}:{tmp_path}/marked"
            allowed = access({"PATH": marked}, ssh_key_file=ssh.key, known_hosts_file=ssh.known_hosts, timeout=2)
            url = f"ssh://{ssh.server}/repo"
            error = failure(url, allowed)
            assert ssh.commands == ["git-upload-pack '/repo'"]
            assert running_with(f"PATH={marked}") == []
        assert str(error) == (
            f"{url}: no response within 2 seconds. Check the network and the server, or raise --timeout."
        )

    def test_an_interrupt_ends_git_and_removes_its_folder(
        self, server: GitHttpServer, access: Callable[..., Access], tmp_path: Path, scratch: Path
    ) -> None:
        reached, go_on = threading.Event(), threading.Event()

        def hold(request: Request) -> None:
            reached.set()
            go_on.wait(60)

        server.rule = hold
        program = (
            "import signal, sys\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it\n"
            "from halgit.operator_settings import Access, SourceSpec\n"
            "from halgit.sources import open_source\n"
            "open_source(SourceSpec(sys.argv[1]), Access(environment={'PATH': sys.argv[2], 'TMPDIR': sys.argv[3]}))\n"
        )
        marked = f"{os.environ['PATH']}:{tmp_path}/marked"
        with subprocess.Popen(
            [sys.executable, "-c", program, f"{server.url}/repo", marked, str(scratch)], stderr=subprocess.PIPE
        ) as child:
            assert reached.wait(60)
            child.send_signal(signal.SIGINT)
            _, words = child.communicate(timeout=60)
        assert b"KeyboardInterrupt" in words
        assert running_with(f"PATH={marked}") == []
        go_on.set()


def running_with(variable: str) -> list[str]:
    """The commands of all processes whose environment has this; a killed one may take a moment to go."""
    for _ in range(50):
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        if not found:
            return []
        time.sleep(0.02)
    return found


def test_git_is_not_there(root: Path, access: Callable[..., Access], tmp_path: Path) -> None:
    error = failure(f"file://{root}/repo", access({"PATH": str(tmp_path)}))
    assert isinstance(error.__cause__, NotFoundError)
    assert str(error) == (
        f"file://{root}/repo: The program git is not installed. Install git 2.31 or newer and add it to the PATH."
    )


def test_git_is_not_there_when_gitpython_is_imported(tmp_path: Path) -> None:
    program = (
        "from halgit.operator_settings import Access, SourceSpec\n"
        "from halgit.sources import open_source\n"
        "open_source(SourceSpec('file:///nowhere'), Access())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == (
        "halgit.errors.SourceError: file:///nowhere: The program git is not installed. "
        "Install git 2.31 or newer and add it to the PATH."
    )


def test_ssh_is_not_there(access: Callable[..., Access], tmp_path: Path) -> None:
    needs.program("git", "git")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(shutil.which(name) or name)
    key = tmp_path / "key"
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    key.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*pem))
    error = failure("git@127.0.0.1:a", access({"PATH": str(programs)}, ssh_key_file=key, known_hosts_file=key))
    assert str(error) == "git@127.0.0.1:a: the program ssh is not installed. Install the OpenSSH client."


def test_no_place_for_temporary_files(root: Path, access: Callable[..., Access], tmp_path: Path) -> None:
    error = failure(f"file://{root}/repo", access({"TMPDIR": f"{tmp_path}/nowhere"}))
    assert str(error) == (
        f"file://{root}/repo: No writable folder for temporary files: {tmp_path}/nowhere: No such file or directory. "
        "Set TMPDIR to a writable folder."
    )


def test_what_is_read_after_the_server_has_gone(server: GitHttpServer, access: Callable[..., Access]) -> None:
    with closing(open_source(SourceSpec(f"{server.url}/repo"), access())) as snapshot:
        server.rule = lambda request: Reply(500)
        with pytest.raises(UnreachableError) as caught:
            snapshot.read(["config"])
    assert str(caught.value).startswith(f"{server.url}/repo: ")
