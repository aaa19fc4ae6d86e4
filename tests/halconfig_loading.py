"""A halconfig as Halyard holds it after loading: scalars coerced, nulls dropped, defaults and side effects in place.

What `hal` would write back, so what Halyard made of the file. For a halconfig that `schema` accepts; judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from halgit import yaml as hyaml
from halgit.halyard import coercion
from halgit.halyard.model import ROOT_TYPE, Field, FieldType, get_actual_class
from halgit.pipeline import Value
from halgit.redaction import Secret, SecretText

Bound = dict[str, Any]

DAEMON_HOME: Final = "/home/spinnaker"


def loaded(config: Value, daemon_home: str = DAEMON_HOME) -> Bound:
    """The halconfig as Halyard would write it back; an empty one is a new one. `daemon_home` is the daemon's $HOME."""
    return _Loader(daemon_home).halconfig(config)


class _Loader:
    def __init__(self, daemon_home: str) -> None:
        self._home = daemon_home

    def halconfig(self, config: Value) -> Bound:
        bound: Bound = self._bind(ROOT_TYPE, {} if config is None else config)
        for deployment in bound["deploymentConfigurations"]:
            self._finish(deployment)
        return bound

    # --- binding ---

    def _bind(self, type_: FieldType, value: Value) -> Value:
        if type_.kind == "object" and isinstance(value, dict):
            return self._object(type_, value)
        if type_.kind in {"list", "set"} and type_.of and isinstance(value, list):
            return [None if item is None else self._bind(type_.of, item) for item in value]
        if type_.kind == "map" and type_.of and isinstance(value, dict):
            return {str(key): self._bind(type_.of, item) for key, item in value.items() if item is not None}
        return _any(value) if type_.kind == "any" else scalar(type_, value)

    def _object(self, type_: FieldType, node: Mapping[str, Value]) -> Bound:
        """Defaults first, then the keys in file order, each with what its setter does besides."""
        class_ = get_actual_class(type_, node)
        bound = {key: self._default(field) for key, field in class_.fields.items()}
        setter = _SETTERS.get(class_.name)
        for key, value in node.items():
            field = class_.fields.get(key)
            if field is not None and value is not None:
                bound[key] = self._bind(field.type, value)
                if setter:
                    setter(bound, key)
        if class_.name == "providers.kubernetes.KubernetesAccount":
            self._kubeconfig(bound)
        kept_for_now = class_.name in _FOLDED
        return {
            key: value
            for key, value in bound.items()
            if value is not None and (kept_for_now or class_.fields[key].written)
        }

    def _default(self, field: Field) -> Value:
        return None if field.default is None else self._bind(field.type, field.default)

    def _kubeconfig(self, account: Bound) -> None:
        if account["serviceAccount"] is True:
            account["kubeconfigFile"] = None
        elif not account["kubeconfigFile"]:
            account["kubeconfigFile"] = f"{self._home}/.kube/config"

    # --- what getters work out of the rest ---

    def _finish(self, deployment: Bound | None) -> None:
        if deployment is None:
            return
        environment, providers = deployment["deploymentEnvironment"], deployment["providers"]
        for provider in providers.values():
            _primary_account(provider, environment)
        store = deployment["persistentStorage"]
        self._fold(providers, "providers.oracle.OracleProvider", "primaryAccount", but="bakeryDefaults")
        self._fold(store, "persistentStorage.OraclePersistentStore", "tenancyId")
        if store.get("persistentStoreType") == "oraclebmcs":
            store["persistentStoreType"] = "oracle"
        store["oracle"] = {key: value for key, value in store["oracle"].items() if value != ""}
        security = deployment["security"]
        for section in (deployment["metricStores"], deployment["pubsub"], security["authn"]):
            section["enabled"] = any(part.get("enabled") for part in section.values() if isinstance(part, dict))

    def _fold(self, section: Bound, class_: str, tells: str, but: str = "") -> None:
        """Halyard takes the old name of oracle for oracle itself, where only the old one is in use."""
        old = section.pop("oraclebmcs")
        if tells not in section["oracle"] and tells in old:
            new: Bound = self._object(FieldType("object", class_), {})
            section["oracle"] = new | {key: value for key, value in old.items() if key != but}


_FOLDED: Final = frozenset({"node.Providers", "node.PersistentStorage"})
"""Classes that hold something only as long as it takes to fold it into something else."""


def scalar(type_: FieldType, value: Value) -> Value:
    """What Jackson makes of a scalar; None where it refuses. A secret stays one."""
    if isinstance(value, (Secret, SecretText)):
        return value
    if type_.kind == "boolean":
        return coercion.coerce_boolean(value)
    if type_.kind in {"int32", "int64"}:
        return coercion.coerce_integer(value, int(type_.kind[3:]))
    if type_.kind == "enum":
        return coercion.coerce_enum(value, type_.name)
    return hyaml.to_java_string(value) if isinstance(value, (str, int, float)) else None


def _any(value: Value) -> Value:
    if isinstance(value, dict):
        return {str(key): _any(item) for key, item in value.items() if item is not None}
    return [_any(item) for item in value] if isinstance(value, list) else value


def _primary_account(provider: Bound, environment: Bound) -> None:
    """The account a provider offers first: what `primaryAccount` names, else the first, else none at all."""
    accounts = [account for account in provider.get("accounts", ()) if account is not None]
    names = [account.get("name") for account in accounts]
    if provider.get("primaryAccount") in names and names:
        return
    if environment.get("bootstrapOnly"):
        names = [name for name in names if name != environment.get("accountName")]
    provider.pop("primaryAccount", None)
    if names and names[0] is not None:
        provider["primaryAccount"] = names[0]


# --- what setters do besides setting ---


def _set_oauth2(bound: Bound, key: str) -> None:
    """`provider` brings presets, and what was read before it is lost but for the client's own identity."""
    provider = bound["provider"]
    if key != "provider" or provider in {None, "OTHER"}:
        return
    kept = ("clientId", "clientSecret", "preEstablishedRedirectUri", "useCurrentUri")
    client, resource, mapping = _PRESETS[provider]
    bound["client"] = {name: bound["client"][name] for name in kept if name in bound["client"]} | client
    bound["resource"], bound["userInfoMapping"] = dict(resource), dict(mapping)


def _set_kubernetes_account(bound: Bound, key: str) -> None:
    if key.startswith("oauth"):
        bound["oA" + key[2:]] = bound[key]


def _set_redis(bound: Bound, key: str) -> None:
    if key == "connectionInfo" and (bound["host"] is None or bound["port"] is None):
        uri = urlsplit(str(bound[key]))
        bound["host"], bound["port"] = uri.hostname, -1 if uri.port is None else uri.port


def _set_docker_registry_account(bound: Bound, key: str) -> None:
    address = bound["address"]
    if key == "address" and isinstance(address, str) and not address.startswith(("https://", "http://")):
        bound["address"] = "https://" + address


_SETTERS: Final[Mapping[str, Callable[[Bound, str], None]]] = {
    "security.OAuth2": _set_oauth2,
    "providers.kubernetes.KubernetesAccount": _set_kubernetes_account,
    "providers.dockerRegistry.DockerRegistryAccount": _set_docker_registry_account,
    "persistentStorage.RedisPersistentStore": _set_redis,
}


def _preset(token: str, login: str, scope: str, user: str, mapping: Bound, **more: str) -> tuple[Bound, Bound, Bound]:
    client = {"accessTokenUri": token, "userAuthorizationUri": login, "scope": scope, **more}
    return client, {"userInfoUri": user}, mapping


_ORACLE: Final = "https://idcs-${idcsTenantId}.identity.oraclecloud.com/oauth2/v1/"
_AZURE: Final = "https://login.microsoftonline.com/${azureTenantId}/oauth2/"
_PRESETS: Final = {
    "GOOGLE": _preset(
        "https://www.googleapis.com/oauth2/v4/token",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "profile email",
        "https://www.googleapis.com/oauth2/v3/userinfo",
        {"email": "email", "firstName": "given_name", "lastName": "family_name"},
    ),
    "GITHUB": _preset(
        "https://github.com/login/oauth/access_token",
        "https://github.com/login/oauth/authorize",
        "user:email",
        "https://api.github.com/user",
        {"email": "email", "firstName": "", "lastName": "name", "username": "login"},
    ),
    "ORACLE": _preset(
        _ORACLE + "token",
        _ORACLE + "authorize",
        "openid urn:opc:idm:__myscopes__",
        _ORACLE + "userinfo",
        {"email": "", "firstName": "given_name", "lastName": "family_name", "username": "preferred_username"},
    ),
    "AZURE": _preset(
        _AZURE + "token",
        _AZURE + "authorize?resource=https://graph.windows.net",
        "profile",
        "https://graph.windows.net/me?api-version=1.6",
        {"email": "userPrincipalName", "firstName": "givenName", "lastName": "surname"},
        clientAuthenticationScheme="query",
    ),
}
"""What `OAuth2.setProvider` fills in: client, resource and user mapping, by provider."""
