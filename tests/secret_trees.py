"""A tree out of a few texts, compiled by the real compiler, and secret stores that count how they are asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from halgit import references
from halgit.compiler import Locator, compile_tree
from halgit.errors import NotFoundError, RemoteError
from halgit.operator_settings import OperatorSettings, Trust
from halgit.pipeline import Compiled, Reference, Resolved, SecretsMode, SourceId
from halgit.publish.content import serialize
from halgit.record import replace
from halgit.redaction import Redactor
from halgit.remotes.engine import Engine, Presence, SecretData
from halgit.secrets import plan_secrets, resolve_secrets


@dataclass(frozen=True)
class Texts:
    """A source that is a few texts."""

    files: Mapping[str, bytes]
    source: SourceId

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self.files)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        return {path: self.files[path] for path in paths}

    def close(self) -> None:
        pass


@dataclass
class Store:
    """Secrets by address, as every engine gives them; `asked` counts, errors stand where a secret would."""

    secrets: Mapping[str, SecretData | RemoteError]
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, name: str) -> Engine:
        return self

    def read(self, reference: Reference) -> SecretData:
        address = references.format_address(reference)
        with self.lock:
            self.asked.append(address)
        content = self.secrets.get(address, NotFoundError(f"There is nothing at {address}.", "Put it there."))
        if isinstance(content, RemoteError):
            raise content
        return content

    def check(self, reference: Reference) -> Presence:
        content = self.read(reference)
        return Presence("metadata", None if content.keys is None else frozenset(content.keys))


def compiled(files: Mapping[str, str | bytes], **options: object) -> Compiled:
    """The tree of these texts; faults of the merge fail the test."""
    texts = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
    texts.setdefault("config", b"deploymentConfigurations:\n- name: default\n")
    operator = replace(OperatorSettings(), **options)  # type: ignore[arg-type]
    tree = compile_tree([Texts(texts, SourceId("texts", "r1"))], operator)
    assert not [finding for finding in tree.findings if finding.severity > 2], tree.findings
    return tree


def resolved(
    tree: Compiled,
    store: Store,
    mode: SecretsMode = "resolve",
    *,
    trust: Trust | None = None,
    redactor: Redactor | None = None,
    pinned: Mapping[str, str] | None = None,
) -> Resolved:
    """The tree with its secrets out of this store, findings and failures placed in the layers."""
    locate = Locator(tree.files, tree.layers).locate_findings
    found = plan_secrets(tree, trust or Trust(), mode)
    return resolve_secrets(found, store, redactor or Redactor(), locate=locate, pinned=pinned or {})


def opened(tree: Resolved) -> dict[str, str]:
    """The files of a revealed tree as they would be written, secrets and all; bytes that are no UTF-8 as latin-1."""
    return {path: _shown(content) for path, content in serialize(tree).items()}


def _shown(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
