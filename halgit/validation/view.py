"""The merged tree as rules look at it: the halconfig and its deployments, profiles, service-settings, accounts.

Everything is read-only and worked out once. Nulls are skipped by `get`, as Halyard drops them on load.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from halgit.annotations import TYPE_CHECKING
from halgit.halyard import sensitivity, services
from halgit.pipeline import MISSING, Compiled, File, Finding, Path, Value
from halgit.record import Record
from halgit.validation import open_secrets, schema

if TYPE_CHECKING:
    from halgit.validation.account_files import AccountFile, Document
    from halgit.validation.account_providers import EntryFault
    from halgit.validation.properties import Properties

_MERGED = ("profiles", "service-settings")


class Node(Record):
    """A node of a document with its path: what a rule needs to look further and to say where it was."""

    path: Path
    value: Value

    def get(self, *steps: str) -> Value:
        """The value below these keys; None where a key is absent, null, or not in a mapping."""
        here = self.value
        for step in steps:
            here = here.get(step) if isinstance(here, dict) else None
        return here

    def at(self, *steps: str | int) -> Path:
        """The path below these steps."""
        return (*self.path, *steps)

    def node(self, *steps: str) -> Node:
        """The node below these keys."""
        return Node(self.at(*steps), self.get(*steps))

    def items(self, *steps: str) -> Iterator[Node]:
        """The items of a list below these keys, each with its path; nothing where there is no list."""
        found = self.get(*steps)
        if isinstance(found, list):
            for number, item in enumerate(found):
                yield Node((*self.path, *steps, number), item)

    def entries(self, *steps: str) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping below these keys, each with its key; nothing where there is no mapping."""
        found = self.get(*steps)
        if isinstance(found, dict):
            for key, value in found.items():
                yield str(key), Node((*self.path, *steps, key), value)


class ProfileDocument(Record):
    """One YAML document of a profile with its properties. `source` is the file of findings about it.

    `document` has the lines if the file has several documents; of a single one the compiler finds them.
    """

    source: str
    properties: Properties
    document: Document | None = None

    def place(self, path: Path) -> tuple[Path, int, int]:
        """Return the path in the document for one in its properties, with its line and column (0: not known here)."""
        if self.document is None:
            return self.properties.place(path), 0, 0
        (spot,) = self.document.places([self.properties.place(path)])
        return path, spot.line, spot.column


def name_of(deployment: Node) -> str:
    """The name of a deployment; one without a name is called default, as in Halyard."""
    name = deployment.get("name")
    return "default" if name is None else str(name)


class View:
    """One merged tree. Rules get this and nothing else."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.files = compiled.files
        self._properties: dict[str, Properties] = {}
        self._account_faults: dict[int, tuple[tuple[str, Path, dict[str, Value], EntryFault], ...]] = {}

    @cached_property
    def config(self) -> Node:
        """The halconfig; its value is None where it is missing or does not parse."""
        file = self.files.get("config")
        return Node((), None if file is None or file.data is MISSING else file.data)

    @cached_property
    def deployments(self) -> tuple[Node, ...]:
        """Every entry of `deploymentConfigurations` that is a mapping."""
        return tuple(node for node in self.config.items("deploymentConfigurations") if isinstance(node.value, dict))

    @cached_property
    def deployment(self) -> Node | None:
        """The deployment that is rendered for: the one `hal deploy apply` works on."""
        return next((node for node in self.deployments if name_of(node) == self.compiled.deployment), None)

    @cached_property
    def accounts(self) -> tuple[tuple[str, Node], ...]:
        """Every account of every provider of every deployment, with its provider, enabled or not."""
        return tuple(
            (provider, account)
            for deployment in self.deployments
            for provider, node in deployment.entries("providers")
            for account in node.items("accounts")
            if isinstance(account.value, dict)
        )

    @cached_property
    def providers(self) -> tuple[tuple[str, Node], ...]:
        """Every provider of every deployment by its key, enabled or not."""
        return tuple(
            (key, node)
            for deployment in self.deployments
            for key, node in deployment.entries("providers")
            if isinstance(node.value, dict)
        )

    def accounts_of(self, *providers: str) -> Iterator[Node]:
        """Every account of these providers."""
        return (account for provider, account in self.accounts if provider in providers)

    @cached_property
    def account_files(self) -> tuple[AccountFile, ...]:
        """The files of dynamic accounts, in the order in which a later one overrides an earlier one."""
        if not self.compiled.accounts:
            return ()
        from halgit.validation import account_files

        return account_files.read(self.compiled.accounts)

    def account_faults(self, document: Document) -> tuple[tuple[str, Path, dict[str, Value], EntryFault], ...]:
        """The faults of the entries in a document of dynamic accounts, each with its provider, path and entry."""
        from halgit.validation.account_entries import check_entry

        if id(document) not in self._account_faults:
            self._account_faults[id(document)] = tuple(
                (provider, path, account, fault)
                for provider, path, account in document.accounts()
                for fault in check_entry(provider, account)
            )
        return self._account_faults[id(document)]

    @cached_property
    def refused(self) -> tuple[Finding, ...]:
        """Return the schema violations of the files of the tree, with their rules, severities and messages."""
        found = list(schema.schema_findings(self.files, self.compiled.deployment, self.compiled.hal_home))
        for path, documents in self.several_documents.items():
            found += schema.document_findings(documents, path)
        return tuple(found)

    @cached_property
    def open_secrets(self) -> tuple[open_secrets.Open, ...]:
        """Every secret that stands in plain text, in the tree and in the files of dynamic accounts."""
        files = [(file.path, node.value) for kind in _MERGED for file, node in self.documents(kind)]
        return tuple(open_secrets.find(self.config.value, files, self.located_documents))

    @cached_property
    def located_documents(self) -> list[Document]:
        """Every document that knows its lines: those of dynamic accounts, and of profiles with several documents."""
        accounts = [document for file in self.account_files for document in file.documents]
        return accounts + [document for documents in self.several_documents.values() for document in documents]

    @cached_property
    def running(self) -> dict[str, tuple[str, ...]]:
        """The services that run, for each deployment by its name."""
        return {
            name_of(node): services.list_running(node.value, self.settings(name_of(node))) for node in self.deployments
        }

    def settings(self, deployment: str) -> dict[str, Value]:
        """The service-settings of a deployment, by service."""
        start = f"{deployment}/service-settings/"
        return {
            path[len(start) :].removesuffix(".yml"): file.data
            for path, file in self.files.items()
            if path.startswith(start) and file.data is not MISSING
        }

    def is_secret(self, path: Path, file: File) -> bool:
        """Return whether the value at a path may not be shown."""
        return sensitivity.is_secret_value(path, file.path, file.data if file.path == "config" else None)

    def written_in(self, path: str) -> str:
        """A file of the layers, also one that is skipped, as its path in the source: that of the highest layer."""
        found = (layer.id.file(path) for layer in reversed(self.compiled.layers) if path in layer.paths)
        return next(found, path)

    def properties(self, file: File) -> Properties:
        """The properties of a profile, with every key split at its dots and brackets."""
        from halgit.validation.properties import split_properties

        if file.path not in self._properties:
            self._properties[file.path] = split_properties(file.data)
        return self._properties[file.path]

    def profile_documents(self, file: File) -> Iterator[ProfileDocument]:
        """Yield the documents of a profile in their order, in which a later one overrides an earlier one."""
        if file.data is not MISSING:
            yield ProfileDocument(file.path, self.properties(file))
            return
        from halgit.validation.properties import split_properties

        for document in self.several_documents.get(file.path, ()):
            yield ProfileDocument(document.file, split_properties(document.data), document)

    @cached_property
    def several_documents(self) -> dict[str, tuple[Document, ...]]:
        """The documents of profiles that have several, by the path of the file."""
        found: dict[str, tuple[Document, ...]] = {}
        for path, file in self.files.items():
            is_one = file.data is not MISSING or not path.endswith((".yml", ".yaml")) or "/profiles/" not in path
            if not is_one and isinstance(file.body, bytes) and b"---" in file.body:
                from halgit.validation import account_files

                found[path] = account_files.read({self.written_in(path): file.body})[0].documents
        return found

    def documents(self, folder: str) -> Iterator[tuple[File, Node]]:
        """The YAML documents below `<deployment>/<folder>/` of every deployment."""
        for path, file in self.files.items():
            parts = path.split("/")
            if len(parts) > 2 and parts[1] == folder and file.data is not MISSING:
                yield file, Node((), file.data)

    def profile(self, name: str) -> Node | None:
        """A profile of the rendered deployment by its name below `profiles/`; None where there is none."""
        return self._document(f"{self.compiled.deployment}/profiles/{name}")

    def service_settings(self, service: str) -> Node | None:
        """The service-settings of one service of the rendered deployment; None where there are none."""
        return self._document(f"{self.compiled.deployment}/service-settings/{service}.yml")

    def _document(self, path: str) -> Node | None:
        file = self.files.get(path)
        return None if file is None or file.data is MISSING else Node((), file.data)
