"""Bad days of S3 and Vault, through the whole program: the exit code, the words, and the old tree untouched.

Real servers; where a fault must be made, a relay stands before them. What a fault says is pinned here in full.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program import Ran, tree
from servers.aws import KEYS, Cloud, aws
from servers.http import Asked, Said, server
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Request, Rule, relay
from servers.tls import authority
from warm import warm

CONFIG = b"currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  version: 1.36.1\n"
ECHO = "default/profiles/echo-local.yml"
REFERENCES = b"".join(b"%c: encrypted:vault!e:kv!p:apps/%c!k:k\n" % (name, name) for name in b"abc")
CANARY = "canary-of-a-bad-day"
QUICK = ("--no-validate", "--retries", "1", "--timeout", "2")


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        for name in "abc":
            running.put("kv", f"apps/{name}", {"k": f"{CANARY}-{name}"})
        running.put("kv", "hal/config", {"content": CONFIG.decode()})
        running.put("kv", f"hal/{ECHO}", {"content": f"x: {CANARY}\n"})
        running.policy("reader", {"kv/data/*": ["read"], "kv/metadata/*": ["list"]})
        running.policy(
            "partly", {"kv/data/apps/a": ["read"], "kv/data/hal/config": ["read"], "kv/metadata/*": ["list"]}
        )
        yield running


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        running.bucket("config", {"hal/config": CONFIG, f"hal/{ECHO}": b"x: 1\n"})
        yield running


Halgit = Callable[..., Ran]


@pytest.fixture(scope="module")
def halgit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halgit]:
    with warm(tmp_path_factory.mktemp("warm")) as program:
        yield program


@pytest.fixture(scope="module")
def earlier(halgit: Halgit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository, and the tree of a run that went well."""
    folder = tmp_path_factory.mktemp("earlier")
    (folder / "repo" / ECHO).parent.mkdir(parents=True)
    (folder / "repo/config").write_bytes(CONFIG)
    (folder / "repo" / ECHO).write_bytes(b"old: tree\n")
    ran = halgit("render", "--repo", folder / "repo", "--out", folder / ".hal", *QUICK)
    assert ran.code == 0, ran.err
    (folder / ".hal/.backup").mkdir()
    (folder / ".hal/.backup/kept").write_text("of Halyard")
    return folder


class Place:
    """A repository that got references since, and the tree of the earlier run, which no fault may touch."""

    def __init__(self, folder: Path, halgit: Halgit) -> None:
        self.repo = folder / "repo"
        self.out = folder / ".hal"
        self.halgit = halgit
        (self.repo / ECHO).write_bytes(REFERENCES)
        self._before = tree(self.out)

    def fails(self, code: int, *options: object, repo: object = "", **environment: str) -> str:
        """Render into the old tree; what it said. It must end with this code and leave the tree as it was."""
        ran = self.halgit("render", "--repo", repo or self.repo, "--out", self.out, *QUICK, *options, **environment)
        assert (ran.code, tree(self.out)) == (code, self._before), ran.err
        assert sorted(path.name for path in self.out.parent.iterdir() if path.name not in {"repo", ".hal"}) == []
        assert CANARY not in ran.out + ran.err
        return ran.err

    def secret(self, url: str, *options: object, token: str = ROOT_TOKEN) -> str:
        """What a render says whose secrets cannot be had from this Vault."""
        return self.fails(4, "--vault-address", url, *options, **({"VAULT_TOKEN": token} if token else {}))

    def vault(self, url: str, *options: object, token: str = ROOT_TOKEN) -> str:
        """What a render says whose source cannot be had from this Vault."""
        return self.fails(3, "--vault-address", url, *options, repo="vault://kv/hal", VAULT_TOKEN=token)

    def s3(self, url: str, *options: object, **environment: str) -> str:
        """What a render says whose source cannot be had from this store."""
        return self.fails(3, "--s3-endpoint", url, *options, repo="s3://config/hal", **(environment or KEYS))


@pytest.fixture
def place(earlier: Path, halgit: Halgit, tmp_path: Path) -> Place:
    return Place(shutil.copytree(earlier, tmp_path / "place"), halgit)


def only(path: str, answer: Answer) -> Rule:
    """A rule that gives this answer to requests whose path holds this."""
    return lambda request: answer if path in request.path else None


def test_sealed(place: Place, tmp_path: Path) -> None:
    with openbao(tmp_path) as own:
        own.call("PUT", "sys/seal")
        assert f"{ECHO}:1: a: Vault at {own.url} is sealed." in (said := place.secret(own.url))
        assert "Unseal it and run again." in said
        assert f"vault://kv/hal: Vault at {own.url} is sealed. Unseal it and run again." in place.vault(own.url)


def test_token_that_dies_in_the_middle(place: Place, bao: Bao) -> None:
    for say, code in ((place.secret, "kv/data/apps"), (place.vault, "kv/data/hal")):
        token = bao.token("reader")
        with relay(bao.url) as between:

            def revoke(request: Request, what: str = code, token: str = token) -> Answer | None:
                if what in request.path and between.count(what) == 2:
                    bao.call("POST", "auth/token/revoke", {"token": token})
                return None

            between.rule = revoke
            said = say(between.url, token=token)
            words = f"The token for Vault at {between.url} is expired, revoked or unknown."
            assert f"{words}" in said
            assert "Set a valid one with --vault-token-file or VAULT_TOKEN." in said
            assert token not in said


def test_login_whose_token_dies_in_the_middle_is_made_once_more(place: Place, bao: Bao) -> None:
    bao.call("POST", "sys/auth/userpass", {"type": "userpass"})
    bao.call("POST", "auth/userpass/users/hal", {"password": "pw-of-hal", "token_policies": ["reader"]})
    options = ("--vault-auth", "userpass", "--vault-role", "hal")
    with relay(bao.url) as between:

        def revoke(request: Request) -> Answer | None:
            if "/data/apps/" in request.path and between.count("/data/apps/") in {2, *deaths}:
                bao.call("POST", "auth/token/revoke", {"token": request.headers["x-vault-token"]})
            return None

        between.rule = revoke
        deaths = set(range(3, 99))
        said = place.fails(4, "--vault-address", between.url, *options, VAULT_PASSWORD="pw-of-hal")
        words = "became invalid a second time in this run (login method userpass)."
        assert f"The token for Vault at {between.url} {words} (Also at {ECHO}:" in said
        assert said.count("became invalid a second time") == 1
        assert "Issue tokens with a longer or renewable lease, and check what revokes them." in said
        assert between.count("/login/") == 2
        between.seen.clear()
        deaths = set()
        out = place.out.with_name("new")
        ran = place.halgit(
            "render", "--repo", place.repo, "--out", out, "--vault-address", between.url, *QUICK, *options,
            VAULT_PASSWORD="pw-of-hal",
        )  # fmt: skip
        assert ran.code == 0, ran.err
        assert between.count("/login/") == 2
    assert (out / ECHO).read_text().count(CANARY) == 3


def test_no_permission_on_one_path(place: Place, bao: Bao) -> None:
    token = bao.token("partly")
    said = place.secret(bao.url, token=token)
    assert f"{ECHO}:1: a:" not in said
    for line, name in ((2, "b"), (3, "c")):
        assert f"{ECHO}:{line}: {name}: Vault at {bao.url} denied access to kv/data/apps/{name} (" in said
    assert "Grant the token or role a policy that allows it." in said
    said = place.vault(bao.url, token=token)
    assert f"vault://kv/hal: Vault at {bao.url} denied access to kv/data/hal/{ECHO} (" in said
    assert "Grant the token or role a policy that allows it." in said


@pytest.mark.parametrize("status", [429, 503])
def test_server_that_stays_busy(place: Place, bao: Bao, cloud: Cloud, status: int) -> None:
    busy = Answer(status, b"", {"Retry-After": "0"})
    with relay(bao.url) as vault, relay(cloud.url) as store:
        vault.rule = only("/data/", busy)
        store.rule = only("config", busy)
        words = f"Vault at {vault.url} asks to retry later (HTTP {status})."
        said = place.secret(vault.url)
        assert f"{ECHO}:1: a: {words}" in said
        assert "Retry later." in said
        assert vault.count("/data/apps/a") == 2
        assert f"vault://kv/hal: {words} Retry later." in place.vault(vault.url)
        said = place.s3(store.url)
        assert f"s3://config/hal: the server asks to retry later ({status}). Retry later." in said
        assert len(store.seen) == 2


def test_retry_after_beyond_the_time_limit(place: Place, bao: Bao) -> None:
    with relay(bao.url) as between:
        between.rule = only("/data/", Answer(429, b"", {"Retry-After": "3600"}))
        assert "asks to retry later (HTTP 429)." in place.secret(between.url)
        assert between.count("/data/apps/a") == 1


def test_slow_server(place: Place, bao: Bao, cloud: Cloud) -> None:
    import threading

    over = threading.Event()

    def hold(request: Request) -> None:
        over.wait(20)

    one = ("--timeout", "1", "--retries", "0")
    with relay(bao.url) as vault, relay(cloud.url) as store:
        vault.after = store.after = hold
        try:
            said = place.secret(vault.url, *one)
            assert f"Vault at {vault.url} did not respond to auth/token/lookup-self in time." in said
            assert "Retry, or raise --timeout." in said
            said = place.s3(store.url, *one)
            assert "s3://config/hal: the server did not respond in time. Retry, or raise --timeout." in said
        finally:
            over.set()


def test_wrong_authority(place: Place, bao: Bao, tmp_path: Path) -> None:
    (tmp_path / "bao").mkdir()
    _, other = authority(tmp_path)
    with openbao(tmp_path / "bao", tls=True) as own:
        words = f"The certificate of Vault at {own.url} cannot be verified."
        said = place.secret(own.url, "--ca-file", other)
        assert f"{ECHO}:1: a: {words}" in said
        assert "Add the CA certificate with --ca-file or VAULT_CACERT; verification cannot be" in said
        assert f"vault://kv/hal: {words}" in place.vault(own.url, "--ca-file", f"127.0.0.1={other}")
        missing = tmp_path / "none.pem"
        said = place.secret(own.url, "--ca-file", missing)
        assert f"The CA file {missing} does not exist." in said


def test_wrong_authority_of_a_store(place: Place, tmp_path: Path) -> None:
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    context, own = authority(tmp_path / "own")
    _, other = authority(tmp_path / "other")
    asked: list[Asked] = []

    def answer(request: Asked) -> Said:
        asked.append(request)
        return Said(403, b"<Error><Code>AccessDenied</Code></Error>")

    with server(answer, context) as url:
        words = "s3://config/hal: the server's certificate cannot be verified. Add the CA certificate with"
        for options in ((), ("--ca-file", other), ("--ca-file", f"127.0.0.1={other}")):
            assert words in place.s3(url, *options)
        assert words in place.s3(url, **KEYS, AWS_CA_BUNDLE=str(other))
        said = place.s3(url, "--ca-file", tmp_path / "none.pem")
        assert f"The CA file {tmp_path}/none.pem does not exist." in said
        assert asked == []
        assert "the server refused the request (AccessDenied)" in place.s3(url, "--ca-file", own)


def test_half_a_listing(place: Place, cloud: Cloud) -> None:
    head, xml = '<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>', {"Content-Type": "text/xml"}
    entry = '<Contents><Key>hal/config</Key><ETag>"x"</ETag><Size>3</Size></Contents>'
    with relay(cloud.url) as between:
        between.rule = only("list-type", Answer(200, f"{head}{entry}</ListBucketResult>".encode(), xml))
        said = place.s3(between.url)
        assert "s3://config/hal: the listing is incomplete. Run again; check the endpoint." in said
        between.rule = only("list-type", Answer(200, f"{head}{entry}".encode() * 9, xml, cut=True))
        said = place.s3(between.url)
        assert "s3://config/hal: the server failed or its response was cut short (500). Try again." in said


def test_object_replaced_while_it_is_read(place: Place, cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    for key, words in ((f"hal/{ECHO}", f"{ECHO} changed"), ("hal/new", "it changed")):
        with relay(cloud.url) as between:

            def replace(request: Request, key: str = key) -> None:
                if "list-type" in request.path and between.count("list-type") == 1:
                    s3.put_object(Bucket="config", Key=key, Body=b"x: 2\n" + key.encode())

            between.after = replace
            assert f"s3://config/hal: {words} while it was being read. Run again." in place.s3(between.url)
    s3.delete_object(Bucket="config", Key="hal/new")
    s3.put_object(Bucket="config", Key=f"hal/{ECHO}", Body=b"x: 1\n")


def test_tree_of_vault_that_changes_while_it_is_read(place: Place, bao: Bao) -> None:
    with relay(bao.url) as between:

        def add(request: Request) -> None:
            if "/data/hal/config" in request.path:
                bao.put("kv", "hal/new", {"content": "x"})

        between.after = add
        assert "vault://kv/hal: it changed while it was being read. Run again." in place.vault(between.url)
    bao.call("DELETE", "kv/metadata/hal/new")


def test_credentials_missing(place: Place, bao: Bao, cloud: Cloud, tmp_path: Path) -> None:
    said = place.secret(bao.url, token="")
    assert f"{ECHO}:1: a: No token for Vault at {bao.url}." in said
    assert "Set --vault-token-file or VAULT_TOKEN, or another login method with --vault-auth." in said
    said = place.s3(cloud.url, AWS_REGION="us-east-1", AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"))
    assert "s3://config/hal: no AWS credentials found." in said
    assert "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, a web identity (IRSA)," in said


def test_server_that_is_not_there(place: Place) -> None:
    nowhere = "http://127.0.0.1:9"
    said = place.secret(nowhere, "--retries", "0")
    assert f"{ECHO}:1: a: Vault at {nowhere} is unreachable." in said
    assert "Check --vault-address and that the server is running." in said
    said = place.s3(nowhere, "--retries", "0")
    assert "s3://config/hal: the server is unreachable. Check the endpoint and the network." in said
