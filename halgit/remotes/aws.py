"""One AWS session a run, built from operator settings, and botocore's errors in our words. Knows no bucket or secret.

Endpoint, region and login are the operator's: options, the usual variables and profiles, web identity, container
and (only if asked for) instance credentials. Retries are ours, so that Retry-After counts.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

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
from halgit.remotes.http import retry, retry_after, select_proxies
from halgit.remotes.private_files import ca_bundle

if TYPE_CHECKING:
    import botocore.session


Answer = TypeVar("Answer")

MAX_CONCURRENT: Final = 16
"""Downloads under way at once."""

_LONGEST_SILENCE: Final = 30.0
"""Seconds the server may say nothing."""

_CONFIGURED: Final = {
    "config_file": "AWS_CONFIG_FILE",
    "credentials_file": "AWS_SHARED_CREDENTIALS_FILE",
}


def get_aws(access: Access) -> Aws:
    """The run's session."""
    return access.cache.get_or_create((Aws, "aws"), lambda: Aws(access))


class Aws:
    """Clients of one login, or one for each profile, each created once. Clients may be used from several threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._environment = access.environment
        self._lock = threading.Lock()
        self._sessions: dict[str, botocore.session.Session] = {}
        self._clients: dict[tuple[str, str, str, str], Any] = {}

    def client(self, service: str, *, region: str = "", endpoint: str = "", profile: str = "") -> Any:
        """A client of this service. What is empty is as the usual variables or the profile say."""
        endpoint = endpoint or _endpoint(self._environment, service)
        region = region or self._environment.get("AWS_REGION") or self._environment.get("AWS_DEFAULT_REGION", "")
        key = service, region, endpoint, profile
        with self._lock, translate_errors(service):
            if key not in self._clients:
                session = self._session(profile)
                style = {"addressing_style": _style(session, endpoint)}
                self._clients[key] = self._create_client(session, service, region, endpoint, s3=style)
            return self._clients[key]

    def bucket(self, name: str, region: str = "") -> Any:
        """A client of S3 with the endpoint, region and profile that the operator gave for this bucket."""
        access = self._access
        return self.client(
            "s3",
            region=region or access.s3_region.for_host(name),
            endpoint=access.s3_endpoint.for_host(name),
            profile=access.s3_profile.for_host(name),
        )

    def ask(self, what: str, call: Callable[[], Answer]) -> Answer:
        """Return the result of the call, tried again as `retry` does, with errors translated into ours."""

        def attempt() -> Answer:
            with translate_errors(what):
                return call()

        return retry(attempt, retries=self._access.retries, deadline=self._access.timeout)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _session(self, profile: str) -> botocore.session.Session:
        if profile not in self._sessions:
            session = _session(self._environment, profile)
            _log_in(session, self._environment, self._sts(session), instance=self._access.instance_credentials)
            self._sessions[profile] = session
        return self._sessions[profile]

    def _sts(self, session: botocore.session.Session) -> Callable[..., Any]:
        """Return the factory of the client that exchanges a web identity for a login."""
        region = self._environment.get("AWS_REGION") or self._environment.get("AWS_DEFAULT_REGION")

        def create(service: str, config: Any = None) -> Any:
            from botocore import UNSIGNED

            where = region or session.get_config_variable("region") or "us-east-1"
            endpoint = _endpoint(self._environment, service)
            return self._create_client(session, service, where, endpoint, signature_version=UNSIGNED)

        return create

    def _create_client(
        self, session: botocore.session.Session, service: str, region: str, endpoint: str, **settings: Any
    ) -> Any:
        from botocore.config import Config

        address = endpoint or "https://amazonaws.com"
        silence = min(_LONGEST_SILENCE, self._access.timeout)
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=min(10.0, silence),
            read_timeout=silence,
            max_pool_connections=2 * MAX_CONCURRENT,
            proxies=select_proxies(self._environment, address),
            **settings,
        )
        return session.create_client(
            service, region or None, endpoint_url=endpoint or None, verify=self._authority(address), config=config
        )

    def _authority(self, address: str) -> str | bool:
        added = self._access.ca_file.for_host(urlsplit(address).hostname or "")
        if added:
            return ca_bundle(self._access, added)
        bundle = self._environment.get("AWS_CA_BUNDLE", "")
        if bundle and not Path(bundle).exists():
            raise UntrustedError(f"The CA file {bundle} does not exist.", _CA)
        return bundle or True


def _endpoint(environment: Mapping[str, str], service: str) -> str:
    """The operator's endpoint for a service; empty for that of AWS."""
    variable = f"AWS_ENDPOINT_URL_{service.upper().replace('SECRETSMANAGER', 'SECRETS_MANAGER')}"
    return environment.get(variable) or environment.get("AWS_ENDPOINT_URL", "")


def _session(environment: Mapping[str, str], profile: str) -> botocore.session.Session:
    """A session with the files and the profile of this environment, or with another profile of them."""
    import botocore.session

    session = botocore.session.Session()
    for name, variable in _CONFIGURED.items():
        if environment.get(variable):
            session.set_config_variable(name, environment[variable])
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    usual = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    if key and secret and not profile:
        session.set_credentials(key, secret, environment.get("AWS_SESSION_TOKEN"))
    elif profile or usual:
        session.set_config_variable("profile", profile or usual)
    return session


_WEB_IDENTITY: Final = {
    "web_identity_token_file": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "role_arn": "AWS_ROLE_ARN",
    "role_session_name": "AWS_ROLE_SESSION_NAME",
}


def _log_in(
    session: botocore.session.Session, environment: Mapping[str, str], sts: Callable[..., Any], *, instance: bool
) -> None:
    """Let the session find a login in this environment, not in the process's; in the machine's only with `instance`."""
    from botocore.credentials import AssumeRoleWithWebIdentityProvider, ContainerProvider

    known = {key: environment[name] for key, name in _WEB_IDENTITY.items() if environment.get(name)}
    profile = session.profile or "default"
    own = {} if session.profile else known

    def profiles() -> dict[str, Any]:
        return {"profiles": {profile: {**session.get_scoped_config(), **own}}}

    resolver = session.get_component("credential_provider")
    identity = AssumeRoleWithWebIdentityProvider(profiles, sts, profile, disable_env_vars=True)
    for provider in (identity, ContainerProvider(dict(environment))):
        resolver.insert_after(provider.METHOD, provider)
        resolver.remove(provider.METHOD)
    for method in ("env", *(() if instance else ("iam-role",))):
        resolver.remove(method)


def _style(session: botocore.session.Session, endpoint: str) -> str:
    """Return the addressing style of a bucket: that of the profile, else in the path if the operator set the endpoint.

    Raises Refused for a profile whose `s3 =` holds no settings, over which botocore falls.
    """
    of_profile = session.get_scoped_config().get("s3", {})
    if not isinstance(of_profile, dict):
        raise RefusedError(
            f"The AWS profile {session.profile or 'default'} has an s3 = line without settings.",
            "Remove it, or indent settings such as addressing_style = path below it.",
        )
    return of_profile.get("addressing_style", "") or ("path" if endpoint else "auto")


_CA: Final = "Add the CA certificate with --ca-file or AWS_CA_BUNDLE; verification cannot be disabled."
_LOGIN: Final = (
    "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, a web identity (IRSA), or --instance-credentials "
    "on a machine of AWS."
)
_RIGHTS: Final = "Grant the login this permission."
_ABSENT: Final = frozenset(
    {"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404", "NotFound", "NotFoundException", "ResourceNotFoundException"}
)
_BUSY: Final = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
)


_RACES: Final = frozenset({"ConditionalRequestConflict", "OperationAborted"})
"""Answers (409) to a write that met another one at the same moment."""
_FAULTS: Final[tuple[tuple[tuple[str, ...], type[RemoteError], str, str], ...]] = (
    (("NoCredentialsError", "PartialCredentialsError"), RefusedError, "no AWS credentials found.", _LOGIN),
    (
        ("CredentialRetrievalError", "TokenRetrievalError", "SSOError"),
        RefusedError,
        "the AWS login failed.",
        _LOGIN,
    ),
    (
        ("ProfileNotFound", "ConfigNotFound", "ConfigParseError"),
        RefusedError,
        "the AWS profile or its file is not readable.",
        "Check AWS_PROFILE and --s3-profile.",
    ),
    (
        ("NoRegionError", "InvalidRegionError"),
        RefusedError,
        "no AWS region is set.",
        "Set AWS_REGION, or --s3-region for S3.",
    ),
    (("SSLError",), UntrustedError, "the server's certificate cannot be verified.", _CA),
    (("IncompleteReadError", "ResponseStreamingError"), UnreachableError, "the response was cut short.", "Try again."),
    (
        ("FlexibleChecksumError", "ChecksumError"),
        CorruptError,
        "the content does not match its checksum.",
        "Upload it again.",
    ),
    (
        ("ConnectTimeoutError", "ReadTimeoutError"),
        UnreachableError,
        "the server did not respond in time.",
        "Retry, or raise --timeout.",
    ),
    (
        ("ConnectionError", "HTTPClientError"),
        UnreachableError,
        "the server is unreachable.",
        "Check the endpoint and the network.",
    ),
)
"""botocore's exceptions by name, the first that fits: what they are to us, in which words, and the next step."""


@contextlib.contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Turn botocore's errors into ours; `what` names the thing. Their texts can hold keys, so they are not passed."""
    from botocore import exceptions as theirs
    from botocore.parsers import ResponseParserError

    try:
        yield
    except theirs.ClientError as reason:
        raise _answered(what, reason.response) from None
    except ResponseParserError:
        raise CorruptError(
            f"{what}: the response is invalid.", "Check that the endpoint is one of S3 or AWS."
        ) from None
    except theirs.BotoCoreError as reason:
        for names, error, words, hint in _FAULTS:
            if isinstance(reason, tuple(getattr(theirs, name) for name in names)):
                raise error(f"{what}: {words}", hint) from None
        raise RefusedError(
            f"{what}: the AWS request failed ({type(reason).__name__}).", "Check the names and settings."
        ) from None


def _answered(what: str, response: Mapping[str, Any]) -> RemoteError:
    meta = response.get("ResponseMetadata") or {}
    status = int(meta.get("HTTPStatusCode") or 0)
    code = str((response.get("Error") or {}).get("Code") or status)
    if code in {"RequestTimeTooSkewed", "RequestExpired"}:
        return RefusedError(f"{what}: the clock of this machine differs from the server's ({code}).", "Set the clock.")
    if status in {429, 503} or code in _BUSY:
        seconds = retry_after((meta.get("HTTPHeaders") or {}).get("retry-after"))
        return ThrottledError(f"{what}: the server asks to retry later ({code}).", "Retry later.", seconds)
    if code in _ABSENT:
        return NotFoundError(f"{what}: not found ({code}).", "Check the name and the permissions of the login.")
    if status == 412 or code in _RACES:
        return ConflictError(f"{what}: it changed since it was read ({code}).")
    if status in {301, 307} or code in {"PermanentRedirect", "AuthorizationHeaderMalformed"}:
        return RefusedError(
            f"{what}: the bucket is in another region ({code}).", "Set its region with --s3-region or AWS_REGION."
        )
    if status >= 500 and code == str(status):
        return UnreachableError(f"{what}: the server failed or its response was cut short ({code}).", "Try again.")
    if status >= 500:
        return UnreachableError(f"{what}: the server failed ({code}).", "Try again.")
    return RefusedError(f"{what}: the server refused the request ({code}).", _RIGHTS)


_SHORTEST_ID = 32
"""A version id has at least this many characters; what is shorter is a stage (`AWSPREVIOUS`)."""


class SecretsManagerEngine:
    """Reads secrets with the run's AWS login."""

    def __init__(self, access: Access) -> None:
        self._aws = get_aws(access)

    def read(self, reference: Reference) -> SecretData:
        name, version = reference.get("name"), reference.get("version")
        asked = {"SecretId": name}
        if version:
            asked["VersionId" if len(version) >= _SHORTEST_ID else "VersionStage"] = version
        client = self._client(reference)
        answer = self._aws.ask(_describe(reference), lambda: client.get_secret_value(**asked))
        text = answer.get("SecretString")
        whole = text.encode("utf-8") if text is not None else bytes(answer["SecretBinary"])
        return SecretData(whole=whole, version=str(answer.get("VersionId", "")))

    def check(self, reference: Reference) -> Presence:
        client = self._client(reference)
        answer = self._aws.ask(_describe(reference), lambda: client.describe_secret(SecretId=reference.get("name")))
        if answer.get("DeletedDate"):
            raise NotFoundError(
                f"{_describe(reference)}: it is scheduled for deletion.", "Restore it or reference another secret."
            )
        return Presence("metadata")

    def _client(self, reference: Reference) -> Any:
        return self._aws.client("secretsmanager", region=reference.get("region"))


def _describe(reference: Reference) -> str:
    return f"secrets-manager://{reference.get('name')}"
