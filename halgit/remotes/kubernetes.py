"""Kubernetes Secrets, read through lightkube with the pod's service account or the operator's kubeconfig.

Cluster and login are the operator's. A reference without a namespace means the pod's (or the context's) own; whether
it may name another is decided before it comes here.
"""

from __future__ import annotations

import base64
import binascii
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halgit.errors import Corrupt, Missing, Refused, RemoteError, Throttled, Unreachable, Untrusted
from halgit.operator import Access
from halgit.remotes.held import Held, Presence
from halgit.remotes.retry import persist, retry_after
from halgit.tree import Reference

if TYPE_CHECKING:
    from lightkube import Client, KubeConfig

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"

_LONGEST_ANSWER: Final = 30.0
_NO_CLUSTER: Final = "Run in a pod with a service account, or give KUBECONFIG."


class KubernetesEngine:
    """Reads Secrets. `service_account` is the folder a pod finds its own account in."""

    def __init__(self, access: Access, service_account: str = SERVICE_ACCOUNT) -> None:
        self._access = access
        self._client = access.kept.once((_Cluster, "kubernetes"), lambda: _Cluster(access, service_account))

    def read(self, reference: Reference) -> Held:
        name, namespace = reference.get("name"), reference.get("namespace")
        secret = persist(
            lambda: self._client.secret(name, namespace), retries=self._access.retries, patience=self._access.timeout
        )
        data = {str(key): _decoded(name, key, value) for key, value in (secret.data or {}).items()}
        version = getattr(secret.metadata, "resourceVersion", "") or ""
        return Held(data, version=f"revision:{version}" if version else "")

    def check(self, reference: Reference) -> Presence:
        """The API has no metadata without the data, so the Secret is read."""
        return Presence("read", frozenset(self.read(reference).keys or ()))


def _decoded(name: str, key: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Corrupt(f"Kubernetes gave the Secret {name} with a key {key} that is no base64.") from None


class _Cluster:
    """One connection for the run."""

    def __init__(self, access: Access, service_account: str) -> None:
        config = _config(access, Path(service_account))
        self._client: Client = _client(config, min(_LONGEST_ANSWER, access.timeout))

    def close(self) -> None:
        self._client.close()

    def secret(self, name: str, namespace: str) -> Any:
        from lightkube.resources.core_v1 import Secret

        library = _http_library()
        where = f"Secret {name} in namespace {namespace or self._client.namespace}"
        try:
            return self._client.get(Secret, name, namespace=namespace or self._client.namespace)
        except library.HTTPStatusError as why:
            raise _answered(where, why.response.status_code, why.response.headers.get("Retry-After")) from None
        except library.TimeoutException:
            raise Unreachable(f"Kubernetes did not answer for the {where} in time.", "Try again.") from None
        except library.TransportError as why:
            if "CERTIFICATE_VERIFY_FAILED" in str(why):
                raise Untrusted(
                    "The certificate of the Kubernetes API cannot be verified.",
                    "Put the cluster's authority into the kubeconfig.",
                ) from None
            raise Unreachable(
                "The Kubernetes API cannot be reached.", "Check the kubeconfig and the network."
            ) from None
        except (ValueError, KeyError, library.DecodingError) as why:
            if isinstance(why.__context__, library.HTTPStatusError):
                behind = why.__context__.response
                raise _answered(where, behind.status_code, behind.headers.get("Retry-After")) from None
            raise Corrupt(f"The answer of Kubernetes for the {where} makes no sense.") from None


def _answered(where: str, status: int, later: str | None) -> RemoteError:
    if status == 404:
        return Missing(f"Kubernetes has no {where}.", "Create it, or correct the reference.")
    if status == 401:
        return Refused("Kubernetes does not accept the login.", "Check the service account's token or the kubeconfig.")
    if status == 403:
        return Refused(f"Kubernetes refuses the {where}.", "Let the account's role get Secrets there.")
    if status in {429, 503}:
        return Throttled(f"Kubernetes asks to come back later (HTTP {status}).", "Run again later.", retry_after(later))
    return Unreachable(f"Kubernetes failed over the {where} (HTTP {status}).", "Try again.")


def _http_library() -> Any:
    """The HTTP library that lightkube raises errors of: httpx2 since 1.0, httpx before."""
    try:
        return importlib.import_module("httpx2")
    except ImportError:
        return importlib.import_module("httpx")


def _client(config: KubeConfig, seconds: float) -> Client:
    from lightkube import Client
    from lightkube.core.exceptions import ConfigError

    try:
        return Client(config, timeout=_http_library().Timeout(seconds))
    except (ConfigError, KeyError, OSError, ValueError) as why:
        raise Refused(f"The kubeconfig cannot be used ({type(why).__name__}).", "Check its current context.") from None


def _config(access: Access, account: Path) -> KubeConfig:
    """KUBECONFIG, else the pod's service account, else the kubeconfig at home."""
    environment = access.environment
    given = next((part for part in environment.get("KUBECONFIG", "").split(":") if part), "")
    home = Path(environment.get("HOME") or "/nonexistent", ".kube", "config")
    if given:
        return _from_file(given)
    if (account / "token").is_file() and environment.get("KUBERNETES_SERVICE_HOST"):
        return _from_account(access, account)
    if home.is_file():
        return _from_file(str(home))
    raise Refused("No Kubernetes cluster is known.", _NO_CLUSTER)


def _from_file(path: str) -> KubeConfig:
    from lightkube.config import kubeconfig
    from lightkube.core.exceptions import ConfigError

    library: Any = kubeconfig
    broken = (ConfigError, library.yaml.YAMLError, OSError, KeyError, TypeError, ValueError)
    try:
        return kubeconfig.KubeConfig.from_file(path)
    except broken as why:
        raise Refused(f"The kubeconfig {path} cannot be read ({type(why).__name__}).", "Correct KUBECONFIG.") from None


def _from_account(access: Access, account: Path) -> KubeConfig:
    from lightkube import KubeConfig
    from lightkube.config.models import Cluster, User

    host, port = access.environment["KUBERNETES_SERVICE_HOST"], access.environment.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        token = (account / "token").read_text("utf-8").strip()
        namespace = (account / "namespace").read_text("utf-8").strip()
    except OSError as why:
        raise Refused(f"The service account cannot be read: {why.strerror}.", _NO_CLUSTER) from None
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    cluster = Cluster(server=server, certificate_auth=str(account / "ca.crt"))
    return KubeConfig.from_one(cluster=cluster, user=User(token=token), context_name="pod", namespace=namespace)
