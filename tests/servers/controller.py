"""A controller's control API on loopback over mutual TLS, of the third generation or (with `token`) the fifth.

It asks for a client certificate of its own authority whose OU names the purpose control, as the real one does, and
answers in the real one's shapes. The certificates it hands out are texts, not certificates: nothing here reads them.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from servers.http import Asked, Said, server


@dataclass
class FakeController:
    """The running controller, and the files a client needs. `rule` may answer a request itself."""

    ca: Path
    cert: Path
    key: Path
    url: str = ""
    token: str = ""
    names: dict[str, list[str]] = field(default_factory=dict)
    asked: list[tuple[str, object]] = field(default_factory=list)
    rule: Callable[[Asked], Said | None] = lambda asked: None

    def options(self) -> list[str]:
        """The command line's options for it."""
        return [
            "--controller-url", self.url, "--controller-ca-file", str(self.ca),
            "--controller-cert-file", str(self.cert), "--controller-key-file", str(self.key),
        ]  # fmt: skip

    def answer(self, asked: Asked) -> Said:
        call = asked.path.rsplit("/", 1)[-1]
        body = json.loads(asked.body or b"null")
        self.asked.append((call, body))
        ruled = self.rule(asked)
        if ruled is not None:
            return ruled
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return _error(403, "not a valid JWT for control")
        if call == "getAgentStatistics":
            agents = [
                {"name": name, "endpoints": [{"name": n, "type": "kubernetes", "configured": True} for n in endpoints]}
                for name, endpoints in self.names.items()
            ]
            return _said({"serverTime": 1, "version": "v3.5.7", "connectedAgents": agents})
        if not body.get("agentName"):
            return _error(400, "'agentName' is invalid")
        if call == "generateKubectlComponents":
            return _said({**body, "serverUrl": "https://controller:9002", **self._identity("user")})
        if call == "generateAgentManifestComponents":
            where = {"serverHostname": "agents.example.com", "serverPort": 9001, "agentVersion": "v3.5.7"}
            return _said({**body, **where, **self._identity("agent")})
        return Said(404, b"404 page not found", {"Content-Type": "text/plain"})

    def _identity(self, role: str) -> dict[str, str]:
        if self.token:
            return {"token" if role == "user" else "agentToken": "controller-made-token"}
        return {
            f"{role}Certificate": _coded(f"certificate of the {role}"),
            f"{role}Key": _coded(f"canary-key of the {role}"),
            "caCert": _coded("certificate of the authority"),
        }


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _said(body: object) -> Said:
    return Said(200, json.dumps(body).encode())


def _error(status: int, message: str) -> Said:
    body = json.dumps({"error": {"message": f"Unable to process request: {message}"}}).encode()
    return Said(status, body, {"Content-Type": "text/plain"})


@contextmanager
def controller(folder: Path, *, token: str = "") -> Iterator[FakeController]:
    """A controller for the length of a with block."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("controller authority", ca_key, None, ca_key)
    files = {"ca": folder / "controller-ca.crt", "cert": folder / "control.crt", "key": folder / "control.key"}
    files["ca"].write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    own_key = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "controller.pem", _certificate("controller", own_key, ca, ca_key), own_key)
    control_key = ec.generate_private_key(ec.SECP256R1())
    control = _certificate("control", control_key, ca, ca_key)
    files["cert"].write_bytes(control.public_bytes(serialization.Encoding.PEM))
    files["key"].write_bytes(_pem(control_key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "controller.pem")
    if not token:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files["ca"])
    fake = FakeController(files["ca"], files["cert"], files["key"], token=token)
    with server(fake.answer, context) as url:
        fake.url = url
        yield fake


def _write(file: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    unit = json.dumps({"name": "oes", "purpose": "control"})
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)]
    )
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
