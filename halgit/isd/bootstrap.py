"""`halgit isd create-ca`: make the Secrets that are absent, and never touch one that is there.

One exception, when it is asked for: the control certificate is issued anew before it ends.

The authority comes first and is read back before anything is made from it: of two that run at once the same one
counts for both. A set that is half there is completed where that can be done, and refused in words where it cannot.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from halgit.errors import SecretError
from halgit.isd.certificates import Authority, is_due, issue_control, make_authority, read_authority, refuse_stranger
from halgit.isd.truststore import trust_store
from halgit.isd.wanted import CERTIFICATE, STORE, Generated, Role, Wanted
from halgit.remotes.kubernetes import SecretShelf

LABELS = {"app.kubernetes.io/part-of": "isd", "app.kubernetes.io/managed-by": "halgit"}

_LETTERS = string.ascii_letters + string.digits
_LENGTH = 40
"""Letters of a random text: 238 bits, and nothing that a shell, a URL or YAML reads in its own way."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one Secret."""

    role: Role
    name: str
    state: Literal["made", "there", "renewed"]


def bootstrap(
    shelf: SecretShelf, wanted: Wanted, bundles: Sequence[bytes], now: datetime, renew_before: int = 0
) -> tuple[Done, ...]:
    """Make what is absent, and renew a control certificate with fewer than `renew_before` days left.

    Raises SecretError with every fault, after all that could be made has been.
    """
    run = _Run(shelf, now, renew_before)
    for one in wanted.generated:
        run.keep("generated", one.name, one.keys, lambda one=one: _random(one))  # type: ignore[misc]
    if wanted.service_auth:
        key = wanted.service_auth_key
        run.keep("service-auth", wanted.service_auth, (key,), lambda: {key: _text()})
    if wanted.ca:
        run.certificates(wanted, bundles)
    if run.faults:
        raise SecretError("\n".join(run.faults))
    return tuple(run.done)


class _Run:
    """One pass over the Secrets: what was done, and what cannot be."""

    def __init__(self, shelf: SecretShelf, now: datetime, renew_before: int) -> None:
        self._shelf = shelf
        self._now = now
        self._renew_before = renew_before
        self.done: list[Done] = []
        self.faults: list[str] = []

    def certificates(self, wanted: Wanted, bundles: Sequence[bytes]) -> None:
        """The authority and what is made from it."""
        orphans = [name for name in (wanted.control, wanted.trust) if name and self._shelf.read(name) is not None]
        if orphans and self._shelf.read(wanted.ca) is None:
            self._lost(wanted.ca, orphans)
            return
        data = self.keep("ca", wanted.ca, CERTIFICATE, lambda: make_authority(self._now), kind="kubernetes.io/tls")
        if data is None:
            return
        try:
            authority = read_authority(self._place(wanted.ca), data, self._now)
        except SecretError as reason:
            self.faults.append(str(reason))
            return
        if wanted.control:
            self._control(wanted.control, authority)
        if wanted.trust:
            self.keep(
                "trust", wanted.trust, (STORE,), lambda: {STORE: trust_store(data["tls.crt"], bundles, self._now)}
            )

    def _control(self, name: str, authority: Authority) -> None:
        data = self.keep(
            "control", name, CERTIFICATE, lambda: issue_control(authority, self._now), kind="kubernetes.io/tls"
        )
        if data is None:
            return
        try:
            refuse_stranger(self._place(name), data, authority)
        except SecretError as reason:
            self.faults.append(str(reason))
            return
        if is_due(self._place(name), data, authority, self._now, self._renew_before):
            new = issue_control(authority, self._now)
            if self._shelf.replace(name, data, {**data, **new}):
                self.done[-1] = Done("control", name, "renewed")

    def _lost(self, ca: str, orphans: Sequence[str]) -> None:
        self.faults.append(
            f"{self._place(ca)}: the authority is not there, and {' and '.join(orphans)}, made from one, "
            f"{'is' if len(orphans) == 1 else 'are'}. Put the authority back from a backup; or delete "
            f"{' and '.join(orphans)}, and run again: all agents and kubeconfigs have to be made anew then."
        )

    def keep(
        self,
        role: Role,
        name: str,
        keys: Sequence[str],
        make: Callable[[], Mapping[str, bytes]],
        kind: str = "Opaque",
    ) -> Mapping[str, bytes] | None:
        """The Secret as the cluster has it, made now where it is absent; None, and a fault, where a key is missing."""
        data = self._shelf.read(name)
        made = data is None and self._shelf.make(name, kind, make(), LABELS)
        if data is None:
            data = self._shelf.read(name) or {}
        missing = [key for key in keys if not data.get(key)]
        if missing:
            there = ", ".join(sorted(data)) or "none"
            self.faults.append(
                f"{self._place(name)}: no {' and no '.join(missing)} (keys: {there}). "
                "Add what is missing, or delete the Secret to have it made; one that is there is never changed."
            )
            return None
        self.done.append(Done(role, name, "made" if made else "there"))
        return data

    def _place(self, name: str) -> str:
        return f"Secret {name} in namespace {self._shelf.namespace}"


def _random(wanted: Generated) -> Mapping[str, bytes]:
    return {key: wanted.fixed[key].encode() if key in wanted.fixed else _text() for key in wanted.keys}


def _text() -> bytes:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)).encode("ascii")
