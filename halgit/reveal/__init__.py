"""Merged configuration and secret stores into a tree ready to be written.

`survey` says what becomes of each reference and needs no credential; `reveal` reads each distinct secret once and
puts the values in their places, all or none. What it gives holds secrets that do not show themselves.
"""

from __future__ import annotations

from halgit.reveal.listing import Checked, Row, check, rows
from halgit.reveal.reading import Engines
from halgit.reveal.revealing import reveal
from halgit.reveal.sensitive import learn_plain, sensitive_values
from halgit.reveal.survey import Survey, Use, reference_findings, survey
from halgit.reveal.trust import OFF

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
    "reveal",
    "rows",
    "sensitive_values",
    "survey",
]
