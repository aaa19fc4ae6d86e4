"""HTTP clients: a JSON service, proxies from the operator's environment, and retries with backoff.

`WebService` sends one request per call, follows no redirect and puts no request or response body into a message.
`retry` repeats only ThrottledError and UnreachableError.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable, Mapping
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
    UsageError,
)
from halgit.operator_settings import Access
from halgit.redaction import Secret
from halgit.remotes.private_files import ca_bundle

if TYPE_CHECKING:
    import requests


_LONGEST_ANSWER: Final = 30.0
_LARGEST: Final = 4 * 1024 * 1024
LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of an answer after its compression is undone; a few kilobytes can stand for gigabytes."""


class WebService:
    """One service below an address. `headers` go with every request."""

    def __init__(self, access: Access, name: str, address: str, headers: Mapping[str, str]) -> None:
        self.name = name
        self.address = check_address(name, address)
        self._access = access
        self._headers = dict(headers)
        self._session: requests.Session = _session(access, self.address)

    def close(self) -> None:
        self._session.close()

    def get(self, path: str) -> Any:
        """Return the JSON of the service's response."""
        return self._json("GET", path, self._ask("GET", path))

    def exchange(self, method: str, path: str, body: object = None) -> bytes:
        """The body of the answer, whatever it holds, to a request with a JSON body or without one."""
        data, kind = (None, "") if body is None else (_written(body), "application/json")
        content: bytes = self._ask(method, path, data=data, kind=kind).content
        return content

    def post(self, path: str, body: object) -> Any:
        """Tell the service a JSON document, secrets in it opened; what it answers, None for nothing."""
        text = _written(body)
        return self._json("POST", path, self._ask("POST", path, data=text, kind="application/json"), empty=True)

    def log_in(self, path: str, user: Secret, password: Secret) -> None:
        """Send Spring's login form, as a body; Refused where the service does not take them."""
        form = {"username": user.open(), "password": password.open(), "submit": "Login"}
        answer = self._ask("POST", path, data=form, kind="application/x-www-form-urlencoded", redirect=True)
        if "error" in answer.headers.get("Location", ""):
            raise RefusedError(
                f"{self.name} at {self.address} rejected the login.", "Check the user name and password."
            )

    def _ask(self, method: str, path: str, *, data: Any = None, kind: str = "", redirect: bool = False) -> Any:
        headers = {**self._headers, "Accept": "application/json", **({"Content-Type": kind} if kind else {})}
        url = self.address + path
        answer = self._guarded(
            lambda: self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=min(_LONGEST_ANSWER, self._access.timeout),
                allow_redirects=False,
            )
        )
        if 200 <= answer.status_code < 300 or (redirect and 300 <= answer.status_code < 400):
            return answer
        raise self._refusal(f"{method} {path}", answer)

    def _guarded(self, ask: Callable[[], requests.Response]) -> requests.Response:
        import requests

        at = f"{self.name} at {self.address}"
        try:
            return ask()
        except requests.exceptions.SSLError:
            raise UntrustedError(
                f"The certificate of {at} cannot be verified.", "Add the CA certificate with --ca-file."
            ) from None
        except requests.exceptions.Timeout:
            raise UnreachableError(f"{at} did not respond in time.", "Check that it is running.") from None
        except requests.exceptions.RequestException:
            raise UnreachableError(
                f"{at} is unreachable.", "Check that it is running, and the network policies."
            ) from None

    def _refusal(self, what: str, answer: requests.Response) -> RemoteError:
        status = answer.status_code
        summarize_message = f"{self.name} at {self.address} responded to {what} with HTTP {status}."
        if status in {401, 403} or 300 <= status < 400:
            return RefusedError(summarize_message, "Check the user and its permissions.")
        if status in {404, 405}:
            return NotFoundError(summarize_message, "Check the address and the service's version.")
        if status == 409:
            return ConflictError(summarize_message)
        if status in {429, 502, 503, 504}:
            return ThrottledError(summarize_message, "Try again later.", retry_after(answer.headers.get("Retry-After")))
        if status >= 500:
            return UnreachableError(summarize_message, "See the service's log.")
        return RefusedError(summarize_message, "See the service's log: it rejected the request.")

    def _json(self, method: str, path: str, answer: requests.Response, *, empty: bool = False) -> Any:
        if len(answer.content) > _LARGEST:
            raise CorruptError(f"The response of {self.name} at {self.address} to {method} {path} is too large.")
        if empty and not answer.content.strip():
            return None
        try:
            return answer.json()
        except (ValueError, RecursionError):
            raise CorruptError(
                f"{self.name} at {self.address} responded to {method} {path} with something other than JSON.",
                "Check the address.",
            ) from None


def check_address(name: str, address: str) -> str:
    """An http or https address without its last slash; UsageError, without it, where it cannot be one."""
    try:
        parts = urlsplit(address)
        login = parts.username is not None or parts.password is not None
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = login = False
    if login:
        raise UsageError(f"The address of {name} contains credentials.", "Provide credentials as files.")
    if not good or parts.query or parts.fragment:
        raise UsageError(f"The address of {name} is not an http or https URL.", "Write http://host:port.")
    return address.rstrip("/")


def configure_session(session: requests.Session, access: Access, address: str) -> None:
    """Set the operator's proxies and CA certificates for requests to this address. Raises UntrustedError."""
    session.trust_env = False
    session.proxies.update(select_proxies(access.environment, address))
    environment = access.environment
    host = urlsplit(address).hostname or ""
    added = access.ca_file.for_host(host)
    bundle = environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE") or ""
    if not added and bundle and not Path(bundle).is_file():
        raise UntrustedError(f"The CA file {bundle} does not exist.", "Fix REQUESTS_CA_BUNDLE or SSL_CERT_FILE.")
    session.verify = ca_bundle(access, added) if added else bundle or True


def read_bounded(response: Any, *_: Any, **__: Any) -> None:
    """Read the content of a response of requests, as one of its hooks. Raises CorruptError above LARGEST_ANSWER."""
    content = bytearray()
    for part in response.iter_content(64 * 1024):
        content += part
        if len(content) > LARGEST_ANSWER:
            response.close()
            at = "{0.scheme}://{0.netloc}".format(urlsplit(response.url))
            raise CorruptError(f"The response of {at} is larger than {LARGEST_ANSWER} bytes.", "Check the address.")
    response._content = bytes(content)


def _session(access: Access, address: str) -> requests.Session:
    import requests

    session = requests.Session()
    session.hooks["response"].append(read_bounded)
    configure_session(session, access, address)
    return session


def _written(body: object) -> bytes:
    import json

    def opened(value: object) -> str:
        if isinstance(value, Secret):
            return value.open()
        raise TypeError(f"{type(value).__name__} is no JSON")

    return json.dumps(body, default=opened).encode()


def select_proxies(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """The proxies for this URL by scheme, as requests and botocore take them; empty where it is reached directly."""
    host = urlsplit(url).hostname or ""
    summarize_message = {
        name.lower(): value for name, value in environment.items() if name.lower().endswith("_proxy") and value
    }
    if _is_direct(host, summarize_message.get("no_proxy", "")):
        return {}
    found = {
        scheme: summarize_message.get(f"{scheme}_proxy") or summarize_message.get("all_proxy", "")
        for scheme in ("http", "https")
    }
    return {scheme: proxy for scheme, proxy in found.items() if proxy}


def _is_direct(host: str, no_proxy: str) -> bool:
    """NO_PROXY as curl reads it: `*`, or a list of hosts and domains, with or without a leading dot."""
    names = [name.strip().lower().lstrip(".").partition(":")[0] for name in no_proxy.split(",") if name.strip()]
    return any(name == "*" or host == name or host.endswith("." + name) for name in names)


Answer = TypeVar("Answer")

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE: Final = 10.0


def retry(
    ask: Callable[[], Answer], *, retries: int, deadline: float, sleep: Callable[[float], None] = time.sleep
) -> Answer:
    """Return the result of `ask`, tried again at most `retries` times within `deadline` seconds.

    A Retry-After is honoured in full, plus jitter; one that is longer than the patience left ends the tries.
    """
    end = time.monotonic() + deadline
    for attempt in range(retries):
        try:
            return ask()
        except (ThrottledError, UnreachableError) as reason:
            pause = _pause(reason, attempt)
            if time.monotonic() + pause > end:
                raise
            sleep(pause)
    return ask()


def _pause(reason: ThrottledError | UnreachableError, attempt: int) -> float:
    asked = reason.retry_after if isinstance(reason, ThrottledError) else None
    jitter: float = random.uniform(0.5, 1.0) * min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
    return jitter if asked is None else asked + jitter / 4


def retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None where it is invalid."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header.strip())
    try:
        date = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())
