"""What the threads of a run share: every engine, read by 16 threads at once at a switch interval of 1 microsecond.

Each server sets another cookie in every answer, as a load balancer in front of it may: a session that keeps cookies
changes while other threads read it.
"""

from __future__ import annotations

import base64
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servers.aws import aws
from servers.google import google
from servers.http import Asked, Said, server
from servers.kubernetes_api import kubernetes

from halgit.operator_settings import Access, PerHost
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.aws import SecretsManagerEngine
from halgit.remotes.engine import Engine
from halgit.remotes.gcp import GcsEngine, GoogleSecretManagerEngine
from halgit.remotes.kubernetes import KubernetesEngine
from halgit.remotes.s3_objects import S3Engine
from halgit.remotes.vault import VaultEngine

THREADS = 16
READS = 25
CONTENT = b'{"k": "value"}'


@pytest.fixture(autouse=True)
def switch_interval() -> Iterator[None]:
    """Threads that give way after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def with_cookies(answer: Callable[[Asked], Said]) -> Callable[[Asked], Said]:
    """The same answers, each with a cookie of another name and path."""
    number = itertools.count()

    def answer_with_cookie(asked: Asked) -> Said:
        said = answer(asked)
        cookie = f"c{next(number)}=v; Path=/{'x/' * (next(number) % 7)}"
        return Said(said.status, said.body, {**said.headers, "Set-Cookie": cookie})

    return answer_with_cookie


def reference(uri: str) -> Reference:
    return find_references("${{ secret('" + uri + "') }}")[0].reference


def read_at_once(engine: Engine, uris: list[str]) -> None:
    """Read each of the references from every thread; whatever a thread raises fails the test."""
    start = threading.Barrier(THREADS)

    def read(number: int) -> None:
        start.wait()
        for turn in range(READS):
            data = engine.read(reference(uris[(number + turn) % len(uris)]))
            assert data.whole == CONTENT or data.keys in ({"k": "value"}, {"k": b"value"}), data

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, range(THREADS)))


def _vault(asked: Asked) -> Said:
    if "lookup-self" in asked.path:
        return Said(body=b'{"data": {"ttl": 0}}')
    if "ui/mounts" in asked.path:
        return Said(body=b'{"data": {"path": "kv/", "options": {"version": "2"}}}')
    return Said(body=json.dumps({"data": {"data": {"k": "value"}, "metadata": {"version": 1}}}).encode())


def test_vault() -> None:
    with server(with_cookies(_vault)) as url:
        access = Access(environment={"VAULT_TOKEN": "t"}, vault_address=PerHost(url), timeout=60.0)
        read_at_once(VaultEngine(access), [f"vault://kv/s{number}#k" for number in range(5)])


def test_kubernetes(tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "spinnaker"}}
    body = json.dumps({**secret, "data": {"k": base64.b64encode(b"value").decode()}}).encode()
    with kubernetes(tmp_path) as cluster:
        cluster.rule = with_cookies(lambda asked: Said(body=body))
        engine = KubernetesEngine(Access(environment={"KUBECONFIG": cluster.kubeconfig()}, timeout=60.0))
        read_at_once(engine, ["k8s://a#k", "k8s://b#k"])


@pytest.mark.parametrize(
    ("engine", "uri"), [(GcsEngine, "gcs://bucket/object"), (GoogleSecretManagerEngine, "google-secrets-manager://1/s")]
)
def test_google(engine: Callable[[Access], Engine], uri: str, tmp_path: Path) -> None:
    """Each token is renewed a second after it was issued, so that the threads come upon its end again and again."""
    with google(tmp_path) as fake:
        fake.objects, fake.secrets = {"bucket/object": [CONTENT]}, {"1/s": [CONTENT]}
        fake.lifetime = 256
        with server(with_cookies(fake.answer)) as url:
            fake.url = url
            began = time.monotonic()
            read_at_once(engine(fake.access(timeout=60.0)), [uri])
            seconds = time.monotonic() - began
        logins = [asked for asked in fake.asked if asked.path == "/token"]
        assert 2 <= len(logins) <= seconds + 2, "never two at once"


def test_aws() -> None:
    access = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
    with aws() as cloud:
        cloud.bucket("soak", {"object": CONTENT})
        cloud.client("secretsmanager").create_secret(Name="s", SecretString=CONTENT.decode())
        run = Access(
            environment={**access, "AWS_ENDPOINT_URL": cloud.url}, s3_endpoint=PerHost(cloud.url), timeout=60.0
        )
        read_at_once(S3Engine(run), ["s3://soak/object"])
        read_at_once(SecretsManagerEngine(run), ["secrets-manager://s"])
