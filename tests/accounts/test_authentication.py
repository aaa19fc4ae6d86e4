"""Who may call the server: hashed tokens from a file, and tokens of an OpenID Connect issuer on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from servers.http import Asked, Said, server

from halgit.errors import UsageError
from halgit.operator_settings import Access
from halgit.remotes.oidc import OidcIssuer, RefusedTokenError
from halgit.server.authentication import Authentication, hash_token, read_tokens, require_role
from halgit.server.problems import DeniedError

KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "two"})
Sign = Callable[..., str]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    address = []

    def answer(asked: Asked) -> Said:
        if asked.path == "/.well-known/openid-configuration":
            return Said(200, json.dumps({"issuer": address[0], "jwks_uri": f"{address[0]}/keys"}).encode())
        return Said(200, json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())

    with server(answer) as url:
        address.append(url)
        yield url


def sign(issuer: str, key: Any = KEY, **claims: Any) -> str:
    good = {"iss": issuer, "aud": "halgit", "exp": int(time.time()) + 60, "sub": "u-1", "email": "ann@example.com",
            "roles": ["writer"]}  # fmt: skip
    return jwt.encode({"alg": "RS256", "kid": key.kid}, {**good, **claims}, key)


def test_a_token_of_the_issuer_gives_its_name_and_its_highest_role(issuer: str) -> None:
    login = Authentication(verify=OidcIssuer(issuer, "halgit", Access(timeout=5)).verify)
    found = login.identify(f"Bearer {sign(issuer, roles=['reader', 'admin', 'x'])}", "")
    assert (found.name, found.role) == ("ann@example.com", "admin")
    with pytest.raises(DeniedError) as caught:
        login.identify(f"Bearer {sign(issuer, roles=['x'])}", "")
    assert caught.value.status == 403


WRONG: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "other"},
    "another issuer": {"iss": "https://elsewhere.example.com"},
    "expired": {"exp": int(time.time()) - 600},
    "without an end": {"exp": None},
    "another key": {"key": OTHER},
}


@pytest.mark.parametrize("case", WRONG)
def test_tokens_that_are_not_valid_are_refused(issuer: str, case: str) -> None:
    verifier = OidcIssuer(issuer, "halgit", Access(timeout=5))
    with pytest.raises(RefusedTokenError):
        verifier.verify(sign(issuer, **WRONG[case]))
    with pytest.raises(DeniedError) as caught:
        Authentication(verify=verifier.verify).identify(f"Bearer {sign(issuer, **WRONG[case])}", "")
    assert caught.value.status == 401


def test_a_token_without_a_signature_or_with_a_shared_key_is_refused(issuer: str) -> None:
    from joserfc.jwk import OctKey

    shared = OctKey.import_key("x" * 32, {"kid": "one"})
    forged = jwt.encode({"alg": "HS256", "kid": "one"}, {"iss": issuer, "aud": "halgit"}, shared)
    with pytest.raises(RefusedTokenError):
        OidcIssuer(issuer, "halgit", Access(timeout=5)).verify(forged)


@pytest.mark.parametrize(("url", "audience"), [("http://issuer.example.com", "a"), ("https://issuer.example.com", "")])
def test_an_issuer_needs_tls_and_an_audience(url: str, audience: str) -> None:
    with pytest.raises(UsageError):
        OidcIssuer(url, audience, Access())


def test_tokens_of_a_file_have_names_roles_and_an_end() -> None:
    text = f"tokens:\n- {{name: ci, sha256: {hash_token('a')}, role: writer}}\n"
    tokens = read_tokens(text.encode(), "tokens.yml")
    found = Authentication(lambda: tokens).identify("bearer a", "")
    assert (found.name, found.role) == ("ci", "writer")
    require_role(found, "reader")
    with pytest.raises(DeniedError):
        require_role(found, "admin")


FAULTS = {
    "a: b": "tokens.yml has no list `tokens`.",
    "tokens: [{name: a, sha256: x, role: reader}]": "tokens[0]: sha256 is not 64 hexadecimal digits",
    f"tokens: [{{name: a, sha256: {'a' * 64}, role: boss}}]": "tokens[0]: it needs a name and a role of reader, writer",
    f"tokens: [{{name: a, sha256: {'a' * 64}, role: reader}}, {{name: a, sha256: {'b' * 64}, role: reader}}]": (
        "the name a is duplicate"
    ),
    "tokens: [{token: a}]": "tokens[0]: it is not a mapping of name, sha256, role and expires",
}


@pytest.mark.parametrize("text", FAULTS)
def test_every_fault_of_a_file_of_tokens_is_reported(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_tokens(text.encode(), "tokens.yml")
    assert FAULTS[text] in str(caught.value)
