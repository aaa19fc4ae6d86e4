"""Secret references into values: from a compiled tree to a resolved tree.

`plan_secrets` decides what happens to each reference and needs no credential. `resolve_secrets` reads each distinct
secret once and replaces the references, all or none.
"""

from __future__ import annotations

from halgit.annotations import TYPE_CHECKING
from halgit.lazy import lazy_exports

_MODULES = {
    "Engines": "engines",
    "ReferenceRow": "listing",
    "SecretCheck": "listing",
    "check_secrets": "listing",
    "list_references": "listing",
    "SecretPlan": "plan",
    "Use": "plan",
    "check_references": "plan",
    "plan_secrets": "plan",
    "RESTRICTED_ENGINES": "policy",
    "resolve_secrets": "resolver",
    "files_with_plain_secrets": "sensitive",
    "find_sensitive_values": "sensitive",
    "hide_plain_secrets": "sensitive",
    "learn_plain_secrets": "sensitive",
}

if TYPE_CHECKING:
    from halgit.secrets.engines import Engines
    from halgit.secrets.listing import ReferenceRow, SecretCheck, check_secrets, list_references
    from halgit.secrets.plan import SecretPlan, Use, check_references, plan_secrets
    from halgit.secrets.policy import RESTRICTED_ENGINES
    from halgit.secrets.resolver import resolve_secrets
    from halgit.secrets.sensitive import (
        files_with_plain_secrets,
        find_sensitive_values,
        hide_plain_secrets,
        learn_plain_secrets,
    )
else:
    __getattr__ = lazy_exports(__name__, _MODULES)

__all__ = [
    "RESTRICTED_ENGINES",
    "Engines",
    "ReferenceRow",
    "SecretCheck",
    "SecretPlan",
    "Use",
    "check_references",
    "check_secrets",
    "files_with_plain_secrets",
    "find_sensitive_values",
    "hide_plain_secrets",
    "learn_plain_secrets",
    "list_references",
    "plan_secrets",
    "resolve_secrets",
]
