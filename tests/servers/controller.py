"""A controller's control API on loopback, as strict as the recorded one (oes-birger 3.5.9; with `token` generation 5).

Its own certificate has a DNS name only, so that nobody connects to its address. It requires TLS 1.2 and a client
certificate of its own CA whose OU names the purpose control: others are 403 as text
with a JSON body, a foreign CA is a TLS alert. Empty names are 400, a wrong method 405, an unknown path 404. What it
issues are real certificates of its CA with the identity that was asked for. Control credentials it issues have the
purpose agent, as the real one's do.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from servers.http import Asked, Said

KUBECTL, MANIFEST = "generateKubectlComponents", "generateAgentManifestComponents"
SERVICE, CONTROL, STATISTICS = "generateServiceCredentials", "generateControlCredentials", "getAgentStatistics"
CALLS = (KUBECTL, MANIFEST, SERVICE, CONTROL, STATISTICS)
NOW = 1_795_657_670_235


PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Authority:
    """A CA that issues certificates as the controller does. `lower` is an intermediate one of it.

    With `is_rsa` its keys are as make-ca's, but shorter; an EC CA works too, and is made faster.
    """

    def __init__(
        self, name: str = "OpsMx API Forwarder CA", issuer: Authority | None = None, *, is_rsa: bool = False
    ) -> None:
        self.is_rsa = is_rsa
        self.key = self.new_key()
        self.name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
        signer = issuer or self
        self.certificate = signer.sign(self.name, self.key.public_key(), days=3650, ca=True)

    def new_key(self) -> PrivateKey:
        """A key of the CA's kind."""
        return rsa.generate_private_key(65537, 2048) if self.is_rsa else ec.generate_private_key(ec.SECP256R1())

    def lower(self) -> Authority:
        """An intermediate CA."""
        return Authority("An intermediate CA", self)

    def sign(
        self, subject: x509.Name, key: PublicKey, *, days: int = 365, ca: bool = False, name: str = ""
    ) -> x509.Certificate:
        """A certificate of this CA; `name` is its DNS name or address."""
        now = datetime.datetime.now(datetime.timezone.utc)
        start = now - datetime.timedelta(hours=1 if days > 0 else 48)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if name:
            try:
                entry: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
            except ValueError:
                entry = x509.DNSName(name)
            builder = builder.add_extension(x509.SubjectAlternativeName([entry]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, identity: Mapping[str, str], *, days: int = 365, name: str = "") -> tuple[bytes, bytes]:
        """A certificate for an identity, and its key, both PEM."""
        key = self.new_key()
        unit = json.dumps({k: identity[k] for k in ("name", "type", "agent", "purpose") if identity.get(k)},
                          separators=(",", ":"))  # fmt: skip
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit, _validate=False)])
        return pem(self.sign(subject, key.public_key(), days=days, name=name)), key_pem(key)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass
class FakeController:
    """The running controller, and the files a client needs.

    `names` are the connected agents with the endpoints of each, `namespaces` what the endpoints report; `rule` may
    answer a request itself, `days` is how long what it issues is valid, `pause` the seconds between the bytes
    of an answer.
    """

    ca: Path
    cert: Path
    key: Path
    authority: Authority
    url: str = ""
    context: ssl.SSLContext | None = None
    token: str = ""
    server_url: str = "https://controller:9002"
    days: int = 365
    pause: float = 0.0
    names: dict[str, list[str]] = field(default_factory=dict)
    namespaces: list[str] = field(default_factory=list)
    asked: list[tuple[str, object]] = field(default_factory=list)
    connections: int = 0
    rule: Callable[[Asked], Said | None] = lambda asked: None
    changed: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer

    def options(self) -> list[str]:
        """The command line's options for it."""
        return [
            "--controller-url", self.url, "--controller-ca-file", str(self.ca),
            "--controller-cert-file", str(self.cert), "--controller-key-file", str(self.key),
        ]  # fmt: skip

    @contextmanager
    def restarted(self, port: int) -> Iterator[FakeController]:
        """The controller again, at its port and with its CA, for the length of a with block."""
        assert self.context is not None
        with _serve(self, self.context, port) as self.url:
            yield self

    def answer(self, asked: Asked, unit: str) -> Said:
        call = asked.path.removeprefix("/api/v1/")
        if call not in CALLS:
            return error(404, "404 page not found")
        if asked.method != ("GET" if call == STATISTICS else "POST"):
            return error(405, f"only {'GET' if call == STATISTICS else 'POST'} is accepted")
        refused = self._refused(asked, unit)
        if refused is not None:
            return refused
        body = json.loads(asked.body or b"null")
        self.asked.append((call, body))
        ruled = self.rule(asked)
        if ruled is not None:
            return ruled
        if call == STATISTICS:
            return said({"serverTime": NOW, "version": "v3.5.9", "connectedAgents": self._agents()})
        for name in ("agentName", "name") if call in {KUBECTL, SERVICE} else ("agentName",) if call == MANIFEST else ():
            if not body.get(name):
                return error(400, f"'{name}' is invalid")
        if call == SERVICE and not re.fullmatch("[a-z0-9]+", body.get("type", "")):
            return error(400, "'type' is invalid")
        return said(self.changed(self._issued(call, body)))

    def _refused(self, asked: Asked, unit: str) -> Said | None:
        if self.token:
            known = asked.headers.get("authorization") == f"Bearer {self.token}"
            return None if known else error(403, "not a valid JWT for control")
        try:
            purpose = json.loads(unit).get("purpose")
        except ValueError:
            return error(403, "Subject OrganizationalUnit does not appear to be a JSON token")
        return None if purpose == "control" else error(403, f"certificate is not authorized for 'control': {purpose}")

    def _agents(self) -> list[dict[str, Any]]:
        def endpoint(name: str) -> dict[str, Any]:
            return {"name": name, "type": "kubernetes", "configured": True, "namespaces": self.namespaces}

        return [
            {"name": name, "session": "01H", "connectionType": "direct", "version": "v3.5.9", "hostname": "pod-1",
             "connectedAt": NOW - 90_000, "lastPing": NOW - 12_000, "endpoints": [endpoint(e) for e in endpoints],
             "agentInfo": {}}
            for name, endpoints in self.names.items()
        ]  # fmt: skip

    def _issued(self, call: str, body: Mapping[str, str]) -> dict[str, Any]:
        agent, name = body.get("agentName", ""), body.get("name", "")
        if call == SERVICE:
            url = {"url": "https://controller:9002", "caCert": encoded(pem(self.authority.certificate))}
            if body["type"] == "aws":
                keys = {"awsAccessKey": "canary-access", "awsSecretAccessKey": "canary-secret"}
                return {**body, **url, "credentialType": "aws", "credential": keys}
            login = {"username": f"{name}.{agent}", "password": "canary-password"}
            return {**body, **url, "credentialType": "basic", "credential": login, **login}
        if call == MANIFEST:
            where = {"serverHostname": "agents.example.com", "serverPort": 9001, "agentVersion": "v3.5.9"}
            return {**body, **where, **self._identity("agent", {"agent": agent, "purpose": "agent"})}
        if call == CONTROL:
            return {**body, "url": self.url, **self._identity("user", {"name": name, "purpose": "agent"})}
        identity = {"name": name, "type": "kubernetes", "agent": agent, "purpose": "service"}
        return {**body, "serverUrl": self.server_url, **self._identity("user", identity)}

    def _identity(self, role: str, identity: Mapping[str, str]) -> dict[str, str]:
        if self.token:
            return {"token" if role == "user" else "agentToken": "canary-issued-token"}
        certificate, key = self.authority.issue(identity, days=self.days)
        ca = encoded(pem(self.authority.certificate))
        return {f"{role}Certificate": encoded(certificate), f"{role}Key": encoded(key), "caCert": ca}


def said(body: object) -> Said:
    """A good answer."""
    return Said(200, json.dumps(body).encode())


def error(status: int, message: str) -> Said:
    """An error as the real one's: JSON, which Go calls text for 403 and 405."""
    body = json.dumps({"error": {"message": f"Unable to process request: {message}"}}).encode()
    return Said(status, body, {"Content-Type": "text/plain; charset=utf-8"})


@contextmanager
def controller(
    folder: Path, *, token: str = "", purpose: str = "control", days: int = 365, server_days: int = 365,
    name: str = "localhost", anchor: str = "root", port: int = 0,
) -> Iterator[FakeController]:  # fmt: skip
    """A controller for the length of a with block.

    `purpose` and `days` are the control certificate's, `server_days` and `name` the server's own. With `anchor`
    "intermediate" the CA file holds an intermediate CA alone, with "rsa" its keys are RSA keys.
    """
    root = Authority(is_rsa=anchor == "rsa")
    authority = root.lower() if anchor == "intermediate" else root
    files = {"ca": folder / "controller-ca.crt", "cert": folder / "control.crt", "key": folder / "control.key"}
    files["ca"].write_bytes(pem(authority.certificate))
    certificate, key = authority.issue({"name": "oes", "purpose": purpose}, days=days)
    files["cert"].write_bytes(certificate)
    files["key"].write_bytes(key)
    own, own_key = authority.issue({}, days=server_days, name=name)
    (folder / "controller.pem").write_bytes(own_key + own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "controller.pem")
    if not token:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(files["ca"])
    fake = FakeController(files["ca"], files["cert"], files["key"], authority, token=token, context=context)
    with _serve(fake, context, port) as url:
        fake.url = url
        yield fake


@contextmanager
def _serve(fake: FakeController, context: ssl.SSLContext, port: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            peer = self.connection.getpeercert() or {}  # type: ignore[attr-defined]
            units = [v for part in peer.get("subject", ()) for k, v in part if k == "organizationalUnitName"]
            answer = fake.answer(Asked(self.command, self.path, headers, body), units[0] if units else "")
            self.send_response(answer.status)
            for key, value in answer.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            for byte in [answer.body] if not fake.pause else (bytes([one]) for one in answer.body):
                self.wfile.write(byte)
                time.sleep(fake.pause)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            request.settimeout(10)
            with context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
                try:
                    secured.do_handshake()
                except ssl.SSLError:
                    _drain(secured)
                    return
                fake.connections += 1
                super().finish_request(secured, client_address)

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that is refused, or refuses, hangs up; that is what some tests are about."""

    running = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def _drain(connection: ssl.SSLSocket) -> None:
    """Read what the client still sends, so that the alert reaches it before the end of the connection does."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as raw:
        raw.settimeout(2)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65_536):
            pass
