"""The table of places accounts are kept in, by URL scheme: a git branch, an S3 prefix, a Vault secret.

A copy is the file as it is now and the right to write over exactly that; Conflicting says that another writer was
first. In git one change is one commit. In S3 the file and a kubeconfig are two objects, so what an entry names is
written before the entry and removed after it. In Vault the file is the secret Clouddriver looks for,
`clouddriver,local`, whose JSON is the accounts: it holds no comments and no files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from halgit import yaml as hyaml
from halgit.errors import UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.record import Record
from halgit.remotes.git.address import read_address
from halgit.remotes.git.push import GitBranch, Signing
from halgit.remotes.s3_objects import S3Store
from halgit.remotes.vault_tree import VaultSecret
from halgit.remotes.vault_tree import read_address as read_vault_address

FILE: Final = "clouddriver-local.yml"
"""The one name Clouddriver always looks for: the profile `local` is always on."""

_SECRET: Final = "clouddriver,local"
_UNSIGNED: Final = Signing()


class Copy(Protocol):
    """What is kept there, as it is now. Paths are relative to the folder of the accounts file."""

    @property
    def revision(self) -> str: ...

    def read(self, path: str) -> bytes | None: ...

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Write files (None: remove) in this order; the new revision. Raises Conflicting and other RemoteErrors."""

    def close(self) -> None: ...


class Store(Record):
    """A place accounts are kept in. `open` gives a fresh copy; `files` is whether it can hold kubeconfigs as files."""

    url: str
    path: str
    files: bool
    open: Callable[[], Copy]


class _Git:
    """A folder of a git branch that may not be there yet."""

    def __init__(self, branch: GitBranch, folder: str) -> None:
        self._branch = branch
        self._start = f"{folder}/" if folder else ""

    @property
    def revision(self) -> str:
        return self._branch.revision

    def read(self, path: str) -> bytes | None:
        return self._branch.read(self._start + path)

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        there = self._branch.paths()
        whole = {self._start + path: text for path, text in changes.items()}
        return self._branch.write(
            {path: text for path, text in whole.items() if text is not None or path in there}, message
        )

    def close(self) -> None:
        self._branch.close()


class _S3(Record):
    folder: S3Store
    revision: str = ""

    def read(self, path: str) -> bytes | None:
        return self.folder.read(path)

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        return self.folder.write(changes)

    def close(self) -> None:
        """The connection belongs to the run."""


class _Vault(Record):
    secret: VaultSecret

    @property
    def revision(self) -> str:
        return self.secret.revision

    def read(self, path: str) -> bytes | None:
        values = self.secret.values if path == FILE else None
        return None if values is None else hyaml.dump(dict(values))

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        (text,) = (changes[path] for path in changes if path == FILE)
        return self.secret.write(hyaml.read(text or b"", FILE).data or {})

    def close(self) -> None:
        """The connection belongs to the run."""


def store(spec: SourceSpec, access: Access, accounts_path: str, signing: Signing = _UNSIGNED, onto: str = "") -> Store:
    """The store of this URL. Raises UsageError for a URL that none is for, or an option that does not go with it."""
    folder = "/".join(part for part in (spec.path.strip("/"), accounts_path.strip("/")) if part)
    below = SourceSpec(spec.url, spec.ref, folder)
    scheme = spec.url.partition("://")[0].lower()
    if scheme in {"s3", "vault"} and (onto or spec.ref or signing.key_file):
        raise UsageError("--ref, --pull-request-branch and --signing-key-file go with git.", "Leave them out.")
    if scheme == "s3":
        return Store(spec.url, folder, True, lambda: _S3(S3Store(below, access)))
    if scheme == "vault":
        secret = "/".join(part for part in (read_vault_address(spec.url), folder, _SECRET) if part)
        return Store(spec.url, folder, False, lambda: _Vault(VaultSecret(secret, access)))
    if "://" not in spec.url and ":" not in spec.url:
        raise UsageError(
            f"--repo {spec.url} is a directory; accounts are kept in git, S3 or Vault.", "Give its URL: file:///path."
        )
    read_address(spec.url)
    root = SourceSpec(spec.url, spec.ref)
    return Store(spec.url, folder, True, lambda: _Git(GitBranch(root, access, signing, onto), folder))
