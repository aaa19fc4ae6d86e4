"""Operations of the account writer, for the command line and HTTP alike: the same steps, the same refusals.

It gets a writer and a controller from the operator. Everything is validated before the controller issues anything, and
a dry run asks the controller nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Protocol

from halgit.accounts.accounts_file import AccountsFile, Entry
from halgit.accounts.changes import Change, UnknownAccountError
from halgit.accounts.checks import KUBECONFIG_KEYS, Policy
from halgit.accounts.credentials import AGENT, SERVICE, check_components
from halgit.accounts.fields import TypedValue
from halgit.accounts.kubeconfig import Kubeconfig, check_kubeconfig, from_controller
from halgit.accounts.manifests import AgentManifest, check_agent, write_manifest
from halgit.accounts.requests import Request, Written
from halgit.accounts.stores import store_kubeconfig
from halgit.accounts.views import SOON, AccountView, view_entry
from halgit.accounts.writer import Writer
from halgit.errors import AccountError, RemoteError, UsageError
from halgit.pipeline import Value
from halgit.record import Record, replace
from halgit.text.paths import relax_name
from halgit.text.phrases import suggest_nearest


class Endpoint(Protocol):
    """A service of an agent, as the controller lists it."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def is_configured(self) -> bool: ...

    @property
    def namespaces(self) -> tuple[str, ...]: ...


class Agent(Protocol):
    """A connected agent, as the controller lists it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def last_ping(self) -> float | None: ...

    @property
    def endpoints(self) -> Sequence[Endpoint]: ...


class ControllerApi(Protocol):
    """Operations of a controller; see `remotes/controller.py`."""

    def kubectl_components(self, agent: str, name: str) -> Mapping[str, str]: ...

    def agent_components(self, agent: str) -> Mapping[str, str]: ...

    def service_credentials(self, agent: str, name: str, type: str) -> Mapping[str, str]: ...

    def list_agents(self, *, retry: bool = True) -> Sequence[Agent]: ...


class Connection(Record):
    """Access to the account's cluster: a kubeconfig, or an agent of the controller; None if not set."""

    kubeconfig: bytes | None = None
    context: str = ""
    agent: str | None = None
    endpoint: str = "kubernetes"


class Caller(Record):
    """The caller, and the key of the request with its digest, if it has one."""

    name: str = ""
    key: str = ""
    digest: str = ""


NOBODY = Caller()
_PLACEHOLDER = {
    "serverUrl": "https://controller.example.com:9002",
    **dict.fromkeys(("userCertificate", "userKey", "caCert"), "A" * 2800),
}
"""Parts of a kubeconfig of the size that the controller issues."""


class Accounts:
    """The service."""

    def __init__(self, writer: Writer, controller: ControllerApi | None = None) -> None:
        self.writer = writer
        self.controller = controller

    @property
    def policy(self) -> Policy:
        """Return the operator's settings for accounts."""
        return self.writer.policy

    def list_accounts(self, *, with_history: bool = False) -> tuple[AccountView, ...]:
        """Return every account; with the last change of each, if asked for and known."""
        file, revision = self.writer.read()
        history = self.writer.history() if with_history else {}
        return tuple(
            view_entry(entry, self.policy, revision, history.get(entry.name, ("", ""))) for entry in file.entries
        )

    def get_account(self, name: str) -> AccountView:
        """Return one account. Raises UnknownAccountError."""
        file, revision = self.writer.read()
        return view_entry(_find_entry(file, name), self.policy, revision)

    def add(
        self,
        provider: str,
        name: str,
        fields: Mapping[str, Value | TypedValue],
        connection: Connection,
        caller: Caller = NOBODY,
    ) -> Written:
        """Add an account. Raises AccountError, UsageError or RemoteErrors, and then nothing was written."""
        return self._put(Change("add", provider, name, fields), connection, caller)

    def update(
        self,
        name: str,
        fields: Mapping[str, Value | TypedValue],
        connection: Connection,
        caller: Caller = NOBODY,
        expected: str = "",
        *,
        is_merge: bool = False,
    ) -> Written:
        """Change fields of an account (MISSING removes one), or its kubeconfig. Raises as `add` does.

        With `expected`, raises ChangedError if the account has another tag.
        """
        change = Change("update", "", name, fields, expected=expected or None, is_merge=is_merge)
        return self._put(change, connection, caller)

    def remove(self, name: str, caller: Caller = NOBODY, expected: str = "") -> Written:
        """Remove an account, and its kubeconfig with it. Nothing is revoked."""
        return self._write(Change("remove", "", name, expected=expected or None), caller)

    def preview(self, change: Change, connection: Connection) -> Written:
        """Return what a change would do. Nothing is written, and the controller is not asked for credentials."""
        complete, notes = self._with_connection(change, connection, issue=False)
        written = self.writer.preview(complete)
        return replace(written, notes=(*written.notes, *notes))

    def renew(self, names: Sequence[str], days: int, caller: Caller = NOBODY) -> dict[str, Written]:
        """Replace the kubeconfigs of accounts behind agents that expire within `days`; all such, or the named ones."""
        file, revision = self.writer.read()
        for name in names:
            _find_entry(file, name)
        accounts = [view_entry(entry, self.policy, revision) for entry in file.entries]
        due = [account for account in accounts if account.agent and _is_due(account, names, days)]
        others = [name for name in names if name not in {account.name for account in due}]
        if others:
            raise AccountError(
                f"{', '.join(others)}: not an account behind an agent that this key can read.",
                "`halgit accounts list` shows the accounts with their agents.",
            )
        return {
            account.name: self.update(
                account.name, {}, Connection(agent=account.agent, endpoint=account.endpoint), caller
            )
            for account in due
        }

    def list_agents(self, *, retry: bool = True) -> Sequence[Agent]:
        """Return the agents that are connected now. Without `retry` the controller has to answer at once."""
        return self._require_controller().list_agents(retry=retry)

    def service_credentials(self, agent: str, name: str, type: str) -> Mapping[str, str]:
        """Have the controller issue a login for a service behind an agent; it is secret."""
        return self._require_controller().service_credentials(agent, name, type)

    def manifest(self, agent: AgentManifest) -> bytes:
        """Return the manifest of an agent with a new identity; it holds a private key."""
        return build_manifest(self._require_controller(), agent)

    # --- one change

    def _put(self, change: Change, connection: Connection, caller: Caller) -> Written:
        if connection.agent is not None and caller.key:
            # A repeated request must not have another credential issued, nor be compared with what it wrote itself.
            answered = self.writer.find_answer(Request(change, caller.name, caller.key, caller.digest))
            if answered is not None:
                return answered
        complete, notes = self._with_connection(change, connection, issue=True)
        written = self._write(complete, caller)
        return replace(written, notes=(*written.notes, *notes))

    def _write(self, change: Change, caller: Caller) -> Written:
        return self.writer.write(Request(change, caller.name, caller.key, caller.digest))

    def _with_connection(
        self, change: Change, connection: Connection, *, issue: bool
    ) -> tuple[Change, tuple[str, ...]]:
        """The change with the kubeconfig that the connection leads to, and notes on it."""
        _check_connection(change, connection)
        if connection.kubeconfig is not None:
            as_file = self.policy.cipher is None and self.writer.store.has_files
            kubeconfig = check_kubeconfig(
                connection.kubeconfig, connection.context, self.policy.allowed, as_file=as_file
            )
            return self._stored(change, kubeconfig), kubeconfig.notes
        if connection.agent is None:
            return change, ()
        controller = self._require_controller()
        if not issue:
            return self._draft(change), ("The controller was not asked: this is a dry run.",)
        return self._issued(change, connection, controller)

    def _issued(
        self, change: Change, connection: Connection, controller: ControllerApi
    ) -> tuple[Change, tuple[str, ...]]:
        """The change with a new credential. Everything else is checked before, because nobody can revoke it."""
        agent, endpoint = connection.agent or "", connection.endpoint
        self.writer.preview(self._draft(change))
        notes, namespaces = _endpoint_state(controller, agent, endpoint)
        has_scope = any(relax_name(key) in {"namespaces", "omitnamespaces"} for key in change.fields)
        if namespaces and not has_scope and change.verb == "add":
            change = replace(change, fields={**change.fields, "namespaces": list(namespaces)})
        self.writer.preview(self._draft(change), checks_store=True)
        components = controller.kubectl_components(agent, endpoint)
        identity = {"agent": agent, "name": endpoint, "type": "kubernetes", "purpose": SERVICE}
        check_components(components, identity, datetime.now(timezone.utc), self.policy.allowed)
        return self._stored(change, from_controller(components, change.name)), notes

    def _draft(self, change: Change) -> Change:
        """The change with a kubeconfig that stands for the one to be issued."""
        return self._stored(change, from_controller(_PLACEHOLDER, change.name))

    def _stored(self, change: Change, kubeconfig: Kubeconfig) -> Change:
        fields, files = store_kubeconfig(
            self.writer.store, change.name, kubeconfig, self.policy, partial(self.writer.find_kubeconfig, change.name)
        )
        return replace(change, fields={**change.fields, **fields}, files=files)

    def _require_controller(self) -> ControllerApi:
        if self.controller is None:
            raise UsageError("There is no controller.", "Add --controller-url and the login it needs.")
        return self.controller


def build_manifest(controller: ControllerApi, agent: AgentManifest) -> bytes:
    """Have the controller issue an agent's identity, check it, and return the agent's manifest."""
    check_agent(agent)
    components = controller.agent_components(agent.name)
    check_components(components, {"agent": agent.name, "purpose": AGENT}, datetime.now(timezone.utc))
    return write_manifest(agent, components)


def _find_entry(file: AccountsFile, name: str) -> Entry:
    found = file.find(name)
    if not found:
        hint = suggest_nearest(
            name, [entry.name for entry in file.entries], "`halgit accounts list` shows the accounts."
        )
        raise UnknownAccountError(f"There is no account {name}.", hint)
    return found[0]


def _is_due(account: AccountView, names: Sequence[str], days: int) -> bool:
    left = account.days_left(datetime.now(timezone.utc))
    return account.name in names if names else left is not None and left < days


def _check_connection(change: Change, connection: Connection) -> None:
    if connection.kubeconfig is not None and connection.agent is not None:
        raise UsageError("A kubeconfig and an agent exclude each other.", "Use one of them.")
    if connection.agent is not None and not connection.agent.strip():
        raise UsageError("The name of the agent is empty.", "Name the agent, or remove the option.")
    if connection.agent is not None and not connection.endpoint.strip():
        raise UsageError("The name of the endpoint is empty.", "Name the agent's Kubernetes endpoint.")
    if connection.context and connection.kubeconfig is None:
        raise UsageError("A context is selected without a kubeconfig.", "Add --kubeconfig, or set the field context.")
    fields = {key for key in change.fields if relax_name(key) in KUBECONFIG_KEYS}
    if fields and (connection.kubeconfig is not None or connection.agent is not None):
        raise UsageError(f"{', '.join(sorted(fields))} and a kubeconfig exclude each other.", "Use one of them.")
    for key in fields:
        value = change.fields[key]
        value = value.text or value.value if isinstance(value, TypedValue) else value
        if relax_name(key) == "kubeconfigcontents" and isinstance(value, str) and not value.startswith("{cipher}"):
            raise UsageError("kubeconfigContents cannot be set as a field.", "Use --kubeconfig.")


def _endpoint_state(controller: ControllerApi, agent: str, endpoint: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes on an agent that cannot be used yet, and the namespaces that its endpoint has."""
    try:
        agents = [one for one in controller.list_agents() if one.name == agent]
    except RemoteError as reason:
        return (f"The state of the agent is unknown: {reason.message}",), ()
    if not agents:
        return (f"The agent {agent} is not connected: apply its manifest in the cluster.",), ()
    usable = {e.name: e for one in agents for e in one.endpoints if e.type == "kubernetes" and e.is_configured}
    if endpoint not in usable:
        known = ", ".join(usable) or "none"
        return (f"The agent {agent} has no Kubernetes endpoint {endpoint} (endpoints: {known}).",), ()
    return (), usable[endpoint].namespaces


def expiring(accounts: Sequence[AccountView], now: datetime) -> list[str]:
    """Return a line for each account whose certificate expires soon or has expired."""
    lines = []
    for account in accounts:
        left = account.days_left(now)
        if left is not None and left < SOON:
            state = f"expires in {left} days" if left >= 0 else "has expired"
            lines.append(f"{account.name}: the certificate {state} ({account.expires}). Run `halgit accounts renew`.")
    return lines
