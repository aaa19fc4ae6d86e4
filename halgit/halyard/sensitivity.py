"""Which key names say that their value is a secret, whatever file they stand in.

Only names are looked at, never values. The halconfig's own marks are in `model`.
"""

from __future__ import annotations

import re
from functools import cache

from halgit.halyard import model
from halgit.pipeline import Path, Value
from halgit.redaction import MASK, Secret, SecretText

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SAYS_SECRET = re.compile(
    r"password|passwd|passphrase|secret|token|credential|privatekey|accesskey$|apikey$|appkey$|insertkey$|"
    r"encrypt(ion)?key$|signingkey$|kubeconfigcontents$"
)

_SAYS_WHERE = frozenset({
    "file", "files", "path", "paths", "name", "names", "uri", "url", "type", "types", "enabled", "attribute",
    "attributes", "header", "ttl", "timeout", "seconds", "minutes", "millis", "ms", "days", "expiration", "expiry",
    "manager", "engine", "endpoint", "mount", "mounts", "namespace", "interval", "algorithm", "lifetime", "location",
    "locations", "arn", "region",
})  # fmt: skip
"""A key that ends so says where the secret is or how long it holds, not the secret: `passwordFile`, `secretName`."""

_PULL_SECRETS = ("image", "pull", "secrets")
"""Kubernetes' `imagePullSecrets` lists names of secrets."""


def split_words(key: str) -> tuple[str, ...]:
    """The words of a camelCase, kebab-case, snake_case or dotted key, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(key))


@cache
def is_sensitive_key(key: str) -> bool:
    """Whether the value of a key of this name is to be masked: it says password, secret, token, credential or key."""
    parts = split_words(key.rsplit(".", 1)[-1])
    if not parts or parts[-3:] == _PULL_SECRETS or parts[-1] in _SAYS_WHERE:
        return False
    return bool(_SAYS_SECRET.search("".join(parts))) or "pwd" in parts


_REFERENCES = ("encrypted:", "encryptedFile:", "${{ secret", "${{secret")


def is_secret_value(path: Path, file: str = "", data: Value = None) -> bool:
    """Whether the value at a path is to be masked, whatever it is: by the model's marks, or by its key's name."""
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    return is_sensitive_key(key) or (file == "config" and model.is_secret_field(path, data))


def mask_value(value: Value, path: Path, file: str = "", data: Value = None) -> Value:
    """The value as it may be seen. A reference is no secret and is shown; so are numbers of other keys, and empties."""
    if isinstance(value, (Secret, SecretText)):
        return str(value)
    if isinstance(value, bytes):
        return MASK if is_secret_value(path, file, data) else f"({len(value)} bytes)"
    plain = isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""
    if plain and is_secret_value(path, file, data) and not str(value).startswith(_REFERENCES):
        return MASK
    return value
