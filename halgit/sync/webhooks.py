"""Whether a webhook comes from the forge that it claims to come from. Its content is never used: it only starts a look.

| forge | header | what it holds |
|---|---|---|
| GitHub | `X-Hub-Signature-256` | `sha256=` and the HMAC-SHA-256 of the body |
| Bitbucket | `X-Hub-Signature` | the same |
| Gitea, Forgejo | `X-Gitea-Signature`, `X-Forgejo-Signature` | the HMAC-SHA-256 of the body |
| GitLab | `X-Gitlab-Token` | the secret itself |

GitHub's older `sha1=` is refused. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

_PREFIXED: Final = ("x-hub-signature-256", "x-hub-signature")
_BARE: Final = ("x-gitea-signature", "x-forgejo-signature")
_PLAIN: Final = "x-gitlab-token"
_PREFIX: Final = "sha256="


def is_authentic(headers: Mapping[str, str], body: bytes, secrets: Iterable[bytes]) -> bool:
    """Return whether one of these secrets signed the body. Header names are in lower case.

    Every signature that is present must be right, so that a weaker one cannot be added to get in.
    """
    return any(_is_signed_with(secret, headers, body) for secret in secrets if secret)


def _is_signed_with(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
    results = [_equal(headers[name], _PREFIX + expected) for name in _PREFIXED if _counts(name, headers)]
    results += [_equal(headers[name], expected) for name in _BARE if name in headers]
    if _PLAIN in headers:
        results.append(hmac.compare_digest(headers[_PLAIN].encode(), secret))
    return bool(results) and all(results)


def _counts(name: str, headers: Mapping[str, str]) -> bool:
    """True if a header is a signature to check: GitHub sends its SHA-1 beside the SHA-256, under Bitbucket's name."""
    if name not in headers:
        return False
    return not (name == "x-hub-signature" and "x-hub-signature-256" in headers and headers[name].startswith("sha1="))


def _equal(value: str, expected: str) -> bool:
    return hmac.compare_digest(value.strip().lower().encode(), expected.encode())
