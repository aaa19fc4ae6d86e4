"""Tokens of an OpenID Connect issuer: its keys fetched and kept, a token's signature and claims verified."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from halgit.errors import CorruptError, UsageError
from halgit.operator_settings import Access
from halgit.remotes.http import WebService

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_KEPT_SECONDS: Final = 600.0
_LEAST_SECONDS: Final = 10.0
_LEEWAY: Final = 30


class OidcIssuer:
    """One issuer. `verify` is safe for several threads."""

    def __init__(self, issuer: str, audience: str, access: Access) -> None:
        if not issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise UsageError("--oidc-issuer is not an https:// address.", "Write the issuer as its tokens have it.")
        if not audience:
            raise UsageError("--oidc-audience is missing.", "Name the audience that tokens must have.")
        self._issuer = issuer
        self._audience = audience
        self._service = WebService(access, "The OpenID Connect issuer", issuer.rstrip("/"), {})
        self._access = access
        self._lock = threading.Lock()
        self._keys: Any = None
        self._fetched = 0.0

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token.

        Raises RefusedTokenError for a token that is not valid, and RemoteErrors if the issuer's keys are unavailable.
        """
        from joserfc import jwt
        from joserfc.errors import JoseError

        for is_last in (False, True):
            keys = self._current_keys(is_stale=is_last)
            try:
                decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
                break
            except (JoseError, ValueError) as reason:
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
        """The issuer's keys; fetched again when they are old, or do not fit, but not too often."""
        from joserfc.jwk import KeySet

        with self._lock:
            age = time.monotonic() - self._fetched
            if self._keys is None or age > _KEPT_SECONDS or (is_stale and age > _LEAST_SECONDS):
                found = self._service.get("/.well-known/openid-configuration")
                if not isinstance(found, dict) or found.get("issuer") != self._issuer:
                    raise CorruptError(f"{self._issuer} does not describe itself as this issuer.", "Check the URL.")
                address = str(found.get("jwks_uri") or "")
                base, _, path = address.partition("://")[2].partition("/")
                scheme = address.partition("://")[0]
                service = WebService(self._access, "The OpenID Connect issuer", f"{scheme}://{base}", {})
                try:
                    self._keys = KeySet.import_key_set(service.get(f"/{path}"))
                finally:
                    service.close()
                self._fetched = time.monotonic()
            return self._keys


class RefusedTokenError(UsageError):
    """A token that is not valid."""
