"""A fake of the Kubernetes endpoints that halgit uses: Secrets, read, made and replaced, over TLS, with a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        parts = asked.path.split("?")[0].split("/")
        if parts[:4] != ["", "api", "v1", "namespaces"] or parts[5] != "secrets":
            return status(404, "NotFound")
        if parts[4] == "forbidden":
            return status(403, "Forbidden")
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
        if secret["metadata"].get("resourceVersion") != str(self.versions.get(place, 42)):
            return status(409, "Conflict")
        self.versions[place] = self.versions.get(place, 42) + 1
        self.secrets[place] = {key: base64.b64decode(value) for key, value in secret["data"].items()}
        return Said(body=json.dumps(secret).encode())

    def _make(self, namespace: str, secret: dict[str, Any]) -> Said:
        place = f"{namespace}/{secret['metadata']['name']}"
        if place in self.secrets:
            return status(409, "AlreadyExists")
        self.made[place] = secret
        self.secrets[place] = {key: base64.b64decode(value) for key, value in secret["data"].items()}
        return Said(201, json.dumps(secret).encode())


def status(code: int, reason: str, **headers: str) -> Said:
    """A refusal as the API server words it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": reason,
        "reason": reason,
        "code": code,
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
