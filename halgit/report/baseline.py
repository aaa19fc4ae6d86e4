"""A baseline: findings that are known already, from an earlier JSON report, and not said again. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from halgit.errors import UsageError
from halgit.pipeline import Finding
from halgit.text import paths


def without(findings: Iterable[Finding], text: bytes) -> tuple[Finding, ...]:
    """The findings that the baseline does not have.

    A finding is known by its rule, file, path and message, so that it stays known when lines move. Raises
    UsageError for a text that is no JSON report of `halgit validate`.
    """
    known = set(_known(text))
    return tuple(finding for finding in findings if _key(finding) not in known)


def _key(finding: Finding) -> tuple[str, ...]:
    return finding.rule, finding.file, paths.format_path(finding.path), finding.message


def _known(text: bytes) -> Iterable[tuple[str, ...]]:
    try:
        listed = json.loads(text)["findings"]
        return [tuple(str(entry[name]) for name in ("rule", "file", "path", "message")) for entry in listed]
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            "--baseline is no JSON report.", "Write it with `halgit validate --format json --output FILE`."
        ) from None
