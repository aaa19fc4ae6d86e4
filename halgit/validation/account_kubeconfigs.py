"""What a kubeconfig of an account must have: a context with a cluster and a user, an address, credentials. Pure.

Clouddriver gets nothing but the kubeconfig. No key or token is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from halgit.annotations import Any, Final
from halgit.pipeline import Value

FILES: Final = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
"""Keys that name a local file, and the keys that hold the same as data."""

_DATA: Final = ("certificate-authority-data", "client-certificate-data", "client-key-data")


def kubeconfig_faults(data: Mapping[Any, Value], context: str) -> Iterator[str]:
    """The faults of a kubeconfig as it is used with one context, each as words about "it"."""
    faults = list(context_faults(data, context))
    yield from faults
    if not faults:
        cluster, user = read_context(data, context)
        yield from cluster_faults(cluster)
        yield from user_faults(user)


def file_faults(cluster: Mapping[str, Value], user: Mapping[str, Value]) -> Iterator[str]:
    """The files that a context names and Clouddriver does not have. Data takes precedence over files, but not `token`
    over `tokenFile`."""
    for owner, data in (("cluster", cluster), ("user", user)):
        for key, instead in FILES.items():
            if data.get(key) and (key == "tokenFile" or not data.get(instead)):
                yield f"the {owner} has {key}, a file that Clouddriver does not have; use {instead}"


def named_items(data: Mapping[Any, Value], kind: str, inside: str) -> dict[str, Mapping[str, Value]]:
    items = data.get(kind)
    found: dict[str, Mapping[str, Value]] = {}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get(inside), dict):
            found.setdefault(str(item.get("name")), item[inside])
    return found


def read_context(data: Mapping[Any, Value], name: str) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    context = named_items(data, "contexts", "context")[name]
    cluster = named_items(data, "clusters", "cluster")[str(context.get("cluster"))]
    return cluster, named_items(data, "users", "user")[str(context.get("user"))]


def context_faults(data: Mapping[Any, Value], name: str) -> Iterator[str]:
    contexts = named_items(data, "contexts", "context")
    if not name:
        yield "it has no current-context, and no context is selected"
        return
    if name not in contexts:
        known = f" (contexts: {', '.join(sorted(contexts))})" if contexts else ""
        yield f"it has no context {name}{known}"
        return
    for kind, inside in (("clusters", "cluster"), ("users", "user")):
        wanted = str(contexts[name].get(inside) or "")
        if wanted not in named_items(data, kind, inside):
            yield f"context {name} names the {inside} {wanted}, which is missing"


def cluster_faults(cluster: Mapping[str, Value]) -> Iterator[str]:
    server = cluster.get("server")
    try:
        parts = urlsplit(server if isinstance(server, str) else "")
        is_address = parts.scheme in {"https", "http"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        yield "the cluster's server is not an https:// address"
    yield from _base64_faults(cluster)


def user_faults(user: Mapping[str, Value]) -> Iterator[str]:
    has_certificate = any(user.get(key) for key in ("client-certificate-data", "client-certificate"))
    has_key = any(user.get(key) for key in ("client-key-data", "client-key"))
    if has_certificate != has_key:
        yield "the user has a client certificate without its key, or a key without its certificate"
    elif not has_certificate and not any(
        user.get(key) for key in ("token", "tokenFile", "password", "exec", "auth-provider")
    ):
        yield "the user has no credentials: no token, client certificate or password"
    yield from _base64_faults(user)


def _base64_faults(data: Mapping[str, Value]) -> Iterator[str]:
    for key in _DATA:
        value = data.get(key)
        if value is None:
            continue
        from base64 import b64decode

        try:
            b64decode("".join(str(value).split()), validate=True)
        except ValueError:  # also binascii.Error
            yield f"{key} is not valid base64"
