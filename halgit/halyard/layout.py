"""Where a file stands in the `.hal` tree: what it is, who takes it, and why it is left out where it is.

Pure: looks at a path and the names of the deployments, never at a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Literal

from halgit.halyard.services import SERVICES, SPRING_SERVICES, get_base

Kind = Literal["config", "profile", "service-settings", "bom", "daemon", "settings", "other"]


@dataclass(frozen=True, slots=True)
class FileRole:
    """What one file of a layer is.

    `services` are those of any mode that take it by its name. `reason` says why it is not part of the rendered tree;
    empty where it is. A file of the daemon, or `halgit.yaml`, has its kind and no `reason`: the caller knows them.
    """

    kind: Kind
    deployment: str = ""
    services: tuple[str, ...] = ()
    reason: str = ""


_DAEMON = re.compile(r"halyard(-local)?\.ya?ml")
_HIDDEN = "it is a hidden file"
_GENERATED = "Halyard makes it and deletes or overwrites it"
_COPY = re.compile(
    r"(?P<of>.+?)(?:~|\.(?:bak|bkp|bckp|backup|old|orig|save|copy|tmp|temp|swp|swo|rej|disabled|off|dist|sample|example)\d*"
    r"|[-_.](?:bak|bkp|bckp|backup|orig|copy)(?P<ext>\.ya?ml|\.js)?)$",
    re.IGNORECASE,
)
_VARIANT = re.compile(r"(?P<of>.+?\.(?:ya?ml|js))(?P<tail>[-._~ ].*)$", re.IGNORECASE)
_STAGES = frozenset({"staging", "history", "service-logs"})
_SCRIPTS = frozenset({"install.sh", "prep.sh", "connect.sh", "uninstall.sh", "vault-token"})


def classify_file(path: str, deployments: Sequence[str]) -> FileRole:
    """What the file at this path of a layer is. `deployments` are the names in its `config`."""
    if path == "config":
        return FileRole("config")
    if path == "halgit.yaml":
        return FileRole("settings")
    if _DAEMON.fullmatch(path):
        return FileRole("daemon")
    if path.startswith(".boms/"):
        return FileRole("bom")
    parts = path.split("/")
    if len(parts) >= 3 and parts[1] in {"profiles", "service-settings"} and not parts[0].startswith("."):
        return _of_deployment(parts, deployments)
    return FileRole("other", reason=_why_other(parts, deployments))


def _of_deployment(parts: list[str], deployments: Sequence[str]) -> FileRole:
    name = "/".join(parts[2:])
    found = classify_profile(name) if parts[1] == "profiles" else classify_service_settings(name)
    reason = found.reason
    if parts[0] not in deployments:
        known = ", ".join(deployments) or "none"
        reason = f"config has no deployment {parts[0]} (deployments: {known})"
    return FileRole(found.kind, parts[0], found.services, reason)


def find_profile_services(name: str) -> tuple[str, ...]:
    """The services of any mode that take a profile by its name (its path below `profiles/`).

    As `customProfileOutputPath` of Halyard's service classes says: the exact `<service>.yml`, anything that begins
    with `<service>-`, `<base>-local.yml`, anything that begins with `spinnaker`, and the folders and files of
    clouddriver, rosco, deck and monitoring-daemon.
    """
    return tuple(service for service in SERVICES if _takes(service, name))


@cache
def _takes(service: str, name: str) -> bool:
    family = get_base(service)
    if service in SPRING_SERVICES:
        folder = family in {"clouddriver", "rosco"} and name.startswith(family + "/")
        images = family == "rosco" and name == "images-local.yml"
        named = name in {f"{service}.yml", f"{family}-local.yml"} or name.startswith((f"{service}-", "spinnaker"))
        return named or folder or images
    return (
        name.lower() in _OTHERS.get(service, ()) if service == "monitoring-daemon" else name in _OTHERS.get(service, ())
    )


_OTHERS: dict[str, tuple[str, ...]] = {
    "deck": ("settings.js", "settings-local.js"),
    "monitoring-daemon": ("spinnaker-monitoring-local.yml", "monitoring-daemon/filters/default.yml"),
}


@cache
def classify_profile(name: str) -> FileRole:
    """What the file `name` below `profiles/` is; the deployment is left empty."""
    services = find_profile_services(name)
    return FileRole(
        "profile", services=services, reason=_why_unwanted(name) or ("" if services else _why_no_taker(name))
    )


@cache
def classify_service_settings(name: str) -> FileRole:
    """What the file `name` below `service-settings/` is; the deployment is left empty."""
    service = name.removesuffix(".yml")
    if name.endswith(".yml") and service in SERVICES:
        return FileRole("service-settings", services=(service,))
    reason = _why_unwanted(name)
    if not reason:
        near = _nearest(name, tuple(f"{service}.yml" for service in SERVICES))
        reason = "no service reads settings of this name" + (f"; did you mean {near}?" if near else "")
    return FileRole("service-settings", reason=reason)


def _why_unwanted(name: str) -> str:
    """Why a hidden file, a copy or a variant is left out, though services would take some by their names."""
    parts = name.split("/")
    if any(part.startswith(".") for part in parts):
        return _HIDDEN
    copy = _COPY.fullmatch(parts[-1])
    if copy:
        return f"it is a backup copy of {copy['of']}{copy['ext'] or ''}"
    variant = _VARIANT.fullmatch(parts[-1])
    if variant:
        return f"it is a variant or copy of {variant['of']}"
    return ""


def _why_no_taker(name: str) -> str:
    near = _nearest(name, _profile_names())
    return "no service takes a profile of this name" + (f"; did you mean {near}?" if near else "")


@cache
def _profile_names() -> tuple[str, ...]:
    """The usual names of profiles: what a mistyped one is compared with."""
    bases = dict.fromkeys(get_base(service) for service in SPRING_SERVICES)
    local = [f"{name}-local.yml" for name in bases]
    own = [f"{service}.yml" for service in SPRING_SERVICES] + [f"{service}-local.yml" for service in SPRING_SERVICES]
    rest = [name for names in _OTHERS.values() for name in names]
    return tuple(dict.fromkeys([*local, *own, "spinnakerconfig.yml", "spinnaker-local.yml", "images-local.yml", *rest]))


def _nearest(name: str, names: Sequence[str]) -> str:
    """The name that was probably meant, or an empty text: case, underscores and `.yaml` are seen through first."""
    plain = name.lower().replace("_", "-").replace(" ", "-")
    plain = re.sub(r"\.(yaml|yml\.yml|yml\.yaml|json)$", ".yml", plain)
    if plain in names:
        return plain
    close = get_close_matches(plain, names, n=1, cutoff=0.85)
    return close[0] if close else ""


def _why_other(parts: list[str], deployments: Sequence[str]) -> str:
    if parts[0] in {".backup", ".cache"}:
        return _GENERATED
    if any(part.startswith(".") for part in parts):
        return _HIDDEN
    if len(parts) >= 2 and parts[0] in deployments:
        return _why_in_deployment(parts)
    if len(parts) == 1:
        return _why_at_root(parts[0])
    return "Halyard reads nothing there"


def _why_in_deployment(parts: list[str]) -> str:
    if parts[1] in _STAGES or "/".join(parts[1:]) in _SCRIPTS:
        return _GENERATED
    if len(parts) > 2:
        near = _nearest(parts[1], ("profiles", "service-settings"))
        near = near or {"profile": "profiles", "service-setting": "service-settings"}.get(parts[1].lower(), "")
        if near:
            return f"Halyard reads nothing there; did you mean {parts[0]}/{near}?"
    return "Halyard reads nothing there"


def _why_at_root(name: str) -> str:
    if name == "clouddriver-local.yml":
        return "Clouddriver reads its dynamic accounts from the repository itself"
    if _why_unwanted(name):
        return _why_unwanted(name)
    if (
        name.lower() in {"config.yml", "config.yaml", "halconfig", "halconfig.yml", "halconfig.yaml"}
        or name == "Config"
    ):
        return "the halconfig's name is config, without an ending"
    return "Halyard does not read it"
