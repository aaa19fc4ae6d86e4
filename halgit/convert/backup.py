"""A `hal backup` archive as a tree: its files, with `{%halconfig-dir%}` replaced by the path of the tree."""

from __future__ import annotations

import io
import posixpath
import tarfile

from halgit.convert.tree_source import ConvertedTree
from halgit.errors import UsageError
from halgit.report.summaries import Decision

_FOLDER = b"{%halconfig-dir%}"
_HINT = "Pass the file that `hal backup create` wrote."
_LARGEST = 64 * 1024 * 1024
"""The most bytes that are read from an archive."""


def convert_backup(archive: bytes, name: str, hal_home: str) -> ConvertedTree:
    """Read the archive. Raises UsageError if it is not a tar archive with a `config`, or too large."""
    try:
        files = _read(archive)
    except (tarfile.TarError, EOFError, OSError) as reason:
        message = f"{name} is not a tar archive: {reason}"
        raise UsageError(message, "Pass the file that `hal backup create` wrote.") from None
    config = next((path for path in sorted(files, key=len) if posixpath.basename(path) == "config"), None)
    if config is None:
        raise UsageError(f"{name} contains no config.", _HINT)
    root = posixpath.dirname(config)
    inside = {posixpath.relpath(path, root or "."): text for path, text in files.items() if path.startswith(root)}
    replaced = [path for path, text in inside.items() if _FOLDER in text]
    tree = {path: text.replace(_FOLDER, hal_home.encode()) for path, text in inside.items()}
    hint = f"{_FOLDER.decode()} was replaced by {hal_home}. Pass --hal-home if the tree has another path."
    return ConvertedTree(tree, decisions=tuple(Decision(path, hint) for path in sorted(replaced)))


def _read(archive: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            path = posixpath.normpath(member.name).lstrip("/")
            if content is None or path.startswith(".."):
                continue
            files[path] = content.read(_LARGEST + 1)
            if sum(map(len, files.values())) > _LARGEST:
                raise tarfile.TarError(f"it contains more than {_LARGEST} bytes")
    return files
