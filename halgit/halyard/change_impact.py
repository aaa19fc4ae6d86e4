"""The services that a change affects, and why: a section of the halconfig, a profile, service-settings, a BOM.

A service restarts when one of its files changes. Halyard generates those files from the halconfig (its ProfileFactory
classes decide from which sections), copies profiles beside them, and writes `spinnaker.yml`, with the addresses of all
services, for every Spring service. Pure; `services` decides whether a service runs.
"""

from __future__ import annotations

from collections.abc import Iterable

from halgit.annotations import Final
from halgit.halyard.layout import find_profile_services
from halgit.halyard.services import ARTIFACTS, SERVICES, SPRING_SERVICES, get_base
from halgit.pipeline import Path
from halgit.record import Record


class AffectedService(Record):
    """One service that a change affects, and why."""

    service: str
    reason: str


_ALL: Final = tuple(dict.fromkeys(get_base(service) for service in SERVICES))
_EVERY_SPRING: Final = tuple(dict.fromkeys(get_base(service) for service in SPRING_SERVICES))
_WITH_DECK: Final = (*_EVERY_SPRING, "deck")
_BAKERY_PROVIDERS: Final = ("aws", "azure", "google", "huaweicloud", "oracle", "oraclebmcs", "tencentcloud")
_ADDRESSES: Final = "the addresses of all services are in spinnaker.yml"

_SECTIONS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]] = (
    (("version",), _ALL, "it sets the version of every service"),
    (("name",), _ALL, "it names the files of the deployment"),
    (("timezone",), _WITH_DECK, "the time zone is in spinnaker.yml and in Deck's settings"),
    (("providers",), ("clouddriver",), "Clouddriver reads all providers"),
    *(
        (("providers", cloud), ("rosco",), "Rosco reads the providers it bakes images for")
        for cloud in _BAKERY_PROVIDERS
    ),
    (("providers", "*", "primaryAccount"), ("deck",), "Deck selects it by default"),
    (("providers", "*", "enabled"), ("deck",), "Deck shows enabled providers"),
    (("providers", "aws", "primaryAccount"), ("orca",), "Orca uses it to bake images"),
    (("providers", "dockerRegistry", "enabled"), ("igor",), "Igor polls registries"),
    (("artifacts",), ("clouddriver", "echo", "igor"), "these services read all artifact accounts"),
    (("canary",), ("kayenta", "deck"), "Kayenta reads it, and Deck reads its defaults"),
    (("canary", "enabled"), _WITH_DECK, _ADDRESSES),
    (("ci",), ("igor",), "Igor reads all build systems"),
    (("ci", "gcb"), ("echo",), "Echo receives builds of Google Cloud Build"),
    (("repository",), ("igor",), "Igor polls repositories"),
    (("notifications",), ("echo", "deck"), "Echo sends notifications, and Deck shows them"),
    (("pubsub",), ("echo",), "Echo receives all messages"),
    (("stats",), ("echo",), "Echo sends them"),
    (("features",), ("deck", "orca", "gate"), "these services read feature flags"),
    (("webhook",), ("orca",), "Orca runs webhook stages"),
    (("persistentStorage",), ("front50",), "Front50 stores all data there"),
    (("spinnaker",), _EVERY_SPRING, "every Spring service loads plugins"),
    (("metricStores",), ("monitoring-daemon",), "the monitoring daemon writes to it"),
    (("metricStores", "*", "enabled"), _EVERY_SPRING, "every Spring service then exposes metrics"),
    (("security", "apiSecurity"), ("gate",), "Gate serves the API"),
    (("security", "authn"), ("gate", "deck"), "Gate authenticates users, and Deck reads whether login is required"),
    (("security", "authz"), ("fiat", "gate"), "Fiat authorizes users, and Gate reads its files"),
    (("security", "authz", "enabled"), _WITH_DECK, _ADDRESSES),
    (("security", "uiSecurity"), ("deck",), "Deck is the UI"),
    (("security", "*", "overrideBaseUrl"), _WITH_DECK, _ADDRESSES),
    (("deploymentEnvironment",), _ALL, "it sets how every service is deployed"),
)
"""Sections, the base services they affect, and why. Entries above and below a changed path apply."""

_PER_SERVICE: Final = frozenset(
    {"affinity", "customSizing", "hostAliases", "initContainers", "sidecars", "tolerations"}
)
_SHARED_SETTINGS: Final = frozenset({"address", "baseUrl", "enabled", "host", "overrideBaseUrl", "port", "scheme"})


def find_by_section(path: Path, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """Find the running services affected by a change at a path below a deployment of the halconfig."""
    services = tuple(running)
    if len(path) > 2 and path[0] == "deploymentEnvironment" and path[1] in _PER_SERVICE:
        reason = f"deploymentEnvironment.{path[1]} names it"
        return tuple(
            AffectedService(service, reason) for service in match_service_key(str(path[2]), services, str(path[1]))
        )
    found: dict[str, str] = {}
    for section, bases, reason in _SECTIONS:
        if _overlaps(section, path):
            for service in services:
                if get_base(service) in bases:
                    found.setdefault(service, reason)
    return tuple(AffectedService(service, reason) for service, reason in found.items())


def _overlaps(section: tuple[str, ...], path: Path) -> bool:
    """Return whether a changed path is inside a section or contains it."""
    return all(wanted in {"*", step} for wanted, step in zip(section, path, strict=False))


def match_service_key(key: str, running: Iterable[str], section: str) -> tuple[str, ...]:
    """Return the services that a key of `customSizing`, `sidecars` and the like matches: `spin-gate` and `gate`.

    Except in `customSizing`, the name of a base service also matches its parts that have no entry of their own.
    """
    name = key.removeprefix("spin-")
    falls_back = section != "customSizing"
    return tuple(service for service in running if name == service or (falls_back and name == get_base(service)))


def find_by_profile(name: str, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """Find the running services that read a profile (its path below `profiles/`)."""
    taken = set(find_profile_services(name))
    return tuple(AffectedService(service, f"it reads profiles/{name}") for service in running if service in taken)


def find_by_service_settings(service: str, path: Path, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """Find the running services affected by a change in the settings of a service: all, for a shared setting."""
    own = f"service-settings/{service}.yml belongs to it"
    shared = not path or path[0] in _SHARED_SETTINGS
    return tuple(
        AffectedService(other, own if other == service else _ADDRESSES)
        for other in running
        if other == service or (shared and get_base(other) in _WITH_DECK)
    )


def find_by_bom_file(artifact: str, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """Find the running services affected by a file below `.boms/`: those of an artifact, or all."""
    reason = f".boms/{artifact} is its artifact"
    return tuple(
        AffectedService(service, reason)
        for service in running
        if artifact not in ARTIFACTS or get_base(service) == artifact
    )
