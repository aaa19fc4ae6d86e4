"""The services Halyard deploys: their names, the modes they exist in, and which of them run for a configuration.

Pure functions over a deployment of the halconfig and its service-settings.
"""

from __future__ import annotations

from collections.abc import Mapping

from halgit.annotations import Final
from halgit.halyard.coercion import coerce_boolean, coerce_enum, is_true
from halgit.halyard.resources import load_table
from halgit.pipeline import EMPTY, Value
from halgit.record import Record

_TABLE: Final = load_table("services")["services"]

SERVICES: Final[tuple[str, ...]] = tuple(_TABLE)
"""The canonical names of all services of all modes; a service's settings are in `<name>.yml`."""

SPRING_SERVICES: Final[tuple[str, ...]] = tuple(name for name, entry in _TABLE.items() if entry["spring"])
"""The services that are Spring applications and read profiles by name."""

ARTIFACTS: Final[tuple[str, ...]] = tuple(load_table("services")["artifacts"])
"""The names of artifacts in a BOM; `spinnaker` among them is not a service."""

KUBERNETES_MODE: Final = "Distributed on Kubernetes"
"""The mode of Spinnaker on Kubernetes."""


class ServiceStatus(Record):
    """Whether a service runs, and which setting decides it."""

    runs: bool
    reason: str


def get_base(service: str) -> str:
    """Return the base service: `clouddriver` for `clouddriver-rw`. Raises KeyError for an unknown name."""
    return str(_TABLE[service]["base"])


def get_port(service: str) -> int | None:
    """Return the default port of a service."""
    found = _TABLE[service]["port"]
    return None if found is None else int(found)


def list_family(service: str) -> tuple[str, ...]:
    """Return all services with the same base."""
    return tuple(name for name in SERVICES if get_base(name) == get_base(service))


def get_mode(deployment: Value) -> str:
    """Return the mode of a deployment, LocalDebian by default, as in Halyard."""
    environment = get_value(deployment, "deploymentEnvironment")
    kind = coerce_enum(get_value(environment, "type"), "node.DeploymentEnvironment.DeploymentType") or "LocalDebian"
    if kind != "Distributed":
        return kind
    accounts = get_value(deployment, "providers", "google", "accounts")
    name = get_value(environment, "accountName")
    on_google = isinstance(accounts, list) and any(get_value(account, "name") == name for account in accounts)
    return "Distributed on Google" if on_google and name is not None else KUBERNETES_MODE


def list_services_of_mode(mode_: str) -> tuple[str, ...]:
    """Return the services that a mode can run."""
    return tuple(name for name in SERVICES if mode_ in _TABLE[name]["modes"])


def get_statuses(deployment: Value, settings: Mapping[str, Value] = EMPTY) -> dict[str, ServiceStatus]:
    """Return whether each service of the deployment's mode runs, and why. `settings` are service-settings by service.

    Does not check that the BOM has a version of the service.
    """
    here = get_mode(deployment)
    return {service: get_status(service, deployment, settings, here) for service in list_services_of_mode(here)}


def list_running(deployment: Value, settings: Mapping[str, Value] = EMPTY) -> tuple[str, ...]:
    """Return the services that run for a deployment; see `get_statuses`."""
    return tuple(service for service, known in get_statuses(deployment, settings).items() if known.runs)


def get_status(service: str, deployment: Value, settings: Mapping[str, Value], mode_: str) -> ServiceStatus:
    """Return whether one service runs. Its own settings override the halconfig."""
    own = coerce_boolean(get_value(settings.get(service), "enabled"))
    if get_value(settings.get(service), "enabled") is not None and own is not None:
        return ServiceStatus(own, f"enabled in service-settings/{service}.yml is {'true' if own else 'false'}")
    return _by_halconfig(service, deployment, mode_)


def _by_halconfig(service: str, deployment: Value, mode_: str) -> ServiceStatus:
    name = get_base(service)
    if name in {"clouddriver", "echo"} and mode_ == KUBERNETES_MODE:
        return _by_high_availability(service, name, deployment)
    if name == "fiat":
        return _by(deployment, "security", "authz", "enabled")
    if name == "kayenta":
        return _by(deployment, "canary", "enabled")
    if name == "igor" and mode_ == KUBERNETES_MODE:
        return _igor(deployment)
    if name == "monitoring-daemon" and mode_ != "BakeDebian":
        return _any_of(deployment, "metricStores", "metric store")
    return ServiceStatus(True, "it always runs")


def _by(deployment: Value, *path: str) -> ServiceStatus:
    runs = is_true(get_value(deployment, *path))
    return ServiceStatus(runs, f"{'.'.join(path)} is {'true' if runs else 'false'}")


def _by_high_availability(service: str, name: str, deployment: Value) -> ServiceStatus:
    split = is_true(get_value(deployment, "deploymentEnvironment", "haServices", name, "enabled"))
    reason = f"haServices.{name}.enabled is {'true' if split else 'false'}"
    if service == name:
        return ServiceStatus(not split, reason)
    no_ro_deck = is_true(get_value(deployment, "deploymentEnvironment", "haServices", name, "disableClouddriverRoDeck"))
    if split and service == "clouddriver-ro-deck" and no_ro_deck:
        return ServiceStatus(False, "haServices.clouddriver.disableClouddriverRoDeck is true")
    return ServiceStatus(split, reason)


def _igor(deployment: Value) -> ServiceStatus:
    registry = _by(deployment, "providers", "dockerRegistry", "enabled")
    builds = _any_of(deployment, "ci", "build system")
    return (
        registry
        if registry.runs
        else builds
        if builds.runs
        else ServiceStatus(False, f"{registry.reason}, and {builds.reason}")
    )


def _any_of(deployment: Value, section: str, thing: str) -> ServiceStatus:
    entries = get_value(deployment, section)
    on = [
        key
        for key, entry in (entries if isinstance(entries, dict) else {}).items()
        if is_true(get_value(entry, "enabled"))
    ]
    return (
        ServiceStatus(True, f"{section}.{on[0]}.enabled is true")
        if on
        else ServiceStatus(False, f"no {thing} is enabled")
    )


def get_value(node: Value, *path: str) -> Value:
    """Return the value at a path of keys, or None."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node
