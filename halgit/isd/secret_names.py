"""The Secrets of an installation, as the operator names them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from halgit.errors import UsageError
from halgit.lazy import lazy_pattern
from halgit.record import Record

Role = Literal["ca", "control", "service-auth", "trust", "generated"]

TLS_KEYS: tuple[str, ...] = ("tls.crt", "tls.key")
TRUST_STORE_KEYS = "cacerts"

_NAME = lazy_pattern(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_KEY = lazy_pattern(r"[-._a-zA-Z0-9]{1,253}")


class Generated(Record):
    """A Secret of random values; `fixed` holds the values of the keys that are not random."""

    name: str
    keys: tuple[str, ...]
    fixed: Mapping[str, str]


class SecretNames(Record):
    """Names of the Secrets; a Secret with an empty name is not created. Raises UsageError for invalid names."""

    ca: str = ""
    control: str = ""
    service_auth: str = ""
    service_auth_key: str = "public.pem"
    trust: str = ""
    generated: tuple[Generated, ...] = ()

    def __post_init__(self) -> None:
        if not self.ca and self.control:
            raise UsageError(
                "--control-secret needs a CA certificate, but --ca-secret is missing.",
                "Name the Secret of the CA certificate with --ca-secret.",
            )
        names = [name for _, name, _ in self]
        for name in names:
            if not _NAME.fullmatch(name):
                raise UsageError(f"{name!r} is not a valid name of a Secret.", _NAME_HINT)
            if names.count(name) > 1:
                raise UsageError(f"The Secret name {name} is used more than once.", "Give each Secret its own name.")
        if not names:
            raise UsageError("No Secret is named.", "Name some with --ca-secret, --generate and the like.")
        if not _KEY.fullmatch(self.service_auth_key):
            raise UsageError(f"--service-auth-key: {self.service_auth_key!r} is not a valid key of a Secret.", _KEYS)

    def __iter__(self) -> Iterator[tuple[Role, str, tuple[str, ...]]]:
        """The role, name and required keys of each Secret, the CA certificate first."""
        named: list[tuple[Role, str, tuple[str, ...]]] = [
            ("ca", self.ca, TLS_KEYS),
            ("control", self.control, TLS_KEYS),
            ("service-auth", self.service_auth, (self.service_auth_key,)),
            ("trust", self.trust, (TRUST_STORE_KEYS,)),
            *(("generated", one.name, one.keys) for one in self.generated),
        ]
        return (row for row in named if row[1])


_NAME_HINT = "Use lower case letters, digits, dots and hyphens."
_FORM = "Write NAME:KEY[=TEXT][,KEY...]."
_KEYS = "Use letters, digits, dots, hyphens and underscores."


def parse_generated(text: str) -> Generated:
    """Parse `NAME:KEY=TEXT,KEY`: keys without a text get a random value. A text cannot hold a comma."""
    name, colon, rest = text.partition(":")
    keys: list[str] = []
    fixed: dict[str, str] = {}
    for part in rest.split(","):
        key, equals, value = part.partition("=")
        if not colon or not name or not _KEY.fullmatch(key) or (equals and not value):
            raise UsageError(f"--generate {name or text}: a name or a key is missing or invalid.", _FORM)
        if key in keys:
            raise UsageError(f"--generate {name}: the key {key} is duplicate.", _FORM)
        keys.append(key)
        if equals:
            fixed[key] = value
    return Generated(name, tuple(keys), MappingProxyType(fixed))
