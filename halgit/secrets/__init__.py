"""Merged configuration and secret stores into a tree ready to be written.

`survey` says what becomes of each reference and needs no credential; `resolve_secrets` reads each distinct secret once
and puts the values in their places, all or none. What it gives holds secrets that do not show themselves.
"""

from __future__ import annotations

from halgit.secrets.listing import Checked, Row, check, rows
from halgit.secrets.reading import Engines
from halgit.secrets.revealing import resolve_secrets
from halgit.secrets.sensitive import learn_plain, sensitive_values
from halgit.secrets.survey import Survey, Use, reference_findings, survey
from halgit.secrets.trust import OFF

__all__ = [
    "OFF",
    "Checked",
    "Engines",
    "Row",
    "Survey",
    "Use",
    "check",
    "learn_plain",
    "reference_findings",
    "resolve_secrets",
    "rows",
    "sensitive_values",
    "survey",
]
