"""The imported files as a repository: a base with declared parameters, one overlay with their values, and a report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.convert.chart_values import ChartValues
from halgit.convert.file_converter import FileConverter, parameter_name
from halgit.convert.new_values import NEW_VALUES
from halgit.convert.tree_source import ConvertedTree
from halgit.halyard import model
from halgit.opsmx.tokens import token_table
from halgit.pipeline import EMPTY, MISSING, File, Finding, LayerId, Skipped, SourceId, Variant
from halgit.record import Record
from halgit.report.summaries import Decision, ImportedParameter, ImportReport
from halgit.validation import account_files
from halgit.validation.account_entries import check_entry
from halgit.validation.account_files import Document
from halgit.validation.account_keys import check_name, read_name

_ACCOUNTS = "accounts/"
REPORT = "import-report.md"
_REQUIRED = "to be set"
_NOT_EMPTY = r"[\s\S]+"
"""The pattern of tokens that may not be empty, as in the dialect opsmx."""
_IN_OVERLAY = "in the overlay, from --values"


class ImportSource(Record):
    """The configuration to import. `files` are those of the tree.

    `extra` are further files that the tree had although nothing names them, `accounts` the files of dynamic accounts,
    `findings` what a person should look at.
    """

    files: Mapping[str, File]
    extra: Mapping[str, bytes] = EMPTY
    accounts: Mapping[str, bytes] = EMPTY
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()
    deployment: str = "default"
    variant: Variant = "token"
    hal_home: str = "/home/spinnaker/.hal"


class ImportedRepository(Record):
    """The files of the new repository, with the report on the import."""

    files: Mapping[str, bytes]
    report: ImportReport


def build_repository(
    source: ImportSource, overlay: str, values: ChartValues, tree: ConvertedTree | None = None
) -> ImportedRepository:
    """Convert the source into a repository with a base and one overlay.

    `tree` is what the source was converted from, if it was in another format; its patches become layers in between.
    """
    converter = FileConverter(ssh=source.variant == "ssh")
    base = {path: converter.convert(file) for path, file in source.files.items()}
    patches = {
        name: {path: converter.convert(_patch_file(path, text)) for path, text in files.items()}
        for name, files in (tree.patches if tree else {}).items()
    }
    parameters = tuple(_parameter(token, values) for token in converter.tokens)
    accounts = {_account_path(path): text for path, text in source.accounts.items()}
    files = {
        "halgit.yaml": _root_settings(source),
        "base/halgit.yaml": _base_settings(parameters, source.extra),
        **{f"base/{path}": text for path, text in (*base.items(), *source.extra.items())},
        **{f"patches/{name}/{path}": text for name, part in patches.items() for path, text in part.items()},
        f"overlays/{overlay}/halgit.yaml": _overlay_settings(parameters, values, tuple(patches)),
        **accounts,
        **({NEW_VALUES: values.new_file} if values.new_file else {}),
    }
    decisions = (
        *(tree.decisions if tree else ()),
        *_parameter_decisions(parameters),
        *_value_decisions(values, parameters),
        *_finding_decisions(source.findings),
        *_local_file_decisions(source),
        *_account_decisions(source.accounts),
    )
    paths = tuple(sorted([*files, REPORT]))
    report = ImportReport(paths, parameters, converter.references, source.skipped, decisions, values.moved)
    files[REPORT] = _report_file(report)
    return ImportedRepository(dict(sorted(files.items())), report)


def _patch_file(path: str, text: bytes) -> File:
    """Return a file of a patch layer as it is read; its data is missing unless it is one YAML document."""
    is_yaml = path == "config" or path.endswith((".yml", ".yaml"))
    documents = hyaml.read(text, path, many=True).documents if is_yaml else ()
    data = documents[0] if len(documents) == 1 else MISSING
    layer = LayerId("patches", SourceId("patches"))
    return File(path, "copied", (layer,), data=data, body=text)


def _report_file(report: ImportReport) -> bytes:
    """Return the report as Markdown: what a person must decide, and what was skipped."""
    lines = ["# Import report", "", "What to decide:", ""]
    lines += [f"- `{one.place}`: {one.what}" for one in report.decisions] or ["- nothing"]
    lines += ["", "Skipped files:", ""]
    lines += [f"- `{one.path}`: {one.reason}" for one in report.skipped] or ["- none"]
    return ("\n".join(lines) + "\n").encode()


def _account_path(path: str) -> str:
    return path if path.startswith(_ACCOUNTS) else _ACCOUNTS + path


def _parameter(token: str, values: ChartValues) -> ImportedParameter:
    known = token_table()[token]
    if known.secret:
        value = f"{_REQUIRED}: it is a secret"
    elif token in values.parameters:
        value = _IN_OVERLAY
    else:
        value = "empty by default" if known.may_be_empty else _REQUIRED
    return ImportedParameter(parameter_name(token), token, known.secret, value)


# --- the halgit.yaml of each layer -----------------------------------------------------------------------------


def _root_settings(source: ImportSource) -> bytes:
    text = "# Settings of the whole repository. They apply below every overlay.\n"
    return (text + f"deployment: {json.dumps(source.deployment)}\ndialect: halgit\n").encode()


def _base_settings(parameters: tuple[ImportedParameter, ...], extra: Mapping[str, bytes]) -> bytes:
    text = "# What all environments share. Values that differ are declared here and set in overlays/NAME.\n"
    settings: dict[str, object] = {}
    if parameters:
        settings["params"] = {one.name: _declaration(one.token) for one in parameters}
    if extra:
        settings["include"] = sorted(_literal_glob(path) for path in extra)
    return text.encode() + (hyaml.dump(settings) if settings else b"{}\n")


def _literal_glob(path: str) -> str:
    """Return a glob for one path; `?` stands for a character that a glob would interpret."""
    return path.replace("*", "?")


def _declaration(token: str) -> dict[str, object]:
    known = token_table()[token]
    declaration: dict[str, object] = {"type": "string"}
    if known.secret:
        declaration["secret"] = True
    if known.may_be_empty:
        declaration["default"] = ""
    else:
        declaration |= {"required": True, "pattern": _NOT_EMPTY}
    return {**declaration, "description": known.description}


def _overlay_settings(
    parameters: tuple[ImportedParameter, ...], values: ChartValues, patches: tuple[str, ...] = ()
) -> bytes:
    present = {one.name: values.parameters[one.token] for one in parameters if one.value == _IN_OVERLAY}
    missing = [one for one in parameters if one.value == _REQUIRED]
    text = "# One environment. The files of this folder contain only what differs from the base.\n"
    text += hyaml.dump({"bases": ["../../base", *(f"../../patches/{name}" for name in patches)]}).decode()
    if present or missing:
        text += "params:\n" if present else "# params:\n"
    text += "".join(f"  {line}\n" for line in (hyaml.dump(present).decode().splitlines() if present else ()))
    text += "".join(f"#  {one.name}: {token_table()[one.token].description}\n" for one in missing)
    return text.encode()


# --- what a person must decide ---------------------------------------------------------------------------------


def _parameter_decisions(parameters: tuple[ImportedParameter, ...]) -> Iterator[Decision]:
    for one in parameters:
        variable = f"HALGIT_PARAM_{one.token}"
        if one.secret:
            hint = f"Set it with {variable}_FILE, or as a reference in the overlay: it is a secret."
            yield Decision(f"parameter {one.name}", hint)
        elif one.value == _REQUIRED:
            yield Decision(f"parameter {one.name}", f"Set it in the overlay, or with {variable}.")


def _value_decisions(values: ChartValues, parameters: tuple[ImportedParameter, ...]) -> Iterator[Decision]:
    used = {one.token for one in parameters}
    for key, target in values.secrets:
        yield Decision(f"value {key}", f"It is a secret and was not imported. Put it into a Secret: {target}")
    for token in values.parameters:
        if token not in used:
            message = "No file of the repository uses this token, so it was not imported."
            yield Decision(f"value of {token}", message)
    for key in values.unknown:
        yield Decision(f"value {key}", "The old chart does not have this value.")


def _finding_decisions(findings: tuple[Finding, ...]) -> Iterator[Decision]:
    for finding in findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        yield Decision(place, f"{finding.message} {finding.hint}".strip())


def _local_file_decisions(source: ImportSource) -> Iterator[Decision]:
    config = source.files["config"].data if "config" in source.files else MISSING
    for path, value in model.list_local_files(config) if isinstance(config, dict) else ():
        target = str(value)
        known = model.find_field(path, config)
        inside = target.removeprefix(source.hal_home.rstrip("/") + "/")
        if target.startswith(("encrypted", "configserver:", "${{")):
            continue
        if inside in source.files and known is not None and known.secret_file:
            hint = "It may contain a secret. Move it to a secret store and reference it with secretFile()."
            yield Decision(f"base/{inside}", hint)
        elif target.startswith(("/", "~")) and inside == target:
            message = f"{target} is outside the tree. Mount it into Halyard's pod, or add it to the repository."
            yield Decision(f"config: {path[-1]}", message)


def _account_decisions(accounts: Mapping[str, bytes]) -> Iterator[Decision]:
    for path in accounts:
        if _account_path(path) != path:
            hint = "It was at the root. Add accounts to searchPaths of the config server (spinnakerconfig.yml)."
            yield Decision(_account_path(path), hint)
    for file in account_files.read({_account_path(path): text for path, text in accounts.items()}):
        for fault in file.faults:
            yield Decision(f"{file.path}:{fault.line}", fault.message)
        for document in file.documents:
            yield from _account_faults(document)


def _account_faults(document: Document) -> Iterator[Decision]:
    """What Clouddriver does not load: names, duplicates, values."""
    seen: set[str] = set()
    for provider, path, account in document.accounts():
        name = read_name(account)
        faults = [*(check_name(name) if name else ()), *(["the name is a duplicate"] if name.lower() in seen else ())]
        faults += [fault.message for fault in check_entry(provider, account) if fault.effect != "ignored"]
        seen.add(name.lower())
        line = document.places([path])[0].line if faults else 0
        owner = f"account {name}" if name else f"{provider} account without a name"
        yield from (Decision(f"{document.file}:{line}", f"The {owner}: {words}.") for words in faults)
