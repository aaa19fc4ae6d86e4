"""Finds secrets that stand in the open: in fields Halyard marks secret, under telling keys, inside addresses.

Shows none of them. Defaults that everybody can read are known by their digests only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from halgit import references
from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING
from halgit.halyard import model, resources, sensitivity
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.record import Record, field, replace
from halgit.vocabulary import gather_vocabulary

if TYPE_CHECKING:
    from halgit.validation.account_files import Document

_IN_ADDRESS = lazy_pattern(r"://[^/\s:@]*:([^/\s@]+)@")
_NO_SECRET = frozenset({"credential", "credentials", "command", "id"})
"""Endings of keys that are masked to be safe, and most often name an account, a program or an item."""

_SURE = ("password", "passphrase", "passwd", "pwd")
_PLACEHOLDER = lazy_pattern(r"[A-Z][A-Z_]{2,}|<.*")
_STANDS_FOR = ("{cipher}", "encrypted:", "encryptedFile:", "configserver:", "secret://")


class Open(Record):
    """A secret in plain text, and what a message calls it.

    `inside`: it is a part of an address. `document`: where it stands in a file of dynamic accounts.
    """

    file: str
    path: Path
    secret: str = field(repr=False)
    name: str
    inside: bool = False
    document: Document | None = None

    @property
    def public(self) -> bool:
        """True if it is a default that everybody can read."""
        return is_public(self.secret)


def is_public(secret: str) -> bool:
    """Return whether a secret is a default of the ISD repositories, which everybody can read."""
    from hashlib import sha256

    return sha256(secret.encode()).hexdigest() in _public()


@cache
def _public() -> frozenset[str]:
    return frozenset(resources.load_table("public-secrets")["sha256"])


def plain(value: Value) -> str | None:
    """The text of a value that stands in the open; None for references, `{cipher}` texts, placeholders and empties."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = hyaml.to_java_string(value)
    if not text.strip() or "${" in text or text.startswith(_STANDS_FOR) or references.find_references(text):
        return None
    if _PLACEHOLDER.fullmatch(text):
        return None
    return text


def find(config: Value, documents: Iterable[tuple[str, Value]], accounts: Iterable[Document]) -> Iterator[Open]:
    """Every secret in plain text, each once: in the halconfig, in other documents of the tree, in dynamic accounts."""
    marked = dict(_marked(config))
    for path, text in marked.items():
        yield Open("config", path, text, str(path[-1]))
    for found in _open_in("config", config, keys=False):
        if found.path not in marked:
            yield found
    for file, value in documents:
        yield from _open_in(file, value, keys=True)
    for document in accounts:
        for found in _open_in(document.file, document.data, keys=True):
            yield replace(found, document=document)


def _marked(config: Value) -> Iterator[tuple[Path, str]]:
    """Fields of the halconfig that Halyard marks secret, or should."""
    known = {key for keys in model.find_annotated_fields("secret").values() for key in keys}
    if gather_vocabulary(config).keys.isdisjoint(known | _ALSO_SECRET):
        return
    for path, class_, node in model.walk_objects(config):
        secrets = _secret_fields(class_.name)
        for key in secrets & node.keys() if secrets else ():
            text = plain(node[key])
            if text is not None:
                yield (*path, key), text


_ALSO_SECRET = frozenset({"managerPassword", "trustStorePassword"})
"""Keys that Halyard does not mark, and whose values are secrets."""


@cache
def _secret_fields(class_: str) -> frozenset[str]:
    return frozenset(
        known.key
        for known in model.get_class(class_).fields.values()
        if known.type.kind == "string" and (known.secret or known.key in _ALSO_SECRET)
    )


def _open_in(file: str, document: Value, *, keys: bool) -> Iterator[Open]:
    """Search a document, if its keys or strings say that it can have a secret in the open."""
    words = gather_vocabulary(document)
    has_address = words.contains("://") and words.contains("@")
    if has_address or (
        keys and (not _TELLING.isdisjoint(words.keys) or any(_classify_key(key)[0] for key in words.keys))
    ):
        yield from _open_values(file, (), document, keys=keys)


_TELLING = frozenset({"value", "key", "encrypt.key"})
"""Keys that can be secret because of what is beside or above them."""


def _open_values(file: str, path: Path, node: Value, *, keys: bool) -> Iterator[Open]:
    """Values below keys that say secret (where `keys`), and passwords in addresses."""
    if isinstance(node, dict):
        secret_keys = dict(_keys(path, node)) if keys else {}
        for key, value in node.items():
            text = plain(value) if key in secret_keys else None
            if text is not None and "://" not in text:
                yield Open(file, (*path, key), text, secret_keys[key])
            else:
                yield from _open_values(file, (*path, key), value, keys=keys)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _open_values(file, (*path, number), value, keys=keys)
    elif isinstance(node, str) and "://" in node and "@" in node and not references.find_references(node):
        for match in _IN_ADDRESS.finditer(node):
            if plain(match[1]):
                name = next((str(step) for step in reversed(path) if isinstance(step, str)), "this file")
                yield Open(file, path, match[1], name, inside=True)


def _keys(path: Path, node: dict[str, Value]) -> Iterator[tuple[str, str]]:
    """The keys of a mapping whose values are secrets, with the name that says so: the key, or `name` beside `value`."""
    for key, value in node.items():
        of_config_server = key == "encrypt.key" or (key == "key" and path[-1:] == ("encrypt",))
        if of_config_server or _holds_secret(key, value):
            yield key, "encrypt.key" if of_config_server else str(key)
        elif key == "value" and _holds_secret(node.get("name"), value):
            yield key, str(node["name"])


@cache
def _classify_key(key: str) -> tuple[bool, bool]:
    """Return whether a key says secret, and whether it surely does, so that a number counts as well."""
    parts = sensitivity.split_words(key.rsplit(".", 1)[-1])
    contents = parts == ("kubeconfig", "contents")
    is_secret = contents or (sensitivity.is_sensitive_key(key) and bool(parts) and parts[-1] not in _NO_SECRET)
    return is_secret, is_secret and bool(parts) and parts[-1] in _SURE


def _holds_secret(key: Value, value: Value) -> bool:
    if not isinstance(key, str) or isinstance(value, (dict, list, bool)):
        return False
    is_secret, surely = _classify_key(key)
    return is_secret and (isinstance(value, str) or surely)
