"""Rules on where Front50 keeps applications and pipelines: the chosen store, and what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halgit.halyard.coercion import coerce_enum
from halgit.pipeline import Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.given import empty, lacking, text
from halgit.validation.view import Node, View

_STORES = ("azs", "gcs", "redis", "s3", "oracle")
_NEEDS: Final = {
    "s3": ("bucket",),
    "gcs": ("bucket", "project"),
    "azs": ("storageAccountName", "storageAccountKey"),
}
_ORACLE: Final = ("compartmentId", "userId", "fingerprint", "sshPrivateKeyFilePath", "tenancyId", "namespace")
_BUCKET = re.compile(r"[a-zA-Z0-9\-_.]{1,63}")


def _storage(view: View) -> tuple[Node, str]:
    """The section, and the store that is chosen; an empty text where none is."""
    if view.deployment is None:
        return Node((), None), ""
    node = view.deployment.node("persistentStorage")
    return node, coerce_enum(node.get("persistentStoreType"), "node.PersistentStore.PersistentStoreType") or ""


def _none(view: View) -> Iterator[Hit]:
    node, _ = _storage(view)
    if view.deployment is not None and node.get("persistentStoreType") is None:
        there = [store for store in _STORES if node.get(store)]
        hint = f"Set persistentStoreType: {there[0]}." if len(there) == 1 else ""
        message = "No persistentStoreType says where Front50 keeps its data."
        yield Hit(node.at("persistentStoreType"), message, hint=hint)


def _not_configured(view: View) -> Iterator[Hit]:
    node, store = _storage(view)
    profile = view.profile("front50-local.yml")
    if store not in _NEEDS or (profile is not None and profile.get("spinnaker", store)):
        return
    gone = [key for key in _NEEDS[store] if empty(node, store, key)]
    if gone and not node.get(store):
        others = [other for other in _STORES if node.get(other)]
        hint = f"Set persistentStoreType: {others[0]}, or fill {store}." if others else ""
        message = f"The chosen store is {store}, and nothing is said of it."
        yield Hit(node.at("persistentStoreType"), message, hint=hint or f"Set {' and '.join(gone)} below {store}.")
    else:
        yield from lacking(node.node(store), f"The chosen store {store}", gone)


def _oracle(view: View) -> Iterator[Hit]:
    node, store = _storage(view)
    if store not in {"oracle", "oraclebmcs"}:
        return
    section = next((key for key in (store, "oracle", "oraclebmcs") if node.get(key)), store)
    here = node.node(section)
    yield from lacking(here, "The chosen store oracle", _ORACLE)
    bucket = text(here, "bucketName")
    if bucket and not _BUCKET.fullmatch(bucket):
        message = f"{bucket} is no name of a bucket: letters, digits, dashes, dots and underscores, at most 63."
        yield Hit(here.at("bucketName"), message, hint="Write the name of the bucket.")


RULES = (
    Rule(
        id="storage/none-chosen",
        severity=Severity.ERROR,
        summary="No persistent store is chosen.",
        halyard="Halyard cannot make Front50's configuration without one and ends with a FATAL problem.",
        impact="Nothing can be deployed.",
        fix="Set persistentStoreType to s3, gcs, azs, redis or oracle.",
        check=_none,
    ),
    Rule(
        id="storage/not-configured",
        severity=Severity.WARNING,
        summary="The chosen store is not configured.",
        halyard="Halyard writes Front50's configuration without what is missing; its own checks need the network.",
        impact="Front50 does not start, or finds no data.",
        fix="Configure the store.",
        check=_not_configured,
    ),
    Rule(
        id="storage/oracle",
        severity=Severity.ERROR,
        summary="The Oracle store lacks something it needs.",
        halyard="Halyard checks the chosen store in `hal deploy apply`; what is missing here is FATAL or an ERROR.",
        impact="Nothing can be deployed.",
        fix="Complete the store.",
        check=_oracle,
    ),
)
