"""Rules on the version of Spinnaker: what Halyard can make of it, and keys that other versions have."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby

from halgit import yaml as hyaml
from halgit.annotations import Final
from halgit.halyard import model, services, versions
from halgit.halyard.coercion import coerce_boolean, coerce_enum
from halgit.lazy import lazy_pattern
from halgit.pipeline import MISSING, Path, Severity, Value
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import text
from halgit.validation.rules.local_files import is_mounted
from halgit.validation.view import Node, View, name_of

_PLACEHOLDER = lazy_pattern(
    r"(?:local:|branch:)?(?:<.*>|\$\{?[\w.-]+\}?|\$\(\w+\)|\{\{.*\}\}|%\w+%|@\w+@|[\w -]*version[\w -]*|x\.y\.z"
    r"|(?:to[-_ ]?do|fix[-_ ]?me|tbd)\b.*|(?:change|replace)[-_ ]?me|\?+|\[.*\]|#\{.*\}#?)",
    re.IGNORECASE,
)
"""Texts that stand for a version that is to be filled in."""

_RELEASED = lazy_pattern(r"[0-9]+\.[0-9]+\.[0-9]+")
_UNCHECKED = "providers.kubernetes.KubernetesAccount"
"""The one class whose bounds Halyard never comes to check."""


def _version(view: View) -> tuple[Node, str]:
    """The rendered deployment and its version, an empty string where there is none to judge."""
    node = view.deployment
    return (Node((), None), "") if node is None else (node, text(node, "version") or "")


def _is_placeholder(version: str) -> bool:
    """Return whether a version is to be filled in; one of digits and dots is not."""
    return not version.replace(".", "").isdecimal() and _PLACEHOLDER.fullmatch(version.strip()) is not None


def _branch(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    kind = coerce_enum(node.get("deploymentEnvironment", "type"), "node.DeploymentEnvironment.DeploymentType")
    is_branch = version.startswith(versions.BRANCH_PREFIX) and not _is_placeholder(version)
    if is_branch and kind != "LocalGit":
        message = f"The version {version} is a branch, which only deployments of type LocalGit support."
        yield Hit(node.at("version"), message)


def _malformed(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    if version and not _is_placeholder(version) and versions.supports_plugins(version) is None:
        yield Hit(node.at("version"), f"The version {version} is not in X.Y.Z form.")


def _unreleased(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    is_own = version.startswith(("local:", "branch:")) or _RELEASED.fullmatch(version)
    is_wrong = _is_placeholder(version) or versions.supports_plugins(version) is None
    if version and not is_own and not is_wrong:
        yield Hit(node.at("version"), f"The version {version} is not a released version of Spinnaker.")


def _placeholders(view: View) -> Iterator[Hit]:
    node = view.deployment
    version = None if node is None else node.get("version")
    if node is not None and isinstance(version, str) and _is_placeholder(version):
        yield Hit(node.at("version"), f"The version {version} is a placeholder.")


def _no_plugins(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    wanted = [key for key in ("plugins", "repositories") if node.get("spinnaker", "extensibility", key)]
    if version and wanted and versions.supports_plugins(version) is False:
        message = f"With version {version} Halyard ignores {join_words(wanted)}."
        yield Hit(node.at("spinnaker", "extensibility", wanted[0]), message)


def _bounds(view: View) -> Iterator[Hit]:
    node, version = _version(view)
    if not versions.is_comparable(version):
        return
    found: list[tuple[str, str, str, Path]] = []
    for path, class_, mapping in model.walk_objects(view.config.value):
        if path[:2] != node.path or class_.name == _UNCHECKED:
            continue
        for key in _bounded_keys(class_.name) & mapping.keys():
            known = class_.fields[key]
            bound = versions.compare_with_bounds(version, known.valid) if _counts(known.type, mapping[key]) else ""
            if bound:
                found.append((class_.name, key, bound, (*path, key)))
    for (owner, key, bound), group in groupby(sorted(found, key=lambda one: one[:3]), key=lambda one: one[:3]):
        places = [one[3] for one in group]
        limits = model.get_class(owner).fields[key].valid
        said = (
            f"is supported since Spinnaker {limits[0]}"
            if bound == "too-low"
            else f"was removed in Spinnaker {limits[1]}"
        )
        more = f" It occurs in {len(places)} places." if len(places) > 1 else ""
        severity = Severity.INFO if owner == "node.Features" else None
        yield Hit(places[0], f"{key} {said}; this deployment has version {version}.{more}", severity=severity)


@cache
def _bounded_keys(class_: str) -> frozenset[str]:
    return frozenset(key for key, known in model.get_class(class_).fields.items() if any(known.valid))


def _counts(type_: model.FieldType, value: Value) -> bool:
    """Return whether Halyard asks for the version of a value: not of one that is false or holds nothing."""
    if type_.kind == "boolean":
        return value is not None and coerce_boolean(value) is not False
    return value is not None and value not in ({}, [])


def _bom(view: View) -> tuple[Node, str, Value]:
    """The deployment, the path of its local BOM ("" for none), and what that holds (MISSING: nothing)."""
    node, version = _version(view)
    path = versions.get_bom_path(version)
    file = view.files.get(path)
    if file is None or not isinstance(file.body, bytes):
        return node, path, MISSING if file is None else file.data
    return node, path, hyaml.read(file.body, path).data


def _no_bom(view: View) -> Iterator[Hit]:
    node, path, _ = _bom(view)
    is_missing = path and path not in view.files and not _is_elsewhere(view, path)
    if is_missing and versions.supports_plugins(str(node.get("version"))) is not None:
        yield Hit(node.at("version"), f"The tree has no {path}, the BOM of this version.")


def _not_in_bom(view: View) -> Iterator[Hit]:
    node, path, bom = _bom(view)
    if not isinstance(bom, dict):
        return
    listed_ = Node((), bom)
    running = dict.fromkeys(services.get_base(service) for service in view.running[name_of(node)])
    needed = [name for name in running if name in services.ARTIFACTS and name not in {"redis", "consul", "vault"}]
    missing = [name for name in needed if not listed_.get("services", name, "version")]
    if missing:
        message = f"Halyard skips {join_words(missing)}: the BOM has no version of it."
        message = message if len(missing) == 1 else message.removesuffix("it.") + "them."
        yield Hit((), message, path, line=1, column=1)


def _no_local_profiles(view: View) -> Iterator[Hit]:
    node, path, bom = _bom(view)
    running = {services.get_base(service) for service in view.running.get(name_of(node), ())}
    for service, entry in Node((), bom).entries("services") if isinstance(bom, dict) else ():
        version = text(entry, "version") or ""
        if version.startswith(versions.LOCAL_PREFIX) and service in running:
            folder = f".boms/{service}/{version[6:]}/"
            profile = _PROFILES.get(service, f"{service}.yml")
            if not _has_profile(view, folder, profile) and not _is_elsewhere(view, f"{folder}{profile}"):
                message = f"The BOM has version {version} of {service}, and the tree has no {folder}{profile}."
                hint = "Add it, or name a .boms that others mount with --mounted."
                yield Hit(entry.at("version"), message, path, hint, line=1, column=1)


_PROFILES: Final = {"deck": "settings.js", "monitoring-daemon": "spinnaker-monitoring.yml"}
"""The files that Halyard builds on, by artifact, where it is not `<artifact>.yml`."""


def _has_profile(view: View, folder: str, profile: str) -> bool:
    """Return whether Halyard finds the profile of an artifact: below its version, or else beside the versions."""
    above = posixpath.dirname(folder.rstrip("/"))
    return f"{folder}{profile}" in view.files or f"{above}/{profile}" in view.files


def _is_elsewhere(view: View, path: str) -> bool:
    """Return whether a file of `.boms` comes from others, or from a submodule that is reported already."""
    skipped = (one.file for one in view.compiled.findings if one.rule == "source/submodule")
    return is_mounted(view, path) or any(".boms" in one.split("/") for one in skipped)


def _no_daemon(view: View) -> Iterator[Hit]:
    node, path, bom = _bom(view)
    kubernetes = services.get_mode(node.value) == services.KUBERNETES_MODE
    if kubernetes and isinstance(bom, dict) and not Node((), bom).get("services", "monitoring-daemon", "version"):
        yield Hit((), "The BOM has no version of monitoring-daemon.", path, line=1, column=1)


RULES = (
    Rule("versions/branch", _branch),
    Rule("versions/malformed", _malformed),
    Rule("versions/no-bom", _no_bom),
    Rule("versions/no-local-profile", _no_local_profiles),
    Rule("versions/no-monitoring-daemon", _no_daemon),
    Rule("versions/no-plugins", _no_plugins),
    Rule("versions/not-in-bom", _not_in_bom),
    Rule("versions/placeholder", _placeholders),
    Rule("versions/unreleased", _unreleased),
    Rule("versions/out-of-bounds", _bounds),
)
