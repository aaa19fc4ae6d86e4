"""SpinnakerService resources of the operator (`spinnaker.io`, `spinnaker.armory.io`) as a tree, with patch layers.

A resource whose config has a version is the base; every other one is a strategic merge patch and becomes a layer above
it, in the order of the files. In a patch every list replaces the lower one, as the operator's kustomize does.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.convert.tree_source import DEPLOYMENT, ConvertedTree, get, leaf_paths, set_missing, wrap_deployment
from halgit.errors import UsageError
from halgit.halyard import layout, services
from halgit.pipeline import Path, Value
from halgit.record import Record
from halgit.report.summaries import Decision

_API_GROUPS = ("spinnaker.io/", "spinnaker.armory.io/")
_SPEC: Path = ("spec", "spinnakerConfig")
_EXPOSED = {"gate": "apiSecurity", "deck": "uiSecurity"}

_UNSUPPORTED = {
    "kustomize": "It patches Deployments that the operator generates. Write what service-settings can express there.",
    "validation": "It configures the operator's validation. Ignore rules of halgit under `rules` in halgit.yaml.",
    "accounts": "It configures SpinnakerAccount resources. Move the accounts to config or to dynamic accounts.",
}
"""Keys of `spec` that no file of a tree expresses."""


class _Resource(Record):
    """One SpinnakerService document of a file."""

    file: str
    text: bytes
    document: int
    data: Mapping[str, Value]

    @property
    def config(self) -> Mapping[str, Value]:
        """Its `spinnakerConfig`; empty if the resource has none."""
        found = get(self.data, _SPEC)
        return found if isinstance(found, dict) else {}

    @property
    def is_base(self) -> bool:
        version = get(self.config, ("config", "version"))
        return version is not None

    def extract(self, *steps: str) -> bytes:
        """Return a part of `spinnakerConfig` with its comments."""
        return hyaml.extract(self.text, self.document, (*_SPEC, *steps))


def convert_resources(files: Mapping[str, bytes], hal_home: str) -> ConvertedTree | None:
    """Convert the SpinnakerService resources of these files; None if there is none.

    Raises UsageError for several bases, and for a patch without a base.
    """
    resources = [one for path in sorted(files) for one in _resources(path, files[path])]
    if not resources:
        return None
    bases = [one for one in resources if one.is_base]
    if len(bases) != 1:
        found = ", ".join(one.file for one in bases) or "none"
        hint = "Import one folder per Spinnaker, or the output of `kubectl kustomize`."
        raise UsageError(f"Expected one SpinnakerService with a version, found: {found}.", hint)
    decisions: list[Decision] = []
    tree = _convert(bases[0], hal_home, decisions)
    patches: dict[str, dict[str, bytes]] = {}
    for one in resources:
        if one is not bases[0]:
            name = posixpath.splitext(posixpath.basename(one.file))[0]
            patches[name if name not in patches else f"{name}-{len(patches)}"] = _patch(one, hal_home, decisions)
    return ConvertedTree(tree, patches, tuple(decisions))


def _resources(path: str, text: bytes) -> Iterator[_Resource]:
    if not path.endswith((".yml", ".yaml")) or b"SpinnakerService" not in text:
        return
    for number, data in enumerate(hyaml.read(text, path, many=True).documents):
        if not isinstance(data, dict) or data.get("kind") != "SpinnakerService":
            continue
        if str(data.get("apiVersion", "")).startswith(_API_GROUPS):
            yield _Resource(path, text, number, data)


# --- one resource ----------------------------------------------------------------------------------------------


def _convert(one: _Resource, hal_home: str, decisions: list[Decision]) -> dict[str, bytes]:
    """Return the files of the base resource."""
    config = wrap_deployment(one.extract("config"))
    namespace = get(one.data, ("metadata", "namespace"))
    environment: dict[Path, Value] = {("deploymentEnvironment", "type"): "Distributed"}
    if namespace:
        environment["deploymentEnvironment", "location"] = namespace
    accounts = get(one.config, ("config", "providers", "kubernetes", "accounts")) or []
    if len(accounts) == 1:
        environment["deploymentEnvironment", "accountName"] = accounts[0].get("name")
    else:
        hint = "The operator deploys to its own cluster. Set the Kubernetes account that Halyard deploys to."
        decisions.append(Decision(f"{one.file}: deploymentEnvironment.accountName", hint))
    config = set_missing(config, environment)
    tree = {"config": config, **_folders(one, decisions)}
    tree["config"] = _place_files(one, tree, hal_home)
    _expose(one, tree, decisions)
    _report(one, decisions)
    return tree


def _patch(one: _Resource, hal_home: str, decisions: list[Decision]) -> dict[str, bytes]:
    """Return the files of a patch layer."""
    tree = _folders(one, decisions)
    if one.config.get("config"):
        tree["config"] = wrap_deployment(one.extract("config"))
        tree["config"] = _place_files(one, tree, hal_home)
    _report(one, decisions)
    return {path: _replace_lists(text) if path.endswith(("config", ".yml")) else text for path, text in tree.items()}


def _folders(one: _Resource, decisions: list[Decision]) -> dict[str, bytes]:
    """Return profiles, service-settings and files as files of a tree."""
    tree: dict[str, bytes] = {}
    for service, value in _mapping(one.config.get("profiles")).items():
        if value in (None, {}):
            continue
        if service in ("deck", "frontend") and isinstance(value, dict):
            tree |= {f"default/profiles/{name}": one.extract("profiles", service, name) for name in value}
        elif service == "settings-local.js":
            tree["default/profiles/settings-local.js"] = one.extract("profiles", service)
        else:
            tree[f"default/profiles/{_profile(service)}"] = one.extract("profiles", service)
    for service, value in _mapping(one.config.get("service-settings")).items():
        if value in (None, {}):
            continue
        if service not in services.SERVICES:
            hint = "No service has this name; its settings were imported and have no effect."
            decisions.append(Decision(f"{one.file}: service-settings.{service}", hint))
        tree[f"default/service-settings/{service}.yml"] = one.extract("service-settings", service)
    return tree


def _profile(service: str) -> str:
    return "spinnakerconfig.yml" if service == "spinnakerconfig" else f"{service}-local.yml"


def _place_files(one: _Resource, tree: dict[str, bytes], hal_home: str) -> bytes:
    """Add `files` to the tree and return the config with their paths."""
    config = tree["config"]
    for name in _mapping(one.config.get("files")):
        text = one.extract("files", name)
        if "__" in name:
            tree["default/" + name.replace("__", "/")] = text
            continue
        tree[f"files/{name}"] = text
        data = hyaml.read(config, "").data
        for path, value in leaf_paths(data):
            if value == name:
                config = hyaml.replace_scalars(config, {path: f"{hal_home}/files/{name}"})
    return config


def _expose(one: _Resource, tree: dict[str, bytes], decisions: list[Decision]) -> None:
    """Convert `spec.expose` to service-settings of gate and deck."""
    expose = _mapping(get(one.data, ("spec", "expose")))
    service = _mapping(expose.get("service"))
    for name, security in _EXPOSED.items():
        own = {**service, **_mapping(_mapping(service.get("overrides")).get(name))}
        annotations = {**_mapping(service.get("annotations")), **_mapping(own.get("annotations"))}
        path = f"default/service-settings/{name}.yml"
        for key, value in (("serviceType", own.get("type")), ("serviceAnnotations", annotations)):
            current = hyaml.read(tree.get(path, b"{}\n"), "").data or {}
            if value and get(current, ("kubernetes", key)) is None:
                base = tree.get(path, b"")
                tree[path] = (
                    hyaml.edit(base, ("kubernetes", key), value) if base else hyaml.dump({"kubernetes": {key: value}})
                )
        config = hyaml.read(tree["config"], "").data
        if expose and get(config, (*DEPLOYMENT, "security", security, "overrideBaseUrl")) is None:
            hint = f"The operator sets the address it is given. Set security.{security}.overrideBaseUrl in config."
            decisions.append(Decision(f"{one.file}: expose for {name}", hint))
        if own.get("publicPort"):
            decisions.append(Decision(f"{one.file}: expose.publicPort of {name}", "Put the port into overrideBaseUrl."))


def _report(one: _Resource, decisions: list[Decision]) -> None:
    """Report everything of the resource that is not in the tree."""
    for key, value in _mapping(one.data.get("spec")).items():
        if key in _UNSUPPORTED and value not in (None, {}):
            decisions.append(Decision(f"{one.file}: spec.{key}", _UNSUPPORTED[key]))
        elif key not in (*_UNSUPPORTED, "spinnakerConfig", "expose"):
            decisions.append(Decision(f"{one.file}: spec.{key}", "halgit does not know this key; it was not imported."))
    known = ("config", "profiles", "service-settings", "files")
    for key, value in one.config.items():
        if key not in known and value not in (None, {}):
            hint = "halgit does not know this key; it was not imported."
            decisions.append(Decision(f"{one.file}: spinnakerConfig.{key}", hint))
    if get(one.config, ("config", "armory")) is not None:
        hint = "Halyard ignores this key of Armory; it stays in config. Remove it, or write the settings as profiles."
        decisions.append(Decision(f"{one.file}: config.armory", hint))
    for name in _mapping(one.config.get("files")):
        if "__" in name and layout.classify_file("default/" + name.replace("__", "/"), ("default",)).reason:
            decisions.append(Decision(f"{one.file}: files.{name}", "Halyard does not read a file at this path."))


def _replace_lists(text: bytes) -> bytes:
    """Return a patch in which every list replaces the lower one: a directive is added to each list of mappings."""
    while True:
        data = hyaml.read(text, "").data
        path = next(
            (path for path, items in _lists(data) if not _has_directive(items) and path != DEPLOYMENT[:1]), None
        )
        if path is None:
            return text
        text = hyaml.prepend_item(text, path, {"$list": "replace"})


def _lists(data: Value, path: Path = ()) -> Iterator[tuple[Path, list[Value]]]:
    """Yield the lists that contain mappings, outermost first."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _lists(value, (*path, key))
    elif isinstance(data, list):
        if any(isinstance(item, dict) for item in data):
            yield path, data
        if path == DEPLOYMENT[:1]:
            yield from _lists(data[0], (*path, 0))


def _has_directive(items: list[Value]) -> bool:
    return isinstance(items[0], dict) and "$list" in items[0]


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
