"""Login methods of Vault and OpenBao: token, AppRole, Kubernetes, JWT, and user name with password.

All settings come from the operator; files are read again at each login. This module knows no secret paths.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from halgit.errors import RefusedError, UnreachableError, UsageError
from halgit.operator_settings import Access
from halgit.record import Record
from halgit.redaction import Redactor
from halgit.remotes.git.address import is_loopback
from halgit.remotes.private_files import read_operator_file, shown_path

if TYPE_CHECKING:
    import hvac

SERVICE_ACCOUNT_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"

_METHODS: Final = ("token", "approle", "kubernetes", "jwt", "userpass")
_GIVE: Final = {
    "approle": ("the secret id", "--vault-secret-file or VAULT_SECRET_ID"),
    "jwt": ("the JWT", "--vault-secret-file or VAULT_JWT"),
    "kubernetes": ("the service account's token", "--vault-secret-file, or run in a pod with a service account"),
    "userpass": ("the password", "--vault-secret-file or VAULT_PASSWORD"),
}


class Login(Record):
    """The operator's choice for one server. `mount` is where the auth method is mounted. Holds no secret itself."""

    address: str
    method: str
    mount: str
    role: str
    token_file: str
    secret_file: str
    environment: Mapping[str, str]

    @property
    def namespace(self) -> str:
        """The namespace all paths lie in, the login's too; empty for the root."""
        return read_variable(self.environment, "NAMESPACE").strip("/")

    @property
    def place(self) -> str:
        """The server as messages name it."""
        return f"Vault at {self.address}" + (f" in the namespace {self.namespace}" if self.namespace else "")

    @property
    def renewable(self) -> bool:
        """True if a second login can give another token than the first."""
        return self.method != "token" or bool(self.token_file)


def read_variable(environment: Mapping[str, str], name: str) -> str:
    """One of the usual variables: `VAULT_NAME`, or OpenBao's `BAO_NAME`."""
    return environment.get(f"VAULT_{name}") or environment.get(f"BAO_{name}") or ""


def choose_login(access: Access) -> Login:
    """The server and login of this run. Raises UsageError for what cannot be, Unreachable without an address."""
    address = access.vault_address.default or read_variable(access.environment, "ADDR")
    if not address:
        raise UnreachableError("No Vault server is configured.", "Set --vault-address or VAULT_ADDR.")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("The Vault address is not an http:// or https:// URL.", "Fix --vault-address or VAULT_ADDR.")
    if parts.username or parts.password:
        raise UsageError(
            "The Vault address contains credentials.", "Remove them from the address and use --vault-auth."
        )
    host = parts.hostname
    method, _, mount = (access.vault_auth.for_host(host) or "token").partition(":")
    if method not in _METHODS:
        raise UsageError(f"Unknown Vault login method {method}.", f"Set --vault-auth to one of {', '.join(_METHODS)}.")
    role = access.vault_role.for_host(host) or read_variable(access.environment, "ROLE")
    if method != "token" and not role:
        raise UsageError(
            f"The Vault login method {method} requires a role.", "Set --vault-role (role, role id or user)."
        )
    if parts.scheme == "http" and not is_loopback(host):
        access.warn(f"Vault at {address}: plain http: the token and all secrets can be read on the network.")
    files = access.vault_token_file.for_host(host), access.vault_secret_file.for_host(host)
    return Login(address.rstrip("/"), method, mount or method, role, *files, access.environment)


def log_in(client: hvac.Client, login: Login, redactor: Redactor) -> Mapping[str, Any]:
    """Put a fresh token into the client; what the server says of it, nothing of one that was given.

    It, and what it was got with, is masked from then on.
    Raises Refused where a file or variable is missing; hvac's errors pass.
    """
    if login.method == "token":
        client.token = _token(login)
        redactor.learn_credential(client.token)
        return {}
    client.token = ""
    secret = _secret(login)
    redactor.learn_credential(secret)
    auth: Any = client.auth
    if login.method == "approle":
        answer = auth.approle.login(role_id=login.role, secret_id=secret, mount_point=login.mount)
    elif login.method == "kubernetes":
        answer = auth.kubernetes.login(role=login.role, jwt=secret, mount_point=login.mount)
    elif login.method == "jwt":
        answer = auth.jwt.jwt_login(role=login.role, jwt=secret, path=login.mount)
    else:
        answer = auth.userpass.login(username=login.role, password=secret, mount_point=login.mount)
    redactor.learn_credential(client.token)
    token_data: Mapping[str, Any] = answer.get("auth") or {}
    return token_data


def renewal_time(token_data: Mapping[str, Any]) -> float:
    """When, by time.monotonic, a token is to be renewed: with a third of its life left; never where it lasts or cannot.

    `token_data` is the `auth` or `data` part of the answer to a login, a renewal or a look-up.
    """
    seconds = token_data.get("lease_duration") or token_data.get("ttl") or 0
    return time.monotonic() + seconds * 2 / 3 if seconds and token_data.get("renewable") else math.inf


def expired_token(login: Login, *, again: bool = False) -> RefusedError:
    """Return the error for a token that the server no longer knows; `again` after the one repeated login of a run."""
    if again:
        return RefusedError(
            f"The token for {login.place} became invalid a second time in this run (login method {login.method}).",
            "Issue tokens with a longer or renewable lease, and check what revokes them.",
        )
    return RefusedError(
        f"The token for {login.place} is expired, revoked or unknown.",
        "Set a valid one with --vault-token-file or VAULT_TOKEN.",
    )


def _token(login: Login) -> str:
    if login.token_file:
        return _token_of(login.token_file)
    token = read_variable(login.environment, "TOKEN")
    home = login.environment.get("HOME", "")
    kept = Path(home, ".vault-token")
    if not token and home and kept.is_file():
        token = _token_of(str(kept))
    if not token:
        raise RefusedError(
            f"No token for {login.place}.",
            "Set --vault-token-file or VAULT_TOKEN, or another login method with --vault-auth.",
        )
    return _check_header(token, "the Vault token", "in VAULT_TOKEN")


def _secret(login: Login) -> str:
    what, where = _GIVE[login.method]
    variables = {"approle": "SECRET_ID", "jwt": "JWT", "userpass": "PASSWORD"}
    if login.secret_file:
        return _file(login.secret_file, what)
    if login.method == "kubernetes":
        if Path(SERVICE_ACCOUNT_TOKEN).is_file():
            return _file(SERVICE_ACCOUNT_TOKEN, what)
    elif value := read_variable(login.environment, variables[login.method]):
        return value
    raise RefusedError(f"The Vault login method {login.method} requires {what}.", f"Set {where}.")


def _file(path: str, what: str) -> str:
    try:
        text = read_operator_file(path).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise RefusedError(f"The file {shown_path(path)} for {what} cannot be read: {reason}.") from None
    if not text:
        raise RefusedError(f"The file {shown_path(path)} for {what} is empty.")
    return text


def _token_of(path: str) -> str:
    return _check_header(_file(path, "the Vault token"), "the Vault token", f"in {shown_path(path)}")


def _check_header(text: str, what: str, place: str) -> str:
    """Refuse what HTTP cannot carry in a header: several lines, or characters other than ASCII."""
    if not text.isascii() or not text.isprintable():
        message = f"{what[0].upper()}{what[1:]} {place} is not one line of ASCII characters."
        raise RefusedError(message, "Store it alone on one line.")
    return text
