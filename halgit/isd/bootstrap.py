"""`halgit isd create-ca`: create the missing Secrets and leave existing ones unchanged.

One exception, on request: the control certificate is renewed before it expires.

The CA certificate is created first and read back before anything is issued from it, so that two runs at once use the
same one. An incomplete set is completed if possible, and otherwise refused with the reason.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from halgit.errors import SecretError
from halgit.isd.certificates import (
    CaKeyPair,
    check_issuer,
    create_ca,
    encode_trust_store,
    is_renewal_due,
    issue_control_certificate,
    read_ca,
)
from halgit.isd.secret_names import TLS_KEYS, TRUST_STORE_KEYS, Generated, Role, SecretNames
from halgit.record import Record
from halgit.remotes.kubernetes import SecretStore

LABELS = {"app.kubernetes.io/part-of": "isd", "app.kubernetes.io/managed-by": "halgit"}

_LETTERS = string.ascii_letters + string.digits
_RENEWALS = 5
_LENGTH = 40
"""Length of a random value: 238 bits, from characters that need no quoting in a shell, a URL or YAML."""


class SecretResult(Record):
    """The result for one Secret."""

    role: Role
    name: str
    state: Literal["created", "exists", "renewed"]


def bootstrap(
    store: SecretStore,
    names: SecretNames,
    bundles: Sequence[bytes],
    now: datetime,
    renew_before: int = 0,
    report: Callable[[SecretResult], None] = lambda result: None,
) -> tuple[SecretResult, ...]:
    """Create the missing Secrets, and renew a control certificate that expires within `renew_before` days.

    `report` is called at once for each Secret that was created or renewed, so that an aborted run has reported it.
    Raises SecretError with every fault, after creating all Secrets that can be created.
    """
    run = _Run(store, now, renew_before, report)
    for one in names.generated:
        run.ensure("generated", one.name, one.keys, lambda one=one: _generated_data(one))  # type: ignore[misc]
    if names.service_auth:
        key = names.service_auth_key
        run.ensure("service-auth", names.service_auth, (key,), lambda: {key: _random_text()})
    if names.ca:
        run.certificates(names, bundles)
    elif names.trust:
        run.ensure("trust", names.trust, (TRUST_STORE_KEYS,), lambda: run.trust_store(b"", bundles))
    if run.faults:
        raise SecretError("\n".join(run.faults))
    return tuple(run.done)


class _Run:
    """One pass over the Secrets: the results and the faults so far."""

    def __init__(
        self, store: SecretStore, now: datetime, renew_before: int, report: Callable[[SecretResult], None]
    ) -> None:
        self._report = report
        self._store = store
        self._now = now
        self._renew_before = renew_before
        self.done: list[SecretResult] = []
        self.faults: list[str] = []

    def certificates(self, names: SecretNames, bundles: Sequence[bytes]) -> None:
        """Create the CA certificate and the Secrets issued from it."""
        dependents = [name for name in (names.control, names.trust) if name and self._store.read(name) is not None]
        if dependents and self._store.read(names.ca) is None:
            self._report_missing_ca(names.ca, dependents)
            return
        data = self.ensure("ca", names.ca, TLS_KEYS, lambda: create_ca(self._now), kind="kubernetes.io/tls")
        if data is None:
            return
        try:
            ca = read_ca(self._place(names.ca), data, self._now)
        except SecretError as reason:
            self.faults.append(str(reason))
            return
        if names.control:
            self._control(names.control, ca)
        if names.trust:
            trust = (TRUST_STORE_KEYS,)
            self.ensure("trust", names.trust, trust, lambda: self.trust_store(data["tls.crt"], bundles))

    def trust_store(self, ca: bytes, bundles: Sequence[bytes]) -> Mapping[str, bytes]:
        """The data of a trust store: the controller's CA certificate, if there is one, and the bundles."""
        return {TRUST_STORE_KEYS: encode_trust_store(ca, bundles, self._now)}

    def _control(self, name: str, ca: CaKeyPair) -> None:
        data = self.ensure(
            "control", name, TLS_KEYS, lambda: issue_control_certificate(ca, self._now), kind="kubernetes.io/tls"
        )
        if data is None:
            return
        try:
            check_issuer(self._place(name), data, ca)
        except SecretError as reason:
            self.faults.append(str(reason))
            return
        self._renew(name, data, ca)

    def _renew(self, name: str, data: Mapping[str, bytes], ca: CaKeyPair) -> None:
        """Renew the control certificate if it is due; after a concurrent change, read it again and retry."""
        for _ in range(_RENEWALS):
            if not is_renewal_due(self._place(name), data, ca, self._now, self._renew_before):
                return
            new = issue_control_certificate(ca, self._now)
            if self._store.replace(name, data, {**data, **new}):
                self.done[-1] = SecretResult("control", name, "renewed")
                self._report(self.done[-1])
                return
            data = self._store.read(name) or {}
            if not all(data.get(key) for key in TLS_KEYS):
                break
        self.faults.append(f"{self._place(name)}: changed by another writer again and again. Run again later.")

    def _report_missing_ca(self, ca: str, dependents: Sequence[str]) -> None:
        self.faults.append(
            f"{self._place(ca)}: the CA certificate is missing, but {' and '.join(dependents)}, issued from it, "
            f"{'exists' if len(dependents) == 1 else 'exist'}. Restore the CA certificate from a backup; or delete "
            f"{' and '.join(dependents)} and run again. All agents and kubeconfigs must be recreated then."
        )

    def ensure(
        self,
        role: Role,
        name: str,
        keys: Sequence[str],
        make: Callable[[], Mapping[str, bytes]],
        kind: str = "Opaque",
    ) -> Mapping[str, bytes] | None:
        """Return the data of a Secret, which is created if it is missing; None, and a fault, if a key is missing."""
        data = self._store.read(name)
        created = data is None and self._store.make(name, kind, make(), LABELS)
        if data is None:
            data = self._store.read(name) or {}
        missing = [key for key in keys if not data.get(key)]
        if missing:
            present = ", ".join(sorted(data)) or "none"
            self.faults.append(
                f"{self._place(name)}: no {' and no '.join(missing)} (keys: {present}). "
                "Add the missing keys, or delete the Secret to have it created again. Existing Secrets are not changed."
            )
            return None
        self.done.append(SecretResult(role, name, "created" if created else "exists"))
        if created:
            self._report(self.done[-1])
        return data

    def _place(self, name: str) -> str:
        return f"Secret {name} in namespace {self._store.namespace}"


def _generated_data(names: Generated) -> Mapping[str, bytes]:
    return {key: names.fixed[key].encode() if key in names.fixed else _random_text() for key in names.keys}


def _random_text() -> bytes:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)).encode("ascii")
