"""Where uses of secrets stand, as `file:line: path` of the layers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from halgit.pipeline import Compiled, Finding, Severity
from halgit.secrets.survey import Use
from halgit.text import paths

Put: TypeAlias = Callable[[Iterable[Finding]], Sequence[Finding]]
"""Puts findings of the tree at their place in a layer: file, line and column; in any order."""


def places(uses: Sequence[Use], compiled: Compiled, put: Put) -> list[str]:
    """The place of each use, in their order, looked up together."""
    asked = [
        Finding("", Severity.INFO, str(number), "", use.occurrence.file, use.occurrence.path, use.occurrence.line)
        for number, use in enumerate(uses)
    ]
    found = {int(finding.message): finding for finding in put(asked)}
    return [_shown(use, found[number], compiled) for number, use in enumerate(uses)]


def _shown(use: Use, found: Finding, compiled: Compiled) -> str:
    where = f"{found.file}:{found.line}" if found.line else found.file
    path = use.occurrence.path
    return f"{where}: {paths.show(path, compiled.files[use.occurrence.file].data)}" if path else where
