"""A fake of the Kubernetes endpoints that halgit uses, over TLS, with a token.

Secrets are read, created and replaced; Deployments patched; Jobs listed. It refuses what kube-apiserver 1.32.13
refuses: invalid names and keys, more than 1 MiB, changes of an immutable Secret (422 with causes), and a namespace that
does not exist (404).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from servers.http import Asked, Said, server
from servers.tls import authority

TOKEN = "token-of-the-service-account"


@dataclass
class Cluster:
    """The running fake. `secrets`, their `versions` (42 else) and what was `made`, by `namespace/name`.

    `rule` may answer a request itself.
    """

    folder: Path
    ca: Path
    secrets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    managers: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    immutable: set[str] = field(default_factory=set)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    namespaces: frozenset[str] | None = None
    rule: Callable[[Asked], Said | None] = lambda asked: None
    url: str = ""

    def kubeconfig(self, namespace: str = "spinnaker", *, token: str = TOKEN, ca: bool = True) -> str:
        """A kubeconfig for it, as a path."""
        trust = {"certificate-authority": str(self.ca)} if ca else {}
        content = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
            "clusters": [{"name": "c", "cluster": {"server": self.url, **trust}}],
            "users": [{"name": "u", "user": {"token": token}}],
        }
        file = self.folder / f"kubeconfig-{namespace}-{token[:5]}-{ca}"
        file.write_text(json.dumps(content))
        return str(file)

    def service_account(self, namespace: str = "spinnaker") -> str:
        """The folder a pod finds its account in."""
        account = self.folder / "serviceaccount"
        account.mkdir(exist_ok=True)
        (account / "token").write_text(TOKEN + "\n")
        (account / "namespace").write_text(namespace)
        (account / "ca.crt").write_bytes(self.ca.read_bytes())
        return str(account)

    def answer(self, asked: Asked) -> Said:
        """What the API server says."""
        self.asked.append(asked.path)
        ruled = self.rule(asked)
        if ruled is not None:
            return ruled
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return status(401, "Unauthorized")
        parts, words = self._noted(asked)
        if parts[:2] == ["", "apis"] and parts[4] == "namespaces":
            return self._other(asked, parts, words)
        if parts[:4] != ["", "api", "v1", "namespaces"] or parts[5] != "secrets":
            return status(404, "NotFound")
        if parts[4] == "forbidden":
            return forbidden(asked.method, parts[4])
        if asked.method == "POST":
            return self._make(parts[4], json.loads(asked.body))
        place = f"{parts[4]}/{parts[6]}"
        found = self.secrets.get(place)
        if found is None:
            return status(404, "NotFound")
        if asked.method == "PUT":
            return self._replace(place, json.loads(asked.body))
        data = {key: base64.b64encode(value).decode() for key, value in found.items()}
        metadata = {"name": parts[6], "namespace": parts[4], "resourceVersion": str(self.versions.get(place, 42))}
        return Said(
            body=json.dumps({"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": data}).encode()
        )

    def _replace(self, place: str, secret: dict[str, Any]) -> Said:
        refused = invalid(secret)
        if refused is None and place in self.immutable:
            refused = causes(secret["metadata"]["name"], "data", "field is immutable when `immutable` is set")
        if refused is not None:
            return refused
        if secret["metadata"].get("resourceVersion") != str(self.versions.get(place, 42)):
            return status(409, "Conflict")
        self.versions[place] = self.versions.get(place, 42) + 1
        self.secrets[place] = {key: base64.b64decode(value) for key, value in secret["data"].items()}
        return Said(body=json.dumps(secret).encode())

    def _make(self, namespace: str, secret: dict[str, Any]) -> Said:
        place = f"{namespace}/{secret['metadata']['name']}"
        if self.namespaces is not None and namespace not in self.namespaces:
            return status(404, "NotFound", f'namespaces "{namespace}" not found')
        refused = invalid(secret)
        if refused is not None:
            return refused
        if place in self.secrets:
            return status(409, "AlreadyExists")
        self.made[place] = secret
        self.secrets[place] = {key: base64.b64decode(value) for key, value in secret["data"].items()}
        return Said(201, json.dumps(secret).encode())

    def _noted(self, asked: Asked) -> tuple[list[str], dict[str, list[str]]]:
        """Path and query of a request; who sent it is kept."""
        path, _, query = asked.path.partition("?")
        words = parse_qs(query)
        self.agents.add(asked.headers.get("user-agent", ""))
        if asked.method != "GET":
            self.managers.append(words.get("fieldManager", [""])[0])
        return path.split("/"), words

    def _other(self, asked: Asked, parts: list[str], words: dict[str, list[str]]) -> Said:
        """Deployments and Jobs."""
        if parts[6] == "jobs" and asked.method == "GET":
            wanted = dict(one.split("=") for one in words.get("labelSelector", [""])[0].split(",") if one)
            items = [job for job in self.jobs if wanted.items() <= job["metadata"].get("labels", {}).items()]
            return Said(body=json.dumps({"kind": "JobList", "metadata": {}, "items": items}).encode())
        if parts[6] == "deployments" and asked.method == "PATCH":
            place = f"{parts[5]}/{parts[7]}"
            if place not in self.deployments:
                return status(404, "NotFound")
            self.deployments[place] = json.loads(asked.body)
            spec = {"selector": {}, "template": {"metadata": {}}}
            found = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": parts[7]}, "spec": spec}
            return Said(body=json.dumps(found).encode())
        return status(404, "NotFound")


_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def causes(name: str, where: str, message: str) -> Said:
    """A 422 with its cause, as recorded."""
    text = f'Secret "{name}" is invalid: {where}: {message}'
    cause = {"reason": "FieldValueInvalid", "message": message, "field": where}
    return status(422, "Invalid", text, details={"name": name, "kind": "Secret", "causes": [cause]})


def invalid(secret: dict[str, Any]) -> Said | None:
    """What the API server refuses of a Secret, whoever writes it."""
    name, data = secret["metadata"]["name"], secret.get("data") or {}
    if not _NAME.fullmatch(name) or len(name) > 253:
        return causes(
            name, "metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of ...'
        )
    for key in data:
        if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
            return causes(name, f"data[{key}]", f'Invalid value: "{key}": a valid config key must consist of ...')
    if sum(len(base64.b64decode(value)) for value in data.values()) > 1 << 20:
        return causes(name, "data", "Too long: may not be more than 1048576 bytes")
    missing = {"tls.crt", "tls.key"} - data.keys() if secret.get("type") == "kubernetes.io/tls" else set()
    return causes(name, f"data[{min(missing)}]", "Required value") if missing else None


def forbidden(method: str, namespace: str) -> Said:
    """A 403 for a missing permission."""
    verb = {"GET": "get", "POST": "create", "PUT": "update"}[method]
    user = "system:serviceaccount:isd-ns:isd-bootstrap"
    text = f'secrets is forbidden: User "{user}" cannot {verb} resource "secrets" in the namespace "{namespace}"'
    return status(403, "Forbidden", text)


def status(code: int, reason: str, message: str = "", *, details: Any = None, **headers: str) -> Said:
    """A refusal as the API server words it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message or reason,
        "reason": reason,
        "code": code,
        **({"details": details} if details else {}),
    }
    return Said(code, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


@contextmanager
def kubernetes(folder: Path) -> Iterator[Cluster]:
    """A cluster for the length of a with block."""
    context, ca = authority(folder)
    cluster = Cluster(folder, ca)
    with server(cluster.answer, context) as url:
        cluster.url = url
        yield cluster
