"""`halgit isd configure`: introduce the services of an installation to each other.

What is there is asked for first, and only what is absent is made. A service that does not answer yet is waited for;
all that fails is told together. Passwords and tokens travel in bodies, never in an address, a header or a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from halgit.errors import Conflicting, Corrupt, RemoteError, Throttled, Unreachable, UsageError
from halgit.operator_settings import Progress, silent
from halgit.redaction import Secret
from halgit.remotes.http import WebService

Answer = TypeVar("Answer")
State = Literal["made", "there", "accepted"]
Tell = Callable[[str, State], None]

DATA_SOURCES = "/platformservice/v2/datasources"
DATA_SOURCE = "/platformservice/v6/datasource"
SPINNAKERS = "/oes/accountsConfig/v3/spinnaker"
SPINNAKER = "/oes/accountsConfig/v4/spinnaker"
REPOSITORY_SOURCE = "gitops"

_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository sapor keeps dynamic accounts in."""

    url: str
    path: str
    user: Secret
    token: Secret
    provider: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.username is not None:
            raise UsageError("--accounts-repository holds a login.", "Give it with --git-token-file.")
        if parts.scheme != "https" or not parts.hostname or not parts.path.strip("/"):
            raise UsageError(
                "--accounts-repository is no https address of a git repository, and sapor reaches no other.",
                "Write https://HOST/ORGANIZATION/REPOSITORY.git.",
            )
        self.kind()

    def kind(self) -> str:
        """The provider as platform names it: the one given, or the one the host's name tells."""
        host = urlsplit(self.url).hostname or ""
        found = self.provider or next((name for name in _PROVIDERS if name in host), "")
        if not found:
            raise UsageError(
                f"--accounts-repository: {host} does not tell what it is.",
                f"Give --git-provider: {', '.join(_PROVIDERS)}.",
            )
        return found.upper()

    def fields(self) -> Mapping[str, object]:
        """What platform has to know to reach the repository's host."""
        parts = urlsplit(self.url)
        host = f"{parts.scheme}://{parts.netloc}/"
        public, own = _PROVIDERS[self.kind().lower()]
        api = public if parts.hostname in {"github.com", "gitlab.com", "bitbucket.org"} else host + own
        given: dict[str, object] = {"hostUrl": host, "url": api, "username": self.user, "token": self.token}
        if self.kind() == "BITBUCKET":
            given.update(authType="bearer", read="", write="")
        return given


_PROVIDERS: Mapping[str, tuple[str, str]] = {
    "github": ("https://api.github.com", "api/v3"),
    "gitlab": ("https://gitlab.com/api/v4", "api/v4"),
    "bitbucket": ("https://api.bitbucket.org/2.0/", "rest/api/1.0/"),
}
"""Providers with the API of the public host, and the API's path on a host of one's own."""

PROVIDERS = tuple(_PROVIDERS)


@dataclass(frozen=True, slots=True)
class Spinnaker:
    """The Spinnaker that is registered: its gate, as sapor reaches it, and the login of that."""

    name: str
    gate: str
    user: Secret
    password: Secret


@dataclass(frozen=True, slots=True)
class Wish:
    """What should be there in the end."""

    admin: str
    opa: str = ""
    spinnaker: Spinnaker | None = None
    repository: Repository | None = None

    def __post_init__(self) -> None:
        if self.repository and not self.spinnaker:
            raise UsageError(
                "--accounts-repository belongs to a Spinnaker, and none is given.",
                "Give --spinnaker-name and --gate-url, with the gate's login.",
            )


@dataclass(slots=True)
class Patience:
    """How long services are waited for, in seconds, all together."""

    seconds: float
    progress: Progress = silent
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.clock()

    def wait(self, ask: Callable[[], Answer], service: str) -> Answer:
        """What `ask` gives, tried again while the service does not answer and time is left."""
        while True:
            try:
                return ask()
            except (Unreachable, Throttled):
                gone = self.clock() - self._start
                if gone >= self.seconds:
                    raise
                self.progress(f"Waiting for {service}: {gone:.0f} of {self.seconds:.0f} seconds")
                self.sleep(min(_PAUSE, max(0.0, self.seconds - gone)))


def configure(
    wish: Wish, platform: WebService, sapor: WebService, gate: WebService | None, patience: Patience, tell: Tell
) -> None:
    """Make what is absent, and `tell` what became of each thing. Raises ConfigureError with all faults."""
    run = _Run(wish, platform, sapor, patience, tell)
    if gate is not None and wish.spinnaker is not None:
        login = wish.spinnaker
        run.attempt(lambda: run.log_in(gate, login))
    run.attempt(run.data_sources)
    if wish.spinnaker is not None:
        run.attempt(run.spinnaker)
    if run.faults:
        raise ConfigureError("\n".join(run.faults), "Run again when that is mended: what is there is left as it is.")


class ConfigureError(RemoteError):
    """Something could not be set up; a line for each."""


class _Run:
    """One pass: what is known so far, and what failed."""

    def __init__(self, wish: Wish, platform: WebService, sapor: WebService, patience: Patience, tell: Tell) -> None:
        self._wish = wish
        self._platform = platform
        self._sapor = sapor
        self._patience = patience
        self._tell = tell
        self._repository_id: object = None
        self.faults: list[str] = []

    def attempt(self, step: Callable[[], None]) -> None:
        """Do a step, and keep why it failed."""
        try:
            step()
        except RemoteError as reason:
            if str(reason) not in self.faults:
                self.faults.append(str(reason))

    def log_in(self, gate: WebService, login: Spinnaker) -> None:
        self._patience.wait(lambda: gate.log_in("/login", login.user, login.password), gate.name)
        self._tell(f"Login at {gate.name}", "accepted")

    def data_sources(self) -> None:
        """OPA, Autopilot and the repository, as platform's data sources."""
        known = _named(self._platform, DATA_SOURCES, self._patience)
        if self._wish.opa:
            self.attempt(lambda: self._source(known, "OPA", "OPA", {"endPoint": self._wish.opa}))
        self.attempt(lambda: self._source(known, "AUTOPILOT", "Autopilot", {"username": self._wish.admin}))
        if self._wish.repository is not None:
            repository = self._wish.repository
            self.attempt(lambda: self._repository(known, repository))

    def _source(self, known: Mapping[str, Any], kind: str, name: str, fields: Mapping[str, object]) -> None:
        body = {"datasourceType": kind, "name": name, "configurationFields": fields}
        self._make(f"Data source {name}", name in known, self._platform, DATA_SOURCES, body)

    def _repository(self, known: Mapping[str, Any], repository: Repository) -> None:
        there = known.get(REPOSITORY_SOURCE)
        body = {
            "datasourceType": repository.kind(),
            "name": REPOSITORY_SOURCE,
            "spinEnabled": "false",
            "configurationFields": repository.fields(),
        }
        thing = f"Data source {REPOSITORY_SOURCE}"
        made = self._make(thing, there is not None, self._platform, DATA_SOURCE, body)
        answer = there if there is not None else made
        if not isinstance(answer, dict) or answer.get("id") in (None, ""):
            raise Corrupt(f"{self._platform.name} does not tell the id of the data source {REPOSITORY_SOURCE}.")
        self._repository_id = answer["id"]

    def spinnaker(self) -> None:
        """The Spinnaker, as one of sapor's accounts."""
        assert self._wish.spinnaker is not None
        name = self._wish.spinnaker.name
        known = _named(self._sapor, SPINNAKERS, self._patience)
        if name not in known and self._wish.repository is not None and self._repository_id is None:
            self.faults.append(f"Spinnaker {name} is not registered: its data source {REPOSITORY_SOURCE} is not there.")
            return
        self._make(f"Spinnaker {name}", name in known, self._sapor, SPINNAKER, self._account(self._wish.spinnaker))

    def _account(self, spinnaker: Spinnaker) -> Mapping[str, object]:
        repository = self._wish.repository
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

    def _make(self, thing: str, there: bool, service: WebService, path: str, body: Mapping[str, object]) -> Any:
        """Make a thing that is absent; one that somebody else has made meanwhile is there."""
        if there:
            self._tell(thing, "there")
            return None
        try:
            answer = service.post(path, body)
        except Conflicting:
            self._tell(thing, "there")
            return None
        except RemoteError as reason:
            raise type(reason)(f"{thing} could not be made: {reason.message}", reason.hint) from None
        self._tell(thing, "made")
        return answer


def _named(service: WebService, path: str, patience: Patience) -> Mapping[str, Any]:
    """What the service lists there, by name."""
    listed = patience.wait(lambda: service.get(path), service.name)
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not all(isinstance(row, dict) for row in listed):
        raise Corrupt(
            f"{service.name} at {service.address} lists under {path} what is no list of things with names.",
            "Check the service's version. Nothing was made, for what is there is not known.",
        )
    return {str(row["name"]): row for row in listed if row.get("name")}
