"""The controller's CA certificate, the client certificate of its control API, and the Java trust store. Pure.

Certificates have the form that the controller reads: RSA keys in PKCS#1, and the client's identity as JSON in the
subject's OU. Keys are bytes here only on their way into a Secret; nothing is printed or written to a file.

The trust store is a JKS file, because every Java version opens it, with the default password and without one: the
services that get it instead of their own `cacerts` open it without a password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import struct
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from halgit.errors import SecretError, UsageError
from halgit.lazy import lazy_pattern
from halgit.record import Record

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


CONTROL = {"name": "oes", "purpose": "control"}
"""The identity of sapor at the controller."""

CA_DAYS = 3652
CONTROL_DAYS = 365

_CA_BITS = 4096
_LEAF_BITS = 2048
_BEFORE = timedelta(hours=1)
"""Certificates are valid from one hour ago, because clocks of other machines may be slow."""


class CaKeyPair(Record):
    """A CA certificate and its private key."""

    __repr__ = object.__repr__

    certificate: x509.Certificate
    key: RSAPrivateKey


def create_ca(now: datetime) -> Mapping[str, bytes]:
    """Create a self-signed CA certificate; returns the data of a TLS Secret."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, _CA_BITS)
    name = _name({"COUNTRY_NAME": "US", "ORGANIZATION_NAME": "OpsMx API Forwarder CA"})
    builder = (
        _builder(name, name, key, key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=2), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    )
    return _tls_data(builder, key, key)


def issue_control_certificate(ca: CaKeyPair, now: datetime) -> Mapping[str, bytes]:
    """Issue a client certificate for the control API that expires before its CA; returns the data of a TLS Secret."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = rsa.generate_private_key(65537, _LEAF_BITS)
    label = f"OpsMx Tunnel Certificate: -{CONTROL['name']}-"
    identity = json.dumps(CONTROL, separators=(",", ":"))
    name = _name({"ORGANIZATION_NAME": label, "COMMON_NAME": label, "ORGANIZATIONAL_UNIT_NAME": identity})
    days = _control_days(ca, now)
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = (
        _builder(name, ca.certificate.subject, key, ca.key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
    )
    return _tls_data(builder, key, ca.key)


def is_renewal_due(where: str, data: Mapping[str, bytes], ca: CaKeyPair, now: datetime, days: int) -> bool:
    """Return whether a control certificate has fewer days left, and a new one would be valid at least a day longer."""
    end = read_certificate(where, data).not_valid_after_utc
    return (end - now).days < days and now + timedelta(days=_control_days(ca, now) - 1) >= end


def _control_days(ca: CaKeyPair, now: datetime) -> int:
    return min(CONTROL_DAYS, max(0, (ca.certificate.not_valid_after_utc - now).days))


def read_certificate(where: str, data: Mapping[str, bytes]) -> x509.Certificate:
    """Parse the certificate of a TLS Secret. Raises SecretError."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(data["tls.crt"])
    except ValueError:
        raise SecretError(f"{where}: tls.crt is not a PEM certificate.", "Store the right one there.") from None


def read_ca(where: str, data: Mapping[str, bytes], now: datetime) -> CaKeyPair:
    """Parse the CA of a TLS Secret. Raises SecretError for one that cannot sign or that the controller refuses."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate = read_certificate(where, data)
    try:
        key = load_pem_private_key(data["tls.key"], None)
    except (ValueError, TypeError):
        raise SecretError(f"{where}: tls.key is not a PEM private key.", "Store the CA's key there.") from None
    if not isinstance(key, RSAPrivateKey):
        raise SecretError(f"{where}: tls.key is not an RSA key.", "Store a CA with an RSA key there.")
    if key.public_key() != certificate.public_key():
        raise SecretError(f"{where}: tls.key does not belong to tls.crt.", "Store a certificate and its key there.")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        constraints = x509.BasicConstraints(False, None)
    if not constraints.ca:
        raise SecretError(f"{where}: tls.crt is not a CA certificate.", "Store a CA certificate there.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        dates = f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise SecretError(
            f"{where}: the CA certificate is valid from {dates}, so the controller refuses it.",
            "Delete its Secret and those issued from it. All agents and kubeconfigs must be recreated then.",
        )
    return CaKeyPair(certificate, key)


def check_issuer(where: str, data: Mapping[str, bytes], ca: CaKeyPair) -> None:
    """Raise SecretError if a certificate was not issued by this CA."""
    from cryptography.exceptions import InvalidSignature

    certificate = read_certificate(where, data)
    try:
        certificate.verify_directly_issued_by(ca.certificate)
    except (ValueError, TypeError, InvalidSignature):
        raise SecretError(
            f"{where}: the certificate was not issued by the current CA.",
            "Delete this Secret and run again to have it issued again, or restore the CA it belongs to.",
        ) from None


def _name(parts: Mapping[str, str]) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(getattr(NameOID, oid), value) for oid, value in parts.items()])


def _usage(*allowed: str) -> x509.KeyUsage:
    from cryptography import x509

    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in allowed for name in names})


def _builder(
    subject: x509.Name, issuer: x509.Name, key: RSAPrivateKey, issuer_key: RSAPrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    from cryptography import x509

    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(identifier, critical=False)
        .add_extension(above, critical=False)
    )


def _tls_data(builder: x509.CertificateBuilder, key: RSAPrivateKey, signer: RSAPrivateKey) -> Mapping[str, bytes]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    certificate = builder.sign(signer, hashes.SHA256())
    return {
        "tls.crt": certificate.public_bytes(Encoding.PEM),
        "tls.key": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    }


PASSWORD = "changeit"
"""The default password of Java's trust store; it protects nothing."""

_PEM = lazy_pattern(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.*?)-----END", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_SEQUENCE = b"\x30"


def encode_trust_store(ca: bytes, others: Iterable[bytes], now: datetime) -> bytes:
    """Encode a trust store with the CA, as isd-controller, and the certificates of the bundles without duplicates."""
    certificates = dict.fromkeys(one for bundle in (ca, *others) for one in _certificates(bundle))
    created = int(now.timestamp() * 1000)
    entries = [
        struct.pack(">I", _TRUSTED)
        + _java_string("isd-controller" if number == 0 and ca else f"ca-{number:03d}")
        + struct.pack(">Q", created)
        + _java_string("X.509")
        + struct.pack(">I", len(der))
        + der
        for number, der in enumerate(certificates)
    ]
    body = struct.pack(">III", _MAGIC, _VERSION, len(entries)) + b"".join(entries)
    return body + hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def check_bundle(name: str, text: bytes) -> bytes:
    """Return a PEM bundle unchanged. Raises UsageError if it holds no certificate."""
    if not _certificates(text):
        raise UsageError(f"--ca-file: {name} holds no PEM certificate.", "Name a file of PEM certificates.")
    return text


def _certificates(bundle: bytes) -> list[bytes]:
    """The certificates of a bundle as DER, not parsed: some public ones are not well formed."""
    found = []
    for match in _PEM.finditer(bundle):
        try:
            der = base64.b64decode(b"".join(match[1].split()), validate=True)
        except binascii.Error:
            continue
        if der.startswith(_SEQUENCE):
            found.append(der)
    return found


def _java_string(text: str) -> bytes:
    """A short ASCII string in Java's modified UTF-8 encoding."""
    return struct.pack(">H", len(text)) + text.encode("ascii")
