"""Services that a difference affects (restart, start, stop, reload), each with its reasons.

Services that run on either side count; one that runs on one side only starts or stops. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from halgit.halyard import change_impact, model
from halgit.halyard import services as running
from halgit.halyard.change_impact import AffectedService
from halgit.pipeline import MISSING, File, Path, Value
from halgit.record import Record, field
from halgit.report.differences import Effect, Service


class Changed(Record):
    """A location that differs: a file, a path in it (empty for the whole file), and the path as people write it."""

    file: str
    path: Path = ()
    shown: str = ""


class _Affected(Record, frozen=False):
    """The services found so far: their reasons and effects."""

    reason: dict[str, dict[str, None]] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)


def affected_services(
    changed: Iterable[Changed], before: Mapping[str, File], after: Mapping[str, File], accounts: frozenset[str]
) -> tuple[Service, ...]:
    """Return the services these changes affect. `accounts` are files of dynamic accounts, which Clouddriver reloads."""
    places = tuple(changed)
    found = _Affected()
    for deployment in dict.fromkeys((*_deployments(after), *_deployments(before))):
        _of_deployment(deployment, places, before, after, found)
    own = [place.file for place in places if place.file in accounts]
    for file in dict.fromkeys(own):
        for name in _clouddrivers(before, after):
            found.reason.setdefault(name, {}).setdefault(f"it reads {file} itself, without a restart")
            found.effects.setdefault(name, "reloads")
    listed = [name for name in running.SERVICES if name in found.reason]
    return tuple(Service(name, found.effects.get(name, "restarts"), tuple(found.reason[name])) for name in listed)


def _of_deployment(
    name: str, places: tuple[Changed, ...], before: Mapping[str, File], after: Mapping[str, File], found: _Affected
) -> None:
    old, new = _statuses(before, name), _statuses(after, name)
    runs = {service for side in (old, new) for service, status in side.items() if status.runs}
    either = tuple(service for service in running.SERVICES if service in runs)
    for place in places:
        for one in _reached(place, either, name, before, after):
            found.reason.setdefault(one.service, {}).setdefault(one.reason)
            found.effects[one.service] = "restarts"
    for service in either:
        was, now = (service in side and side[service].runs for side in (old, new))
        if was != now:
            reason = (new if service in new else old)[service].reason if now or service in new else "it is not deployed"
            found.reason.setdefault(service, {}).setdefault(reason)
            found.effects[service] = "starts" if now else "stops"


def _statuses(files: Mapping[str, File], deployment: str) -> dict[str, running.ServiceStatus]:
    node = _deployments(files).get(deployment)
    if node is None:
        return {}
    start = f"{deployment}/service-settings/"
    settings = {
        path[len(start) :].removesuffix(".yml"): file.data
        for path, file in files.items()
        if path.startswith(start) and file.data is not MISSING
    }
    return running.get_statuses(node, settings)


def _deployments(files: Mapping[str, File]) -> dict[str, Value]:
    """The deployments of a tree by name."""
    config = files["config"].data if "config" in files else None
    listed = config.get("deploymentConfigurations") if isinstance(config, dict) else None
    items = listed if isinstance(listed, list) else []
    return {str(item["name"]): item for item in items if isinstance(item, dict) and "name" in item}


def _clouddrivers(before: Mapping[str, File], after: Mapping[str, File]) -> tuple[str, ...]:
    runs = {
        service
        for files in (before, after)
        for name in _deployments(files)
        for service, status in _statuses(files, name).items()
        if status.runs and running.get_base(service) == "clouddriver"
    }
    return tuple(service for service in running.SERVICES if service in runs)


def _reached(
    one: Changed, names: tuple[str, ...], deployment: str, before: Mapping[str, File], after: Mapping[str, File]
) -> tuple[AffectedService, ...]:
    profiles, settings = f"{deployment}/profiles/", f"{deployment}/service-settings/"
    if one.file == "config":
        return _by_section(one, names, deployment)
    if one.file.startswith(profiles):
        return change_impact.find_by_profile(one.file[len(profiles) :], names)
    if one.file.startswith(settings):
        service = one.file[len(settings) :].removesuffix(".yml")
        return change_impact.find_by_service_settings(service, one.path, names)
    if one.file.startswith(".boms/"):
        return change_impact.find_by_bom_file(one.file.split("/")[1], names)
    return tuple(dict.fromkeys((*_by_field(one.file, names, after), *_by_field(one.file, names, before))))


def _by_section(one: Changed, names: tuple[str, ...], deployment: str) -> tuple[AffectedService, ...]:
    """Return what a path of the halconfig affects in this deployment; a path outside deployments affects all."""
    if one.path[:1] not in ((), ("deploymentConfigurations",)):
        return ()
    start = f"deploymentConfigurations[name={deployment}]"
    if len(one.path) > 1 and one.shown != start and not one.shown.startswith(f"{start}."):
        return ()
    return change_impact.find_by_section(one.path[2:], names)


def _by_field(file: str, names: tuple[str, ...], files: Mapping[str, File]) -> tuple[AffectedService, ...]:
    """Return what a local file affects: the services affected by the sections of the halconfig that name it."""
    config = files["config"].data if "config" in files else None
    named = model.list_local_files(config) if isinstance(config, dict) else []
    found: list[AffectedService] = []
    for path, value in named:
        if isinstance(value, str) and (value == file or value.endswith("/" + file)):
            found += [
                AffectedService(one.service, f"it gets {file}")
                for one in change_impact.find_by_section(path[2:], names)
            ]
    return tuple(found)
