"""A fake of the calls that Google's libraries make: a login, an object and its content, a secret's version."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from servers.http import Asked, Said, server

from halgit.operator_settings import Access


@dataclass
class Google:
    """The running fake. `objects` by `bucket/name`, `secrets` by `project/name`, each a list of versions.

    Tokens end after `lifetime` seconds.
    """

    folder: Path
    objects: dict[str, list[bytes]] = field(default_factory=dict)
    secrets: dict[str, list[bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    rule: Callable[[Asked], Said | None] = lambda asked: None
    url: str = ""
    lifetime: int = 3600

    def access(self, **options: object) -> Access:
        """Operator settings with a service account's key for this fake."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        account = {
            "type": "service_account", "client_email": "hal@p.iam.gserviceaccount.com", "private_key_id": "1",
            "private_key": pem.decode(), "token_uri": f"{self.url}/token", "project_id": "p",
        }  # fmt: skip
        (self.folder / "account.json").write_text(json.dumps(account))
        environment = {
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.folder / "account.json"),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": self.url,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": self.url + "/",
        }
        settings = {"environment": environment, "timeout": 5.0, "retries": 1, **options}
        return Access(**settings)  # type: ignore[arg-type]

    def answer(self, asked: Asked) -> Said:
        """What Google's servers say."""
        self.asked.append(asked)
        if asked.path == "/token":
            token = {"access_token": "google-token", "expires_in": self.lifetime, "token_type": "Bearer"}
            return Said(body=json.dumps(token).encode())
        ruled = self.rule(asked)
        if ruled is not None:
            return ruled
        if asked.headers.get("authorization") != "Bearer google-token":
            return _error(401)
        parts = [unquote(part) for part in urlsplit(asked.path).path.split("/")]
        return self._secret(parts) if "secrets" in parts else self._object(parts, urlsplit(asked.path).query)

    def _object(self, parts: list[str], query: str) -> Said:
        versions = self.objects.get(f"{parts[-3]}/{parts[-1]}", [])
        wanted = next((int(p[11:]) for p in query.split("&") if p.startswith("generation=")), len(versions))
        if not 0 < wanted <= len(versions):
            return _error(404)
        content = versions[wanted - 1]
        md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        if "alt=media" in query:
            headers = {"Content-Type": "application/octet-stream", "X-Goog-Hash": f"md5={md5}"}
            return Said(200, content, headers)
        return Said(body=json.dumps({"generation": str(wanted), "size": str(len(content)), "md5Hash": md5}).encode())

    def _secret(self, parts: list[str]) -> Said:
        project, name, version = parts[3], parts[5], parts[7]
        version, _, access = version.partition(":")
        versions = self.secrets.get(f"{project}/{name}", [])
        number = len(versions) if version == "latest" else int(version)
        if not 0 < number <= len(versions):
            return _error(404)
        full = f"projects/{project}/secrets/{name}/versions/{number}"
        if not access:
            return Said(body=json.dumps({"name": full, "state": "ENABLED"}).encode())
        data = base64.b64encode(versions[number - 1]).decode()
        return Said(body=json.dumps({"name": full, "payload": {"data": data}}).encode())


def _error(code: int) -> Said:
    return Said(code, json.dumps({"error": {"code": code, "message": "no"}}).encode())


@contextmanager
def google(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[Google]:
    """The fake for the length of a with block."""
    fake = Google(folder)
    with server(fake.answer, tls) as url:
        fake.url = url
        yield fake
