"""Findings of sources: what a source does not contain although the tree needs it."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="source/submodule",
        severity=Severity.ERROR,
        summary="Files of the tree are expected in a git submodule that is not fetched.",
        halyard="Halyard does not see the source.",
        impact="The files of the submodule are missing from the tree.",
        fix="Pass `--submodules`, and `--submodule-host` for a host other than that of `--repo`.",
    ),
)
