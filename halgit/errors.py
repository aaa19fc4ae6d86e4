"""Every error halgit raises on purpose, and the exit code each one ends the program with.

    HalgitError                      the base; never raised itself
    ├── UsageError             2     an option, a name or a combination that cannot be
    ├── FindingsError          1     findings at or above --fail-on; carries them
    ├── DifferenceError        1     --check: a render would change the tree
    ├── SourceError            3     a source cannot be had
    ├── SecretError            4     a secret cannot be had
    ├── PublishError           5     the tree cannot be written, or its target is busy or not ours
    ├── AccountError           6     an account change conflicts or is refused
    ├── DeployError            7     Halyard refused or failed a deploy; carries its problems
    └── RemoteError                  an outside system said no; `remotes/` raises these, once, at the seam
        ├── Unreachable              no answer in time, no route, no name
        ├── Refused                  the login or its rights are not enough
        ├── Missing                  the server is there, the thing is not
        ├── Throttled                the server asks to come back later (429, 503)
        ├── Conflicting              somebody else wrote first
        ├── Untrusted                a certificate, host key or signature does not hold
        └── Corrupt                  an answer that cannot be right: cut short, changed while read, too large

The caller of a remote turns a RemoteError into the error of its own stage: `sources.py` into SourceError,
`resolve_secrets.py` into SecretError, `accounts/` into AccountError. One that nobody turned ends with 3.

A message names the place and the thing; `hint` names the next step. Neither ever holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halgit.pipeline import Finding


class HalgitError(Exception):
    """The base of all errors a user can meet; `exit_code` is what the process ends with."""

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(HalgitError):
    """The program was called in a way that cannot work."""

    exit_code = 2


class FindingsError(HalgitError):
    """There are findings at or above `--fail-on`; nothing was written."""

    exit_code = 1

    def __init__(self, message: str, findings: Sequence[Finding], hint: str = "") -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)


class DifferenceError(HalgitError):
    """`--check` found that a render would change the tree."""

    exit_code = 1


class SourceError(HalgitError):
    """A source cannot be had: unreachable, refused, ref or path missing, signature, lock drift."""

    exit_code = 3


class SecretError(HalgitError):
    """A secret cannot be had; one line of the message for each that is missing."""

    exit_code = 4


class PublishError(HalgitError):
    """The tree cannot be written, or its target is busy or not ours."""

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
    """An outside system said no."""

    exit_code = 3


class UnreachableError(RemoteError):
    """No answer in time, no route, no such name."""


class RefusedError(RemoteError):
    """The login failed or has no right to the thing."""


class NotFoundError(RemoteError):
    """The server is there, the thing is not."""


class ThrottledError(RemoteError):
    """The server asks to come back later; `retry_after` is in seconds, None where it did not say."""

    def __init__(self, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class ConflictError(RemoteError):
    """Somebody else wrote first."""


class UntrustedError(RemoteError):
    """A certificate, host key or signature does not hold."""


class CorruptError(RemoteError):
    """An answer that cannot be right: cut short, changed while it was read, or too large."""
