"""The bytes of the files of a resolved tree. The only module that opens secrets; it writes nothing."""

from __future__ import annotations

from halgit.errors import SecretError
from halgit.pipeline import MISSING, File, Resolved
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
    if file.body is not None:
        return any(isinstance(value, (Secret, SecretText)) for value in file.splices.values())
    from halgit.vocabulary import gather_vocabulary

    return file.data is not MISSING and not gather_vocabulary(file.data).kinds.isdisjoint({Secret, SecretText})
