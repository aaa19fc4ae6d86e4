"""Placeholder values for `--secrets mask`: values of the type each field requires, so that Halyard loads the tree.

They are derived from the references alone and are always the same. Pure; reads no secret.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping

from halgit import references
from halgit.annotations import Final
from halgit.halyard import model
from halgit.halyard.resources import load_table
from halgit.pipeline import MISSING, PlainScalar, Value
from halgit.secrets.plan import SecretPlan, Use
from halgit.secrets.values import halyard_path, name_secret_file

_JSON: Final = frozenset(
    {"jsonPath", "jsonKey", "dockerconfigFile", "credentialPath", "credentials_path", "serviceKeyFile"}
)
"""The local-file fields whose files hold JSON."""

_OF_TYPES: Final = {"int": "1", "float": "1.0", "bool": "false"}
"""Placeholders for values that SOPS encrypted and that are no strings."""


def make_placeholders(plan: SecretPlan) -> tuple[dict[Use, str], dict[str, bytes]]:
    """The text in the place of each reference, and the files that are made, by path of the tree."""
    pieces: dict[Use, str] = {}
    files: dict[str, bytes] = {}
    contexts = _contexts(plan)
    config = plan.compiled.files["config"].data if "config" in plan.compiled.files else MISSING
    for use in plan.uses:
        text = references.format_placeholder(use.reference)
        if use.action == "text":
            pieces[use] = _text(use, config, text)
        elif use.action == "file":
            field = str(use.occurrence.path[-1])
            content = _file(field, contexts[name_secret_file(use.reference)], text)
            name = name_secret_file(use.reference)
            if files.setdefault(name, content) != content:
                name = name_secret_file(use.reference, field)
                files[name] = content
            pieces[use] = halyard_path(plan.compiled.hal_home, name)
    return pieces, files


def _text(use: Use, config: Value, text: str) -> str:
    """A text for a place; in a field of the halconfig that takes no text, one that is read as what it takes."""
    if use.reference.get("type"):
        return PlainScalar(_OF_TYPES[use.reference.get("type")])
    known = model.find_type(use.occurrence.path, config) if use.occurrence.file == "config" else None
    if known is None or not use.occurrence.found.whole:
        return text
    type_ = known[0]
    if type_.kind == "enum":
        return str(load_table("halconfig")["enums"][type_.name]["constants"][0])
    kinds = {"boolean": "false", "int32": "1", "int64": "1", "uri": "https://masked.invalid"}
    return {**kinds, "url": "https://masked.invalid"}.get(type_.kind, text)


def _file(field: str, contexts: Iterable[str], text: str) -> bytes:
    """A file for a field, with nothing in it."""
    if field == "kubeconfigFile":
        return _kubeconfig(contexts)
    if field in _JSON:
        return b"{}\n"
    return (f"masked:{text}\n" if field == "usernamePasswordFile" else f"{text}\n").encode()


def _kubeconfig(contexts: Iterable[str]) -> bytes:
    names = sorted(set(contexts)) or ["masked"]
    empty: dict[str, str] = {}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": names[0],
        "clusters": [{"name": "masked", "cluster": {"server": "https://masked.invalid"}}],
        "users": [{"name": "masked", "user": empty}],
        "contexts": [{"name": name, "context": {"cluster": "masked", "user": "masked"}} for name in names],
    }
    return (json.dumps(config, indent=2) + "\n").encode()


def _contexts(plan: SecretPlan) -> Mapping[str, list[str]]:
    """The contexts that accounts want of each secret file: Halyard refuses a kubeconfig that lacks its account's."""
    found: dict[str, list[str]] = defaultdict(list)
    for use in plan.uses:
        if use.action == "file":
            node = plan.compiled.files[use.occurrence.file].data
            for step in use.occurrence.path[:-1]:
                node = node[step]
            if isinstance(node, dict) and isinstance(node.get("context"), str):
                found[name_secret_file(use.reference)].append(node["context"])
    return found
