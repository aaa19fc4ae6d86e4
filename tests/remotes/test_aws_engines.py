"""Secrets out of S3 and AWS Secrets Manager, against moto's server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from servers.aws import Cloud, aws
from servers.relay import Answer, relay

from halgit.errors import NotFoundError, RefusedError, ThrottledError, UntrustedError
from halgit.operator_settings import PerHost
from halgit.pipeline import Reference
from halgit.references import find_references
from halgit.remotes.aws import SecretsManagerEngine
from halgit.remotes.s3_objects import S3Engine


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        running.bucket("plain", {"dir/all.yml": b"a: {b: c}"})
        running.bucket("versioned", {"key": b"old"}, versions=True)
        yield running


@pytest.fixture(autouse=True)
def hang_up(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.hang_up()


def reference(uri: str) -> Reference:
    return find_references("${{ secret('" + uri + "') }}")[0].reference


def test_an_object_is_read_whole_with_its_version(cloud: Cloud) -> None:
    engine = S3Engine(cloud.access())
    held = engine.read(find_references("encrypted:s3!r:us-east-1!b:plain!f:dir/all.yml!k:a.b")[0].reference)
    assert (held.whole, held.keys) == (b"a: {b: c}", None)
    assert re.fullmatch(r"modified:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", held.version), (
        "a digest would give the secret away"
    )
    old = engine.read(reference("s3://versioned/key")).version
    cloud.client("s3").put_object(Bucket="versioned", Key="key", Body=b"new")
    assert engine.read(reference("s3://versioned/key")).whole == b"new"
    assert engine.read(reference(f"s3://versioned/key?version={old}")).whole == b"old"


def test_an_objects_existence_is_asked_by_its_head(cloud: Cloud) -> None:
    with relay(cloud.url) as between:
        engine = S3Engine(cloud.access(between.url))
        assert engine.check(reference("s3://plain/dir/all.yml")).how == "metadata"
        with pytest.raises(NotFoundError, match=r"s3://plain/none: not found"):
            engine.check(reference("s3://plain/none"))
        assert {request.method for request in between.seen} == {"HEAD"}


def test_the_references_region_is_signed_for_and_the_server_stays_the_operators(cloud: Cloud) -> None:
    with relay(cloud.url) as between:
        engine = S3Engine(cloud.access(between.url, s3_region=PerHost("eu-west-1")))
        engine.read(reference("s3://plain/dir/all.yml?region=ap-south-1"))
        engine.read(reference("s3://plain/dir/all.yml"))
        regions = [request.headers["authorization"].split("/")[2] for request in between.seen]
    assert regions == ["ap-south-1", "eu-west-1"]


def test_what_s3_refuses(cloud: Cloud) -> None:
    with pytest.raises(NotFoundError, match=r"s3://plain/none: not found \(NoSuchKey\)\."):
        S3Engine(cloud.access()).read(reference("s3://plain/none"))
    with pytest.raises(RefusedError, match=r"s3://plain/dir/all\.yml: it exceeds 3 bytes\."):
        S3Engine(cloud.access(largest_file=3)).read(reference("s3://plain/dir/all.yml"))
    with pytest.raises(UntrustedError, match=r"The CA file /nowhere\.pem does not exist."):
        S3Engine(cloud.access(ca_file=PerHost("/nowhere.pem"))).read(reference("s3://plain/dir/all.yml"))


def test_a_secret_is_text_or_bytes_and_has_versions_and_stages(cloud: Cloud) -> None:
    manager = cloud.client("secretsmanager")
    first = manager.create_secret(Name="apps/gate", SecretString='{"k": "first"}')["VersionId"]
    second = manager.put_secret_value(SecretId="apps/gate", SecretString='{"k": "second"}')["VersionId"]
    manager.create_secret(Name="binary", SecretBinary=b"\xfe\xed")
    engine = SecretsManagerEngine(cloud.access())
    held = engine.read(find_references("encrypted:secrets-manager!r:us-east-1!s:apps/gate!k:k")[0].reference)
    assert (held.whole, held.version) == (b'{"k": "second"}', second)
    for version in (first, "AWSPREVIOUS"):
        old = engine.read(reference(f"secrets-manager://apps/gate?version={version}&region=us-east-1"))
        assert (old.whole, old.version) == (b'{"k": "first"}', first)
    assert engine.read(reference("secrets-manager://binary")).whole == b"\xfe\xed"


def test_a_secrets_existence_is_asked_by_its_description(cloud: Cloud) -> None:
    manager = cloud.client("secretsmanager")
    manager.create_secret(Name="there", SecretString="x")
    manager.create_secret(Name="leaving", SecretString="x")
    manager.delete_secret(SecretId="leaving")
    engine = SecretsManagerEngine(cloud.access())
    assert engine.check(reference("secrets-manager://there")).how == "metadata"
    with pytest.raises(
        NotFoundError, match=r"secrets-manager://leaving: it is scheduled for deletion\. Restore it or reference"
    ):
        engine.check(reference("secrets-manager://leaving"))
    for ask in (engine.check, engine.read):
        with pytest.raises(NotFoundError, match=r"secrets-manager://none: not found \(ResourceNotFoundException\)"):
            ask(reference("secrets-manager://none"))


def test_a_busy_or_refusing_secrets_manager(cloud: Cloud) -> None:
    with relay(cloud.url) as between:
        engine = SecretsManagerEngine(cloud.access(between.url))
        between.rule = lambda request: Answer(400, b'{"__type": "AccessDeniedException", "message": "quoted"}')
        with pytest.raises(
            RefusedError, match=r"secrets-manager://x: the server refused the request \(AccessDeniedException\)\."
        ) as caught:
            engine.read(reference("secrets-manager://x"))
        assert "quoted" not in str(caught.value)
        between.rule = lambda request: Answer(400, b'{"__type": "ThrottlingException"}')
        with pytest.raises(ThrottledError, match=r"asks to retry later \(ThrottlingException\)\. Retry later\."):
            engine.read(reference("secrets-manager://x"))


def test_no_region_is_named(cloud: Cloud) -> None:
    access = cloud.access(environment={"AWS_REGION": "", "AWS_CONFIG_FILE": "/nowhere"})
    with pytest.raises(RefusedError, match=r"no AWS region is set\. Set AWS_REGION, or --s3-region for S3\."):
        SecretsManagerEngine(access).read(reference("secrets-manager://x"))
