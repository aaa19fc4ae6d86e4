"""Kubernetes Secrets: read, create and replace through lightkube, with the service account or a kubeconfig.

Cluster and login are the operator's. A reference without a namespace means the pod's (or the context's) own; whether
it may name another is decided before it comes here. A Secret is replaced only where it still holds what was read.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import importlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from halgit import __version__
from halgit.errors import (
    ConflictError,
    CorruptError,
    NotFoundError,
    RefusedError,
    RemoteError,
    ThrottledError,
    UnreachableError,
    UntrustedError,
)
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.remotes.engine import Presence, SecretData
from halgit.remotes.http import retry, retry_after

if TYPE_CHECKING:
    from lightkube import Client, KubeConfig

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"

_LONGEST_ANSWER: Final = 30.0
_MANAGER: Final = "halgit"
_RETRIES: Final = 100
"""Retries end with the timeout, not with a number."""
_RESTART_PAUSE: Final = 1.0
"""Seconds after which a restarted API server knows its roles; before that it denies everything."""
_NO_CLUSTER: Final = "Run in a pod with a service account, or set KUBECONFIG."


class KubernetesEngine:
    """Reads Secrets. `service_account` is the folder a pod finds its own account in."""

    def __init__(self, access: Access, service_account: str = SERVICE_ACCOUNT) -> None:
        self._access = access
        self._client = access.cache.get_or_create((Cluster, "kubernetes"), lambda: Cluster(access, service_account))

    def read(self, reference: Reference) -> SecretData:
        name, namespace = reference.get("name"), reference.get("namespace")
        secret = self._client.persist(lambda: self._client.secret(name, namespace), self._access)
        data = _data(name, secret)
        version = getattr(secret.metadata, "resourceVersion", "") or ""
        return SecretData(data, version=f"revision:{version}" if version else "")

    def check(self, reference: Reference) -> Presence:
        """The API has no metadata without the data, so the Secret is read."""
        return Presence("read", frozenset(self.read(reference).keys or ()))


class SecretStore:
    """The Secrets of one namespace, to read, make and replace; `namespace` empty is the pod's or the context's."""

    def __init__(self, access: Access, namespace: str = "", service_account: str = SERVICE_ACCOUNT) -> None:
        self._access = access
        self._client = access.cache.get_or_create((Cluster, "kubernetes"), lambda: Cluster(access, service_account))
        self.namespace = namespace or self._client.namespace

    def read(self, name: str) -> Mapping[str, bytes] | None:
        """The Secret's keys and values; None where it is not there."""
        try:
            secret = self._persist(lambda: self._client.secret(name, self.namespace))
        except NotFoundError:
            return None
        return _data(name, secret)

    def make(self, name: str, kind: str, data: Mapping[str, bytes], labels: Mapping[str, str]) -> bool:
        """Make a Secret; False where one of this name is there, by whomever it was made."""
        encoded = {key: base64.b64encode(value).decode("ascii") for key, value in data.items()}
        try:
            self._persist(lambda: self._client.make(name, self.namespace, kind, encoded, labels))
        except ConflictError:
            return False
        return True

    def replace(self, name: str, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bool:
        """Put new data in place of `old`; False where the Secret holds something else by now, or is gone."""
        encoded = {key: base64.b64encode(value).decode("ascii") for key, value in new.items()}
        try:
            secret = self._persist(lambda: self._client.secret(name, self.namespace))
            if _data(name, secret) != old:
                return False
            secret.data = encoded
            self._persist(lambda: self._client.update(name, self.namespace, secret))
        except (NotFoundError, ConflictError):
            return False
        return True

    def restart(self, deployment: str, at: str) -> None:
        """Replace the pods of a Deployment, as `kubectl rollout restart` does; `at` is the time, ISO 8601."""
        self._persist(lambda: self._client.annotate_pods(deployment, self.namespace, at))

    def jobs(self, release: str) -> Sequence[tuple[str, str]]:
        """Name and state of each Job of a Helm release: running, succeeded, or failed with the reason."""
        return [_job_state(job) for job in self._persist(lambda: self._client.jobs(release, self.namespace))]

    def _persist(self, ask: Callable[[], Any]) -> Any:
        return self._client.persist(ask, self._access)


class _DeniedError(RefusedError):
    """The API server denied access: the account lacks a permission, or the server has just started."""


def _job_state(job: Any) -> tuple[str, str]:
    status = job.status
    for condition in (status and status.conditions) or ():
        if condition.status == "True" and condition.type in {"Failed", "Complete"}:
            failed = condition.type == "Failed"
            reason = f": {condition.reason or ''} {condition.message or ''}".rstrip(" :") if failed else ""
            return job.metadata.name, f"failed{reason}" if failed else "succeeded"
    tries = (status and status.failed) or 0
    return job.metadata.name, f"running, {tries} failed attempt{'' if tries == 1 else 's'}" if tries else "running"


def _data(name: str, secret: Any) -> dict[str, bytes]:
    return {str(key): _decoded(name, key, value) for key, value in (secret.data or {}).items()}


def _decoded(name: str, key: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise CorruptError(f"Key {key} of Kubernetes Secret {name} is not base64.") from None


_DECODING: Final = threading.Lock()
_DECODED: Final[set[type[Any]]] = set()


def _prepare(*kinds: type[Any]) -> None:
    """Decode each type once under a lock before threads share it.

    msgspec builds the description of a type at its first decode, and crashes if several threads do that at once.
    """
    from lightkube.core import decoders
    from lightkube.models.meta_v1 import Status

    with _DECODING:
        wanted: tuple[type[Any], ...] = (*kinds, Status)
        for kind in (kind for kind in wanted if kind not in _DECODED):
            with contextlib.suppress(ValueError):
                decoders.decode_object(b"{}", kind)
            _DECODED.add(kind)


class Cluster:
    """One connection for the run."""

    def __init__(self, access: Access, service_account: str) -> None:
        config = _config(access, Path(service_account))
        for user in config.users.values():
            for login in (user.token, user.password, user.client_key_data):
                access.redactor.learn_credential(login or "")
        self._client: Client = _client(config, min(_LONGEST_ANSWER, access.timeout))
        self._is_known = False

    def close(self) -> None:
        self._client.close()

    @property
    def namespace(self) -> str:
        """The pod's own namespace, or the context's."""
        return str(self._client.namespace)

    def persist(self, ask: Callable[[], Any], access: Access) -> Any:
        """Retry until the timeout; a first denial is retried, because a restarted API server denies everything."""
        try:
            return retry(ask, retries=access.retries and _RETRIES, deadline=access.timeout)
        except _DeniedError:
            if not access.retries or self._is_known:
                raise
            time.sleep(_RESTART_PAUSE)
            return retry(ask, retries=_RETRIES, deadline=access.timeout)
        finally:
            self._is_known = True

    def secret(self, name: str, namespace: str) -> Any:
        from lightkube.resources.core_v1 import Secret

        _prepare(Secret)
        there = namespace or self.namespace
        return _request(
            "get", f"Secret {name} in namespace {there}", lambda: self._client.get(Secret, name, namespace=there)
        )

    def make(self, name: str, namespace: str, kind: str, data: dict[str, str], labels: Mapping[str, str]) -> None:
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources.core_v1 import Secret

        _prepare(Secret)
        secret = Secret(
            metadata=ObjectMeta(name=name, namespace=namespace, labels=dict(labels)), type=kind, data=dict(data)
        )
        _request("create", f"Secret {name} in namespace {namespace}", lambda: self._client.create(secret))

    def update(self, name: str, namespace: str, secret: Any) -> None:
        """Write a Secret that was read; ConflictError where it has changed since."""
        _request("update", f"Secret {name} in namespace {namespace}", lambda: self._client.replace(secret))

    def annotate_pods(self, name: str, namespace: str, at: str) -> None:
        """Set the annotation that replaces the pods of a Deployment."""
        from lightkube.resources.apps_v1 import Deployment

        _prepare(Deployment)
        annotations = {"kubectl.kubernetes.io/restartedAt": at}
        patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
        where = f"Deployment {name} in namespace {namespace}"
        _request("patch", where, lambda: self._client.patch(Deployment, name, patch, namespace=namespace))

    def jobs(self, release: str, namespace: str) -> list[Any]:
        """The Jobs of a Helm release."""
        from lightkube.resources.batch_v1 import Job

        _prepare(Job)
        labels: Any = {"app.kubernetes.io/instance": release}
        where = f"Jobs of release {release} in namespace {namespace}"
        found: list[Any] = _request(
            "list", where, lambda: list(self._client.list(Job, namespace=namespace, labels=labels))
        )
        return found

    def get(self, kind: type[Any], name: str, namespace: str) -> Any:
        """An object of any kind. Raises RemoteError."""
        _prepare(kind)
        where = f"{kind.__name__} {name} in namespace {namespace}"
        return _request("get", where, lambda: self._client.get(kind, name, namespace=namespace))

    def create(self, item: Any, namespace: str) -> Any:
        """Create an object; ConflictError where one of its name exists. Raises RemoteError."""
        where = f"{type(item).__name__} {item.metadata.name or item.metadata.generateName} in namespace {namespace}"
        client: Any = self._client
        _prepare(type(item))
        return _request("create", where, lambda: client.create(item, namespace=namespace))

    def replace(self, item: Any, namespace: str) -> Any:
        """Write an object that was read; ConflictError where it has changed since. Raises RemoteError."""
        where = f"{type(item).__name__} {item.metadata.name} in namespace {namespace}"
        client: Any = self._client
        _prepare(type(item))
        return _request("update", where, lambda: client.replace(item, namespace=namespace))


def _request(verb: str, where: str, ask: Callable[[], Any]) -> Any:
    """Return the API's response; translate its refusals and the library's errors into ours."""
    library = _http_library()
    try:
        return ask()
    except library.HTTPStatusError as reason:
        raise _answered(verb, where, reason.response) from None
    except library.TimeoutException:
        raise UnreachableError(f"Kubernetes did not respond in time for {where}.", "Try again.") from None
    except library.TransportError as reason:
        if "CERTIFICATE_VERIFY_FAILED" in str(reason):
            raise UntrustedError(
                "The certificate of the Kubernetes API cannot be verified.",
                "Add the cluster's CA certificate to the kubeconfig.",
            ) from None
        raise UnreachableError("The Kubernetes API is unreachable.", "Check the kubeconfig and the network.") from None
    except (ValueError, KeyError, library.DecodingError) as reason:
        if isinstance(reason.__context__, library.HTTPStatusError):
            raise _answered(verb, where, reason.__context__.response) from None
        raise CorruptError(f"The response of Kubernetes for {where} is invalid.") from None


def _answered(verb: str, where: str, response: Any) -> RemoteError:
    status: int = response.status_code
    if status == 404 and verb != "create":
        return NotFoundError(f"Kubernetes {where} not found.", "Create it, or fix the reference.")
    if status == 404:
        return RefusedError(f"Kubernetes cannot create {where}: namespace not found.", "Fix the namespace.")
    if status == 409:
        return ConflictError(f"{where} was created or changed by another writer.")
    if status == 401:
        return RefusedError("Kubernetes rejected the login.", "Check the service account's token or the kubeconfig.")
    if status == 403:
        return _DeniedError(
            f"Kubernetes denied access to {where}{_reason(response)}.",
            f"Grant the account's role the verb {verb} for {where.split()[0].removesuffix('s')}s there.",
        )
    if status in {400, 413, 422}:
        return RefusedError(f"Kubernetes rejected {where} (HTTP {status}){_reason(response)}.", _CHECK_NAMES)
    if status in {429, 503}:
        later = retry_after(response.headers.get("Retry-After"))
        return ThrottledError(f"Kubernetes asks to retry later (HTTP {status}).", "Retry later.", later)
    return UnreachableError(f"Kubernetes failed for {where} (HTTP {status}).", "Try again.")


_CHECK_NAMES: Final = "Check its name and keys."


def _reason(response: Any) -> str:
    """The API server's own words on a refusal: its message and causes. They name fields and rules, never a value."""
    try:
        body = json.loads(response.text)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    details = body.get("details")
    causes = details.get("causes", []) if isinstance(details, dict) else []
    rows = [f"{one.get('field', '')}: {one.get('message', '')}" for one in causes if isinstance(one, dict)]
    text = "; ".join([str(body.get("message") or ""), *rows]).strip("; .")
    return f": {text}" if text else ""


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
        # A pod reaches its own API server directly, whatever proxies its environment names.
        timeout = _http_library().Timeout(seconds)
        client = Client(config, timeout=timeout, trust_env=config.fname is not None, field_manager=_MANAGER)
    except (ConfigError, KeyError, OSError, ValueError) as reason:
        raise RefusedError(
            f"The kubeconfig is not usable ({type(reason).__name__}).", "Check its current context."
        ) from None
    adapter: Any = client._client  # lightkube has no option for it
    adapter._client.headers["User-Agent"] = f"{_MANAGER}/{__version__}"
    return client


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
    raise RefusedError("No Kubernetes cluster is configured.", _NO_CLUSTER)


def _from_file(path: str) -> KubeConfig:
    from lightkube.config import kubeconfig
    from lightkube.core.exceptions import ConfigError

    library: Any = kubeconfig
    broken = (ConfigError, library.yaml.YAMLError, OSError, KeyError, TypeError, ValueError)
    try:
        return kubeconfig.KubeConfig.from_file(path)
    except broken as reason:
        raise RefusedError(
            f"The kubeconfig {path} cannot be read ({type(reason).__name__}).", "Correct KUBECONFIG."
        ) from None


def _from_account(access: Access, account: Path) -> KubeConfig:
    from lightkube import KubeConfig
    from lightkube.config.models import Cluster, User

    host, port = access.environment["KUBERNETES_SERVICE_HOST"], access.environment.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        token = (account / "token").read_text("utf-8").strip()
        namespace = (account / "namespace").read_text("utf-8").strip()
    except OSError as reason:
        raise RefusedError(f"The service account cannot be read: {reason.strerror}.", _NO_CLUSTER) from None
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    cluster = Cluster(server=server, certificate_auth=str(account / "ca.crt"))
    return KubeConfig.from_one(cluster=cluster, user=User(token=token), context_name="pod", namespace=namespace)
