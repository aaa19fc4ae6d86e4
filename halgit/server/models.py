"""The bodies of requests and answers, as OpenAPI describes them. Unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_KUBECONFIG = 1024 * 1024


def _example(body: dict[str, Any]) -> ConfigDict:
    """The settings of a body with an example in the description."""
    return ConfigDict(extra="forbid", populate_by_name=True, json_schema_extra={"examples": [body]})


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Connection(Body):
    """Access to the account's cluster: a kubeconfig, or an agent of the controller."""

    kubeconfig: str | None = Field(None, max_length=_KUBECONFIG, description="The cluster's kubeconfig, as YAML.")
    context: str = Field("", max_length=500, description="Context of the kubeconfig, if not its current one.")
    agent: Name | None = Field(None, description="Agent through which the controller reaches the cluster.")
    endpoint: Name = Field("kubernetes", description="Kubernetes endpoint of the agent.")


class NewAccount(Connection):
    """An account to add."""

    model_config = _example(
        {"name": "prod", "agent": "shop", "endpoint": "kubernetes", "fields": {"permissions": {"READ": ["dev"]}}}
    )
    name: Name
    provider: Name = "kubernetes"
    fields: dict[str, Any] = Field(default_factory=dict, description="Fields of the entry, by Clouddriver's names.")


class AccountPatch(Connection):
    """Changes of an account. `fields` is a merge patch (RFC 7396): null removes a field."""

    model_config = _example({"fields": {"cacheThreads": 2, "namespaces": None}})
    fields: dict[str, Any] = Field(default_factory=dict)


class Contexts(Body):
    """A kubeconfig whose contexts are asked for."""

    model_config = _example({"kubeconfig": "contexts: [{name: one}]\ncurrent-context: one\n"})
    kubeconfig: str = Field(max_length=_KUBECONFIG)


class AgentEndpoint(Body):
    """A service of an agent."""

    name: Name
    type: Annotated[str, StringConstraints(pattern="^[a-z0-9]+$", max_length=100)] = "kubernetes"


class ManifestRequest(Body):
    """The agent's settings in the remote cluster. `services` asks for the ConfigMap of its services instead."""

    model_config = _example({"namespace": "opsmx-agent", "endpoints": [{"name": "kubernetes", "type": "kubernetes"}]})
    namespace: Name
    endpoints: list[AgentEndpoint] = Field(default_factory=lambda: [AgentEndpoint(name="kubernetes")], max_length=50)
    tag: str = Field("", max_length=128)
    replicas: StrictInt = Field(1, ge=1, le=9)
    clusterWide: StrictBool = False
    services: StrictBool = False


class Account(BaseModel):
    """One account as it is listed."""

    name: str
    provider: str
    environment: str = ""
    agent: str = Field("", description="Agent through which it is reached; empty for none, or if it cannot be read.")
    endpoint: str = ""
    isConnected: bool | None = Field(None, description="Whether the agent is connected; null if that is unknown.")
    expires: str = Field("", description="When the client certificate expires, ISO 8601; empty if unknown.")
    daysLeft: int | None = None
    changedBy: str = ""
    changedAt: str = ""


class AccountList(BaseModel):
    """All accounts."""

    accounts: list[Account]


class AccountDetail(Account):
    """One account with its fields; secrets are masked."""

    fields: dict[str, Any]


class Change(BaseModel):
    """The result of a change. `revision` is empty if nothing had to be written, or in a dry run."""

    account: str
    revision: str
    files: list[str]
    notes: list[str]
    diff: list[str]


class AgentService(BaseModel):
    """A service of a connected agent."""

    name: str
    type: str
    isConfigured: bool
    namespaces: list[str]


class Agent(BaseModel):
    """A connected agent. `lastPing` is in seconds ago."""

    name: str
    version: str
    lastPing: float | None
    endpoints: list[AgentService]


class AgentList(BaseModel):
    """The connected agents."""

    agents: list[Agent]


class ContextList(BaseModel):
    """The contexts of a kubeconfig."""

    contexts: list[str]
    current: str


class Me(BaseModel):
    """The caller, and the features of this server."""

    name: str
    role: str
    providers: list[str]
    hasController: bool


class Problem(BaseModel):
    """An error, as RFC 9457 defines it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    hint: str = ""
    requestId: str = ""
    errors: list[str] = Field(default_factory=list, description="Faults of the request, each with its place.")
