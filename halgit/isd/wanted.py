"""The Secrets an installation needs, as the operator names them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from halgit.errors import UsageError

Role = Literal["ca", "control", "service-auth", "trust", "generated"]

CERTIFICATE: tuple[str, ...] = ("tls.crt", "tls.key")
STORE = "cacerts"

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True, slots=True)
class Generated:
    """A Secret of random texts; `fixed` has the text of the keys that are not random."""

    name: str
    keys: tuple[str, ...]
    fixed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names of the Secrets; one whose name is empty is not wanted."""

    ca: str = ""
    control: str = ""
    service_auth: str = ""
    service_auth_key: str = "public.pem"
    trust: str = ""
    generated: tuple[Generated, ...] = ()

    def __post_init__(self) -> None:
        if not self.ca and (self.control or self.trust):
            raise UsageError(
                "--control-secret and --trust-secret come from an authority, and --ca-secret is not given.",
                "Name the Secret of the authority with --ca-secret.",
            )
        names = [name for _, name, _ in self]
        for name in names:
            if not _NAME.fullmatch(name):
                raise UsageError(f"{name!r} is no name of a Secret.", "Use small letters, digits, dots and hyphens.")
            if names.count(name) > 1:
                raise UsageError(f"The Secret {name} is named twice.", "Give each Secret its own name.")
        if not names:
            raise UsageError("No Secret is named.", "Name some with --ca-secret, --generate and the like.")
        if not _KEY.fullmatch(self.service_auth_key):
            raise UsageError(f"--service-auth-key: {self.service_auth_key!r} is no key of a Secret.", _KEYS)

    def __iter__(self) -> Iterator[tuple[Role, str, tuple[str, ...]]]:
        """What each Secret is, its name, and the keys it has to have; the authority first."""
        named: list[tuple[Role, str, tuple[str, ...]]] = [
            ("ca", self.ca, CERTIFICATE),
            ("control", self.control, CERTIFICATE),
            ("service-auth", self.service_auth, (self.service_auth_key,)),
            ("trust", self.trust, (STORE,)),
            *(("generated", one.name, one.keys) for one in self.generated),
        ]
        return (row for row in named if row[1])


_FORM = "Write NAME:KEY[=TEXT][,KEY...]."
_KEYS = "Use letters, digits, dots, hyphens and underscores."


def parse_generated(text: str) -> Generated:
    """`NAME:KEY=TEXT,KEY`: a random text under each key that has none given. A text holds no comma."""
    name, colon, rest = text.partition(":")
    keys: list[str] = []
    fixed: dict[str, str] = {}
    for part in rest.split(","):
        key, equals, value = part.partition("=")
        if not colon or not name or not _KEY.fullmatch(key) or (equals and not value):
            raise UsageError(f"--generate {name or text}: a name or a key is missing or cannot be.", _FORM)
        if key in keys:
            raise UsageError(f"--generate {name}: the key {key} is given twice.", _FORM)
        keys.append(key)
        if equals:
            fixed[key] = value
    return Generated(name, tuple(keys), MappingProxyType(fixed))
