"""Accounts written to real stores: git over http, S3, Vault; and what happens when several write at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.aws import Cloud, aws
from servers.git_http import GitHttpServer
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.repositories import Repository

from halgit.accounts.edit import Change
from halgit.accounts.stores import Store, store
from halgit.accounts.writer import Writer
from halgit.errors import AccountError, ConflictError, RefusedError, UsageError
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.remotes.git.push import Signing

FILE = "accounts/clouddriver-local.yml"
START = "# ours\nkubernetes:\n  accounts:\n  - name: first   # of all\n"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        yield running


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        running.mount("old", 1)
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "accounts.git")
    made.commit({FILE: START, "README": "hello\n"})
    made.git("checkout", "--quiet", "--detach")
    return made


def git(url: str, access: Access = Access(timeout=20), **options: Any) -> Store:  # noqa: B008 - frozen
    return store(SourceSpec(url, "main"), access, "accounts/", **options)


def writer(place: Store, **options: Any) -> Writer:
    return Writer(place, sleep=lambda seconds: None, **options)


def add(name: str, **fields: Any) -> Change:
    return Change("add", "kubernetes", name, fields)


def names(place: Store) -> list[str]:
    return [entry.name for entry in Writer(place).entries()]


# --- git --------------------------------------------------------------------------------------------------------


def test_one_change_is_one_commit_with_its_kubeconfig_and_comments_stay(repository: Repository) -> None:
    place = git(repository.url)
    served = "configserver:kubeconfigs/a-1"
    done = writer(place).change(add("a", kubeconfigFile=served), {"kubeconfigs/a-1": b"one"})
    assert done.files == ("kubeconfigs/a-1", "clouddriver-local.yml")
    assert repository.git("rev-parse", "main") == done.revision
    assert repository.git("log", "--format=%s|%an|%ae", "main").splitlines() == [
        "Add kubernetes account a|halgit|halgit@localhost.localdomain", "A change|Somebody|somebody@example.com",
    ]  # fmt: skip
    assert repository.git("show", f"main:{FILE}") == START + f"  - name: a\n    kubeconfigFile: {served}"
    assert repository.git("show", "main:README") == "hello"
    update = Change("update", "", "a", {"kubeconfigFile": "configserver:kubeconfigs/a-2"})
    assert writer(place).change(update, {"kubeconfigs/a-2": b"two"}).files == (
        "kubeconfigs/a-2", "clouddriver-local.yml", "kubeconfigs/a-1",
    )  # fmt: skip
    assert writer(place).change(Change("remove", "", "a")).files == ("clouddriver-local.yml", "kubeconfigs/a-2")
    assert repository.git("show", f"main:{FILE}") + "\n" == START
    assert repository.git("ls-tree", "-r", "--name-only", "main").splitlines() == ["README", FILE]


def test_a_change_that_is_there_already_makes_no_commit(repository: Repository) -> None:
    before = repository.git("rev-parse", "main")
    done = writer(git(repository.url)).change(Change("update", "", "first", {}))
    assert (done.files, done.revision, repository.git("rev-parse", "main")) == ((), "", before)
    done = writer(git(repository.url), dry=True).change(add("a"))
    assert (done.files, done.revision, repository.git("rev-parse", "main")) == (("clouddriver-local.yml",), "", before)


def test_a_push_over_http_needs_the_token_and_says_so(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "http.receivepack", "true")
    (tmp_path / "token").write_text("the-token\n")
    (tmp_path / "other").write_text("another-token\n")
    with GitHttpServer(tmp_path, token="the-token") as server:
        url = f"{server.url}/accounts.git"
        good = Access(git_token_file=PerHost(str(tmp_path / "token")), timeout=20)
        assert writer(git(url, good)).change(add("a")).revision == repository.git("rev-parse", "main")
        bad = Access(git_token_file=PerHost(str(tmp_path / "other")), timeout=20)
        with pytest.raises(RefusedError, match="refuses the login"):
            writer(git(url, bad)).change(add("b"))
        assert all("token" not in request.path for request in server.seen)


def test_a_server_that_takes_no_push_is_told_with_its_words(repository: Repository) -> None:
    hook = repository.folder / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RefusedError) as caught:
        writer(git(repository.url)).change(add("a"))
    assert "the server takes no push to main: remote: main is protected" in caught.value.message
    assert caught.value.hint == "Grant the login push permission, or use --pull-request-branch."
    assert names(git(repository.url)) == ["first"]


def test_a_branch_for_a_pull_request_is_new_and_leaves_the_other_alone(repository: Repository) -> None:
    before = repository.git("rev-parse", "main")
    done = writer(git(repository.url, onto="accounts/a")).change(add("a"))
    assert repository.git("rev-parse", "main") == before
    assert repository.git("rev-parse", "accounts/a") == done.revision
    with pytest.raises(UsageError, match="the branch accounts/a is there already"):
        writer(git(repository.url, onto="accounts/a")).change(add("b"))


def test_a_commit_can_be_signed_with_an_ssh_key(repository: Repository, tmp_path: Path) -> None:
    import subprocess

    import needs

    needs.program("ssh-keygen", "openssh-client")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signing = Signing("Ann Other <ann@example.com>", str(key))
    done = writer(git(repository.url, signing=signing)).change(add("a"))
    allowed = tmp_path / "allowed"
    allowed.write_text("ann@example.com " + key.with_suffix(".pub").read_text())
    repository.git("-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", done.revision)
    assert repository.git("log", "-1", "--format=%an <%ae>", "main") == "Ann Other <ann@example.com>"
    with pytest.raises(UsageError, match="does not sign"):
        writer(git(repository.url, signing=Signing(key_file=str(allowed)))).change(add("b"))
    with pytest.raises(UsageError, match="--author is not a name with an e-mail address"):
        writer(git(repository.url, signing=Signing("Ann"))).change(add("b"))


def test_a_tag_is_no_place_to_commit_to(repository: Repository) -> None:
    repository.git("tag", "v1", "main")
    with pytest.raises(UsageError, match="--ref v1 is no branch"):
        Writer(store(SourceSpec(repository.url, "v1"), Access(), "accounts/")).entries()


# --- S3 ---------------------------------------------------------------------------------------------------------


def test_s3_objects_are_written_over_what_was_read_only(cloud: Cloud) -> None:
    cloud.bucket("accounts", {FILE: START.encode()})
    place = store(SourceSpec("s3://accounts"), cloud.access(), "accounts/")
    done = writer(place).change(add("a", kubeconfigFile="configserver:kubeconfigs/a-1"), {"kubeconfigs/a-1": b"one"})
    assert done.revision
    assert names(place) == ["first", "a"]
    copy = place.open()
    copy.read("clouddriver-local.yml")
    writer(place).change(add("b"))
    with pytest.raises(ConflictError):
        copy.write({"clouddriver-local.yml": b"{}"}, "lost")
    writer(place).change(Change("remove", "", "a"))
    keys = [each["Key"] for each in cloud.client("s3").list_objects_v2(Bucket="accounts")["Contents"]]
    assert keys == [FILE]
    assert names(place) == ["first", "b"]


def test_the_first_account_in_s3_makes_the_file_unless_another_did(cloud: Cloud) -> None:
    cloud.bucket("fresh", {})
    place = store(SourceSpec("s3://fresh/spinnaker"), cloud.access(), "")
    copy = place.open()
    assert copy.read("clouddriver-local.yml") is None
    writer(place).change(add("a"))
    with pytest.raises(ConflictError):
        copy.write({"clouddriver-local.yml": b"{}"}, "lost")
    assert names(place) == ["a"]


# --- Vault ------------------------------------------------------------------------------------------------------


def vault(bao: Bao, url: str) -> Store:
    access = Access(vault_address=PerHost(bao.url), environment={"VAULT_TOKEN": ROOT_TOKEN}, timeout=10, retries=1)
    return store(SourceSpec(url), access, "")


def test_vault_holds_the_accounts_as_the_secret_clouddriver_looks_for(bao: Bao) -> None:
    place = vault(bao, "vault://kv/spinnaker")
    assert names(place) == []
    assert writer(place).change(add("a", namespaces=["x"])).revision == "1"
    copy = place.open()
    copy.read("clouddriver-local.yml")
    assert writer(place).change(add("b")).revision == "2"
    answer = bao.call("GET", "kv/data/spinnaker/clouddriver,local")
    accounts = [{"name": "a", "namespaces": ["x"]}, {"name": "b"}]
    assert answer["data"]["data"] == {"kubernetes": {"accounts": accounts}}
    with pytest.raises(ConflictError):
        copy.write({"clouddriver-local.yml": b"{}"}, "lost")


def test_a_vault_mount_without_versions_is_refused(bao: Bao) -> None:
    bao.put("old", "spinnaker/clouddriver,local", {"kubernetes": {}}, version=1)
    with pytest.raises(UsageError) as caught:
        names(vault(bao, "vault://old/spinnaker"))
    assert str(caught.value) == (
        "The Vault mount old is KV 1, which cannot detect concurrent writes. Use a KV 2 mount."
    )


# --- writers beside each other ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["git", "s3", "vault"])
def test_writers_at_once_lose_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    def place() -> Store:
        if kind == "git":
            return git(request.getfixturevalue("repository").url)
        if kind == "s3":
            return store(SourceSpec("s3://crowd"), request.getfixturevalue("cloud").access(), "")
        return vault(request.getfixturevalue("bao"), "vault://kv/crowd")

    if kind == "s3":
        request.getfixturevalue("cloud").bucket("crowd", {})
    wanted = [f"account-{number}" for number in range(5)]
    places = [place() for _ in wanted]
    failed: list[BaseException] = []

    def work(name: str, store: Store) -> None:
        try:
            Writer(store).change(add(name))
        except BaseException as reason:  # noqa: BLE001 - shown below
            failed.append(reason)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(wanted, places, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(set(names(place())) - {"first"}) == wanted
    if kind == "git":
        log = request.getfixturevalue("repository").git("log", "--format=%s", "main").splitlines()
        assert sorted(log[:-1]) == [f"Add kubernetes account {name}" for name in wanted]


class Beaten:
    """A copy whose every write another writer beats."""

    revision = ""

    def read(self, path: str) -> bytes | None:
        return None

    def write(self, changes: Any, message: str) -> str:
        raise ConflictError("Somebody else was first.")

    def close(self) -> None:
        pass


def test_a_writer_that_is_always_beaten_gives_up_with_words() -> None:
    told: list[str] = []
    place = Store("https://git.example.com/accounts", "", True, Beaten)
    with pytest.raises(AccountError) as caught:
        Writer(place, progress=told.append, sleep=lambda seconds: None).change(add("a"))
    assert str(caught.value) == (
        "https://git.example.com/accounts: other writers were first 8 times. Run again when fewer write."
    )
    assert told[0] == "Somebody else was first. Trying again (1 of 8)"


REFUSED = {
    ".": "--repo . is a directory; accounts are kept in git, S3 or Vault. Give its URL: file:///path.",
    "s3://bucket?": "--ref, --pull-request-branch and --signing-key-file go with git. Leave them out.",
}


@pytest.mark.parametrize("url", REFUSED)
def test_stores_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        store(SourceSpec(url.rstrip("?"), "main"), Access(), "accounts/")
    assert str(caught.value) == REFUSED[url]
