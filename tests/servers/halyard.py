"""A Halyard daemon on loopback that answers as the real one was recorded, and denied access to what it refuses.

The tree it reads is real, and a deploy reads it step by step: see `halyard_tasks.py`. Below, what was recorded (on the
daemon of February 2025, commit 309f9955), and where it is here. A test asks for what goes wrong by the fields and
methods of `Daemon`.

| recorded                                                                              | here                    |
|---------------------------------------------------------------------------------------|-------------------------|
| `GET /health` {"status":"UP"}, 11 to 20 s after the start; before, the port is closed | `start`, `down`         |
| `GET /v1/config/`, `.../deployments/D/?validate=&severity=`: tasks, HTTP 200          | `_config`, `_deployment`|
| `GET /v1/config/currentDeployment`: responseBody "default"                            | `_current`              |
| a missing or empty halconfig loads; deploy: "You must pick a version ..."             | `load`, `_deploy`       |
| unreadable halconfig, unknown key, undefined alias: FAILED, events []                 | `load`                  |
| unknown deployment: FAILED, responseCode 404                                          | `deployment`            |
| `POST .../deploy/`: first answer RUNNING, events, children, RemoteAction body         | `Deploy`                |
| validation problems stop a deploy: FAILED, responseCode 409; severity tolerates       | `throw_above`           |
| `POST .../generate/` (a staging path), `.../prep/` (autoRun), `.../connect/`          | `_generate`, `answers`  |
| unknown deployOptions: 400 with a body; unknown severity: 400, empty body             | `_bad_request`          |
| GET of deploy: 404, empty body                                                        | `_answer`               |
| unknown service: FAILED "No service with canonical name nope exists."                 | `Deploy`                |
| DELETE_ORPHANED_SERVICES with serviceNames; FLUSH_INFRASTRUCTURE_CACHES: FAILED       | `Deploy`                |
| unknown task: 200 with an empty body (after a restart, or collected)                  | `restart`, `collect`    |
| a poll while events are appended: 500 "Could not write JSON"                          | `failing_polls`         |
| a path nobody knows below /v1: 200 from Spring's config server                        | `_config_server`        |
| `PUT /v1/tasks/ID/interrupt`: 200, empty; unknown 404 with a body; the task FAILED    | `_interrupt`            |
| `GET /v1/tasks/`: shallow rows, children among them                                   | `_tasks`                |
| no locking: of two deploys at once one fails in staging, the other may be a mixture   | `Deploy`, `overlaps`    |
| children fail on their own; the parent has the first one's problems                   | `kubectl`               |
| a failed apply: "Failed to deploy manifest:" with the whole manifest                  | `refuse_manifest`       |
| waitForCompletionTimeoutMinutes exceeded: TIMED_OUT "Child task timed out"            | `Deploy`                |
| a task may stay RUNNING past its timeout, timedOut true                               | `stuck`                 |
| PUT of the configuration rewrites the file                                            | `rewrites`              |
| configDiff is not empty after an unchanged deploy                                     | `_config_diff`, `diffs` |
| a terminal state can be seen a moment before its response (from the source: the two   | `early_states`          |
| fields are set one after the other)                                                   |                         |

As a program, `python tests/servers/halyard.py --port 8064 --hal /home/spinnaker/.hal` serves until it is ended.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.halyard_tasks import (
    DEPLOY_OPTIONS,
    SEVERITIES,
    TERMINAL,
    Deploy,
    Pace,
    Task,
    deployment,
    load,
    throw_above,
    validate,
    walk,
)

ZONES = frozenset({"UTC", "Etc/UTC", "Europe/Berlin", "Europe/London", "America/Los_Angeles", "America/New_York"})
Reply = tuple[int, Any]
"""A status, and the body: text as it is, anything else as JSON."""


@dataclass
class Applied:
    """What one service was given: by which deploy, when, the halconfig's digest and its files."""

    task: str
    service: str
    config: str
    files: dict[str, bytes]


@dataclass
class Daemon:
    """The running fake.

    `applied` is what kubectl got, in order; `deploys` are the tasks of all deploys; `overlaps` counts deploys that
    began while another ran; `requests` are method and path of all that was asked. `kubectl` gives the refusal of an
    apply, empty where it works, for a service and its manifest.
    """

    hal: Path
    pace: Pace = field(default_factory=Pace)
    zones: frozenset[str] = ZONES
    kubectl: Callable[[str, str], str] = lambda service, manifest: ""
    tasks: dict[str, Task] = field(default_factory=dict)
    deploys: list[Task] = field(default_factory=list)
    asked_services: list[list[str]] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)
    overlaps: int = 0
    rewrites: int = 0
    diffs: int = 0
    failing_polls: int = 0
    early_states: bool = False
    stuck: bool = False
    down: bool = False
    url: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # --- what a test does to it

    def restart(self, *, unseen: bool = False) -> None:
        """The daemon dies and comes back: every task is forgotten, what ran ends where it was.

        With `unseen`, the kubectl processes that run already finish on their own.
        """
        with self._lock:
            for task in self.tasks.values():
                task.orphans_children = unseen
                for one in [task] if unseen else walk(task):
                    one.stop.set()
            self.tasks.clear()

    def deploy_by_hand(self) -> bool:
        """Somebody runs `hal deploy apply`, unless a deploy runs; whether they did.

        Nor while a client may be about to act on the task list it has just read: Halyard cannot prevent that moment.
        """
        with self._lock:
            asked = self.requests[-1][1] if self.requests else ""
            if asked == "/v1/tasks/" or any(task.state not in TERMINAL for task in self.tasks.values()):
                return False
            self.answer("POST", "/v1/config/deployments/default/deploy/?validate=true")
            self.by_hand.add(self.deploys[-1].uuid)
            return True

    def collect(self, uuid: str) -> None:
        """Forget one task, as two minutes after its timeout; it is not stopped."""
        self.tasks.pop(uuid, None)

    def refuse_manifest(self, services: set[str], error: str) -> None:
        """Let kubectl refuse these services' manifests with these words."""

        def refuse(service: str, manifest: str) -> str:
            return f"Failed to deploy manifest:\n{manifest}\n{error}\n\n" if service in services else ""

        self.kubectl = refuse

    def given(self, service: str) -> Applied | None:
        """What a service was given last."""
        return next((one for one in reversed(self.applied) if one.service == service), None)

    # --- what it answers

    def answer(self, method: str, target: str) -> Reply:
        """Status and body."""
        with self._lock:
            self.requests.append((method, target))
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        steps = [step for step in parts.path.split("/") if step]
        if steps == ["health"]:
            return 200, {"status": "UP"}
        if steps[:1] != ["v1"]:
            return 404, _error(404, "Not Found", parts.path)
        reply = self._answer(method, steps[1:], query, parts.path)
        return _config_server(steps) if reply is None else reply

    def _answer(self, method: str, steps: list[str], query: dict[str, list[str]], path: str) -> Reply | None:
        if steps[:1] == ["tasks"]:
            return self._tasks(method, steps[1:], path)
        if steps[:1] != ["config"]:
            return None
        if query.get("severity", ["WARNING"])[0] not in SEVERITIES:
            return 400, ""
        if method == "PUT" and steps[1:] and steps[-1] != "collectLogs":
            return self._rewrite()
        if len(steps) == 1:
            return self._submit("Get halconfig", lambda task: (load(self.hal), []))
        if steps[1:] == ["currentDeployment"]:
            return self._submit(
                "Get current deployment", lambda task: (load(self.hal).get("currentDeployment", "default"), [])
            )
        if steps[1] == "deployments" and len(steps) in (3, 4):
            return self._of_deployment(method, steps[2], steps[3] if len(steps) == 4 else "", query, path)
        return None

    def _of_deployment(self, method: str, name: str, verb: str, query: dict[str, list[str]], path: str) -> Reply | None:
        validates = query.get("validate", ["false"])[0] == "true"
        severity = query.get("severity", ["WARNING"])[0]
        if verb and verb != "configDiff" and method != "POST":
            return 404, ""
        if verb == "deploy":
            return self._deploy(name, query, validates, severity, path)
        if verb == "configDiff":
            return self._config_diff()
        if verb == "generate":
            return self._generate(name, query, validates, severity)
        answers: dict[str, tuple[str, Callable[[], Any], int]] = {
            "": ("Get deployment configuration", lambda: deployment(load(self.hal), name), 60_000),
            "prep": ("Prep deployment", lambda: _action(None, True), 300_000),
            "connect": (
                "Connect to Spinnaker deployment.", lambda: _action(f"{self.hal}/{name}/connect.sh", True), 60_000
            ),
            "clean": ("Clean Deployment of Spinnaker", lambda: None, 60_000),
        }  # fmt: skip
        if verb not in answers:
            return None
        title, body, timeout = answers[verb]

        def work(task: Task) -> tuple[Any, list[dict[str, Any]]]:
            item = deployment(load(self.hal), name)
            problems = validate(item, self.zones) if validates else []
            throw_above(problems, severity)
            return body(), problems

        return self._submit(title, work, timeout)

    def _deploy(self, name: str, query: dict[str, list[str]], validates: bool, severity: str, path: str) -> Reply:
        options, services, excluded = (
            _listed(query.get(key, [])) for key in ("deployOptions", "serviceNames", "excludeServiceNames")
        )
        if any(option not in DEPLOY_OPTIONS for option in options):
            return 400, _error(400, "Bad Request", path)
        minutes = query.get("waitForCompletionTimeoutMinutes", [""])[0]
        if minutes and not minutes.isdigit():
            return 400, _error(400, "Bad Request", path)
        holder: list[str] = []

        def applied(service: str, config: str, files: dict[str, bytes]) -> None:
            with self._lock:
                self.applied.append(Applied(holder[0], service, config, files))

        work = Deploy(self.hal, name, services, excluded, options, severity, validates, self.zones, self.pace,
                      self.kubectl,
                      float(minutes) if minutes else None, applied)  # fmt: skip
        with self._lock:
            self.overlaps += any(one.state not in TERMINAL for one in self.deploys if one.uuid in self.tasks)
            task = Task("Apply deployment", 1_800_000)
            holder.append(task.uuid)
            self.deploys.append(task)
            self.asked_services.append(services)
        return self._submit("", self._stuck if self.stuck else work, task=task)

    def _generate(self, name: str, query: dict[str, list[str]], validates: bool, severity: str) -> Reply:
        services = _listed(query.get("serviceNames", []))
        work = Deploy(self.hal, name, services, [], [], severity, validates, self.zones, self.pace,
                      self.kubectl, None, lambda *applied: None)  # fmt: skip
        return self._submit("Generate config", work.generate)

    def _stuck(self, task: Task) -> tuple[Any, list[dict[str, Any]]]:
        """Stay RUNNING past the timeout: only an interrupt ends it."""
        task.say("Validating halconfig with DeploymentConfigurationValidator", "Running validation")
        task.timed_out = True
        while True:
            task.wait(0.01)

    def _submit(
        self,
        title: str,
        work: Callable[[Task], tuple[Any, list[dict[str, Any]]]],
        timeout: int = 60_000,
        task: Task | None = None,
    ) -> Reply:
        task = task or Task(title, timeout)
        with self._lock:
            self.tasks[task.uuid] = task
        thread = threading.Thread(target=task.run, args=(work,), daemon=True)
        thread.start()
        thread.join(0.002)
        return 200, task.json()

    def _tasks(self, method: str, steps: list[str], path: str) -> Reply:
        if not steps:
            every = [one for task in list(self.tasks.values()) for one in walk(task)]
            return 200, {"tasks": [task.shallow() for task in every]}
        found = next((one for task in list(self.tasks.values()) for one in walk(task) if one.uuid == steps[0]), None)
        if steps[1:] == ["interrupt"] and method == "PUT":
            return self._interrupt(found, path)
        if found is None:
            return 200, ""
        if self.failing_polls:
            self.failing_polls -= 1
            return 500, _error(500, "Internal Server Error", path)
        told = found.json()
        if self.early_states and told["state"] in TERMINAL:
            self.early_states = False
            told["response"] = None
        return 200, told

    def _interrupt(self, task: Task | None, path: str) -> Reply:
        if task is None:
            return 404, _error(404, "Not Found", path)
        task.stop.set()
        return 200, ""

    def _rewrite(self) -> Reply:
        """Every PUT writes the halconfig anew, with all defaults and without comments."""
        self.rewrites += 1
        (self.hal / "config").write_text(json.dumps(load(self.hal)))
        return self._submit("Edit deployment configuration", lambda task: (None, []))

    def _config_diff(self) -> Reply:
        """What it says after a deploy that changed nothing."""
        self.diffs += 1
        fields = [{"fieldName": "instanceId", "oldValue": "01M8ARK7J5W1G40D782EQ8ZZV9",
                   "newValue": "01M8ARKP2RZ17RBT3KNZ71YQXX"}]  # fmt: skip
        node = {"location": "stats", "changeType": "EDITED", "fieldDiffs": fields, "nodeDiffs": []}
        body = {"location": "halconfig.default", "changeType": "EDITED", "fieldDiffs": [], "nodeDiffs": [node]}
        return self._submit("Determine config diff", lambda task: (body, []))


def _listed(values: list[str]) -> list[str]:
    """A list parameter as Spring reads it: repeated, or with commas; an empty one holds nothing."""
    return [part for value in values for part in value.split(",") if part]


def _action(path: str | None, auto: bool) -> dict[str, Any]:
    return {"scriptPath": path, "scriptDescription": None, "autoRun": auto}


def _error(status: int, reason: str, path: str) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return {"timestamp": f"{now}.519+00:00", "status": status, "error": reason, "path": path}


def _config_server(steps: list[str]) -> Reply:
    """Spring's config server answers whatever no controller does."""
    profiles = steps[1].split(",") if len(steps) > 1 else ["default"]
    label = steps[2] if len(steps) > 2 else None
    return 200, {"name": steps[0], "profiles": profiles, "label": label, "version": None, "state": None,
                 "propertySources": []}  # fmt: skip


def _handler(daemon: Daemon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if daemon.down:
                self.close_connection = True
                return
            status, body = daemon.answer(self.command, self.path)
            data = body.encode() if isinstance(body, str) else _json(body)
            self.send_response(status)
            if data:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _any

    return Handler


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed hangs up."""


@contextmanager
def halyard(hal: Path, *, port: int = 0, down: bool = False) -> Iterator[Daemon]:
    """A daemon over the tree `hal`, for the length of a with block. `down`: it answers nobody yet."""
    daemon = Daemon(hal, down=down)
    server = _Server(("127.0.0.1", port), _handler(daemon))
    daemon.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.restart()
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A fake Halyard daemon.")
    parser.add_argument("--port", type=int, default=8064)
    parser.add_argument("--hal", type=Path, default=Path("/home/spinnaker/.hal"))
    chosen = parser.parse_args()
    with halyard(chosen.hal, port=chosen.port) as daemon:
        print(f"A fake Halyard at {daemon.url} over {chosen.hal}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
