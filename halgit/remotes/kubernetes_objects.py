"""Kubernetes objects of `sync`: a Lease that one replica holds, a ConfigMap with the status, and Events.

Cluster and login are as for Secrets. A Lease and a ConfigMap are replaced only as they were read, so two writers never
overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Final

from halgit.errors import ConflictError, NotFoundError
from halgit.operator_settings import Access
from halgit.record import Record
from halgit.remotes.kubernetes import SERVICE_ACCOUNT, Cluster

_LONGEST_MESSAGE: Final = 1024
"""In characters: the API server refuses the message of an Event that is longer."""


class KubernetesObjects:
    """The objects of one namespace; `namespace` empty is the pod's or the context's own."""

    def __init__(self, access: Access, namespace: str = "", service_account: str = SERVICE_ACCOUNT) -> None:
        self._cluster = access.cache.get_or_create((Cluster, "kubernetes"), lambda: Cluster(access, service_account))
        self.namespace = namespace or self._cluster.namespace

    # --- ConfigMaps

    def annotations(self, name: str) -> Mapping[str, str]:
        """The annotations of a ConfigMap; empty where it does not exist. Raises RemoteError."""
        found = self._config_map(name)
        return dict(found.metadata.annotations or {}) if found is not None else {}

    def write_config_map(self, name: str, data: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Create or update a ConfigMap; annotations and other keys stay. Raises RemoteError.

        ConflictError if somebody else wrote it at the same moment.
        """
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources.core_v1 import ConfigMap

        found = self._config_map(name)
        if found is None:
            metadata = ObjectMeta(name=name, namespace=self.namespace, labels=dict(labels))
            self._cluster.create(ConfigMap(metadata=metadata, data=dict(data)), self.namespace)
        elif {**(found.data or {}), **data} != found.data:
            found.data = {**(found.data or {}), **data}
            self._cluster.replace(found, self.namespace)

    def _config_map(self, name: str) -> Any:
        from lightkube.resources.core_v1 import ConfigMap

        try:
            return self._cluster.get(ConfigMap, name, self.namespace)
        except NotFoundError:
            return None

    # --- Events

    def create_event(self, about: tuple[str, str, str], reason: str, message: str, *, warning: bool) -> None:
        """Create an Event about an object, by its kind, name and UID. Raises RemoteError."""
        from lightkube.models.core_v1 import EventSource, ObjectReference
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources.core_v1 import Event

        kind, name, uid = about
        now = datetime.now(timezone.utc)
        event = Event(
            involvedObject=ObjectReference(
                apiVersion="v1", kind=kind, name=name, namespace=self.namespace, uid=uid or None
            ),
            metadata=ObjectMeta(generateName=f"{name}.", namespace=self.namespace),
            reason=reason,
            message=message[:_LONGEST_MESSAGE],
            type="Warning" if warning else "Normal",
            count=1,
            firstTimestamp=now,
            lastTimestamp=now,
            source=EventSource(component="halgit"),
        )
        self._cluster.create(event, self.namespace)

    # --- Leases

    def lease(self, name: str) -> LeaseRecord | None:
        """A Lease as it is now; None where it does not exist. Raises RemoteError."""
        from lightkube.resources.coordination_v1 import Lease

        try:
            found = self._cluster.get(Lease, name, self.namespace)
        except NotFoundError:
            return None
        return LeaseRecord(found)

    def create_lease(self, name: str, holder: str, seconds: int) -> bool:
        """Create a Lease that `holder` holds; False where somebody else was faster. Raises RemoteError."""
        from lightkube.models.coordination_v1 import LeaseSpec
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources.coordination_v1 import Lease

        now = _micro_time()
        spec = LeaseSpec(
            holderIdentity=holder, leaseDurationSeconds=seconds, acquireTime=now, renewTime=now, leaseTransitions=0
        )
        metadata = ObjectMeta(name=name, namespace=self.namespace)
        return self._written(lambda: self._cluster.create(Lease(metadata=metadata, spec=spec), self.namespace))

    def take_lease(self, record: LeaseRecord, holder: str, seconds: int) -> bool:
        """Renew a Lease or take it over, as it was read; False where somebody wrote it since. Raises RemoteError."""
        spec = record.item.spec
        now = _micro_time()
        if spec.holderIdentity != holder:
            spec.acquireTime = now
            spec.leaseTransitions = (spec.leaseTransitions or 0) + 1
        spec.holderIdentity, spec.leaseDurationSeconds, spec.renewTime = holder or None, seconds, now
        return self._written(lambda: self._cluster.replace(record.item, self.namespace))

    def _written(self, write: Callable[[], Any]) -> bool:
        try:
            write()
        except ConflictError:
            return False
        return True


class LeaseRecord(Record):
    """A Lease that was read. `version` differs whenever somebody has written it."""

    item: Any

    @property
    def holder(self) -> str:
        return str(self.item.spec.holderIdentity or "") if self.item.spec else ""

    @property
    def seconds(self) -> int:
        return int(self.item.spec.leaseDurationSeconds or 0) if self.item.spec else 0

    @property
    def version(self) -> str:
        return str(self.item.metadata.resourceVersion or "")


def _micro_time() -> datetime:
    """The time now; the API server refuses a MicroTime without its six digits, so they are never all zero."""
    now = datetime.now(timezone.utc)
    return now if now.microsecond else now.replace(microsecond=1)
