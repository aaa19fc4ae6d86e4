"""The table of all rules, one module per subject, listed by hand."""

from __future__ import annotations

from halgit.validation.rule import Rule
from halgit.validation.rules import (
    accounts,
    addresses,
    authn,
    authz,
    aws,
    canary,
    clouds,
    dcos,
    deployment,
    deployment_environment,
    docker_registry,
    dynamic_accounts,
    halconfig,
    kubernetes,
    local_files,
    profiles,
    public_addresses,
    pubsub,
    scalars,
    schema,
    secrets,
    service_settings,
    storage,
    versions,
)

ALL: tuple[Rule, ...] = (
    *schema.RULES,
    *deployment.RULES,
    *versions.RULES,
    *deployment_environment.RULES,
    *storage.RULES,
    *public_addresses.RULES,
    *authn.RULES,
    *authz.RULES,
    *halconfig.RULES,
    *scalars.RULES,
    *accounts.RULES,
    *kubernetes.RULES,
    *docker_registry.RULES,
    *aws.RULES,
    *clouds.RULES,
    *dcos.RULES,
    *canary.RULES,
    *pubsub.RULES,
    *local_files.RULES,
    *service_settings.RULES,
    *profiles.RULES,
    *addresses.RULES,
    *secrets.RULES,
    *dynamic_accounts.RULES,
)
"""Every rule, in the order they are listed and run."""
