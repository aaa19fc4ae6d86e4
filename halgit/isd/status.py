"""`halgit isd status`: which Secrets of an installation exist, what they lack, and when certificates expire.

Read-only; shows names of keys and dates, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from halgit.errors import SecretError
from halgit.isd.certificates import CaKeyPair, check_issuer, read_ca, read_certificate
from halgit.isd.secret_names import Role, SecretNames
from halgit.record import Record
from halgit.remotes.kubernetes import SecretStore

State = Literal["exists", "missing", "incomplete", "expires soon", "expired", "invalid"]
GOOD: frozenset[State] = frozenset({"exists", "expires soon"})
"""States in which the Secret can be used today."""


class Row(Record):
    """One Secret. `until` is when its certificate expires, ISO 8601; `days` is negative for an expired one."""

    role: Role
    name: str
    state: State
    keys: tuple[str, ...] = ()
    until: str = ""
    days: int | None = None
    detail: str = ""


def status(store: SecretStore, names: SecretNames, now: datetime, soon: int) -> tuple[Row, ...]:
    """Return a row for each Secret, the CA first; a certificate with fewer than `soon` days left expires soon."""
    return tuple(_rows(store, names, now, soon))


def _rows(store: SecretStore, names: SecretNames, now: datetime, soon: int) -> Iterator[Row]:
    ca: CaKeyPair | None = None
    for role, name, keys in names:
        data = store.read(name)
        if data is None:
            yield Row(role, name, "missing", detail="run halgit isd create-ca with the same options")
            continue
        found = tuple(sorted(data))
        missing = [key for key in keys if not data.get(key)]
        if missing:
            lacks = ", ".join(f"{key} is empty" if key in data else f"no {key}" for key in missing)
            yield Row(role, name, "incomplete", found, detail=f"{lacks}; delete it and run halgit isd create-ca")
            continue
        if role not in {"ca", "control"}:
            yield Row(role, name, "exists", found)
            continue
        row = _certificate_row(Row(role, name, "exists", found), data, now, soon)
        if role == "ca" and row.state in GOOD:
            ca, row = _ca_row(row, data, now)
        elif role == "control" and ca is not None:
            row = _check_control(row, data, ca)
        yield row


def _certificate_row(row: Row, data: Mapping[str, bytes], now: datetime, soon: int) -> Row:
    try:
        certificate = read_certificate(row.name, data)
    except SecretError:
        return Row(row.role, row.name, "invalid", row.keys, detail="tls.crt is not a PEM certificate")
    end = certificate.not_valid_after_utc
    days = (end - now).days
    state: State = "expired" if end < now else "expires soon" if days < soon else "exists"
    detail = "" if state == "exists" else _RENEW[row.role]
    return Row(row.role, row.name, state, row.keys, end.strftime("%Y-%m-%dT%H:%M:%SZ"), days, detail)


_RENEW: Mapping[Role, str] = {
    "ca": (
        "delete it and the Secrets issued from it, run halgit isd create-ca with the same options, "
        "recreate agents and kubeconfigs"
    ),
    "control": (
        "run halgit isd create-ca with the same options, --renew-control-before 366 and --restart with sapor's name"
    ),
}


def _ca_row(row: Row, data: Mapping[str, bytes], now: datetime) -> tuple[CaKeyPair | None, Row]:
    try:
        return read_ca(row.name, data, now), row
    except SecretError as reason:
        return None, _invalid_row(row, reason)


def _check_control(row: Row, data: Mapping[str, bytes], ca: CaKeyPair) -> Row:
    try:
        check_issuer(row.name, data, ca)
    except SecretError as reason:
        return _invalid_row(row, reason)
    return row


def _invalid_row(row: Row, error: SecretError) -> Row:
    reason = error.message.removeprefix(f"{row.name}: ").rstrip(".")
    return Row(row.role, row.name, "invalid", row.keys, row.until, row.days, reason)
