"""What Halyard says of a halconfig before it does anything with it, and what other readers say of their files.

`check` gives every fault of a parsed document; `verdict` the outcome Halyard comes to for a text. A compiled schema
decides in one go for nearly every document; only where it refuses is the document looked at again, for words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from halgit import yaml as hyaml
from halgit.halyard import layout
from halgit.halyard import resources as halyard_data
from halgit.pipeline import Finding, Path, Severity, Value
from halgit.validation.crashes import CANNOT_REWRITE, CRASH, cannot_rewrite, crashes, null_item
from halgit.validation.preparing import LARGEST, Scan, nulls, prepared, size
from halgit.validation.schema_words import Reader, Speaker, at, spec_at

if TYPE_CHECKING:
    import jsonschema_rs

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Halyard does with a halconfig, and everything that is wrong with it."""

    outcome: Outcome
    faults: tuple[Finding, ...] = ()


def check(data: Value, file: str, schema: str = "halconfig") -> tuple[Finding, ...]:
    """Every fault of a parsed document, in its own order. `schema` is one of READERS.

    None is a document without content: a halconfig Halyard takes as new, service-settings it crashes on. Secret and
    woven values count as texts. Raises KeyError for an unknown schema.
    """
    reader = READERS[schema]
    if data is None:
        return tuple(_empty(reader, file))
    scan = Scan(data)
    if scan.shared and size(data) > LARGEST:
        message = f"With every alias written out this document has more than {LARGEST:,} values."
        return (Finding("schema/too-large", Severity.ERROR, message, "Write it without aliases.", file),)
    found = list(_refused(reader, data, file, ordinary=scan.ordinary))
    if reader.schema == "halconfig":
        found += [*crashes(data, file), *cannot_rewrite(data, file)]
    if reader.name == "Halyard" and (scan.nulls or not scan.ordinary):
        told = {finding.path for finding in found}
        found += [finding for finding in _nulls(reader, data, file) if finding.path not in told]
    return tuple(sorted(found, key=lambda finding: _order(data, finding.path)))


def verdict(text: bytes, file: str = "config") -> Verdict:
    """What Halyard does with a halconfig of this text, with the faults of the text and of what it holds."""
    read = hyaml.read(text, file)
    unreadable = any(fault.rule not in _OURS_ONLY for fault in read.findings)
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
        message = "There is nothing in this file but comments, and Halyard crashes on that."
        yield Finding(CRASH, Severity.ERROR, message, "Remove the file, empty it, or write {} into it.", file)


def _refused(reader: Reader, data: Value, file: str, *, ordinary: bool) -> Iterator[Finding]:
    """What the schema refuses, in words."""
    validator = _validator(reader.schema)
    jackson = reader.name == "Halyard"
    document = data if ordinary else prepared(data, jackson=jackson)
    if validator.is_valid(document):
        return
    speaker = Speaker(reader, halyard_data.load_schema(reader.schema), data, file)
    for error in validator.iter_errors(document):
        yield from speaker.findings(error.kind.name, tuple(error.instance_path), error.kind.as_dict())


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema: once per process, when it is first needed."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(halyard_data.read_schema_text(schema))


def _nulls(reader: Reader, data: Value, file: str) -> Iterator[Finding]:
    """Items without a value in lists of mappings, and keys that are null: Jackson cannot hand those on."""
    items, keys = nulls(data)
    schema = halyard_data.load_schema(reader.schema)
    yield from (null_item(path, file) for path in items if "properties" in spec_at(schema, path, data))
    for path in keys:
        message = f"A key is null here, and {reader.name} refuses the whole file."
        yield Finding("schema/null-key", Severity.ERROR, message, "Name the key, or quote it.", file, path)


def _order(data: Value, path: Path) -> tuple[int, ...]:
    """Where a path stands in its document, so that findings come in the order of the text."""
    order: list[int] = []
    for depth, step in enumerate(path):
        node = at(data, path[:depth])
        order.append(list(node).index(step) if isinstance(node, dict) else int(step))
    return tuple(order)


def schema_of(path: str) -> str | None:
    """Which schema a file of the rendered tree is checked with, by its path; None for a file there is none for."""
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
