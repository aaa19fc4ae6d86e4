"""Makes the operator's own logins known to the redactor: a server may repeat what it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from halgit.halyard.sensitivity import is_sensitive_key
from halgit.operator_settings import Access
from halgit.redaction import Redactor


def learn_logins(access: Access, redactor: Redactor) -> None:
    """Mask the tokens and passwords of the environment, and those in the files that options name."""
    for name, value in access.environment.items():
        if is_sensitive_key(name):
            redactor.learn_login(value.encode("utf-8", "surrogateescape"))
    for path in _files(access):
        with suppress(OSError), open(path, "rb") as file:
            redactor.learn_login(file.read(access.largest_file))


def _files(access: Access) -> Iterator[str]:
    for given in (access.git_token_file, access.vault_token_file, access.vault_secret_file):
        yield from filter(None, (given.default, *given.hosts.values()))
