"""Who may make a request, and in what form: the caller with its role, from this site, with JSON or nothing.

Annotations are evaluated where they stand: FastAPI reads the dependencies in them.
"""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from halgit.server.authentication import Authentication, Identity, Role, require_role
from halgit.server.problems import DeniedError, LimitError
from halgit.server.protocol import CLIENT

_UNSAFE: Final = {"POST", "PATCH", "DELETE"}
_JSON: Final = re.compile(r"application/([-.\w]+\+)?json")
_BEARER: Final = HTTPBearer(auto_error=False, description="A token of the operator's files, or one of OpenID Connect.")


def require_caller(authentication: Authentication, role: Role, operation: str) -> Any:
    """Return the dependency that lets callers of a role pass; `operation` is the name of the route in /metrics."""

    async def identify(
        request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> Identity:
        request.state.operation = operation
        authorization = request.headers.get("authorization", "")
        name = request.scope.get("extensions", {}).get(CLIENT, "")
        identity = await run_in_threadpool(authentication.identify, authorization, name)
        require_role(identity, role)
        if request.method in _UNSAFE and identity.is_ambient:
            _refuse_other_sites(request)
        _refuse_other_media(request)
        return identity

    return Depends(identify)


def _refuse_other_sites(request: Request) -> None:
    """Raise DeniedError if a browser sends this for another site, with the certificate of its user."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    if site not in {"same-origin", "none"} or (origin and origin.partition("://")[2] != request.headers.get("host")):
        raise DeniedError(403, "The request comes from another site.", "Use the page of this server.")


def _refuse_other_media(request: Request) -> None:
    """Raise LimitError (415) for a body that is not JSON as it is; also a merge patch is (RFC 7396)."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not _JSON.fullmatch(media):
        raise LimitError(415, f"The body is {media or 'of no media type'}.", "Send Content-Type: application/json.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise LimitError(415, "The body is compressed.", "Send it without Content-Encoding.")
