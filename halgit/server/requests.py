"""The bodies of requests, checked as far as their form goes, and errors as answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from halgit.accounts.agent import Agent
from halgit.accounts.service import Access
from halgit.errors import AccountError, HalgitError, NotFoundError, RemoteError, SourceError, UsageError
from halgit.pipeline import MISSING, Value

_ADD = ("name", "provider", "fields", "kubeconfig", "context", "agent", "endpoint")
_UPDATE = ("fields", "unset", "kubeconfig", "context", "agent", "endpoint")


class Say(Protocol):
    """Where a line of the log goes."""

    def __call__(self, text: str, **fields: Any) -> None: ...


def status(error: HalgitError) -> int:
    """The HTTP status of an error: what the caller can mend is 4xx, what stands behind us 502."""
    if isinstance(error, UsageError):
        return 400
    if isinstance(error, AccountError):
        return 404 if "no account" in error.message else 409
    return 502 if isinstance(error, (RemoteError, SourceError, NotFoundError)) else 500


def answer(error: HalgitError) -> dict[str, Any]:
    """An error as a JSON object."""
    return {"error": {"code": error.exit_code, "message": str(error)}}


def added(body: Any) -> tuple[str, str, dict[str, Value], Access]:
    """Provider, name, fields and access of a request to add. Raises UsageError."""
    data = _object(body, _ADD)
    name = _text(data, "name")
    if not name:
        raise UsageError("name is missing.", "Name the account.")
    return _text(data, "provider") or "kubernetes", name, _fields(data), _access(data)


def updated(body: Any) -> tuple[dict[str, Value], Access]:
    """Fields and access of a request to update. Raises UsageError."""
    data = _object(body, _UPDATE)
    unset = data.get("unset") or []
    if not isinstance(unset, list) or not all(isinstance(key, str) for key in unset):
        raise UsageError("unset is no list of names.", 'Write ["namespaces"].')
    fields = {**_fields(data), **dict.fromkeys(unset, MISSING)}
    access = _access(data)
    if not fields and not access.kubeconfig and not access.agent:
        raise UsageError("There is nothing to change.", "Give fields, unset, kubeconfig or agent.")
    return fields, access


def agent(name: str, body: Any) -> Agent:
    """The agent of a request for a manifest. Raises UsageError."""
    data = _object(body, ("namespace", "endpoint", "tag", "clusterWide"))
    namespace = _text(data, "namespace")
    if not namespace:
        raise UsageError("namespace is missing.", "Name the agent's namespace in the remote cluster.")
    return Agent(
        name,
        namespace,
        _text(data, "endpoint") or "kubernetes",
        tag=_text(data, "tag"),
        cluster_wide=data.get("clusterWide") is True,
    )


def _object(body: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise UsageError("The body is no JSON object.", f"Its keys are {', '.join(known)}.")
    unknown = [key for key in body if key not in known]
    if unknown:
        raise UsageError(f"The body has a key {unknown[0]}.", f"Its keys are {', '.join(known)}.")
    return body


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key) or ""
    if not isinstance(value, str):
        raise UsageError(f"{key} is no text.", "Write a text.")
    return value


def _fields(data: Mapping[str, Any]) -> dict[str, Value]:
    fields = data.get("fields") or {}
    if not isinstance(fields, dict):
        raise UsageError("fields is no object.", "Write the fields of the entry.")
    return fields


def _access(data: Mapping[str, Any]) -> Access:
    return Access(
        _text(data, "kubeconfig").encode("utf-8"),
        _text(data, "context"),
        _text(data, "agent"),
        _text(data, "endpoint") or "kubernetes",
    )
