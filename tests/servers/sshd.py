"""A git server over ssh on loopback: OpenSSH's sshd, which lets a known key run `git-upload-pack` and no more."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
from pathlib import Path
from types import TracebackType

import needs
from servers.ports import free_port, wait_for
from servers.repositories import CLEAN

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv GIT_PROTOCOL
ForceCommand {folder}/serve
"""

_SERVE = """\
#!/bin/sh
printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >>{folder}/commands
case $SSH_ORIGINAL_COMMAND in "git-upload-pack '/"*"'") ;; *) echo 'fatal: not allowed here' >&2; exit 1 ;; esac
path=${{SSH_ORIGINAL_COMMAND#"git-upload-pack '"}}
exec env {environment} GIT_PROTOCOL="$GIT_PROTOCOL" git-upload-pack {root}"${{path%"'"}}"
"""


class OpenSshServer:
    """Serves the repositories below `root` to the holder of `key`, for the length of a with block.

    `key` and `known_hosts` are files for the client. sshd knows the users of the machine: `user` is the one that runs
    the tests.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._program = needs.program("/usr/sbin/sshd", "openssh-server")
        folder.mkdir(parents=True, exist_ok=True)
        self.user = getpass.getuser()
        self.port = free_port()
        self.known_hosts = folder / "known_hosts"
        self.key = folder / "key"
        self._folder = folder
        for name in ("host_key", "key"):
            keygen = [needs.program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f"]
            subprocess.run([*keygen, str(folder / name)], check=True)
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {(folder / 'host_key.pub').read_text()}")
        environment = " ".join(shlex.quote(f"{name}={value}") for name, value in CLEAN.items())
        (folder / "serve").write_text(_SERVE.format(folder=folder, root=root, environment=environment))
        (folder / "serve").chmod(0o755)
        (folder / "config").write_text(_CONFIG.format(port=self.port, folder=folder))

    @property
    def server(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def commands(self) -> list[str]:
        """What clients asked for."""
        log = self._folder / "commands"
        return log.read_text().splitlines() if log.exists() else []

    def __enter__(self) -> OpenSshServer:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Debian's service makes it
        arguments = [self._program, "-D", "-f", str(self._folder / "config"), "-E", str(self._folder / "log")]
        self._process = subprocess.Popen(arguments)
        wait_for(self.port, self._process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
