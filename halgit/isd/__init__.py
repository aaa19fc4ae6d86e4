"""The two jobs of an ISD installation: create its Secrets and certificates, and register its services.

Both create only what is missing and change nothing that exists, so they can run again and in parallel. A control
certificate that is about to expire is renewed on request. Kubernetes and the services are reached through `remotes/`.
"""

from __future__ import annotations

from halgit.isd.bootstrap import SecretResult, bootstrap
from halgit.isd.certificates import check_bundle
from halgit.isd.configure import PROVIDERS, Deadline, Integrations, Repository, Spinnaker, configure
from halgit.isd.secret_names import SecretNames, parse_generated
from halgit.isd.status import GOOD, Row, status

__all__ = [
    "GOOD",
    "PROVIDERS",
    "Deadline",
    "Integrations",
    "Repository",
    "Row",
    "SecretNames",
    "SecretResult",
    "Spinnaker",
    "bootstrap",
    "check_bundle",
    "configure",
    "parse_generated",
    "status",
]
