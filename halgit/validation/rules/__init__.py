"""The table of all rules, one module per subject, listed by hand."""

from __future__ import annotations

from halgit.validation.rule import Rule
from halgit.validation.rules import (
    addresses,
    deployment,
    dynamic_accounts,
    halconfig,
    profiles,
    scalars,
    secrets,
    service_settings,
)

ALL: tuple[Rule, ...] = (
    *deployment.RULES,
    *halconfig.RULES,
    *scalars.RULES,
    *service_settings.RULES,
    *profiles.RULES,
    *addresses.RULES,
    *secrets.RULES,
    *dynamic_accounts.RULES,
)
"""Every rule, in the order they are listed and run."""
