"""Which lists of a document are keyed: their items are found by a key, and merged item by item.

A list is keyed where Halyard or a Spinnaker service finds its items by one key and refuses or ignores a second of the
same; everything else is a plain list, replaced whole. The table of the halconfig is made from its model by the item's
class, checked by hand; the profiles' lists are written here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from halgit.halyard.model import ROOT_TYPE, FieldType, get_class
from halgit.pipeline import EMPTY


@dataclass(frozen=True, slots=True)
class KeyNode:
    """A place of a document. `key` is set where a keyed list stands: the (dotted) key of its items.

    `children` go by mapping key, `any` is for every other key; items of a list continue in the list's own node.
    """

    key: str | None = None
    children: Mapping[str, KeyNode] = EMPTY
    any: KeyNode | None = None

    def below(self, key: str) -> KeyNode:
        """The node under a mapping key; one without any keyed list where nothing is known of it."""
        return self.children.get(key) or self.any or NO_KEYS


NO_KEYS = KeyNode()

_BY_CLASS: Mapping[str, str] = {
    # Two entries of one name are refused by Halyard (deployments, accounts, publishers, clusters), or the services
    # find them by name (masters, searches, subscriptions, templates).
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
    # Rosco finds a base image by its id, and what is special in a region by the region.
    "node.BaseImage": "baseImage.id",
    "providers.aws.AwsBaseImage.AwsVirtualizationSettings": "region",
    "providers.huaweicloud.HuaweiCloudBaseImage.HuaweiCloudVirtualizationSettings": "region",
    "providers.tencentcloud.TencentCloudBaseImage.TencentCloudVirtualizationSettings": "region",
    # A registry referenced twice is refused by Halyard.
    "providers.containers.DockerRegistryReference": "accountName",
    "providers.kubernetes.KubernetesAccount.CustomKubernetesResource": "kubernetesKind",
    "providers.kubernetes.KubernetesAccount.KubernetesCachingPolicy": "kubernetesKind",
    # Kubernetes allows a container name, and a mount path in a container, once.
    "node.SidecarConfig": "name",
    "node.SidecarConfig.ConfigMapVolumeMount": "mountPath",
    "node.SidecarConfig.SecretVolumeMount": "mountPath",
    # A volume of a pod is named by the id, so it can be there once.
    "service.ConfigSource": "id",
}
"""The key of a list, by the class of its items or one that class extends.

Not keyed, because no single key tells two items apart: lifecycle hooks of AWS (no name), cluster credentials of DC/OS
(one cluster may stand there for several users), tolerations and the terms of affinities (Kubernetes takes them whole).
"""

_BY_FIELD: Mapping[tuple[str, str], str] = {
    # Maps from a service to pieces of a pod's specification, which Halyard binds to no class of its own.
    ("node.DeploymentEnvironment", "initContainers"): "name",
    ("node.DeploymentEnvironment", "hostAliases"): "ip",
}

_ACCOUNTS_BY_NAME = (
    "kubernetes", "dockerRegistry", "docker-registry", "aws", "ecs", "google", "azure", "cloudfoundry", "appengine",
    "cloudrun", "dcos", "oracle", "oraclebmcs", "huaweicloud", "tencentcloud", "tencent", "yandex", "alicloud",
)  # fmt: skip
"""Clouddriver's providers: each loads its `accounts` into a repository of credentials that goes by name."""

_MASTERS_BY_NAME = ("jenkins", "travis", "wercker", "concourse", "gitlab-ci", "gitlabCi")
"""Igor's builds: a master is asked for by its name."""

_PROFILE_LISTS: Mapping[str, str] = {
    **{f"{provider}.accounts": "name" for provider in _ACCOUNTS_BY_NAME},
    **{f"{system}.masters": "name" for system in _MASTERS_BY_NAME},
    # The parts of an account that the halconfig keys too.
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
    # Clouddriver finds the account of an artifact by its name, whatever its type.
    "artifacts.*.accounts": "name",
    # Igor: builds without masters, and repositories.
    "gcb.accounts": "name",
    "codebuild.accounts": "name",
    "artifactory.searches": "name",
    "nexus.searches": "name",
    # Echo: a pub/sub event names its subscription.
    "pubsub.*.subscriptions": "name",
    "pubsub.*.publishers": "name",
    # Kayenta: an account is asked for by its name.
    "kayenta.*.accounts": "name",
    # Rosco finds a base image by its id. What differs by region is plain: its list for AWS has a region twice.
    **{
        f"{cloud}.{bakery}.{images}": "baseImage.id"
        for cloud in ("aws", "azure", "google", "huaweicloud", "oracle", "oraclebmcs", "tencentcloud", "alicloud")
        for bakery, images in (("bakeryDefaults", "baseImages"), ("bakery-defaults", "base-images"))
    },
}
"""The keyed lists of profiles, by dotted path; `*` is any key. Spring reads camelCase and kebab-case alike.

Not here: preconfigured jobs and webhooks of Orca (`mergeKeys` names their key where a repository wants it), backends of
the config server (their order counts), and lists of single values.
"""


def build_key_tree(path: str, extra: Mapping[str, str] = EMPTY) -> KeyNode:
    """The keyed lists of the document at this path of a layer. `extra` adds to them: dotted path to key.

    In a dotted path a key that holds a dot stands in double quotes, and `*` is any key.
    """
    tree = _known(path)
    for dotted, key in extra.items():
        tree = _with(tree, _steps(dotted), key)
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
    """The keyed lists of a halconfig."""
    return _of_type(ROOT_TYPE, None, "halconfig")


@cache
def _service_settings() -> KeyNode:
    return _of_type(FieldType("object", "service.ServiceSettings"), None, "service-settings")


@cache
def _profiles() -> KeyNode:
    tree = NO_KEYS
    for dotted, key in _PROFILE_LISTS.items():
        tree = _with(tree, dotted.split("."), key)
    return tree


def _of_type(type_: FieldType, owner: tuple[str, str] | None, model: str) -> KeyNode:
    if type_.kind == "object":
        return _of_classes(_real_classes(type_.name, model), model)
    if type_.of is None:
        return NO_KEYS
    below = _of_type(type_.of, owner, model)
    if type_.kind == "map":
        return KeyNode(any=below) if below != NO_KEYS else NO_KEYS
    if type_.of.kind == "object":
        return replace(below, key=_key_of(type_.of.name, model))
    return replace(below, key=_BY_FIELD.get(owner) if owner else None)


def _of_classes(names: Iterable[str], model: str) -> KeyNode:
    """One node for all the classes a place can hold: their keys never contradict each other."""
    children: dict[str, KeyNode] = {}
    for name in names:
        for key, field in get_class(name, model).fields.items():
            below = _of_type(field.type, (name, key), model)
            if below != NO_KEYS:
                children[key] = _joined(children[key], below) if key in children else below
    return KeyNode(children=children) if children else NO_KEYS


def _joined(one: KeyNode, other: KeyNode) -> KeyNode:
    children = dict(one.children)
    for key, node in other.children.items():
        children[key] = _joined(children[key], node) if key in children else node
    return KeyNode(one.key or other.key, children, one.any or other.any)


def _real_classes(name: str, model: str) -> tuple[str, ...]:
    class_ = get_class(name, model)
    return tuple(class_.subtypes.values()) if class_.by else (name,)


def _key_of(name: str, model: str) -> str | None:
    class_ = get_class(name, model)
    return next((_BY_CLASS[known] for known in (name, *class_.extends) if known in _BY_CLASS), None)


def _steps(dotted: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|([^."]+)', dotted)]


def _with(node: KeyNode, steps: list[str], key: str) -> KeyNode:
    """The tree with one more keyed list; what stands at the same place is replaced."""
    if not steps:
        return replace(node, key=key)
    step, rest = steps[0], steps[1:]
    if step == "*":
        children = {name: _with(child, rest, key) for name, child in node.children.items()}
        return replace(node, children=children, any=_with(node.any or NO_KEYS, rest, key))
    return replace(node, children={**node.children, step: _with(node.below(step), rest, key)})
