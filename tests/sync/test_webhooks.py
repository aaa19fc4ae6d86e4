"""Signatures of webhooks, each as its forge documents it."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from halgit.sync.webhooks import is_authentic

SECRET, BODY = b"a secret of webhooks", b'{"ref": "refs/heads/main"}'
SIGNED = hmac.new(SECRET, BODY, hashlib.sha256).hexdigest()
SHA1 = hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hub-signature-256": f"sha256={SIGNED}"},
        {"x-hub-signature-256": f"sha256={SIGNED}", "x-hub-signature": f"sha1={SHA1}"},
        {"x-hub-signature": f"sha256={SIGNED}"},
        {"x-gitea-signature": SIGNED, "x-hub-signature-256": f"sha256={SIGNED}", "x-hub-signature": f"sha1={SHA1}"},
        {"x-forgejo-signature": SIGNED},
        {"x-gitlab-token": SECRET.decode()},
    ],
)
def test_what_a_forge_signed_is_authentic(headers: dict[str, str]) -> None:
    assert is_authentic(headers, BODY, [b"an older secret", SECRET])
    assert not is_authentic(headers, BODY, [b"an older secret"])
    assert not is_authentic(headers, BODY, [])
    assert not is_authentic(headers, BODY, [b""])
    if "x-gitlab-token" not in headers:
        assert not is_authentic(headers, BODY + b" ", [SECRET])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature": f"sha1={SHA1}"},
        {"x-hub-signature-256": SIGNED},
        {"x-hub-signature-256": "sha256="},
        {"x-gitea-signature": ""},
        {"x-gitlab-token": ""},
        {"x-gitlab-token": SECRET.decode(), "x-hub-signature-256": "sha256=0"},
        {"x-gitea-signature": SIGNED, "x-hub-signature-256": "sha256=0"},
    ],
)
def test_everything_else_is_not(headers: dict[str, str]) -> None:
    assert not is_authentic(headers, BODY, [SECRET])
