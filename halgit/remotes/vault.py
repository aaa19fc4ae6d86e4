"""Vault and OpenBao through hvac: one login per run, KV versions 1 and 2, and hvac's errors as RemoteErrors.

`Vault` is the connection, shared by the secret engine and the source; `VaultEngine` reads secrets. The operator sets
the server and the login; a path can change neither.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from halgit.errors import (
    ConflictError,
    CorruptError,
    NotFoundError,
    RefusedError,
    RemoteError,
    UnreachableError,
    UntrustedError,
)
from halgit.operator_settings import Access
from halgit.pipeline import Reference
from halgit.remotes.engine import Presence, SecretData
from halgit.remotes.http import retry
from halgit.remotes.vault_client import CA_HINT, ThreadClients
from halgit.remotes.vault_login import Login, choose_login, expired_token, log_in, read_variable, renewal_time

_RENEWAL_PAUSE = 1.0
"""Seconds until a renewal that failed is tried again."""


def get_vault(access: Access) -> Vault:
    """The run's connection to the operator's Vault, made (not yet logged in) at the first call."""
    return access.cache.get_or_create((Vault, "vault"), lambda: Vault(access))


class Vault:
    """One server, one login, renewed before it ends. Requests may come from several threads."""

    def __init__(self, access: Access) -> None:
        self.login: Login = choose_login(access)
        self._access = access
        self._clients = ThreadClients(access, self.login)
        self._lock = threading.RLock()
        self._logins = 0
        self._renew_at = 0.0
        self._failed: RemoteError | None = None
        self._mounts: dict[str, int] = {}

    def close(self) -> None:
        """Hang up."""
        self._clients.close()

    # --- requests

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """The answer to a GET. Raises Missing, Refused, Throttled, Unreachable, Untrusted or Corrupt."""
        return self._ask("get", path, params)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST of this body. Raises Conflicting where a check-and-set does not hold."""
        try:
            return self._ask("post", path, {}, body)
        except RefusedError as reason:
            if "check-and-set" in reason.message:
                raise ConflictError(f"{self.login.place}: another writer changed {path} first.", "Run again.") from None
            raise

    def keys(self, path: str) -> list[str]:
        """The names a LIST gives; folders end with a slash."""
        answer = self._ask("list", path, {})
        keys = (answer.get("data") or {}).get("keys")
        if not isinstance(keys, list):
            raise CorruptError(f"{self.login.place} returned a list of {path} without keys.")
        return [str(key) for key in keys]

    def _ask(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        retries = read_variable(self._access.environment, "MAX_RETRIES")
        return retry(
            lambda: self._send_with_login(method, path, params, body),
            retries=int(retries) if retries.isdigit() else self._access.retries,
            deadline=self._access.timeout,
        )

    def _send_with_login(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        while True:
            turn = self._logged_in()
            try:
                return self._send(method, path, params, body)
            except RefusedError:
                if not self._replaced(turn):
                    raise

    def _logged_in(self) -> int:
        """Log in at the first request, renew a token that ends soon. Gives the number of logins so far.

        A login that failed is not tried again, and neither is one whose tokens died twice.
        """
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if not self._logins:
                self._log_in()
            elif time.monotonic() >= self._renew_at:
                self._renew()
            return self._logins

    def _log_in(self) -> None:
        def attempt() -> Mapping[str, Any]:
            with self._errors(f"the login {self.login.method}", "Check --vault-auth, --vault-role and what it reads."):
                client = self._clients.own
                token_data: Mapping[str, Any] | None = log_in(client, self.login, self._access.redactor)
                self._clients.token = client.token
            if self.login.method == "token":
                token_data = self._look_up_token()
            if token_data is None:
                raise expired_token(self.login)
            return token_data

        try:
            self._renew_at = renewal_time(retry(attempt, retries=self._access.retries, deadline=self._access.timeout))
        except RemoteError as reason:
            self._failed = reason
            raise
        self._logins += 1

    def _renew(self) -> None:
        try:
            self._renew_at = renewal_time(self._send("post", "auth/token/renew-self", {}, {}).get("auth") or {})
        except (RefusedError, NotFoundError):
            self._renew_at = math.inf
        except RemoteError:
            self._renew_at = time.monotonic() + _RENEWAL_PAUSE

    def _replaced(self, turn: int) -> bool:
        """After a refusal: True where the token was dead and there is a new one, by the one login more a run gets.

        Raises Refused where the token was dead and there is none.
        """
        with self._lock:
            if self._failed is not None:
                raise self._failed
            if self._logins != turn:
                return True
            if self._look_up_token() is not None:
                return False
            if self._logins == 1 and self.login.renewable:
                self._log_in()
                return True
            self._failed = expired_token(self.login, again=self._logins > 1)
            raise self._failed

    def _look_up_token(self) -> Mapping[str, Any] | None:
        """Look up the token in use: empty if a policy forbids the lookup, None if the token has expired."""
        try:
            token_data: Mapping[str, Any] = self._send("get", "auth/token/lookup-self", {}).get("data") or {}
        except RefusedError as reason:
            # Policies refuse with a list of one error; that a token is not known is said otherwise.
            return {} if "1 error occurred" in reason.message else None
        return token_data

    def _send(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        with self._errors(path, "Grant the token or role a policy that allows it."):
            send: Callable[..., Any] = getattr(self._clients.own.adapter, method)
            given = {"json": dict(body)} if body is not None else {"params": dict(params)}
            try:
                answer = send(f"/v1/{quote(path, safe='/,')}", **given)
            except RecursionError:
                raise CorruptError(f"The response of {self.login.place} to {path} is nested too deeply.") from None
        if not isinstance(answer, dict):
            raise CorruptError(f"The response of {self.login.place} to {path} is not JSON.", _PROXY)
        return answer

    @contextlib.contextmanager
    def _errors(self, what: str, hint: str) -> Iterator[None]:
        """Turn hvac's and requests' errors into ours. They may quote a body, so their texts are not passed on."""
        import requests
        from hvac import exceptions as theirs

        at = self.login.place
        try:
            yield
        except theirs.InvalidPath as reason:
            lost = "Check VAULT_NAMESPACE." if "namespace not found" in str(reason.errors) else ""
            raise NotFoundError(f"{at} has no {what}{self._because(reason)}.", lost) from None
        except (theirs.Forbidden, theirs.Unauthorized) as reason:
            raise RefusedError(f"{at} denied access to {what}{self._because(reason)}.", hint) from None
        except theirs.InvalidRequest as reason:
            raise RefusedError(f"{at} rejected {what}{self._because(reason)}.", hint) from None
        except theirs.VaultNotInitialized:
            raise UnreachableError(f"{at} is not initialized.") from None
        except theirs.VaultError as reason:
            raise UnreachableError(f"{at} failed for {what}{self._because(reason)}.", "See the server's log.") from None
        except requests.exceptions.SSLError:
            raise UntrustedError(f"The certificate of {at} cannot be verified.", CA_HINT) from None
        except requests.exceptions.Timeout:
            raise UnreachableError(f"{at} did not respond to {what} in time.", "Retry, or raise --timeout.") from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            raise UnreachableError(f"The response of {at} to {what} was cut short.") from None
        except requests.exceptions.RequestException:
            raise UnreachableError(
                f"{at} is unreachable.", "Check --vault-address and that the server is running."
            ) from None

    def _because(self, reason: Any) -> str:
        """The server's own words, where they are its error list; they name paths and policies, never values."""
        words = ", ".join(" ".join(str(each).split()) for each in reason.errors or () if each)
        words = self._access.redactor.clean(words)[:200]
        return f" ({words})" if words else ""

    # --- KV

    def kv(self, path: str, hint: str = "") -> tuple[str, str, int]:
        """The mount a secret's path lies in, the rest of the path, and the KV version; asked once for each mount.

        Where the server does not tell, `hint` or the first segment is taken for the mount and the version found out
        by reading.
        """
        with self._lock:
            mount, version = self.mount_of(path) or self._probed(path, hint)
            self._mounts[mount] = version
        return mount, path[len(mount) + 1 :], version

    def mount_of(self, path: str) -> tuple[str, int] | None:
        """The mount a path lies in (or is) and its KV version, where the server tells; asked once for each mount."""
        with self._lock:
            for mount, version in self._mounts.items():
                if f"{path}/".startswith(mount + "/"):
                    return mount, version
            found = self._look_up_mount(path)
            if found:
                self._mounts[found[0]] = found[1]
            return found

    def _look_up_mount(self, path: str) -> tuple[str, int] | None:
        try:
            data = self.get(f"sys/internal/ui/mounts/{path}").get("data") or {}
        except (RefusedError, NotFoundError):
            return None
        mount = str(data.get("path", "")).strip("/")
        options = data.get("options") or {}
        inside = mount and f"{path}/".startswith(mount + "/")
        return (mount, 2 if options.get("version") == "2" else 1) if inside else None

    def _probed(self, path: str, hint: str) -> tuple[str, int]:
        mount = hint or path.partition("/")[0]
        rest = path[len(mount) + 1 :]
        try:
            self.get(f"{mount}/data/{rest}")
        except NotFoundError:
            return (mount, 1) if self._readable(f"{mount}/{rest}") else (mount, 2)
        except RefusedError:
            if self._readable(f"{mount}/{rest}"):
                return mount, 1
            raise
        return mount, 2

    def _readable(self, path: str) -> bool:
        try:
            self.get(path)
        except (NotFoundError, RefusedError):
            return False
        return True


_PROXY = "Set --vault-address to Vault itself, not to a page in front of it."


class VaultEngine:
    """Reads `vault://mount/path` from the run's Vault."""

    def __init__(self, access: Access) -> None:
        self._vault = get_vault(access)

    def read(self, reference: Reference) -> SecretData:
        mount, rest, version = self._vault.kv(reference.get("path"), reference.get("mount"))
        wanted = reference.get("version")
        if version == 1:
            if wanted:
                raise NotFoundError(f"The Vault mount {mount} is KV 1, which has no versions.", "Omit ?version=.")
            return SecretData(_values(self._vault.get(f"{mount}/{rest}"), rest))
        with explain_data(rest):
            answer = self._vault.get(f"{mount}/data/{rest}", **({"version": wanted} if wanted else {}))
        data = answer.get("data") or {}
        return SecretData(_values(data, rest), version=str((data.get("metadata") or {}).get("version", "")))

    def check(self, reference: Reference) -> Presence:
        mount, rest, version = self._vault.kv(reference.get("path"), reference.get("mount"))
        if version == 2:
            wanted = reference.get("version")
            try:
                answer = self._vault.get(f"{mount}/subkeys/{rest}", **({"version": wanted} if wanted else {}))
                return Presence("metadata", frozenset((answer.get("data") or {}).get("subkeys") or ()))
            except RefusedError:
                pass
        return Presence("read", frozenset(self.read(reference).keys or ()))


DATA_HINT = "Remove data/ from the path: it belongs to the API of KV 2, and halgit adds it."


@contextmanager
def explain_data(rest: str) -> Iterator[None]:
    """Give a failed read of `data/...` below a mount of KV 2 the hint that the path was copied from the API."""
    try:
        yield
    except (NotFoundError, RefusedError) as reason:
        if not f"{rest}/".startswith("data/"):
            raise
        raise type(reason)(reason.message, DATA_HINT) from None


def _values(answer: Mapping[str, Any], path: str) -> Mapping[str, object]:
    values = answer.get("data")
    if not isinstance(values, dict):
        raise CorruptError(f"The Vault secret {path} has no values.")
    return values
