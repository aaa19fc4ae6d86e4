"""Vault as a source: a KV tree whose leaves are files.

A secret with the one key `content` is a file of its own name; any other holds one file for each key. Values are
texts; a key that ends in `.base64` holds base64 and is named without that ending. KV 2 versions make the revision; KV 1
has none, and a digest of its secrets would be one to test guesses with, so that its sources have no revision.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from halgit.errors import CorruptError, NotFoundError, RefusedError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import SourceId
from halgit.record import Record
from halgit.remotes import files
from halgit.remotes.vault import DATA_HINT, Vault, get_vault

_MAX_CONCURRENT: Final = 8
_CODED: Final = ".base64"
_TOO_COMPLEX: Final = "exceeded maximum number of strings"
"""OpenBao's word for a request with more strings than its listener takes: 1000, unless it is configured otherwise."""

_DEEPEST: Final = 40
"""Folders in folders before the tree is refused."""


def read_address(url: str) -> str:
    """The path, mount first, of `vault://mount/path`. Raises UsageError; the server is never a part of it."""
    scheme, _, path = url.partition("://")
    parts = path.rstrip("/").split("/")
    if scheme.lower() != "vault" or any(part in {"", ".", ".."} for part in parts) or set(parts[0]) & set(":@?#"):
        raise UsageError(
            "A Vault source must be vault://mount/path.", "Fix --repo; set the server with --vault-address."
        )
    return "/".join(parts)


def open_vault(spec: SourceSpec, access: Access) -> VaultSnapshot:
    """The files of a KV tree, all read at once: their names stand in the secrets. Raises RemoteErrors."""
    path = "/".join(part for part in (read_address(spec.url), spec.path) if part)
    tree = _Tree(get_vault(access), spec.url, path)
    contents, versions = tree.files()
    if not contents:
        hint = DATA_HINT if f"{tree.base}/".startswith("data/") else "Check --repo and --path."
        raise NotFoundError(f"{spec.url}: no secret at or below {path}.", hint)
    revision = hashlib.sha256(repr(versions).encode()).hexdigest() if all(versions.values()) else ""
    fingerprint = revision or hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()
    return VaultSnapshot(SourceId(spec.url, revision, "", spec.path), contents, access.largest_file, fingerprint)


class VaultSnapshot:
    """The files of one reading; see `Snapshot` in `pipeline.py`.

    `fingerprint` changes with the contents, and is never written anywhere.
    """

    def __init__(self, source: SourceId, contents: Mapping[str, bytes], largest: int, fingerprint: str) -> None:
        self.source = source
        self.fingerprint = fingerprint
        self._contents = contents
        self._largest = largest

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._contents)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for path in paths:
            if path not in self._contents:
                raise NotFoundError(f"{self.source.url}: file {path} not found.")
            files.refuse_size(self.source.url, path, len(self._contents[path]), self._largest)
            found[path] = self._contents[path]
        return found

    def close(self) -> None:
        """The connection belongs to the run."""


class _Leaf(Record):
    """One secret: its path below the source (empty for the source itself), its values and its version."""

    path: str
    values: Mapping[str, object]
    version: str


class _Tree:
    def __init__(self, server: Vault, url: str, path: str) -> None:
        self._vault = server
        self._url = url
        self._mount, self._version = server.mount_of(path) or self._listed_mount(path)
        self.base = path[len(self._mount) :].strip("/")

    def _listed_mount(self, path: str) -> tuple[str, int]:
        """Mount and version where the server does not tell: the first segment, and whether metadata can be listed."""
        mount, _, rest = path.partition("/")
        try:
            self._vault.keys(f"{mount}/metadata/{rest}")
        except NotFoundError:
            return mount, 1 if self._has_keys(f"{mount}/{rest}") else 2
        except RefusedError:
            if self._has_keys(f"{mount}/{rest}"):
                return mount, 1
            raise
        return mount, 2

    def _has_keys(self, path: str) -> bool:
        try:
            return bool(self._vault.keys(path))
        except (NotFoundError, RefusedError):
            return False

    def files(self) -> tuple[dict[str, bytes], dict[str, str]]:
        """The files by path, and the version of each secret by its path (empty in KV 1)."""
        with ThreadPoolExecutor(_MAX_CONCURRENT, thread_name_prefix="vault") as pool:
            names = self._names(pool)
            leaves = [leaf for leaf in pool.map(self._leaf, names) if leaf is not None]
            if self._names(pool) != names:
                raise CorruptError(f"{self._url}: it changed while it was being read.", "Run again.")
        found: dict[str, bytes] = {}
        root: files.Folder = {}
        for leaf in leaves:
            for path, content in self._files_of(leaf).items():
                files.refuse_name(self._url, path)
                try:
                    files.add_node(root, path, files.File(path))
                except ValueError:
                    raise CorruptError(f"{self._url}: {path} exists twice, or is both a file and a folder.") from None
                found[path] = content
        return found, {leaf.path: leaf.version for leaf in leaves}

    def _names(self, pool: ThreadPoolExecutor) -> list[str]:
        """The paths of all secrets below the base, and of the base itself, sorted."""
        names = [""] if self.base else []
        folders = [""]
        for _ in range(_DEEPEST):
            below = [name for found in pool.map(self._list, folders) for name in found]
            names += (name for name in below if not name.endswith("/"))
            folders = [name for name in below if name.endswith("/")]
            if len(names) + len(folders) > files.MAX_FILES:
                raise files.too_many_files(self._url)
            if not folders:
                return sorted(names)
        raise CorruptError(
            f"{self._url}: its folders are nested more than {_DEEPEST} levels deep.", "Select a folder with --path."
        )

    def _list(self, folder: str) -> list[str]:
        place = "/".join(part for part in (self.base, folder.strip("/")) if part)
        try:
            keys = self._vault.keys(self._path("metadata", place))
        except NotFoundError:
            return []
        return [folder + key for key in keys]

    def _leaf(self, name: str) -> _Leaf | None:
        """A secret; None for one that was deleted, and for a base that is only a folder."""
        place = "/".join(part for part in (self.base, name) if part)
        try:
            data = self._vault.get(self._path("data", place)).get("data") or {}
        except NotFoundError:
            return None
        except RefusedError:
            if not name:
                return None
            raise
        if self._version == 1:
            return _Leaf(name, data, "")
        return _Leaf(name, data.get("data") or {}, str((data.get("metadata") or {}).get("version", "")))

    def _path(self, kind: str, place: str) -> str:
        return "/".join(part for part in (self._mount, kind if self._version == 2 else "", place) if part)

    def _files_of(self, leaf: _Leaf) -> dict[str, bytes]:
        names = {key.removesuffix(_CODED): key for key in leaf.values}
        if len(names) != len(leaf.values):
            raise CorruptError(
                f"{self._url}: the secret {leaf.path or 'itself'} has a file both plain and with {_CODED}."
            )
        if set(names) == {"content"} and leaf.path:
            return {leaf.path: self._content(leaf, names["content"])}
        start = f"{leaf.path}/" if leaf.path else ""
        return {start + name: self._content(leaf, key) for name, key in names.items()}

    def _content(self, leaf: _Leaf, key: str) -> bytes:
        value = leaf.values[key]
        where = f"{self._url}: the key {key} of the secret {leaf.path or 'itself'}"
        if not isinstance(value, str):
            raise CorruptError(f"{where} is not a string.", "Store the file as one string.")
        if not key.endswith(_CODED):
            return value.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            raise CorruptError(f"{where} is not base64.", f"Encode it, or remove {_CODED} from its name.") from None


class VaultSecret:
    """The secret at `mount/path`, read by `refresh`. Raises UsageError for a mount that is KV 1, and RemoteErrors."""

    def __init__(self, path: str, access: Access) -> None:
        self._vault = get_vault(access)
        self._mount, self._rest, version = self._vault.kv(path)
        if version != 2:
            raise UsageError(
                f"The Vault mount {self._mount} is KV 1, which cannot detect concurrent writes.", "Use a KV 2 mount."
            )
        self.values: Mapping[str, Any] | None = None
        self._version = 0

    def refresh(self) -> None:
        """Read the current version."""
        try:
            data = self._vault.get(f"{self._mount}/data/{self._rest}").get("data") or {}
        except NotFoundError:
            data = {}
        values = data.get("data")
        self.values = values if isinstance(values, dict) else None
        version = (data.get("metadata") or {}).get("version")
        self._version = version if isinstance(version, int) else 0

    @property
    def revision(self) -> str:
        """The version that was read; 0 if there is none."""
        return str(self._version)

    def write(self, values: Mapping[str, Any]) -> str:
        """Write a new version and return its number. Raises ConflictError if another writer was faster."""
        body = {"options": {"cas": self._version}, "data": dict(values)}
        try:
            answer = self._vault.put(f"{self._mount}/data/{self._rest}", body)
        except RefusedError as reason:
            if _TOO_COMPLEX not in reason.message:
                raise
            raise RefusedError(
                f"{self._vault.login.place} does not store {self._mount}/{self._rest}: it has too many values for one"
                " request.",
                "Raise max_request_json_strings of the server's listener, or store the accounts in git or S3.",
            ) from None
        return str((answer.get("data") or {}).get("version", ""))
