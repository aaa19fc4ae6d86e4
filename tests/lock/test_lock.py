"""`halgit lock` and `render --locked` over real servers: the same bytes later, or a refusal that says what moved."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Ran, halgit, tree
from servers.aws import KEYS, Cloud, aws
from servers.kubernetes_api import kubernetes
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.repositories import Repository

CONFIG = "deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n"
CONFIG += "  persistentStorage: {persistentStoreType: s3, s3: {bucket: b}}\n"
GATE = "default/profiles/gate-local.yml"
VAULT = "a: encrypted:vault!e:kv!p:gate!k:k\n"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        yield running


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        yield running


@pytest.fixture
def hal(tmp_path: Path) -> Path:
    return tmp_path / ".hal"


def layer(folder: Path, gate: str) -> Path:
    (folder / "default/profiles").mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    (folder / GATE).write_text(gate)
    return folder


def locked(hal: Path, *repos: object, **environment: str) -> Ran:
    return halgit("render", *(part for repo in repos for part in ("--repo", repo)), "--locked", "--out", hal,
                  HALGIT_RETRIES="0", **environment)  # fmt: skip


def test_a_secret_that_has_changed_is_read_in_its_old_version(bao: Bao, hal: Path, tmp_path: Path) -> None:
    bao.put("kv", "gate", {"k": "first"})
    repo, login = layer(tmp_path / "repo", VAULT), {"VAULT_ADDR": bao.url, "VAULT_TOKEN": ROOT_TOKEN}
    ran = halgit("lock", "--repo", repo, **login)
    assert (ran.code, ran.out) == (0, f"{repo}/halgit.lock: 1 source, 2 files, 1 secret version.\n"), ran.err
    bao.put("kv", "gate", {"k": "second"})
    ran = locked(hal, repo, **login)
    assert ran.code == 0, ran.err
    assert (hal / GATE).read_text() == "a: first\n"
    halgit("render", "--repo", repo, "--out", hal, **login)
    assert (hal / GATE).read_text() == "a: second\n"


def test_a_version_that_is_destroyed_is_refused_and_the_old_tree_stays(bao: Bao, hal: Path, tmp_path: Path) -> None:
    bao.put("kv", "gone", {"k": "first"})
    repo = layer(tmp_path / "repo", VAULT.replace("gate", "gone"))
    login = {"VAULT_ADDR": bao.url, "VAULT_TOKEN": ROOT_TOKEN}
    assert halgit("lock", "--repo", repo, **login).code == 0
    assert locked(hal, repo, **login).code == 0
    before = tree(hal)
    bao.put("kv", "gone", {"k": "second"})
    bao.call("PUT", "kv/destroy/gone", {"versions": [1]})
    ran = locked(hal, repo, **login)
    assert ran.code == 3
    assert "vault://kv/gone is locked at version 1, which is unavailable: " in ran.err
    assert "Run `halgit lock` to accept the new versions." in ran.err
    assert tree(hal) == before


def test_an_object_of_a_versioned_bucket_is_read_again_and_of_another_refused(
    cloud: Cloud, hal: Path, tmp_path: Path
) -> None:
    cloud.bucket("kept-versions", {"x": b"first"}, versions=True)
    cloud.bucket("no-versions", {"x": b"first"})
    login = {**KEYS, "HALGIT_S3_ENDPOINT": cloud.url}
    kept = layer(tmp_path / "kept", "a: encrypted:s3!r:us-east-1!b:kept-versions!f:x\n")
    lost = layer(tmp_path / "lost", "a: encrypted:s3!r:us-east-1!b:no-versions!f:x\n")
    for repo, bucket in ((kept, "kept-versions"), (lost, "no-versions")):
        assert halgit("lock", "--repo", repo, **login).code == 0
        time.sleep(1.1)  # S3 gives the time of a change in seconds
        cloud.client("s3").put_object(Bucket=bucket, Key="x", Body=b"second")
    assert locked(hal, kept, **login).code == 0
    assert (hal / GATE).read_text() == "a: first\n"
    ran = locked(hal, lost, **login)
    assert ran.code == 3
    assert "s3://no-versions/x?region=us-east-1 is locked at version " in ran.err
    assert "but the server has " in ran.err
    assert (hal / GATE).read_text() == "a: first\n"


def test_a_kubernetes_secret_that_has_changed_is_refused(hal: Path, tmp_path: Path) -> None:
    repo = layer(tmp_path / "repo", "a: encrypted:gate:pw\n")
    with kubernetes(tmp_path) as cluster:
        cluster.secrets["spinnaker/gate"] = {"pw": b"first"}
        login = {"KUBECONFIG": cluster.kubeconfig()}
        assert halgit("lock", "--repo", repo, **login).code == 0
        assert locked(hal, repo, **login).code == 0
        text = (repo / "halgit.lock").read_text()
        (repo / "halgit.lock").write_text(text.replace("revision:42", "revision:41"))
        ran = locked(hal, repo, **login)
    assert ran.code == 3
    assert "k8s://gate is locked at version revision:41, but the server has revision:42." in ran.err


def test_a_branch_that_has_moved_is_fetched_at_the_locked_commit(hal: Path, tmp_path: Path) -> None:
    base = Repository(tmp_path / "base")
    first = base.commit({"config": CONFIG, GATE: "a: first\n"})
    own = tmp_path / "own"
    (own / "default/profiles").mkdir(parents=True)
    (own / "default/profiles/orca-local.yml").write_text("b: 1\n")
    repos = (f"{base.url}?ref=main", own)
    assert halgit("lock", "--repo", repos[0], "--repo", own).code == 0
    assert json.loads((own / "halgit.lock").read_text())["overlays"]["."]["sources"][0]["revision"] == first
    base.commit({GATE: "a: second\n"})
    ran = locked(hal, *repos)
    assert ran.code == 0, ran.err
    assert (hal / GATE).read_text() == "a: first\n"
    assert json.loads((hal / ".halgit.json").read_text())["sources"][0]["revision"] == first


def test_files_that_moved_beside_the_lock_are_named_with_the_commits(hal: Path, tmp_path: Path) -> None:
    repo = Repository(tmp_path / "repo")
    repo.commit({"config": CONFIG, GATE: "a: first\n", "default/profiles/igor-local.yml": "a: 1\n"})
    assert halgit("lock", "--repo", repo.url, "--output", repo.folder / "halgit.lock").code == 0
    kept = repo.commit({})
    assert locked(hal, repo.url).code == 0, "a commit that changes no layer is none that matters"
    (repo.folder / "default/profiles/igor-local.yml").unlink()
    moved = repo.commit({GATE: "a: second\n", "default/profiles/orca-local.yml": "a: 1\n"})
    ran = locked(hal, repo.url)
    assert ran.code == 3
    assert f" and is now at {moved}\n" in ran.err
    assert kept not in ran.err
    for line in (f"{GATE} has changed", "default/profiles/orca-local.yml is new", "igor-local.yml is missing"):
        assert line in ran.err
    assert "Run `halgit lock` to update it." in ran.err
    assert (hal / GATE).read_text() == "a: first\n"


def test_objects_of_a_source_that_moved_are_named(cloud: Cloud, hal: Path, tmp_path: Path) -> None:
    cloud.bucket("layers", {"l/config": CONFIG.encode(), f"l/{GATE}": b"a: first\n"}, versions=True)
    login = {**KEYS, "HALGIT_S3_ENDPOINT": cloud.url}
    assert halgit("lock", "--repo", "s3://layers/l", "--output", tmp_path / "halgit.lock", **login).code == 0
    cloud.client("s3").upload_file(str(tmp_path / "halgit.lock"), "layers", "l/halgit.lock")
    ran = locked(hal, "s3://layers/l", **login)
    assert ran.code == 0, ran.err
    cloud.client("s3").put_object(Bucket="layers", Key=f"l/{GATE}", Body=b"a: second\n")
    ran = locked(hal, "s3://layers/l", **login)
    assert ran.code == 3
    assert f"s3://layers/l//{GATE} has changed" in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No source has a halgit.lock, which --locked reads. Run `halgit lock`."),
        ("{", "halgit.lock is not a lock file written by halgit. Remove it, then run `halgit lock`."),
        ('{"format": 9, "overlays": {}}',
         "halgit.lock has format 9; this version of halgit reads format 1. Remove it, then run `halgit lock`."),
        ('{"format": 1, "overlays": {"prod": {"sources": [], "secrets": {}}}}',
         "halgit.lock has no entry for the root layer. Run `halgit lock` for it."),
        ('{"format": 1, "overlays": {".": {"sources": [], "secrets": {}}}}',
         "halgit.lock was written for 0 sources with another order or path."),
    ],
)  # fmt: skip
def test_a_lock_that_says_nothing_of_this_run_is_refused(
    text: str | None, words: str, hal: Path, tmp_path: Path
) -> None:
    repo = layer(tmp_path / "repo", "a: 1\n")
    if text is not None:
        (repo / "halgit.lock").write_text(text)
    ran = locked(hal, repo)
    assert ran.code == 3
    assert words in ran.err
    assert not hal.exists()


def test_other_overlays_of_the_lock_are_kept_and_the_file_is_not_part_of_the_tree(hal: Path, tmp_path: Path) -> None:
    repo = layer(tmp_path / "base", "a: 1\n").parent
    for name in ("dev", "prod"):
        (repo / "overlays" / name).mkdir(parents=True)
        (repo / "overlays" / name / "halgit.yaml").write_text("bases: [../../base]\n")
        assert halgit("lock", "--repo", repo, "--overlay", name).code == 0
    assert list(json.loads((repo / "halgit.lock").read_text())["overlays"]) == ["dev", "prod"]
    ran = halgit("render", "--repo", repo, "--overlay", "dev", "--locked", "--out", hal)
    assert ran.code == 0, ran.err
    assert "halgit.lock" not in tree(hal)
    assert halgit("lock", "--repo", "s3://bucket/x").code == 2


def test_a_lock_that_cannot_be_read_is_not_written_over(tmp_path: Path) -> None:
    repo = layer(tmp_path / "repo", "a: 1\n")
    (repo / "halgit.lock").write_text("<<<<<<< HEAD\n")
    ran = halgit("lock", "--repo", repo)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        3,
        "halgit: halgit.lock is not a lock file written by halgit. Remove it, then run `halgit lock`.",
    )
    (repo / "halgit.lock").unlink()
    (repo / "halgit.lock").mkdir()
    ran = halgit("lock", "--repo", repo)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        5,
        f"halgit: {repo}/halgit.lock: is a folder, not a file. Name a file.",
    )
