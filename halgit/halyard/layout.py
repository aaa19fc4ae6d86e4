"""The role of a file in the `.hal` tree: its kind, the services that read it, and why it is skipped if it is.

Pure: looks at a path and the names of the deployments, never at a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from halgit.annotations import Literal
from halgit.halyard.services import SERVICES, SPRING_SERVICES, get_base
from halgit.lazy import lazy_pattern
from halgit.record import Record

Kind = Literal["config", "profile", "service-settings", "bom", "daemon", "settings", "other"]


class FileRole(Record):
    """The role of one file of a layer.

    `services` are the services of any mode that read the file by its name. `reason` says why the file is not part of
    the rendered tree; it is empty for a file that is, for a file of the daemon, and for `halgit.yaml`.
    """

    kind: Kind
    deployment: str = ""
    services: tuple[str, ...] = ()
    reason: str = ""


_DAEMON = frozenset({"halyard.yml", "halyard.yaml", "halyard-local.yml", "halyard-local.yaml"})
_DYNAMIC_ACCOUNTS = "Clouddriver reads dynamic accounts directly from the repository"
_HIDDEN = "hidden file"
_GENERATED = "Halyard generates and overwrites it"
_COPY = lazy_pattern(
    r"(?P<of>.+?)(?:~|\.(?:bak|bkp|bckp|backup|old|orig|save|copy|tmp|temp|swp|swo|rej|disabled|off|dist|sample|example)\d*"
    r"|[-_.](?:bak|bkp|bckp|backup|orig|copy)(?P<ext>\.ya?ml|\.js)?)$",
    re.IGNORECASE,
)
_COPY_WORDS = frozenset({"bak", "bkp", "bckp", "backup", "orig", "copy"})
_VARIANT = lazy_pattern(r"(?P<of>.+?\.(?:ya?ml|js))(?P<tail>[-._~ ].*)$", re.IGNORECASE)
_STAGES = frozenset({"staging", "history", "service-logs"})
_SCRIPTS = frozenset({"install.sh", "prep.sh", "connect.sh", "uninstall.sh", "vault-token"})


def classify_file(path: str, deployments: Sequence[str]) -> FileRole:
    """Return the role of the file at a path of a layer. `deployments` are the names in its `config`."""
    if path == "config":
        return FileRole("config")
    if path == "halgit.yaml":
        return FileRole("settings")
    if path in _DAEMON:
        return FileRole("daemon")
    if path.startswith(".boms/"):
        return FileRole("bom")
    parts = path.split("/")
    if len(parts) >= 3 and parts[1] in {"profiles", "service-settings"} and not parts[0].startswith("."):
        return _classify_in_deployment(parts, deployments)
    return FileRole("other", reason=_explain_other(parts, deployments))


def _classify_in_deployment(parts: list[str], deployments: Sequence[str]) -> FileRole:
    name = "/".join(parts[2:])
    found = classify_profile(name) if parts[1] == "profiles" else classify_service_settings(name)
    reason = found.reason
    if parts[0] not in deployments:
        known = ", ".join(deployments) or "none"
        reason = f"config has no deployment {parts[0]} (deployments: {known})"
    return FileRole(found.kind, parts[0], found.services, reason)


_ACCOUNTS = lazy_pattern(r"(?:accounts/)?(?:application|clouddriver)(?:-[^/]*)?\.(?:ya?ml|properties)")


def is_account_file(path: str) -> bool:
    """Return whether Clouddriver's config server serves a file: from the root, or from the folder of accounts."""
    return path.startswith(("accounts/", "application", "clouddriver")) and _ACCOUNTS.fullmatch(path) is not None


def find_profile_services(name: str) -> tuple[str, ...]:
    """Return the services of any mode that read a profile by its name (its path below `profiles/`).

    Follows `customProfileOutputPath` of Halyard's service classes: the exact `<service>.yml`, names that begin with
    `<service>-` or `spinnaker`, `<base>-local.yml`, and the folders and files of clouddriver, rosco, deck and
    monitoring-daemon.
    """
    return tuple(service for service in SERVICES if _reads_profile(service, name))


@cache
def _reads_profile(service: str, name: str) -> bool:
    family = get_base(service)
    if service in SPRING_SERVICES:
        folder = family in {"clouddriver", "rosco"} and name.startswith(family + "/")
        images = family == "rosco" and name == "images-local.yml"
        named = name in {f"{service}.yml", f"{family}-local.yml"} or name.startswith((f"{service}-", "spinnaker"))
        return named or folder or images
    return (
        name.lower() in _OTHER_PROFILES.get(service, ())
        if service == "monitoring-daemon"
        else name in _OTHER_PROFILES.get(service, ())
    )


_OTHER_PROFILES: dict[str, tuple[str, ...]] = {
    "deck": ("settings.js", "settings-local.js"),
    "monitoring-daemon": ("spinnaker-monitoring-local.yml", "monitoring-daemon/filters/default.yml"),
}


@cache
def classify_profile(name: str) -> FileRole:
    """Return the role of the file `name` below `profiles/`, without the deployment."""
    services = find_profile_services(name)
    return FileRole(
        "profile",
        services=services,
        reason=_explain_skipped_name(name) or ("" if services else _explain_no_reader(name)),
    )


@cache
def classify_service_settings(name: str) -> FileRole:
    """Return the role of the file `name` below `service-settings/`, without the deployment."""
    service = name.removesuffix(".yml")
    if name.endswith(".yml") and service in SERVICES:
        return FileRole("service-settings", services=(service,))
    reason = _explain_skipped_name(name)
    folder, _, last = name.rpartition("/")
    if not reason and folder and last.removesuffix(".yml") in SERVICES:
        reason = f"the folder {folder} hides it: Halyard reads {last} directly below service-settings"
    if not reason:
        near = _find_nearest(name, tuple(f"{service}.yml" for service in SERVICES))
        reason = "no service reads service-settings with this name" + (f"; did you mean {near}?" if near else "")
    return FileRole("service-settings", reason=reason)


def _explain_skipped_name(name: str) -> str:
    """Return why a hidden file, a copy or a variant is skipped, even if its name matches a service; else ""."""
    parts = name.split("/")
    if any(part.startswith(".") for part in parts):
        return _HIDDEN
    if _is_ordinary(parts[-1]):
        return ""
    copy = _COPY.fullmatch(parts[-1])
    if copy:
        return f"backup copy of {copy['of']}{copy['ext'] or ''}"
    variant = _VARIANT.fullmatch(parts[-1])
    if variant:
        return f"variant or copy of {variant['of']}"
    return ""


def _is_ordinary(name: str) -> bool:
    """Return whether a name such as `gate-local.yml` is surely no copy; most are decided without the patterns."""
    stem, _, ending = name.partition(".")
    letters = stem.replace("-", "")
    last = stem.rpartition("-")[2].lower()
    return ending in {"yml", "yaml", "js"} and letters.isalnum() and letters.isascii() and last not in _COPY_WORDS


def _explain_no_reader(name: str) -> str:
    folder, _, last = name.rpartition("/")
    if folder and find_profile_services(last):
        return f"the folder {folder} hides it: services read {last} directly below profiles"
    near = _find_nearest(name, _profile_names())
    return "no service reads a profile with this name" + (f"; did you mean {near}?" if near else "")


@cache
def _profile_names() -> tuple[str, ...]:
    """Return the usual names of profiles, to which a mistyped name is compared."""
    bases = dict.fromkeys(get_base(service) for service in SPRING_SERVICES)
    local = [f"{name}-local.yml" for name in bases]
    own = [f"{service}.yml" for service in SPRING_SERVICES] + [f"{service}-local.yml" for service in SPRING_SERVICES]
    rest = [name for names in _OTHER_PROFILES.values() for name in names]
    return tuple(dict.fromkeys([*local, *own, "spinnakerconfig.yml", "spinnaker-local.yml", "images-local.yml", *rest]))


def _find_nearest(name: str, names: Sequence[str]) -> str:
    """Return the name that was probably meant, or "". Case, underscores and `.yaml` are normalized first."""
    from difflib import get_close_matches

    plain = name.lower().replace("_", "-").replace(" ", "-")
    plain = re.sub(r"\.(yaml|yml\.yml|yml\.yaml|json)$", ".yml", plain)
    if plain in names:
        return plain
    close = get_close_matches(plain, names, n=1, cutoff=0.85)
    return close[0] if close else ""


def _explain_other(parts: list[str], deployments: Sequence[str]) -> str:
    if parts[0] in {".backup", ".cache"}:
        return _GENERATED
    if any(part.startswith(".") for part in parts):
        return _HIDDEN
    if is_account_file("/".join(parts)):
        return _DYNAMIC_ACCOUNTS
    if len(parts) >= 2 and parts[0] in deployments:
        return _explain_in_deployment(parts)
    if len(parts) == 1:
        return _explain_at_root(parts[0])
    return _explain_folder(parts, deployments)


def _explain_folder(parts: list[str], deployments: Sequence[str]) -> str:
    """Name the folder that hides a file whose name a service reads."""
    last, deployment = parts[-1], deployments[0] if deployments else "default"
    if last.endswith(("-local.yml", "-local.js")) and find_profile_services(last):
        folder = "/".join(parts[:-1])
        return f"the folder {folder} hides it: services read {deployment}/profiles/{last}"
    return "Halyard does not read this path"


def _explain_in_deployment(parts: list[str]) -> str:
    if parts[1] in _STAGES or "/".join(parts[1:]) in _SCRIPTS:
        return _GENERATED
    if len(parts) > 2:
        near = _find_nearest(parts[1], ("profiles", "service-settings"))
        near = near or {"profile": "profiles", "service-setting": "service-settings"}.get(parts[1].lower(), "")
        if near:
            return f"Halyard does not read this path; did you mean {parts[0]}/{near}?"
    return _explain_folder(parts, (parts[0],))


def _explain_at_root(name: str) -> str:
    if _explain_skipped_name(name):
        return _explain_skipped_name(name)
    if (
        name.lower() in {"config.yml", "config.yaml", "halconfig", "halconfig.yml", "halconfig.yaml"}
        or name == "Config"
    ):
        return "the halconfig must be named config, without an extension"
    return "Halyard does not read it"
