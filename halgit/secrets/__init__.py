"""Secret references into values: from a compiled tree to a resolved tree.

`plan_secrets` decides what happens to each reference and needs no credential. `resolve_secrets` reads each distinct
secret once and replaces the references, all or none.
"""

from __future__ import annotations

from halgit.secrets.engines import Engines
from halgit.secrets.listing import Checked, Row, check, rows
from halgit.secrets.plan import SecretPlan, Use, plan_secrets, reference_findings
from halgit.secrets.policy import OFF
from halgit.secrets.resolver import resolve_secrets
from halgit.secrets.sensitive import learn_plain, sensitive_values

__all__ = [
    "OFF",
    "Checked",
    "Engines",
    "Row",
    "SecretPlan",
    "Use",
    "check",
    "learn_plain",
    "plan_secrets",
    "reference_findings",
    "resolve_secrets",
    "rows",
    "sensitive_values",
]
