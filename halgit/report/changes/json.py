"""Differences as the `diff` object."""

from __future__ import annotations

import json
from collections.abc import Sequence

from halgit.report.differences import Difference, as_json


def render(differences: Sequence[Difference]) -> str:
    """The object as text."""
    return json.dumps(as_json(differences), indent=2, ensure_ascii=False)
