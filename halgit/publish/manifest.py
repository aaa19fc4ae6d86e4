"""`.halgit.json`: the record of a published tree, by which halgit recognizes its own trees.

Versions, sources and a mark for each file; never a value, never a time: an unchanged render gives the same bytes. Pure:
nothing is read or written here. A `.halgit.json` that is not exactly of this form is not ours, and nor is the tree
around it.

The mark of a file is `sha256:DIGEST`. A digest would let anybody test guesses of a secret, so that the mark of a file
that may hold one is `secret:SIZE:ID`, with a random ID. Such a file is as halgit wrote it if it has this size and the
modification time of `.halgit.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from halgit import __version__
from halgit.annotations import Any
from halgit.errors import PublishError
from halgit.lazy import sha256
from halgit.pipeline import EMPTY, Resolved, SecretsMode, SourceId
from halgit.publish.content import secret_files
from halgit.record import Record, to_dict

MANIFEST = ".halgit.json"
WORK = ".halgit"
"""halgit's private folder inside a target that can have nothing beside it."""

SECRET = "secret:"
_FORMAT = 1
_MASKED = "The secrets in this tree are placeholder values. Halyard can load it, but services cannot run with it."


class Inputs(Record):
    """Return a digest of the inputs of a tree; `files` were read, for each source without a revision.

    `stamps` is a digest of the sizes and times of these files, never of their contents. `findings` is their number, and
    `secrets` whether the tree has values of secrets, which may change.
    """

    digest: str
    stamps: str = ""
    files: tuple[tuple[str, ...], ...] = ()
    findings: int = 0
    secrets: bool = False


class Manifest(Record):
    """The inputs of a rendered tree. `versions` are the versions of secrets by address.

    `secret_files` are files that may hold a secret, and `marks` the marks of all files, if they are known.
    """

    sources: tuple[SourceId, ...] = ()
    overlay: str = ""
    secrets: SecretsMode = "resolve"
    masked: bool = False
    versions: Mapping[str, str] = EMPTY
    inputs: Inputs | None = None
    secret_files: frozenset[str] = frozenset()
    marks: Mapping[str, str] = EMPTY

    @classmethod
    def of(
        cls,
        resolved: Resolved,
        secrets: SecretsMode,
        inputs: Inputs | None = None,
        plain: frozenset[str] = frozenset(),
    ) -> Manifest:
        """Build the manifest of a resolved tree; `secrets` is the mode it was resolved with.

        `plain` are the files that may hold a secret in plain text.
        """
        compiled = resolved.compiled
        files = secret_files(resolved) | plain
        return cls(compiled.sources, compiled.overlay, secrets, resolved.masked, resolved.versions, inputs, files)

    def encode(self) -> bytes:
        """Encode `.halgit.json` for a tree with these marks."""
        content = {
            "format": _FORMAT,
            "halgit": __version__,
            "sources": [_source(source) for source in self.sources],
            "overlay": self.overlay,
            "secrets": self._secrets(),
            **({"inputs": to_dict(self.inputs)} if self.inputs else {}),
            "files": {path: self.marks[path] for path in sorted(self.marks)},
        }
        return json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"

    def _secrets(self) -> dict[str, Any]:
        content: dict[str, Any] = {"mode": self.secrets, "masked": self.masked}
        if self.masked:
            content["note"] = _MASKED
        if self.versions:
            content["versions"] = dict(sorted(self.versions.items()))
        return content


def digest(data: bytes) -> str:
    """Return the mark of a file without a secret: the digest of its content."""
    return f"sha256:{sha256(data).hexdigest()}"


def is_secret_mark(mark: str) -> bool:
    """Return whether a mark is that of a file that may hold a secret."""
    return mark.startswith(SECRET)


def fits_mark(mark: str, data: bytes, is_on_time: bool = True) -> bool:
    """Return whether a file is the one that was marked; `is_on_time`: it has the time of its `.halgit.json`."""
    if is_secret_mark(mark):
        return is_on_time and mark[len(SECRET) :].partition(":")[0] == str(len(data))
    return mark == digest(data)


def read_marks(text: bytes) -> dict[str, str] | None:
    """Return the marks of a `.halgit.json` by path; None if halgit did not write it or a path leaves the tree."""
    try:
        content = json.loads(text.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("format") != _FORMAT or not isinstance(content.get("files"), dict):
        return None
    files: dict[str, str] = content["files"]
    if any(not isinstance(value, str) for value in files.values()) or any(find_path_error(path) for path in files):
        return None
    return files


class ManifestSummary(Record):
    """The content of a `.halgit.json`: the marks of the files, and how secrets were written."""

    files: Mapping[str, str]
    secrets: str


def read_manifest(text: bytes) -> ManifestSummary | None:
    """Parse a `.halgit.json`; None if halgit did not write it."""
    files = read_marks(text)
    said = json.loads(text.decode("utf-8", "surrogateescape")).get("secrets") if files is not None else None
    mode = said.get("mode") if isinstance(said, dict) else None
    return ManifestSummary(files, mode if isinstance(mode, str) else "resolve") if files is not None else None


def read_inputs(text: bytes) -> Inputs | None:
    """Parse the inputs of a `.halgit.json`; None if there are none."""
    if read_marks(text) is None:
        return None
    inputs = json.loads(text.decode("utf-8", "surrogateescape")).get("inputs")
    try:
        files = tuple(tuple(map(str, paths)) for paths in inputs["files"])
        digest, stamps = str(inputs["digest"]), str(inputs["stamps"])
        return Inputs(digest, stamps, files, int(inputs["findings"]), bool(inputs["secrets"]))
    except (TypeError, KeyError, ValueError):
        return None


def list_folders(paths: Iterable[str]) -> list[str]:
    """List the folders of these paths, parents first, without the root."""
    return sorted({parent for path in paths for parent in list_parents(path)})


def list_parents(path: str) -> list[str]:
    """List the parent folders of a path, outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def check_paths(files: Iterable[str]) -> None:
    """Raise PublishError for paths that leave the tree, are reserved, or are both a file and a folder."""
    paths = sorted(files)
    folders = set(list_folders(paths))
    faults = [(path, find_path_error(path) or ("is a file and a folder" if path in folders else "")) for path in paths]
    said = [f"{path!r} {fault}" for path, fault in faults if fault]
    if said:
        raise PublishError(f"Invalid paths in the tree: {'; '.join(said)}.", "Rename or remove them in the source.")


def find_path_error(path: str) -> str:
    """Describe what is wrong with a path of a tree; empty if it is valid."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        return "leaves the tree"
    if "\0" in path or not all(parts) or "." in parts:
        return "is not a valid path"
    if path == MANIFEST or parts[0] == WORK:
        return "is reserved for halgit"
    return ""


def _source(source: SourceId) -> dict[str, str]:
    return {"url": source.url, "ref": source.ref, "path": source.path, "revision": source.revision}
