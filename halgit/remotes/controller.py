"""The controller's control API over mutual TLS: credentials and agent manifests for remote clusters, and who is there.

Only the authority given is trusted, never the system's. A call that makes credentials is not repeated once it was
sent, for each mints another key; only a connection that never came about is tried again. Replies hold private keys
and are never quoted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from halgit.errors import CorruptError, RefusedError, RemoteError, UnreachableError, UntrustedError, UsageError
from halgit.operator_settings import Access
from halgit.record import Record
from halgit.remotes.http import retry

_LONGEST_ANSWER: Final = 30.0
_OLD: Final = ("serverUrl", "userCertificate", "userKey", "caCert")
_NEW: Final = ("serverUrl", "token")
_AGENT_OLD: Final = ("serverHostname", "agentCertificate", "agentKey", "caCert")
_AGENT_NEW: Final = ("serverHostname", "agentToken")


class ControllerLogin(Record):
    """Where the controller is and who asks: files of the authority, the control certificate and its key.

    `server_name` is the name its certificate holds, where that is not the one of the URL. `token_file` is for
    controllers of the fifth generation, which take a token instead of a certificate.
    """

    url: str
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    token_file: str = ""
    server_name: str = ""


class Controller:
    """One controller. Raises UsageError for a login that is half given."""

    def __init__(self, login: ControllerLogin, access: Access) -> None:
        self._login = login
        self._access = access
        self._check()

    def kubectl_components(self, agent: str, name: str) -> Mapping[str, str]:
        """What a kubeconfig for one Kubernetes endpoint of an agent is made of.

        An agent need not be connected for that. Raises Refused, Untrusted, Unreachable, Corrupt.
        """
        answer = self._ask("generateKubectlComponents", {"agentName": agent, "name": name})
        return self._texts(answer, _OLD, _NEW)

    def agent_components(self, agent: str) -> Mapping[str, str]:
        """What an agent's manifest is made of; `serverPort` and `agentVersion` come as texts."""
        answer = self._ask("generateAgentManifestComponents", {"agentName": agent})
        return self._texts(answer, _AGENT_OLD, _AGENT_NEW)

    def connected(self) -> Mapping[str, tuple[str, ...]]:
        """The agents that are connected now, each with the Kubernetes endpoints that can be used."""
        answer = self._ask("getAgentStatistics", None)
        agents = answer.get("connectedAgents")
        if not isinstance(agents, list):
            raise self._strange()
        found: dict[str, tuple[str, ...]] = {}
        for agent in agents:
            usable = [
                str(one.get("name"))
                for one in agent.get("endpoints") or ()
                if one.get("type") == "kubernetes" and one.get("configured")
            ]
            found[str(agent.get("name"))] = tuple(dict.fromkeys((*found.get(str(agent.get("name")), ()), *usable)))
        return found

    def _check(self) -> None:
        login = self._login
        scheme = urlsplit(login.url).scheme
        if scheme != "https":
            raise UsageError("--controller-url is no https:// address.", "The control API is spoken over TLS only.")
        if not login.ca_file:
            raise UsageError("--controller-ca-file is missing.", "Give the certificate of the controller's authority.")
        if not login.token_file and not (login.cert_file and login.key_file):
            raise UsageError(
                "The controller needs a login.", "Give --controller-cert-file and --controller-key-file, or a token."
            )
        for file in (login.ca_file, login.cert_file, login.key_file, login.token_file):
            if file and not Path(file).is_file():
                raise UsageError(f"The controller's login: {file} cannot be read.", "Name a file that can be read.")

    def _ask(self, call: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
        self._access.progress(f"{self._login.url}: {call}")
        return retry(lambda: self._once(call, body), retries=self._access.retries, deadline=self._access.timeout)

    def _once(self, call: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
        import urllib3
        from urllib3 import exceptions as theirs

        login = self._login
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if login.token_file:
            token = Path(login.token_file).read_text("utf-8").strip()
            self._access.redactor.learn_credential(token)
            headers["Authorization"] = f"Bearer {token}"
        named: dict[str, Any] = (
            {"server_hostname": login.server_name, "assert_hostname": login.server_name} if login.server_name else {}
        )
        at = f"The controller at {login.url}"
        try:
            with urllib3.PoolManager(
                ca_certs=login.ca_file,
                cert_file=login.cert_file or None,
                key_file=login.key_file or None,
                cert_reqs="CERT_REQUIRED",
                timeout=min(_LONGEST_ANSWER, self._access.timeout),
                retries=False,
                **named,
            ) as pool:
                answer = pool.request(
                    "GET" if body is None else "POST",
                    f"{login.url.rstrip('/')}/api/v1/{call}",
                    body=None if body is None else json.dumps(dict(body)).encode(),
                    headers=headers,
                )
        except (theirs.NewConnectionError, theirs.ConnectTimeoutError):
            raise UnreachableError(f"{at} cannot be reached.", "Check --controller-url and the network.") from None
        except theirs.SSLError as reason:
            raise self._distrusted(at, str(reason)) from None
        except theirs.HTTPError as reason:
            if any(word in str(reason) for word in ("certificate required", "EOF", "alert", "reset")):
                raise self._distrusted(at, "certificate required") from None
            raise CorruptError(f"{at} broke off over {call}.", "Look into its log, then run again.") from None
        return self._understood(at, answer.status, answer.data)

    def _distrusted(self, at: str, reason: str) -> RemoteError:
        if "certificate required" in reason or "alert" in reason or "EOF" in reason:
            return RefusedError(
                f"{at} does not take the control certificate.", "It may have expired: `halgit isd status` tells."
            )
        if "match" in reason or "hostname" in reason.lower():
            return UntrustedError(
                f"{at} has a certificate for another name.", "Give that name with --controller-server-name."
            )
        return UntrustedError(
            f"{at} has a certificate that --controller-ca-file does not vouch for.", "Give its own authority."
        )

    def _understood(self, at: str, status: int, data: bytes) -> Mapping[str, Any]:
        try:
            answer = json.loads(data)
        except ValueError:
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        error = answer.get("error") if isinstance(answer, dict) else None
        words = self._access.redactor.clean(str(error.get("message", ""))) if isinstance(error, dict) else ""
        told = f" ({words[:200]})" if words else ""
        if status in {400, 401, 403}:
            raise RefusedError(
                f"{at} refuses the request{told}.", "Check the name, and that the login is one for control."
            )
        raise CorruptError(f"{at} answers with HTTP {status}{told}.", "Check --controller-url.")

    def _texts(self, answer: Mapping[str, Any], *sets: tuple[str, ...]) -> Mapping[str, str]:
        texts = {key: str(value) for key, value in answer.items() if isinstance(value, (str, int)) and value != ""}
        if not any(all(texts.get(key) for key in wanted) for wanted in sets):
            raise self._strange()
        return texts

    def _strange(self) -> RemoteError:
        return CorruptError(
            f"The controller at {self._login.url} gave an answer that halgit does not know.",
            "halgit speaks to controllers of the third to the fifth generation.",
        )
