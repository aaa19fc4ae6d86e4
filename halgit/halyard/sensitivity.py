"""Sensitivity of values: secrets by type, by the annotations of Halyard's model, or by key name.

Every output that quotes a value (explain, differences, findings, reports) uses this module. Pure.
"""

from __future__ import annotations

from functools import cache

from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.redaction import MASK, Secret, SecretText

_WORD = lazy_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SECRET_WORDS = lazy_pattern(
    r"password|passwd|passphrase|secret|token|credential|privatekey|accesskey$|apikey$|appkey$|insertkey$|"
    r"encrypt(ion)?key$|signingkey$|keydata$|kubeconfigcontents$"
)

_LOCATION_WORDS = frozenset({
    "file", "files", "path", "paths", "name", "names", "uri", "url", "type", "types", "enabled", "attribute",
    "attributes", "header", "ttl", "timeout", "seconds", "minutes", "millis", "ms", "days", "expiration", "expiry",
    "manager", "engine", "endpoint", "mount", "mounts", "namespace", "interval", "algorithm", "lifetime", "location",
    "locations", "arn", "region",
})  # fmt: skip
"""Last words of keys that describe where a secret is, not the secret itself: `passwordFile`, `secretName`."""

_PULL_SECRETS = ("image", "pull", "secrets")
"""`imagePullSecrets` of Kubernetes lists names of Secrets."""


def split_words(key: str) -> tuple[str, ...]:
    """Split a camelCase, kebab-case, snake_case or dotted key into words, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(key))


@cache
def is_sensitive_key(key: str) -> bool:
    """Return whether the value of a key is masked, because the key matches password, secret, token or the like.

    A key that is only `key` counts with the one above it, if the path is dotted: `encrypt.key`.
    """
    above, _, last = key.rpartition(".")
    parts = split_words(key if last == "key" else last) if above else split_words(key)
    if not parts or parts[-3:] == _PULL_SECRETS or parts[-1] in _LOCATION_WORDS:
        return False
    return bool(_SECRET_WORDS.search("".join(parts))) or "pwd" in parts


_REFERENCES = ("encrypted:", "encryptedFile:", "${{ secret", "${{secret")


def is_secret_value(path: Path, file: str = "", data: Value = None) -> bool:
    """Return whether the value at a path is masked, by the model's annotations or by its key."""
    keys = [str(step) for step in path if isinstance(step, str)]
    key = ".".join(keys[-2:]) if keys[-1:] == ["key"] else "".join(keys[-1:])
    if is_sensitive_key(key) or file != "config":
        return is_sensitive_key(key)
    from halgit.halyard import model

    return model.is_secret_field(path, data)


def mask_value(value: Value, path: Path, file: str = "", data: Value = None) -> Value:
    """Return the value as it may be shown. References and empty strings are not secrets."""
    if isinstance(value, (Secret, SecretText)):
        return str(value)
    if isinstance(value, bytes):
        return MASK if is_secret_value(path, file, data) else f"({len(value)} bytes)"
    plain = isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""
    if plain and is_secret_value(path, file, data) and not str(value).startswith(_REFERENCES):
        return MASK
    return value
