"""Spinnaker versions as Halyard compares them, and which services decrypt secret references in which version.

Follows Halyard's `Versions` and `FieldValidator`: `X.Y.Z`, with anything after the first dash removed, the prefix
`local:` removed, and `branch:` above every release. Halyard decides about decryption by the version of each artifact in
the bill of materials (BOM). Only a local BOM is available here; for released versions a conservative bound is used.
Pure; has no list of released versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from halgit.annotations import Final, Literal
from halgit.halyard.services import get_base, get_value
from halgit.lazy import lazy_pattern
from halgit.pipeline import Value

BRANCH_PREFIX: Final = "branch:"
LOCAL_PREFIX: Final = "local:"

Bound = Literal["", "too-low", "too-high"]

_NUMBER: Final = lazy_pattern(r"[-+]?[0-9]+")
_PLUGINS_SINCE: Final = "1.19.4"
_PLUGINS_SINCE_RELEASE: Final = "1.19.0"
_PLUGINS_SINCE_BUILD: Final = "20200403040016"


def parse_version(version: str) -> tuple[int, int, int] | None:
    """Parse the three numbers of a version. Return None for a version that is not in X.Y.Z form, such as a branch."""
    if version.startswith(BRANCH_PREFIX):
        return None
    parts = version.removeprefix(LOCAL_PREFIX).split("-", 1)[0].rstrip(".").split(".")
    if (
        len(parts) != 3
        or len(version) > 300
        or not all((part.isdecimal() and part.isascii()) or _NUMBER.fullmatch(part) for part in parts)
    ):
        return None
    major, minor, patch = (int(part) for part in parts)
    return major, minor, patch


def get_bom_path(version: str) -> str:
    """Return the path of the BOM of a `local:` version in the tree; "" for other versions."""
    return f".boms/bom/{version.removeprefix(LOCAL_PREFIX)}.yml" if version.startswith(LOCAL_PREFIX) else ""


def is_comparable(version: str) -> bool:
    """Return whether Halyard can compare this version with others: it is a branch or X.Y.Z."""
    return version.startswith(BRANCH_PREFIX) or parse_version(version) is not None


def compare_with_bounds(version: str, valid: tuple[str, str]) -> Bound:
    """Compare a version with the range of a field. Return "" if it is inside or cannot be compared.

    `valid` is the first version that has the field and the first that no longer has it, "" for no bound. The caller
    skips fields that are false or empty, as Halyard does.
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
        raise ValueError(f"{version} is not a valid bound")
    return known


def supports_plugins(version: str) -> bool | None:
    """Return whether Halyard writes the plugin settings for this version; None if it fails on the version.

    Follows `SpringProfileFactory.spinnakerVersionSupportsPlugins`: a version with a dash that is neither `master-...`
    nor `release-...` counts as one without plugins, and Halyard silently skips their settings.
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
"""The first version of each artifact that decrypts references, from Halyard's service classes; others never do."""

_RELEASES_SINCE: Final = (1, 20, 0)
"""The first release that counts as decrypting: its artifacts are newer than `_SINCE` by a wide margin.

The exact first release is older and unknown. For a release wrongly considered too old, halgit only resolves a secret
that the service would have decrypted.
"""

_FIRST_YEAR: Final = 2025
"""Releases after 1.x are named by the year. Other major numbers belong to distributions with unknown artifacts."""

_ARTIFACT: Final = lazy_pattern(r"\d+\.\d+\.\d+(-.*)?")
_RELEASE: Final = lazy_pattern(r"\d+\.\d+\.\d+")


def can_decrypt(service: str, version: str, bom: Value) -> bool | None:
    """Return whether a service decrypts references in its own configuration; None if unknown.

    `version` is the version of the deployment; `bom` its local bill of materials, or None.
    """
    since = _SINCE.get(get_base(service))
    if since is None:
        return False
    if version.startswith(LOCAL_PREFIX) and isinstance(bom, dict):
        own = get_value(bom, "services", get_base(service), "version")
        here = parse_version(own) if isinstance(own, str) and _ARTIFACT.fullmatch(own) else None
        return here is not None and here >= since
    here = parse_version(version) if _RELEASE.fullmatch(version) else None
    known = here is not None and here >= _RELEASES_SINCE and (here[0] == 1 or here[0] >= _FIRST_YEAR)
    return True if known else None


def can_all_decrypt(services: Iterable[str], version: str, bom: Value) -> bool | None:
    """Return whether all of these services decrypt references; None if unknown for one, False for no services.

    Services that are not in the local BOM do not run and do not count.
    """
    is_local = isinstance(bom, dict) and version.startswith(LOCAL_PREFIX)
    deployed = [name for name in services if not is_local or get_value(bom, "services", get_base(name), "version")]
    found = {can_decrypt(name, version, bom) for name in deployed} or {False}
    return False if False in found else None if None in found else True
