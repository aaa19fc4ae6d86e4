"""Which key names say something that only the operator may say: servers, logins, engines, what a run does.

Known from the operator's own types, so that a new option cannot be forgotten here. Only names are looked at.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache

from halgit.operator_settings import Access, OperatorSettings, SourceSpec, Trust

_OTHER_NAMES = (
    "repo", "repos", "source", "sources", "out", "target", "force", "engines", "allow engine", "allow namespace",
    "allow reference", "secrets mode", "no validate", "locked", "git token", "git password", "ssh key", "known hosts",
    "vault", "vault addr", "vault token", "vault url", "vault namespace", "vault server", "s3", "aws", "aws profile",
    "aws access key id", "aws secret access key", "endpoint", "server", "servers", "address", "token", "password",
    "credentials", "kubeconfig", "proxy", "http proxy", "https proxy", "ca", "insecure", "skip tls verify",
)  # fmt: skip
"""Options of the commands and common spellings that are no field of the operator's types."""


def belongs_to_operator(key: str) -> bool:
    """Whether a key, however it is spelt, names something of the operator's."""
    return _folded(key) in _names()


@cache
def _names() -> frozenset[str]:
    own = (field.name for kind in (Access, OperatorSettings, SourceSpec, Trust) for field in fields(kind))
    return frozenset(_folded(name) for name in (*own, *_OTHER_NAMES))


def _folded(key: str) -> str:
    return "".join(letter for letter in key.lower() if letter.isalnum())
