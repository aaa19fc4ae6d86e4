"""Builds what `halgit sync` reports to, and what it asks, outside its own process: commits, Kubernetes, a webhook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

from halgit.cli.settings import read_file
from halgit.errors import HalgitError, UsageError
from halgit.operator_settings import Access
from halgit.pipeline import SourceId
from halgit.redaction import Secret
from halgit.remotes.commit_statuses import CommitStatuses, guess_forge
from halgit.remotes.git.address import read_address
from halgit.remotes.kubernetes_objects import KubernetesObjects
from halgit.sync.deployer import Clock
from halgit.sync.events import Report
from halgit.sync.leadership import LeaseLeadership
from halgit.sync.reporters import (
    CommitStatusReporter,
    Complain,
    KubernetesReporter,
    NotificationReporter,
    guarded,
    suspension,
)
from halgit.sync.status import StatusBoard

_LONGEST_CONNECTION: Final = 600.0
"""In seconds. The token of a pod's service account is rotated within the hour."""


class SyncReports:
    """The outside systems of one `halgit sync`. `new_access` gives the logins as they are now."""

    def __init__(
        self,
        options: Mapping[str, Any],
        new_access: Callable[[], Access],
        clock: Clock,
        complain: Complain,
        closing: ExitStack,
    ) -> None:
        self._options = options
        self._new_access = new_access
        self._clock = clock
        self._complain = complain
        self._closing = closing

    def reports(self, board: StatusBoard) -> list[Report]:
        """Everybody who is informed of events, as the options say."""
        options = self._options
        found: dict[str, Report] = {}
        if options["commit_status"]:
            found["The commit status"] = CommitStatusReporter(self._statuses, options["commit_status"])
        if options["status_config_map"] or options["pod_name"]:
            about = ("Pod", options["pod_name"], options["pod_uid"])
            found["Kubernetes"] = KubernetesReporter(self._connection(), options["status_config_map"], about, board)
        if options["notify_url_file"]:
            url = read_file(options["notify_url_file"], "--notify-url-file").decode("utf-8", "replace").strip()
            found["The notification"] = NotificationReporter(self._new_access(), url, options["overlay"])
        return [guarded(name, report, self._complain) for name, report in found.items()]

    def suspended(self) -> Callable[[], str]:
        """The function that says whether the ConfigMap's annotation suspends."""
        name = self._options["status_config_map"]
        return suspension(self._connection(), name, self._complain) if name else lambda: ""

    def leadership(self) -> LeaseLeadership | None:
        """The Lease of --lease, held from now on; None without the option."""
        options = self._options
        if not options["lease"]:
            return None
        identity = options["identity"] or options["pod_name"]
        if not identity:
            raise UsageError("--lease needs a name for this replica.", "Pass --identity or --pod-name.")
        lease = LeaseLeadership(self._connection(), options["lease"], identity, self._clock, self._complain)
        self._closing.callback(lease.close)
        lease.start()
        return lease

    def checks(self, sources: Sequence[SourceId]) -> str:
        """Return why the required checks of these sources are not green; an empty string if they are."""
        for source in sources:
            statuses = self._statuses(source) if self._options["required_checks"] else None
            if statuses is None:
                continue
            try:
                for name in self._options["required_checks"]:
                    state = statuses.check(source.revision, name)
                    if state != "success":
                        return f"the check {name} of commit {source.revision[:12]} is {state}"
            except HalgitError as reason:
                return f"the checks of commit {source.revision[:12]} cannot be read: {reason.message}"
            finally:
                statuses.close()
        return ""

    def _statuses(self, source: SourceId) -> CommitStatuses | None:
        """The statuses of a source; None for one that is not a repository on a server."""
        if "://" in source.url and source.url.partition("://")[0] not in ("https", "http", "ssh"):
            return None
        if "://" not in source.url and "@" not in source.url:
            return None
        forge = self._options["forge"] or guess_forge(source.url)
        if forge is None:
            raise UsageError(f"{source.url}: the kind of server is unknown.", "Pass --forge.")
        access = self._new_access()
        return CommitStatuses(access, source.url, forge, self._options["forge_api"], self._token(source, access))

    def _token(self, source: SourceId, access: Access) -> Secret:
        path = self._options["forge_token_file"] or access.git_token_file.for_host(read_address(source.url).host)
        text = read_file(path, "--forge-token-file").decode("utf-8", "replace") if path else ""
        text = text or access.environment.get("HALGIT_GIT_TOKEN", "")
        if not text.strip():
            raise UsageError(f"{source.url}: there is no token for commit statuses.", "Pass --forge-token-file.")
        return Secret(text.strip(), "forge token")

    def _connection(self) -> Callable[[], KubernetesObjects]:
        """The function that gives the objects of the namespace, connected again from time to time."""
        connected: tuple[KubernetesObjects, Access, float] | None = None

        def connection() -> KubernetesObjects:
            nonlocal connected
            now = self._clock.monotonic()
            if connected is not None and now < connected[2]:
                return connected[0]
            if connected is not None:
                connected[1].cache.close()
            access = self._new_access()
            connected = KubernetesObjects(access, self._options["namespace"]), access, now + _LONGEST_CONNECTION
            return connected[0]

        return connection
