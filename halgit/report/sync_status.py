"""The status of a running `sync` as text for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any


def format_status(status: Mapping[str, Any]) -> str:
    """Format the status object of `/status` as lines."""
    rows = [
        ("state", _state(status)),
        ("phase", status.get("phase", "")),
        ("desired", _short(status.get("desiredRevision", ""))),
        ("published", _short(status.get("publishedRevision", ""))),
        ("deployed", _deployed(status)),
        ("waiting", ", ".join(status.get("pendingServices", ())).replace("*", "all services")),
        ("held", status.get("held", "")),
        ("drift", "; ".join(status.get("drift", ()))),
        ("error", (status.get("error") or {}).get("message", "")),
    ]
    lines = [f"{name:<10} {value}" for name, value in rows if value]
    for finding in status.get("findings", ()):
        lines.append(f"  {finding.get('severity')}: {finding.get('message')} {finding.get('hint') or ''}".rstrip())
    return "\n".join(lines)


def _state(status: Mapping[str, Any]) -> str:
    if not status.get("leader", True):
        return "standing by; another replica acts"
    if status.get("error"):
        return f"failed ({status['error'].get('kind')})"
    return "synchronized" if status.get("synchronized") else "not synchronized"


def _deployed(status: Mapping[str, Any]) -> str:
    at = status.get("deployedAt") or 0
    revision = _short(status.get("deployedRevision", ""))
    if not at:
        return revision
    moment = datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{revision or 'the tree'} at {moment}"


def _short(revision: str) -> str:
    return "+".join(part[:12] for part in revision.split("+"))
