"""How a value of the tree may be shown: masked where it is a secret, by its type, its field, or its key's name.

Every room that quotes a value (explain, differences, findings, reports) asks here. Pure.
"""

from __future__ import annotations

from halgit.halyard import model, sensitive
from halgit.pipeline import Path, Value
from halgit.redaction import MASK, Secret, Woven

_REFERENCES = ("encrypted:", "encryptedFile:", "${{ secret", "${{secret")


def is_secret(path: Path, file: str = "", data: Value = None) -> bool:
    """Whether the value at a path is to be masked, whatever it is: by the model's marks, or by its key's name."""
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    return sensitive.is_sensitive_key(key) or (file == "config" and model.is_secret(path, data))


def shown(value: Value, path: Path, file: str = "", data: Value = None) -> Value:
    """The value as it may be seen. A reference is no secret and is shown; so are numbers of other keys, and empties."""
    if isinstance(value, (Secret, Woven)):
        return str(value)
    if isinstance(value, bytes):
        return MASK if is_secret(path, file, data) else f"({len(value)} bytes)"
    plain = isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""
    if plain and is_secret(path, file, data) and not str(value).startswith(_REFERENCES):
        return MASK
    return value
