"""`halgit isd configure`: register the integrations of an installation.

Existing registrations are listed first, and only missing ones are created. A service that does not answer yet is
retried until a deadline; all failures are reported together. Passwords and tokens are sent in bodies only, never in
an address, a header or a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from halgit.errors import ConflictError, CorruptError, RemoteError, ThrottledError, UnreachableError, UsageError
from halgit.operator_settings import Progress, ignore_progress
from halgit.record import Record
from halgit.redaction import Secret
from halgit.remotes.http import WebService

Answer = TypeVar("Answer")
State = Literal["created", "exists", "accepted"]
Report = Callable[[str, State], None]

DATA_SOURCES = "/platformservice/v2/datasources"
DATA_SOURCE = "/platformservice/v6/datasource"
SPINNAKERS = "/oes/accountsConfig/v3/spinnaker"
SPINNAKER = "/oes/accountsConfig/v4/spinnaker"
REPOSITORY_SOURCE = "gitops"

_PAUSE = 5.0


class Repository(Record):
    """The git repository of sapor's dynamic accounts."""

    url: str
    path: str
    user: Secret
    token: Secret
    provider: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.username is not None:
            raise UsageError("--accounts-repository holds credentials.", "Pass them with --git-token-file.")
        if parts.scheme != "https" or not parts.hostname or not parts.path.strip("/"):
            raise UsageError(
                "--accounts-repository is not an https address of a git repository; sapor supports no other.",
                "Write https://HOST/ORGANIZATION/REPOSITORY.git.",
            )
        self.kind()

    def kind(self) -> str:
        """Return the provider as platform names it: the configured one, or the one in the host's name."""
        host = urlsplit(self.url).hostname or ""
        found = self.provider or next((name for name in _PROVIDERS if name in host), "")
        if not found:
            raise UsageError(
                f"--accounts-repository: the git provider of {host} is unknown.",
                f"Add --git-provider: {', '.join(_PROVIDERS)}.",
            )
        return found.upper()

    def fields(self) -> Mapping[str, object]:
        """Return the settings by which platform reaches the repository's host."""
        parts = urlsplit(self.url)
        host = f"{parts.scheme}://{parts.netloc}/"
        public, own = _PROVIDERS[self.kind().lower()]
        api = public if parts.hostname in {"github.com", "gitlab.com", "bitbucket.org"} else host + own
        fields: dict[str, object] = {"hostUrl": host, "url": api, "username": self.user, "token": self.token}
        if self.kind() == "BITBUCKET":
            fields.update(authType="bearer", read="", write="")
        return fields


_PROVIDERS: Mapping[str, tuple[str, str]] = {
    "github": ("https://api.github.com", "api/v3"),
    "gitlab": ("https://gitlab.com/api/v4", "api/v4"),
    "bitbucket": ("https://api.bitbucket.org/2.0/", "rest/api/1.0/"),
}
"""Providers with the API of the public host, and the path of the API on a private host."""

PROVIDERS = tuple(_PROVIDERS)


class Spinnaker(Record):
    """The Spinnaker to register: the address of its gate as seen from sapor, and its login."""

    name: str
    gate: str
    user: Secret
    password: Secret


class Integrations(Record):
    """The integrations to register. Raises UsageError for a repository without a Spinnaker."""

    admin: str
    opa: str = ""
    spinnaker: Spinnaker | None = None
    repository: Repository | None = None

    def __post_init__(self) -> None:
        if self.repository and not self.spinnaker:
            raise UsageError(
                "--accounts-repository requires a Spinnaker.",
                "Add --spinnaker-name and --gate-url, with the gate's login.",
            )


class Deadline:
    """The time in seconds within which all services must answer."""

    def __init__(
        self,
        seconds: float,
        progress: Progress = ignore_progress,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self.progress = progress
        self.clock = clock
        self.sleep = sleep
        self._start = clock()

    def wait(self, ask: Callable[[], Answer], service: str) -> Answer:
        """Return the result of `ask`, retried while the service does not answer and the deadline is not reached."""
        while True:
            try:
                return ask()
            except (UnreachableError, ThrottledError):
                gone = self.clock() - self._start
                if gone >= self.seconds:
                    raise
                self.progress(f"Waiting for {service}: {gone:.0f} of {self.seconds:.0f} seconds")
                self.sleep(min(_PAUSE, max(0.0, self.seconds - gone)))


def configure(
    integrations: Integrations,
    platform: WebService,
    sapor: WebService,
    gate: WebService | None,
    deadline: Deadline,
    report: Report,
) -> None:
    """Register what is missing, and `report` each result. Raises ConfigureError with all faults."""
    run = _Run(integrations, platform, sapor, deadline, report)
    if gate is not None and integrations.spinnaker is not None:
        login = integrations.spinnaker
        run.attempt(lambda: run.log_in(gate, login))
    run.attempt(run.data_sources)
    if integrations.spinnaker is not None:
        run.attempt(run.spinnaker)
    if run.faults:
        raise ConfigureError("\n".join(run.faults), "Fix this and run again. Existing registrations are not changed.")


class ConfigureError(RemoteError):
    """Integrations that failed; one line each."""


class _Run:
    """One pass: the results and the faults so far."""

    def __init__(
        self, integrations: Integrations, platform: WebService, sapor: WebService, deadline: Deadline, report: Report
    ) -> None:
        self._integrations = integrations
        self._platform = platform
        self._sapor = sapor
        self._deadline = deadline
        self._report = report
        self._repository_id: object = None
        self.faults: list[str] = []

    def attempt(self, step: Callable[[], None]) -> None:
        """Run a step and collect its failure."""
        try:
            step()
        except RemoteError as reason:
            if str(reason) not in self.faults:
                self.faults.append(str(reason))

    def log_in(self, gate: WebService, login: Spinnaker) -> None:
        self._deadline.wait(lambda: gate.log_in("/login", login.user, login.password), gate.name)
        self._report(f"Login at {gate.name}", "accepted")

    def data_sources(self) -> None:
        """Register OPA, Autopilot and the repository as data sources of platform."""
        known = _existing_by_name(self._platform, DATA_SOURCES, self._deadline)
        if self._integrations.opa:
            self.attempt(lambda: self._source(known, "OPA", "OPA", {"endPoint": self._integrations.opa}))
        self.attempt(lambda: self._source(known, "AUTOPILOT", "Autopilot", {"username": self._integrations.admin}))
        if self._integrations.repository is not None:
            repository = self._integrations.repository
            self.attempt(lambda: self._repository(known, repository))

    def _source(self, known: Mapping[str, Any], kind: str, name: str, fields: Mapping[str, object]) -> None:
        body = {"datasourceType": kind, "name": name, "configurationFields": fields}
        self._register(f"Data source {name}", name in known, self._platform, DATA_SOURCES, body)

    def _repository(self, known: Mapping[str, Any], repository: Repository) -> None:
        exists = known.get(REPOSITORY_SOURCE)
        body = {
            "datasourceType": repository.kind(),
            "name": REPOSITORY_SOURCE,
            "spinEnabled": "false",
            "configurationFields": repository.fields(),
        }
        thing = f"Data source {REPOSITORY_SOURCE}"
        created = self._register(thing, exists is not None, self._platform, DATA_SOURCE, body)
        answer = exists if exists is not None else created
        if not isinstance(answer, dict) or answer.get("id") in (None, ""):
            raise CorruptError(f"{self._platform.name} returns no id for the data source {REPOSITORY_SOURCE}.")
        self._repository_id = answer["id"]

    def spinnaker(self) -> None:
        """Register the Spinnaker as an account of sapor."""
        assert self._integrations.spinnaker is not None
        name = self._integrations.spinnaker.name
        known = _existing_by_name(self._sapor, SPINNAKERS, self._deadline)
        if name not in known and self._integrations.repository is not None and self._repository_id is None:
            self.faults.append(f"Spinnaker {name} is not registered: its data source {REPOSITORY_SOURCE} is missing.")
            return
        self._register(
            f"Spinnaker {name}", name in known, self._sapor, SPINNAKER, self._account(self._integrations.spinnaker)
        )

    def _account(self, spinnaker: Spinnaker) -> Mapping[str, object]:
        repository = self._integrations.repository
        external = repository and {
            "accountId": str(self._repository_id),
            "accountName": REPOSITORY_SOURCE,
            "provider": repository.kind(),
            "config": {"bucketName": "", "region": "", "endPoint": repository.url, "sourcePath": repository.path},
        }
        return {
            "name": spinnaker.name,
            "url": spinnaker.gate,
            "authenticationType": "LDAP",
            "externalAccountFlag": repository is not None,
            "pipelinePromotionFlag": False,
            "syncAccountFlag": False,
            "externalAccountConfiguration": external,
            "pipelinePromotionConfiguration": None,
            "userName": spinnaker.user,
            "password": spinnaker.password,
        }

    def _register(self, thing: str, exists: bool, service: WebService, path: str, body: Mapping[str, object]) -> Any:
        """Register a missing integration; a conflict means that another run created it."""
        if exists:
            self._report(thing, "exists")
            return None
        try:
            answer = service.post(path, body)
        except ConflictError:
            self._report(thing, "exists")
            return None
        except RemoteError as reason:
            raise type(reason)(f"{thing} was not created: {reason.message}", reason.hint) from None
        self._report(thing, "created")
        return answer


def _existing_by_name(service: WebService, path: str, deadline: Deadline) -> Mapping[str, Any]:
    """The objects that the service lists at the path, by name."""
    listed = deadline.wait(lambda: service.get(path), service.name)
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not all(isinstance(row, dict) for row in listed):
        raise CorruptError(
            f"{service.name} at {service.address} does not return a list of named objects at {path}.",
            "Check the service's version. Nothing was created, because existing objects are not known.",
        )
    return {str(row["name"]): row for row in listed if row.get("name")}
