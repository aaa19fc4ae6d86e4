"""Authentication: a bearer token, an OpenID Connect token or a client certificate becomes a caller with a role."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any, Final, Literal

from halgit import yaml as hyaml
from halgit.errors import HalgitError, RemoteError, UsageError
from halgit.record import Record, field
from halgit.server.problems import DeniedError

Role = Literal["reader", "writer", "admin"]
ROLES: Final[tuple[Role, ...]] = ("reader", "writer", "admin")
"""Roles, each with the rights of those before it: read; change accounts; issue manifests."""


class Identity(Record):
    """A caller. `is_ambient`: the browser sends the credentials by itself, as it does a client certificate's."""

    name: str
    role: Role
    is_ambient: bool = False


class Token(Record):
    """A bearer token by its digest. `expires` is the first day on which it is refused."""

    name: str
    digest: str
    role: Role
    expires: date | None = None


class Authentication(Record):
    """The ways to log in. `tokens` reads the current tokens; `verify` returns the claims of an OIDC token."""

    tokens: Callable[[], Sequence[Token]] = tuple
    certificates: Mapping[str, Role] = field(default_factory=dict)
    verify: Callable[[str], Mapping[str, Any]] | None = None
    role_claim: str = "roles"

    def identify(self, authorization: str, common_name: str) -> Identity:
        """Return who asks. Raises DeniedError (401) for nobody that is known."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() == "bearer" and credentials.strip():
            return self._bearer(credentials.strip())
        if common_name and common_name in self.certificates:
            return Identity(common_name, self.certificates[common_name], is_ambient=True)
        raise DeniedError(401, "The request has no valid credentials.", "Send a bearer token.")

    def _bearer(self, text: str) -> Identity:
        digest = hash_token(text)
        found = None
        for token in self.tokens():
            # Every token is compared, so that the time tells nothing.
            if hmac.compare_digest(token.digest, digest):
                found = token
        if found is not None:
            if found.expires is not None and datetime.now(timezone.utc).date() >= found.expires:
                raise DeniedError(401, f"The token {found.name} has expired.", "Ask for a new one.")
            return Identity(found.name, found.role)
        if self.verify is not None and text.count(".") == 2:
            return self._oidc(text, self.verify)
        raise DeniedError(401, "The bearer token is not known.", "Send a valid token.")

    def _oidc(self, text: str, verify: Callable[[str], Mapping[str, Any]]) -> Identity:
        try:
            claims = verify(text)
        except RemoteError:
            raise
        except HalgitError as reason:
            raise DeniedError(401, reason.message, reason.hint) from None
        # Users can often set their mail address themselves: one that nobody has verified names nobody.
        email = claims.get("email") if claims.get("email_verified") is True else ""
        name = str(email or claims.get("preferred_username") or claims.get("sub") or "")
        roles = _find_claim(claims, self.role_claim)
        held = [roles] if isinstance(roles, str) else roles if isinstance(roles, list) else []
        found = [role for role in ROLES if role in held]
        if not found or not name:
            raise DeniedError(403, f"The token has no role in {self.role_claim}.", f"Roles are {', '.join(ROLES)}.")
        return Identity(name, found[-1])


def _find_claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by its path where there is none of that name: `realm_access.roles`."""
    found: Any = claims
    for step in [name] if name in claims else name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def require_role(identity: Identity, role: Role) -> None:
    """Raise DeniedError (403) if the caller has not this role, nor one above it."""
    if ROLES.index(identity.role) < ROLES.index(role):
        raise DeniedError(403, f"{identity.name} has the role {identity.role}.", f"This needs the role {role}.")


def hash_token(text: str) -> str:
    """Return the digest by which a token is stored. Tokens are random, so that a fast digest is safe."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_tokens(content: bytes, name: str) -> tuple[Token, ...]:
    """Parse a file of tokens: `tokens`, a list of `name`, `sha256`, `role` and optionally `expires`.

    Raises UsageError with every fault.
    """
    data = hyaml.read(content, name).data
    items = data.get("tokens") if isinstance(data, dict) else None
    if not isinstance(items, list) or not items:
        raise UsageError(f"{name} has no list `tokens`.", "Write tokens with name, sha256, role and expires.")
    tokens, faults = [], []
    for number, item in enumerate(items):
        try:
            tokens.append(_token(item))
        except ValueError as reason:
            faults.append(f"tokens[{number}]: {reason}")
    names = [token.name for token in tokens]
    faults += [f"the name {one} is duplicate" for one in dict.fromkeys(names) if names.count(one) > 1]
    if faults:
        raise UsageError(f"{name}: {'; '.join(faults)}.", "Correct the file.")
    return tuple(tokens)


def _token(item: Any) -> Token:
    if not isinstance(item, dict) or set(item) - {"name", "sha256", "role", "expires"}:
        raise ValueError("it is not a mapping of name, sha256, role and expires")
    digest, role = str(item.get("sha256", "")).lower(), item.get("role")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError("sha256 is not 64 hexadecimal digits")
    if role not in ROLES or not item.get("name"):
        raise ValueError(f"it needs a name and a role of {', '.join(ROLES)}")
    end = item.get("expires")
    return Token(str(item["name"]), digest, role, date.fromisoformat(str(end)[:10]) if end else None)
