"""The tasks of the fake Halyard: what a DaemonTask is, and what a deploy does to the tree, step by step.

A deploy reads the tree as the real one does: the halconfig when it starts, profiles one by one while it generates into
`<deployment>/staging`, which it deletes first and which its children read again. So a tree that changes meanwhile, or
a second deploy, tears what is applied here as it does there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TERMINAL = ("SUCCEEDED", "FAILED", "INTERRUPTED", "TIMED_OUT")
SEVERITIES = ("NONE", "INFO", "WARNING", "ERROR", "FATAL")
DEPLOY_OPTIONS = ("OMIT_CONFIG", "FLUSH_INFRASTRUCTURE_CACHES", "DELETE_ORPHANED_SERVICES", "WAIT_FOR_COMPLETION")
SERVICES = ("redis", "clouddriver", "clouddriver-caching", "clouddriver-ro", "clouddriver-ro-deck", "clouddriver-rw",
            "deck", "echo", "echo-scheduler", "echo-worker", "fiat", "front50", "gate", "igor", "kayenta",
            "orca", "rosco")  # fmt: skip
NOT_DEPLOYED = ("consul-client", "consul-server", "clouddriver-bootstrap", "monitoring-daemon", "orca-bootstrap",
                "redis-bootstrap", "vault-client", "vault-server")  # fmt: skip
KNOWN_PROPERTIES = ("security", "timezone", "providers", "notifications", "canary", "metricStores", "features",
                    "persistentStorage", "version", "artifacts", "webhook", "name", "ci", "deploymentEnvironment",
                    "pubsub", "repository", "spinnaker", "stats")  # fmt: skip
STATS = {
    "message": "Stats are currently DISABLED. Usage statistics are not being collected.",
    "remediation": None,
    "options": None,
    "severity": "INFO",
    "location": "default.stats",
}
_TIMEZONE_HINT = "Pick a timezone from those listed here: https://en.wikipedia.org/wiki/List_of_tz_database_time_zones"
_DOMAIN = {
    "message": "Your UI or API domain does not have override base URLs set even though your Spinnaker deployment is a"
    " Distributed deployment on a remote cloud provider. As a result, you will need to open SSH tunnels against that"
    " deployment to access Spinnaker.",
    "remediation": "We recommend that you instead configure an authentication mechanism (OAuth2, SAML2, or x509) to"
    " make it easier to access Spinnaker securely, and then register the intended Domain and IP addresses that your"
    " publicly facing services will be using.",
    "options": None,
    "severity": "WARNING",
    "location": "default.security",
}


class HalError(Exception):
    """A HalException: problems, and the code its `fatalError` shows."""

    def __init__(self, problems: list[dict[str, Any]], code: int = 409) -> None:
        super().__init__(problems[0]["message"])
        self.problems = problems
        self.code = code


class UnexpectedError(Exception):
    """Any other Java exception, as `toString` writes it."""


class InterruptedError_(UnexpectedError):
    """A DaemonTaskInterrupted."""


def problem(severity: str, message: str, location: str = "Global", remediation: str | None = None) -> dict[str, Any]:
    """A problem as Halyard writes it."""
    return {"message": message, "remediation": remediation, "options": None, "severity": severity, "location": location}


def _milliseconds() -> int:
    return int(time.time() * 1000)


@dataclass
class Task:
    """A DaemonTask; `json` has its fields in the order the daemon writes them."""

    name: str
    timeout: int
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    events: list[dict[str, Any]] = field(default_factory=list)
    children: list[Task] = field(default_factory=list)
    timed_out: bool = False
    state: str = "NOT_STARTED"
    response: dict[str, Any] | None = None
    fatal: dict[str, Any] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    stage: str = ""
    orphans_children: bool = False

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "timeout": self.timeout,
            "events": list(self.events),
            "children": [child.json() for child in self.children],
            "uuid": self.uuid,
            "timedOut": self.timed_out,
            "version": "Unknown",
            "state": self.state,
            "response": self.response,
            "fatalError": self.fatal,
            "runningJobs": [],
        }

    def shallow(self) -> dict[str, Any]:
        """Its row of `GET /v1/tasks/`."""
        last = self.events[-1] if self.events else None
        text = f"[{time.ctime(last['timestamp'] / 1000)}] ({last['stage']}) {last['message']}" if last else None
        children = [f"[{child.name}] ({child.uuid}) - {child.state}" for child in self.children]
        return {"uuid": self.uuid, "name": self.name, "state": self.state, "lastEvent": text,
                "fatalException": self.fatal, "jobs": [], "children": children}  # fmt: skip

    def say(self, message: str, stage: str = "") -> None:
        """Append an event; ends the task where somebody interrupted it."""
        self.stage = stage or self.stage
        self.check()
        self.events.append({"message": message, "stage": self.stage, "timestamp": _milliseconds()})

    def check(self) -> None:
        if self.stop.is_set():
            raise InterruptedError_(_interrupted("Interrupted during reap by exception: null"))

    def wait(self, seconds: float) -> None:
        self.stop.wait(seconds)
        self.check()

    def run(self, work: Callable[[Task], tuple[Any, list[dict[str, Any]]]]) -> None:
        """Do the work and end the task as TaskRepository does."""
        self.state = "RUNNING"
        try:
            body, problems = work(self)
            self.response = _response(body, problems)
            self.state = "SUCCEEDED"
        except HalError as error:
            self.response = _response(None, error.problems)
            self.fatal = _fatal(str(error), {"problems": {"problems": error.problems}, "responseCode": error.code})
            self.state = "FAILED"
        except UnexpectedError as error:
            self.response = _response(None, [problem("FATAL", f"Unexpected exception: {error}")])
            self.fatal = _fatal(str(error), {})
            self.state = "TIMED_OUT" if self.timed_out else "FAILED"
        finally:
            for child in () if self.orphans_children else self.children:
                child.stop.set()


def _response(body: Any, problems: list[dict[str, Any]]) -> dict[str, Any]:
    return {"responseBody": body, "problemSet": {"problems": problems}}


def _fatal(message: str, more: dict[str, Any]) -> dict[str, Any]:
    frame = {"classLoaderName": "app", "moduleName": None, "moduleVersion": None, "methodName": "run",
             "fileName": "TaskRepository.java", "lineNumber": 61, "nativeMethod": False,
             "className": "com.netflix.spinnaker.halyard.core.tasks.v1.TaskRepository"}  # fmt: skip
    return {"cause": None, "stackTrace": [frame] * 14, **more, "message": message, "suppressed": [],
            "localizedMessage": message}  # fmt: skip


def _interrupted(message: str) -> str:
    now = _milliseconds()
    told = f"Task interrupted at {time.ctime(now / 1000)} with message: {message}"
    return f"DaemonTaskInterrupted(interruptedTime={now}, message={told})"


# --- the halconfig ------------------------------------------------------------------------------------------------


def load(hal: Path) -> dict[str, Any]:
    """The halconfig as HalconfigParser takes it; a missing, empty or misplaced one is an empty configuration."""
    try:
        text = (hal / "config").read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return {"deploymentConfigurations": [{"name": "default"}]}
    try:
        data = yaml.load(text, Loader=yaml.SafeLoader)
    except (yaml.parser.ParserError, yaml.scanner.ScannerError) as error:
        raise HalError([problem("FATAL", f"Could not parse your halconfig: {error}")]) from None
    except yaml.YAMLError as error:
        raise UnexpectedError(str(error)) from None
    if not data:
        return {"deploymentConfigurations": [{"name": "default"}]}
    for item in data.get("deploymentConfigurations") or ():
        for key in item:
            if key not in KNOWN_PROPERTIES:
                raise HalError([problem("FATAL", _unknown(key))])
    return data


def _unknown(key: str) -> str:
    node = "com.netflix.spinnaker.halyard.config.model.v1.node"
    known = ", ".join(f'"{name}"' for name in KNOWN_PROPERTIES)
    return (
        f'Could not translate your halconfig: Unrecognized field "{key}" (class {node}.DeploymentConfiguration), not '
        f"marked as ignorable ({len(KNOWN_PROPERTIES)} known properties: {known}])\n at [Source: UNKNOWN; byte offset: "
        f'#UNKNOWN] (through reference chain: {node}.Halconfig["deploymentConfigurations"]->java.util.ArrayList[0]->'
        f'{node}.DeploymentConfiguration["{key}"])'
    )


def deployment(config: dict[str, Any], name: str) -> dict[str, Any]:
    for item in config.get("deploymentConfigurations") or ():
        if str(item.get("name", "default")) == name:
            return item
    hint = f'Create a new deployment with name "{name}"'
    raise HalError([problem("FATAL", f'No deployment with name "{name}" could be found', remediation=hint)], code=404)


def validate(item: dict[str, Any], zones: frozenset[str]) -> list[dict[str, Any]]:
    """The problems of the few validators that the recordings show."""
    found = []
    zone = str(item.get("timezone", "America/Los_Angeles"))
    if zone not in zones:
        text = f"Timezone {zone} does not match any known canonical timezone ID"
        found.append(problem("ERROR", text, "default", _TIMEZONE_HINT))
    if not item.get("version"):
        found.append(problem("WARNING", "You have not yet selected a version of Spinnaker to deploy.", "default"))
    security = item.get("security") or {}
    if not all((security.get(part) or {}).get("overrideBaseUrl") for part in ("apiSecurity", "uiSecurity")):
        found.append(dict(_DOMAIN))
    return [*found, dict(STATS)]


def throw_above(problems: list[dict[str, Any]], severity: str) -> None:
    """`throwifSeverityExceeds`: what is tolerated passes."""
    worst = max((SEVERITIES.index(one["severity"]) for one in problems), default=0)
    if worst > SEVERITIES.index(severity):
        raise HalError(problems)


def enabled(item: dict[str, Any]) -> list[str]:
    """The services a distributed deployment has, in the order of SERVICES."""
    ha = (item.get("deploymentEnvironment") or {}).get("haServices") or {}
    clouddriver, echo = ((ha.get(name) or {}).get("enabled") for name in ("clouddriver", "echo"))
    read_only = not (ha.get("clouddriver") or {}).get("disableClouddriverRoDeck")
    authz = ((item.get("security") or {}).get("authz") or {}).get("enabled")
    docker = ((item.get("providers") or {}).get("dockerRegistry") or {}).get("enabled")
    ci = any((one or {}).get("enabled") for one in (item.get("ci") or {}).values())
    on = {
        "clouddriver": not clouddriver, "clouddriver-caching": clouddriver, "clouddriver-ro": clouddriver,
        "clouddriver-rw": clouddriver, "clouddriver-ro-deck": clouddriver and read_only,
        "echo": not echo, "echo-scheduler": echo, "echo-worker": echo, "fiat": authz, "igor": docker or ci,
        "kayenta": (item.get("canary") or {}).get("enabled"),
    }  # fmt: skip
    return [name for name in SERVICES if on.get(name, True)]


def takes(service: str, name: str) -> bool:
    """Whether a service takes a profile of this name below `profiles/`."""
    family = service.split("-")[0]
    if service == "deck":
        return name in {"settings.js", "settings-local.js"}
    if service == "redis":
        return False
    return name in {f"{service}.yml", f"{family}-local.yml"} or name.startswith(
        (f"{service}-", "spinnaker", family + "/")
    )


# --- a deploy -----------------------------------------------------------------------------------------------------


@dataclass
class Pace:
    """How long the steps take, in seconds: validation, each service's profiles, each service's kubectl."""

    validate: float = 0.0
    generate: float = 0.0
    apply: float = 0.0


@dataclass
class Deploy:
    """One deploy. `applied` receives, for each service, the digest of all it was given and the halconfig's."""

    hal: Path
    name: str
    services: list[str]
    excluded: list[str]
    options: list[str]
    severity: str
    validates: bool
    zones: frozenset[str]
    pace: Pace
    kubectl: Callable[[str, str], str]
    minutes: float | None
    applied: Callable[[str, str, dict[str, bytes]], None]

    def __call__(self, task: Task) -> tuple[Any, list[dict[str, Any]]]:
        problems: list[dict[str, Any]] = []
        if self.validates:
            problems = self._validate(task)
        try:
            body = self._deploy(task)
        except HalError as error:
            error.problems += problems
            raise
        return body, problems

    def generate(self, task: Task) -> tuple[Any, list[dict[str, Any]]]:
        """Only generate: `staging` is deleted and written."""
        problems = self._validate(task) if self.validates else []
        item = deployment(load(self.hal), self.name)
        if not item.get("version"):
            raise HalError([problem("FATAL", "You must pick a version of Spinnaker to deploy."), *problems])
        self._generate(task, [one for one in enabled(item) if not self.services or one in self.services])
        return str(self._staging), problems

    def _validate(self, task: Task) -> list[dict[str, Any]]:
        item = deployment(load(self.hal), self.name)
        task.say("Validating halconfig with DeploymentConfigurationValidator", "Running validation")
        task.wait(self.pace.validate)
        problems = validate(item, self.zones)
        throw_above(problems, self.severity)
        return problems

    def _deploy(self, task: Task) -> dict[str, Any]:
        named = {"include": self.services, "exclude": self.excluded}
        for word, services in named.items():
            if "DELETE_ORPHANED_SERVICES" in self.options and services:
                raise UnexpectedError(
                    "java.lang.IllegalArgumentException: Cannot delete orphaned services when services to "
                    f"{word} are explicitly supplied."
                )
            for one in services:
                if one not in (*SERVICES, *NOT_DEPLOYED):
                    raise UnexpectedError(
                        f"java.lang.IllegalArgumentException: No service with canonical name {one} exists."
                    )
        text = (self.hal / "config").read_bytes() if (self.hal / "config").is_file() else b""
        item = deployment(load(self.hal), self.name)
        if not item.get("version"):
            raise HalError([problem("FATAL", "You must pick a version of Spinnaker to deploy.")])
        running = [one for one in enabled(item) if not self.services or one in self.services]
        running = [one for one in running if one not in self.excluded]
        self._generate(task, [] if "OMIT_CONFIG" in self.options else running)
        for one in running:
            self._start(task, one, text)
        task.say("Waiting on deployments to complete")
        self._reap(task)
        self._end(text)
        return {"scriptPath": None, "scriptDescription": None, "autoRun": False}

    def _generate(self, task: Task, running: list[str]) -> None:
        task.say("Building service endpoints", "Generating all Spinnaker profile files and endpoints")
        staging = self._staging
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True, exist_ok=True)
        profiles = self.hal / self.name / "profiles"
        names = sorted(path.relative_to(profiles).as_posix() for path in profiles.rglob("*") if path.is_file())
        with _opened(staging) as folder:
            self._generate_all(task, running, folder, profiles, names)

    def _generate_all(self, task: Task, running: list[str], folder: int, profiles: Path, names: list[str]) -> None:
        staging = self._staging
        for service in running:
            _write(staging, folder, "spinnaker.yml", b"generated\n")
            _write(staging, folder, f"{service}.yml", f"generated for {service}\n".encode())
            own = [name for name in names if takes(service, name)]
            for name in own:
                _write(staging, folder, name, (profiles / name).read_bytes())
            task.wait(self.pace.generate)
            task.say(f"Generated 3 profiles and discovered {len(own)} custom profiles for {service}")

    @property
    def _staging(self) -> Path:
        return self.hal / self.name / "staging"

    def _start(self, task: Task, service: str, config: bytes) -> None:
        child = Task(f"Deploy spin-{service}", int((10 if self.minutes is None else self.minutes) * 60_000))
        task.children.append(child)
        threading.Thread(target=child.run, args=(lambda own: self._apply(own, service, config),), daemon=True).start()

    def _apply(self, child: Task, service: str, config: bytes) -> tuple[Any, list[dict[str, Any]]]:
        child.say("Running kubectl apply on the resource definition...", f"Deploying spin-{service} with kubectl")
        files = self._staged(service)
        manifest = _secret(service, files)
        refusal = self.kubectl(service, manifest)
        child.wait(self.pace.apply)
        if refusal:
            raise HalError([problem("FATAL", refusal)])
        self.applied(service, hashlib.sha256(config).hexdigest(), files)
        return None, []

    def _staged(self, service: str) -> dict[str, bytes]:
        """What the service's Secret is made of; read now, from staging."""
        found = {}
        for path in sorted(self._staging.rglob("*")):
            name = path.relative_to(self._staging).as_posix()
            if takes(service, name) and path.is_file():
                try:
                    found[name] = path.read_bytes()
                except OSError as error:
                    text = f"Failed to read required config file: {path}: {path} ({error.strerror})"
                    raise HalError([problem("FATAL", text)]) from None
        return found

    def _reap(self, task: Task) -> None:
        end = time.monotonic() + self.minutes * 60 if self.minutes is not None else None
        for child in task.children:
            while child.state not in TERMINAL:
                if end is not None and time.monotonic() > end:
                    task.timed_out = child.timed_out = True
                    raise InterruptedError_(_interrupted("Child task timed out"))
                task.wait(0.005)
            if child.state == "FAILED":
                assert child.response is not None
                raise HalError(list(child.response["problemSet"]["problems"]))

    def _end(self, config: bytes) -> None:
        """Write what a deploy leaves behind; the copy of the halconfig is made last, of what lies there by then."""
        history = self.hal / self.name / "history"
        history.mkdir(parents=True, exist_ok=True)
        for name in ("service-settings.yml", "service-profiles.yml"):
            (history / name).write_bytes(b"{}\n")
        backup = self.hal / ".backup"
        backup.mkdir(exist_ok=True)
        (backup / "config").write_bytes((self.hal / "config").read_bytes())
        if "FLUSH_INFRASTRUCTURE_CACHES" in self.options:
            raise UnexpectedError(
                "java.lang.UnsupportedOperationException: Please file an issue: "
                "https://github.com/spinnaker/spinnaker/issues/new"
            )


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(staging: Path, folder: int, name: str, content: bytes) -> None:
    """Write a profile; fails where another deploy has deleted the staging folder that this one began with."""
    path = staging / name
    try:
        if os.fstat(folder).st_nlink == 0:
            raise FileNotFoundError
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError:
        raise HalError([problem("FATAL", f"Failed to write config for profile {path.name}: {path}")]) from None


def _secret(service: str, files: dict[str, bytes]) -> str:
    """The manifest that kubectl gets: a Secret with all files of the service."""
    rows = "".join(f"  {name.replace('/', '-')}: {base64.b64encode(text).decode()}\n" for name, text in files.items())
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: spin-{service}-files-1234567\n  namespace: spinnaker\n"
        f"type: Opaque\ndata:\n{rows}"
    )


def walk(task: Task) -> Iterator[Task]:
    """A task and all below it."""
    yield task
    for child in task.children:
        yield from walk(child)
