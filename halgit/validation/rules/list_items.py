"""The rule on parts that the reader of a list requires of every item, where Halyard itself checks nothing.

Halyard writes such an item as it is. The service refuses it when it binds its configuration, or cannot use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit.annotations import Final
from halgit.halyard import model
from halgit.halyard.coercion import is_true
from halgit.pipeline import Path, Severity, Value
from halgit.record import Record
from halgit.text.phrases import join_words
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import word
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
            ("gitrepo", "GitRepo"), ("helm", "Helm"), ("http", "Http"), ("maven", "Maven"), ("oracle", "Oracle"),
            ("s3", "S3"),
        )
    },
    "artifacts.ArtifactTemplate": Parts("Echo", ("name", "templatePath")),
    "canary.datadog.DatadogCanaryAccount": _ENDPOINT,
    "canary.newrelic.NewRelicCanaryAccount": _ENDPOINT,
    "canary.prometheus.PrometheusCanaryAccount": _ENDPOINT,
    "ci.codebuild.AwsCodeBuildAccount": Parts("Igor", ("name", "region")),
    "ci.concourse.ConcourseMaster": Parts("Igor", ("name", "url")),
    "ci.gcb.GoogleCloudBuildAccount": Parts("Igor", ("name", "project")),
    "ci.jenkins.JenkinsMaster": Parts("Igor", ("name", "address")),
    "ci.travis.TravisMaster": Parts("Igor", ("name", "baseUrl", "address", "githubToken")),
    "ci.wercker.WerckerMaster": Parts("Igor", ("name", "address")),
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

_SWITCHES: Final = ("ci", "repository", "pubsub", "artifacts", "providers")
"""Sections whose entries each have `enabled`."""


def _missing_parts(view: View) -> Iterator[Hit]:
    for path, class_, node in model.walk_objects(view.config.value):
        parts = _REQUIRED.get(class_.name)
        if parts is None or not isinstance(path[-1], int):
            continue
        gone = [key for key in parts.keys if Node((), node).get(*key.split(".")) in (None, "")]
        if gone:
            severity = None if _is_on(view.config.value, path) else Severity.INFO
            message = f"{_item(path, node)} has no {join_words(gone)}, which {parts.reader} requires."
            yield Hit(path, message, hint=f"Set {join_words(gone)}.", severity=severity)


def _item(path: Path, node: dict[str, Value]) -> str:
    name, listed = word(node.get("name")), next(str(step) for step in reversed(path) if isinstance(step, str))
    return f"Item {name} of {listed}" if name else f"Item {int(path[-1]) + 1} of {listed}"


def _is_on(config: Value, path: Path) -> bool:
    """Whether the section of an item is enabled, as far as it has a switch."""
    here = config
    for depth, step in enumerate(path[:-1]):
        here = here[step]
        is_switch = (depth == 3 and path[2] in _SWITCHES) or (depth == 2 and path[2] == "canary")
        if is_switch and isinstance(here, dict) and not is_true(here.get("enabled")):
            return False
    return True


RULES = (Rule("lists/missing-part", _missing_parts),)
