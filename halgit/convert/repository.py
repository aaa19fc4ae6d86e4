"""The converted files as a repository: a base with what was declared, one overlay with the values, an account of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from halgit import yaml as hyaml
from halgit.convert.chart_values import Values
from halgit.convert.file_converter import Converting, parameter
from halgit.halyard import model
from halgit.opsmx.tokens import token_table
from halgit.pipeline import EMPTY, MISSING, File, Finding, Skipped, Variant
from halgit.report.summaries import Decision, ImportedParameter, ImportReport

_DYNAMIC = "accounts/"


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported: the files that belong in a tree, and the rest as it was found.

    `extra` are further files that belong there though nothing names them, `accounts` the files of dynamic accounts,
    `findings` what the rules say of secrets in the open.
    """

    files: Mapping[str, File]
    extra: Mapping[str, bytes] = EMPTY
    accounts: Mapping[str, bytes] = EMPTY
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()
    deployment: str = "default"
    variant: Variant = "token"
    hal_home: str = "/home/spinnaker/.hal"


@dataclass(frozen=True, slots=True)
class Imported:
    """The files of the new repository and the account of how they came about."""

    files: Mapping[str, bytes]
    account: ImportReport


def layered(source: Source, overlay: str, values: Values) -> Imported:
    """The new repository."""
    converting = Converting(ssh=source.variant == "ssh")
    base = {path: converting.file(file) for path, file in source.files.items()}
    declared = tuple(_declared(token, values) for token in converting.tokens)
    dynamic = {path if path.startswith(_DYNAMIC) else _DYNAMIC + path: text for path, text in source.accounts.items()}
    files = {
        "halgit.yaml": _root(source),
        "base/halgit.yaml": _base(declared, source.extra),
        **{f"base/{path}": text for path, text in (*base.items(), *source.extra.items())},
        f"overlays/{overlay}/halgit.yaml": _overlay(declared, values),
        **dynamic,
    }
    account = ImportReport(
        tuple(sorted(files)),
        declared,
        converting.references,
        source.skipped,
        (*_open(declared), *_of_values(values, declared), *_of_source(source)),
        values.moved,
    )
    return Imported(dict(sorted(files.items())), account)


def _declared(token: str, values: Values) -> ImportedParameter:
    known = token_table()[token]
    if known.secret:
        given = "to be given: it is a secret"
    elif token in values.parameters:
        given = "in the overlay, from --values"
    else:
        given = "empty unless given" if known.may_be_empty else "to be given"
    return ImportedParameter(parameter(token), token, known.secret, given)


def _root(source: Source) -> bytes:
    text = "# Settings of the whole repository. They lie beneath every overlay.\n"
    return (text + f"deployment: {json.dumps(source.deployment)}\ndialect: halgit\n").encode()


def _base(declared: tuple[ImportedParameter, ...], extra: Mapping[str, bytes]) -> bytes:
    text = "# What all environments share. What differs between them is declared here and given in overlays/NAME.\n"
    said: dict[str, object] = {}
    if declared:
        said["params"] = {row.name: _declaration(row.token) for row in declared}
    if extra:
        said["include"] = sorted(_as_glob(path) for path in extra)
    return text.encode() + (hyaml.dump(said) if said else b"{}\n")


def _as_glob(path: str) -> str:
    """A path as a pattern that names it; a sign that a pattern would read becomes any one sign."""
    return path.replace("*", "?")


def _declaration(token: str) -> dict[str, object]:
    known = token_table()[token]
    kind: dict[str, object] = {"type": "string"}
    if known.secret:
        kind["secret"] = True
    if known.may_be_empty:
        kind["default"] = ""
    else:
        kind["required"] = True
    return {**kind, "description": known.description}


def _overlay(declared: tuple[ImportedParameter, ...], values: Values) -> bytes:
    given = {row.name: values.parameters[row.token] for row in declared if row.value.startswith("in the overlay")}
    missing = [row for row in declared if row.value == "to be given"]
    text = "# One environment. Files beside this one hold only what differs from the base.\n"
    text += hyaml.dump({"bases": ["../../base"]}).decode()
    if given or missing:
        text += "params:\n" if given else "# params:\n"
    text += "".join(f"  {line}\n" for line in (hyaml.dump(given).decode().splitlines() if given else ()))
    text += "".join(f"#  {row.name}: {token_table()[row.token].description}\n" for row in missing)
    return text.encode()


# --- what a person must decide


def _open(declared: tuple[ImportedParameter, ...]) -> list[Decision]:
    return [
        Decision(
            f"parameter {row.name}",
            f"Give it by HALGIT_PARAM_{row.token}_FILE, or as a reference in the overlay: it is a secret."
            if row.secret
            else f"Give it in the overlay, or by HALGIT_PARAM_{row.token}.",
        )
        for row in declared
        if row.secret or row.value == "to be given"
    ]


def _of_values(values: Values, declared: tuple[ImportedParameter, ...]) -> list[Decision]:
    used = {row.token for row in declared}
    decided = [
        Decision(f"value {key}", f"It is a secret and was not taken over. Put it in a Secret: {where}")
        for key, where in values.secrets
    ]
    decided += [
        Decision(f"value of {token}", "No file of the repository has this token, so it was not taken over.")
        for token in values.parameters
        if token not in used
    ]
    return decided + [
        Decision(f"value {key}", "The old chart has no such value; nothing read it.") for key in values.unknown
    ]


def _of_source(source: Source) -> list[Decision]:
    decided = [Decision(_place(found), f"{found.message} {found.hint}".strip()) for found in source.findings]
    config = source.files["config"].data if "config" in source.files else MISSING
    for path, value in model.list_local_files(config) if isinstance(config, dict) else ():
        where = str(value)
        known = model.find_field(path, config)
        inside = where.removeprefix(source.hal_home.rstrip("/") + "/")
        if where.startswith(("encrypted", "configserver:", "${{")):
            continue
        if inside in source.files and known is not None and known.secret_file:
            decided.append(
                Decision(f"base/{inside}", "It may hold a secret. Keep it in a store and refer to it by secretFile().")
            )
        elif where.startswith(("/", "~")) and inside == where:
            decided.append(
                Decision(f"config: {path[-1]}", f"{where} lies outside the tree. Mount it there, or bring it in.")
            )
    searched = "It stood at the root. Let searchPaths of the config server (spinnakerconfig.yml) name accounts."
    return decided + [Decision(path, searched) for path in _moved(source.accounts)]


def _moved(accounts: Mapping[str, bytes]) -> list[str]:
    return [_DYNAMIC + path for path in accounts if not path.startswith(_DYNAMIC)]


def _place(found: Finding) -> str:
    return f"{found.file}:{found.line}" if found.line else found.file
