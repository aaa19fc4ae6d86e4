"""Rules on the Secrets that Halyard creates: the files that each service needs, and the generated clouddriver.yml.

Halyard puts all local files of a service into one Secret, and its generated configuration together with its profiles
into another (`KubernetesV2Service.stageConfig`). Kubernetes limits the data of a Secret to 1 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from halgit.annotations import Final
from halgit.halyard import layout, model, services
from halgit.halyard.coercion import is_true
from halgit.halyard.model import FieldType
from halgit.halyard.written_size import get_estimator
from halgit.pipeline import Path, Severity
from halgit.validation.rule import Hit, Rule
from halgit.validation.rules.local_files import Named, named
from halgit.validation.view import Node, View, name_of

_LARGEST: Final = 1024 * 1024

_SECTIONS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "clouddriver": (("providers",), ("artifacts",)),
    "deck": (("security", "uiSecurity"),),
    "echo": (("notifications",), ("pubsub",), ("artifacts",), ("ci", "gcb")),
    "fiat": (("security", "authz"),),
    "front50": (("persistentStorage",),),
    "gate": (("security", "apiSecurity"), ("security", "authn"), ("security", "authz")),
    "igor": (("ci",), ("artifacts",), ("repository",)),
    "kayenta": (("canary",),),
    "monitoring-daemon": (("metricStores", "stackdriver"),),
    "orca": (("webhook",),),
    "rosco": (("providers",),),
}
"""The sections whose local files each service needs (`backupRequiredFiles` in Halyard's profile factories)."""

_IMAGE_PROVIDERS: Final = frozenset({"aws", "azure", "google", "huaweicloud", "oracle", "tencentcloud"})
"""Providers with base images. Rosco needs the files of those that are enabled."""


def _too_large(view: View) -> Iterator[Hit]:
    if view.deployment is None:
        return
    running = {services.get_base(service) for service in view.running.get(name_of(view.deployment), ())}
    for service, sections in _SECTIONS.items():
        files = _files_of(view, view.deployment, service) if service in running else {}
        total = sum(files.values())
        if total > _LARGEST:
            path = view.deployment.at(*sections[0])
            needed = f"{len(files)} file{'s' * (len(files) > 1)} that {service} needs"
            hint = "" if service == "clouddriver" else "Use smaller files."
            message = f"The Secret of the {needed} has {total:,} bytes; a Secret holds at most {_LARGEST:,}."
            yield Hit(path, message, hint=hint)
    yield from _generated(view, view.deployment)


def _files_of(view: View, deployment: Node, service: str) -> dict[str, int]:
    """Return the files of the tree that a service needs, with their sizes."""
    found: dict[str, int] = {}
    for path, value in model.list_local_files(view.config.value):
        inside = path[len(deployment.path) :]
        if path[: len(deployment.path)] == deployment.path and _is_needed(deployment, service, inside):
            file = named(view, value)
            if isinstance(file, Named) and isinstance(file.file.body, bytes):
                found[file.path] = len(file.file.body)
    return found


def _is_needed(deployment: Node, service: str, path: Path) -> bool:
    if not any(path[: len(section)] == section for section in _SECTIONS[service]):
        return False
    provider = str(path[1]) if len(path) > 1 else ""
    return service != "rosco" or (
        provider in _IMAGE_PROVIDERS and is_true(deployment.get("providers", provider, "enabled"))
    )


def _generated(view: View, deployment: Node) -> Iterator[Hit]:
    """Find a clouddriver.yml that is too large, alone or with the profiles in the same Secret."""
    estimator = get_estimator(view.compiled.hal_home.rstrip("/"))
    written = sum(
        estimator.measure(FieldType("object", name), deployment.get(section))
        for section, name in (("providers", "node.Providers"), ("artifacts", "node.Artifacts"))
    )
    profiles = _profiles_beside(view, deployment)
    if written + profiles <= _LARGEST or profiles > _LARGEST:
        return
    beside = f" and the profiles beside it {profiles:,}" if written <= _LARGEST else ""
    message = f"The generated clouddriver.yml has about {written:,} bytes{beside}; a Secret holds at most {_LARGEST:,}."
    path = deployment.at("providers", "kubernetes", "accounts")
    yield Hit(path, message, hint="Move accounts to dynamic accounts.", severity=Severity.WARNING)


def _profiles_beside(view: View, deployment: Node) -> int:
    """Return the size of the profiles that are in the same Secret as clouddriver.yml."""
    start = f"{name_of(deployment)}/profiles/"
    total = 0
    for path, file in view.files.items():
        name = path[len(start) :]
        if path.startswith(start) and "/" not in name and _is_of_clouddriver(path, name_of(deployment)):
            texts = (layer.files.get(path, b"") for layer in view.compiled.layers)
            total += len(file.body) if isinstance(file.body, bytes) else max(map(len, texts), default=0)
    return total


def _is_of_clouddriver(path: str, deployment: str) -> bool:
    return "clouddriver" in layout.classify_file(path, [deployment]).services


RULES = (Rule("local-files/too-large", _too_large),)
