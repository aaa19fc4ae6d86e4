"""Files of the operator, read up to a bound, and private temporary files of one run: work folders and CA bundles.

A work folder belongs to one run, which holds a lock in it and removes it at its end. A folder without a lock holder is
left over from a killed run, may contain keys, and is removed by the next run of any command.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from _thread import allocate_lock
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from halgit.annotations import Final
from halgit.errors import RemoteError, UntrustedError
from halgit.operator_settings import Access

_PREFIX: Final = "halgit-git-"
_LOCK: Final = "held"
_NO_FOLDER: Final = "Set TMPDIR to a writable folder."
_CA: Final = "Fix --ca-file."


LARGEST_FILE: Final = 10 * 1024 * 1024
"""Bytes of a file that an option or a variable names."""


def read_operator_file(path: Path | str) -> bytes:
    """Return the content of a file that the operator names. Raises OSError, also for one above LARGEST_FILE."""
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


class PrivateFolder:
    """A new folder for temporary files of this user. Raises RemoteError if none can be created."""

    def __init__(self, access: Access) -> None:
        import tempfile

        top = temporary_folder(access.environment)
        remove_leftovers(access.environment)
        try:
            self.path = tempfile.mkdtemp(prefix=_PREFIX, dir=top)
        except OSError as reason:
            message = f"No writable folder for temporary files: {top}: {reason.strerror}."
            raise RemoteError(message, _NO_FOLDER) from None
        # Locked before it has the name that other runs look for.
        early = os.path.join(self.path, _LOCK + ".new")
        self._lock = os.open(early, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(early, os.path.join(self.path, _LOCK))

    def close(self) -> None:
        """Remove the folder and its content."""
        import shutil

        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def temporary_folder(environment: Mapping[str, str]) -> str:
    """Return the folder for temporary files. Raises RemoteError that names TMPDIR if there is none."""
    folder = environment.get("TMPDIR") or ("/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else "")
    if folder:
        return folder
    import tempfile

    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        message = "No writable folder for temporary files: TMPDIR is not set, and /tmp is not writable."
        raise RemoteError(message, _NO_FOLDER) from None


def remove_leftovers(environment: Mapping[str, str]) -> None:
    """Remove this user's folders that no run holds any more; what cannot be removed stays."""
    with suppress(OSError, RemoteError), os.scandir(temporary_folder(environment)) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and _is_own(entry) and _is_free(os.path.join(entry.path, _LOCK)):
                import shutil

                shutil.rmtree(entry.path, ignore_errors=True)


def _is_own(entry: os.DirEntry[str]) -> bool:
    status = entry.stat(follow_symlinks=False)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _is_free(lock: str) -> bool:
    try:
        file = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def shown_path(path: str) -> str:
    """Return a path of an option as messages show it; what does not look like a path may be a token."""
    return path if path.startswith(("/", "./", "../")) else "(not shown)"


def ca_bundle(access: Access, ca_file: str) -> str:
    """Return a file with the system's CA certificates and those of `--ca-file`, which are added to them.

    Raises UntrustedError for a file that does not exist or is not PEM.
    """
    bundles = access.cache.get_or_create((_Bundles, "ca-bundles"), lambda: _Bundles(access))
    return bundles.find(ca_file)


def write_ca_bundle(path: Path, ca_file: str) -> str:
    """Write the system's CA certificates and those of `ca_file` to a file, and return its path."""
    path.write_bytes(_system_certificates() + b"\n" + _read_certificates(ca_file))
    return str(path)


class _Bundles:
    """The CA bundles of one run, by the file that was added."""

    def __init__(self, access: Access) -> None:
        self._folder = PrivateFolder(access)
        self._lock = allocate_lock()
        self._files: dict[str, str] = {}

    def find(self, ca_file: str) -> str:
        with self._lock:  # sources are opened in parallel
            if ca_file not in self._files:
                path = Path(self._folder.path, f"ca-{len(self._files)}.pem")
                self._files[ca_file] = write_ca_bundle(path, ca_file)
            return self._files[ca_file]

    def close(self) -> None:
        self._folder.close()


def _read_certificates(ca_file: str) -> bytes:
    try:
        content = read_operator_file(ca_file)
    except OSError as reason:
        what = "does not exist" if isinstance(reason, FileNotFoundError) else f"cannot be read: {reason.strerror}"
        raise UntrustedError(f"The CA file {ca_file} {what}.", _CA) from None
    if b"-----BEGIN" not in content:
        raise UntrustedError(f"The CA file {ca_file} contains no PEM certificate.", _CA)
    return content


def _system_certificates() -> bytes:
    """Return the certificates that OpenSSL trusts on this machine, or else those of certifi, or nothing."""
    import ssl

    paths = ssl.get_default_verify_paths()
    with suppress(ImportError):
        import certifi

        for path in (paths.cafile, certifi.where()):
            with suppress(OSError, TypeError):
                return read_operator_file(path or "")
    return b""
