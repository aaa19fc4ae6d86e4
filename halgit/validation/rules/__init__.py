"""The table of all rules, one module per subject, listed by hand."""

from __future__ import annotations

from halgit.validation.rule import Rule
from halgit.validation.rules import (
    accounts,
    clouds,
    deployment,
    dynamic_access,
    dynamic_accounts,
    environment,
    integrations,
    kubeconfigs,
    kubernetes,
    list_items,
    local_files,
    profile_contents,
    profiles,
    schema,
    secret_sizes,
    security,
    service_settings,
    templates,
    trust,
    values,
    versions,
)

ALL: tuple[Rule, ...] = (
    *accounts.RULES,
    *clouds.RULES,
    *deployment.RULES,
    *dynamic_access.RULES,
    *dynamic_accounts.RULES,
    *environment.RULES,
    *integrations.RULES,
    *kubeconfigs.RULES,
    *kubernetes.RULES,
    *list_items.RULES,
    *local_files.RULES,
    *profile_contents.RULES,
    *profiles.RULES,
    *schema.RULES,
    *secret_sizes.RULES,
    *security.RULES,
    *service_settings.RULES,
    *trust.RULES,
    *templates.RULES,
    *values.RULES,
    *versions.RULES,
)
"""Every rule, in the order they are listed and run."""
