"""Which of Spinnaker's services decrypt kork's secret references themselves, in which versions.

Halyard decides by the version of each artifact in the bill of materials. A bill of one's own is in the tree; those of
released versions are not at hand, so of these the ones count that are surely new enough. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from halgit.halyard import versions
from halgit.halyard.services import at, base
from halgit.pipeline import Value

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


def decrypts(service: str, version: str, bill: Value) -> bool | None:
    """Whether a service decrypts references in its own configuration; None where that is not known.

    `version` is the deployment's; `bill` its local bill of materials, anything but a mapping where there is none.
    """
    since = _SINCE.get(base(service))
    if since is None:
        return False
    if version.startswith(versions.LOCAL) and isinstance(bill, dict):
        own = at(bill, "services", base(service), "version")
        here = versions.semantic(own) if isinstance(own, str) and _ARTIFACT.fullmatch(own) else None
        return here is not None and here >= since
    here = versions.semantic(version) if _RELEASE.fullmatch(version) else None
    known = here is not None and here >= _RELEASES_SINCE and (here[0] == 1 or here[0] >= _FIRST_YEAR)
    return True if known else None


def all_decrypt(services: Iterable[str], version: str, bill: Value) -> bool | None:
    """Whether each of these services decrypts, None where that is not known of one; False for none at all.

    Those that the local bill lacks do not run, and do not count.
    """
    bound = isinstance(bill, dict) and version.startswith(versions.LOCAL)
    there = [name for name in services if not bound or at(bill, "services", base(name), "version")]
    found = {decrypts(name, version, bill) for name in there} or {False}
    return False if False in found else None if None in found else True
