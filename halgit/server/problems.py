"""Errors as HTTP problems (RFC 9457). An error is classified by its type, never by its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from halgit.accounts.changes import ChangedError, ExistsError, UnknownAccountError
from halgit.accounts.requests import KeyReusedError
from halgit.accounts.writer import BusyError
from halgit.errors import (
    AccountError,
    HalgitError,
    RemoteError,
    ThrottledError,
    UnreachableError,
    UsageError,
)


class SettingsError(HalgitError):
    """A file of the operator has changed while the server runs, and cannot be used; its log tells more."""


MEDIA: Final = "application/problem+json"
_STATUS: Final[tuple[tuple[type[HalgitError], int], ...]] = (
    (UsageError, 400),
    (UnknownAccountError, 404),
    (ExistsError, 409),
    (ChangedError, 412),
    (KeyReusedError, 422),
    (BusyError, 503),
    (SettingsError, 503),
    (AccountError, 422),
    (UnreachableError, 503),
    (ThrottledError, 503),
    (RemoteError, 502),
)
RETRY_SECONDS: Final = 2
"""What `Retry-After` says where the store or the controller says nothing."""


class DeniedError(HalgitError):
    """The caller is unknown (401), or has not the role that an operation needs (403)."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class LimitError(HalgitError):
    """A request is too large, too slow, of another media type, or one too many (4xx), or the server stops (503)."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def status_of(error: HalgitError) -> int:
    """Return the HTTP status of an error: 4xx for the caller's, 5xx for the store's and the controller's."""
    if isinstance(error, (DeniedError, LimitError)):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(
    request: Request,
    status: int,
    detail: str = "",
    hint: str = "",
    *,
    errors: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem as an answer."""
    body = describe(status, detail, hint, request_id=getattr(request.state, "request_id", ""), errors=errors)
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA)


def describe(
    status: int, detail: str, hint: str, *, request_id: str = "", errors: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a problem as data."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "hint": hint,
        "requestId": request_id,
        "errors": list(errors),
    }


def of_error(request: Request, error: HalgitError) -> JSONResponse:
    """Return the problem of one of our errors."""
    status = status_of(error)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="halgit"'
    if status in {429, 503}:
        asked = error.retry_after if isinstance(error, ThrottledError) else None
        headers["Retry-After"] = str(max(1, round(asked or RETRY_SECONDS)))
    return problem(request, status, error.message, error.hint, headers=headers)


def of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
    """Return the problem of a body or parameter that does not fit: 400 if it is not JSON, else 422."""
    faults = error.errors()
    if any(fault.get("type") == "json_invalid" for fault in faults):
        return problem(request, 400, "The body is not valid JSON.", "Send a JSON object.")
    lines = [f"{'.'.join(str(step) for step in fault['loc'])}: {fault['msg']}" for fault in faults]
    return problem(request, 422, "The request does not fit its schema.", "Correct it.", errors=lines)


def of_http(request: Request, error: HTTPException) -> JSONResponse:
    """Return the problem of an error of the framework: an unknown path, a wrong method, a body that cannot be read."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    detail = {
        404: "There is nothing at this path.",
        405: f"{request.method} is not possible here.",
        400: "The body cannot be read.",
    }.get(error.status_code, str(error.detail))
    return problem(request, error.status_code, detail, headers=headers)


def _methods(request: Request) -> list[str]:
    """Every method that the API has at this path; those of the page and the probes for any other."""
    for template, operations in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), request.url.path):
            return sorted(method.upper() for method in operations)
    return ["GET", "HEAD"]
