"""A fake of the Kubernetes endpoints that `sync` uses: ConfigMaps, Events and Leases, over TLS, with a token.

It refuses what the API server refuses: an old resourceVersion (409), a second object of a name (409), a MicroTime
without its six digits (400), an Event whose message is longer than 1024 or whose object is in another namespace (422),
and whatever RBAC does not allow (403, `denied`).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers.http import Asked, Said, server
from servers.kubernetes_api import TOKEN, Cluster, status
from servers.tls import authority

_PATH = re.compile(
    r"/(?:api/v1|apis/coordination\.k8s\.io/v1)/namespaces/([^/]+)/(configmaps|events|leases)(?:/([^/?]+))?"
)
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@dataclass
class Objects:
    """The running fake. `items` are objects by kind and name; `denied` pairs of verb and kind."""

    folder: Path
    ca: Path
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)
    version: int = 100
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def kubeconfig(self) -> str:
        return Cluster(self.folder, self.ca, url=self.url).kubeconfig()

    def events(self) -> list[dict[str, Any]]:
        return [item for (kind, _), item in self.items.items() if kind == "events"]

    def answer(self, asked: Asked) -> Said:
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Said:
        match = _PATH.fullmatch(asked.path.split("?")[0])
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return status(401, "Unauthorized")
        if match is None:
            return status(404, "NotFound")
        namespace, kind, name = match.groups()
        verb = {"GET": "get", "POST": "create", "PUT": "update"}[asked.method]
        if (verb, kind) in self.denied:
            return status(403, "Forbidden")
        body = json.loads(asked.body) if asked.body else {}
        refusal = self._refusal(kind, namespace, body)
        if refusal is not None:
            return refusal
        if asked.method == "POST":
            name = body["metadata"].get("name") or f"{body['metadata']['generateName']}{len(self.items)}"
        found = self.items.get((kind, name))
        if asked.method == "GET":
            return Said(body=json.dumps(found).encode()) if found else status(404, "NotFound")
        if asked.method == "POST" and found:
            return status(409, "AlreadyExists")
        if asked.method == "PUT" and not found:
            return status(404, "NotFound")
        if (
            asked.method == "PUT"
            and found
            and body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]
        ):
            return status(409, "Conflict")
        self.version += 1
        body["metadata"] = {
            **body["metadata"],
            "name": name,
            "namespace": namespace,
            "resourceVersion": str(self.version),
        }
        self.items[kind, name] = body
        return Said(201 if asked.method == "POST" else 200, json.dumps(body).encode())

    def _refusal(self, kind: str, namespace: str, body: dict[str, Any]) -> Said | None:
        if kind == "leases":
            times = [body.get("spec", {}).get(key) for key in ("renewTime", "acquireTime")]
            if any(text is not None and not _MICRO_TIME.fullmatch(text) for text in times):
                return status(400, "BadRequest")
        if kind != "events" or not body:
            return None
        wrong = len(body.get("message", "")) > 1024 or body["involvedObject"].get("namespace") != namespace
        return status(422, "Invalid") if wrong else None


@contextmanager
def kubernetes_objects(folder: Path) -> Iterator[Objects]:
    """The fake, for the length of a with block."""
    context, ca = authority(folder)
    objects = Objects(folder, ca)
    with server(objects.answer, context) as url:
        objects.url = url
        yield objects
