"""age identities from the operator's key file, which open the data keys of files that SOPS encrypted.

Reads the lines `AGE-SECRET-KEY-1...` as `age-keygen` writes them, or one SSH private key. Nothing is started or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from halgit.errors import CorruptError, NotFoundError, RefusedError
from halgit.operator_settings import Access
from halgit.remotes.ssh_keys import find_key_problem

if TYPE_CHECKING:
    from pyrage import ssh, x25519

_OPTION = "--sops-age-key-file"


class AgeKeys:
    """The identities of the key file that `--sops-age-key-file` names; read when first used."""

    def __init__(self, access: Access) -> None:
        self._path = access.sops_age_key_file
        self._largest = access.largest_file
        self._redactor = access.redactor

    @property
    def is_set(self) -> bool:
        """True if the operator named a key file."""
        return bool(self._path)

    def decrypt(self, keys: Sequence[str]) -> bytes | None:
        """Return what one of these armored age files contains; None if no identity opens any of them.

        Raises RefusedError for a key file that cannot be read, CorruptError for one without a key.
        """
        import pyrage

        identities = self._identities()
        for key in keys:
            try:
                opened: bytes = pyrage.decrypt(key.encode("utf-8"), identities)
            except pyrage.DecryptError:
                continue
            return opened
        return None

    def _identities(self) -> Sequence[x25519.Identity | ssh.Identity]:
        from pyrage import IdentityError, x25519

        text = self._text()
        self._redactor.learn_credential(text)
        try:
            if b"-----BEGIN" in text:
                return [_read_ssh_key(text, self._path)]
            lines = [line.strip() for line in text.decode("ascii").splitlines()]
            found = [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
        except (IdentityError, UnicodeDecodeError):
            found = []
        if not found:
            hint = "Write a key with `age-keygen -o FILE`: a line that begins with AGE-SECRET-KEY-1."
            raise CorruptError(f"{_OPTION}: {self._path} contains no valid age key.", hint)
        return found

    def _text(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                return file.read(self._largest)
        except FileNotFoundError:
            raise NotFoundError(f"{_OPTION}: file {self._path} not found.", "Check the path.") from None
        except OSError as reason:
            message = f"{_OPTION}: {self._path} cannot be read: {reason.strerror}."
            raise RefusedError(message, "Check its permissions.") from None


def _read_ssh_key(text: bytes, path: str) -> ssh.Identity:
    """Return the SSH private key; raises CorruptError for one that is protected or of another type."""
    from pyrage import IdentityError, ssh

    problem, hint = find_key_problem(text)
    if problem:
        raise CorruptError(f"{_OPTION}: {path} {problem}.", hint)
    try:
        return ssh.Identity.from_buffer(text)
    except IdentityError:
        message = f"{_OPTION}: {path} is not an SSH key that age supports."
        raise CorruptError(message, "Use an ed25519 or RSA key, or a key of `age-keygen`.") from None
