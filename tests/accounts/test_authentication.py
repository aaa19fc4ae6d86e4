"""Who may call the server: hashed tokens from a file, and tokens of an OpenID Connect issuer on loopback."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from servers.http import Asked, Said, server

from halgit.errors import CorruptError, RemoteError, UsageError
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
            "email_verified": True, "roles": ["writer"]}  # fmt: skip
    return jwt.encode({"alg": "RS256", "kid": key.kid}, {**good, **claims}, key)


def test_a_token_of_the_issuer_gives_its_name_and_its_highest_role(issuer: str) -> None:
    login = Authentication(verify=OidcIssuer(issuer, "halgit", Access(timeout=5)).verify)
    found = login.identify(f"Bearer {sign(issuer, roles=['reader', 'admin', 'x'])}", "")
    assert (found.name, found.role) == ("ann@example.com", "admin")
    with pytest.raises(DeniedError) as caught:
        login.identify(f"Bearer {sign(issuer, roles=['x'])}", "")
    assert caught.value.status == 403


def test_an_address_that_nobody_verified_is_no_name_and_a_role_may_be_deeper(issuer: str) -> None:
    verify = OidcIssuer(issuer, "halgit", Access(timeout=5)).verify
    token = sign(
        issuer, email="api-token", email_verified=False, realm_access={"roles": ["writer"]}, **{"a.b": "admin"}
    )
    for claim, role in (("realm_access.roles", "writer"), ("a.b", "admin"), ("roles", "writer")):
        found = Authentication(verify=verify, role_claim=claim).identify(f"Bearer {token}", "")
        assert (found.name, found.role) == ("u-1", role)
    for claim in ("realm_access.none", "realm_access.roles.x", "iss.x"):
        with pytest.raises(DeniedError):
            Authentication(verify=verify, role_claim=claim).identify(f"Bearer {token}", "")


def test_forged_headers_of_every_kind_are_refused_as_tokens(issuer: str) -> None:
    def encoded(value: object) -> str:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    verifier = OidcIssuer(issuer, "halgit", Access(timeout=5))
    _, payload, signature = sign(issuer).split(".")
    headers: tuple[object, ...] = (
        {"alg": "RS256", "kid": "one", "crit": 1}, {"alg": [], "kid": "one"}, {"alg": "RS256", "kid": {}}, [], 1,
        b"\xff", b"[" * 100_000, {"alg": "none"}, {"alg": "RS256", "kid": "one", "crit": ["b64"], "b64": False},
    )  # fmt: skip
    for header in headers:
        with pytest.raises(RefusedTokenError):
            verifier.verify(f"{encoded(header)}.{payload}.{signature}")


def test_an_issuer_that_does_not_answer_is_not_asked_for_each_token() -> None:
    asked: list[str] = []

    def answer(request: Asked) -> Said:
        asked.append(request.path)
        return Said(500, b"")

    with server(answer) as url:
        verifier = OidcIssuer(url, "halgit", Access(timeout=5))
        for _ in range(3):
            with pytest.raises(RemoteError):
                verifier.verify(sign(url))
        assert len(set(asked)) == 1
        first = len(asked)
        with pytest.raises(RemoteError):
            verifier.verify(sign(url))
        assert len(asked) == first


@pytest.mark.parametrize("keys", ["http://keys.example.com/", ""])
def test_keys_come_from_an_address_with_tls(keys: str) -> None:
    address: list[str] = []
    with server(lambda asked: Said(200, json.dumps({"issuer": address[0], "jwks_uri": keys}).encode())) as url:
        address.append(url)
        with pytest.raises(CorruptError, match="at an address without TLS"):
            OidcIssuer(url, "halgit", Access(timeout=5)).verify(sign(url))


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


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("http://issuer.example.com", "a"),
        ("https://issuer.example.com", ""),
        ("http://localhost.example.com", "a"),
        ("http://127.0.0.1@example.com", "a"),
    ],
)
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
