"""Tokens of an OpenID Connect issuer: its keys fetched and kept, a token's signature and claims verified."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from halgit.errors import CorruptError, RemoteError, UsageError
from halgit.operator_settings import Access
from halgit.remotes.http import WebService

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_KEPT_SECONDS: Final = 600.0
_LEAST_SECONDS: Final = 10.0
_LEEWAY: Final = 30
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


class OidcIssuer:
    """One issuer. `verify` is safe for several threads."""

    def __init__(self, issuer: str, audience: str, access: Access) -> None:
        if not _is_safe(issuer):
            raise UsageError("--oidc-issuer is not an https:// address.", "Write the issuer as its tokens have it.")
        if not audience:
            raise UsageError("--oidc-audience is missing.", "Name the audience that tokens must have.")
        self._issuer = issuer
        self._audience = audience
        self._service = WebService(access, "The OpenID Connect issuer", issuer.rstrip("/"), {})
        self._access = access
        self._lock = threading.Lock()
        self._keys: Any = None
        self._fetched = float("-inf")
        self._fault: RemoteError | None = None

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token.

        Raises RefusedTokenError for a token that is not valid, and RemoteErrors if the issuer's keys are unavailable.
        """
        from joserfc import jwt
        from joserfc.errors import JoseError

        # The library lets through what a forged header makes of it: errors of its types, and of deep JSON.
        broken = (JoseError, ValueError, TypeError, RecursionError)
        for is_last in (False, True):
            keys = self._current_keys(is_stale=is_last)
            try:
                decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
                break
            except broken as reason:
                if is_last:
                    raise RefusedTokenError(f"The token's signature is not valid ({type(reason).__name__}).") from None
        claims: Mapping[str, Any] = decoded.claims
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        from joserfc import jwt
        from joserfc.errors import JoseError

        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as reason:
            raise RefusedTokenError(f"The token is not valid here: {reason}.") from None

    def _current_keys(self, *, is_stale: bool) -> Any:
        """The issuer's keys; fetched again when they are old, or do not fit, but not too often: also not when the
        issuer does not answer, since anybody can send a token."""
        with self._lock:
            age = time.monotonic() - self._fetched
            if age > _KEPT_SECONDS or (age > _LEAST_SECONDS and (is_stale or self._fault)):
                try:
                    self._keys, self._fault = self._fetch_keys(), None
                except RemoteError as reason:
                    self._fault = reason
                self._fetched = time.monotonic()
            if self._fault is not None:
                raise self._fault
            return self._keys

    def _fetch_keys(self) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        found = self._service.get("/.well-known/openid-configuration")
        if not isinstance(found, dict) or found.get("issuer") != self._issuer:
            raise CorruptError(f"{self._issuer} does not describe itself as this issuer.", "Check the URL.")
        address = str(found.get("jwks_uri") or "")
        if not _is_safe(address):
            raise CorruptError(f"{self._issuer} has keys at an address without TLS.", "Check the issuer.")
        scheme, _, place = address.partition("://")
        host, _, path = place.partition("/")
        service = WebService(self._access, "The OpenID Connect issuer", f"{scheme}://{host}", {})
        try:
            return KeySet.import_key_set(service.get(f"/{path}"))
        except (JoseError, ValueError, TypeError, KeyError):
            raise CorruptError(f"{self._issuer} has no keys that halgit can read.", "Check the issuer.") from None
        finally:
            service.close()


def _is_safe(address: str) -> bool:
    """Whether an address has TLS, or is on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


class RefusedTokenError(UsageError):
    """A token that is not valid."""
