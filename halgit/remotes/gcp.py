"""Google Cloud Storage and Secret Manager through Google's own libraries, which come with the extra `gcp`.

Endpoint and login are the operator's: GOOGLE_APPLICATION_CREDENTIALS, gcloud's own file, and (only if asked for) the
machine's metadata service. Each thread has its own client, because requests documents no session as safe to share. The
login is one, and it is obtained and renewed under a lock.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from halgit.errors import (
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
from halgit.redaction import Redactor
from halgit.remotes.engine import Presence, SecretData
from halgit.remotes.http import configure_session, retry, retry_after
from halgit.remotes.private_files import read_operator_file

Answer = TypeVar("Answer")

_LONGEST_ANSWER: Final = 30.0
_RENEWAL: Final = timedelta(seconds=255)
"""Time before its end at which a token is renewed; Google's clients do it 225 seconds before, each for itself."""
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_LOGIN: Final = (
    "Give GOOGLE_APPLICATION_CREDENTIALS, run gcloud auth application-default login, or --instance-credentials on a "
    "machine of Google Cloud."
)
_CA: Final = "Add the CA certificate with --ca-file or REQUESTS_CA_BUNDLE; verification cannot be disabled."
_NETWORK: Final = "Check the endpoint and the network."


class GcsEngine:
    """Reads objects: `gcs://bucket/object`; the generation is the version."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._seconds = min(_LONGEST_ANSWER, access.timeout)
        with _installed("gcs", "google-cloud-storage"):
            import google.cloud.storage as storage
        endpoint = access.environment.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", "").rstrip("/")
        options = {"api_endpoint": endpoint} if endpoint else None

        def create(login: Any) -> Any:
            client = storage.Client("-", credentials=login, client_options=options)
            _configure(client._http, access, endpoint or "https://storage.googleapis.com")
            return client

        self._google = _Google(access, "gcs", create)

    def read(self, reference: Reference) -> SecretData:
        what = _object(reference)

        def get() -> SecretData:
            blob = self._blob(reference)
            blob.reload(timeout=self._seconds, retry=None)
            if blob.size > self._access.largest_file:
                raise RefusedError(f"{what}: it exceeds {self._access.largest_file} bytes.")
            generation = blob.generation
            whole = blob.download_as_bytes(
                if_generation_match=generation, timeout=self._seconds, retry=None, checksum="md5"
            )
            return SecretData(whole=whole, version=str(generation))

        return self._google.ask(what, get)

    def check(self, reference: Reference) -> Presence:
        self._google.ask(_object(reference), lambda: self._blob(reference).reload(timeout=self._seconds, retry=None))
        return Presence("metadata")

    def _blob(self, reference: Reference) -> Any:
        version = reference.get("version")
        bucket = self._google.client.bucket(reference.get("bucket"))
        return bucket.blob(reference.get("path"), generation=int(version) if version else None)


def _object(reference: Reference) -> str:
    return f"gcs://{reference.get('bucket')}/{reference.get('path')}"


class GoogleSecretManagerEngine:
    """Reads `google-secrets-manager://project/name`, the latest version where none is named."""

    def __init__(self, access: Access) -> None:
        self._seconds = min(_LONGEST_ANSWER, access.timeout)
        with _installed("google-secrets-manager", "google-cloud-secret-manager"):
            from google.cloud.secretmanager_v1 import SecretManagerServiceClient
            from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
                SecretManagerServiceRestTransport as Transport,
            )
        endpoint = access.environment.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "").rstrip("/")
        endpoint = endpoint or "https://secretmanager.googleapis.com"
        parts = urlsplit(endpoint)

        def create(login: Any) -> Any:
            transport = Transport(host=parts.netloc, url_scheme=parts.scheme, credentials=login)
            _configure(transport._session, access, endpoint)
            return SecretManagerServiceClient(transport=transport)

        self._google = _Google(access, "google-secrets-manager", create)

    def read(self, reference: Reference) -> SecretData:
        name = _version_name(reference)
        answer = self._google.ask(
            _secret(reference),
            lambda: self._google.client.access_secret_version(name=name, timeout=self._seconds, retry=None),
        )
        return SecretData(whole=answer.payload.data, version=str(answer.name).rpartition("/")[2])

    def check(self, reference: Reference) -> Presence:
        name = _version_name(reference)
        version = self._google.ask(
            _secret(reference),
            lambda: self._google.client.get_secret_version(name=name, timeout=self._seconds, retry=None),
        )
        if version.state.name != "ENABLED":
            raise NotFoundError(f"{_secret(reference)}: its version is {version.state.name.lower()}.", "Enable one.")
        return Presence("metadata")


def _secret(reference: Reference) -> str:
    return f"google-secrets-manager://{reference.get('project')}/{reference.get('name')}"


def _version_name(reference: Reference) -> str:
    version = reference.get("version") or "latest"
    return f"projects/{reference.get('project')}/secrets/{reference.get('name')}/versions/{version}"


@contextlib.contextmanager
def _installed(engine: str, library: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise RefusedError(
            f"The engine {engine} needs {library}.", "Install it with: pip install 'halgit[gcp]'."
        ) from None


def _credentials(access: Access, what: str) -> Any:
    environment = access.environment
    folder = environment.get("CLOUDSDK_CONFIG") or f"{environment.get('HOME') or '/nonexistent'}/.config/gcloud"
    given = environment.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    kept = Path(folder, "application_default_credentials.json")
    path = given or (str(kept) if kept.is_file() else "")
    if path:
        return _from_file(path, what, access.redactor)
    if access.instance_credentials:
        import google.auth.compute_engine as machine

        made: Any = machine.Credentials
        return made(scopes=_SCOPES)
    raise RefusedError(f"{what}: no Google Cloud credentials found.", _LOGIN)


def _from_file(path: str, what: str, redactor: Redactor) -> Any:
    """The login a file of Google's holds: a service account's key, a user's, or a workload identity's."""
    import google.auth.identity_pool as pool
    import google.oauth2.credentials as user
    import google.oauth2.service_account as account

    by_type: dict[str, Any] = {
        "service_account": account.Credentials.from_service_account_info,
        "authorized_user": user.Credentials.from_authorized_user_info,
        "external_account": pool.Credentials.from_info,
    }
    try:
        info = json.loads(read_operator_file(path))
        load = by_type[info["type"]]
    except (OSError, ValueError, KeyError, TypeError):
        kinds = ", ".join(by_type)
        raise RefusedError(
            f"{what}: {path} holds no Google Cloud credentials (supported types: {kinds}).", _LOGIN
        ) from None
    for name in ("private_key", "refresh_token", "client_secret"):
        redactor.learn_credential(str(info.get(name, "")))
    return load(info, scopes=_SCOPES)


def _configure(session: Any, access: Access, address: str) -> None:
    """Give a session of the libraries the operator's proxies and CA certificates, for which they have no option."""
    configure_session(session, access, address)
    session._auth_request = _TokenRequest(access)


class _TokenRequest:
    """The transport of the login: each request uses the proxies and CA certificates for the host it goes to."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, url: str, *arguments: Any, **options: Any) -> Any:
        import requests
        from google.auth.transport.requests import Request

        with requests.Session() as session:
            configure_session(session, self._access, url)
            untyped: Any = Request(session)
            return untyped(url, *arguments, **options)


class _Google:
    """A login, and a client of it for each thread; `create` returns a client."""

    def __init__(self, access: Access, what: str, create: Callable[[Any], Any]) -> None:
        self._access = access
        self._create = create
        self._lock = threading.Lock()
        self._own = threading.local()
        with _translate_errors(what):
            self._login = _credentials(access, what)
            _ = self.client

    @property
    def client(self) -> Any:
        """The client of this thread."""
        if not hasattr(self._own, "client"):
            self._own.client = self._create(self._login)
        return self._own.client

    def ask(self, what: str, call: Callable[[], Answer]) -> Answer:
        """Return the result of the call; the token that the login obtained for it is masked from then on."""

        def attempt() -> Answer:
            try:
                with _translate_errors(what):
                    self._log_in()
                    return call()
            finally:
                self._access.redactor.learn_credential(self._login.token or "")

        return retry(attempt, retries=self._access.retries, deadline=self._access.timeout)

    def _log_in(self) -> None:
        with self._lock:
            if not self._login.valid or _ends_soon(self._login.expiry):
                self._login.refresh(_TokenRequest(self._access))


def _ends_soon(end: datetime | None) -> bool:
    """Return whether a token, which ends at this time in UTC, is to be renewed: before a client would do it itself."""
    return end is not None and end - datetime.now(timezone.utc).replace(tzinfo=None) < _RENEWAL


@contextlib.contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    """Turn the libraries' errors into ours; their texts can quote answers, so they are not passed on."""
    import requests.exceptions as transport
    from google.api_core import exceptions as theirs
    from google.auth import exceptions as login

    try:
        yield
    except theirs.NotFound:
        raise NotFoundError(f"{what}: not found.", "Check the name and its version.") from None
    except (theirs.Forbidden, theirs.Unauthorized):
        raise RefusedError(f"{what}: permission denied.", "Grant the login read permission.") from None
    except (theirs.TooManyRequests, theirs.ServiceUnavailable) as reason:
        later = retry_after(getattr(reason.response, "headers", {}).get("Retry-After"))
        raise ThrottledError(f"{what}: the server asks to retry later.", "Retry later.", later) from None
    except theirs.GoogleAPICallError as reason:
        raise UnreachableError(f"{what}: the server failed (HTTP {reason.code}).", "Try again.") from None
    except login.GoogleAuthError as reason:
        raise _login_error(what, reason.__cause__) from None
    except transport.SSLError:
        raise UntrustedError(f"{what}: the server's certificate cannot be verified.", _CA) from None
    except (transport.RequestException, theirs.RetryError):
        raise UnreachableError(f"{what}: the server is unreachable.", _NETWORK) from None
    except theirs.GoogleAPIError:
        raise CorruptError(f"{what}: the response is invalid.") from None


def _login_error(what: str, cause: BaseException | None) -> RemoteError:
    """Return the error of a failed login; `cause` is that of the request for a token, if there was one."""
    import requests.exceptions as transport

    if isinstance(cause, transport.SSLError):
        return UntrustedError(f"{what}: the certificate of the Google Cloud login cannot be verified.", _CA)
    if isinstance(cause, transport.RequestException):
        return UnreachableError(f"{what}: the Google Cloud login is unreachable.", _NETWORK)
    return RefusedError(f"{what}: the Google Cloud login failed.", _LOGIN)
