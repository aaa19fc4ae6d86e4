"""A private folder with one bare repository in it, and git run there: by itself, or against one server.

git sees an environment made here and no configuration of user or machine. No hook, filter, submodule, credential
helper or background work ever runs, and the one transport of the address is the only one allowed, for commands that
go online only. The folder is removed on `close`. What to fetch is decided elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from halgit.errors import CorruptError, RemoteError, UnreachableError
from halgit.operator_settings import Access
from halgit.remotes import files
from halgit.remotes.git.address import Address
from halgit.remotes.git.login import log_in
from halgit.remotes.git.program import (
    Answer,
    RunningPrograms,
    command_type,
    finish,
    start,
    summarize_message,
    translate_message,
)
from halgit.remotes.http import retry
from halgit.remotes.private_files import PrivateFolder

if TYPE_CHECKING:
    from git import Git

REMOTE = "origin"
_CHUNK = 64 * 1024
_LARGEST_LISTING = 64 * 1024 * 1024

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "fetch.negotiationAlgorithm=noop",
    "advice.detachedHead=false",
)

_LOCAL_SERVER = """[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[safe]
"""
"""Configuration of git's serving half for a file URL: serve the one folder the operator named, whoever owns it."""


class WorkDirectory:
    """Work directory for one remote repository. Not for several threads at once."""

    def __init__(self, address: Address, access: Access) -> None:
        self.address = address
        self._private = PrivateFolder(access)
        self.folder = Path(self._private.path)
        try:
            self._access = access
            self._login = log_in(address, access, self.folder)
            self.git = self._prepare()
        except BaseException:
            self._private.close()
            raise

    def close(self) -> None:
        """End git's processes and remove the folder."""
        self.git.clear_cache()
        self._private.close()

    def log_in_again(self, access: Access) -> None:
        """Take the login as it is now: a token file may have been rotated since. Raises UsageError."""
        self._login = log_in(self.address, access, self.folder)

    def reset(self) -> None:
        """Forget all that was fetched."""
        self.git.clear_cache()
        shutil.rmtree(self._repository)
        self.git = self._prepare()

    def run_local(self, command: str, *arguments: str, settings: Sequence[str] = (), **environment: str) -> Answer:
        """Run a git command that needs no server; whether it went well is for the caller to see."""
        git = self.git(c=list(settings)) if settings else self.git
        with self.git.custom_environment(**environment):
            answer: Answer = getattr(git, command)(*arguments, kill_after_timeout=self._access.timeout)
        return answer

    def list_files(self, tree: str) -> bytes | None:
        """Run `git ls-tree -r -z`; None if there is no such tree.

        The output is read as it comes, and git is stopped at the limit: trees that name one tree many times list
        billions of files from a few objects. Raises CorruptError then.
        """
        process = self.git.ls_tree("-r", "-z", "--full-tree", tree, as_process=True)
        found = bytearray()
        count = 0
        try:
            while chunk := process.proc.stdout.read(_CHUNK):
                found += chunk
                count += chunk.count(b"\0")
                if count > files.MAX_FILES or len(found) > _LARGEST_LISTING:
                    process.proc.kill()
                    raise files.too_many_files(self.address.url)
            return None if process.proc.wait() else bytes(found)
        finally:
            process.proc.stdout.close()
            process.proc.stderr.close()
            process.proc.wait()

    def require_output(self, command: str, *arguments: str) -> bytes:
        """The output of a git command that needs no server and cannot fail unless something is broken."""
        answer = self.run_local(command, *arguments)
        if answer.status:
            raise CorruptError(
                f"{self.address.url}: git reported: {summarize_message(answer.words)}", "Check the repository."
            )
        return answer.output

    def size(self, id: str) -> int:
        """The length of an object that is here, in bytes."""
        try:
            return self.git.get_object_header(id)[2]
        except (ValueError, OSError):
            raise self._missing_object(id) from None

    def content(self, id: str) -> bytes:
        """An object that is here."""
        try:
            return self.git.stream_object_data(id)[3].read()
        except (ValueError, OSError):
            raise self._missing_object(id) from None

    def _missing_object(self, id: str) -> RemoteError:
        return CorruptError(
            f"{self.address.url}: the server did not send object {id}.", "Check the repository with git fsck."
        )

    def run(self, program: str, *arguments: str, **environment: str) -> Answer:
        """Run another program in the private folder, in git's environment."""
        process = start([program, *arguments], str(self.folder), {**self._environment(), **environment})
        return finish(process, running_programs(self._access), self._access.timeout)

    def run_online(self, doing: str, command: str, *arguments: str, stdin: bytes = b"", unless: str = "") -> Answer:
        """Run a git command that talks to the server; `doing` is the progress message.

        The time limit is for all tries together. Raises the RemoteError that fits git's words, unless they hold what
        `unless` matches: then the answer says so. Faults that may pass are tried again.
        """
        self._access.progress(f"{self.address.url}: {doing}")
        end = time.monotonic() + self._access.timeout
        return retry(
            lambda: self._ask([command, *arguments], stdin, unless, max(1.0, end - time.monotonic())),
            retries=self._access.retries,
            deadline=self._access.timeout,
        )

    def _ask(self, command: Sequence[str], stdin: bytes, unless: str, limit: float) -> Answer:
        with tempfile.TemporaryFile(dir=self.folder) as given:
            given.write(stdin)
            given.seek(0)
            try:
                answer = self._call(command, given, limit)
            except UnreachableError:
                raise UnreachableError(
                    f"{self.address.url}: no response within {self._access.timeout:g} seconds.",
                    "Check the network and the server, or raise --timeout.",
                ) from None
        words = self._login.redactor.clean(answer.words)
        if answer.status and not (unless and re.search(unless, words)):
            raise translate_message(self.address, words)
        return Answer(answer.status, answer.output, words)

    def _call(self, command: Sequence[str], stdin: IO[bytes], limit: float) -> Answer:
        """One run of git with the login at hand and its transport allowed."""
        name, *arguments = command
        settings = [f"remote.{REMOTE}.url={self.address.url}", *self._login.settings]
        with (
            self._login.prepare_environment() as environment,
            self.git.custom_environment(**environment, GIT_ALLOW_PROTOCOL=self.address.scheme),
        ):
            answer: Answer = getattr(self.git(c=settings), name)(*arguments, istream=stdin, kill_after_timeout=limit)
        return answer

    @property
    def _repository(self) -> Path:
        return self.folder / "repository"

    def _prepare(self) -> Git:
        if self.address.scheme == "file":
            (self.folder / ".gitconfig").write_text(_local_server(self.address.path), encoding="utf-8")
        self._repository.mkdir(mode=0o700)
        git = command_type(running_programs(self._access))(str(self._repository))
        git.update_environment(**self._environment())
        git.set_persistent_git_options(c=list(_SETTINGS))
        answer: Answer = git.init("--quiet", "--bare", "--template=")
        if answer.status:
            raise RemoteError(
                f"git failed to start: {summarize_message(answer.words)}", "Check the installation of git."
            )
        return git

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": self._access.environment.get("PATH") or os.defpath,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "LC_ALL": "C",
            "LANGUAGE": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }


def running_programs(access: Access) -> RunningPrograms:
    """The programs that run with this access; the same for all its sources."""
    return access.cache.get_or_create((RunningPrograms, "programs"), RunningPrograms)


def _local_server(path: str) -> str:
    """Git's configuration for its own serving half, with the folder under all names git may know it by."""
    named = path.rstrip("/")
    places = [place + inside for place in {named, os.path.realpath(named)} for inside in ("", "/.git")]
    escaped = (place.replace("\\", "\\\\").replace('"', '\\"') for place in places)
    return _LOCAL_SERVER + "".join(f'\tdirectory = "{place}"\n' for place in escaped)
