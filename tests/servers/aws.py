"""Moto's server on loopback as S3, Secrets Manager and KMS, and a client of it for setting up."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from servers.ports import free_port

from halgit.operator_settings import Access, PerHost

KEYS = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1"}


@dataclass
class Cloud:
    """The running server."""

    url: str
    clients: dict[str, Any] = field(default_factory=dict)
    opened: list[Access] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """A client that may do anything."""
        import boto3

        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name="us-east-1",
                aws_access_key_id="test-key", aws_secret_access_key="test-secret",
            )  # fmt: skip
        return self.clients[service]

    def bucket(self, name: str, files: dict[str, bytes], *, versions: bool = False) -> None:
        """A bucket with these objects."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=name)
        if versions:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for key, body in files.items():
            s3.put_object(Bucket=name, Key=key, Body=body)

    def fill(self, name: str, files: dict[str, bytes]) -> None:
        """Many objects at once, put into moto's own memory: by requests a thousand take a quarter of a minute."""
        from moto.s3.models import s3_backends

        for key, body in files.items():
            s3_backends["123456789012"]["aws"].put_object(name, key, body)

    def kms_key(self, id: str, material: bytes, region: str = "us-east-1") -> str:
        """A key of KMS with a fixed id and material, so that what it encrypted once can be decrypted; its ARN."""
        from moto.kms.models import kms_backends

        backend = kms_backends["123456789012"][region]
        key = backend.create_key("", "ENCRYPT_DECRYPT", "", "", None)
        del backend.keys[key.id]
        key.id, key.key_material = id, material
        key.arn = f"arn:aws:kms:{region}:123456789012:key/{id}"
        backend.keys[id] = key
        arn: str = key.arn
        return arn

    def access(self, url: str = "", **options: Any) -> Access:
        """Operator settings for this server, or for what stands before it."""
        url = url or self.url
        services = dict.fromkeys(("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_KMS"), url)
        environment = {**KEYS, **services, **options.pop("environment", {})}
        settings = {"s3_endpoint": PerHost(url), "timeout": 5.0, "retries": 1, "environment": environment, **options}
        self.opened.append(Access(**settings))
        return self.opened[-1]

    def hang_up(self) -> None:
        """Close what tests opened."""
        while self.opened:
            self.opened.pop().cache.close()


@contextlib.contextmanager
def aws() -> Iterator[Cloud]:
    """A server for the length of a with block."""
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = _atomic(ThreadedMotoServer)("127.0.0.1", port, verbose=False)
    with contextlib.redirect_stderr(io.StringIO()):
        server.start()
        cloud = Cloud(f"http://127.0.0.1:{port}")
        try:
            yield cloud
        finally:
            cloud.hang_up()
            for client in cloud.clients.values():
                client.close()
            server.stop()


def _atomic(threaded: type[Any]) -> type[Any]:
    """Moto's server with one request at a time: it checks a condition and writes in two steps, and S3 in one."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.server import MotoRequestHandler
    from werkzeug.serving import make_server

    class Server(threaded):  # type: ignore[misc,valid-type]
        def _server_entry(self) -> None:
            app, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

            def one_at_a_time(environ: Any, start: Any) -> Any:
                with lock:
                    return app(environ, start)

            self._server = make_server(
                self._ip_address, self._port, one_at_a_time, True, request_handler=MotoRequestHandler
            )
            self._server_ready_event.set()
            self._server.serve_forever()

    return Server
