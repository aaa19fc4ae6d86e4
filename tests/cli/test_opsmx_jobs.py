"""What went wrong in the init containers around the scripts of `overlay/test_opsmx_defects.py`, and goes right here.

They cloned, copied and put secrets in; each test is named by the number of the defect that it holds, and whole runs
of the program are driven against real servers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from program import Ran, halgit, tree
from servers.aws import KEYS, aws
from servers.git_http import GitHttpServer, Reply, Request
from servers.http import Asked
from servers.kubernetes_api import Cluster, kubernetes
from servers.repositories import Repository

CONFIG = """\
deploymentConfigurations:
- name: default
  version: 1.36.1
  persistentStorage: {persistentStoreType: s3, s3: {bucket: RELEASE_NAME-data}}
"""
GATE = "default/profiles/gate-local.yml"
FILES = {"config": CONFIG, GATE: "password: encrypted:gate:pw\n", "README.md": "hello\n"}
GIVEN = ("--set", "RELEASE_NAME=isd")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with kubernetes(tmp_path) as running:
        running.secrets = {"spinnaker/gate": {"pw": b"the-password"}}
        yield running


@pytest.fixture
def served(tmp_path: Path) -> Repository:
    """The repository of today, in a folder that a server shows."""
    repository = Repository(tmp_path / "root" / "repo")
    repository.commit(FILES)
    return repository


def render(source: object, out: Path, *options: object, **environment: str) -> Ran:
    return halgit("render", "--repo", source, *GIVEN, "--out", out, "--retries", "0", *options, **environment)


@pytest.mark.parametrize("way", ["directory", "git"])
def test_5_a_wrong_folder_ends_the_run_and_nothing_is_written(
    way: str, served: Repository, cluster: Cluster, tmp_path: Path
) -> None:
    """Every copy failed, and the pod went on to deploy nothing."""
    source = served.folder if way == "directory" else served.url
    ran = render(source, tmp_path / ".hal", "--path", "halyard", KUBECONFIG=cluster.kubeconfig())
    assert ran.code == 3
    assert "halyard" in ran.err
    assert not (tmp_path / ".hal").exists()
    assert cluster.asked == []


@pytest.mark.parametrize("token", ["a/b&c@d e", "t%k:é", "ab+cd==/"])
def test_7_a_token_is_not_told_in_any_spelling(token: str, served: Repository, tmp_path: Path) -> None:
    """The log showed the token as the URL had it, and sed hid what git said."""
    (tmp_path / "token").write_text(token)
    spellings = {token, quote(token, safe=""), quote(token), quote_plus(token)}

    def repeat(request: Request) -> Reply | None:
        return Reply(418, f"no entry for {' '.join(sorted(spellings))}".encode(), {"Content-Type": "text/plain"})

    with GitHttpServer(served.folder.parent, token=token) as server:
        server.rule = repeat
        ran = render(f"{server.url}/repo", tmp_path / ".hal", "--git-token-file", tmp_path / "token")
    assert ran.code == 3
    assert "no entry for ********" in ran.err
    assert not any(spelt in ran.out + ran.err for spelt in spellings)


def test_8_what_a_killed_run_left_does_not_stop_the_next_and_is_removed(served: Repository, tmp_path: Path) -> None:
    """A folder that was left made git refuse to clone, forever. What is left is of this user alone until it goes."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    masked = ("--secrets", "mask")
    with GitHttpServer(served.folder.parent) as server:
        reached, go = threading.Event(), threading.Event()

        def hold(request: Request) -> None:
            reached.set()
            go.wait(60)

        server.rule = hold
        command = ["render", "--repo", f"{server.url}/repo", *GIVEN, *masked, "--out", str(tmp_path / ".hal")]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(scratch)}
        process = subprocess.Popen([sys.executable, "-m", "halgit", *command], env=environment)
        assert reached.wait(60)
        process.kill()
        process.wait()
        go.set()
        (left,) = scratch.iterdir()
        assert left.stat().st_mode & 0o777 == 0o700
        ran = render(f"{server.url}/repo", tmp_path / ".hal", *masked, TMPDIR=str(scratch))
    assert ran.code == 0, ran.err
    assert list(scratch.iterdir()) == []


def test_9_an_empty_variable_is_one_that_is_not_given(served: Repository, tmp_path: Path) -> None:
    """An empty list of git options made a command that git could not read."""
    names = ("REF", "PATH", "OVERLAY", "GIT_USER", "GIT_TOKEN_FILE", "CA_FILE", "SSH_KEY_FILE", "KNOWN_HOSTS_FILE",
             "ALLOW_ENGINE", "ALLOW_NAMESPACE", "DIALECT", "VARIANT", "SET", "PARAMS")  # fmt: skip
    empty = {f"HALGIT_{name}": "" for name in names}
    ran = render(served.url, tmp_path / ".hal", "--secrets", "mask", **empty)
    assert ran.code == 0, ran.err


def test_10_nothing_turns_verification_off() -> None:
    """TLS and host keys were not checked unless somebody asked for it."""
    for command in (("render",), ("accounts", "add"), ("isd", "configure")):
        helped = halgit(*command, "--help").out.lower()
        assert not any(word in helped for word in ("insecure", "no-verify", "skip-tls", "sslverify", "no-check"))


@pytest.mark.parametrize("way", ["directory", "git", "git-folder"])
def test_12_the_repositorys_own_folder_is_never_copied(way: str, served: Repository, tmp_path: Path) -> None:
    """With the root as folder, `.git` and the token in its config came along."""
    options = ("--path", "./") if way == "git-folder" else ()
    source = served.folder if way == "directory" else served.url
    ran = render(source, tmp_path / ".hal", "--secrets", "mask", *options)
    assert ran.code == 0, ran.err
    assert set(tree(tmp_path / ".hal")) == {"config", GATE, ".halgit.json"}


@pytest.mark.parametrize("way", ["directory", "git", "s3"])
def test_32_references_are_resolved_whatever_the_source(
    way: str, served: Repository, cluster: Cluster, tmp_path: Path
) -> None:
    """The decoder did not run for S3 and Bitbucket, and Spinnaker got the markers."""
    login = {"KUBECONFIG": cluster.kubeconfig()}
    if way == "s3":
        with aws() as cloud:
            cloud.bucket("config", {f"hal/{path}": text.encode() for path, text in FILES.items()})
            ran = render("s3://config/hal", tmp_path / ".hal", "--s3-endpoint", cloud.url, **KEYS, **login)
    else:
        ran = render(served.folder if way == "directory" else served.url, tmp_path / ".hal", **login)
    assert ran.code == 0, ran.err
    assert (tmp_path / ".hal" / GATE).read_text() == "password: the-password\n"
    assert "isd-data" in (tmp_path / ".hal/config").read_text()


def test_36_passwords_that_everybody_knows_are_told(served: Repository, tmp_path: Path) -> None:
    """The repository holds the default passwords of its services, and nobody was told."""
    served.commit({GATE: "security:\n  password: changeit\n", "default/service-settings/redis.yml":
                   "overrideBaseUrl: redis://:password@RELEASE_NAME-redis:6379\n"})  # fmt: skip
    ran = halgit("validate", "--repo", served.folder, *GIVEN)
    assert ran.code == 0, ran.err
    told = [line for line in (ran.out + ran.err).splitlines() if "[secrets/" in line]
    assert len(told) == 2
    assert f"{GATE}:2:" in told[1] + told[0]
    assert "redis.yml:1:" in told[1] + told[0]
    assert "changeit" not in "".join(told)


@pytest.mark.parametrize("url", ["https://me:to/ken@host/repo.git", "https://me:token@host/repo.git"])
def test_39_an_address_takes_no_login(url: str, tmp_path: Path) -> None:
    """User and token stood in the clone URL as they were."""
    ran = render(url, tmp_path / ".hal")
    assert ran.code == 2
    assert "me:" not in ran.out + ran.err
    assert "ken@" not in ran.out + ran.err


def test_41_a_render_changes_nothing_in_the_cluster(served: Repository, cluster: Cluster, tmp_path: Path) -> None:
    """The init container applied what the repository held, and wrote Secrets, with the rights to all of them."""
    manifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: gate}\nstringData: {pw: of-the-repository}\n"
    served.commit({"clusterconfig/secret.yaml": manifest, "pipeline-promotion/config.yaml": manifest})
    methods: list[str] = []

    def only_read(asked: Asked) -> None:
        methods.append(asked.method)

    cluster.rule = only_read
    ran = render(served.url, tmp_path / ".hal", KUBECONFIG=cluster.kubeconfig())
    assert ran.code == 0, ran.err
    assert methods == ["GET"]
    assert cluster.made == {}
    assert "clusterconfig/secret.yaml" in ran.out + ran.err
