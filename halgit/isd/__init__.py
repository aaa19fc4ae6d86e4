"""The work of an ISD installation's two jobs: its Secrets and certificates, and the introduction of its services.

Both make only what is absent and change nothing that is there, so they may run again and side by side; a control
certificate that ends is renewed where that is asked for. Kubernetes and the services are reached through `remotes/`.
"""

from __future__ import annotations

from halgit.isd.bootstrap import Done, bootstrap
from halgit.isd.configure import PROVIDERS, Patience, Repository, Spinnaker, Wish, configure
from halgit.isd.status import GOOD, Row, status
from halgit.isd.truststore import read_bundle
from halgit.isd.wanted import Wanted, parse_generated

__all__ = [
    "GOOD",
    "PROVIDERS",
    "Done",
    "Patience",
    "Repository",
    "Row",
    "Spinnaker",
    "Wanted",
    "Wish",
    "bootstrap",
    "configure",
    "parse_generated",
    "read_bundle",
    "status",
]
