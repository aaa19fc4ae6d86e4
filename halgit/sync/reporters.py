"""Receivers of events: commit statuses, Kubernetes Events, and a notification webhook.

Each reporter answers for one system. One that does not answer never stops a deploy: the failure is reported once for
each reason, and the next event is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from halgit.errors import HalgitError
from halgit.operator_settings import Access
from halgit.pipeline import SourceId
from halgit.remotes.commit_statuses import CommitStatuses, State
from halgit.remotes.http import WebService
from halgit.remotes.kubernetes_objects import KubernetesObjects
from halgit.sync.events import EventKind, Report, SyncEvent
from halgit.sync.status import StatusBoard

_STATES: Final[Mapping[EventKind, State]] = {
    "deploying": "pending",
    "held": "pending",
    "deployed": "success",
    "failed": "failure",
    "refused": "failure",
    "rolled-back": "failure",
}
_REASONS: Final[Mapping[EventKind, str]] = {
    "refused": "Refused",
    "held": "Held",
    "deploying": "Deploying",
    "deployed": "Deployed",
    "failed": "DeployFailed",
    "rolled-back": "RolledBack",
    "drift": "Drifted",
    "warning": "Warning",
}
_WARNINGS: Final = frozenset({"refused", "failed", "rolled-back", "drift", "warning"})
SUSPENDED: Final = "halgit.opsmx.io/suspend"
"""The annotation of the status ConfigMap that suspends; any value but `false`."""

Complain = Callable[[str], None]
"""Receives a line for people when a system does not answer."""


def guarded(name: str, report: Report, complain: Complain) -> Report:
    """The report with its failures complained of, each once until it works again."""
    last = ""

    def guard(event: SyncEvent) -> None:
        nonlocal last
        try:
            report(event)
        except HalgitError as reason:
            if str(reason) != last:
                complain(f"{name}: {reason}")
            last = str(reason)
        else:
            last = ""

    return guard


class CommitStatusReporter:
    """Sets a status on the commit of each git source. `statuses` gives those of a source, None for another kind."""

    def __init__(self, statuses: Callable[[SourceId], CommitStatuses | None], name: str) -> None:
        self._statuses = statuses
        self._name = name

    def __call__(self, event: SyncEvent) -> None:
        state = _STATES.get(event.kind)
        if state is None:
            return
        previous = event.previous.split("+")
        for number, source in enumerate(event.sources):
            statuses = self._statuses(source)
            if statuses is None:
                continue
            try:
                old = previous[number] if number < len(previous) and previous[number] != source.revision else ""
                url = statuses.compare_url(old, source.revision)
                statuses.set(source.revision, state, self._name, event.summary, url)
            finally:
                statuses.close()


class KubernetesReporter:
    """Writes the status into a ConfigMap, and an Event about it for what people should see."""

    def __init__(
        self, objects: Callable[[], KubernetesObjects], config_map: str, about: tuple[str, str, str], board: StatusBoard
    ) -> None:
        self._objects = objects
        self._config_map = config_map
        self._about = about
        self._board = board
        self._condition: dict[str, str] = {}

    def __call__(self, event: SyncEvent) -> None:
        objects = self._objects()
        if self._config_map:
            objects.write_config_map(self._config_map, self._data(event), {"app.kubernetes.io/managed-by": "halgit"})
        about = self._about if self._about[1] else ("ConfigMap", self._config_map, "")
        objects.create_event(about, _REASONS[event.kind], event.summary, warning=event.kind in _WARNINGS)

    def _data(self, event: SyncEvent) -> dict[str, str]:
        """The status, and one condition as Kubernetes writes them."""
        status = "True" if event.kind == "deployed" else "False"
        if self._condition.get("status") != status:
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._condition = {"type": "Synchronized", "status": status, "lastTransitionTime": now}
        self._condition |= {"reason": _REASONS[event.kind], "message": event.summary}
        shown = {name: value for name, value in self._board.snapshot().items() if name != "now"}
        return {"status.json": json.dumps(shown, ensure_ascii=False, default=str),
                "conditions.json": json.dumps([self._condition], ensure_ascii=False)}  # fmt: skip


def suspension(objects: Callable[[], KubernetesObjects], config_map: str, complain: Complain) -> Callable[[], str]:
    """The function that says whether the annotation of the ConfigMap suspends, and why."""
    last = ""

    def suspended() -> str:
        nonlocal last
        try:
            value = objects().annotations(config_map).get(SUSPENDED, "false")
        except HalgitError as reason:
            if str(reason) != last:
                complain(f"The annotation {SUSPENDED} cannot be read: {reason}")
            last = str(reason)
            return ""
        return "" if value.strip().lower() == "false" else f"the annotation {SUSPENDED} is set on {config_map}"

    return suspended


class NotificationReporter:
    """Posts each event as JSON; `text` is what Slack and its kin show."""

    def __init__(self, access: Access, url: str, overlay: str) -> None:
        base, slash, path = url.partition("://")
        host, _, rest = path.partition("/")
        access.redactor.learn_credential(rest)
        self._web = WebService(access, "The notification webhook", f"{base}{slash}{host}", {})
        self._path = f"/{rest}"
        self._overlay = overlay

    def __call__(self, event: SyncEvent) -> None:
        name = f"Spinnaker ({self._overlay})" if self._overlay else "Spinnaker"
        self._web.exchange("POST", self._path, {
            "text": f"{name}: {event.summary}",
            "event": event.kind,
            "revision": event.revision,
            "services": list(event.services),
            "findings": _findings(event),
        })  # fmt: skip


def _findings(event: SyncEvent) -> Sequence[dict[str, Any]]:
    from halgit.report.findings import finding_json

    return [finding_json(one) for one in event.findings[:20]]
