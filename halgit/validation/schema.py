"""Halyard's verdict on a halconfig while loading it, and the verdicts of other readers on their files.

`check` gives every fault of a parsed document; `verdict` the outcome Halyard comes to for a text. A compiled schema
decides in one go for nearly every document; only where it refuses is the document looked at again, for words.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from halgit import yaml as hyaml
from halgit.annotations import TYPE_CHECKING, Any, Final, Literal
from halgit.halyard import layout, model
from halgit.halyard import resources as halyard_data
from halgit.halyard.coercion import is_true
from halgit.pipeline import MISSING, File, Finding, Path, Position, Severity, Value
from halgit.record import Record, replace
from halgit.redaction import Secret, SecretText
from halgit.validation.schema_acceptor import MAX_COLLECTIONS, find_unknown_keys
from halgit.validation.schema_documents import LARGEST, is_ordinary, nulls, prepared, size
from halgit.validation.schema_messages import Reader, Speaker, at, spec_at
from halgit.vocabulary import Vocabulary, gather_vocabulary

if TYPE_CHECKING:
    import jsonschema_rs

    from halgit.validation.account_files import Document


Outcome = Literal["accepted", "accepted-as-empty", "rejected", "crashes", "loads-but-cannot-be-rewritten"]

READERS: Final = {
    reader.schema: reader
    for reader in (
        Reader("halconfig", "Halyard", refuses_unknown=True),
        Reader("service-settings", "Halyard"),
        Reader("clouddriver-accounts", "Clouddriver", known_below="accounts"),
        Reader("kubeconfig", "kubectl"),
        Reader("spinnakerconfig", "the config server"),
    )
}
"""The kinds of files there are schemas for, and who reads them."""

_OURS_ONLY: Final = frozenset({"yaml/duplicate-key"})
"""Faults of a text that Halyard does not mind: of a key that stands twice it takes the last."""


_OF_SPRING: Final = frozenset({"clouddriver-accounts", "spinnakerconfig"})
"""Schemas of files that Spring binds, so that their keys have many spellings."""


class Verdict(Record):
    """Halyard's handling of a halconfig, and all its findings."""

    outcome: Outcome
    faults: tuple[Finding, ...] = ()


def check(data: Value, file: str, schema: str = "halconfig") -> tuple[Finding, ...]:
    """Every fault of a parsed document, in its own order. `schema` is one of READERS.

    None is a document without content: a halconfig Halyard takes as new, service-settings it crashes on. Secret values
    and texts with secrets count as strings. Raises KeyError for an unknown schema.
    """
    reader = READERS[schema]
    if data is None:
        return tuple(_empty(reader, file))
    vocabulary = gather_vocabulary(data)
    if vocabulary.is_shared and size(data) > LARGEST:
        message = f"With every alias expanded this document has more than {LARGEST:,} values."
        return (
            Finding("schema/too-large", Severity.ERROR, message, "Repeat the values instead of using aliases.", file),
        )
    found = list(_refused(reader, data, file, vocabulary))
    if reader.schema == "halconfig":
        found += [*crashes(data, file), *cannot_rewrite(data, file)]
    if reader.name == "Halyard" and (vocabulary.has_null_items or not is_ordinary(vocabulary)):
        reported = {finding.path for finding in found}
        found += [finding for finding in _nulls(reader, data, file) if finding.path not in reported]
    return tuple(sorted(found, key=lambda finding: _order(data, finding.path)))


def verdict(text: bytes, file: str = "config") -> Verdict:
    """Return Halyard's handling of a halconfig text, with the findings about the text and its values."""
    read = hyaml.read(text, file)
    unreadable = any(finding.severity is Severity.ERROR for finding in read.findings)
    faults = (*read.findings, *check(read.data, file))
    return Verdict("rejected" if unreadable else _outcome(read.data, faults), faults)


def _outcome(data: Value, faults: tuple[Finding, ...]) -> Outcome:
    if data is None:
        return "accepted-as-empty"
    rules = {fault.rule for fault in faults} - _OURS_ONLY
    if rules - {CRASH, CANNOT_REWRITE, "schema/null-item"}:
        return "rejected"
    if CRASH in rules:
        return "crashes"
    return "loads-but-cannot-be-rewritten" if CANNOT_REWRITE in rules else "accepted"


def _empty(reader: Reader, file: str) -> Iterator[Finding]:
    if reader.schema == "service-settings":
        message = "The file contains only comments; Halyard crashes when it reads it."
        yield Finding(CRASH, Severity.ERROR, message, "Remove the file, empty it, or write {} into it.", file)


def _refused(reader: Reader, data: Value, file: str, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Return a message for each schema violation."""
    jackson = reader.name == "Halyard"
    document = data if is_ordinary(vocabulary) else prepared(data, jackson=jackson)
    speaker = Speaker(reader, halyard_data.open_schema(reader.schema), data, file)
    for kind, path, details in _violations(reader.schema, document, is_small=vocabulary.collections <= MAX_COLLECTIONS):
        yield from speaker.findings(kind, path, details)


def _violations(schema: str, document: Value, *, is_small: bool) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Yield the errors of a document: the keyword, the path, and what the validator tells of it.

    The compiled validator is loaded for large documents, and for those in which more is wrong than an unknown key.
    """
    unknown = find_unknown_keys(halyard_data.open_schema(schema), document) if is_small else None
    if unknown is not None:
        yield from (("additionalProperties", path, {"unexpected": keys}) for path, keys in unknown.items())
        return
    validator = _validator(schema)
    if not validator.is_valid(document):
        for error in validator.iter_errors(document):
            yield error.kind.name, _path(document, error.instance_path), error.kind.as_dict()


def _path(document: Value, steps: Iterable[str | int]) -> Path:
    """Return a path of the validator, which turns keys that are digits into positions."""
    path: list[str | int] = []
    for step in steps:
        path.append(str(step) if isinstance(document, dict) else step)
        document = document[path[-1]]
    return tuple(path)


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema: once per process, when it is first needed."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(halyard_data.read_schema_text(schema))


def _nulls(reader: Reader, data: Value, file: str) -> Iterator[Finding]:
    """Items without a value in lists of mappings, and keys that are null: Jackson cannot hand those on."""
    items, keys = nulls(data)
    schema = halyard_data.open_schema(reader.schema)
    yield from (null_item(path, file) for path in items if "properties" in spec_at(schema, path, data))
    for path in keys:
        message = f"A key is null; {reader.name} refuses the whole file."
        yield Finding("schema/null-key", Severity.ERROR, message, "Name the key, or quote it.", file, path)


def _order(data: Value, path: Path) -> tuple[int, ...]:
    """Return the position of a path in its document, to sort findings in the order of the text."""
    order: list[int] = []
    for depth, step in enumerate(path):
        node = at(data, path[:depth])
        order.append(list(node).index(step) if isinstance(node, dict) else int(step))
    return tuple(order)


def schema_of(path: str) -> str | None:
    """Return the schema of a file of the rendered tree, by its path; None if it has none."""
    place = layout.classify_file(path, (path.split("/", 1)[0],))
    if place.kind == "config":
        return "halconfig"
    if place.kind == "service-settings" and place.services:
        return "service-settings"
    name = path.rsplit("/", 1)[-1]
    if place.kind != "profile" or place.reason or not name.endswith((".yml", ".yaml")):
        return None
    if name == "spinnakerconfig.yml":
        return "spinnakerconfig"
    return "clouddriver-accounts" if name.startswith("clouddriver") and path.count("/") == 2 else None


CRASH = "schema/crash"
CANNOT_REWRITE = "schema/cannot-rewrite"

_HIDDEN = "\0"


def crashes(config: Value, file: str) -> Iterator[Finding]:
    """Yield what makes Halyard fail with a NullPointerException while it loads a halconfig that it could bind."""
    oracle_in_use = False
    for provider, path, node in sorted(model.list_providers(config), key=lambda found: found[0] == "oraclebmcs"):
        if provider == "dcos":
            for number, account in enumerate(_account_list(node)):
                if isinstance(account, dict) and account.get("clusters") is None:
                    where = (*path, "accounts", number)
                    yield _crash_finding(
                        CRASH, file, where, "A DC/OS account without clusters crashes Halyard.", "Add clusters."
                    )
        if provider == "oracle" or (provider == "oraclebmcs" and not oracle_in_use):
            oracle_in_use = bool(_account_list(node))
            yield from _oracle(path, node, file)


def _oracle(path: Path, node: dict[str, Value], file: str) -> Iterator[Finding]:
    """Oracle's providers are asked for their primary account before they know the deployment they belong to."""
    names, primary = _account_names(node), _name_text(node.get("primaryAccount"))
    if not names or _HIDDEN in {*names, primary}:
        return
    before = names[: names.index(primary)] if primary in names else names
    if primary is None or primary not in names or None in before:
        where = (*path, "primaryAccount") if "primaryAccount" in node else path
        message = "Halyard crashes if primaryAccount names none of the Oracle accounts, even if disabled."
        yield _crash_finding(CRASH, file, where, message, "Set primaryAccount to the name of the first account.")


def cannot_rewrite(config: Value, file: str) -> Iterator[Finding]:
    """Yield what Halyard loads, and then fails on whenever it writes or generates something."""
    for provider, path, node in model.list_providers(config):
        stumbles = _stumbles(node, _bootstrap_only(config, path))
        for number, account in enumerate(_account_list(node)):
            where = (*path, "accounts", number)
            nameless = account is None or (isinstance(account, dict) and account.get("name") is None)
            if stumbles and nameless:
                message = "An account without a name fails when Halyard looks for the primary account, on every save."
                hint = "Add name." if account else "Remove the dash."
                yield _crash_finding(CANNOT_REWRITE, file, where, message, hint)
            if provider == "dockerRegistry" and isinstance(account, dict) and account.get("address") is None:
                message = "A Docker registry account without an address fails when Halyard generates or saves."
                hint = "Add address, such as https://index.docker.io."
                yield _crash_finding(CANNOT_REWRITE, file, where, message, hint)


def _stumbles(node: dict[str, Value], bootstrap_only: bool) -> bool:
    """True if looking for the primary account meets an account without a name, as `Provider.getPrimaryAccount` does.

    It compares names up to the one it looks for; without it the first account counts, which may be nameless but not
    null, or (with `bootstrapOnly`) the first that is not Spinnaker's own.
    """
    names, primary = _account_names(node), _name_text(node.get("primaryAccount"))
    if not names or _HIDDEN in {*names, primary}:
        return False
    if primary is not None:
        before = names[: names.index(primary)] if primary in names else names
        if None in before or primary in names:
            return None in before
    return None in names if bootstrap_only else _account_list(node)[0] is None


def _bootstrap_only(config: Value, path: Path) -> bool:
    environment = config["deploymentConfigurations"][path[1]].get("deploymentEnvironment")
    return isinstance(environment, dict) and is_true(environment.get("bootstrapOnly"))


def null_item(path: Path, file: str) -> Finding:
    """An item without a value in a list of mappings."""
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "the list")
    message = f"An item of {key} is null; Halyard fails when it generates or saves."
    return _crash_finding("schema/null-item", file, path, message, "Remove the dash, or write the item.")


def _account_list(provider: dict[str, Value]) -> list[Value]:
    accounts = provider.get("accounts")
    return accounts if isinstance(accounts, list) else []


def _account_names(provider: dict[str, Value]) -> list[str | None]:
    """The names of a provider's accounts; None for an account that has none, or is null."""
    return [_name_text(item.get("name")) if isinstance(item, dict) else None for item in _account_list(provider)]


def _name_text(value: Value) -> str | None:
    """The text of a name; None where there is none, _HIDDEN where it is a secret and cannot be compared."""
    if isinstance(value, (Secret, SecretText)):
        return _HIDDEN
    return None if value is None or isinstance(value, (dict, list, bytes)) else hyaml.to_java_string(value)


def _crash_finding(rule: str, file: str, path: Path, message: str, hint: str) -> Finding:
    return Finding(rule, Severity.ERROR, message, hint, file, path)


def schema_findings(files: Mapping[str, File], deployment: str, hal_home: str) -> Iterator[Finding]:
    """Yield the schema violations of the files of a tree. Those of another deployment are warnings at most."""
    for path, file in files.items():
        schema = schema_of(path)
        if schema is None or not isinstance(file.data, (dict, list, str, int, float)) or _is_manifest(path, file.data):
            continue
        for finding in _check_file(file, schema):
            stops = (path == "config" or path.startswith(f"{deployment}/")) and not _is_ignored(
                finding, file.data, schema
            )
            yield finding if stops else replace(finding, severity=min(finding.severity, Severity.WARNING))
    config = files.get("config")
    if config is not None and isinstance(config.data, dict):
        for path in dict.fromkeys(kubeconfigs(config.data, hal_home)):
            yield from _kubeconfig_findings(path, files)


def _check_file(file: File, schema: str) -> Iterator[Finding]:
    """Yield the faults of a file; those of a file of Spring at the places of its properties, however spelled."""
    if schema not in _OF_SPRING:
        yield from check(file.data, file.path, schema)
        return
    from halgit.validation.properties import bind_properties

    properties = bind_properties(file.data, schema)
    for finding in check(properties.data, file.path, schema):
        yield replace(finding, path=properties.place(finding.path)) if properties.places else finding


def document_findings(documents: Iterable[Document], path: str) -> Iterator[Finding]:
    """Yield the schema violations of a profile that has several documents, with their lines."""
    schema = schema_of(path)
    for document in documents if schema in _OF_SPRING else ():
        from halgit.validation.properties import bind_properties

        properties = bind_properties(document.data, str(schema))
        for finding in check(properties.data, document.file, str(schema)) if properties.data is not None else ():
            (spot,) = document.places([properties.place(finding.path)])
            yield replace(finding, line=spot.line, column=spot.column)


def _is_manifest(path: str, data: Value) -> bool:
    """Whether the halconfig is a Kubernetes manifest, which `config/manifest` reports."""
    return path == "config" and isinstance(data, dict) and "apiVersion" in data and "kind" in data


def _is_ignored(finding: Finding, data: Value, schema: str) -> bool:
    """True if the reader takes a value of the wrong kind without an error: it starts, and does not use the value."""
    is_word = schema == "service-settings" and not isinstance(data, (dict, list))
    return is_word or (
        schema == "spinnakerconfig" and finding.path == ("encrypt",) and isinstance(data["encrypt"], str)
    )


def kubeconfigs(config: Value, hal_home: str) -> Iterator[str]:
    """The paths inside the tree that accounts of Kubernetes name as their kubeconfig."""
    for provider, _, node in model.list_providers(config):
        accounts = node.get("accounts") if provider == "kubernetes" else ()
        for account in accounts if isinstance(accounts, list) else ():
            named = account.get("kubeconfigFile") if isinstance(account, dict) else None
            if isinstance(named, str) and named:
                yield inside(named, hal_home)


def inside(path: str, hal_home: str) -> str:
    """A local file's path inside the tree: relative to it, or as it is where it lies elsewhere."""
    home = hal_home.rstrip("/") + "/"
    return posixpath.normpath(path[len(home) :] if path.startswith(home) else path)


def kubeconfig(file: File) -> tuple[Value, tuple[Finding, ...]]:
    """Return the value of a kubeconfig, and why it does not parse; MISSING if its text is unavailable."""
    if file.data is not MISSING or not isinstance(file.body, bytes):
        return file.data, ()
    read = hyaml.read(file.body, file.path)
    return (MISSING if read.findings and not read.documents else read.data), read.findings


def _kubeconfig_findings(path: str, files: Mapping[str, File]) -> Iterator[Finding]:
    """The faults of a kubeconfig, with their lines: no layer has parsed it, so the compiler cannot look them up."""
    if path not in files:
        return
    data, faults = kubeconfig(files[path])
    yield from (replace(fault, rule="schema/unreadable", file=path) for fault in faults)
    found = () if data is MISSING or data is None else _first_of_root(check(data, path, "kubeconfig"))
    text = files[path].body
    places = hyaml.locate_all(text, {one.path for one in found}) if found and isinstance(text, bytes) else {}
    for one in found:
        spot = places.get(one.path, Position(1, 1))
        yield replace(one, line=spot.line, column=spot.column, severity=min(one.severity, Severity.WARNING))


def _first_of_root(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of a kubeconfig; of those about whole sections only the first, for the others follow from it.

    Halyard itself accepts all of them (`kubernetes/kubeconfig` reports what it refuses); kubectl does not.
    """
    root = [one for one in findings if len(one.path) < 2]
    return findings if not root else (root[0], *(one for one in findings if one is not root[0] and len(one.path) > 1))
