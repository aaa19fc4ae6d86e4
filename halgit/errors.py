"""The errors halgit raises on purpose, and the exit code of each.

    HalgitError                        the base; never raised itself
    ├── UsageError               2     an invalid option, name or combination
    ├── FindingsError            1     findings at or above --fail-on; carries them
    ├── DifferenceError          1     --check: a render would change the tree
    ├── SourceError              3     a source is unavailable
    ├── SecretError              4     a secret is unavailable
    ├── PublishError             5     the tree cannot be written, or its target is busy or not managed by halgit
    ├── AccountError             6     an account change conflicts or is refused
    └── RemoteError                    an outside system failed; raised only by `remotes/`
        ├── UnreachableError           no response in time, no route, unknown host name
        ├── RefusedError               the login failed or lacks permission
        ├── NotFoundError              the server responded, but the object does not exist
        ├── ThrottledError             the server asks to retry later (429, 503)
        ├── ConflictError              another writer changed the object first
        ├── UntrustedError             a certificate, host key or signature cannot be verified
        └── CorruptError               an invalid response: truncated, changed while being read, or too large

The caller of a remote converts a RemoteError into the error of its own stage: `sources.py` into SourceError, `secrets/`
into SecretError, `accounts/` into AccountError. An unconverted one ends with exit code 3.

A message names the place and the problem; `hint` names the next step. Neither ever contains a secret.
"""

from __future__ import annotations

from collections.abc import Sequence

from halgit.annotations import TYPE_CHECKING

if TYPE_CHECKING:
    from halgit.pipeline import Finding


class HalgitError(Exception):
    """Base class of all errors shown to users; `exit_code` is the exit code of the process."""

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(HalgitError):
    """An invalid option, name or combination of options."""

    exit_code = 2


class FindingsError(HalgitError):
    """Findings at or above `--fail-on`; nothing was written."""

    exit_code = 1

    def __init__(self, message: str, findings: Sequence[Finding], hint: str = "") -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)


class DifferenceError(HalgitError):
    """`--check` found that a render would change the tree."""

    exit_code = 1


class SourceError(HalgitError):
    """A source is unavailable: unreachable, refused, ref or path missing, invalid signature, lock drift."""

    exit_code = 3


class SecretError(HalgitError):
    """A secret is unavailable; the message has one line for each."""

    exit_code = 4


class PublishError(HalgitError):
    """The tree cannot be written, or its target is busy or not managed by halgit."""

    exit_code = 5


class AccountError(HalgitError):
    """An account change conflicts or is refused."""

    exit_code = 6


class DeployError(HalgitError):
    """Halyard refused or failed a deploy; `findings` are its problems."""

    exit_code = 7

    def __init__(self, message: str, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)


class RemoteError(HalgitError):
    """A failed request to an outside system."""

    exit_code = 3


class UnreachableError(RemoteError):
    """No response in time, no route, or an unknown host name."""


class RefusedError(RemoteError):
    """The login failed or lacks permission."""


class NotFoundError(RemoteError):
    """The server responded, but the object does not exist."""


class ThrottledError(RemoteError):
    """The server asks to retry later; `retry_after` is in seconds, None if unknown."""

    def __init__(self, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class ConflictError(RemoteError):
    """Another writer changed the object first."""


class UntrustedError(RemoteError):
    """A certificate, host key or signature cannot be verified."""


class CorruptError(RemoteError):
    """An invalid response: truncated, changed while it was being read, or too large."""
