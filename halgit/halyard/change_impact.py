"""Which services a change reaches, and why: a section of the halconfig, a profile, service-settings.

A service restarts when one of its files changes. Halyard makes them of the halconfig (its ProfileFactory classes say of
which sections), copies profiles beside them, and writes `spinnaker.yml`, with the addresses of all services, for every
Spring service. Pure; whether a service runs is asked of `services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from halgit.halyard.layout import find_profile_services
from halgit.halyard.services import ARTIFACTS, SERVICES, SPRING_SERVICES, get_base
from halgit.pipeline import Path


@dataclass(frozen=True, slots=True)
class AffectedService:
    """One service that a change reaches, and why."""

    service: str
    reason: str


_ALL: Final = tuple(dict.fromkeys(get_base(service) for service in SERVICES))
_EVERY_SPRING: Final = tuple(dict.fromkeys(get_base(service) for service in SPRING_SERVICES))
_WITH_DECK: Final = (*_EVERY_SPRING, "deck")
_BAKED: Final = ("aws", "azure", "google", "huaweicloud", "oracle", "oraclebmcs", "tencentcloud")
_ADDRESSES: Final = "the addresses of all services are in spinnaker.yml"

_SECTIONS: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]] = (
    (("version",), _ALL, "every service takes its version from it"),
    (("name",), _ALL, "the deployment's files are named by it"),
    (("timezone",), _WITH_DECK, "the time zone is in spinnaker.yml and in Deck's settings"),
    (("providers",), ("clouddriver",), "Clouddriver gets all providers"),
    *((("providers", cloud), ("rosco",), "Rosco gets the clouds it bakes images for") for cloud in _BAKED),
    (("providers", "*", "primaryAccount"), ("deck",), "Deck offers it first"),
    (("providers", "*", "enabled"), ("deck",), "Deck offers what is enabled"),
    (("providers", "aws", "primaryAccount"), ("orca",), "Orca bakes with it"),
    (("providers", "dockerRegistry", "enabled"), ("igor",), "Igor watches registries"),
    (("artifacts",), ("clouddriver", "echo", "igor"), "these three get all artifact accounts"),
    (("canary",), ("kayenta", "deck"), "Kayenta gets it, and Deck its defaults"),
    (("canary", "enabled"), _WITH_DECK, _ADDRESSES),
    (("ci",), ("igor",), "Igor gets all build systems"),
    (("ci", "gcb"), ("echo",), "Echo hears of builds of Google Cloud Build"),
    (("repository",), ("igor",), "Igor watches repositories"),
    (("notifications",), ("echo", "deck"), "Echo sends notifications, and Deck offers them"),
    (("pubsub",), ("echo",), "Echo gets all messages"),
    (("stats",), ("echo",), "Echo sends them"),
    (("features",), ("deck", "orca", "gate"), "these three have switches of features"),
    (("webhook",), ("orca",), "Orca runs webhook stages"),
    (("persistentStorage",), ("front50",), "Front50 keeps everything there"),
    (("spinnaker",), _EVERY_SPRING, "every Spring service loads plug-ins"),
    (("metricStores",), ("monitoring-daemon",), "the monitoring daemon feeds it"),
    (("metricStores", "*", "enabled"), _EVERY_SPRING, "every Spring service offers its metrics then"),
    (("security", "apiSecurity"), ("gate",), "Gate is the way in"),
    (("security", "authn"), ("gate", "deck"), "Gate logs people in, and Deck knows whether they must"),
    (("security", "authz"), ("fiat", "gate"), "Fiat decides, and Gate gets its files"),
    (("security", "authz", "enabled"), _WITH_DECK, _ADDRESSES),
    (("security", "uiSecurity"), ("deck",), "Deck is what people see"),
    (("security", "*", "overrideBaseUrl"), _WITH_DECK, _ADDRESSES),
    (("deploymentEnvironment",), _ALL, "it says how every service is deployed"),
)
"""Sections, the base services they reach, and why. All entries whose path is above or below a changed path count."""

_PER_SERVICE: Final = frozenset(
    {"affinity", "customSizing", "hostAliases", "initContainers", "sidecars", "tolerations"}
)
_SHARED_SETTINGS: Final = frozenset({"address", "baseUrl", "enabled", "host", "overrideBaseUrl", "port", "scheme"})


def find_by_section(path: Path, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """What a change at a path below a deployment of the halconfig reaches, among the services that run."""
    services = tuple(running)
    if len(path) > 2 and path[0] == "deploymentEnvironment" and path[1] in _PER_SERVICE:
        reason = f"deploymentEnvironment.{path[1]} names it"
        return tuple(
            AffectedService(service, reason) for service in match_service_key(str(path[2]), services, str(path[1]))
        )
    found: dict[str, str] = {}
    for section, bases, reason in _SECTIONS:
        if _touches(section, path):
            for service in services:
                if get_base(service) in bases:
                    found.setdefault(service, reason)
    return tuple(AffectedService(service, reason) for service, reason in found.items())


def _touches(section: tuple[str, ...], path: Path) -> bool:
    """Whether a changed path lies in a section, or holds it."""
    return all(wanted in {"*", step} for wanted, step in zip(section, path, strict=False))


def match_service_key(key: str, running: Iterable[str], section: str) -> tuple[str, ...]:
    """The services a key of `customSizing`, `sidecars` and the like means: `spin-gate` and `gate` mean Gate.

    In all of them but `customSizing` the name of a base means its parts too, where they have no entry of their own.
    """
    name = key.removeprefix("spin-")
    falls_back = section != "customSizing"
    return tuple(service for service in running if name == service or (falls_back and name == get_base(service)))


def find_by_profile(name: str, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """What a profile (its path below `profiles/`) reaches, among the services that run."""
    taken = set(find_profile_services(name))
    return tuple(AffectedService(service, f"it takes profiles/{name}") for service in running if service in taken)


def find_by_service_settings(service: str, path: Path, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """What a change in the settings of a service reaches: the service, and all if others find it by what changed."""
    own = f"service-settings/{service}.yml is its own"
    shared = not path or path[0] in _SHARED_SETTINGS
    return tuple(
        AffectedService(other, own if other == service else _ADDRESSES)
        for other in running
        if other == service or (shared and get_base(other) in _WITH_DECK)
    )


def find_by_bom_file(artifact: str, running: Iterable[str]) -> tuple[AffectedService, ...]:
    """What a change below `.boms/` reaches: the services made of an artifact, or all of them for the bill itself."""
    reason = f".boms/{artifact} is what it is made of"
    return tuple(
        AffectedService(service, reason)
        for service in running
        if artifact not in ARTIFACTS or get_base(service) == artifact
    )
