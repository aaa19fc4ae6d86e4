"""The keyed lists of a document: lists whose items are identified by a key and merged item by item.

A list is keyed if Halyard or a Spinnaker service identifies its items by one key and rejects or ignores duplicates.
Every other list is replaced as a whole. The table of the halconfig goes by the class of the items, checked by hand; the
lists of profiles are written here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from halgit.halyard.model import ROOT_TYPE
from halgit.halyard.resources import load_table
from halgit.pipeline import EMPTY
from halgit.record import Record, replace


class KeyNode(Record):
    """A node of the tree of keyed lists. `key` is the (dotted) key of the items, for a keyed list.

    `children` are by mapping key, `any` is for every other key; list items use the node of their list.
    """

    key: str | None = None
    children: Mapping[str, KeyNode] = EMPTY
    any: KeyNode | None = None

    def child(self, key: str) -> KeyNode:
        """Return the node of a mapping key, without keyed lists for an unknown key."""
        return self.children.get(key) or self.any or NO_KEYS


NO_KEYS = KeyNode()

_BY_CLASS: Mapping[str, str] = {
    # Halyard rejects duplicate names (deployments, accounts, publishers, clusters), or the services find entries by
    # name (masters, searches, subscriptions, templates).
    "node.DeploymentConfiguration": "name",
    "node.Account": "name",
    "node.CIAccount": "name",
    "node.ArtifactAccount": "name",
    "node.Search": "name",
    "node.Publisher": "name",
    "node.Subscription": "name",
    "artifacts.ArtifactTemplate": "name",
    "canary.AbstractCanaryAccount": "name",
    "canary.AbstractCanaryServiceIntegration": "name",
    "providers.dcos.DCOSCluster": "name",
    "providers.aws.AwsProvider.AwsRegion": "name",
    # Rosco finds a base image by its id, and regional settings by the region.
    "node.BaseImage": "baseImage.id",
    "providers.huaweicloud.HuaweiCloudBaseImage.HuaweiCloudVirtualizationSettings": "region",
    "providers.tencentcloud.TencentCloudBaseImage.TencentCloudVirtualizationSettings": "region",
    # Halyard rejects duplicate references to a registry.
    "providers.containers.DockerRegistryReference": "accountName",
    "providers.kubernetes.KubernetesAccount.CustomKubernetesResource": "kubernetesKind",
    "providers.kubernetes.KubernetesAccount.KubernetesCachingPolicy": "kubernetesKind",
    # Kubernetes requires unique container names, and unique mount paths in a container.
    "node.SidecarConfig": "name",
    "node.SidecarConfig.ConfigMapVolumeMount": "mountPath",
    "node.SidecarConfig.SecretVolumeMount": "mountPath",
    # The id names a volume of a pod, so it is unique.
    "service.ConfigSource": "id",
}
"""The key of a list, by the class of its items or one of its superclasses.

Not keyed, because no single key is unique: virtualization settings of AWS (Rosco selects them by region and
virtualization type, so that a region occurs once for each type), lifecycle hooks of AWS (no name), cluster credentials
of DC/OS (a cluster may have several users), tolerations and affinity terms (no identity in Kubernetes).
"""

_BY_FIELD: Mapping[tuple[str, str], str] = {
    # Maps from a service to parts of a pod specification, which Halyard does not bind to a class.
    ("node.DeploymentEnvironment", "initContainers"): "name",
    ("node.DeploymentEnvironment", "hostAliases"): "ip",
}

_ACCOUNTS_BY_NAME = (
    "kubernetes", "dockerRegistry", "docker-registry", "aws", "ecs", "google", "azure", "cloudfoundry", "appengine",
    "cloudrun", "dcos", "oracle", "oraclebmcs", "huaweicloud", "tencentcloud", "tencent", "yandex", "alicloud",
)  # fmt: skip
"""Clouddriver's providers: each loads its `accounts` into a credentials repository keyed by name."""

_MASTERS_BY_NAME = ("jenkins", "travis", "wercker", "concourse", "gitlab-ci", "gitlabCi")
"""Igor's build systems: a master is looked up by name."""

_PROFILE_LISTS: Mapping[str, str] = {
    **{f"{provider}.accounts": "name" for provider in _ACCOUNTS_BY_NAME},
    **{f"{system}.masters": "name" for system in _MASTERS_BY_NAME},
    # Parts of an account that are keyed in the halconfig too.
    "kubernetes.accounts.customResources": "kubernetesKind",
    "kubernetes.accounts.custom-resources": "kubernetesKind",
    "kubernetes.accounts.cachingPolicies": "kubernetesKind",
    "kubernetes.accounts.caching-policies": "kubernetesKind",
    "kubernetes.accounts.dockerRegistries": "accountName",
    "kubernetes.accounts.docker-registries": "accountName",
    "aws.accounts.regions": "name",
    "aws.defaultRegions": "name",
    "aws.default-regions": "name",
    "dcos.clusters": "name",
    # Clouddriver finds an artifact account by name, for every type.
    "artifacts.*.accounts": "name",
    # Igor: build systems without masters, and repositories.
    "gcb.accounts": "name",
    "codebuild.accounts": "name",
    "artifactory.searches": "name",
    "nexus.searches": "name",
    # Echo: a pub/sub event names its subscription.
    "pubsub.*.subscriptions": "name",
    "pubsub.*.publishers": "name",
    # Kayenta: an account is looked up by name.
    "kayenta.*.accounts": "name",
    # Rosco finds a base image by its id. Regional lists are not keyed: the AWS list repeats regions.
    **{
        f"{cloud}.{bakery}.{images}": "baseImage.id"
        for cloud in ("aws", "azure", "google", "huaweicloud", "oracle", "oraclebmcs", "tencentcloud", "alicloud")
        for bakery, images in (("bakeryDefaults", "baseImages"), ("bakery-defaults", "base-images"))
    },
}
"""The keyed lists of profiles, by dotted path; `*` is any key. Spring reads camelCase and kebab-case alike.

Not keyed: preconfigured jobs and webhooks of Orca (a repository can key them with `mergeKeys`), backends of the config
server (their order matters), and lists of scalars.
"""


def build_key_tree(path: str, extra: Mapping[str, str] = EMPTY) -> KeyNode:
    """Return the keyed lists of the document at a path of a layer, plus `extra`: dotted path to key.

    In a dotted path, `*` is any key, and a key that contains a dot is in double quotes.
    """
    tree = _known(path)
    for dotted, key in extra.items():
        tree = _add_list(tree, _steps(dotted), key)
    return tree


def _known(path: str) -> KeyNode:
    parts = path.split("/")
    if parts == ["config"]:
        return build_halconfig_tree()
    if len(parts) > 2 and parts[1] == "profiles":
        return _profiles()
    if len(parts) == 3 and parts[1] == "service-settings":
        return _service_settings()
    return NO_KEYS


@cache
def build_halconfig_tree() -> KeyNode:
    """Return the keyed lists of a halconfig."""
    return _of_class(ROOT_TYPE.name, "halconfig")


@cache
def _service_settings() -> KeyNode:
    return _of_class("service.ServiceSettings", "service-settings")


@cache
def _profiles() -> KeyNode:
    tree = NO_KEYS
    for dotted, key in _PROFILE_LISTS.items():
        tree = _add_list(tree, dotted.split("."), key)
    return tree


def _of_entry(entry: Mapping[str, Any], owner: tuple[str, str], model: str) -> KeyNode:
    """Return the keyed lists of one field, from its entry in the table. Most classes of the table have none."""
    kind, of = entry["kind"], entry.get("of")
    if kind == "object":
        return _of_class(entry["of"], model)
    if kind not in {"list", "set", "map"} or of is None:
        return NO_KEYS
    below = _of_entry(of, owner, model)
    if kind == "map":
        return KeyNode(any=below) if below is not NO_KEYS else NO_KEYS
    key = _key_of(of["of"], model) if of["kind"] == "object" else _BY_FIELD.get(owner)
    return replace(below, key=key) if key else below


@cache
def _of_class(name: str, model: str) -> KeyNode:
    """Return one node for all classes a path can have. Their keys never contradict each other."""
    table = load_table(model)["classes"]
    children: dict[str, KeyNode] = {}
    for concrete in _concrete_classes(name, model):
        for key, entry in table[concrete]["fields"].items():
            below = _of_entry(entry, (concrete, key), model)
            if below is not NO_KEYS:
                children[key] = _merge_nodes(children[key], below) if key in children else below
    return KeyNode(children=children) if children else NO_KEYS


def _merge_nodes(one: KeyNode, other: KeyNode) -> KeyNode:
    children = dict(one.children)
    for key, node in other.children.items():
        children[key] = _merge_nodes(children[key], node) if key in children else node
    return KeyNode(one.key or other.key, children, one.any or other.any)


def _concrete_classes(name: str, model: str) -> tuple[str, ...]:
    class_ = load_table(model)["classes"][name]
    return tuple(class_["subtypes"].values()) if class_.get("by") else (name,)


def _key_of(name: str, model: str) -> str | None:
    above = load_table(model)["classes"][name].get("extends", ())
    return next((_BY_CLASS[known] for known in (name, *above) if known in _BY_CLASS), None)


def _steps(dotted: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^."]+)', dotted)]


def _add_list(node: KeyNode, steps: list[str], key: str) -> KeyNode:
    """Add a keyed list to the tree. Replaces a list at the same path."""
    if not steps:
        return replace(node, key=key)
    step, rest = steps[0], steps[1:]
    if step == "*":
        children = {name: _add_list(child, rest, key) for name, child in node.children.items()}
        return replace(node, children=children, any=_add_list(node.any or NO_KEYS, rest, key))
    return replace(node, children={**node.children, step: _add_list(node.child(step), rest, key)})
