"""Every file of the merged tree against the schema there is for it: what Halyard and the services refuse or ignore.

Which file has which schema is told by its path, and for kubeconfigs by the accounts that name them. Files that do
not parse are told of by the merge, or here where nothing has read them yet. Pure.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace

from halgit import yaml as hyaml
from halgit.halyard import model
from halgit.pipeline import MISSING, File, Finding, Position, Severity, Value
from halgit.validation.schema import check, schema_of


def findings(files: Mapping[str, File], deployment: str, hal_home: str) -> Iterator[Finding]:
    """What the schemas say of the files of a tree. What is for another deployment is a warning at most."""
    for path, file in files.items():
        schema = schema_of(path)
        if schema is None or not isinstance(file.data, (dict, list, str, int, float)):
            continue
        for finding in check(file.data, path, schema):
            stops = path == "config" or path.startswith(f"{deployment}/")
            yield finding if stops else replace(finding, severity=min(finding.severity, Severity.WARNING))
    config = files.get("config")
    if config is not None and isinstance(config.data, dict):
        for path in dict.fromkeys(kubeconfigs(config.data, hal_home)):
            yield from _kubeconfig(path, files)


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
    """What a kubeconfig holds, and why it does not parse; MISSING where its text is not to be had."""
    if file.data is not MISSING or not isinstance(file.body, bytes):
        return file.data, ()
    read = hyaml.read(file.body, file.path)
    return (MISSING if read.findings else read.data), read.findings


def _kubeconfig(path: str, files: Mapping[str, File]) -> Iterator[Finding]:
    """The faults of a kubeconfig, with their lines: no layer has parsed it, so the compiler cannot look them up."""
    if path not in files:
        return
    data, faults = kubeconfig(files[path])
    yield from (replace(fault, rule="schema/unreadable", file=path) for fault in faults)
    found = () if data is MISSING or data is None else check(data, path, "kubeconfig")
    text = files[path].body
    places = hyaml.locate_all(text, {one.path for one in found}) if found and isinstance(text, bytes) else {}
    for one in found:
        spot = places.get(one.path, Position(1, 1))
        yield replace(one, line=spot.line, column=spot.column)
