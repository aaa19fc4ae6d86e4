"""Logins to AWS, against moto's server: keys, profiles, web identity, a container's; and nothing that was not given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.aws import KEYS, Cloud, aws
from servers.relay import Answer, relay

from halgit.errors import RefusedError
from halgit.operator_settings import Access, PerHost, RunCache, SourceSpec
from halgit.record import replace
from halgit.remotes.s3 import open_s3

OPENED: list[Access] = []


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        running.bucket("logins", {"config": b"x"})
        yield running


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().cache.close()


def opened(**options: object) -> Access:
    OPENED.append(Access(**{"timeout": 5.0, "retries": 0, **options}))  # type: ignore[arg-type]
    return OPENED[-1]


def nothing(folder: Path) -> dict[str, str]:
    """An environment whose AWS files are not there."""
    return {"AWS_CONFIG_FILE": str(folder / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none")}


def test_without_a_login_it_says_so_at_once_and_asks_no_metadata_service(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    with relay(cloud.url) as metadata:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
        access = opened(s3_endpoint=PerHost(cloud.url), environment=nothing(tmp_path))
        with pytest.raises(
            RefusedError, match=r"no AWS credentials found\. Give AWS_ACCESS_KEY_ID .*--instance-credentials"
        ):
            open_s3(SourceSpec("s3://logins"), access)
        assert metadata.seen == []
        asking = opened(s3_endpoint=PerHost(cloud.url), environment=nothing(tmp_path), instance_credentials=True)
        assert open_s3(SourceSpec("s3://logins"), asking).paths != set()
        assert metadata.count("/latest/meta-data/iam/") == 2


def test_profiles_of_the_operators_file_are_used(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[hal]\naws_access_key_id = profile-key\naws_secret_access_key = s\n")
    cloud.bucket("profiled", {"config": b"x"})
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), "AWS_PROFILE": "hal"}
    with relay(cloud.url) as between:
        access = opened(s3_endpoint=PerHost(between.url), s3_region=PerHost("eu-west-1"), environment=environment)
        assert open_s3(SourceSpec("s3://profiled"), access).paths == {"config"}
        assert "profile-key/" in between.seen[0].headers["authorization"]
        assert "/eu-west-1/s3/" in between.seen[0].headers["authorization"]
        missing = opened(s3_endpoint=PerHost(between.url), environment={**environment, "AWS_PROFILE": "other"})
        with pytest.raises(RefusedError, match=r"the AWS profile or its file is not readable\. Check AWS_PROFILE"):
            open_s3(SourceSpec("s3://profiled"), missing)


def test_web_identity_is_exchanged_for_a_login(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("jwt-of-the-service-account")
    identity = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/hal", "AWS_REGION": "eu-west-1",
    }  # fmt: skip
    cloud.bucket("irsa", {"config": b"x"})
    with relay(cloud.url) as between:
        environment = {**identity, "AWS_ENDPOINT_URL_STS": between.url, "AWS_ROLE_SESSION_NAME": "of-hal"}
        access = opened(s3_endpoint=PerHost(between.url), environment=environment)
        assert open_s3(SourceSpec("s3://irsa"), access).paths == {"config"}
        assert between.count("", "POST") == 1


def test_a_containers_login_is_asked_for_where_the_environment_says(cloud: Cloud, tmp_path: Path) -> None:
    login = (
        b'{"AccessKeyId": "container-key", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}'
    )
    cloud.bucket("contained", {"config": b"x"})
    with relay(cloud.url) as between:
        between.rule = lambda request: Answer(200, login) if request.path == "/login" else None
        given = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{between.url}/login", "AWS_REGION": "us-east-1"}
        access = opened(s3_endpoint=PerHost(between.url), environment={**given, **nothing(tmp_path)})
        assert open_s3(SourceSpec("s3://contained"), access).paths == {"config"}
        assert "container-key/" in between.seen[-1].headers["authorization"]


def test_a_login_of_the_process_is_none_of_the_operators(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("jwt")
    with relay(cloud.url) as between:
        process = {
            **KEYS, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/hal",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{between.url}/login", "AWS_ENDPOINT_URL_STS": between.url,
            "HTTP_PROXY": between.url, "http_proxy": between.url,
        }  # fmt: skip
        for name, value in process.items():
            monkeypatch.setenv(name, value)
        access = opened(s3_endpoint=PerHost(cloud.url), environment={"AWS_REGION": "us-east-1", **nothing(tmp_path)})
        with pytest.raises(RefusedError, match=r"s3://logins: no AWS credentials found\."):
            open_s3(SourceSpec("s3://logins"), access)
        keyed = opened(s3_endpoint=PerHost(cloud.url), environment={**KEYS, **nothing(tmp_path)})
        assert open_s3(SourceSpec("s3://logins"), keyed).paths == {"config"}
        assert between.seen == []


def test_two_buckets_take_two_logins(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "".join(f"[{name}]\naws_access_key_id = key-of-{name}\naws_secret_access_key = s\n" for name in ("one", "two"))
    )
    cloud.bucket("first", {"config": b"x"})
    cloud.bucket("second", {"config": b"x"})
    with relay(cloud.url) as between:
        access = opened(
            s3_endpoint=PerHost(between.url),
            s3_profile=PerHost("one", {"second": "two"}),
            environment={**KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")},
        )
        for bucket in ("first", "second", "first"):
            open_s3(SourceSpec(f"s3://{bucket}"), access)
        keys = [request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in between.seen]
        assert keys == ["key-of-one", "key-of-two", "key-of-one"]
        missing = replace(access, s3_profile=PerHost("three"), cache=RunCache())
        with pytest.raises(
            RefusedError, match=r"profile or its file is not readable\. Check AWS_PROFILE and --s3-profile\."
        ):
            open_s3(SourceSpec("s3://first"), missing)


@pytest.mark.parametrize("line", ["s3 =", "s3 = path"])
def test_a_profile_with_an_empty_s3_is_told(cloud: Cloud, tmp_path: Path, line: str) -> None:
    (tmp_path / "config").write_text(f"[default]\nregion = us-east-1\n{line}\n")
    for login in (KEYS, {}):
        access = opened(
            s3_endpoint=PerHost(cloud.url), environment={**login, "AWS_CONFIG_FILE": str(tmp_path / "config")}
        )
        with pytest.raises(RefusedError) as caught:
            open_s3(SourceSpec("s3://logins"), access)
        assert str(caught.value) == (
            "The AWS profile default has an s3 = line without settings. "
            "Remove it, or indent settings such as addressing_style = path below it."
        )
