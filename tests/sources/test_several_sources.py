"""Several sources in one run, through the whole program: side by side, in order, each with its own login, all told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import halgit
from servers.aws import KEYS, Cloud, aws
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Request, Rule, relay

CONFIG = "currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  version: %s\n"
ECHO = "default/profiles/echo-local.yml"
OPTIONS = ("--no-validate", "--retries", "0", "--timeout", "20")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        running.bucket("lower", {"hal/config": (CONFIG % "1.0.0").encode(), f"hal/{ECHO}": b"a: 1\nb: 1\n"})
        running.bucket("upper", {"config": (CONFIG % "2.0.0").encode()})
        yield running


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        running.put("kv", "hal/config", {"content": CONFIG % "3.0.0"})
        running.put("kv", f"hal/{ECHO}", {"content": "b: 3\n"})
        yield running


def test_two_sources_are_fetched_side_by_side_and_layered_in_order(cloud: Cloud, bao: Bao, tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=20)

    def meet(part: str) -> Rule:
        first = threading.Event()

        def rule(request: Request) -> Answer | None:
            if part in request.path and not first.is_set():
                first.set()
                both.wait()
            return None

        return rule

    with relay(cloud.url) as store, relay(bao.url) as vault:
        store.rule, vault.rule = meet("list-type"), meet("lookup-self")
        login = {**KEYS, "VAULT_TOKEN": ROOT_TOKEN, "VAULT_ADDR": vault.url}
        sources = ("--repo", "s3://lower/hal", "--repo", "vault://kv/hal", "--s3-endpoint", store.url)
        ran = halgit("render", *sources, "--out", tmp_path / ".hal", *OPTIONS, **login)
        assert ran.code == 0, ran.err
        assert not both.broken
        assert all("x-vault-token" not in request.headers for request in store.seen)
        assert all("authorization" not in request.headers for request in vault.seen)
    assert "version: '3.0.0'" in (tmp_path / ".hal/config").read_text()
    assert (tmp_path / ".hal" / ECHO).read_text() == "a: 1\nb: 3\n"
    told = json.loads((tmp_path / ".hal/.halgit.json").read_text())["sources"]
    assert [one["url"] for one in told] == ["s3://lower/hal", "vault://kv/hal"]
    assert len({one["revision"] for one in told}) == 2


def test_two_buckets_have_an_endpoint_and_a_profile_each(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "".join(f"[{name}]\naws_access_key_id = key-of-{name}\naws_secret_access_key = s\n" for name in ("one", "two"))
    )
    with relay(cloud.url) as first, relay(cloud.url) as second:
        ran = halgit(
            "render", "--repo", "s3://lower/hal", "--repo", "s3://upper", "--out", tmp_path / ".hal", *OPTIONS,
            "--s3-endpoint", f"lower={first.url}", "--s3-endpoint", f"upper={second.url}",
            "--s3-profile", "lower=one", "--s3-profile", "upper=two",
            AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"), AWS_REGION="us-east-1",
        )  # fmt: skip
        assert ran.code == 0, ran.err
        for server, key in ((first, "key-of-one/"), (second, "key-of-two/")):
            assert server.seen
            assert all(key in request.headers["authorization"] for request in server.seen)
    assert "version: '2.0.0'" in (tmp_path / ".hal/config").read_text()


def test_every_source_that_cannot_be_had_is_told_wrong_names_too(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    lost = ("--repo", "s3://nobodys", "--repo", f"file://{tmp_path}/none")
    given = ("--out", tmp_path / ".hal", "--s3-endpoint", cloud.url, *OPTIONS)
    ran = halgit("render", *lost, *given, **KEYS)
    assert ran.code == 3
    assert "s3://nobodys: bucket nobodys not found." in ran.err
    assert f"file://{tmp_path}/none: " in ran.err
    ran = halgit("render", *lost, "--repo", f"{tmp_path}/repo?ref=main", *given, **KEYS)
    assert ran.code == 2
    assert f"{tmp_path}/repo: a directory has no ref main. Omit --ref, or use a file:// URL." in ran.err
    assert "s3://nobodys: bucket nobodys not found." in ran.err
    assert f"file://{tmp_path}/none: " in ran.err
    one = halgit("render", "--repo", "s3://nobodys", "--repo", f"{tmp_path}/repo?ref=main", *given, **KEYS)
    assert one.code == 2
    assert "s3://nobodys: bucket nobodys not found." in one.err
    assert not (tmp_path / ".hal").exists()
