"""Accounts written to real stores: git over http, S3, Vault; and what happens when several write at once."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from servers.aws import KEYS, Cloud
from servers.git_http import GitHttpServer
from servers.http import Asked as Call
from servers.http import Said, server
from servers.minio import minio
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Request as Asked
from servers.relay import relay
from servers.repositories import Repository

from halgit.accounts import writer as writers
from halgit.accounts.changes import Change
from halgit.accounts.cipher import Cipher
from halgit.accounts.requests import KeyReusedError, Request, Written
from halgit.accounts.stores import Session, Store, open_store
from halgit.accounts.writer import BusyError
from halgit.errors import AccountError, ConflictError, RefusedError, UntrustedError, UsageError
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.redaction import Secret
from halgit.remotes.git.push import Signing

FILE = "accounts/clouddriver-local.yml"
ONE, TWO = (
    b"clusters: [{name: c, cluster: {server: 'https://x'}}]\nusers: [{name: u, user: {token: " + token + b"}}]\n"
    b"contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
    for token in (b"one", b"two")
)
START = "# ours\nkubernetes:\n  accounts:\n  - name: first   # of all\n    serviceAccount: true\n"


class Writer(writers.Writer):
    """A writer that is closed when its test ends."""

    opened: ClassVar[list[Writer]] = []

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.opened.append(self)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while Writer.opened:
        Writer.opened.pop().close()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with minio(tmp_path_factory.mktemp("minio")) as running:
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
    return open_store(SourceSpec(url, "main"), access, "accounts/", **options)


def writer(place: Store, **options: Any) -> Writer:
    return Writer(place, sleep=lambda seconds: None, **options)


def add(name: str, files: dict[str, bytes] | None = None, **fields: Any) -> Request:
    return Request(Change("add", "kubernetes", name, {"serviceAccount": True, **fields}, files or {}))


def update(name: str, files: dict[str, bytes] | None = None, **fields: Any) -> Request:
    return Request(Change("update", "", name, fields, files or {}))


def remove(name: str) -> Request:
    return Request(Change("remove", "", name))


def names(place: Store) -> list[str]:
    return [entry.name for entry in Writer(place).read()[0].entries]


# --- git --------------------------------------------------------------------------------------------------------


def test_one_change_is_one_commit_with_its_kubeconfig_and_comments_stay(repository: Repository) -> None:
    place = git(repository.url)
    served = "configserver:kubeconfigs/a-1"
    done = writer(place).write(add("a", {"kubeconfigs/a-1": ONE}, kubeconfigFile=served))
    assert done.files == ("kubeconfigs/a-1", "clouddriver-local.yml")
    assert repository.git("rev-parse", "main") == done.revision
    assert repository.git("log", "--format=%s|%an|%ae", "main").splitlines() == [
        "Add kubernetes account a|halgit|halgit@localhost.localdomain", "A change|Somebody|somebody@example.com",
    ]  # fmt: skip
    assert (
        repository.git("show", f"main:{FILE}")
        == START + f"  - name: a\n    serviceAccount: true\n    kubeconfigFile: {served}"
    )
    assert repository.git("show", "main:README") == "hello"
    change = update("a", {"kubeconfigs/a-2": TWO}, kubeconfigFile="configserver:kubeconfigs/a-2")
    assert writer(place).write(change).files == (
        "kubeconfigs/a-2", "clouddriver-local.yml", "kubeconfigs/a-1",
    )  # fmt: skip
    assert writer(place).write(remove("a")).files == ("clouddriver-local.yml", "kubeconfigs/a-2")
    assert repository.git("show", f"main:{FILE}") + "\n" == START
    assert repository.git("ls-tree", "-r", "--name-only", "main").splitlines() == ["README", FILE]


def test_a_change_that_is_there_already_makes_no_commit(repository: Repository) -> None:
    before = repository.git("rev-parse", "main")
    done = writer(git(repository.url)).write(update("first"))
    assert (done.files, done.revision, repository.git("rev-parse", "main")) == ((), "", before)
    done = writer(git(repository.url)).preview(add("a").change)
    assert (done.files, done.revision, repository.git("rev-parse", "main")) == (("clouddriver-local.yml",), "", before)


def test_a_push_over_http_needs_the_token_and_says_so(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "http.receivepack", "true")
    (tmp_path / "token").write_text("the-token\n")
    (tmp_path / "other").write_text("another-token\n")
    with GitHttpServer(tmp_path, token="the-token") as server:
        url = f"{server.url}/accounts.git"
        good = Access(git_token_file=PerHost(str(tmp_path / "token")), timeout=20)
        assert writer(git(url, good)).write(add("a")).revision == repository.git("rev-parse", "main")
        bad = Access(git_token_file=PerHost(str(tmp_path / "other")), timeout=20)
        with pytest.raises(RefusedError, match="rejected the login"):
            writer(git(url, bad)).write(add("b"))
        assert all("token" not in request.path for request in server.seen)


def test_a_server_that_takes_no_push_is_told_with_its_words(repository: Repository) -> None:
    hook = repository.folder / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RefusedError) as caught:
        writer(git(repository.url)).write(add("a"))
    assert "the server refuses the push to main: remote: main is protected" in caught.value.message
    assert caught.value.hint == "Allow the login to push, or use --pull-request-branch."
    assert names(git(repository.url)) == ["first"]


def test_a_branch_for_a_pull_request_is_new_and_leaves_the_other_alone(repository: Repository) -> None:
    before = repository.git("rev-parse", "main")
    done = writer(git(repository.url, onto="accounts/a")).write(add("a"))
    assert repository.git("rev-parse", "main") == before
    assert repository.git("rev-parse", "accounts/a") == done.revision
    with pytest.raises(UsageError, match="the branch accounts/a exists already"):
        writer(git(repository.url, onto="accounts/a")).write(add("b"))


def test_a_commit_can_be_signed_with_an_ssh_key(repository: Repository, tmp_path: Path) -> None:
    import subprocess

    import needs

    needs.program("ssh-keygen", "openssh-client")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signing = Signing("Ann Other <ann@example.com>", str(key))
    done = writer(git(repository.url, signing=signing)).write(add("a"))
    allowed = tmp_path / "allowed"
    allowed.write_text("ann@example.com " + key.with_suffix(".pub").read_text())
    repository.git("-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", done.revision)
    assert repository.git("log", "-1", "--format=%an <%ae>", "main") == "Ann Other <ann@example.com>"
    with pytest.raises(UsageError, match="cannot sign"):
        writer(git(repository.url, signing=Signing(key_file=str(allowed)))).write(add("b"))
    with pytest.raises(UsageError, match="--author is not a name with an address"):
        writer(git(repository.url, signing=Signing("Ann"))).write(add("b"))


def test_a_tag_is_no_place_to_commit_to(repository: Repository) -> None:
    repository.git("tag", "v1", "main")
    with pytest.raises(UsageError, match="--ref v1 is not a branch"):
        Writer(open_store(SourceSpec(repository.url, "v1"), Access(), "accounts/")).read()


# --- S3 ---------------------------------------------------------------------------------------------------------


def test_s3_objects_are_written_over_what_was_read_only(cloud: Cloud) -> None:
    cloud.bucket("accounts", {FILE: START.encode()})
    place = open_store(SourceSpec("s3://accounts"), cloud.access(), "accounts/")
    done = writer(place).write(add("a", {"kubeconfigs/a-1": ONE}, kubeconfigFile="configserver:kubeconfigs/a-1"))
    assert done.revision
    assert names(place) == ["first", "a"]
    copy = place.open()
    copy.refresh()
    copy.read("clouddriver-local.yml")
    writer(place).write(add("b"))
    with pytest.raises(ConflictError):
        copy.write({"clouddriver-local.yml": b"{}"}, "lost")
    writer(place).write(remove("a"))
    keys = [each["Key"] for each in cloud.client("s3").list_objects_v2(Bucket="accounts")["Contents"]]
    assert keys == [FILE]
    assert names(place) == ["first", "b"]


def test_the_revision_of_a_change_in_s3_is_no_digest_of_its_content(cloud: Cloud) -> None:
    cloud.bucket("digests", {})
    place = open_store(SourceSpec("s3://digests"), cloud.access(), "accounts/")
    served = "configserver:kubeconfigs/a-1"
    done = writer(place).write(add("a", {"kubeconfigs/a-1": ONE}, kubeconfigFile=served))
    kept = {
        one["Key"]: one["ETag"].strip('"') for one in cloud.client("s3").list_objects_v2(Bucket="digests")["Contents"]
    }
    assert list(kept) == [FILE, "accounts/kubeconfigs/a-1"]
    assert kept["accounts/kubeconfigs/a-1"] == hashlib.md5(ONE).hexdigest(), "what the server reports"
    assert uuid.UUID(done.revision).version == 4, "random"
    session = place.open()
    session.refresh()
    assert (session.revision, session.history()[0].commit) == (done.revision, done.revision)


def test_races_that_s3_reports_with_other_codes_are_conflicts_too() -> None:
    """AWS answers 409 to a write beside another one, and 404 to If-Match where the object was deleted meanwhile."""
    text = b"kubernetes:\n  accounts: []\n"
    xml = {"Content-Type": "application/xml"}
    refused = [(409, "ConditionalRequestConflict"), (409, "OperationAborted"), (404, "NoSuchKey")]
    written: list[bytes] = []

    def answer(asked: Call) -> Said:
        if asked.method == "GET":
            if not asked.path.startswith("/races/clouddriver-local.yml"):
                return Said(404, b"<Error><Code>NoSuchKey</Code></Error>", xml)
            return Said(200, text, {"ETag": '"one"'})
        if refused:
            status, code = refused.pop(0)
            return Said(status, f"<Error><Code>{code}</Code></Error>".encode(), xml)
        written.append(asked.body)
        return Said(200, b"", {"ETag": '"two"'})

    with server(answer) as url:
        cloud = Cloud(url)
        own = writer(open_store(SourceSpec("s3://races"), cloud.access(), ""))
        own.write(add("a"))
        cloud.hang_up()
        assert (own.retries, len(written)) == (3, 1)


def test_the_first_account_in_s3_makes_the_file_unless_another_did(cloud: Cloud) -> None:
    cloud.bucket("fresh", {})
    place = open_store(SourceSpec("s3://fresh/spinnaker"), cloud.access(), "")
    copy = place.open()
    copy.refresh()
    assert copy.read("clouddriver-local.yml") is None
    writer(place).write(add("a"))
    with pytest.raises(ConflictError):
        copy.write({"clouddriver-local.yml": b"{}"}, "lost")
    assert names(place) == ["a"]


# --- Vault ------------------------------------------------------------------------------------------------------


def vault(bao: Bao, url: str) -> Store:
    access = Access(vault_address=PerHost(bao.url), environment={"VAULT_TOKEN": ROOT_TOKEN}, timeout=10, retries=1)
    return open_store(SourceSpec(url), access, "")


def test_vault_holds_the_accounts_as_the_secret_clouddriver_looks_for(bao: Bao) -> None:
    place = vault(bao, "vault://kv/spinnaker")
    assert names(place) == []
    assert writer(place).write(add("a", namespaces=["x"])).revision == "1"
    copy = place.open()
    copy.refresh()
    assert writer(place).write(add("b")).revision == "2"
    answer = bao.call("GET", "kv/data/spinnaker/clouddriver,local")
    accounts = [
        {"name": "a", "serviceAccount": True, "namespaces": ["x"]}, {"name": "b", "serviceAccount": True},
    ]  # fmt: skip
    history = answer["data"]["data"].pop("halgit")["history"]
    assert answer["data"]["data"] == {"kubernetes": {"accounts": accounts}}
    assert [json.loads(line)["change"][3] for line in history.splitlines()] == ["1", "2"]
    with pytest.raises(ConflictError):
        copy.write({"clouddriver-local.yml": b"{}"}, "lost")


def test_a_vault_mount_without_versions_is_refused(bao: Bao) -> None:
    bao.put("old", "spinnaker/clouddriver,local", {"kubernetes": {}}, version=1)
    with pytest.raises(UsageError) as caught:
        names(vault(bao, "vault://old/spinnaker"))
    assert str(caught.value) == (
        "The Vault mount old is KV 1, which cannot detect concurrent writes. Use a KV 2 mount."
    )


def test_a_token_of_vault_that_was_replaced_is_read_again(bao: Bao, tmp_path: Path) -> None:
    bao.policy("all", {"*": ["create", "read", "update", "list"]})
    first, second = bao.token("all"), bao.token("all")
    (tmp_path / "token").write_text(first)
    access = Access(
        vault_address=PerHost(bao.url), vault_token_file=PerHost(str(tmp_path / "token")), timeout=20,
        environment={"HOME": str(tmp_path)},
    )  # fmt: skip
    shared = Writer(open_store(SourceSpec("vault://kv/rotated"), access, ""))
    shared.write(add("a"))
    bao.call("POST", "auth/token/revoke", {"token": first})
    (tmp_path / "token").write_text(second)
    shared.write(add("b"))
    assert [entry.name for entry in shared.read()[0].entries] == ["a", "b"]


def test_a_limit_of_the_server_on_one_secret_is_named(bao: Bao) -> None:
    place = vault(bao, "vault://kv/large")
    with pytest.raises(RefusedError) as caught:
        writer(place).write(add("a", namespaces=[f"n{number}" for number in range(1100)]))
    assert str(caught.value) == (
        f"Vault at {bao.url} does not store kv/large/clouddriver,local: it has too many values for one request."
        " Raise max_request_json_strings of the server's listener, or store the accounts in git or S3."
    )
    writer(place).write(add("a"))
    with pytest.raises(AccountError, match="Vault stores 1 MiB in one secret"):
        writer(place).write(add("b", environment="x" * 1_100_000))


# --- writers beside each other ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["git", "s3", "vault"])
def test_writers_at_once_lose_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    def place() -> Store:
        if kind == "git":
            return git(request.getfixturevalue("repository").url)
        if kind == "s3":
            return open_store(SourceSpec("s3://crowd"), request.getfixturevalue("cloud").access(), "")
        return vault(request.getfixturevalue("bao"), "vault://kv/crowd")

    if kind == "s3":
        request.getfixturevalue("cloud").bucket("crowd", {})
    wanted = [f"account-{number}" for number in range(5)]
    places = [place() for _ in wanted]
    failed: list[BaseException] = []

    def work(name: str, store: Store) -> None:
        try:
            Writer(store).write(add(name))
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


class Slow:
    """A session whose every write another writer beats."""

    revision = ""

    def refresh(self) -> None:
        pass

    def read(self, path: str) -> bytes | None:
        return None

    def exists(self, path: str) -> bool:
        return False

    def write(self, changes: Any, message: str) -> str:
        raise ConflictError("Another writer was faster.")

    def check(self, changes: Any, message: str) -> None:
        pass

    def list_ciphers(self) -> list[str]:
        return []

    def history(self) -> tuple[()]:
        return ()

    def close(self) -> None:
        pass


def test_a_writer_that_is_always_slower_ends_at_its_deadline() -> None:
    lines: list[str] = []
    place = Store("https://git.example.com/accounts", "", "git", Slow)
    with pytest.raises(BusyError) as caught:
        Writer(place, progress=lines.append, deadline=0.2).write(add("a"))
    assert str(caught.value) == (
        "https://git.example.com/accounts: other writers were faster for 0.2 seconds. Run again later."
    )
    assert lines[0] == "Another writer was faster. Retrying (1)"


def test_changes_that_wait_together_are_one_commit_with_a_result_each(repository: Repository) -> None:
    place = git(repository.url)
    shared = Writer(place)
    results: dict[str, Written | BaseException] = {}

    def work(name: str) -> None:
        try:
            results[name] = shared.write(add(name))
        except AccountError as reason:
            results[name] = reason

    threads = [threading.Thread(target=work, args=(name,)) for name in [*(f"a{n}" for n in range(12)), "first"]]
    with shared._turn:
        for thread in threads:
            thread.start()
        while shared.queue_length < len(threads):
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert isinstance(results.pop("first"), AccountError)
    assert {type(one) for one in results.values()} == {Written}
    assert {one.revision for one in results.values() if isinstance(one, Written)} == {
        repository.git("rev-parse", "main")
    }
    assert int(repository.git("rev-list", "--count", "main")) == 2
    body = repository.git("log", "-1", "--format=%B", "main")
    assert body.startswith("Change 12 accounts\n")
    assert body.count("\nAccount: a") == 12


def test_a_repeated_request_finds_its_result_in_the_commit(repository: Repository) -> None:
    place = git(repository.url)
    request = Request(add("a").change, "Ann", "key-1", "digest-1")
    first = Writer(place).write(request)
    again = Writer(place).write(request)
    assert (again.revision, again.is_repeated) == (first.revision, True)
    with pytest.raises(KeyReusedError):
        Writer(place).write(Request(add("b").change, "Ann", "key-1", "digest-2"))
    assert int(repository.git("rev-list", "--count", "main")) == 2
    assert Writer(place).history() == {"a": ("Ann", repository.git("log", "-1", "--format=%aI", "main"))}


PROCESS = """
import json, sys
from halgit.accounts.changes import Change
from halgit.accounts.requests import KeyReusedError, Request
from halgit.accounts.stores import open_store
from halgit.accounts.writer import Writer
from halgit.operator_settings import Access, PerHost, SourceSpec
url, ref, access, name, digest = json.loads(sys.argv[1])
for key in {"s3_endpoint", "vault_address"} & set(access):
    access[key] = PerHost(access[key])
writer = Writer(open_store(SourceSpec(url, ref), Access(timeout=20, **access), ""))
try:
    written = writer.write(Request(Change("add", "kubernetes", name, {"serviceAccount": True}), "Ann", "key", digest))
    print(json.dumps([written.revision, written.is_repeated, writer.history()]))
except KeyReusedError as reason:
    print(json.dumps(reason.message))
writer.close()
"""


@pytest.mark.parametrize("kind", ["git", "s3", "vault"])
def test_a_request_that_another_process_answered_finds_its_result(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "git":
        place: list[Any] = [request.getfixturevalue("repository").url, "main", {}]
    elif kind == "s3":
        cloud = request.getfixturevalue("cloud")
        cloud.bucket("answered", {})
        place = ["s3://answered", "", {"s3_endpoint": cloud.url, "environment": KEYS}]
    else:
        bao = request.getfixturevalue("bao")
        place = ["vault://kv/answered", "", {"vault_address": bao.url, "environment": {"VAULT_TOKEN": ROOT_TOKEN}}]

    def ask(name: str, digest: str) -> Any:
        argument = json.dumps([*place, name, digest])
        done = subprocess.run([sys.executable, "-c", PROCESS, argument], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    revision, is_repeated, history = ask("a", "digest-1")
    assert (is_repeated, history["a"][0], bool(revision)) == (False, "Ann", True)
    ask_other = ask("b", "digest-2")
    assert ask_other == "This Idempotency-Key was used for another request."
    assert ask("a", "digest-1") == [revision, True, history]


@pytest.mark.parametrize("kind", ["s3", "vault"])
def test_a_write_whose_answer_is_lost_is_neither_a_conflict_nor_lost(kind: str, request: pytest.FixtureRequest) -> None:
    """The first attempt arrives and its answer does not; the second finds that the object has changed."""
    server: Any = request.getfixturevalue("cloud" if kind == "s3" else "bao")
    if kind == "s3":
        server.bucket("lost-answer", {})
    with relay(server.url) as between:
        if kind == "s3":
            place = open_store(SourceSpec("s3://lost-answer"), server.access(between.url, retries=3), "")
        else:
            access = Access(
                vault_address=PerHost(between.url), environment={"VAULT_TOKEN": ROOT_TOKEN}, timeout=20, retries=3
            )
            place = open_store(SourceSpec("vault://kv/lost-answer"), access, "")
        shared = Writer(place)
        shared.write(add("a"))
        dropped: list[str] = []

        def drop(asked: Asked) -> None:
            if asked.method in {"PUT", "POST"} and not dropped:
                dropped.append(asked.path)
                raise ConnectionAbortedError("the answer is lost")

        between.after = drop
        shared.write(add("b"))
        assert len(dropped) == 1
        shared.write(remove("a"))
        assert names(place) == ["b"]
        messages = [entry.message.splitlines()[0] for entry in shared._refreshed().history()]
    assert messages == ["Remove kubernetes account a", "Add kubernetes account b", "Add kubernetes account a"]


def test_a_stopped_writer_refuses_what_waits(repository: Repository) -> None:
    shared = Writer(git(repository.url))
    refused: list[BusyError] = []

    def work() -> None:
        try:
            shared.write(add("a"))
        except BusyError as reason:
            refused.append(reason)

    thread = threading.Thread(target=work)
    with shared._turn:
        thread.start()
        while not shared.queue_length:
            time.sleep(0.01)
        shared.stop(1)
    thread.join()
    assert "the change was not written" in refused[0].message
    with pytest.raises(BusyError):
        shared.write(add("b"))


def test_a_session_is_kept_and_sees_what_others_wrote(repository: Repository) -> None:
    place = git(repository.url)
    one, other = Writer(place), Writer(place)
    for number in range(3):
        one.write(add(f"one-{number}"))
        other.write(add(f"other-{number}"))
    assert len(one.read()[0].entries) == 7


def test_connections_logins_and_clones_are_kept_between_changes(
    cloud: Cloud, bao: Bao, repository: Repository, tmp_path: Path
) -> None:
    """The second change costs what it reads and writes, and no login, listing or clone."""
    cloud.bucket("kept", {})
    with relay(cloud.url) as between:
        shared = Writer(open_store(SourceSpec("s3://kept"), cloud.access(between.url), ""))
        shared.write(add("a"))
        between.seen.clear()
        shared.write(add("b"))
        assert [(one.method, one.path) for one in between.seen] == [
            ("GET", "/kept/clouddriver-local.yml"), ("GET", "/kept/clouddriver-local.properties"),
            ("GET", "/kept/clouddriver-local.yaml"), ("PUT", "/kept/clouddriver-local.yml"),
        ]  # fmt: skip
    with relay(bao.url) as between:
        access = Access(vault_address=PerHost(between.url), environment={"VAULT_TOKEN": ROOT_TOKEN}, timeout=20)
        shared = Writer(open_store(SourceSpec("vault://kv/kept"), access, ""))
        shared.write(add("a"))
        between.seen.clear()
        shared.write(add("b"))
        assert [(one.method, one.path) for one in between.seen] == [
            ("GET", "/v1/kv/data/kept/clouddriver,local"), ("POST", "/v1/kv/data/kept/clouddriver,local"),
        ]  # fmt: skip
    repository.git("config", "http.receivepack", "true")
    (tmp_path / "token").write_text("t")
    with GitHttpServer(tmp_path, token="t") as server:
        access = Access(git_token_file=PerHost(str(tmp_path / "token")), timeout=20)
        shared = Writer(git(f"{server.url}/accounts.git", access))
        shared.write(add("a"))
        server.seen.clear()
        shared.write(add("b"))
        served = [one.path.rsplit("/", 1)[-1] for one in server.seen if one.login]
    # The references, an incremental fetch, and the push.
    assert served == [
        "refs?service=git-upload-pack", "git-upload-pack", "git-upload-pack", "refs?service=git-receive-pack",
        "git-receive-pack",
    ]  # fmt: skip


def test_unsigned_history_is_refused_and_own_commits_must_be_signed(repository: Repository, tmp_path: Path) -> None:
    import subprocess

    import needs

    needs.program("ssh-keygen", "openssh-client")
    key, allowed = tmp_path / "key", tmp_path / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed.write_text("ann@example.com " + key.with_suffix(".pub").read_text())
    access = Access(timeout=20, verify_signatures=str(allowed))
    signing = Signing("Ann Other <ann@example.com>", str(key))
    with pytest.raises(UntrustedError, match="it is not signed"):
        writer(git(repository.url, access, signing=signing)).write(add("a"))
    signed = writer(git(repository.url, signing=signing))
    signed.write(add("a"))
    assert writer(git(repository.url, access, signing=signing)).write(add("b")).revision
    with pytest.raises(UsageError, match="would refuse the commits of this command"):
        writer(git(repository.url, access)).write(add("c"))


def test_a_refused_change_leaves_no_object_behind_in_s3(cloud: Cloud) -> None:
    cloud.bucket("refused", {FILE: START.encode()})
    place = open_store(SourceSpec("s3://refused"), cloud.access(), "accounts/")
    session = place.open()
    session.refresh()
    writer(place).write(add("b"))
    with pytest.raises(ConflictError):
        session.write({"kubeconfigs/a-1": b"secret", "clouddriver-local.yml": b"{}"}, "lost")
    keys = [each["Key"] for each in cloud.client("s3").list_objects_v2(Bucket="refused")["Contents"]]
    assert keys == [FILE]


REFUSED = {
    ".": "--repo . is a directory; accounts are stored in git, S3 or Vault. Write file:///path.",
    "s3://bucket?": (
        "--ref, --pull-request-branch, --signing-key-file and --verify-signatures are for git. Remove them."
    ),
}


@pytest.mark.parametrize("url", REFUSED)
def test_urls_that_are_no_store_are_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(SourceSpec(url.rstrip("?"), "main"), Access(), "accounts/")
    assert str(caught.value) == REFUSED[url]


def test_signatures_are_not_promised_where_there_are_none() -> None:
    for url in ("s3://bucket/a", "vault://kv/a"):
        with pytest.raises(UsageError, match="--verify-signatures are for git"):
            open_store(SourceSpec(url), Access(verify_signatures="/signers"), "accounts/")


@pytest.mark.parametrize("name", ["clouddriver-local.properties", "clouddriver-local.yaml"])
def test_an_object_that_spring_reads_instead_is_refused(cloud: Cloud, name: str) -> None:
    """Of S3, Spring reads the first of .properties, .yaml and .yml, and nothing of the others."""
    bucket = "instead-" + name.rsplit(".", 1)[1]
    cloud.bucket(bucket, {FILE: START.encode(), f"accounts/{name}": b"a: b\n"})
    place = open_store(SourceSpec(f"s3://{bucket}"), cloud.access(), "accounts/")
    with pytest.raises(AccountError, match=f"{name} takes precedence over clouddriver-local.yml"):
        writer(place).write(add("a"))


class Counted:
    """A session that counts what is asked of it."""

    def __init__(self, session: Session, calls: list[str]) -> None:
        self._session = session
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        self._calls.append(name)
        return getattr(self._session, name)


def test_a_file_that_could_not_be_read_again_is_not_written(repository: Repository) -> None:
    shared = Writer(git(repository.url))
    shared.write(add("a", namespaces=["n"] * 200_000))
    with pytest.raises(AccountError) as caught:
        shared.write(add("b", namespaces=["n"] * 200_000))
    assert str(caught.value) == (
        f"{FILE}: The file has more than 400000 lines and commas, so that reading it would take too long."
        " Split the file."
    )
    assert names(git(repository.url)) == ["first", "a"]


def test_a_rotation_reads_and_writes_the_file_once(repository: Repository) -> None:
    place, old, new = git(repository.url), Cipher(Secret("old", "key")), Cipher(Secret("new", "key"), "cafe")
    accounts = "".join(f"  - {{name: a{n}, kubeconfigContents: '{old.encrypt(str(n))}'}}\n" for n in range(50))
    repository.git("checkout", "--quiet", "main")
    repository.commit({FILE: f"kubernetes:\n  accounts:\n{accounts}"})
    repository.git("checkout", "--quiet", "--detach")
    calls: list[str] = []
    counted = Store(place.url, place.path, "git", lambda: Counted(place.open(), calls))
    Writer(counted).rotate(old, new)
    assert [call for call in calls if call in {"read", "write"}] == ["read", "write"]
    found = Writer(place).read()[0].ciphers()
    assert [new.decrypt(value) for _, value in found] == [str(n) for n in range(50)]
    Writer(place).rotate(new, Cipher(Secret("new", "key")))
    assert [old.opens(value) for _, value in Writer(place).read()[0].ciphers()] == [False] * 50, "another salt"
