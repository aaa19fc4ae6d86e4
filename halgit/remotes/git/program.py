"""Run git through GitPython with a clean environment and a strict timeout, and convert its messages into errors.

GitPython would pass the whole environment of this process to git, and would miss child processes on a timeout, so its
`execute` is replaced. git reports reasons only as text, in English because of LC_ALL=C; the first matching pattern
decides, so specific patterns come before general ones. Server messages are redacted and shortened, never trusted.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from halgit.errors import NotFoundError, RefusedError, RemoteError, ThrottledError, UnreachableError, UntrustedError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access
from halgit.record import Record
from halgit.remotes.git.address import Address

if TYPE_CHECKING:
    from git import Git


NO_GIT = NotFoundError("The program git is not installed.", "Install git 2.31 or newer and add it to the PATH.")

ANSWER = "HALGIT_ANSWER"
"""The variable with the number of the open file that a password waits in."""


class Answer(Record):
    """Output and exit status of a program."""

    status: int
    output: bytes
    words: str


class RunningPrograms:
    """The child processes of one halgit run, across threads; `stop` kills them all."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        self.stopped = False

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            for process in self._processes:
                _kill(process)

    @contextmanager
    def track(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Run the block while the program runs. Raises KeyboardInterrupt when it was stopped meanwhile or before."""
        with self._lock:
            self._processes.add(process)
            if self.stopped:
                _kill(process)
        try:
            yield
        finally:
            with self._lock:
                self._processes.discard(process)
        if self.stopped:
            raise KeyboardInterrupt


def command_type(running_programs: RunningPrograms) -> type[Git]:
    """GitPython's `Git` with `start` and `finish` in place of its own way to run git."""
    try:
        from git import Git
    except ImportError:
        raise NO_GIT from None

    class Command(Git):
        """Commands see `environment()` only, and of open files the one ANSWER names in it."""

        def execute(  # type: ignore[override]
            self,
            command: Sequence[str],
            istream: int | IO[bytes] | None = None,
            as_process: bool = False,
            kill_after_timeout: float | None = None,
            **_: Any,
        ) -> Any:
            process = start(command, str(self.working_dir), self.environment(), istream)
            return (
                self.AutoInterrupt(process, command)
                if as_process
                else finish(process, running_programs, kill_after_timeout)
            )

    return Command


def start(
    command: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    stdin: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that it can be ended with all it started.

    It sees this environment only, and of open files its standard streams and the one whose number ANSWER holds.
    """
    try:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[int(environment[ANSWER])] if ANSWER in environment else [],
            start_new_session=True,
        )
    except FileNotFoundError:
        if command[0] == "git":
            raise NO_GIT from None
        raise NotFoundError(f"The program {command[0]} is not installed.", f"Install {command[0]}.") from None


def finish(process: subprocess.Popen[bytes], running_programs: RunningPrograms, limit: float | None = None) -> Answer:
    """Wait for the program's answer; raises Unreachable after `limit` seconds, when it and its children are gone."""
    with running_programs.track(process), process:
        try:
            output, words = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise UnreachableError(f"no response within {limit:g} seconds.") from None
        except BaseException:
            _end(process)
            raise
    return Answer(process.returncode, output, words.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole session and take in what is left of its output."""
    if _kill(process):
        process.communicate()


def _kill(process: subprocess.Popen[bytes]) -> bool:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class _Row(Record):
    words: re.Pattern[str]
    kind: type[RemoteError]
    message: str
    hint: str


def _pattern(words: str, kind: type[RemoteError], message: str, hint: str) -> _Row:
    return _Row(lazy_pattern(words, re.IGNORECASE), kind, message, hint)


_LATER = "Retry later, or check the server."
_NETWORK = "Check the URL, the network and the proxy variables."
_RIGHTS = "Check that the token or key is valid and has permission for this repository."
_SHOWN = "Check the URL; a private repository requires --git-token-file or --ssh-key-file."
_CA = "Add the server's CA certificate with --ca-file."
_KEYS = "Compare the server's host keys with the published ones and add them to --known-hosts-file."

_ROWS = (
    _pattern(r"cannot exec .*askpass", RemoteError, "the folder for temporary files does not allow executing programs.",
         "Set TMPDIR to a folder that does."),
    _pattern(r"cannot run ssh|ssh: (command )?not found", NotFoundError, "the program ssh is not installed.",
         "Install the OpenSSH client."),
    _pattern(r"No user exists for uid", RemoteError, "ssh requires an /etc/passwd entry for the user id of halgit.",
         "Add the entry, or use https://."),
    _pattern(r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed", UntrustedError,
         "the host key of {server} does not match --known-hosts-file.", _KEYS),
    _pattern(r"Host key verification failed|No .* host key is known", UntrustedError,
         "the host key of {server} is not in --known-hosts-file.", _KEYS),
    _pattern(r"Load key .*: (error in libcrypto|invalid format|incorrect passphrase)|no such identity", RefusedError,
         "--ssh-key-file is not a private key that ssh can use without a passphrase.",
         "Use the private key in OpenSSH or PEM format, without a passphrase."),
    _pattern(r"Permission denied \(|Too many authentication failures", RefusedError,
         "{server} rejected the ssh key.", _RIGHTS),
    _pattern(r"certificate has expired|certificate is not yet valid", UntrustedError,
         "the certificate of {server} is expired or not yet valid.", "Renew it, and check the clock of this machine."),
    _pattern(r"subject name|does not match (target )?host ?name|hostname mismatch", UntrustedError,
         "the certificate of {server} is for another host name.", "Use a host name of the certificate."),
    _pattern(r"error (setting|adding|reading) (certificate|trust|ca|cert)|CAfile.*(unreadable|not found)",
         UntrustedError,
         "the CA file is not usable.", "Set --ca-file to a PEM file."),
    _pattern(r"certificate problem|certificate verif|CERTIFICATE_VERIFY|signer not found|unknown ca", UntrustedError,
         "the certificate of {server} is signed by an untrusted CA.", _CA),
    _pattern(r"error: (407)|response 407|CONNECT tunnel failed|proxy", UnreachableError,
         "the proxy rejected the connection to {server}.", "Check the proxy variables."),
    _pattern(r"returned error: (301|302|303|307|308)", RefusedError,
         "{server} responded with a redirect, which is not followed, to keep credentials with their host.",
         "Use the repository's current URL (on GitLab it ends in .git)."),
    _pattern(r"returned error: (429|503)", ThrottledError, "{server} asks to retry later.", _LATER),
    _pattern(r"returned error: 5\d\d", UnreachableError, "{server} failed with a server error.", _LATER),
    _pattern(r"could not read (Username|Password)", RefusedError, "{server} requires credentials and none are set.",
         "Set --git-token-file (and --git-user)."),
    _pattern(r"Authentication failed|returned error: (401|403)|HTTP Basic: Access denied", RefusedError,
         "{server} rejected the login.", _RIGHTS),
    _pattern(r"repository .* not found|returned error: (404|410)|Repository not found|project you were looking for",
         NotFoundError, "repository not found, or not visible to this login.", _SHOWN),
    _pattern(r"not valid: is this a git repository|invalid server response|got HTML", NotFoundError,
         "{server} responded with a web page, not with a git repository.", "Check the URL, and that the login works."),
    _pattern(r"does not appear to be a git repository|No such file or directory|not a git repository", NotFoundError,
         "no git repository found.", "Check the path; write a plain directory without file://."),
    _pattern(r"Could not resolve (host|proxy)|Name or service not known|Temporary failure in name resolution",
         UnreachableError,
         "the host name {server} cannot be resolved.", _NETWORK),
    _pattern(r"Connection refused|Couldn't connect|Failed to connect|No route to host|Network is unreachable",
         UnreachableError, "{server} is unreachable.", _NETWORK),
    _pattern(r"timed out|Timeout|too slow|Operation too slow", UnreachableError,
         "{server} did not respond in time.", _NETWORK),
    _pattern(r"reset by peer|hung up unexpectedly|early EOF|Empty reply|unexpected disconnect|RPC failed|Broken pipe"
         r"|Connection closed|non-properly terminated|unexpected eof|transfer closed|HTTP/2 stream", UnreachableError,
         "{server} closed the connection.", _LATER),
    _pattern(r"SSL|gnutls|TLS|handshake", UntrustedError, "the TLS connection to {server} failed.",
         "Check that the URL has the right scheme and port."),
    _pattern(r"No space left on device|Disk quota", RemoteError, "the disk for temporary files is full.",
         "Free disk space, or set TMPDIR to another folder."),
    _pattern(r"mismatched algorithms|unknown object format|unsupported object", RemoteError,
         "the repository's object format is unsupported; only SHA-1 is supported.", "Convert the repository to SHA-1."),
    _pattern(r"Could not read from remote repository", NotFoundError,
         "repository not found, or not visible to this login.", _SHOWN),
    _pattern(r"unknown option|usage: git", RemoteError, "the program git is too old.", "Install git 2.31 or newer."),
)  # fmt: skip

_SAID = lazy_pattern(r"^(fatal|error|remote|ssh):.*", re.MULTILINE)
_NOT_SHOWN = lazy_pattern(r"[^\x20-\x7e\xa1-\uffff]+")
_LONGEST = 300


def translate_message(address: Address, words: str) -> RemoteError:
    """The error for a git that failed with these words on its stderr. Secrets have been taken out of them before."""
    server = address.server or "this machine"
    bare = words
    for name in filter(None, (address.url, address.path, address.server, address.host)):
        bare = bare.replace(name, " ")
    for row in _ROWS:
        if row.words.search(bare):
            return row.kind(f"{address.url}: {row.message.format(server=server)}", row.hint)
    return RemoteError(f"{address.url}: git reported: {summarize_message(words)}", "Check the URL and the repository.")


def summarize_message(words: str) -> str:
    """Return git's message on one line, short, and without terminal control characters."""
    lines = [found.group() for found in _SAID.finditer(words)] or words.strip().splitlines()[-1:]
    text = "; ".join(_NOT_SHOWN.sub(" ", line).strip() for line in lines) or "nothing"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


_KNOWN = ("PATH", "HOME", "XDG_CONFIG_HOME", "LANG")
"""Variables that git needs to find itself and the user's own ignore file."""


def is_ignored(path: Path, access: Access) -> bool | None:
    """Return whether git ignores this path; None where there is no git, no work tree, or no answer in time."""
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
