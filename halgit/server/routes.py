"""The API. Each route takes a request apart, asks the service in a thread, and logs every change in one line.

Annotations are evaluated where they stand: FastAPI reads the dependencies in them.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, Final, Protocol, TypeVar

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from halgit.accounts.changes import Change
from halgit.accounts.kubeconfig import list_contexts
from halgit.accounts.manifests import AgentManifest, check_agent, write_services
from halgit.accounts.requests import Written, digest_request
from halgit.accounts.service import Accounts, Caller
from halgit.accounts.service import Connection as Access
from halgit.accounts.views import AccountView
from halgit.errors import HalgitError, RemoteError
from halgit.pipeline import EMPTY
from halgit.record import Record
from halgit.server import models
from halgit.server.admission import require_caller
from halgit.server.authentication import Authentication, Identity
from halgit.server.metrics import Metrics
from halgit.validation.account_keys import provider_names

Result = TypeVar("Result")
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": models.Problem, "content": {"application/problem+json": {}}, "description": text}
    for status, text in {
        400: "The request is invalid.",
        401: "The caller is unknown.",
        403: "The caller's role is too low, or the request comes from another site.",
        404: "There is no such account.",
        408: "The body did not arrive in time.",
        409: "The account exists already.",
        412: "The account has changed.",
        413: "The body is too large.",
        415: "The body is not JSON.",
        422: "The change is refused.",
        429: "There are too many requests.",
        502: "The store or the controller refuses halgit.",
        503: "The store or the controller is unavailable, or busy.",
    }.items()
}
Name = Annotated[
    str, Path(min_length=1, max_length=200, description="Name of the account or agent.", examples=["prod"])
]
DryRun = Annotated[bool, Query(alias="dryRun", description="Return the difference and write nothing.")]
IfMatch = Annotated[str, Header(alias="If-Match", max_length=200)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]


class Log(Protocol):
    """Receiver of log lines."""

    def __call__(self, text: str, **fields: Any) -> None: ...


class Services(Record):
    """Dependencies of the routes. `accounts` returns the service as the operator's files are now."""

    accounts: Callable[[], Accounts]
    authentication: Authentication
    metrics: Metrics
    log: Log


def build_router(services: Services) -> APIRouter:
    """Return the routes of the API."""
    router = APIRouter(prefix="/v1", responses=_PROBLEMS)
    _add_reading(router, services)
    _add_changes(router, services)
    _add_removal(router, services)
    _add_agents(router, services)
    return router


def _add_reading(router: APIRouter, services: Services) -> None:
    @router.get("/me", response_model=models.Me)
    async def me(who: Annotated[Identity, require_caller(services.authentication, "reader", "me")]) -> models.Me:
        """The caller, and the features of this server."""
        accounts = services.accounts()
        return models.Me(
            name=who.name,
            role=who.role,
            providers=list(provider_names()),
            hasController=accounts.controller is not None,
        )

    @router.get("/accounts", response_model=models.AccountList)
    async def list_accounts(
        who: Annotated[Identity, require_caller(services.authentication, "reader", "list")],
        history: Annotated[bool, Query(description="With the last change of each account.")] = False,
    ) -> models.AccountList:
        """All accounts."""

        def ask() -> models.AccountList:
            accounts = services.accounts()
            found = accounts.list_accounts(with_history=history)
            services.metrics.observe_accounts(found)
            connected = _connected(accounts)
            return models.AccountList(accounts=[models.Account(**_summary(one, connected)) for one in found])

        return await run_in_threadpool(ask)

    @router.get("/accounts/{name}", response_model=models.AccountDetail)
    async def get_account(
        name: Name,
        response: Response,
        who: Annotated[Identity, require_caller(services.authentication, "reader", "show")],
        if_none_match: Annotated[str, Header(alias="If-None-Match", max_length=200)] = "",
    ) -> Any:
        """One account, its secrets masked; the ETag is its version."""
        account = await run_in_threadpool(lambda: services.accounts().get_account(name))
        tag = f'"{account.tag}"'
        if if_none_match and tag in if_none_match:
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return models.AccountDetail(**_summary(account, None), fields=dict(account.fields))

    @router.post("/contexts", response_model=models.ContextList)
    async def contexts(
        body: models.Contexts, who: Annotated[Identity, require_caller(services.authentication, "reader", "contexts")]
    ) -> models.ContextList:
        """The contexts of a kubeconfig, to choose from. Nothing is stored."""
        names, current = list_contexts(body.kubeconfig.encode("utf-8"))
        return models.ContextList(contexts=list(names), current=current)


def _add_changes(router: APIRouter, services: Services) -> None:
    @router.post("/accounts", response_model=models.Change, status_code=201)
    async def add(
        body: models.NewAccount,
        request: Request,
        who: Annotated[Identity, require_caller(services.authentication, "writer", "add")],
        dry_run: DryRun = False,
        key: Key = "",
    ) -> models.Change:
        """Add an account."""
        change = Change("add", body.provider, body.name, body.fields)
        caller = await _request_caller(services, request, who, key, body.model_dump())
        return await _changed(
            services, request, who, change, dry_run,
            lambda accounts: accounts.add(body.provider, body.name, body.fields, _access(body), caller), _access(body),
        )  # fmt: skip

    @router.patch("/accounts/{name}", response_model=models.Change)
    async def update(
        name: Name,
        body: models.AccountPatch,
        request: Request,
        who: Annotated[Identity, require_caller(services.authentication, "writer", "update")],
        dry_run: DryRun = False,
        if_match: IfMatch = "",
        key: Key = "",
    ) -> models.Change:
        """Change an account by a merge patch of its fields, or by another kubeconfig."""
        tag = _tag(if_match)
        change = Change("update", "", name, body.fields, expected=tag or None, is_merge=True)
        caller = await _request_caller(services, request, who, key, body.model_dump())
        return await _changed(
            services, request, who, change, dry_run,
            lambda accounts: accounts.update(name, body.fields, _access(body), caller, tag, is_merge=True),
            _access(body),
        )  # fmt: skip


def _add_removal(router: APIRouter, services: Services) -> None:
    @router.delete("/accounts/{name}", response_model=models.Change)
    async def remove(
        name: Name,
        request: Request,
        who: Annotated[Identity, require_caller(services.authentication, "writer", "remove")],
        dry_run: DryRun = False,
        if_match: IfMatch = "",
        key: Key = "",
    ) -> models.Change:
        """Remove an account. Nothing is revoked."""
        tag = _tag(if_match)
        caller = await _request_caller(services, request, who, key)
        change = Change("remove", "", name, expected=tag or None)
        return await _changed(
            services, request, who, change, dry_run, lambda accounts: accounts.remove(name, caller, tag), Access()
        )

    @router.post("/accounts/{name}/renew", response_model=models.Change)
    async def renew(
        name: Name,
        request: Request,
        who: Annotated[Identity, require_caller(services.authentication, "writer", "renew")],
        key: Key = "",
    ) -> models.Change:
        """Replace the kubeconfig of an account behind an agent."""
        change = Change("update", "", name)
        caller = await _request_caller(services, request, who, key)
        return await _changed(
            services, request, who, change, False, lambda accounts: accounts.renew([name], 0, caller)[name], Access()
        )


def _add_agents(router: APIRouter, services: Services) -> None:
    @router.get("/agents", response_model=models.AgentList)
    async def list_agents(
        who: Annotated[Identity, require_caller(services.authentication, "reader", "agents")],
    ) -> models.AgentList:
        """The agents that are connected to the controller."""
        found = await run_in_threadpool(lambda: services.accounts().list_agents(retry=False))
        return models.AgentList(
            agents=[
                models.Agent(
                    name=agent.name,
                    version=agent.version,
                    lastPing=agent.last_ping,
                    endpoints=[
                        models.AgentService(
                            name=one.name,
                            type=one.type,
                            isConfigured=one.is_configured,
                            namespaces=list(one.namespaces),
                        )
                        for one in agent.endpoints
                    ],
                )
                for agent in found
            ]
        )

    @router.post(
        "/agents/{name}/manifest",
        response_class=Response,
        responses={200: {"content": {"application/yaml": {}}, "description": "The manifest; it holds a private key."}},
    )
    async def manifest(
        name: Name,
        body: models.ManifestRequest,
        request: Request,
        who: Annotated[Identity, require_caller(services.authentication, "admin", "manifest")],
    ) -> Response:
        """The manifest of an agent with a new identity, or of its services."""
        agent = AgentManifest(
            name,
            body.namespace,
            tuple((one.name, one.type) for one in body.endpoints),
            tag=body.tag,
            replicas=body.replicas,
            cluster_wide=body.clusterWide,
        )
        if body.services:
            check_agent(agent)
            text = write_services(agent)
        else:
            text = await run_in_threadpool(_issue, services, request, who, agent)
        return Response(text, media_type="application/yaml", headers={"Cache-Control": "no-store"})


# --- parts


def _issue(services: Services, request: Request, who: Identity, agent: AgentManifest) -> bytes:
    """Return the manifest of an agent; that it was asked for is logged."""
    try:
        text = services.accounts().manifest(agent)
    except HalgitError as reason:
        _audit(services, request, who, "manifest", agent.name, "", f"refused ({type(reason).__name__})")
        raise
    _audit(services, request, who, "manifest", agent.name, "")
    return text


async def _changed(
    services: Services,
    request: Request,
    who: Identity,
    change: Change,
    dry_run: bool,
    write: Callable[[Accounts], Written],
    access: Access,
) -> models.Change:
    """Make or preview a change; what is made is logged, even if nobody waits for the answer any more."""

    def run() -> Written:
        accounts = services.accounts()
        if dry_run:
            return accounts.preview(change, access)
        try:
            written = write(accounts)
        except HalgitError as reason:
            _audit(services, request, who, change.verb, change.name, "", f"refused ({type(reason).__name__})")
            raise
        _audit(services, request, who, change.verb, change.name, written.revision)
        return written

    try:
        written = await run_in_threadpool(run)
    except asyncio.CancelledError:
        if not dry_run:
            _audit(services, request, who, change.verb, change.name, "", "unknown (the server stopped)")
        raise
    return models.Change(
        account=change.name,
        revision=written.revision,
        files=list(written.files),
        notes=list(written.notes),
        diff=list(written.diff),
    )


def _audit(
    services: Services, request: Request, who: Identity, verb: str, name: str, commit: str, result: str = "done"
) -> None:
    """One line of what was done. No name in it can forge another line or field."""
    fields = {"who": who.name, "what": verb, "account": name, "commit": commit, "request": request.state.request_id}
    clean = {key: "".join(one if one.isprintable() else "?" for one in value) for key, value in fields.items()}
    text = " ".join(["audit", *(f"{key}={value!r}" for key, value in clean.items()), result])
    services.log(text, **clean, result=result)


async def _request_caller(
    services: Services, request: Request, who: Identity, key: str, body: Mapping[str, Any] = EMPTY
) -> Caller:
    """The caller with the key of the request, both digested: a key is the caller's own."""
    if not key:
        return Caller(who.name)
    cipher = await run_in_threadpool(lambda: services.accounts().policy.cipher)
    own = hashlib.sha256(f"{who.name}\0{key}".encode()).hexdigest()[:32]
    return Caller(who.name, own, digest_request(f"{request.method} {request.url.path}", body, cipher))


def _access(body: models.Connection) -> Access:
    kubeconfig = None if body.kubeconfig is None else body.kubeconfig.encode("utf-8")
    return Access(kubeconfig, body.context, body.agent, body.endpoint)


def _tag(if_match: str) -> str:
    return "" if if_match.strip() == "*" else if_match.strip().removeprefix("W/").strip('"')


def _connected(accounts: Accounts) -> frozenset[str] | None:
    """The names of the connected agents; None if there is no controller, or it does not answer."""
    if accounts.controller is None:
        return None
    try:
        return frozenset(agent.name for agent in accounts.list_agents(retry=False))
    except RemoteError:
        return None


def _summary(account: AccountView, connected: frozenset[str] | None) -> Mapping[str, Any]:
    return {
        "name": account.name,
        "provider": account.provider,
        "environment": account.environment,
        "agent": account.agent,
        "endpoint": account.endpoint,
        "isConnected": None if connected is None or not account.agent else account.agent in connected,
        "expires": account.expires,
        "daysLeft": account.days_left(datetime.now(timezone.utc)),
        "changedBy": account.changed_by,
        "changedAt": account.changed_at,
    }
