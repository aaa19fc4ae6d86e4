"""SpinnakerService resources of the operator (`spinnaker.io`, `spinnaker.armory.io`) as a tree, with patch layers.

A resource whose config has a version is the base; every other one is a strategic merge patch and becomes a layer above
it, in the order of the files. In a patch every list replaces the lower one, as the operator's kustomize does.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from halgit import yaml as hyaml
from halgit.convert.kustomization import Kustomization, read_kustomization
from halgit.convert.resources import SpinnakerResource, find_lost_comments, read_resources
from halgit.convert.tree_source import DEPLOYMENT, ConvertedTree, get, leaf_paths, set_first, wrap_deployment
from halgit.errors import UsageError
from halgit.halyard import layout, model, services
from halgit.pipeline import MISSING, Path, Value
from halgit.report.summaries import Decision

_EXPOSED = {"gate": "apiSecurity", "deck": "uiSecurity"}

_UNKNOWN = "A tree has no place for it. Keep it where the resource is applied."
_OLD_FORM = "It names a ConfigMap of the cluster. Write its halconfig to spinnakerConfig.config and import again."
_UNSUPPORTED = {
    "spec.kustomize": "It patches Deployments that the operator generates. Write what service-settings can express "
    "there.",
    "spec.validation": "It configures the operator's validation. Ignore rules of halgit under `rules` in halgit.yaml.",
    "spec.accounts": "It configures SpinnakerAccount resources. Move the accounts to config or to dynamic accounts.",
    "spec.halConfig": _OLD_FORM,
    "spec.halConfigMap": _OLD_FORM,
    "spinnakerConfig.configMap": _OLD_FORM,
    "status": "The operator writes it.",
}
"""Keys that no file of a tree expresses, with the hint for each."""

_KNOWN = frozenset({"apiVersion", "kind", "metadata", "spec", "metadata.name", "metadata.namespace",
                    "spec.spinnakerConfig", "spec.expose", "spinnakerConfig.config", "spinnakerConfig.profiles",
                    "spinnakerConfig.service-settings", "spinnakerConfig.files"})  # fmt: skip
"""Keys of a resource that are read, or that say nothing about a tree."""


def convert_resources(files: Mapping[str, bytes], hal_home: str) -> ConvertedTree | None:
    """Convert the SpinnakerService resources of these files; None if there is none.

    A kustomization at their root says which files count, and in which order. Raises UsageError for a file that does not
    parse, several bases, and a patch without a base.
    """
    selected = read_kustomization(files)
    chosen = _read_selected(selected, hal_home) if selected else None
    return chosen or _read_all(files, hal_home)


def _read_selected(selected: Kustomization, hal_home: str) -> ConvertedTree | None:
    """Convert what a kustomization names; None if its resources contain no SpinnakerService."""
    decisions = list(selected.decisions)
    bases = read_resources(selected.resources, decisions)
    if not bases:
        return None
    if len(bases) > 1:
        raise _wrong_bases(bases, bases)
    return _convert_all(bases[0], read_resources(selected.patches, decisions), hal_home, decisions)


def _read_all(files: Mapping[str, bytes], hal_home: str) -> ConvertedTree | None:
    decisions: list[Decision] = []
    resources = read_resources({path: files[path] for path in sorted(files)}, decisions)
    if not resources:
        return None
    bases = [one for one in resources if one.is_base]
    if len(bases) != 1:
        raise _wrong_bases(bases, resources)
    return _convert_all(bases[0], [one for one in resources if one is not bases[0]], hal_home, decisions)


def _wrong_bases(bases: list[SpinnakerResource], resources: list[SpinnakerResource]) -> UsageError:
    found = ", ".join(one.file for one in bases) or "none"
    hint = "Import one folder per Spinnaker, or the output of `kubectl kustomize`."
    old = next((one.file for one in resources if one.is_of_old_form), "")
    hint = f"{old}: {_OLD_FORM}" if old and not bases else hint
    return UsageError(f"Expected one SpinnakerService with a version, found: {found}.", hint)


def _convert_all(
    base: SpinnakerResource, patches: list[SpinnakerResource], hal_home: str, decisions: list[Decision]
) -> ConvertedTree:
    tree = _convert(base, _account_name([base, *patches], decisions), decisions)
    layers: dict[str, dict[str, bytes]] = {}
    for one in patches:
        name = posixpath.splitext(posixpath.basename(one.file))[0]
        if layer := _patch(one, decisions):
            layers[name if name not in layers else f"{name}-{len(layers)}"] = layer
    _name_files([base, *patches], [tree, *layers.values()], hal_home, decisions)
    lower = {path: _body(path, text) for path, text in tree.items() if _is_yaml(path)}
    for layer in layers.values():
        for path in filter(_is_yaml, layer):
            text = _without_vain_nulls(path, layer[path], lower.get(path))
            lower[path] = _merge_strategically(lower.get(path), _body(path, text))
            layer[path] = _replace_lists(text)
    outputs = [text for each in (tree, *layers.values()) for path, text in each.items() if _is_yaml(path)]
    decisions += find_lost_comments({one.file: one.text for one in (base, *patches)}, outputs)
    return ConvertedTree(tree, layers, tuple(decisions), frozenset(one.file for one in (base, *patches)))


def _without_armory(file: str, config: bytes, decisions: list[Decision]) -> bytes:
    """Remove the section that only Armory's Halyard knows; the other one would not load the halconfig."""
    path: Path = (*DEPLOYMENT, "armory")
    if get(hyaml.read(config, "").data, path) is None:
        return config
    hint = "Halyard does not load a halconfig with this key of Armory. Write the settings of its services as profiles."
    decisions.append(Decision(f"{file}: config.armory", hint))
    return hyaml.edit(config, path, MISSING)


def _is_yaml(path: str) -> bool:
    return path == "config" or path.endswith(".yml")


def _name_files(
    resources: list[SpinnakerResource], trees: list[dict[str, bytes]], hal_home: str, decisions: list[Decision]
) -> None:
    """Write the path of each file into the fields of every config that name it without a path."""
    names = {name: one.file for one in resources for name in _mapping(one.config.get("files")) if "__" not in name}
    used: set[str] = set()
    for tree in trees:
        config = tree.get("config")
        leaves = leaf_paths(hyaml.read(config, "").data) if config else ()
        found = {path: str(value) for path, value in leaves if _is_file(path) and value in names}
        used |= set(found.values())
        if config and found:
            tree["config"] = hyaml.replace_scalars(
                config, {path: f"{hal_home}/files/{name}" for path, name in found.items()}
            )
    for name in sorted(names.keys() - used):
        hint = "No field of config names this file. Write its path where it is used, or remove it."
        decisions.append(Decision(f"{names[name]}: files.{name}", hint))


# --- one resource ----------------------------------------------------------------------------------------------


def _convert(one: SpinnakerResource, account: Value, decisions: list[Decision]) -> dict[str, bytes]:
    """Return the files of the base resource."""
    config = _without_armory(one.file, wrap_deployment(one.extract("config")), decisions)
    namespace = get(one.data, ("metadata", "namespace"))
    environment = {"type": "Distributed", "location": namespace, "accountName": account}
    config = set_first(config, "deploymentEnvironment", {key: value for key, value in environment.items() if value})
    tree = {"config": config, **_folders(one, decisions), **_files(one)}
    _expose(one, tree, decisions)
    _report(one, decisions)
    return tree


def _patch(one: SpinnakerResource, decisions: list[Decision]) -> dict[str, bytes]:
    """Return the files of a patch layer, whose lists do not replace others yet."""
    tree = {**_folders(one, decisions), **_files(one)}
    if one.config.get("config"):
        tree["config"] = _without_armory(one.file, wrap_deployment(one.extract("config")), decisions)
    _expose(one, tree, decisions)
    _report(one, decisions)
    return tree


def _account_name(resources: list[SpinnakerResource], decisions: list[Decision]) -> Value:
    """Return the name of the only Kubernetes account after all patches, whose lists replace lower ones."""
    path: Path = ("config", "providers", "kubernetes", "accounts")
    found = [accounts for one in resources if isinstance(accounts := get(one.config, path), list)]
    if found and len(found[-1]) == 1 and isinstance(found[-1][0], dict):
        return found[-1][0].get("name")
    hint = "The operator deploys to its own cluster. Set the Kubernetes account that Halyard deploys to."
    decisions.append(Decision(f"{resources[0].file}: deploymentEnvironment.accountName", hint))
    return None


def _folders(one: SpinnakerResource, decisions: list[Decision]) -> dict[str, bytes]:
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


def _files(one: SpinnakerResource) -> dict[str, bytes]:
    """Return `files`; a name with `__` stands for a path below the deployment's folder."""
    return {
        "default/" + name.replace("__", "/") if "__" in name else f"files/{name}": one.extract("files", name)
        for name in _mapping(one.config.get("files"))
    }


def _is_file(path: Path) -> bool:
    """Whether a path ends with a key that names a local file somewhere in a halconfig."""
    return any(path[-1] in keys for keys in model.find_annotated_fields("local_file").values())


def _expose(one: SpinnakerResource, tree: dict[str, bytes], decisions: list[Decision]) -> None:
    """Convert `spec.expose` to service-settings of gate and deck."""
    expose = _mapping(get(one.data, ("spec", "expose")))
    service = _mapping(expose.get("service"))
    for key in sorted(expose.keys() - {"type", "service"}):
        hint = "A tree has no Ingress. Keep the Ingress, and set the addresses of gate and deck in config."
        decisions.append(Decision(f"{one.file}: expose.{key}", hint))
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
        config = hyaml.read(tree.get("config", b"{}"), "").data
        if expose and one.is_base and get(config, (*DEPLOYMENT, "security", security, "overrideBaseUrl")) is None:
            hint = f"The operator sets the address it is given. Set security.{security}.overrideBaseUrl in config."
            decisions.append(Decision(f"{one.file}: expose for {name}", hint))
        if own.get("publicPort"):
            decisions.append(Decision(f"{one.file}: expose.publicPort of {name}", "Put the port into overrideBaseUrl."))


def _report(one: SpinnakerResource, decisions: list[Decision]) -> None:
    """Report everything of the resource that is not in the tree."""
    places = {
        "": one.data,
        "metadata.": _mapping(one.data.get("metadata")),
        "spec.": _mapping(one.data.get("spec")),
        "spinnakerConfig.": one.config,
    }
    for prefix, content in places.items():
        for key, value in content.items():
            place = prefix + key
            if place not in _KNOWN and value not in (None, {}, []):
                decisions.append(Decision(f"{one.file}: {place}", _UNSUPPORTED.get(place, _UNKNOWN)))
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


def _body(path: str, text: bytes) -> Value:
    """Return what a file says: the deployment of a halconfig, the document of others."""
    data = hyaml.read(text, path).data
    return get(data, DEPLOYMENT) if path == "config" else data


def _without_vain_nulls(path: str, text: bytes, lower: Value) -> bytes:
    """Return a patch without the nulls that delete nothing: kustomize ignores them, and a layer would keep them."""
    body = _body(path, text)
    wanted = _drop_vain_nulls(body, lower)
    if wanted == body:
        return text
    data = hyaml.read(text, path).data
    return hyaml.rewrite(text, hyaml.apply_change(data, DEPLOYMENT, wanted) if path == "config" else wanted)


def _drop_vain_nulls(data: Value, lower: Value) -> Value:
    if not isinstance(data, dict):
        return data
    below = lower if isinstance(lower, dict) else {}
    return {
        key: _drop_vain_nulls(value, below.get(key)) for key, value in data.items() if value is not None or key in below
    }


def _merge_strategically(lower: Value, patch: Value) -> Value:
    """Return what kustomize makes of a resource without a schema: mappings merged, null deletes, lists replaced."""
    if not isinstance(patch, dict):
        return patch
    below = lower if isinstance(lower, dict) else {}
    changed = {key: _merge_strategically(below.get(key), value) for key, value in patch.items()}
    return {key: value for key, value in {**below, **changed}.items() if value is not None or key not in patch}


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
