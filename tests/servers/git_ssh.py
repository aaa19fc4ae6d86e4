"""A git server over ssh on loopback: asyncssh in a thread, which lets a known key run `git-upload-pack` and no more."""

from __future__ import annotations

import asyncio
import shlex
import threading
from asyncio.subprocess import PIPE
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import asyncssh
import needs
from servers.repositories import CLEAN


class GitSshServer:
    """Serves the repositories below `root` to the holder of `key`, for the length of a with block.

    `key` and `known_hosts` are files for the client, `other_key` one the server does not know.
    """

    user = "git"

    def __init__(self, root: Path, folder: Path, *, ignore_progress: bool = False) -> None:
        needs.program("ssh", "openssh-client")
        folder.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.ignore_progress = ignore_progress
        self.users: list[str] = []
        self.commands: list[str] = []
        self.port = 0
        self.key, public = _key(folder / "key")
        self.other_key, _ = _key(folder / "other_key")
        self.known_hosts = folder / "known_hosts"
        self._public = public
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def server(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> GitSshServer:
        self._thread.start()
        assert self._started.wait(30), "the ssh server did not start"
        host = self._host_key.export_public_key().decode().strip()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {host}\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        listener = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(self._public),
            process_factory=self._handle,
            encoding=None,
        )
        self.port = listener.get_port()
        self._started.set()
        await self._stop.wait()
        listener.close()
        await listener.wait_closed()

    async def _handle(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.users.append(process.get_extra_info("username"))
        self.commands.append(process.command or "")
        if self.ignore_progress:
            await self._stop.wait()
            process.exit(1)
            return
        program, path = shlex.split(process.command or "git-upload-pack ''")
        place = (self.root / path.lstrip("/")).resolve()
        if program != "git-upload-pack" or self.root.resolve() not in place.parents:
            process.stderr.write(b"fatal: not allowed here\n")
            process.exit(1)
            return
        environment = {**CLEAN, "GIT_PROTOCOL": process.env.get("GIT_PROTOCOL", "")}
        served = await asyncio.create_subprocess_exec(
            program, str(place), env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        assert served.stdin is not None
        assert served.stdout is not None
        assert served.stderr is not None
        asking = asyncio.create_task(_pump(process.stdin, served.stdin))
        await asyncio.gather(_pump(served.stdout, process.stdout), _pump(served.stderr, process.stderr))
        process.exit(await served.wait())
        await process.wait_closed()
        asking.cancel()


async def _pump(source: Any, target: Any) -> None:
    """Carry bytes until the source ends or the target has gone."""
    with suppress(BrokenPipeError, ConnectionError, asyncssh.Error):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.write_eof()


def _key(file: Path) -> tuple[Path, str]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    file.write_bytes(key.export_private_key())
    file.chmod(0o600)
    return file, key.export_public_key().decode()
