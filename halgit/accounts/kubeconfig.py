"""What Clouddriver can use of a kubeconfig: everything it needs must stand in it, for it is all that Clouddriver gets.

Made from what the controller gives for a remote cluster, or given by a person and checked. Pure; shows no key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from halgit import yaml as hyaml
from halgit.errors import AccountError
from halgit.pipeline import Value
from halgit.record import Record

_FILES: Final = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
"""Keys that name a file of the machine the kubeconfig was made on, and what holds the same in it."""


class Kubeconfig(Record):
    """A kubeconfig that was checked; `text` is secret. `notes` are what a person should know."""

    text: bytes
    context: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Kubeconfig(context={self.context!r})"


def check(text: bytes, context: str = "") -> Kubeconfig:
    """A kubeconfig as Clouddriver will use it, in the named context or its current one.

    Raises AccountError with all that is wrong with it: it does not parse, has no such context, the context names a
    cluster or user that is not there, something stands in files that Clouddriver does not have, a `${` that Spring
    would replace.
    """
    read = hyaml.read(text, "kubeconfig")
    if read.findings:
        raise _refused([f"line {fault.line}: {fault.message.rstrip('.')}" for fault in read.findings])
    if not isinstance(read.data, dict):
        raise _refused(["it is no mapping"])
    name = context or str(read.data.get("current-context") or "")
    faults = list(_faults(read.data, name))
    if b"${" in text:
        faults.append("it holds ${, which Spring takes for a placeholder; write \\${ for it")
    if faults:
        raise _refused(faults)
    return Kubeconfig(text, name, tuple(_notes(read.data, name)))


def _refused(faults: list[str]) -> AccountError:
    return AccountError(
        f"The kubeconfig cannot be used: {'; '.join(faults)}.",
        "`kubectl config view --minify --flatten --raw` writes one that holds all it needs.",
    )


def _named(data: Mapping[Any, Value], kind: str, inside: str) -> dict[str, Mapping[str, Value]]:
    found = {}
    for item in data.get(kind) or ():
        if isinstance(item, dict) and isinstance(item.get(inside), dict):
            found[str(item.get("name"))] = item[inside]
    return found


def _faults(data: Mapping[Any, Value], name: str) -> Iterator[str]:
    contexts = _named(data, "contexts", "context")
    if not name:
        yield "it has no current-context, and no context is named"
    elif name not in contexts:
        known = f" (contexts: {', '.join(sorted(contexts))})" if contexts else ""
        yield f"it has no context {name}{known}"
    else:
        context = contexts[name]
        for kind, inside in (("clusters", "cluster"), ("users", "user")):
            wanted = str(context.get(inside) or "")
            if wanted not in _named(data, kind, inside):
                yield f"context {name} names the {inside} {wanted}, which is not there"
    for kind, inside in (("clusters", "cluster"), ("users", "user")):
        for owner, body in _named(data, kind, inside).items():
            for key, instead in _FILES.items():
                if body.get(key) and not body.get(instead):
                    yield f"{inside} {owner} has {key}, a file that Clouddriver does not have; give {instead}"


def _notes(data: Mapping[Any, Value], name: str) -> Iterator[str]:
    context = _named(data, "contexts", "context")[name]
    user = _named(data, "users", "user").get(str(context.get("user")), {})
    cluster = _named(data, "clusters", "cluster").get(str(context.get("cluster")), {})
    if "exec" in user or "auth-provider" in user:
        yield "The kubeconfig runs a program to log in, which must be in Clouddriver's image."
    if cluster.get("insecure-skip-tls-verify"):
        yield "The kubeconfig does not verify the cluster's certificate."


def from_controller(components: Mapping[str, str], account: str) -> Kubeconfig:
    """The kubeconfig for a remote cluster, from what `generateKubectlComponents` of the controller gave.

    A controller of the third and fourth generation gives a client certificate, one of the fifth a token.
    """
    cluster: dict[str, str] = {"server": components["serverUrl"]}
    if components.get("caCert"):
        cluster["certificate-authority-data"] = components["caCert"]
    if components.get("token"):
        user = {"token": components["token"]}
    else:
        user = {"client-certificate-data": components["userCertificate"], "client-key-data": components["userKey"]}
    data: dict[str, Value] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": account, "cluster": cluster}],
        "users": [{"name": account, "user": user}],
        "contexts": [{"name": account, "context": {"cluster": account, "user": account}}],
        "current-context": account,
    }
    return Kubeconfig(hyaml.dump(data), account)
