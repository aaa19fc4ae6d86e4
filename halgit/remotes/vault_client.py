"""Connections to Vault: hvac's clients, one for each thread, with the operator's proxies and certificates.

Each response is checked before hvac sees it: a redirect to another server is not followed.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from halgit.errors import ThrottledError, UnreachableError, UntrustedError
from halgit.operator_settings import Access
from halgit.remotes.http import read_bounded, retry_after, select_proxies
from halgit.remotes.private_files import ca_bundle
from halgit.remotes.vault_login import Login, read_variable

if TYPE_CHECKING:
    import hvac
    import requests

CA_HINT: Final = "Add the CA certificate with --ca-file or VAULT_CACERT; verification cannot be disabled."

_LONGEST_ANSWER: Final = 30.0
"""Seconds one request may take, where VAULT_CLIENT_TIMEOUT does not say otherwise."""


class ThreadClients:
    """A client for each thread, all with one token; requests does not document its sessions as safe to share.

    Raises UntrustedError for a CA file that does not exist.
    """

    def __init__(self, access: Access, login: Login) -> None:
        self._access = access
        self._login = login
        self._local = threading.local()
        self._created: list[hvac.Client] = []
        self.token = ""
        _ = self.own

    @property
    def own(self) -> hvac.Client:
        """Return the client of this thread, with the token of all."""
        client: hvac.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = _client(self._access, self._login)
            self._created.append(client)
        client.token = self.token
        return client

    def close(self) -> None:
        """Hang up."""
        for client in self._created:
            client.adapter.close()


def _client(access: Access, login: Login) -> hvac.Client:
    import hvac

    session = _session(access, login)
    seconds = read_variable(access.environment, "CLIENT_TIMEOUT").removesuffix("s")
    timeout = float(seconds) if seconds.replace(".", "", 1).isdigit() else min(_LONGEST_ANSWER, access.timeout)
    space = login.namespace or None
    return hvac.Client(login.address, token="", session=session, timeout=timeout, namespace=space)


def _session(access: Access, login: Login) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter

    environment = access.environment
    session = requests.Session()
    session.trust_env = False
    session.verify = _authority(access, login.address) or True
    session.proxies.update(select_proxies(environment, login.address))
    certificate, key = read_variable(environment, "CLIENT_CERT"), read_variable(environment, "CLIENT_KEY")
    if certificate:
        session.cert = (certificate, key) if key else certificate
    adapter = HTTPAdapter(pool_maxsize=32)
    if name := read_variable(environment, "TLS_SERVER_NAME"):
        adapter.init_poolmanager(10, 32, server_hostname=name, assert_hostname=name)
    session.mount("https://", adapter)
    session.mount("http://", HTTPAdapter(pool_maxsize=32))
    session.hooks["response"] += [read_bounded, _check_response]
    return session


def _authority(access: Access, address: str) -> str:
    environment = access.environment
    added = access.ca_file.for_host(urlsplit(address).hostname or "")
    if added:
        return ca_bundle(access, added)
    path = read_variable(environment, "CACERT") or read_variable(environment, "CAPATH")
    if path and not Path(path).exists():
        raise UntrustedError(f"The CA file {path} for Vault at {address} does not exist.", CA_HINT)
    return path


def _check_response(response: requests.Response, *args: Any, **kwargs: Any) -> None:
    """Check every response: throttling, a sealed server, and a redirect that would send the token elsewhere."""
    at = "Vault at {0.scheme}://{0.netloc}".format(urlsplit(response.url))
    target = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
    if response.is_redirect and (target.scheme, target.netloc) != urlsplit(response.url)[:2]:
        response.close()
        raise UntrustedError(
            f"{at} redirects to {target.scheme}://{target.hostname}, which is not followed with a token.",
            "Set --vault-address to the active node or to a load balancer.",
        )
    if response.status_code not in {429, 503}:
        return
    body = response.content.lower()
    seconds = retry_after(response.headers.get("Retry-After"))
    if response.status_code == 503 and b"sealed" in body:
        raise UnreachableError(f"{at} is sealed.", "Unseal it and run again.")
    raise ThrottledError(
        f"{at} asks to retry later (HTTP {response.status_code}).", "Retry later.", retry_after=seconds
    )
