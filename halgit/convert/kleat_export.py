"""Export of a rendered tree as a kleat repository: its halconfig, profiles, files and kustomization."""

from __future__ import annotations

import json

from halgit import yaml as hyaml
from halgit.convert.exported_tree import PROFILES, SETTINGS, Export, ExportedTree, check_schema
from halgit.convert.kleat_schema import fit_to_kleat
from halgit.convert.tree_source import get
from halgit.halyard.resources import load_table
from halgit.lazy import lazy_pattern
from halgit.pipeline import Path, Value
from halgit.report.summaries import Decision

FILE = "halconfig.yml"
_ECHO = "base/local/echo-local.yml"
_OPEN_TOKENS = ("slack", "github-status", "twilio")
"""Notifications that kleat copies with their token into settings.js, which every browser loads."""

_RELEASE = lazy_pattern(r"\d+\.\d+\.\d+")
_IMAGES = "us-docker.pkg.dev/spinnaker-community/docker/"
_SERVICES = ("clouddriver", "deck", "echo", "fiat", "front50", "gate", "igor", "kayenta", "orca", "rosco")

_RENAMED: tuple[tuple[Path, str], ...] = (
    (("notifications", "github-status"), "githubStatus"),
    (("canary", "defaultStorageAccount"), "storageAccountName"),
)


def export_kleat(tree: ExportedTree) -> Export:
    """Return the files of the repository, with what kleat cannot express."""
    decisions: list[Decision] = []
    body, text = tree.body()
    files: dict[str, bytes] = {}
    for path, name in tree.local_files():
        short = name.removeprefix("files/").replace("/", "-")
        body = hyaml.apply_change(body, path, f"/var/secrets/{short}")
        files[f"base/secrets/{short}"] = tree.files[name]
    profiles = {f"base/local/{name}": text for name, text in tree.named(PROFILES).items()}
    body = _move_tokens(body, profiles, decisions)
    wanted, dropped = fit_to_kleat(body)
    decisions += [*dropped, *_settings_decisions(tree, body)]
    kustomization = _kustomization(files, body.get("version"))
    if kustomization:
        files["base/kustomization.yml"] = hyaml.dump(kustomization)
    halconfig = hyaml.rewrite(_rename(text, body), wanted)
    decisions += tree.lost_comments([halconfig])
    violations = check_schema(hyaml.read(halconfig, FILE).data, json.dumps(load_table("kleat")))
    return Export(files | profiles | {FILE: halconfig}, tuple(decisions), violations)


def _kustomization(files: dict[str, bytes], version: Value) -> dict[str, Value]:
    """Return what the kustomization says of the secret files, and of a released version as tags of images."""
    result: dict[str, Value] = {}
    if files:
        names = sorted(path.removeprefix("base/") for path in files)
        result["secretGenerator"] = [{"name": "spinnaker-secrets", "files": names}]
    if _RELEASE.fullmatch(str(version)):
        result["images"] = [{"name": _IMAGES + name, "newTag": f"spinnaker-{version}"} for name in _SERVICES]
    return result


def _rename(text: bytes, body: Value) -> bytes:
    for path, name in _RENAMED:
        if get(body, path) is not None:
            text = hyaml.rename_key(text, path, name)
    return text


def _settings_decisions(tree: ExportedTree, body: Value) -> list[Decision]:
    hint = "kleat has no service-settings. Write them as patches of the Deployments in a kustomization."
    found = [Decision(f"service-settings/{name}", hint) for name in tree.named(SETTINGS)]
    version = body.get("version")
    if _RELEASE.fullmatch(str(version)):
        hint = "It became newTag of the images in base/kustomization.yml. Correct their names if yours differ."
        found.append(Decision("config: version", hint))
    elif version:
        hint = "kleat takes versions from image tags, and only a release has such tags. Set newTag for each image."
        found.append(Decision("config: version", hint))
    return found


def _move_tokens(body: dict[str, Value], profiles: dict[str, bytes], decisions: list[Decision]) -> dict[str, Value]:
    """Move the tokens of notifications to echo's profile, which no browser loads."""
    result: Value = body
    for name in _OPEN_TOKENS:
        path: Path = ("notifications", name, "token")
        token = get(body, path)
        if token is None:
            continue
        notifier = {key: value for key, value in get(result, path[:2]).items() if key != "token"}
        result = hyaml.apply_change(result, path[:2], notifier)
        before = profiles.get(_ECHO, b"{}\n")
        if not _has_token(hyaml.read(before, "").data, name):
            profiles[_ECHO] = hyaml.edit(before, (name, "token"), token)
        hint = "kleat writes this token to settings.js, which browsers load. It was moved to echo-local.yml."
        decisions.append(Decision(f"config: {'.'.join(map(str, path))}", hint))
    moved: dict[str, Value] = result
    return moved


def _has_token(profile: Value, name: str) -> bool:
    """Whether a profile sets the token already, nested or with a dotted key."""
    return get(profile, (name, "token")) is not None or get(profile, (f"{name}.token",)) is not None
