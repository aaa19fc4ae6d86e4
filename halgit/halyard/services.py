"""The services Halyard deploys: their names, in which mode they exist, and which of them run for a configuration.

Pure functions over a deployment of the halconfig and its service-settings; nothing here reads a file or judges a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from halgit.halyard.coercion import boolean, constant, truth
from halgit.halyard.resources import table
from halgit.pipeline import EMPTY, Value

_TABLE: Final = table("services")["services"]

SERVICES: Final[tuple[str, ...]] = tuple(_TABLE)
"""The canonical names of all services of all modes; the file of a service's settings is `<name>.yml`."""

SPRING: Final[tuple[str, ...]] = tuple(name for name, entry in _TABLE.items() if entry["spring"])
"""The services that are Spring programs, and so take profiles by name."""

ARTIFACTS: Final[tuple[str, ...]] = tuple(table("services")["artifacts"])
"""The names a bill of materials knows; `spinnaker` among them is no service."""

KUBERNETES: Final = "Distributed on Kubernetes"
"""The mode a Spinnaker on Kubernetes has."""


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a service runs, and what says so."""

    runs: bool
    reason: str


def base(service: str) -> str:
    """The service this one is a part of: `clouddriver` for `clouddriver-rw`. Raises KeyError for an unknown name."""
    return str(_TABLE[service]["base"])


def port(service: str) -> int | None:
    """The port a service listens on, unless its settings say otherwise."""
    found = _TABLE[service]["port"]
    return None if found is None else int(found)


def family(service: str) -> tuple[str, ...]:
    """All services of the same base."""
    return tuple(name for name in SERVICES if base(name) == base(service))


def mode(deployment: Value) -> str:
    """How Spinnaker is deployed: one of the modes of the table, LocalDebian where nothing is said, as in Halyard."""
    environment = at(deployment, "deploymentEnvironment")
    kind = constant(at(environment, "type"), "node.DeploymentEnvironment.DeploymentType") or "LocalDebian"
    if kind != "Distributed":
        return kind
    accounts = at(deployment, "providers", "google", "accounts")
    name = at(environment, "accountName")
    on_google = isinstance(accounts, list) and any(at(account, "name") == name for account in accounts)
    return "Distributed on Google" if on_google and name is not None else KUBERNETES


def existing(mode_: str) -> tuple[str, ...]:
    """The services that a mode can run at all."""
    return tuple(name for name in SERVICES if mode_ in _TABLE[name]["modes"])


def statuses(deployment: Value, settings: Mapping[str, Value] = EMPTY) -> dict[str, Status]:
    """Whether each service of the deployment's mode runs, and why. `settings`: service-settings by service.

    A service also needs a version in the bill of materials, which is not looked at here.
    """
    here = mode(deployment)
    return {service: status(service, deployment, settings, here) for service in existing(here)}


def enabled(deployment: Value, settings: Mapping[str, Value] = EMPTY) -> tuple[str, ...]:
    """The services that run for a deployment; see `statuses`."""
    return tuple(service for service, known in statuses(deployment, settings).items() if known.runs)


def status(service: str, deployment: Value, settings: Mapping[str, Value], mode_: str) -> Status:
    """Whether one service runs: what its own settings say wins over what the halconfig says."""
    own = boolean(at(settings.get(service), "enabled"))
    if at(settings.get(service), "enabled") is not None and own is not None:
        return Status(own, f"enabled in service-settings/{service}.yml is {'true' if own else 'false'}")
    return _by_halconfig(service, deployment, mode_)


def _by_halconfig(service: str, deployment: Value, mode_: str) -> Status:
    name = base(service)
    if name in {"clouddriver", "echo"} and mode_ == KUBERNETES:
        return _by_high_availability(service, name, deployment)
    if name == "fiat":
        return _by(deployment, "security", "authz", "enabled")
    if name == "kayenta":
        return _by(deployment, "canary", "enabled")
    if name == "igor" and mode_ == KUBERNETES:
        return _igor(deployment)
    if name == "monitoring-daemon" and mode_ != "BakeDebian":
        return _any_of(deployment, "metricStores", "metric store")
    return Status(True, "it always runs")


def _by(deployment: Value, *path: str) -> Status:
    runs = truth(at(deployment, *path))
    return Status(runs, f"{'.'.join(path)} is {'true' if runs else 'false'}")


def _by_high_availability(service: str, name: str, deployment: Value) -> Status:
    split = truth(at(deployment, "deploymentEnvironment", "haServices", name, "enabled"))
    reason = f"haServices.{name}.enabled is {'true' if split else 'false'}"
    if service == name:
        return Status(not split, reason)
    no_ro_deck = truth(at(deployment, "deploymentEnvironment", "haServices", name, "disableClouddriverRoDeck"))
    if split and service == "clouddriver-ro-deck" and no_ro_deck:
        return Status(False, "haServices.clouddriver.disableClouddriverRoDeck is true")
    return Status(split, reason)


def _igor(deployment: Value) -> Status:
    registry = _by(deployment, "providers", "dockerRegistry", "enabled")
    builds = _any_of(deployment, "ci", "build system")
    return (
        registry
        if registry.runs
        else builds
        if builds.runs
        else Status(False, f"{registry.reason}, and {builds.reason}")
    )


def _any_of(deployment: Value, section: str, thing: str) -> Status:
    entries = at(deployment, section)
    on = [key for key, entry in (entries if isinstance(entries, dict) else {}).items() if truth(at(entry, "enabled"))]
    return Status(True, f"{section}.{on[0]}.enabled is true") if on else Status(False, f"no {thing} is enabled")


def at(node: Value, *path: str) -> Value:
    """The value below these keys; None where there is none."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node
