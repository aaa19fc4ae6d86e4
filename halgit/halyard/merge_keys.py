"""The keyed lists of a document: lists whose items are identified by a key and merged item by item.

A list is keyed if the program that reads it identifies its items by a key and rejects or ignores duplicates. A list
whose items may share a key has a compound one. Every other list is replaced as a whole. The table of the halconfig goes
by the class of the items; the lists of profiles are written here. Each entry says which program, and where, decides.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from halgit.annotations import Any
from halgit.halyard.model import ROOT_TYPE
from halgit.halyard.resources import load_table
from halgit.pipeline import EMPTY
from halgit.record import Record, replace


class KeyNode(Record):
    """A node of the tree of keyed lists. `key` is the (dotted) key of the items, for a keyed list; `a, b` is compound.

    `children` are by mapping key, `any` is for every other key; list items use the node of their list.
    """

    key: str | None = None
    children: Mapping[str, KeyNode] = EMPTY
    any: KeyNode | None = None

    def child(self, key: str) -> KeyNode:
        """Return the node of a mapping key, without keyed lists for an unknown key."""
        return self.children.get(key) or self.any or NO_KEYS


NO_KEYS = KeyNode()


class KeyRule(Record):
    """The key of the items of a list. `source` is the program that reads the list, with the place that decides."""

    key: str
    source: str


_ACCOUNT = KeyRule("name", "Clouddriver: MapBackedCredentialsRepository; Halyard: ProvidersValidator")
_CANARY_ACCOUNT = KeyRule("name", "Kayenta: MapBackedAccountCredentialsRepository; Halyard: CanaryValidator")
_MASTER = KeyRule("name", "Igor: JenkinsConfig, TravisConfig, WerckerConfig, ConcourseConfig, GitlabCiConfig")
_BUILD_ACCOUNT = KeyRule("name", "Igor: GoogleCloudBuildConfig, AwsCodeBuildConfig")
_ARTIFACT_ACCOUNT = KeyRule("name", "Clouddriver: ArtifactCredentialsRepository.getCredentialsForType")
_SUBSCRIPTION = KeyRule("name", "Echo: PubsubEventHandler; a trigger names its subscription")
_PUBLISHER = KeyRule("name", "Halyard: GooglePubsubValidator")
_ARTIFACTORY = KeyRule("name, baseUrl, repo", "Igor: ArtifactoryController, ArtifactorySearch.getPartitionName")
_NEXUS = KeyRule("name, repo", "Igor: NexusController, NexusEventPoster.findNexusRepo")
_BASE_IMAGE = KeyRule("baseImage.id", "Rosco: CloudProviderBakeHandler, findVirtualizationSettings of each provider")
_AWS_IMAGE = KeyRule("region, virtualizationType", "Rosco: AWSBakeHandler.findVirtualizationSettings")
_REGIONAL_IMAGE = KeyRule("region", "Rosco: findVirtualizationSettings of Huawei, Tencent and Alibaba Cloud")
_TEMPLATE = KeyRule("name", "Halyard: ArtifactTemplateService.getArtifactTemplate; Igor: ArtifactTemplateProperties")
_MONITOR = KeyRule("id", "Orca: DeploymentMonitorServiceProvider.getDefinitionById")
_REGION = KeyRule("name", "Clouddriver: AmazonCredentialsParser.initRegions")
_CLUSTER = KeyRule("name", "Clouddriver: DcosCredentialsInitializer; Halyard: DCOSProviderValidator")
_CREDENTIAL = KeyRule("name, uid", "Halyard: DCOSAccountValidator; Clouddriver: DcosCredentialMap reads the first")
_REGISTRY = KeyRule("accountName", "Halyard: DockerRegistryReferenceValidation")
_KIND = KeyRule("kubernetesKind", "Clouddriver: KubernetesKindRegistry, KubernetesCachingAgent")

_BY_CLASS: Mapping[str, KeyRule] = {
    "node.DeploymentConfiguration": KeyRule("name", "Halyard: DeploymentService.getDeploymentConfiguration"),
    "node.Account": _ACCOUNT,
    "node.CIAccount": _MASTER,
    "ci.gcb.GoogleCloudBuildAccount": _BUILD_ACCOUNT,
    "ci.codebuild.AwsCodeBuildAccount": _BUILD_ACCOUNT,
    "node.ArtifactAccount": _ARTIFACT_ACCOUNT,
    "artifacts.ArtifactTemplate": _TEMPLATE,
    "repository.artifactory.ArtifactorySearch": _ARTIFACTORY,
    "repository.nexus.NexusSearch": _NEXUS,
    "node.Publisher": _PUBLISHER,
    "node.Subscription": _SUBSCRIPTION,
    "canary.AbstractCanaryAccount": _CANARY_ACCOUNT,
    "canary.AbstractCanaryServiceIntegration": KeyRule("name", "Halyard: the type of an integration is its name"),
    "node.BaseImage": _BASE_IMAGE,
    "providers.aws.AwsBaseImage.AwsVirtualizationSettings": _AWS_IMAGE,
    "providers.huaweicloud.HuaweiCloudBaseImage.HuaweiCloudVirtualizationSettings": _REGIONAL_IMAGE,
    "providers.tencentcloud.TencentCloudBaseImage.TencentCloudVirtualizationSettings": _REGIONAL_IMAGE,
    "providers.aws.AwsProvider.AwsRegion": _REGION,
    "providers.dcos.DCOSCluster": _CLUSTER,
    "providers.dcos.DCOSAccount.ClusterCredential": _CREDENTIAL,
    "providers.containers.DockerRegistryReference": _REGISTRY,
    "providers.kubernetes.KubernetesAccount.CustomKubernetesResource": _KIND,
    "providers.kubernetes.KubernetesAccount.KubernetesCachingPolicy": _KIND,
    "node.SidecarConfig": KeyRule("name", "Kubernetes: names of containers are unique in a pod"),
    "node.SidecarConfig.ConfigMapVolumeMount": KeyRule("mountPath", "Kubernetes: mount paths are unique"),
    "node.SidecarConfig.SecretVolumeMount": KeyRule("mountPath", "Kubernetes: mount paths are unique"),
    "service.ConfigSource": KeyRule("id", "Kubernetes: names of volumes are unique in a pod"),
}
"""The key of a list, by the class of its items or one of its superclasses.

Not keyed, because nothing identifies an item: lifecycle hooks of AWS, tolerations and affinity terms of Kubernetes.
"""

_BY_FIELD: Mapping[tuple[str, str], KeyRule] = {
    # Maps from a service to parts of a pod specification, which Halyard does not bind to a class.
    ("node.DeploymentEnvironment", "initContainers"): KeyRule("name", "Kubernetes: names of containers are unique"),
    ("node.DeploymentEnvironment", "hostAliases"): KeyRule("ip", "Kubernetes: the list of a pod is a map by ip"),
}

_ACCOUNTS_BY_NAME = (
    "kubernetes", "dockerRegistry", "docker-registry", "aws", "ecs", "google", "azure", "cloudfoundry", "appengine",
    "cloudrun", "dcos", "oracle", "oraclebmcs", "huaweicloud", "tencentcloud", "tencent", "titus", "yandex", "alicloud",
)  # fmt: skip
_MASTERS_BY_NAME = ("jenkins", "travis", "wercker", "concourse", "gitlab-ci", "gitlabCi")
_BAKERIES = ("aws", "azure", "docker", "google", "huaweicloud", "oracle", "oraclebmcs", "tencentcloud", "alicloud")
_BAKERY_SPELLINGS = (
    ("bakeryDefaults", "baseImages", "virtualizationSettings"),
    ("bakery-defaults", "base-images", "virtualization-settings"),
)

_PROFILE_LISTS: Mapping[str, KeyRule] = {
    **{f"{provider}.accounts": _ACCOUNT for provider in _ACCOUNTS_BY_NAME},
    **{f"{system}.masters": _MASTER for system in _MASTERS_BY_NAME},
    "kubernetes.accounts.customResources": _KIND,
    "kubernetes.accounts.custom-resources": _KIND,
    "kubernetes.accounts.cachingPolicies": _KIND,
    "kubernetes.accounts.caching-policies": _KIND,
    "kubernetes.accounts.dockerRegistries": _REGISTRY,
    "kubernetes.accounts.docker-registries": _REGISTRY,
    "aws.accounts.regions": _REGION,
    "aws.defaultRegions": _REGION,
    "aws.default-regions": _REGION,
    "dcos.clusters": _CLUSTER,
    "dcos.accounts.clusters": _CREDENTIAL,
    "artifacts.*.accounts": _ARTIFACT_ACCOUNT,
    "artifacts.templates": _TEMPLATE,
    "monitored-deploy.deployment-monitors": _MONITOR,
    "monitoredDeploy.deploymentMonitors": _MONITOR,
    "gcb.accounts": _BUILD_ACCOUNT,
    "codebuild.accounts": _BUILD_ACCOUNT,
    "artifactory.searches": _ARTIFACTORY,
    "nexus.searches": _NEXUS,
    "pubsub.*.subscriptions": _SUBSCRIPTION,
    "pubsub.*.publishers": _PUBLISHER,
    "kayenta.*.accounts": _CANARY_ACCOUNT,
    **{f"{cloud}.{bakery}.{images}": _BASE_IMAGE for cloud in _BAKERIES for bakery, images, _ in _BAKERY_SPELLINGS},
    **{
        f"{cloud}.{bakery}.{images}.{settings}": _AWS_IMAGE if cloud == "aws" else _REGIONAL_IMAGE
        for cloud in ("aws", "huaweicloud", "tencentcloud", "alicloud")
        for bakery, images, settings in _BAKERY_SPELLINGS
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
    for dotted, rule in _PROFILE_LISTS.items():
        tree = _add_list(tree, dotted.split("."), rule.key)
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
    rule = _rule_of(of["of"], model) if of["kind"] == "object" else _BY_FIELD.get(owner)
    return replace(below, key=rule.key) if rule else below


@cache
def _of_class(name: str, model: str) -> KeyNode:
    """Return one node for all classes a path can have. Their keys never contradict each other."""
    table = load_table(model)["classes"]
    children: dict[str, KeyNode] = {}
    for concrete in _concrete_classes(name, model):
        for key, entry in table[concrete]["fields"].items():
            if "of" not in entry:
                continue
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


def _rule_of(name: str, model: str) -> KeyRule | None:
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
