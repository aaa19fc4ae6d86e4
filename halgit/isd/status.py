"""`halgit isd status`: which Secrets of an installation are there, what they lack, and when certificates end.

Reads only, and shows names of keys and dates, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from halgit.errors import SecretError
from halgit.isd.certificates import Authority, read_authority, read_certificate, refuse_stranger
from halgit.isd.wanted import Role, Wanted
from halgit.remotes.kubernetes import SecretShelf

State = Literal["there", "missing", "incomplete", "ends soon", "ended", "wrong"]
GOOD: frozenset[State] = frozenset({"there", "ends soon"})
"""States that stop nothing today."""


@dataclass(frozen=True, slots=True)
class Row:
    """One Secret. `until` is when its certificate ends, ISO 8601; `days` are left of it, below 0 once it has ended."""

    role: Role
    name: str
    state: State
    keys: tuple[str, ...] = ()
    until: str = ""
    days: int | None = None
    detail: str = ""


def status(shelf: SecretShelf, wanted: Wanted, now: datetime, soon: int) -> tuple[Row, ...]:
    """A row for each Secret, the authority first; certificates with fewer than `soon` days left end soon."""
    return tuple(_rows(shelf, wanted, now, soon))


def _rows(shelf: SecretShelf, wanted: Wanted, now: datetime, soon: int) -> Iterator[Row]:
    authority: Authority | None = None
    for role, name, keys in wanted:
        data = shelf.read(name)
        if data is None:
            yield Row(role, name, "missing", detail="run halgit isd create-ca")
            continue
        found = tuple(sorted(data))
        missing = [key for key in keys if not data.get(key)]
        if missing:
            yield Row(role, name, "incomplete", found, detail=f"no {', '.join(missing)}")
            continue
        if role not in {"ca", "control"}:
            yield Row(role, name, "there", found)
            continue
        row = _certificate(Row(role, name, "there", found), data, now, soon)
        if role == "ca" and row.state in GOOD:
            authority, row = _authority(row, data, now)
        elif role == "control" and authority is not None:
            row = _issued(row, data, authority)
        yield row


def _certificate(row: Row, data: Mapping[str, bytes], now: datetime, soon: int) -> Row:
    try:
        certificate = read_certificate(row.name, data)
    except SecretError:
        return Row(row.role, row.name, "wrong", row.keys, detail="tls.crt is no certificate in PEM")
    end = certificate.not_valid_after_utc
    days = (end - now).days
    state: State = "ended" if end < now else "ends soon" if days < soon else "there"
    detail = "" if state == "there" else _RENEW[row.role]
    return Row(row.role, row.name, state, row.keys, end.strftime("%Y-%m-%dT%H:%M:%SZ"), days, detail)


_RENEW: Mapping[Role, str] = {
    "ca": "delete it and all made from it, run halgit isd create-ca, make agents and kubeconfigs anew",
    "control": "run halgit isd create-ca --renew-control-before 366, restart sapor",
}


def _authority(row: Row, data: Mapping[str, bytes], now: datetime) -> tuple[Authority | None, Row]:
    try:
        return read_authority(row.name, data, now), row
    except SecretError as reason:
        return None, _wrong(row, reason)


def _issued(row: Row, data: Mapping[str, bytes], authority: Authority) -> Row:
    try:
        refuse_stranger(row.name, data, authority)
    except SecretError as reason:
        return _wrong(row, reason)
    return row


def _wrong(row: Row, error: SecretError) -> Row:
    reason = error.message.removeprefix(f"{row.name}: ").rstrip(".")
    return Row(row.role, row.name, "wrong", row.keys, row.until, row.days, reason)
