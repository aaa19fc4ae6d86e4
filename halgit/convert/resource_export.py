"""Export of a rendered tree as a SpinnakerService resource of the operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from halgit import yaml as hyaml
from halgit.convert.exported_tree import PROFILES, SETTINGS, Export, ExportedTree, check_schema
from halgit.halyard.resources import load_schema
from halgit.pipeline import Value
from halgit.report.summaries import Decision

_DECK = "settings-local.js"
_SET_BY_OPERATOR = ("type", "location", "accountName")
FILE = "spinnakerservice.yml"


def export_resource(tree: ExportedTree) -> Export:
    """Return the resource, with what it cannot express."""
    decisions: list[Decision] = []
    body, text = tree.body()
    environment = body.get("deploymentEnvironment")
    namespace = environment.get("location") if isinstance(environment, dict) else None
    wanted = _without_operator_fields(body, decisions)
    files: dict[str, bytes] = {}
    for path, name in tree.local_files():
        short = name.removeprefix("files/").replace("/", "-")
        wanted = hyaml.apply_change(wanted, path, short)
        files[short] = tree.files[name]
    config = hyaml.rewrite(text, wanted)
    profiles, more = _profiles(tree.named(PROFILES), decisions)
    settings = {name.removesuffix(".yml"): text for name, text in tree.named(SETTINGS).items()}
    parts = [
        _head(namespace),
        "    config:\n" + _nested(config, 6),
        _section("profiles", profiles, 4),
        _section("service-settings", {name: _nested(text, 8) for name, text in settings.items()}, 4),
        _section("files", {name: _literal(text, 8, name, decisions) for name, text in (files | more).items()}, 4),
    ]
    resource = "".join(parts).encode("utf-8")
    decisions += tree.lost_comments([resource])
    violations = check_schema(hyaml.read(resource, FILE).data, json.dumps(_schema()))
    return Export({FILE: resource}, tuple(decisions), violations)


def _schema() -> dict[str, Any]:
    """Return the schema of a resource, with that of Halyard's deployment for its config."""
    return {**load_schema("spinnakerservice"), "$defs": load_schema("halconfig")["$defs"]}


def _head(namespace: Value) -> str:
    where = f"  namespace: {hyaml.dump(namespace).decode().strip()}\n" if namespace else ""
    return (
        "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nmetadata:\n  name: spinnaker\n"
        f"{where}spec:\n  spinnakerConfig:\n"
    )


def _without_operator_fields(body: dict[str, Value], decisions: list[Decision]) -> dict[str, Value]:
    """Remove what the operator sets itself; an empty mapping keeps its place for an import."""
    environment = body.get("deploymentEnvironment")
    if not isinstance(environment, dict):
        return body
    if environment.get("accountName"):
        hint = "The operator deploys to its own cluster and ignores the account."
        decisions.append(Decision("config: deploymentEnvironment.accountName", hint))
    kept = {key: value for key, value in environment.items() if key not in _SET_BY_OPERATOR}
    return {**body, "deploymentEnvironment": kept}


def _profiles(profiles: Mapping[str, bytes], decisions: list[Decision]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return profiles by service, and the files that are not a profile of a service."""
    by_service: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, text in profiles.items():
        is_profile = name.endswith(".yml") and "/" not in name and isinstance(hyaml.read(text, name).data, dict)
        if name == _DECK:
            by_service["deck"] = f"        {_DECK}: {_literal(text, 10, name, decisions)}"
        elif name.endswith("-local.yml") and is_profile:
            by_service[name.removesuffix("-local.yml")] = _nested(text, 8)
        elif name == "spinnakerconfig.yml" and is_profile:
            by_service["spinnakerconfig"] = _nested(text, 8)
        else:
            files["profiles__" + name.replace("/", "__")] = text
    return by_service, files


def _section(name: str, entries: Mapping[str, str], indentation: int) -> str:
    if not entries:
        return ""
    pad = " " * indentation
    lines = [f"{pad}{name}:\n"]
    for key, text in sorted(entries.items()):
        separator = " " if text.startswith(("|", '"', "'")) else "\n"
        lines.append(f"{pad}  {hyaml.dump(key).decode().strip()}:{separator}{text}")
    return "".join(lines)


def _nested(text: bytes, indentation: int) -> str:
    """Return a file as the value of a key; written again from its data if its lines mean something else there."""
    nested = _indented(text, indentation)
    data = hyaml.read(text, "").data
    if hyaml.dump(hyaml.read(f"key:\n{nested}".encode(), "").data) != hyaml.dump({"key": data}):
        nested = _indented(hyaml.dump(data), indentation)
    return nested


def _indented(text: bytes, indentation: int) -> str:
    lines = text.decode("utf-8").removeprefix("\ufeff").splitlines()
    return "".join(f"{' ' * indentation}{line}\n" if line.strip() else "\n" for line in lines)


def _literal(text: bytes, indentation: int, name: str, decisions: list[Decision]) -> str:
    """Return a text as a literal block, or quoted if a block cannot express it."""
    try:
        string = text.decode("utf-8")
    except UnicodeDecodeError:
        decisions.append(Decision(name, "The file is not text, and a resource contains text only. Mount it instead."))
        return '""\n'
    block = _block(string, indentation)
    if hyaml.read(f"key: {block}".encode(), "").data == {"key": string}:
        return block
    return hyaml.dump({"key": string}).decode().removeprefix("key: ") if "\n" not in string else _quoted(string)


def _block(string: str, indentation: int) -> str:
    chomping = "|+" if string.endswith("\n\n") else "|" if string.endswith("\n") else "|-"
    lines = (f"{' ' * indentation}{line}" if line.strip() else line for line in string.splitlines(keepends=True))
    return f"{chomping}\n" + "".join(lines).removesuffix("\n") + "\n"


def _quoted(string: str) -> str:
    return json.dumps(string) + "\n"
