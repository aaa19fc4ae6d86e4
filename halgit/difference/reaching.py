"""Which services of Spinnaker a difference restarts or reaches, each with its reasons.

A service that runs on either side counts; one that runs on one side only starts or stops. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from halgit.halyard import reach
from halgit.halyard import services as running
from halgit.halyard.reach import Reach
from halgit.tree import MISSING, File, Path, Value

Effect = Literal["starts", "stops", "restarts"]


@dataclass(frozen=True, slots=True)
class Changed:
    """A place that differs: a file, and a path in it (empty for the whole file)."""

    file: str
    path: Path


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is reached, what happens to it, and why."""

    name: str
    effect: Effect
    why: tuple[str, ...]


def services(
    changed: Iterable[Changed], before: Mapping[str, File], after: Mapping[str, File], deployment: str
) -> tuple[Service, ...]:
    """The services these changes reach, in Halyard's order."""
    old, new = _enabled(before, deployment), _enabled(after, deployment)
    either = tuple(dict.fromkeys((*new, *old)))
    why: dict[str, dict[str, None]] = {}
    for one in changed:
        for found in _reached(one, either, deployment, after):
            why.setdefault(found.service, {}).setdefault(found.why)
    for name in either:
        if (name in old) != (name in new):
            why.setdefault(name, {})
    effects: dict[str, Effect] = {name: "starts" for name in new if name not in old}
    effects |= {name: "stops" for name in old if name not in new}
    return tuple(Service(name, effects.get(name, "restarts"), tuple(why[name])) for name in either if name in why)


def _enabled(files: Mapping[str, File], deployment: str) -> tuple[str, ...]:
    config = files.get("config")
    node = _deployment(config.data if config else None, deployment)
    if node is None:
        return ()
    start = f"{deployment}/service-settings/"
    settings = {
        path[len(start) :].removesuffix(".yml"): file.data
        for path, file in files.items()
        if path.startswith(start) and file.data is not MISSING
    }
    return running.enabled(node, settings)


def _deployment(config: Value, name: str) -> Value:
    listed = config.get("deploymentConfigurations") if isinstance(config, dict) else None
    items = listed if isinstance(listed, list) else ()
    return next((item for item in items if isinstance(item, dict) and item.get("name") == name), None)


def _reached(one: Changed, names: tuple[str, ...], deployment: str, after: Mapping[str, File]) -> tuple[Reach, ...]:
    profiles, settings = f"{deployment}/profiles/", f"{deployment}/service-settings/"
    if one.file == "config":
        return reach.of_section(one.path[2:], names) if one.path[:1] == ("deploymentConfigurations",) else ()
    if one.file.startswith(profiles):
        return reach.of_profile(one.file[len(profiles) :], names)
    if one.file.startswith(settings):
        service = one.file[len(settings) :].removesuffix(".yml")
        return reach.of_service_settings(service, one.path, names)
    if one.file.startswith(".boms/"):
        return reach.of_bill_of_materials(one.file.split("/")[1], names)
    return _by_field(one.file, names, after)


def _by_field(file: str, names: tuple[str, ...], after: Mapping[str, File]) -> tuple[Reach, ...]:
    """A file that the halconfig names reaches what the section reaches that names it."""
    from halgit.halyard import model

    config = after.get("config")
    named = model.local_files(config.data) if config is not None and isinstance(config.data, dict) else []
    found: list[Reach] = []
    for path, value in named:
        if isinstance(value, str) and (value == file or value.endswith("/" + file)):
            found += [Reach(one.service, f"it gets {file}") for one in reach.of_section(path[2:], names)]
    return tuple(found)
