"""Run a container of a rendered pod: its mounts become folders below one root, its Secrets the files in them.

Paths in its environment and arguments are moved below that root, but for those that name what another container sees.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from servers.http import Asked, Said
from servers.kubernetes_api import status

Object = dict[str, Any]
NAME = "app.kubernetes.io/name"
SEEN_BY_OTHERS = {"HALGIT_HAL_HOME"}
WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob")


def template(one: Object) -> Object:
    """The pod template of a workload; empty for other objects."""
    if one["kind"] not in WORKLOADS:
        return {}
    spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
    found: Object = spec["template"]
    return found


def job(objects: list[Object], name: str, kind: str = "Job") -> Object:
    """The job of this name, whatever digest its object's name ends with."""
    (found,) = (one for one in objects if one["kind"] == kind and template(one)["metadata"]["labels"][NAME] == name)
    return found


def distinct(every: dict[str, list[Object]]) -> Iterator[tuple[str, Object]]:
    seen = set()
    for where, objects in every.items():
        for one in objects:
            text = json.dumps(one, sort_keys=True)
            if text not in seen:
                seen.add(text)
                yield f"{where}: {one['kind']} {one['metadata']['name']}", one


def pods(every: dict[str, list[Object]]) -> Iterator[tuple[str, Object]]:
    """Each distinct pod specification, with where it is."""
    for where, one in distinct(every):
        if one["kind"] == "Pod":
            yield where, one["spec"]
        elif one["kind"] in WORKLOADS:
            yield where, template(one)["spec"]


def containers(spec: Object) -> list[Object]:
    return [*spec["containers"], *spec.get("initContainers", [])]


class Pod:
    """A pod specification with the Secrets and config maps it mounts: name -> key -> text."""

    def __init__(self, spec: Object, root: Path, objects: dict[str, dict[str, str]]) -> None:
        self.spec = spec
        self.root = root
        self.objects = objects
        self.volumes = {volume["name"]: volume for volume in spec["volumes"]}

    def container(self, name: str) -> Object:
        found: Object = next(
            c for c in [*self.spec.get("initContainers", []), *self.spec["containers"]] if c["name"] == name
        )
        return found

    def mount(self, container: Object) -> None:
        """Make every mount of the container, read-only ones with their files."""
        for mount in container["volumeMounts"]:
            folder = self.path(mount["mountPath"])
            volume = self.volumes[mount["name"]]
            if {"emptyDir", "projected", "persistentVolumeClaim"} & volume.keys():
                folder.mkdir(parents=True, exist_ok=True)
            elif "subPath" in mount:
                folder.parent.mkdir(parents=True, exist_ok=True)
                folder.write_text(self._content(volume)[mount["subPath"]])
            else:
                self._fill(folder, volume)

    def _content(self, volume: Object) -> dict[str, str]:
        source = volume.get("secret") or volume["configMap"]
        data = self.objects[source.get("secretName") or source["name"]]
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        return {item["path"]: data[item["key"]] for item in items}

    def _fill(self, folder: Path, volume: Object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in self._content(volume).items():
            (folder / path).write_text(text)

    def path(self, path: str) -> Path:
        """Where a path of the container stands here."""
        return self.root / path.lstrip("/")

    def environment(self, container: Object) -> dict[str, str]:
        """The variables of the container and no others, but the search path."""
        variables = {"PATH": os.environ["PATH"]}
        for row in container.get("env", []):
            value = row["value"] if "value" in row else self._referenced(row["valueFrom"])
            variables[row["name"]] = value if row["name"] in SEEN_BY_OTHERS else self._moved(container, value)
        return variables

    def _referenced(self, source: Object) -> str:
        if "fieldRef" in source:
            return {"metadata.name": "isd-halyard-0", "metadata.uid": "uid"}[source["fieldRef"]["fieldPath"]]
        reference = source["secretKeyRef"]
        return self.objects[reference["name"]][reference["key"]]

    def _moved(self, container: Object, value: str) -> str:
        roots = [mount["mountPath"] for mount in container["volumeMounts"]]
        inside = any(value == root or value.startswith(root + "/") for root in roots)
        return str(self.path(value)) if inside else value

    def run(self, name: str, **of_the_cluster: str) -> subprocess.CompletedProcess[str]:
        """Run a container of halgit's image to its end. More variables say where the cluster is."""
        command, env = self._process(name, of_the_cluster)
        return subprocess.run(command, env=env, cwd=self.root, capture_output=True, text=True, check=False)

    def start(self, name: str, log: IO[bytes], **of_the_cluster: str) -> subprocess.Popen[bytes]:
        """Start a container of halgit's image that runs on."""
        command, env = self._process(name, of_the_cluster)
        return subprocess.Popen(command, env=env, cwd=self.root, stdout=log, stderr=log)

    def _process(self, name: str, of_the_cluster: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        """Command and environment; the image's entry point is halgit."""
        container = self.container(name)
        self.mount(container)
        command = [sys.executable, "-m", "halgit", *(self._argument(container, text) for text in container["args"])]
        return command, {**self.environment(container), **of_the_cluster}

    def _argument(self, container: Object, text: str) -> str:
        option, equals, value = text.partition("=")
        return option + equals + self._moved(container, value)


def allowed_by(objects: list[Object], name: str) -> Callable[[Asked], Said | None]:
    """Refuses what a role does not let its account do."""
    rules = next(one["rules"] for one in objects if one["kind"] == "Role" and one["metadata"]["name"] == name)

    def allowed(asked: Asked) -> Said | None:
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}[asked.method]
        path = asked.path.partition("?")[0]
        named = "" if verb == "create" else path.rpartition("/")[2]
        kind = path.split("/")[6 if path.startswith("/apis") else 5]
        good = any(
            verb in rule["verbs"] and kind in rule["resources"] and (not named or named in rule["resourceNames"])
            for rule in rules
        )
        return None if good else status(403, "Forbidden")

    return allowed
