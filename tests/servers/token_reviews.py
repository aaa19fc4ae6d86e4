"""Tokens of service accounts, and the TokenReview with which Vault asks a cluster about them."""

from __future__ import annotations

import base64
import json
import time

from servers.http import Asked, Said
from servers.kubernetes_api import status


def service_token(name: str) -> str:
    """A token as a service account has it; the cluster that reviews it looks at no signature."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    account = {"namespace": "spinnaker", "serviceaccount": {"name": name, "uid": "u-1"}}
    now = int(time.time())
    times = {"iat": now - 60, "nbf": now - 60, "exp": now + 600}
    claims = {"sub": f"system:serviceaccount:spinnaker:{name}", "kubernetes.io": account, **times}
    head = json.dumps({"alg": "RS256", "typ": "JWT"}).encode()
    return ".".join((part(head), part(json.dumps(claims).encode()), part(b"0" * 256)))


def review_token(asked: Asked) -> Said | None:
    """TokenReview as the API server does it: halyard's token is one of its own, no other is."""
    if "tokenreviews" not in asked.path:
        return status(404, "NotFound")
    token = json.loads(asked.body)["spec"]["token"]
    known = "system:serviceaccount:spinnaker:halyard"
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    state = {"authenticated": claims["sub"] == known, "user": {"username": known, "uid": "u-1"}}
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": state}
    return Said(201, json.dumps(review).encode())
