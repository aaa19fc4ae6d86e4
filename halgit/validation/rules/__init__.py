"""The table of all rules, one module per subject, listed by hand."""

from __future__ import annotations

from halgit.validation.rule import Rule
from halgit.validation.rules import deployment

ALL: tuple[Rule, ...] = (*deployment.RULES,)
"""Every rule, in the order they are listed and run."""
