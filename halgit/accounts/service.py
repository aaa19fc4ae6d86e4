"""What can be asked of the account writer, by a person or over HTTP: the same steps, with the same refusals.

It is handed a store, an encryption key and a controller; which of them there are is the operator's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from halgit.accounts.agent import Agent, manifest
from halgit.accounts.cipher import Cipher
from halgit.accounts.edit import Change, Entry
from halgit.accounts.kubeconfig import Kubeconfig, check, from_controller
from halgit.accounts.writer import Writer, Written, seal
from halgit.errors import AccountError, RemoteError, UsageError
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.pipeline import Value
from halgit.record import Record, replace
from halgit.redaction import MASK
from halgit.text.phrases import suggest_nearest

_HIDDEN = frozenset({"kubeconfigContents", "kubeconfig-contents"})


class Components(Protocol):
    """What is asked of a controller; see `remotes/controller.py`."""

    def kubectl_components(self, agent: str, name: str) -> Mapping[str, str]: ...

    def agent_components(self, agent: str) -> Mapping[str, str]: ...

    def connected(self) -> Mapping[str, tuple[str, ...]]: ...


class Access(Record):
    """How an account reaches its cluster: a kubeconfig that is given, or an agent of the controller. Never both."""

    kubeconfig: bytes = b""
    context: str = ""
    agent: str = ""
    endpoint: str = "kubernetes"


class Accounts(Record):
    """The service. `plain` lets kubeconfigs stand in the open where there is no key."""

    writer: Writer
    cipher: Cipher | None = None
    plain: bool = False
    controller: Components | None = None

    def listed(self) -> tuple[Entry, ...]:
        """Every account."""
        return self.writer.entries()

    def shown(self, name: str) -> Entry:
        """One account, what is secret in it masked. Raises AccountError where there is none."""
        known = self.listed()
        for entry in known:
            if entry.name == name:
                return replace(entry, fields=_masked(entry.fields))
        hint = suggest_nearest(name, (entry.name for entry in known), "`halgit accounts list` tells what there is.")
        raise AccountError(f"There is no account {name}.", hint)

    def add(self, provider: str, name: str, fields: Mapping[str, Value], access: Access) -> Written:
        """Add an account. Raises AccountError, UsageError and RemoteErrors, and then nothing was written."""
        return self._put(Change("add", provider, name, fields), access)

    def update(self, name: str, fields: Mapping[str, Value], access: Access) -> Written:
        """Change fields of an account (MISSING takes one out), or its kubeconfig. Raises as `add` does."""
        return self._put(Change("update", "", name, fields), access)

    def remove(self, name: str) -> Written:
        """Take an account out, and its kubeconfig with it. Nothing is revoked."""
        return self.writer.change(Change("remove", "", name))

    def manifest(self, agent: Agent) -> bytes:
        """The agent's manifest with a fresh identity; it holds a private key."""
        return manifest(agent, self._controller().agent_components(agent.name))

    def _put(self, change: Change, access: Access) -> Written:
        if access.kubeconfig and access.agent:
            raise UsageError("A kubeconfig and an agent exclude each other.", "Give one of them.")
        given = {key for key in change.fields if key in {"kubeconfigFile", "kubeconfigContents"}}
        if given and (access.kubeconfig or access.agent):
            raise UsageError(f"{', '.join(sorted(given))} is given beside a kubeconfig.", "Give one of them.")
        if "kubeconfigContents" in given and str(change.fields["kubeconfigContents"])[:8] != "{cipher}":
            raise UsageError("kubeconfigContents is not given as a field.", "Give the kubeconfig with --kubeconfig.")
        if not (access.kubeconfig or access.agent):
            return self.writer.change(change)
        kubeconfig, notes = self._kubeconfig(access, change.name)
        sealed = seal(self.writer.store, change.name, kubeconfig, self.cipher, plain=self.plain)
        fields = {**change.fields, **sealed.fields}
        written = self.writer.change(replace(change, fields=fields), sealed.files)
        return replace(written, notes=(*written.notes, *kubeconfig.notes, *notes))

    def _kubeconfig(self, access: Access, name: str) -> tuple[Kubeconfig, tuple[str, ...]]:
        if access.kubeconfig:
            return check(access.kubeconfig, access.context), ()
        controller = self._controller()
        made = from_controller(controller.kubectl_components(access.agent, access.endpoint), name)
        try:
            return made, _connection(controller.connected(), access)
        except RemoteError as reason:
            return made, (f"Whether the agent is connected is not known: {reason.message}",)

    def _controller(self) -> Components:
        if self.controller is None:
            raise UsageError("No controller is known.", "Give --controller-url and the login it asks for.")
        return self.controller


def _connection(connected: Mapping[str, tuple[str, ...]], access: Access) -> tuple[str, ...]:
    """A note where the account cannot work yet."""
    if access.agent not in connected:
        return (f"The agent {access.agent} is not connected: apply its manifest in the cluster.",)
    if access.endpoint not in connected[access.agent]:
        known = ", ".join(connected[access.agent]) or "none"
        return (f"The agent {access.agent} offers no Kubernetes endpoint {access.endpoint} (endpoints: {known}).",)
    return ()


def _masked(fields: Mapping[str, Value]) -> dict[str, Value]:
    def masked(key: str, value: Value) -> Value:
        if value and (key in _HIDDEN or (is_sensitive_key(key) and not isinstance(value, (dict, list)))):
            return MASK
        if isinstance(value, dict):
            return _masked(value)
        return [masked("", one) for one in value] if isinstance(value, list) else value

    return {str(key): masked(str(key), value) for key, value in fields.items()}
