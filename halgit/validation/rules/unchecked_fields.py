"""Rules on fields of the halconfig that Halyard hands on without looking at them: parts of list items, and addresses.

Halyard parses only the fields of the types URI and URL (`schema/address`), the public addresses and the endpoints of
high availability, which have rules of their own. What libraries of the services make of an address was asked of OkHttp
4.9, java.net.URL and the AWS SDK 1.12 (`tests/judges/clouddriver`). What the service does then is not recorded; the
findings are warnings, since Halyard deploys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit.annotations import Final, Literal
from halgit.halyard import model
from halgit.halyard.coercion import coerce_boolean, coerce_enum
from halgit.pipeline import Path, Severity, Value
from halgit.record import Record
from halgit.text.phrases import add_article, join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, address, has_port, host, is_http_address, word
from halgit.validation.view import Node, View


class Parts(Record):
    """What the reader of a list requires of its items. A required key of a key is dotted."""

    reader: str
    keys: tuple[str, ...]


_ARTIFACT = Parts("Clouddriver", ("name",))
_ENDPOINT = Parts("Kayenta", ("endpoint.baseUrl",))
_REQUIRED: Final[Mapping[str, Parts]] = {
    **{
        f"artifacts.{package}.{name}ArtifactAccount": _ARTIFACT
        for package, name in (
            ("bitbucket", "Bitbucket"), ("gcs", "Gcs"), ("github", "GitHub"), ("gitlab", "Gitlab"),
            ("gitrepo", "GitRepo"), ("http", "Http"), ("oracle", "Oracle"),
            ("s3", "S3"),
        )
    },
    "artifacts.ArtifactTemplate": Parts("Echo", ("name", "templatePath")),
    "artifacts.helm.HelmArtifactAccount": Parts("Clouddriver", ("name", "repository")),
    "artifacts.maven.MavenArtifactAccount": Parts("Clouddriver", ("name", "repositoryUrl")),
    "canary.datadog.DatadogCanaryAccount": _ENDPOINT,
    "canary.newrelic.NewRelicCanaryAccount": _ENDPOINT,
    "canary.prometheus.PrometheusCanaryAccount": _ENDPOINT,
    "ci.codebuild.AwsCodeBuildAccount": Parts("Igor", ("name", "region")),
    "ci.concourse.ConcourseMaster": Parts("Igor", ("name", "url")),
    "ci.gcb.GoogleCloudBuildAccount": Parts("Igor", ("name", "project")),
    "ci.jenkins.JenkinsMaster": Parts("Igor", ("name", "address")),
    "ci.travis.TravisMaster": Parts("Igor", ("name", "baseUrl", "address", "githubToken")),
    "ci.wercker.WerckerMaster": Parts("Igor", ("name", "address")),
    "node.AffinityConfig.LabelSelectorRequirement": Parts("Kubernetes", ("key", "operator")),
    "node.AffinityConfig.NodeSelectorRequirement": Parts("Kubernetes", ("key", "operator")),
    "node.AffinityConfig.PodAffinityTerm": Parts("Kubernetes", ("topologyKey",)),
    "node.AffinityConfig.PreferredSchedulingTerm": Parts("Kubernetes", ("weight", "preference")),
    "node.AffinityConfig.WeightedPodAffinityTerm": Parts("Kubernetes", ("weight", "podAffinityTerm.topologyKey")),
    "node.SidecarConfig.ConfigMapVolumeMount": Parts("Kubernetes", ("configMapName", "mountPath")),
    "node.SidecarConfig.SecretVolumeMount": Parts("Kubernetes", ("secretName", "mountPath")),
    "providers.aws.AwsBaseImage.AwsVirtualizationSettings": Parts("Rosco", ("region", "virtualizationType")),
    "providers.aws.AwsProvider.AwsRegion": Parts("Clouddriver", ("name",)),
    "providers.dcos.DCOSAccount.ClusterCredential": Parts("Clouddriver", ("name",)),
    "providers.dcos.DCOSCluster": Parts("Clouddriver", ("name",)),
    "providers.kubernetes.KubernetesAccount.KubernetesCachingPolicy": Parts("Clouddriver", ("kubernetesKind",)),
    "pubsub.google.GooglePublisher": Parts("Echo", ("name",)),
    "pubsub.google.GoogleSubscription": Parts("Echo", ("name", "project", "subscriptionName")),
    "repository.artifactory.ArtifactorySearch": Parts("Igor", ("name", "baseUrl", "repo")),
    "repository.nexus.NexusSearch": Parts("Igor", ("name", "repo")),
}  # fmt: skip
"""By class of the items: `@NotEmpty`, `@NotNull` and lookups in the services' properties classes. Accounts of
providers, base images and custom resources, which Halyard validates, have rules of their own."""


def _missing_parts(view: View) -> Iterator[Hit]:
    for path, class_, node in model.walk_objects(view.config.value):
        parts = _REQUIRED.get(class_.name)
        if parts is None or not isinstance(path[-1], int):
            continue
        gone = [key for key in parts.keys if Node((), node).get(*key.split(".")) in (None, "")]
        if gone:
            severity = None if _is_on(view.config.value, path) else Severity.INFO
            message = f"{_name_item(path, node)} has no {join_words(gone)}, which {parts.reader} requires."
            yield Hit(path, message, hint=f"Set {join_words(gone)}.", severity=severity)


def _name_item(path: Path, node: dict[str, Value]) -> str:
    """An item of a list as messages name it, or a section."""
    name, listed = word(node.get("name")), next(str(step) for step in reversed(path) if isinstance(step, str))
    if not isinstance(path[-1], int):
        return listed
    return f"Item {name} of {listed}" if name else f"Item {path[-1] + 1} of {listed}"


Form = Literal["http", "url", "aws"]
"""`http`: what OkHttp accepts. `url`: any protocol that Java knows. `aws`: for the AWS SDK, which assumes https."""


class Address(Record):
    """A field with an address: the program that reads it, and the form that it needs.

    `is_required`: an empty string replaces the default, so that the reader has no address.
    """

    reader: str
    form: Form = "http"
    is_required: bool = False


_CANARY: Final = {"baseUrl": Address("Kayenta")}
_FIELDS: Final[Mapping[str, Mapping[str, Address]]] = {
    "artifacts.helm.HelmArtifactAccount": {"repository": Address("Clouddriver")},
    "artifacts.maven.MavenArtifactAccount": {"repositoryUrl": Address("Clouddriver")},
    "artifacts.s3.S3ArtifactAccount": {"apiEndpoint": Address("Clouddriver", "aws")},
    "canary.aws.AwsCanaryAccount": {"endpoint": Address("Kayenta", "aws")},
    "canary.datadog.DatadogCanaryAccount.Endpoint": _CANARY,
    "canary.newrelic.NewRelicCanaryAccount.Endpoint": _CANARY,
    "canary.prometheus.PrometheusCanaryAccount.Endpoint": _CANARY,
    "canary.signalfx.SignalfxCanaryAccount.Endpoint": _CANARY,
    "ci.concourse.ConcourseMaster": {"url": Address("Igor")},
    "ci.jenkins.JenkinsMaster": {"address": Address("Igor")},
    "ci.travis.TravisMaster": {"address": Address("Igor"), "baseUrl": Address("Igor")},
    "ci.wercker.WerckerMaster": {"address": Address("Igor")},
    "node.Stats": {"endpoint": Address("Echo", is_required=True)},
    "notifications.SlackNotification": {"baseUrl": Address("Echo", is_required=True)},
    "notifications.TwilioNotification": {"baseUrl": Address("Echo", is_required=True)},
    "persistentStorage.S3PersistentStore": {"endpoint": Address("Front50", "aws")},
    "plugins.PluginRepository": {"url": Address("the plugin loader", "url", is_required=True)},
    "providers.dcos.DCOSCluster": {"dcosUrl": Address("Clouddriver")},
    "providers.huaweicloud.HuaweiCloudAccount": {"authUrl": Address("Clouddriver")},
    "providers.huaweicloud.HuaweiCloudBakeryDefaults": {"authUrl": Address("Rosco")},
    "repository.artifactory.ArtifactorySearch": {"baseUrl": Address("Igor")},
    "repository.nexus.NexusSearch": {"baseUrl": Address("Igor")},
    "security.GithubRoleProvider": {"baseUrl": Address("Fiat", is_required=True)},
    "security.IAP": {"iapVerifyKeyUrl": Address("Gate")},
    "security.OAuth2.Client": {
        "accessTokenUri": Address("Gate"), "userAuthorizationUri": Address("Gate"),
        "preEstablishedRedirectUri": Address("Gate"),
    },
    "security.OAuth2.Resource": {"userInfoUri": Address("Gate")},
}  # fmt: skip
"""By class of the model. A missing address that the reader requires is reported by `lists/missing-part`. Not here:
`push_gateway` and Consul's agent, which need no scheme, Kayenta's Atlas components, whose address may be a path, and
the `host` of New Relic, of which nothing is known."""

_PROTOCOLS: Final = frozenset({"http", "https", "file", "ftp", "jar", "mailto"})
"""What java.net.URL can open."""


def _is_usable(form: Form, text: str) -> bool:
    if form == "http":
        return is_http_address(text) and text.count("://") < 2
    split = address(text.strip() if form == "url" else text if "://" in text else f"https://{text}")
    if form == "url":
        return split is not None and split.scheme in _PROTOCOLS and has_port(split)
    return split is not None and host(split) != "" and has_port(split) and text.count("://") < 2


def _unusable(view: View) -> Iterator[Hit]:
    for path, class_, node in model.walk_objects(view.config.value):
        for key, field in _FIELDS.get(class_.name, {}).items():
            written = word(node.get(key))
            fault = None if written is None or STILL_OPEN.search(written) else _fault(key, field, written)
            if fault:
                severity = None if _is_on(view.config.value, path) else Severity.INFO
                message, hint = f"{_name_item(path, node)} has {fault[0]}.", fault[1]
                yield Hit((*path, key), message, hint=hint, severity=severity)
    yield from _plugin_repositories(view)


def _fault(key: str, field: Address, written: str) -> tuple[str, str] | None:
    """Return what is wrong with an address, and the next step; None if its reader can use it."""
    if written == "" and field.is_required:
        return f"an empty {key}, which {field.reader} cannot use", "Write the address, or remove the key."
    if written == "" or _is_usable(field.form, written):
        return None
    if ":/" in written or field.form == "aws":
        hint = "Write scheme://host:port/path, without spaces."
        return f"{add_article(key)} that {field.reader} does not accept", hint
    hint = "Write http:// or https:// before it."
    return f"{add_article(key)} without a scheme, which {field.reader} cannot use", hint


def _plugin_repositories(view: View) -> Iterator[Hit]:
    """The loader of plugins ends with an exception for a repository without an address."""
    for deployment in view.deployments:
        for name, entry in deployment.entries("spinnaker", "extensibility", "repositories"):
            if isinstance(entry.value, dict) and entry.get("url") is None:
                yield Hit(entry.path, f"The plugin repository {name} has no url.", hint="Set url.")


_DERIVED: Final = frozenset({"node.MetricStores", "node.Pubsubs", "security.Authn"})
"""Classes whose `enabled` Halyard works out of what is below them."""


def _is_on(config: Value, path: Path) -> bool:
    """Return whether every section above an object that has a switch is enabled, and a store or provider selected."""
    if not _is_selected(config, path):
        return False
    type_, here = model.ROOT_TYPE, config
    for step in (*path, ""):
        class_ = model.get_actual_class(type_, here) if type_.kind == "object" else None
        switch = class_.fields.get("enabled") if class_ and class_.name not in _DERIVED else None
        if switch is not None and isinstance(here, dict):
            value = here.get("enabled")
            if coerce_boolean(switch.default if value is None else value) is False:
                return False
        found = model.get_child_type(type_, here, step)
        if found is None:
            return True
        type_, here = found[0], here[step]
    return True


def _is_selected(config: Value, path: Path) -> bool:
    """Return whether a store or role provider is the one that its section selects; True for all other objects."""
    deployment = Node(path[:2], config["deploymentConfigurations"][path[1]]) if len(path) > 2 else Node((), None)
    if path[2:4] == ("persistentStorage", "s3"):
        selected = deployment.get("persistentStorage", "persistentStoreType")
        return coerce_enum(selected, "node.PersistentStore.PersistentStoreType") == "s3"
    if path[2:6] == ("security", "authz", "groupMembership", "github"):
        selected = deployment.get("security", "authz", "groupMembership", "service")
        return coerce_enum(selected, "security.GroupMembership.RoleProviderType") == "GITHUB"
    return True


RULES = (
    Rule("addresses/unusable", _unusable),
    Rule("lists/missing-part", _missing_parts),
)
