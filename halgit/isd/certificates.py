"""The certificates of the controller: its authority, the client certificate of its control API.

They have the form the controller reads: RSA keys in PKCS#1, and who a client is as JSON in the subject's unit. Keys
exist here as bytes only on their way into a Secret; nothing is shown, nothing is written to a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from halgit.errors import SecretError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

CONTROL = {"name": "oes", "purpose": "control"}
"""Who sapor is to the controller."""

CA_DAYS = 3652
CONTROL_DAYS = 365

_CA_BITS = 4096
_LEAF_BITS = 2048
_BEFORE = timedelta(hours=1)
"""Certificates hold from a little before now: clocks of other machines may be slow."""


@dataclass(frozen=True, slots=True, repr=False)
class Authority:
    """A certificate that may sign others, and its key."""

    certificate: x509.Certificate
    key: RSAPrivateKey


def make_authority(now: datetime) -> Mapping[str, bytes]:
    """A new self-signed authority as the data of a TLS Secret."""
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


def issue_control(authority: Authority, now: datetime) -> Mapping[str, bytes]:
    """A client certificate for the control API as the data of a TLS Secret; it ends before its authority does."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = rsa.generate_private_key(65537, _LEAF_BITS)
    label = f"OpsMx Tunnel Certificate: -{CONTROL['name']}-"
    identity = json.dumps(CONTROL, separators=(",", ":"))
    name = _name({"ORGANIZATION_NAME": label, "COMMON_NAME": label, "ORGANIZATIONAL_UNIT_NAME": identity})
    days = _control_days(authority, now)
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = (
        _builder(name, authority.certificate.subject, key, authority.key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
    )
    return _tls_data(builder, key, authority.key)


def is_due(where: str, data: Mapping[str, bytes], authority: Authority, now: datetime, days: int) -> bool:
    """Whether a control certificate has fewer days left, and one issued now would hold longer by a day at least."""
    end = read_certificate(where, data).not_valid_after_utc
    return (end - now).days < days and now + timedelta(days=_control_days(authority, now) - 1) >= end


def _control_days(authority: Authority, now: datetime) -> int:
    return min(CONTROL_DAYS, max(0, (authority.certificate.not_valid_after_utc - now).days))


def read_certificate(where: str, data: Mapping[str, bytes]) -> x509.Certificate:
    """The certificate of a TLS Secret; SecretError where it is none."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(data["tls.crt"])
    except ValueError:
        raise SecretError(f"{where}: tls.crt is no certificate in PEM.", "Put the right one there.") from None


def read_authority(where: str, data: Mapping[str, bytes], now: datetime) -> Authority:
    """The authority a TLS Secret holds; SecretError where it could not sign, or the controller would not take it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    certificate = read_certificate(where, data)
    try:
        key = load_pem_private_key(data["tls.key"], None)
    except (ValueError, TypeError):
        raise SecretError(f"{where}: tls.key is no private key in PEM.", "Put the authority's key there.") from None
    if not isinstance(key, RSAPrivateKey):
        raise SecretError(f"{where}: tls.key is no RSA key.", "Put an authority with an RSA key there.")
    if key.public_key() != certificate.public_key():
        raise SecretError(f"{where}: tls.key does not belong to tls.crt.", "Put a certificate and its key there.")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        constraints = x509.BasicConstraints(False, None)
    if not constraints.ca:
        raise SecretError(f"{where}: tls.crt is not an authority's certificate.", "Put an authority there.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        dates = f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise SecretError(
            f"{where}: the authority holds from {dates} only, and the controller refuses it.",
            "Delete its Secret and those made from it; all agents and kubeconfigs have to be made anew.",
        )
    return Authority(certificate, key)


def refuse_stranger(where: str, data: Mapping[str, bytes], authority: Authority) -> None:
    """SecretError where a certificate was not issued by this authority."""
    from cryptography.exceptions import InvalidSignature

    certificate = read_certificate(where, data)
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        raise SecretError(
            f"{where}: the certificate was not issued by the authority that is there.",
            "Delete this Secret and run again: it is then issued anew. Or put back the authority it belongs to.",
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
