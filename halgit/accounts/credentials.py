"""Checks of credentials from the controller before they are written: identity, chain, key, validity, address. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from halgit import yaml as hyaml
from halgit.errors import AccountError

if TYPE_CHECKING:
    from cryptography import x509

SERVICE: Final = "service"
AGENT: Final = "agent"
_LONGEST_PORT: Final = 5
_TOKEN: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._]*[A-Za-z0-9])?|(?=.*:.*:)[0-9a-fA-F:]+")


def check_components(
    components: Mapping[str, str], wanted: Mapping[str, str], now: datetime, allowed: Collection[str] = ()
) -> None:
    """Raise AccountError with every reason why an answer of the controller is not what was asked for.

    `wanted` is the identity that the certificate must have: agent, purpose and, for a service, name and type.
    """
    role = "agent" if wanted["purpose"] == AGENT else "user"
    faults = [*_address_faults(components, allowed)]
    if role == "user" and not _TOKEN.fullmatch(components.get("token", "x")):
        faults.append("token is not a token")
    if components.get(f"{role}Certificate"):
        faults += _certificate_faults(components, role, wanted, now)
    if faults:
        raise _unusable(wanted["agent"], faults)


def read_identity(kubeconfig: str) -> tuple[str, str]:
    """Return the agent and the endpoint that a kubeconfig's client certificate names; empty if it names none."""
    data = hyaml.read(kubeconfig.encode("utf-8"), "kubeconfig").data
    users = data.get("users") if isinstance(data, dict) else None
    for user in users if isinstance(users, list) else ():
        inside = user.get("user") if isinstance(user, dict) else None
        encoded = inside.get("client-certificate-data") if isinstance(inside, dict) else None
        certificate = _load(str(encoded)) if encoded else None
        identity = _identity(certificate) if certificate is not None else {}
        if identity.get("agent"):
            return str(identity["agent"]), str(identity.get("name", ""))
    return "", ""


def expires(encoded: str) -> str:
    """Return when a certificate in base64 of PEM expires, ISO 8601; empty if it is not one."""
    certificate = _load(encoded)
    return certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ") if certificate is not None else ""


def check_login(login: Mapping[str, str], agent: str) -> None:
    """Raise AccountError if the address of a login for a service behind an agent is not one of a host."""
    faults = [*_url_faults("url", login.get("url", ""), {"http-server"})]
    if faults:
        raise _unusable(agent, faults)


def _unusable(agent: str, faults: list[str]) -> AccountError:
    return AccountError(
        f"The controller's answer for agent {agent} cannot be used: {'; '.join(faults)}.",
        "Check that --controller-url names the right controller, and its version.",
    )


def _address_faults(components: Mapping[str, str], allowed: Collection[str]) -> Iterator[str]:
    if "serverUrl" in components:
        yield from _url_faults("serverUrl", components["serverUrl"], allowed)
    host, port = components.get("serverHostname", "host"), components.get("serverPort", "9001")
    if not _HOST.fullmatch(host):
        yield f"serverHostname {host!r} is not a host"
    if not (port.isascii() and port.isdigit() and len(port) <= _LONGEST_PORT and 0 < int(port) < 1 << 16):
        yield f"serverPort {port!r} is not a port"


def _url_faults(key: str, url: str, allowed: Collection[str]) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and _HOST.fullmatch(parts.hostname or "") and parts.port != 0
    except ValueError:
        yield f"{key} {url!r} is not an address"
        return
    if not parts.hostname:
        yield f"{key} {url!r} has no host"
    elif not is_address or parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        yield f"{key} {url!r} is not the address of a host"
    elif parts.scheme != "https" and not (parts.scheme == "http" and "http-server" in allowed):
        yield f"{key} {url!r} is not an https:// address"


def _certificate_faults(
    components: Mapping[str, str], role: str, wanted: Mapping[str, str], now: datetime
) -> Iterator[str]:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate, ca = _load(components[f"{role}Certificate"]), _load(components.get("caCert", ""))
    if certificate is None:
        yield f"{role}Certificate is not a certificate"
        return
    if ca is None:
        yield "caCert is not a certificate"
    else:
        try:
            certificate.verify_directly_issued_by(ca)
        except (ValueError, TypeError, InvalidSignature):
            yield f"{role}Certificate was not issued by caCert"
    try:
        key = load_pem_private_key(base64.b64decode(components.get(f"{role}Key", "")), None)
        if key.public_key() != certificate.public_key():
            yield f"{role}Key does not belong to {role}Certificate"
    except (ValueError, TypeError):
        yield f"{role}Key is not a private key"
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        yield f"{role}Certificate is not valid now; check the clocks"
    found = _identity(certificate)
    wrong = [key for key, value in wanted.items() if found.get(key) != value]
    if wrong:
        yield f"{role}Certificate is for {_identity_text(found)}, not for {_identity_text(wanted)}"


def _identity_text(identity: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={identity[key]}" for key in ("purpose", "agent", "type", "name") if identity.get(key))


def _load(encoded: str) -> x509.Certificate | None:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error):
        return None


def _identity(certificate: x509.Certificate) -> Mapping[str, Any]:
    """Return the identity in a certificate: the JSON in the first OU of its subject."""
    from cryptography.x509.oid import NameOID

    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    try:
        found = json.loads(units[0].value) if units else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
