"""The kubeconfigs of a repository, and the rule on the files that they name.

A kubeconfig is a file of the tree, the text of a `kubeconfigContents`, or a file beside the dynamic accounts that one
of them names with `configserver:`. Each has its place, so that rules cover all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING, Final
from halgit.halyard import model
from halgit.pipeline import MISSING, Path, Position, Value
from halgit.record import Record
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.local_files import Named, named
from halgit.validation.view import View
from halgit.vocabulary import gather_vocabulary

if TYPE_CHECKING:
    from halgit.validation.account_files import Document

_CONTENTS: Final = "kubeconfigcontents"
_FILE_KEYS: Final = ("tokenFile", "client-certificate", "client-key", "certificate-authority")
_CIPHER: Final = b"{cipher}"


class Kubeconfig(Record):
    """One kubeconfig. `path` is the field that holds or names it; empty if `file` is the kubeconfig itself.

    `document` is the document of a file that is not part of the tree.
    """

    file: str
    path: Path
    data: Value
    document: Document | None = None

    def entries(self, section: str, inside: str) -> Iterator[tuple[int, str, dict[str, Value]]]:
        """Yield position, name and body of the entries of `users` or `clusters`."""
        listed = self.data.get(section) if isinstance(self.data, dict) else None
        for number, entry in enumerate(listed if isinstance(listed, list) else ()):
            body = entry.get(inside) if isinstance(entry, dict) else None
            if isinstance(body, dict):
                yield number, str(entry.get("name", "")), body

    def files(self) -> Iterator[tuple[Path, str]]:
        """Yield every file that the kubeconfig names, with its path in the kubeconfig."""
        for section, inside in (("users", "user"), ("clusters", "cluster")):
            for number, _, body in self.entries(section, inside):
                for key in _FILE_KEYS:
                    if isinstance(body.get(key), str) and body[key]:
                        yield (section, number, inside, key), body[key]

    def hit(self, path: Path, message: str) -> Hit:
        """Return a hit at a path of the kubeconfig, or at the field that holds it."""
        spot = self.document.places([self.path or path])[0] if self.document else Position(0, 0)
        return Hit(self.path or path, message, self.file, "", spot.line, spot.column)


@lru_cache(maxsize=1)
def find_kubeconfigs(view: View) -> tuple[Kubeconfig, ...]:
    """Return every kubeconfig of the tree and of the dynamic accounts, each once."""
    return (*_of_tree(view), *_of_accounts(view))


def _of_tree(view: View) -> Iterator[Kubeconfig]:
    config = view.config.value
    seen: set[str] = set()
    for path, value in model.list_local_files(config) if isinstance(config, dict) else ():
        found = named(view, value) if path[-1] == "kubeconfigFile" else None
        if isinstance(found, Named) and found.path not in seen and found.data is not MISSING:
            seen.add(found.path)
            is_document = found.file.data is not MISSING
            place = (found.path, ()) if is_document else ("config", path)
            yield Kubeconfig(*place, found.data)
    for path, value in find_contents(config):
        yield Kubeconfig("config", path, value)
    for file, node in view.documents("profiles"):
        for path, value in find_contents(node.value):
            yield Kubeconfig(file.path, path, value)


def _of_accounts(view: View) -> Iterator[Kubeconfig]:
    for account_file in view.account_files:
        for document in account_file.documents:
            for path, value in find_contents(document.data):
                yield Kubeconfig(document.file, path, value, document)
    plain = {path: text for path, text in view.compiled.served.items() if not text.startswith(_CIPHER)}
    if not plain:
        return
    from halgit.validation import account_files

    for served in account_files.read(plain):
        for document in served.documents:
            yield Kubeconfig(document.file, (), document.data, document)


def _local_file(view: View) -> Iterator[Hit]:
    for kubeconfig in find_kubeconfigs(view):
        for path, value in kubeconfig.files():
            if not value.startswith("/"):
                message = f"{path[-1]} of a kubeconfig names {value}, a file that Clouddriver's pod does not have."
                yield kubeconfig.hit(path, message)


def find_contents(data: Value) -> Iterator[tuple[Path, Value]]:
    """Yield every kubeconfig that is the text of a `kubeconfigContents`, with its path."""
    if any(_fold(key) == _CONTENTS for key in gather_vocabulary(data).keys):
        yield from _contents(data)


def _contents(data: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in items:
        if isinstance(value, (dict, list)):
            yield from _contents(value, (*path, step))
        elif isinstance(value, str) and isinstance(step, str) and _fold(step) == _CONTENTS:
            if value.startswith(_CIPHER.decode()):
                continue
            read = hyaml.read(value.encode("utf-8", "surrogatepass"), "")
            if not read.findings and isinstance(read.data, dict):
                yield (*path, step), read.data


@lru_cache(maxsize=10_000)
def _fold(key: str) -> str:
    return key.rpartition(".")[2].replace("-", "").replace("_", "").lower()


RULES = (Rule("kubernetes/kubeconfig-file", _local_file),)
