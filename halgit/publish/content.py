"""The bytes of the files of a resolved tree. The only module that opens secrets; it writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from halgit.errors import SecretError
from halgit.pipeline import MISSING, File, Resolved, Value
from halgit.redaction import Secret, SecretText


def serialize(resolved: Resolved) -> dict[str, bytes]:
    """Encode every file, ordered by path, with secrets opened.

    Raises SecretError with every file where binary secret content is used as text.
    """
    contents: dict[str, bytes] = {}
    faults: list[str] = []
    for path, file in sorted(resolved.files.items()):
        try:
            contents[path] = _content(file)
        except UnicodeDecodeError as error:
            faults.append(f"{path}: {error.reason}.")
    if faults:
        raise SecretError("\n".join(faults), "Reference it with encryptedFile or secretFile in a local-file field.")
    return contents


def has_secrets(resolved: Resolved) -> bool:
    """Return whether `serialize` opens any secret of this tree; placeholder values are not secrets."""
    return bool(secret_files(resolved))


def secret_files(resolved: Resolved) -> frozenset[str]:
    """Return the files in which `serialize` opens a secret."""
    return frozenset() if resolved.masked else frozenset(path for path, file in resolved.files.items() if _holds(file))


def _content(file: File) -> bytes:
    from halgit import yaml as hyaml

    if isinstance(file.body, SecretText):
        return b"".join(
            part.encode("utf-8") if isinstance(part, str) else part.open_bytes() for part in file.body.parts
        )
    if file.body is not None:
        return hyaml.replace_scalars(file.body, file.splices, opened=True) if file.splices else file.body
    if file.data is MISSING:
        raise TypeError(f"{file.path} was never read")
    return hyaml.dump(file.data, opened=True)


def _holds(file: File) -> bool:
    if isinstance(file.body, SecretText):
        return True
    return _any_secret(file.splices.values() if file.body is not None else [file.data])


def _any_secret(values: Iterable[Value]) -> bool:
    todo = list(values)
    while todo:
        value = todo.pop()
        if isinstance(value, (Secret, SecretText)):
            return True
        if isinstance(value, dict):
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
    return False
