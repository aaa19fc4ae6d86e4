"""Rules on where Front50 keeps applications and pipelines: the chosen store, and what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit.annotations import Final
from halgit.halyard import model
from halgit.halyard.coercion import coerce_enum, is_true
from halgit.lazy import lazy_pattern
from halgit.pipeline import Severity
from halgit.record import replace
from halgit.text.phrases import suggest_nearest
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.fields import STILL_OPEN, empty, lacking, text
from halgit.validation.rules.local_files import Named, named
from halgit.validation.view import Node, View

_STORES = ("azs", "gcs", "redis", "s3", "oracle")
_STORE_NEEDS: Final = {
    "s3": ("bucket",),
    "gcs": ("bucket", "project"),
    "azs": ("storageAccountName", "storageAccountKey"),
}
_CHECKED_OFFLINE: Final = frozenset({"s3", "azs"})
"""Stores that `hal deploy apply` refuses for a missing key before it needs the network."""

AWS_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1",
    "us-iso-west-1", "us-isob-east-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-central-2",
    "eu-north-1", "eu-south-1", "eu-south-2", "eu-isoe-west-1", "ap-east-1", "ap-south-1", "ap-south-2",
    "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "sa-east-1", "ca-central-1", "ca-west-1", "cn-north-1",
    "cn-northwest-1", "me-south-1", "me-central-1", "af-south-1", "il-central-1", "mx-central-1",
)  # fmt: skip
"""The regions of AWS, as the SDK for Java 1.12 that Halyard uses names them."""

_ORACLE_NEEDS: Final = ("compartmentId", "userId", "fingerprint", "sshPrivateKeyFilePath", "tenancyId", "namespace")
_BUCKET = lazy_pattern(r"[a-zA-Z0-9\-_.]{1,63}")


def _storage(view: View) -> tuple[Node, str]:
    """The section, and the store that is chosen; an empty string where none is."""
    if view.deployment is None:
        return Node((), None), ""
    node = view.deployment.node("persistentStorage")
    return node, coerce_enum(node.get("persistentStoreType"), "node.PersistentStore.PersistentStoreType") or ""


def _no_store(view: View) -> Iterator[Hit]:
    node, _ = _storage(view)
    if view.deployment is not None and node.get("persistentStoreType") is None:
        there = [store for store in _STORES if node.get(store)]
        hint = f"Set persistentStoreType: {there[0]}." if len(there) == 1 else ""
        message = "persistentStoreType is not set."
        yield Hit(node.at("persistentStoreType"), message, hint=hint)


def _store_not_configured(view: View) -> Iterator[Hit]:
    node, store = _storage(view)
    profile = view.files.get(f"{view.compiled.deployment}/profiles/front50-local.yml")
    checked = store in _CHECKED_OFFLINE
    if store not in _STORE_NEEDS or (not checked and profile and view.properties(profile).get("spinnaker", store)):
        return
    severity = Severity.ERROR if checked else None
    gone = [key for key in _STORE_NEEDS[store] if empty(node, store, key)]
    if gone and not node.get(store):
        others = [other for other in _STORES if node.get(other)]
        hint = f"Set persistentStoreType: {others[0]}, or fill {store}." if others else ""
        message = f"The selected store is {store}, and its section is empty."
        hint = hint or f"Set {' and '.join(gone)} below {store}."
        yield Hit(node.at("persistentStoreType"), message, hint=hint, severity=severity)
    else:
        hits = lacking(node.node(store), f"The selected store {store}", gone)
        yield from (replace(hit, severity=severity) for hit in hits)


def _aws_region(view: View) -> Iterator[Hit]:
    node, store = _storage(view)
    region = text(node, "s3", "region")
    if store == "s3" and region and empty(node, "s3", "endpoint") and region not in AWS_REGIONS:
        hint = suggest_nearest(region, AWS_REGIONS, "Use the name of a region, such as eu-central-1.")
        yield Hit(node.at("s3", "region"), f"{region} is not an AWS region that Halyard knows.", hint=hint)


_REGIONS_OF: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "artifacts.s3.S3ArtifactAccount": (("region", "apiEndpoint", "Clouddriver"), ("apiRegion", "", "Clouddriver")),
    "canary.aws.AwsCanaryAccount": (("region", "endpoint", "Kayenta"),),
    "ci.codebuild.AwsCodeBuildAccount": (("region", "", "Igor"),),
    "providers.aws.AwsBaseImage.AwsVirtualizationSettings": (("region", "", "Rosco"),),
    "providers.aws.AwsProvider.AwsRegion": (("name", "", "Clouddriver"),),
}
"""The fields with a region of AWS by class, with the endpoint that frees a region from being one, and the reader."""


def _regions(view: View) -> Iterator[Hit]:
    """Regions that Halyard itself does not look at; `storage/aws-region` is about the one that it does."""
    for path, class_, mapping in model.walk_objects(view.config.value):
        node = Node(path, mapping)
        for key, endpoint, reader in _REGIONS_OF.get(class_.name, ()):
            region = text(node, key)
            is_free = bool(endpoint) and not empty(node, endpoint)
            if region and not is_free and region not in AWS_REGIONS and not STILL_OPEN.search(region):
                hint = suggest_nearest(region, AWS_REGIONS, "Use the name of a region, such as eu-central-1.")
                yield Hit(node.at(key), f"{region} is not an AWS region that {reader} knows.", hint=hint)


def _oracle_store(view: View) -> Iterator[Hit]:
    node, store = _storage(view)
    if store not in {"oracle", "oraclebmcs"}:
        return
    section = next((key for key in (store, "oracle", "oraclebmcs") if node.get(key)), store)
    here = node.node(section)
    yield from lacking(here, "The selected store oracle", _ORACLE_NEEDS)
    bucket = text(here, "bucketName")
    if bucket and not _BUCKET.fullmatch(bucket):
        message = f"{bucket} is not a valid bucket name: letters, digits, dashes, dots and underscores, at most 63."
        yield Hit(here.at("bucketName"), message, hint="Write the name of the bucket.")


_CANARY_NAME: Final = lazy_pattern(r"[a-z0-9]+([-a-z0-9_]*[a-z0-9])?")
_CANARY_STORES: Final = {"google": "gcsEnabled", "aws": "s3Enabled"}


def _canaries(view: View) -> Iterator[Node]:
    return (node.node("canary") for node in view.deployments if is_true(node.get("canary", "enabled")))


def _integrations(canary: Node) -> Iterator[tuple[str, Node]]:
    for node in canary.items("serviceIntegrations"):
        name = text(node, "name")
        if name is not None:
            yield name, node


def _no_aws_entry(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        listed = canary.get("serviceIntegrations")
        if isinstance(listed, list) and not any(name == "aws" for name, _ in _integrations(canary)):
            yield Hit(
                canary.at("serviceIntegrations"),
                "Canary analysis is enabled, and serviceIntegrations has no entry named aws.",
            )


def _no_canary_store(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        on = [
            name
            for name, node in _integrations(canary)
            if name in _CANARY_STORES and is_true(node.get("enabled")) and is_true(node.get(_CANARY_STORES[name]))
        ]
        if not on:
            yield Hit(canary.at("enabled"), "Canary analysis is enabled, and no store is enabled for its results.")


def _canary_accounts(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        seen: set[str] = set()
        for kind, node in _integrations(canary):
            for account in node.items("accounts"):
                name = text(account, "name")
                if account.get("name") is None:
                    yield Hit(account.path, f"A canary account of {kind} has no name.", hint="Add name.")
                if name is None:
                    continue
                if not _CANARY_NAME.fullmatch(name):
                    hint = "Use lower-case letters, digits, and dashes or underscores between them."
                    yield Hit(account.at("name"), f"{name} is not a valid name of a canary account.", hint=hint)
                if name in seen:
                    message = f"The canary account {name} is a duplicate."
                    yield Hit(account.at("name"), message, hint="Give one of them another name.")
                seen.add(name)


def _no_canary_bucket(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        for kind, node in _integrations(canary):
            accounts = list(node.items("accounts"))
            key = _CANARY_STORES.get(kind)
            if key and is_true(node.get("enabled")) and is_true(node.get(key)):
                if not any(not empty(account, "bucket") for account in accounts):
                    yield Hit(node.at(key), f"{key} is on and no account of {kind} has a bucket.", hint="Set bucket.")
                for account in accounts:
                    if kind == "google" and not empty(account, "bucket") and empty(account, "project"):
                        message = f"The canary account {text(account, 'name')} has a bucket and no project."
                        yield Hit(account.path, message, hint="Set project.")


def _prometheus_password_file(view: View) -> Iterator[Hit]:
    for canary in _canaries(view):
        for kind, node in _integrations(canary):
            for account in node.items("accounts") if kind == "prometheus" else ():
                file = named(view, account.get("usernamePasswordFile"))
                body = file.file.body if isinstance(file, Named) else None
                if isinstance(file, Named) and isinstance(body, bytes) and b":" not in body:
                    message = f"usernamePasswordFile names {file.path}, which does not contain USER:PASSWORD."
                    yield Hit(account.at("usernamePasswordFile"), message)


def _publishers(view: View) -> Iterator[Hit]:
    for deployment in view.deployments:
        seen: set[str] = set()
        for publisher in deployment.node("pubsub", "google").items("publishers"):
            name = text(publisher, "name")
            whose = f"The publisher {name}" if name else "A publisher"
            yield from lacking(publisher, whose, ("project", "topicName"))
            if name is not None and name in seen:
                message = f"The publisher {name} is a duplicate."
                yield Hit(publisher.at("name"), message, hint="Give one of them another name.")
            seen.add(name or "")


RULES = (
    Rule("aws/region", _regions),
    Rule("canary/account", _canary_accounts),
    Rule("canary/no-aws-entry", _no_aws_entry),
    Rule("canary/no-bucket", _no_canary_bucket),
    Rule("canary/no-store", _no_canary_store),
    Rule("canary/password-file", _prometheus_password_file),
    Rule("pubsub/publisher", _publishers),
    Rule("storage/aws-region", _aws_region),
    Rule("storage/none-chosen", _no_store),
    Rule("storage/not-configured", _store_not_configured),
    Rule("storage/oracle", _oracle_store),
)
