"""The client of Halyard's HTTP API: what a deploy needs, and nothing that changes the daemon's configuration.

Halyard answers HTTP 200 with a failed task, and with an empty body for a task that it no longer knows. No PUT of a
configuration is ever sent, because Halyard then rewrites `config`, and `configDiff` is never asked for: it can make a
deploy that runs read the old halconfig. A message of a failed `kubectl apply` holds the whole manifest, Secrets
included. It is cut here, before anything else sees it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

from halgit.errors import CorruptError, NotFoundError, RemoteError
from halgit.lazy import lazy_pattern
from halgit.operator_settings import Access
from halgit.record import Record, replace
from halgit.remotes.http import WebService

State = Literal["NOT_STARTED", "RUNNING", "SUCCEEDED", "FAILED", "INTERRUPTED", "TIMED_OUT"]
ProblemSeverity = Literal["NONE", "INFO", "WARNING", "ERROR", "FATAL"]

ADDRESS: Final = "http://127.0.0.1:8064"
SEVERITIES: Final[tuple[ProblemSeverity, ...]] = ("NONE", "INFO", "WARNING", "ERROR", "FATAL")
_TERMINAL: Final = frozenset({"SUCCEEDED", "FAILED", "INTERRUPTED", "TIMED_OUT"})
_READERS: Final = frozenset(
    {"Apply deployment", "Generate config", "Prep deployment", "Connect to Spinnaker deployment."}
)
"""The tasks that read the tree or write into it, as `DeploymentController` names them."""


class Problem(Record):
    """One problem of a task. `location` is made of Halyard's node names (`default.provider.kubernetes.prod`)."""

    severity: ProblemSeverity
    message: str
    location: str = ""
    remediation: str = ""


class Task(Record):
    """A DaemonTask as it was polled. `has_response` is false for a moment after a task has ended."""

    uuid: str
    name: str
    state: str
    timed_out: bool = False
    has_response: bool = False
    progress: str = ""
    problems: tuple[Problem, ...] = ()
    children: tuple[Task, ...] = ()

    @property
    def is_terminal(self) -> bool:
        """True if the task has ended and says how. Its children may still run."""
        return self.state in _TERMINAL and self.has_response

    @property
    def is_over(self) -> bool:
        """True if the task and all its children have ended."""
        return self.is_terminal and all(child.state in _TERMINAL for child in self.children)


class RunningTask(Record):
    """A row of the task list that has not ended."""

    uuid: str
    name: str

    @property
    def uses_tree(self) -> bool:
        """True if the task reads the tree, or a child of a deploy reads what it staged there."""
        return self.name in _READERS or self.name.startswith("Deploy spin-")


class DeployRequest(Record):
    """Parameters of a deploy. Empty `services` are all. `tolerated` is the highest severity that passes."""

    deployment: str
    services: tuple[str, ...] = ()
    tolerated: ProblemSeverity = "WARNING"
    options: tuple[str, ...] = ()
    completion_minutes: int = 0

    def query(self) -> str:
        """The query string of the request."""
        fields: list[tuple[str, str]] = [("validate", "true"), ("severity", self.tolerated)]
        if self.options:
            fields.append(("deployOptions", ",".join(self.options)))
        if self.services:
            fields.append(("serviceNames", ",".join(self.services)))
        if self.completion_minutes:
            fields.append(("waitForCompletionTimeoutMinutes", str(self.completion_minutes)))
        return urlencode(fields)


class Halyard:
    """One daemon. Requests are sent once; a caller that polls decides how often a failure is tolerated."""

    def __init__(self, access: Access, address: str = ADDRESS) -> None:
        self._web = WebService(_without_proxies(access, address), "Halyard", address, {})
        self.address = self._web.address

    def close(self) -> None:
        self._web.close()

    def is_up(self) -> bool:
        """Return whether the daemon answers that it is up. Its port is closed for the first 11 to 20 seconds."""
        try:
            answer = _decoded(self._web.exchange("GET", "/health"), "GET /health")
        except RemoteError:
            return False
        return isinstance(answer, dict) and answer.get("status") == "UP"

    def running(self) -> tuple[RunningTask, ...]:
        """The tasks that have not ended, whoever started them. Raises RemoteError."""
        answer = _decoded(self._web.exchange("GET", "/v1/tasks/"), "GET /v1/tasks/")
        rows = answer.get("tasks") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise _foreign(self.address, "GET /v1/tasks/")
        return tuple(
            RunningTask(str(row.get("uuid")), str(row.get("name")))
            for row in rows
            if isinstance(row, dict) and row.get("state") not in _TERMINAL
        )

    def deploy(self, request: DeployRequest) -> Task:
        """Start a deploy. Raises RemoteError; after Unreachable, nobody knows whether the daemon received it."""
        path = f"/v1/config/deployments/{quote(request.deployment, safe='')}/deploy/"
        task = self._task("POST", f"{path}?{request.query()}")
        if task is None:
            raise CorruptError(f"Halyard at {self.address} answers a deploy with nothing.", "See the daemon's log.")
        return task

    def task(self, uuid: str) -> Task | None:
        """The task as it is now; None if the daemon does not know it: it was restarted, or has forgotten the task."""
        return self._task("GET", f"/v1/tasks/{uuid}/")

    def interrupt(self, uuid: str) -> None:
        """End a task; it then fails. A task that the daemon does not know is over already. Raises RemoteError."""
        try:
            self._web.exchange("PUT", f"/v1/tasks/{uuid}/interrupt")
        except NotFoundError:
            return

    def _task(self, method: str, target: str) -> Task | None:
        what = f"{method} {target.partition('?')[0]}"
        body = self._web.exchange(method, target)
        if not body.strip():
            return None
        answer = _decoded(body, what)
        if not isinstance(answer, dict) or not isinstance(answer.get("uuid"), str):
            raise _foreign(self.address, what)
        return _read_task(answer)


def _without_proxies(access: Access, address: str) -> Access:
    """The access for this address: no proxy leads to the daemon beside us."""
    if urlsplit(address).hostname not in {"127.0.0.1", "::1", "localhost"}:
        return access
    own = {name: value for name, value in access.environment.items() if not name.lower().endswith("_proxy")}
    return replace(access, environment=own)


def _decoded(body: bytes, what: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise CorruptError(f"Halyard answers {what} with something other than JSON.", "Check --halyard-url.") from None


def _foreign(address: str, what: str) -> CorruptError:
    """Spring's config server inside the daemon answers paths that no controller of Halyard does."""
    return CorruptError(
        f"{address} answers {what}, but not as Halyard does.", "Check --halyard-url and the version of Halyard."
    )


# --- answers ------------------------------------------------------------------------------------------------------


def _read_task(data: Mapping[str, Any]) -> Task:
    response = data.get("response")
    children = data.get("children")
    return Task(
        uuid=str(data.get("uuid")),
        name=str(data.get("name")),
        state=str(data.get("state")),
        timed_out=data.get("timedOut") is True,
        has_response=isinstance(response, dict),
        progress=_progress(data.get("events")),
        problems=tuple(_problems(data)),
        children=tuple(_read_task(child) for child in children if isinstance(child, dict))
        if isinstance(children, list)
        else (),
    )


def _progress(events: object) -> str:
    """The last event of a task, as `stage: message`."""
    last = events[-1] if isinstance(events, list) and events else None
    if not isinstance(last, dict):
        return ""
    return f"{last.get('stage') or ''}: {cut_manifest(str(last.get('message') or ''))}".removeprefix(": ")


def _problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of the response, else the fatal error's message."""
    response, fatal = data.get("response"), data.get("fatalError")
    problem_set = response.get("problemSet") if isinstance(response, dict) else None
    listed = problem_set.get("problems") if isinstance(problem_set, dict) else None
    found = [_problem(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not found and isinstance(fatal, dict):
        found = [Problem("FATAL", cut_manifest(str(fatal.get("message") or "no message")), "Global")]
    yield from dict.fromkeys(found)


def _problem(data: Mapping[str, Any]) -> Problem:
    named = str(data.get("severity"))
    return Problem(
        next((one for one in SEVERITIES if one == named), SEVERITIES[3]),
        cut_manifest(str(data.get("message") or "")),
        str(data.get("location") or ""),
        cut_manifest(str(data.get("remediation") or "")),
    )


# --- manifests ----------------------------------------------------------------------------------------------------

_FIELD: Final = lazy_pattern(
    r"^(apiVersion|kind|metadata|spec|data|stringData|items|type):|[\"'](apiVersion|kind|data|stringData)[\"']\s*:",
    re.MULTILINE,
)
_KIND: Final = lazy_pattern(r"^kind:\s*[\"']?([A-Za-z]+)|\"kind\"\s*:\s*\"([A-Za-z]+)\"", re.MULTILINE)
_NAME: Final = lazy_pattern(
    r"^metadata:\s*\n(?:\s+.*\n)*?\s+name:\s*[\"']?([-.a-z0-9]+)|\"name\"\s*:\s*\"([-.a-z0-9]+)\"", re.MULTILINE
)
_KUBECTL: Final = lazy_pattern(
    r"^(?:error\b|Error from server|Unable to connect|The [A-Z]\w+ \"|Warning:).*", re.MULTILINE
)
_VALUES: Final = lazy_pattern(r"Invalid value:|object:|Resource:|last-applied|[{&]|map\[|unable to parse|=\s*\"")
_LONGEST: Final = 300
_MOST_LINES: Final = 3


def cut_manifest(message: str) -> str:
    """The message without the manifest in it: what it is of, and what kubectl says, without the values it quotes."""
    start = _FIELD.search(message)
    if start is None:
        return message.strip()
    head = message[: start.start()].split("\n", 1)[0].strip().rstrip(":") or "A manifest failed"
    named = "/".join(part for part in (_first(_KIND, message), _first(_NAME, message)) if part)
    errors = [_without_values(line) for line in _KUBECTL.findall(message)][:_MOST_LINES]
    short = f"{head} {named} (not shown: it may hold secrets)".replace("  ", " ")
    return ": ".join((short, *errors))


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return next((group for group in match.groups() if group), "") if match else ""


def _without_values(line: str) -> str:
    cut = _VALUES.split(line, maxsplit=1)[0].rstrip(" :\"'")
    return cut if len(cut) <= _LONGEST else cut[:_LONGEST] + " ..."


def failed_services(task: Task) -> Sequence[tuple[str, Task]]:
    """The children of a deploy that did not succeed, each with the service it is of."""
    return [(service_of(child), child) for child in task.children if child.state != "SUCCEEDED"]


def service_of(child: Task) -> str:
    """The service that a child of a deploy is of."""
    return child.name.removeprefix("Deploy spin-")
