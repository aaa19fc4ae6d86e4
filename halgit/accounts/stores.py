"""The table of stores of dynamic accounts by URL scheme: a git branch, an S3 prefix, a Vault secret.

A store is opened once and kept: `refresh` reads what is there now, `write` changes exactly that, and a ConflictError
says that another writer was faster. In git one batch of changes is one commit. In S3 the file and a kubeconfig are two
objects, so a kubeconfig is written before the entry that names it and deleted after. In Vault the file is the secret
`clouddriver,local`, whose JSON is the accounts: it has no comments and no files. Both keep the newest changes with the
accounts, as git keeps them in commits.
"""

from __future__ import annotations

import json
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Final, Protocol
from uuid import uuid4

from halgit import yaml as hyaml
from halgit.accounts.checks import Policy
from halgit.accounts.history import Line, join_file, join_values, split_file, split_values
from halgit.accounts.kubeconfig import Kubeconfig
from halgit.errors import AccountError, RemoteError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.pipeline import MISSING, Value
from halgit.record import Record
from halgit.remotes.git.address import read_address
from halgit.remotes.git.push import GitBranch, LogEntry, Signing
from halgit.remotes.s3_objects import S3Store
from halgit.remotes.vault_tree import VaultSecret
from halgit.remotes.vault_tree import read_address as read_vault_address
from halgit.validation.account_access import CIPHER, SERVED

FILE: Final = "clouddriver-local.yml"
"""The one name that Clouddriver always looks for: the profile `local` is always active."""

_PROPERTIES: Final = "clouddriver-local.properties"
_YAML: Final = "clouddriver-local.yaml"

FOLDER: Final = "kubeconfigs"
"""Folder of the kubeconfig files."""

_SERVED_NAME: Final = re.compile(r"(?:application|clouddriver)(?:-.*)?\.(?:ya?ml|properties)")
"""Names of files that the config server serves to Clouddriver."""

_SECRET: Final = "clouddriver,local"
_VAULT_LIMIT: Final = 1024 * 1024 - 1024
_UNSIGNED: Final = Signing()


class Session(Protocol):
    """A store that is open. Paths are relative to the folder of the accounts file. Not for several threads at once."""

    @property
    def revision(self) -> str: ...

    def refresh(self) -> None:
        """Read what is there now. Raises RemoteErrors."""

    def read(self, path: str) -> bytes | None: ...

    def exists(self, path: str) -> bool: ...

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Write files (None: delete) in this order; returns the revision. Raises ConflictError and RemoteErrors."""

    def check(self, changes: Mapping[str, bytes | None], message: str) -> None:
        """Raise what `write` would raise, as far as that is known without writing."""

    def history(self) -> tuple[LogEntry, ...]:
        """Return the newest commits, or what the object of accounts keeps of its changes."""

    def list_ciphers(self) -> list[str]:
        """Return the other files that Clouddriver reads and that have `{cipher}` values, as far as they are known."""

    def close(self) -> None: ...


class Store(Record):
    """A place of accounts. `kind` is git, s3 or vault; `open` returns a session."""

    url: str
    path: str
    kind: str
    open: Callable[[], Session]

    @property
    def has_files(self) -> bool:
        return self.kind != "vault"

    @property
    def overrides(self) -> tuple[str, ...]:
        """Files beside the accounts file that take precedence over it: of S3, Spring reads the first of all three."""
        return {"git": (_PROPERTIES,), "s3": (_PROPERTIES, _YAML)}.get(self.kind, ())

    @property
    def file(self) -> str:
        """The accounts file as messages name it."""
        return f"{self.path}/{FILE}" if self.path else FILE


class _Git:
    """A folder of a git branch; it need not exist yet."""

    def __init__(self, branch: GitBranch, folder: str) -> None:
        self._branch = branch
        self._start = f"{folder}/" if folder else ""

    @property
    def revision(self) -> str:
        return self._branch.revision

    def refresh(self) -> None:
        self._branch.refresh()

    def read(self, path: str) -> bytes | None:
        return self._branch.read(self._start + path)

    def exists(self, path: str) -> bool:
        return self._start + path in self._branch.paths()

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        return self._branch.write(self._placed(changes), message)

    def check(self, changes: Mapping[str, bytes | None], message: str) -> None:
        self._branch.check(self._placed(changes), message)

    def _placed(self, changes: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        return {self._start + path: text for path, text in changes.items() if text is not None or self.exists(path)}

    def history(self) -> tuple[LogEntry, ...]:
        return self._branch.history()

    def list_ciphers(self) -> list[str]:
        """Look into the root of the repository as well, which the config server always reads."""
        own = self._start + FILE
        names = (path for path in self._branch.paths() if path.rpartition("/")[0] in {"", self._start.rstrip("/")})
        found = sorted(path for path in names if path != own and _SERVED_NAME.fullmatch(path.rpartition("/")[2]))
        return [path for path in found if CIPHER.encode() in (self._branch.read(path) or b"")]

    def close(self) -> None:
        self._branch.close()


class _Objects(ABC):
    """A store that replaces one object as a whole: the accounts with their history. A write finds out whether it was
    made even if its answer was lost, or an attempt that was repeated conflicts with itself."""

    def __init__(self) -> None:
        self._lines: tuple[Line, ...] = ()

    def history(self) -> tuple[LogEntry, ...]:
        return tuple(line.as_entry() for line in reversed(self._lines))

    @abstractmethod
    def refresh(self) -> None:
        """Read the accounts and their history as they are now."""

    def _written(
        self,
        message: str,
        write: Callable[[Sequence[Line]], object],
        revision: str = "",
        undo: Callable[[], object] = lambda: None,
    ) -> str:
        """Write with a new line of history; returns its revision. Raises what `write` does if it was not written.

        `undo` deletes what a refused write has left.
        """
        own = uuid4().hex
        date = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
        line = Line(own, date, message, revision or own)
        try:
            write((*self._lines, line))
        except RemoteError:
            self.refresh()
            if line not in self._lines:
                undo()
                raise
        return line.revision


class _S3(_Objects):
    """The object of accounts, and kubeconfigs beside it."""

    def __init__(self, folder: S3Store) -> None:
        super().__init__()
        self._folder = folder
        self._text: bytes | None = None
        self._created: list[str] = []

    @property
    def revision(self) -> str:
        return self._lines[-1].revision if self._lines else ""

    def refresh(self) -> None:
        text = self._folder.read(FILE)
        self._text, self._lines = (None, ()) if text is None else split_file(text)

    def read(self, path: str) -> bytes | None:
        return self._text if path == FILE else self._folder.read(path)

    def exists(self, path: str) -> bool:
        return self.read(path) is not None

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        """Write the kubeconfigs, then the accounts; delete kubeconfigs only when nothing names them any more."""

        def write(lines: Sequence[Line]) -> None:
            self._created = []
            for path, text in changes.items():
                if text is not None and self._folder.write(path, join_file(text, lines) if path == FILE else text):
                    self._created.append(path)

        revision = self._written(message, write, undo=self._undo)
        for path in (path for path, text in changes.items() if text is None):
            self._folder.delete(path)
        return revision

    def check(self, changes: Mapping[str, bytes | None], message: str) -> None:
        """Do nothing: S3 tells only when it is written to."""

    def list_ciphers(self) -> list[str]:
        names = (f"{base}{end}.yml" for base in ("application", "clouddriver") for end in ("", "-local"))
        return [name for name in names if name != FILE and CIPHER.encode() in (self._folder.read(name) or b"")]

    def _undo(self) -> None:
        for path in self._created:
            self._folder.delete(path)

    def close(self) -> None:
        """Do nothing: the connection belongs to the run."""


class _Vault(_Objects):
    """The secret of accounts."""

    def __init__(self, secret: VaultSecret) -> None:
        super().__init__()
        self._secret = secret
        self._values: Mapping[str, Value] | None = None

    @property
    def revision(self) -> str:
        return self._secret.revision

    def refresh(self) -> None:
        self._secret.refresh()
        values = self._secret.values
        self._values, self._lines = (None, ()) if values is None else split_values(values)

    def read(self, path: str) -> bytes | None:
        return hyaml.dump(dict(self._values)) if path == FILE and self._values is not None else None

    def exists(self, path: str) -> bool:
        return path == FILE and self._values is not None

    def write(self, changes: Mapping[str, bytes | None], message: str) -> str:
        values = self._values_of(changes)

        def write(lines: Sequence[Line]) -> object:
            body = join_values(values, lines)
            _check_values(body)
            return self._secret.write(body)

        return self._written(message, write, str(int(self._secret.revision) + 1))

    def check(self, changes: Mapping[str, bytes | None], message: str) -> None:
        _check_values(join_values(self._values_of(changes), (*self._lines, Line("", "", message, ""))))

    def list_ciphers(self) -> list[str]:
        """Return nothing: the login may have no right to other secrets."""
        return []

    def _values_of(self, changes: Mapping[str, bytes | None]) -> Mapping[str, Value]:
        (text,) = (changes[path] for path in changes if path == FILE)
        return hyaml.read(text or b"", FILE).data or {}

    def close(self) -> None:
        """Do nothing: the connection belongs to the run."""


def _check_values(values: Mapping[str, Value]) -> None:
    """Raise AccountError for a secret that Vault would refuse, or that Spring would read as another."""
    text = json.dumps(values)
    if "\\u0085" in text:
        raise AccountError(
            f"A value for {_SECRET} has the character U+0085, which Spring reads as a space in Vault's JSON.",
            "Remove it from the value.",
        )
    size = len(text)
    if size > _VAULT_LIMIT:
        raise AccountError(
            f"The secret {_SECRET} would have {size} bytes, and Vault stores 1 MiB in one secret.",
            "Use git or S3 for this many accounts.",
        )


def open_store(
    spec: SourceSpec, access: Access, accounts_path: str, signing: Signing = _UNSIGNED, onto: str = ""
) -> Store:
    """Return the store of this URL. Raises UsageError for an unknown URL, or for an option that it does not have."""
    folder = "/".join(part for part in f"{spec.path}/{accounts_path}".split("/") if part not in {"", "."})
    below = SourceSpec(spec.url, spec.ref, folder)
    scheme = spec.url.partition("://")[0].lower()
    if scheme in {"s3", "vault"} and (onto or spec.ref or signing.key_file or access.verify_signatures):
        raise UsageError(
            "--ref, --pull-request-branch, --signing-key-file and --verify-signatures are for git.", "Remove them."
        )
    if scheme == "s3":
        return Store(spec.url, folder, "s3", lambda: _S3(S3Store(below, access)))
    if scheme == "vault":
        secret = "/".join(part for part in (read_vault_address(spec.url), folder, _SECRET) if part)
        return Store(spec.url, folder, "vault", lambda: _Vault(VaultSecret(secret, access)))
    if "://" not in spec.url and ":" not in spec.url:
        raise UsageError(
            f"--repo {spec.url} is a directory; accounts are stored in git, S3 or Vault.", "Write file:///path."
        )
    read_address(spec.url)
    root = SourceSpec(spec.url, spec.ref)
    return Store(spec.url, folder, "git", lambda: _Git(GitBranch(root, access, signing, onto), folder))


def store_kubeconfig(
    store: Store, name: str, kubeconfig: Kubeconfig, policy: Policy, find_file: Callable[[bytes], str]
) -> tuple[dict[str, Value], dict[str, bytes]]:
    """Return the fields of the entry and the files by which a kubeconfig is stored.

    `find_file` returns the path of a file of the entry with this content; empty if there is none. A new file has a
    random name: Clouddriver never reads a file again whose name it knows, and a digest would tell of the content.
    Raises UsageError if it would be stored as plain text and the operator does not permit that.
    """
    text = kubeconfig.text.decode("utf-8")
    fields: dict[str, Value] = {"context": kubeconfig.context}
    if policy.cipher is None and not policy.plaintext:
        raise UsageError(
            "There is no key to encrypt the kubeconfig with.",
            "Add encrypt.key with --encrypt-key-file, or --plaintext-kubeconfig to store it readable for all.",
        )
    if policy.cipher is not None:
        return {**fields, "kubeconfigContents": policy.cipher.encrypt(text), "kubeconfigFile": MISSING}, {}
    if not store.has_files:
        return {**fields, "kubeconfigContents": text, "kubeconfigFile": MISSING}, {}
    file = find_file(kubeconfig.text) or f"{FOLDER}/{name.replace(' ', '_')}-{secrets.token_hex(6)}"
    return {**fields, "kubeconfigFile": SERVED + file, "kubeconfigContents": MISSING}, {file: kubeconfig.text}
