"""The controller's control API over mutual TLS: credentials and agent manifests for remote clusters, and its agents.

Only the CA certificate of the operator's file is trusted, never the system's. The files of the login are read and
checked before anything connects. A connection that fails is retried until the timeout, because the controller restarts
with all its replicas at once; a call that issues a credential is not repeated once it was sent. Answers hold private
keys and are never quoted.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import urlsplit

from halgit.errors import (
    CorruptError,
    RefusedError,
    RemoteError,
    ThrottledError,
    UnreachableError,
    UsageError,
)
from halgit.operator_settings import Access
from halgit.record import Record
from halgit.remotes.controller_faults import TranslatedFaults
from halgit.remotes.http import retry_after
from halgit.remotes.private_files import read_operator_file

_LONGEST_ANSWER: Final = 30.0
_SHORT: Final = 5.0
"""Seconds for an answer that somebody waits for, such as a page or a probe."""
_LARGEST: Final = 8 * 1024 * 1024
_PART: Final = 64 * 1024
_PAUSE: Final = 1.0
_KUBECTL: Final = (("serverUrl", "userCertificate", "userKey", "caCert"), ("serverUrl", "token"))
_AGENT: Final = (("serverHostname", "agentCertificate", "agentKey", "caCert"), ("serverHostname", "agentToken"))
_SERVICE: Final = (("url", "username", "password"), ("url", "awsAccessKey", "awsSecretAccessKey"))


class ControllerLogin(Record):
    """The controller's address, and the files of its CA certificate, the control certificate and its key.

    `server_name` is the name in its certificate if it is not the host of the URL. `token_file` is for controllers of
    generation 5, which accept a token instead of a certificate.
    """

    url: str
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    token_file: str = ""
    server_name: str = ""


class AgentEndpoint(Record):
    """A service of an agent."""

    name: str
    type: str
    is_configured: bool
    namespaces: tuple[str, ...] = ()


class AgentState(Record):
    """A connected agent; `last_ping` is in seconds before the controller's time, None before the first ping."""

    name: str
    version: str = ""
    hostname: str = ""
    last_ping: float | None = None
    endpoints: tuple[AgentEndpoint, ...] = ()


class Controller:
    """One controller. Raises UsageError, with every fault, for a login that cannot work."""

    def __init__(self, login: ControllerLogin, access: Access, sleep: Callable[[float], None] = time.sleep) -> None:
        self._login = login
        self._access = access
        self._sleep = sleep
        self._check_options()
        self._context = self._load_files()
        self._kept: Any = None

    def kubectl_components(self, agent: str, name: str) -> Mapping[str, str]:
        """Have the controller issue a kubeconfig's parts for one Kubernetes endpoint of an agent.

        The agent need not be connected. Raises RemoteErrors.
        """
        answer = self._ask("generateKubectlComponents", {"agentName": agent, "name": name})
        return self._strings(answer, *_KUBECTL)

    def agent_components(self, agent: str) -> Mapping[str, str]:
        """Have the controller issue the parts of an agent's manifest. Raises RemoteErrors."""
        answer = self._ask("generateAgentManifestComponents", {"agentName": agent})
        return self._strings(answer, *_AGENT)

    def service_credentials(self, agent: str, name: str, type: str) -> Mapping[str, str]:
        """Have the controller issue a login for a service behind an agent. Raises RemoteErrors."""
        answer = dict(self._ask("generateServiceCredentials", {"agentName": agent, "name": name, "type": type}))
        inside = answer.pop("credential", None)
        return self._strings({**answer, **(inside if isinstance(inside, dict) else {})}, *_SERVICE)

    def list_agents(self, *, retry: bool = True) -> tuple[AgentState, ...]:
        """Return the agents that are connected now; replicas of one agent each. Raises RemoteErrors.

        Without `retry` the controller is asked once and has 5 seconds to answer: for pages and probes.
        """
        answer = self._ask("getAgentStatistics", None) if retry else self._ask_once("getAgentStatistics", None, _SHORT)
        agents = answer.get("connectedAgents")
        if agents is None:
            return ()
        if not isinstance(agents, list):
            raise self._unknown_answer()
        now = answer.get("serverTime")
        return tuple(_agent(one, now) for one in agents if isinstance(one, dict))

    # --- the login

    def _check_options(self) -> None:
        login = self._login
        if not _is_https(login.url):
            raise UsageError("--controller-url is not an https:// address.", "The control API uses TLS only.")
        if not login.ca_file:
            raise UsageError("--controller-ca-file is missing.", "Name the file of the controller's CA certificate.")
        if not login.token_file and not (login.cert_file and login.key_file):
            raise UsageError(
                "The controller needs a login.", "Add --controller-cert-file and --controller-key-file, or a token."
            )

    def _load_files(self) -> ssl.SSLContext:
        """The TLS settings of the login's files."""
        login, faults = self._login, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An intermediate CA alone is a valid anchor, on every version of Python.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        try:
            context.load_verify_locations(cadata=_read_ca(login.ca_file))
        except UsageError as reason:
            faults.append(str(reason))
        if login.cert_file and login.key_file:
            faults += _pair_faults(login)
            if not faults:
                context.load_cert_chain(login.cert_file, login.key_file)
        if login.token_file:
            try:
                self._read_token()
            except UsageError as reason:
                faults.append(str(reason))
        if faults:
            raise UsageError(" ".join(faults), "Correct the files of the controller's login.")
        return context

    def _read_token(self) -> str:
        """The token, read again each time: it may be replaced while halgit serves."""
        file = self._login.token_file
        lines = _read("--controller-token-file", file).split()
        if len(lines) != 1 or not lines[0].isascii():
            raise UsageError(
                f"--controller-token-file: {file} holds {len(lines)} words, not one token in ASCII.",
                "Store one token alone.",
            )
        self._access.redactor.learn_credential(lines[0])
        return lines[0]

    # --- one call

    def _ask(self, call: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
        """One answer. Failed connections and requests to wait are retried until the timeout."""
        self._access.progress(f"{self._login.url}: {call}")
        end = time.monotonic() + self._access.timeout
        while True:
            try:
                return self._ask_once(call, body, _LONGEST_ANSWER)
            except (UnreachableError, ThrottledError) as reason:
                asked = reason.retry_after if isinstance(reason, ThrottledError) else None
                pause = _PAUSE if asked is None else asked
                if time.monotonic() + pause >= end:
                    raise
                self._access.progress(f"{reason.message} Retrying in {pause:g} s.")
                self._sleep(pause)

    def _ask_once(self, call: str, body: Mapping[str, str] | None, seconds: float) -> Mapping[str, Any]:
        login, headers = self._login, {"Content-Type": "application/json", "Accept": "application/json"}
        if login.token_file:
            headers["Authorization"] = f"Bearer {self._read_token()}"
        limit = min(seconds, self._access.timeout)
        with TranslatedFaults(self._at, call), self._connections(is_kept=body is None) as pool:
            answer = pool.request(
                "GET" if body is None else "POST",
                f"{login.url.rstrip('/')}/api/v1/{call}",
                body=None if body is None else json.dumps(dict(body)).encode(),
                headers=headers,
                timeout=limit,
                preload_content=False,
                decode_content=True,
            )
            data = self._read_bounded(answer, time.monotonic() + limit)
        return self._understand(answer.status, answer.headers.get("Retry-After"), data, issues=body is not None)

    @contextmanager
    def _connections(self, *, is_kept: bool) -> Iterator[Any]:
        """The connections of a call. A new one has certainly not been ended by the controller meanwhile, so that a call
        that issues something has one of its own; the others keep theirs."""
        import urllib3

        name = self._login.server_name
        names: dict[str, Any] = {"server_hostname": name, "assert_hostname": name} if name else {}
        if is_kept and self._kept is not None:
            yield self._kept
            return
        pool = urllib3.PoolManager(ssl_context=self._context, retries=False, maxsize=4, **names)
        if is_kept:
            self._kept = pool
            yield pool
            return
        with pool:
            yield pool

    def _read_bounded(self, answer: Any, end: float) -> bytes:
        """The body, within its bounds of bytes and of time."""
        data = bytearray()
        try:
            while part := answer.read1(_PART):
                data += part
                if len(data) > _LARGEST:
                    raise CorruptError(
                        f"{self._at} answers with more than {_LARGEST} bytes.", "Check --controller-url."
                    )
                if time.monotonic() > end:
                    raise CorruptError(f"{self._at} answers too slowly.", "Check the network, then run again.")
        finally:
            answer.close()
        return bytes(data)

    @property
    def _at(self) -> str:
        return f"The controller at {self._login.url}"

    def _understand(self, status: int, wait: str | None, data: bytes, *, issues: bool) -> Mapping[str, Any]:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        error = answer.get("error") if isinstance(answer, dict) else None
        words = self._access.redactor.clean(str(error.get("message", ""))) if isinstance(error, dict) else ""
        detail = f" ({words[:200]})" if words else ""
        if status in {400, 401, 403}:
            hint = "Check the names, and that the login has purpose control."
            raise RefusedError(f"{self._at} refuses the request{detail}.", hint)
        if status in {502, 504} and issues:
            # A proxy does not know whether the controller has issued the credential.
            raise CorruptError(f"{self._at} answers with HTTP {status}{detail}.", "Read its log, then run again.")
        if status in {429, 502, 503, 504}:
            raise ThrottledError(f"{self._at} answers with HTTP {status}{detail}.", "Try again.", retry_after(wait))
        raise CorruptError(f"{self._at} answers with HTTP {status}{detail}.", "Check --controller-url.")

    def _strings(self, answer: Mapping[str, Any], *sets: tuple[str, ...]) -> Mapping[str, str]:
        """The scalars of an answer as strings, if it has all keys of one of the sets."""
        strings = {
            key: str(value)
            for key, value in answer.items()
            if isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
        }
        if not any(all(strings.get(key) for key in wanted) for wanted in sets):
            raise self._unknown_answer()
        return strings

    def _unknown_answer(self) -> RemoteError:
        return CorruptError(
            f"{self._at} gave an answer that halgit does not know.", "halgit supports generations 3 to 5 of it."
        )


def _read(option: str, file: str) -> str:
    try:
        return read_operator_file(file).decode("utf-8")
    except OSError as reason:
        raise UsageError(f"{option}: {file} cannot be read: {reason.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{option}: {file} is not text in UTF-8.") from None


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read_ca(file: str) -> bytes:
    """The certificates of the CA file in DER. Raises UsageError if there is none that is still valid."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    text = _read("--controller-ca-file", file)
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise UsageError(f"--controller-ca-file: {file} has no CA certificate in PEM.") from None
    end = max(one.not_valid_after_utc for one in certificates)
    if end < datetime.now(timezone.utc):
        raise UsageError(f"--controller-ca-file: {file} expired on {end:%Y-%m-%d}.")
    return b"".join(one.public_bytes(Encoding.DER) for one in certificates)


def _pair_faults(login: ControllerLogin) -> list[str]:
    """The faults of the client certificate and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    faults: list[str] = []
    certificate = key = None
    try:
        certificate = x509.load_pem_x509_certificate(_read("--controller-cert-file", login.cert_file).encode())
    except UsageError as reason:
        faults.append(str(reason))
    except ValueError:
        faults.append(f"--controller-cert-file: {login.cert_file} is not a certificate in PEM.")
    try:
        key = load_pem_private_key(_read("--controller-key-file", login.key_file).encode(), None)
    except UsageError as reason:
        faults.append(str(reason))
    except (ValueError, TypeError):
        faults.append(f"--controller-key-file: {login.key_file} is not a private key in PEM without a passphrase.")
    if certificate is None:
        return faults
    if key is not None and key.public_key() != certificate.public_key():
        faults.append(f"--controller-key-file: {login.key_file} does not belong to {login.cert_file}.")
    now, end = datetime.now(timezone.utc), certificate.not_valid_after_utc
    if end < now:
        faults.append(f"--controller-cert-file: {login.cert_file} expired on {end:%Y-%m-%d}.")
    elif certificate.not_valid_before_utc > now:
        faults.append(f"--controller-cert-file: {login.cert_file} is not valid yet; check the clock.")
    return faults


def _agent(data: Mapping[str, Any], now: object) -> AgentState:
    ping = data.get("lastPing")
    age = None
    if isinstance(ping, (int, float)) and ping and isinstance(now, (int, float)):
        # Generation 5 counts in nanoseconds.
        age = max(0.0, (now - (ping / 1e6 if ping > 1e15 else ping)) / 1000)
    endpoints = data.get("endpoints")
    return AgentState(
        str(data.get("name") or data.get("agentId") or ""),
        str(data.get("version") or ""),
        str(data.get("hostname") or ""),
        age,
        tuple(_endpoint(one) for one in (endpoints if isinstance(endpoints, list) else ()) if isinstance(one, dict)),
    )


def _endpoint(data: Mapping[str, Any]) -> AgentEndpoint:
    namespaces = data.get("namespaces")
    names = tuple(str(one) for one in namespaces if one) if isinstance(namespaces, list) else ()
    return AgentEndpoint(str(data.get("name") or ""), str(data.get("type") or ""), bool(data.get("configured")), names)
