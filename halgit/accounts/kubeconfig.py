"""The kubeconfig of an account: checked, and reduced to the one context that Clouddriver uses. Pure.

Everything Clouddriver needs must be in it, because the kubeconfig is all that Clouddriver gets. It comes from a person
or from the controller's answer. Nothing here shows a key or token.
"""

from __future__ import annotations

import base64
import codecs
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from halgit import yaml as hyaml
from halgit.errors import AccountError
from halgit.pipeline import Value
from halgit.record import Record
from halgit.validation.account_kubeconfigs import (
    context_faults,
    file_faults,
    kubeconfig_faults,
    named_items,
    read_context,
)

LONGEST: Final = 256 * 1024
"""Bytes of a kubeconfig after it is reduced to one context."""

_PROGRAMS: Final = ("exec", "auth-provider")
_CLUSTER_KEYS: Final = (
    "server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data",
    "proxy-url", "disable-compression",
)  # fmt: skip
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Kubeconfig(Record):
    """A kubeconfig that Clouddriver can use. `text` is secret; `expires` is when its certificate does, ISO 8601."""

    text: bytes
    context: str
    notes: tuple[str, ...] = ()
    expires: str = ""

    def __repr__(self) -> str:
        return f"Kubeconfig(context={self.context!r})"


def list_contexts(content: bytes) -> tuple[tuple[str, ...], str]:
    """Return the names of a kubeconfig's contexts and its current one. Raises AccountError if it does not parse."""
    data = _parse(content)
    return tuple(named_items(data, "contexts", "context")), str(data.get("current-context") or "")


def check_kubeconfig(
    content: bytes, context: str = "", allowed: Collection[str] = (), *, as_file: bool = False
) -> Kubeconfig:
    """Check a kubeconfig and reduce it to the named context, or to its current one.

    `allowed` are the kinds of pod access that the operator permits (`exec`, `auth-provider`, `local-file`); `as_file`
    is whether it is stored as a file, where `${` can be escaped. Raises AccountError with every fault.
    """
    data = _parse(content)
    name = context or str(data.get("current-context") or "")
    faults = list(_context_faults(data, name, allowed))
    if not faults:
        cluster, user = read_context(data, name)
        content = _reduced(data, name, cluster, user)
        faults = list(_text_faults(content, as_file=as_file))
    if faults:
        raise _refused(faults)
    return Kubeconfig(content, name, tuple(_notes(cluster, user)), expiry(user))


def find_faults(content: bytes, context: str, allowed: Collection[str], *, as_file: bool) -> list[str]:
    """Return the faults of a kubeconfig that an entry names or holds, as `check_kubeconfig` finds them."""
    try:
        data = _parse(content)
    except AccountError:
        return ["it is not a kubeconfig in YAML"]
    name = context or str(data.get("current-context") or "")
    return [*_context_faults(data, name, allowed), *_text_faults(content, as_file=as_file)]


def _context_faults(data: Mapping[Any, Value], name: str, allowed: Collection[str]) -> Iterator[str]:
    yield from kubeconfig_faults(data, name)
    if not any(context_faults(data, name)):
        yield from _pod_faults(*read_context(data, name), allowed)


def from_controller(components: Mapping[str, str], account: str) -> Kubeconfig:
    """Build the kubeconfig of a remote cluster from the controller's answer to `generateKubectlComponents`.

    Controllers of generations 3 and 4 return a client certificate, those of generation 5 a token.
    """
    cluster: dict[str, Value] = {"server": components["serverUrl"]}
    if components.get("caCert"):
        cluster["certificate-authority-data"] = components["caCert"]
    if components.get("token"):
        user: dict[str, Value] = {"token": components["token"]}
    else:
        user = {"client-certificate-data": components["userCertificate"], "client-key-data": components["userKey"]}
    context = {"contexts": [{"name": account, "context": {}}]}
    return Kubeconfig(_reduced(context, account, cluster, user), account, (), expiry(user))


def expiry(user: Mapping[str, Value]) -> str:
    """Return when the client certificate of a kubeconfig's user expires, ISO 8601; empty if it has none."""
    from cryptography import x509

    data = user.get("client-certificate-data")
    if not isinstance(data, str):
        return ""
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(data))
    except ValueError:
        return ""
    return certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_expiry(text: str) -> str:
    """Return when the first client certificate of a stored kubeconfig expires; empty if it has none."""
    data = hyaml.read(text.encode("utf-8"), "kubeconfig").data
    users = named_items(data, "users", "user") if isinstance(data, dict) else {}
    return next((found for user in users.values() if (found := expiry(user))), "")


def _parse(content: bytes) -> Mapping[Any, Value]:
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise _refused([f"it is not {encoding.removesuffix('-sig').upper()} text"]) from None
    read = hyaml.read(text.replace("\r\n", "\n").encode("utf-8"), "kubeconfig")
    if read.findings:
        raise _refused([f"line {fault.line}: {fault.message.rstrip('.')}" for fault in read.findings])
    if not isinstance(read.data, dict):
        raise _refused(["it is not a mapping"])
    return read.data


def _refused(faults: list[str]) -> AccountError:
    return AccountError(
        f"The kubeconfig cannot be used: {'; '.join(faults)}.",
        "`kubectl config view --minify --flatten --raw` writes one that is complete.",
    )


def _pod_faults(cluster: Mapping[str, Value], user: Mapping[str, Value], allowed: Collection[str]) -> Iterator[str]:
    for key in _PROGRAMS:
        if user.get(key) is not None and key not in allowed:
            yield f"the user runs a program in Clouddriver's pod ({key}), which needs --allow {key}"
    if str(cluster.get("server")).lower().startswith("http:") and "http-server" not in allowed:
        yield "the cluster's server is an http:// address, which needs --allow http-server"
    if "local-file" not in allowed:
        yield from file_faults(cluster, user)


def _text_faults(content: bytes, *, as_file: bool) -> Iterator[str]:
    if b"${" in content and not (as_file and content.count(b"${") == content.count(b"\\${")):
        end = "write \\${ for it" if as_file else "kubeconfigContents has no escape for it, so change the value"
        yield f"it holds ${{, which Spring takes for a placeholder; {end}"
    if len(content) > LONGEST:
        yield f"it has {len(content)} bytes in one context, and {LONGEST} is the limit"


def _reduced(data: Mapping[Any, Value], name: str, cluster: Mapping[str, Value], user: Mapping[str, Value]) -> bytes:
    namespace = named_items(data, "contexts", "context").get(name, {}).get("namespace")
    context: dict[str, Value] = {"cluster": name, "user": name, **({"namespace": namespace} if namespace else {})}
    return hyaml.dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {key: cluster[key] for key in _CLUSTER_KEYS if key in cluster}}],
            "users": [{"name": name, "user": {key: value for key, value in user.items() if key != "extensions"}}],
            "contexts": [{"name": name, "context": context}],
            "current-context": name,
        }
    )


def _notes(cluster: Mapping[str, Value], user: Mapping[str, Value]) -> Iterator[str]:
    if any(user.get(key) for key in _PROGRAMS):
        yield "The kubeconfig runs a program to log in, which must be in Clouddriver's image."
    if cluster.get("insecure-skip-tls-verify"):
        yield "The kubeconfig does not verify the cluster's certificate."
