"""One repository, the same bytes from a directory, from git over file://, http and ssh, from S3 and from Vault."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import SAMPLE, halgit, tree
from servers.aws import KEYS, Cloud, aws
from servers.git_http import GitHttpServer
from servers.git_ssh import GitSshServer
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import relay
from servers.repositories import Repository

TOKEN = "canary-token-5d2e"


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, pushed to a bare repository."""
    folder = tmp_path_factory.mktemp("served")
    work = Repository(folder / "work")
    shutil.copytree(SAMPLE, work.folder, dirs_exist_ok=True)
    work.commit({})
    work.git("clone", "--quiet", "--bare", ".", str(folder / "root" / "sample.git"))
    return folder / "root"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return render(tmp_path_factory.mktemp("directory"), str(SAMPLE))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """The sample below a prefix of an S3 bucket."""
    with aws() as running:
        running.bucket("config", {f"team/hal/{path}": text for path, text in tree(SAMPLE).items()})
        yield running


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """The sample in Vault: in KV 2 a secret for each file, in KV 1 one for each folder; and secrets for references."""
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv1", 1)
        running.mount("team/kv", 2)
        folders: dict[str, dict[str, object]] = {}
        for path, content in tree(SAMPLE).items():
            running.put("team/kv", f"hal/{path}", {"content": content.decode()})
            folder, _, name = f"hal/{path}".rpartition("/")
            folders.setdefault(folder, {})[name] = content.decode()
        for folder, files in folders.items():
            running.put("kv1", folder, files, 1)
        for number in range(50):
            running.put("secret", f"apps/{number}", {f"k{key}": f"value-{number}-{key}" for key in range(20)})
        running.call("POST", "sys/auth/userpass", {"type": "userpass"})
        reads = {"secret/data/apps/*": ["read"], "team/kv/data/*": ["read"], "team/kv/metadata/*": ["list"]}
        running.policy("hal", reads)
        running.call("POST", "auth/userpass/users/hal", {"password": "pw-of-hal", "token_policies": ["hal"]})
        yield running


def render(folder: Path, source: str, *options: object, **environment: str) -> dict[str, bytes]:
    """The tree of prod from a source, without what names the source."""
    out = folder / ".hal"
    ran = halgit(
        "render", "--repo", source, "--overlay", "prod", "--secrets", "mask", "--out", out, *options, **environment
    )
    assert ran.code == 0, ran.err
    assert TOKEN not in ran.out + ran.err
    files = tree(out)
    assert all(TOKEN.encode() not in text for text in files.values())
    files.pop(".halgit.json")
    return files


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


def test_over_file(pushed: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    assert render(tmp_path, f"file://{pushed}/sample.git") == expected


def test_over_http_with_a_token(pushed: Path, expected: dict[str, bytes], tmp_path: Path, token: Path) -> None:
    with GitHttpServer(pushed, token=TOKEN) as server:
        url = f"{server.url}/sample.git"
        assert render(tmp_path, url, "--git-token-file", token) == expected
        again = halgit("render", "--repo", url, "--overlay", "prod", "--out", tmp_path / "none", "--secrets", "mask")
        assert again.code == 3
        assert not (tmp_path / "none").exists()


def test_over_ssh_with_a_key(pushed: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    with GitSshServer(pushed, tmp_path / "keys") as server:
        url = f"ssh://git@{server.server}/sample.git"
        options = ("--ssh-key-file", server.key, "--known-hosts-file", server.known_hosts)
        assert render(tmp_path, url, *options) == expected


def test_from_s3(cloud: Cloud, expected: dict[str, bytes], tmp_path: Path) -> None:
    assert render(tmp_path / "prefix", "s3://config/team/hal", "--s3-endpoint", cloud.url, **KEYS) == expected
    assert render(tmp_path / "path", "s3://config/team?path=hal", AWS_ENDPOINT_URL_S3=cloud.url, **KEYS) == expected


@pytest.mark.parametrize("url", ["vault://team/kv/hal", "vault://kv1/hal"])
def test_from_vault(bao: Bao, expected: dict[str, bytes], tmp_path: Path, url: str) -> None:
    assert render(tmp_path / "token", url, VAULT_ADDR=bao.url, VAULT_TOKEN=ROOT_TOKEN) == expected


def test_from_vault_by_a_user_who_may_read_and_list_only(bao: Bao, expected: dict[str, bytes], tmp_path: Path) -> None:
    options = ("--vault-address", bao.url, "--vault-auth", "userpass", "--vault-role", "hal")
    assert render(tmp_path, "vault://team/kv/hal", *options, VAULT_PASSWORD="pw-of-hal") == expected


def test_git_s3_and_vault_in_one_run_each_with_its_own_login_and_revision(
    pushed: Path, cloud: Cloud, bao: Bao, tmp_path: Path, token: Path
) -> None:
    cloud.bucket("over", {"hal/overlays/prod/default/profiles/fiat-local.yml": b"layer: s3\nkept: s3\n"})
    bao.put("team/kv", "top/overlays/prod/default/profiles", {"fiat-local.yml": "layer: vault\n"})
    elsewhere = tmp_path / "token-of-another-host"
    elsewhere.write_text("not-for-this-host")
    with GitHttpServer(pushed, token=TOKEN) as server:
        ran = halgit(
            "render", "--repo", f"{server.url}/sample.git?ref=main", "--repo", "s3://over?path=hal",
            "--repo", "vault://team/kv/top", "--overlay", "prod", "--secrets", "mask", "--out", tmp_path / ".hal",
            "--git-token-file", f"127.0.0.1={token}", "--git-token-file", elsewhere,
            "--s3-endpoint", "over=" + cloud.url, "--s3-endpoint", "http://127.0.0.1:9",
            "--vault-address", bao.url, "--vault-auth", "127.0.0.1=userpass", "--vault-role", "127.0.0.1=hal",
            VAULT_PASSWORD="pw-of-hal", **KEYS,
        )  # fmt: skip
    assert ran.code == 0, ran.err
    files = tree(tmp_path / ".hal")
    assert files["default/profiles/fiat-local.yml"] == b"layer: vault\nkept: s3\n"
    told = json.loads(files[".halgit.json"])["sources"]
    assert [each["url"].rpartition("/")[2] for each in told] == ["sample.git", "over", "top"]
    assert [len(each["revision"]) for each in told] == [40, 64, 64]


def test_all_sources_that_cannot_be_had_are_told_in_one_run(cloud: Cloud, bao: Bao, tmp_path: Path) -> None:
    ran = halgit(
        "render", "--repo", "s3://absent", "--repo", "vault://team/kv/absent", "--repo", str(tmp_path / "absent"),
        "--out", tmp_path / ".hal", "--s3-endpoint", cloud.url, "--vault-address", bao.url,
        VAULT_TOKEN=ROOT_TOKEN, **KEYS,
    )  # fmt: skip
    assert ran.code == 3
    assert "s3://absent: bucket absent not found. Check --repo and the region." in ran.err
    assert "vault://team/kv/absent: no secret at or below team/kv/absent. Check --repo and --path." in ran.err
    assert f"{tmp_path}/absent" in ran.err
    assert not (tmp_path / ".hal").exists()


def test_a_thousand_references_over_fifty_paths_cost_fifty_reads_and_one_login(bao: Bao, tmp_path: Path) -> None:
    source = tmp_path / "repo"
    (source / "default/profiles").mkdir(parents=True)
    (source / "config").write_text(
        "currentDeployment: default\ndeploymentConfigurations: [{name: default, version: 1.36.1}]\n"
    )
    lines = [f"a{n}: encrypted:vault!e:secret!p:apps/{n % 50}!k:k{n // 50}\n" for n in range(1000)]
    (source / "default/profiles/echo-local.yml").write_text("".join(lines))
    with relay(bao.url) as between:
        options = ("--no-validate", "--vault-address", between.url, "--vault-auth", "userpass", "--vault-role", "hal")
        ran = halgit("render", "--repo", source, "--out", tmp_path / ".hal", *options, VAULT_PASSWORD="pw-of-hal")
        assert ran.code == 0, ran.err
        assert between.count("/login/") == 1
        assert between.count("/v1/secret/data/") == 50
        assert len(between.seen) == 52
    text = (tmp_path / ".hal/default/profiles/echo-local.yml").read_text().replace('"', "")
    assert text == "".join(f"a{n}: value-{n % 50}-{n // 50}\n" for n in range(1000))
    assert "value-" not in ran.out + ran.err
