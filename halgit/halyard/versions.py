"""Spinnaker's versions as Halyard compares them, and what it makes of them.

As `Versions` and `FieldValidator` do: `X.Y.Z`, what follows the first dash cut off, `local:` taken off, `branch:`
above everything. Pure; knows no list of released versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from halgit.halyard.services import get_base, get_value
from halgit.pipeline import Value

BRANCH_PREFIX: Final = "branch:"
LOCAL_PREFIX: Final = "local:"

Bound = Literal["", "too-low", "too-high"]

_NUMBER: Final = re.compile(r"[-+]?[0-9]+")
_PLUGINS_SINCE: Final = "1.19.4"
_PLUGINS_SINCE_RELEASE: Final = "1.19.0"
_PLUGINS_SINCE_BUILD: Final = "20200403040016"


def parse_version(version: str) -> tuple[int, int, int] | None:
    """The three numbers of a version; None for one that Halyard cannot take apart (a branch among them)."""
    if version.startswith(BRANCH_PREFIX):
        return None
    parts = version.removeprefix(LOCAL_PREFIX).split("-", 1)[0].rstrip(".").split(".")
    if len(parts) != 3 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    major, minor, patch = (int(part) for part in parts)
    return major, minor, patch


def get_bom_path(version: str) -> str:
    """Where in the tree the bill of materials of a `local:` version is; "" for the other versions, of which none is."""
    return f".boms/bom/{version.removeprefix(LOCAL_PREFIX)}.yml" if version.startswith(LOCAL_PREFIX) else ""


def is_comparable(version: str) -> bool:
    """Whether Halyard can compare this version with others: it is a branch, or X.Y.Z."""
    return version.startswith(BRANCH_PREFIX) or parse_version(version) is not None


def compare_with_bounds(version: str, valid: tuple[str, str]) -> Bound:
    """Whether a version is below or above what a field is valid for, "" where it is within or cannot be compared.

    `valid` holds the first version that knows the field and the first that does not any more, "" for no bound. The
    caller leaves out fields that are false or empty, as Halyard does.
    """
    if not is_comparable(version):
        return ""
    lower, upper = valid
    here = parse_version(version)
    if lower and here is not None and here < _bound(lower):
        return "too-low"
    return "too-high" if upper and (here is None or here >= _bound(upper)) else ""


def _bound(version: str) -> tuple[int, int, int]:
    known = parse_version(version)
    if known is None:
        raise ValueError(f"{version} is no bound")
    return known


def supports_plugins(version: str) -> bool | None:
    """Whether Halyard writes the plugin settings for this version; None where it fails on the version instead.

    As `SpringProfileFactory.spinnakerVersionSupportsPlugins`: any version with a dash that is neither `master-...` nor
    `release-...` counts as one without plugins, and their settings are left out without a word.
    """
    parts = version.split("-")
    if len(parts) == 1:
        return _at_least(version, _PLUGINS_SINCE)
    if parts[0] == "master":
        return _built_with_plugins(parts[1])
    if parts[0] == "release" and len(parts) >= 3:
        known = _at_least(parts[1].replace("x", "0"), _PLUGINS_SINCE_RELEASE)
        return known and _built_with_plugins(parts[2])
    return False


def _at_least(version: str, bound: str) -> bool | None:
    if version.startswith(BRANCH_PREFIX):
        return True
    here = parse_version(version)
    return None if here is None else here >= _bound(bound)


def _built_with_plugins(build: str) -> bool:
    return build == "latest" or build > _PLUGINS_SINCE_BUILD


_SINCE: Final[Mapping[str, tuple[int, int, int]]] = {
    "clouddriver": (4, 3, 6),
    "echo": (2, 3, 2),
    "fiat": (1, 3, 3),
    "front50": (0, 15, 3),
    "gate": (1, 5, 3),
    "igor": (1, 0, 2),
    "kayenta": (0, 6, 2),
    "orca": (2, 4, 1),
    "rosco": (0, 9, 1),
}
"""The first version of each artifact that decrypts, as Halyard's service classes have it; others never do."""

_RELEASES_SINCE: Final = (1, 20, 0)
"""Releases from here on count as decrypting, a cautious line: their artifacts are past `_SINCE` by a wide margin.

The first such release is older, but which one it is stands in no source we have. A release wrongly taken for too old
costs only that halgit resolves a secret which the service would have decrypted.
"""

_FIRST_YEAR: Final = 2025
"""Releases after 1.x are named by the year. Other numbers are other distributions', whose artifacts are not known."""

_ARTIFACT: Final = re.compile(r"\d+\.\d+\.\d+(-.*)?")
_RELEASE: Final = re.compile(r"\d+\.\d+\.\d+")


def can_decrypt(service: str, version: str, bill: Value) -> bool | None:
    """Whether a service decrypts references in its own configuration; None where that is not known.

    `version` is the deployment's; `bill` its local bill of materials, anything but a mapping where there is none.
    """
    since = _SINCE.get(get_base(service))
    if since is None:
        return False
    if version.startswith(LOCAL_PREFIX) and isinstance(bill, dict):
        own = get_value(bill, "services", get_base(service), "version")
        here = parse_version(own) if isinstance(own, str) and _ARTIFACT.fullmatch(own) else None
        return here is not None and here >= since
    here = parse_version(version) if _RELEASE.fullmatch(version) else None
    known = here is not None and here >= _RELEASES_SINCE and (here[0] == 1 or here[0] >= _FIRST_YEAR)
    return True if known else None


def can_all_decrypt(services: Iterable[str], version: str, bill: Value) -> bool | None:
    """Whether each of these services decrypts, None where that is not known of one; False for none at all.

    Those that the local bill lacks do not run, and do not count.
    """
    bound = isinstance(bill, dict) and version.startswith(LOCAL_PREFIX)
    there = [name for name in services if not bound or get_value(bill, "services", get_base(name), "version")]
    found = {can_decrypt(name, version, bill) for name in there} or {False}
    return False if False in found else None if None in found else True
