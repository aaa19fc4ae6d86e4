"""Spinnaker's versions as Halyard compares them, and what it makes of them.

As `Versions` and `FieldValidator` do: `X.Y.Z`, what follows the first dash cut off, `local:` taken off, `branch:`
above everything. Pure; knows no list of released versions.
"""

from __future__ import annotations

import re
from typing import Final, Literal

BRANCH: Final = "branch:"
LOCAL: Final = "local:"

Bound = Literal["", "too-low", "too-high"]

_NUMBER: Final = re.compile(r"[-+]?[0-9]+")
_PLUGINS_SINCE: Final = "1.19.4"
_PLUGINS_SINCE_RELEASE: Final = "1.19.0"
_PLUGINS_SINCE_BUILD: Final = "20200403040016"


def semantic(version: str) -> tuple[int, int, int] | None:
    """The three numbers of a version; None for one that Halyard cannot take apart (a branch among them)."""
    if version.startswith(BRANCH):
        return None
    parts = version.removeprefix(LOCAL).split("-", 1)[0].rstrip(".").split(".")
    if len(parts) != 3 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    major, minor, patch = (int(part) for part in parts)
    return major, minor, patch


def bill(version: str) -> str:
    """Where in the tree the bill of materials of a `local:` version is; "" for the other versions, of which none is."""
    return f".boms/bom/{version.removeprefix(LOCAL)}.yml" if version.startswith(LOCAL) else ""


def comparable(version: str) -> bool:
    """Whether Halyard can compare this version with others: it is a branch, or X.Y.Z."""
    return version.startswith(BRANCH) or semantic(version) is not None


def outside(version: str, valid: tuple[str, str]) -> Bound:
    """Whether a version is below or above what a field is valid for, "" where it is within or cannot be compared.

    `valid` holds the first version that knows the field and the first that does not any more, "" for no bound. The
    caller leaves out fields that are false or empty, as Halyard does.
    """
    if not comparable(version):
        return ""
    lower, upper = valid
    here = semantic(version)
    if lower and here is not None and here < _bound(lower):
        return "too-low"
    return "too-high" if upper and (here is None or here >= _bound(upper)) else ""


def _bound(version: str) -> tuple[int, int, int]:
    known = semantic(version)
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
    if version.startswith(BRANCH):
        return True
    here = semantic(version)
    return None if here is None else here >= _bound(bound)


def _built_with_plugins(build: str) -> bool:
    return build == "latest" or build > _PLUGINS_SINCE_BUILD
