"""A kleat repository, or the flat output of `hal config list`, as a tree.

kleat reads one deployment without `deploymentConfigurations`, with some fields in other places than Halyard. Its
profiles are in `base/local`, its files in `base/secrets`, mounted at `/var/secrets`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from halgit import yaml as hyaml
from halgit.convert.resources import find_lost_comments
from halgit.convert.tree_source import DEPLOYMENT, ConvertedTree, get, leaf_paths, set_missing, wrap_deployment
from halgit.pipeline import MISSING, Path, Value
from halgit.report.summaries import Decision

_SECRETS = "/var/secrets/"
_FLAT_KEYS = frozenset({"providers", "persistentStorage", "notifications", "security", "version", "features", "ci"})
_STORES = ("azs", "gcs", "redis", "s3", "oracle")

_ONLY_KLEAT: Mapping[Path, str] = {
    ("managedDelivery",): "Write it to default/profiles/keel-local.yml.",
    ("persistentStorage", "sql"): "Write the SQL settings to default/profiles/front50-local.yml.",
    ("notifications", "bearychat"): "Write it to default/profiles/echo-local.yml.",
    ("notifications", "email"): "Write it to default/profiles/echo-local.yml.",
    ("notifications", "googlechat"): "Write it to default/profiles/echo-local.yml.",
    ("notifications", "microsoftteams"): "Write it to default/profiles/echo-local.yml.",
    ("notifications", "pubsub"): "Write it to default/profiles/echo-local.yml.",
    ("security", "authn", "basic"): "Write it to default/profiles/gate-local.yml.",
}
"""Fields that Halyard does not have, each with the file that can hold its value."""


def is_flat(data: Value) -> bool:
    """Return whether a document is one deployment without `deploymentConfigurations`."""
    return isinstance(data, dict) and "deploymentConfigurations" not in data and len(_FLAT_KEYS & data.keys()) > 1


def convert_flat(files: Mapping[str, bytes], hal_home: str) -> ConvertedTree | None:
    """Convert the flat halconfig among these files, and what kleat keeps beside it; None if there is none."""
    name = next(
        (path for path in sorted(files, key=lambda path: (path.count("/"), path)) if _is_flat_file(path, files)), None
    )
    if name is None:
        return None
    root = posixpath.dirname(name)
    decisions: list[Decision] = []
    tree = {"config": wrap_deployment(files[name])}
    used = {name}
    for path, text in files.items():
        folder, base = posixpath.split(posixpath.relpath(path, root or "."))
        if folder == "base/local" and base.endswith((".yml", ".js")):
            tree[f"default/profiles/{base}"] = text
            used.add(path)
        elif folder == "base/secrets":
            tree[f"files/{base}"] = text
            used.add(path)
    tree["config"] = _convert(name, tree["config"], hal_home, decisions)
    if get(hyaml.read(tree["config"], "").data, (*DEPLOYMENT, "version")) is None:
        tree["config"] = _set_version(name, tree["config"], files, decisions)
    decisions += find_lost_comments({name: files[name]}, [tree["config"]])
    return ConvertedTree(tree, decisions=tuple(decisions), used=frozenset(used))


def _is_flat_file(path: str, files: Mapping[str, bytes]) -> bool:
    if not path.endswith((".yml", ".yaml")) or "/base/" in f"/{path}":
        return False
    read = hyaml.read(files[path], path, many=True)
    return len(read.documents) == 1 and is_flat(read.data)


def _convert(name: str, config: bytes, hal_home: str, decisions: list[Decision]) -> bytes:
    """Move the fields of kleat to where Halyard has them; report those it does not have."""
    for path, hint in _ONLY_KLEAT.items():
        if get(_body(config), path) is not None:
            decisions.append(
                Decision(f"{name}: {'.'.join(map(str, path))}", f"Halyard does not have this field. {hint}")
            )
            config = _edit(config, path, MISSING)
    body = _body(config)
    stores = [store for store in _STORES if get(body, ("persistentStorage", store, "enabled")) is True]
    for store in _STORES:
        if get(body, ("persistentStorage", store, "enabled")) is not None:
            config = _edit(config, ("persistentStorage", store, "enabled"), MISSING)
    if stores and get(body, ("persistentStorage", "persistentStoreType")) is None:
        config = _edit(config, ("persistentStorage", "persistentStoreType"), stores[0])
    if get(body, ("notifications", "githubStatus")) is not None:
        config = _rename(config, ("notifications", "githubStatus"), "github-status")
    config = _convert_canary(config)
    config = _convert_saml(config)
    for path, value in leaf_paths(hyaml.read(config, "").data):
        if isinstance(value, str) and value.startswith(_SECRETS):
            config = hyaml.replace_scalars(config, {path: f"{hal_home}/files/{value.removeprefix(_SECRETS)}"})
    return set_missing(config, {("deploymentEnvironment", "type"): "Distributed"})


def _convert_canary(config: bytes) -> bytes:
    integrations = get(_body(config), ("canary", "serviceIntegrations"))
    if isinstance(integrations, dict):
        items = [{"name": name, **(value if isinstance(value, dict) else {})} for name, value in integrations.items()]
        config = _edit(config, ("canary", "serviceIntegrations"), items)
    if get(_body(config), ("canary", "storageAccountName")) is None:
        return config
    return _rename(config, ("canary", "storageAccountName"), "defaultStorageAccount")


def _convert_saml(config: bytes) -> bytes:
    path: Path = ("security", "authn", "saml")
    saml = get(_body(config), path)
    if not isinstance(saml, dict):
        return config
    url = saml.get("metadataUrl")
    if url is not None:
        key = "metadataLocal" if str(url).startswith("file:") else "metadataRemote"
        config = _edit(config, (*path, "metadataUrl"), str(url).removeprefix("file://").removeprefix("file:"))
        config = _rename(config, (*path, "metadataUrl"), key)
    host = saml.get("redirectHostname")
    if host is not None:
        address = f"{saml.get('redirectProtocol') or 'https'}://{host}{saml.get('redirectBasePath') or ''}"
        config = _edit(config, (*path, "serviceAddress"), address)
        for key in ("redirectHostname", "redirectProtocol", "redirectBasePath"):
            config = _edit(config, (*path, key), MISSING) if key in saml else config
    return config


def _set_version(name: str, config: bytes, files: Mapping[str, bytes], decisions: list[Decision]) -> bytes:
    """Set the version from the image tags of the kustomization, if they name a release of Spinnaker."""
    tags = {
        match[1]
        for path, text in files.items()
        if posixpath.basename(path) in ("kustomization.yml", "kustomization.yaml")
        for match in re.finditer(r"newTag:\s*['\"]?spinnaker-(\d+\.\d+\.\d+)", text.decode("utf-8", "replace"))
    }
    if len(tags) == 1:
        return set_missing(config, {("version",): tags.pop()})
    decisions.append(Decision(f"{name}: version", "kleat takes versions from image tags. Set the version in config."))
    return config


def _body(config: bytes) -> Value:
    return get(hyaml.read(config, "").data, DEPLOYMENT)


def _rename(config: bytes, path: Path, name: str) -> bytes:
    return hyaml.rename_key(config, (*DEPLOYMENT, *path), name)


def _edit(config: bytes, path: Path, value: Value) -> bytes:
    return hyaml.edit(config, (*DEPLOYMENT, *path), value)
