"""Vault as a source: the files of a KV tree, their revision, and trees that cannot be one."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Crowd, Request, relay

from halgit.errors import CorruptError, NotFoundError, RemoteError, UsageError
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.remotes.vault_tree import VaultSnapshot, open_vault, read_address

OPENED: list[Access] = []


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv1", 1)
        running.mount("team/kv", 2)
        for mount, version in (("kv1", 1), ("team/kv", 2), ("secret", 2)):
            running.put(mount, "hal/config", {"content": "a: 1\n"}, version)
            running.put(
                mount, "hal/default/profiles", {"gate-local.yml": "b: 2\n", "orca-local.yml": "c: é\n"}, version
            )
            coded = base64.b64encode(b"\xfe\xed").decode()
            running.put(mount, "hal/files/store.jks", {"content.base64": coded}, version)
            running.put(mount, "hal/files", {"other.p12.base64": coded}, version)
            running.put(mount, "one", {"config": "d: 1\n", "default/profiles/x.yml": "e: 1\n"}, version)
        yield running


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().cache.close()


def opened(url: str, server: str, token: str = ROOT_TOKEN, path: str = "", **options: object) -> VaultSnapshot:
    settings: dict[str, object] = {"timeout": 5.0, "retries": 1, "environment": {"VAULT_TOKEN": token}, **options}
    OPENED.append(Access(vault_address=PerHost(server), **settings))  # type: ignore[arg-type]
    return open_vault(SourceSpec(url, path=path), OPENED[-1])


FILES = {
    "config": b"a: 1\n",
    "default/profiles/gate-local.yml": b"b: 2\n",
    "default/profiles/orca-local.yml": "c: é\n".encode(),
    "files/store.jks": b"\xfe\xed",
    "files/other.p12": b"\xfe\xed",
}


@pytest.mark.parametrize(("mount", "told"), [("kv1", True), ("kv1", False), ("team/kv", True), ("secret", False)])
def test_both_kv_versions_give_the_same_files(bao: Bao, mount: str, told: bool) -> None:
    with relay(bao.url) as between:
        if not told:
            between.rule = lambda request: Answer(403) if "internal/ui/mounts" in request.path else None
        snapshot = opened(f"vault://{mount}/hal", between.url)
    assert snapshot.paths == set(FILES)
    assert snapshot.read(snapshot.paths) == FILES
    length = 0 if mount == "kv1" else 64
    assert (snapshot.source.url, len(snapshot.source.revision)) == (f"vault://{mount}/hal", length)


def test_a_folder_below_and_one_secret_alone_can_be_the_source(bao: Bao) -> None:
    assert opened("vault://team/kv", bao.url, path="hal/default").paths == {
        "profiles/gate-local.yml", "profiles/orca-local.yml"
    }  # fmt: skip
    one = opened("vault://team/kv/one", bao.url)
    assert one.read(one.paths) == {"config": b"d: 1\n", "default/profiles/x.yml": b"e: 1\n"}


def test_the_revision_follows_the_versions(bao: Bao) -> None:
    bao.put("team/kv", "moving/config", {"content": "same"})
    first = opened("vault://team/kv/moving", bao.url).source.revision
    assert opened("vault://team/kv/moving", bao.url).source.revision == first
    bao.put("team/kv", "moving/config", {"content": "same"})
    assert opened("vault://team/kv/moving", bao.url).source.revision != first


def test_without_versions_only_the_fingerprint_in_memory_follows_the_contents(bao: Bao) -> None:
    bao.put("kv1", "moving/config", {"content": "one"}, 1)
    old = opened("vault://kv1/moving", bao.url)
    bao.put("kv1", "moving/config", {"content": "two"}, 1)
    new = opened("vault://kv1/moving", bao.url)
    assert old.source.revision == new.source.revision == ""
    assert old.fingerprint != new.fingerprint


def test_eight_secrets_of_a_tree_are_read_at_once_and_never_more(bao: Bao) -> None:
    for number in range(16):
        bao.put("team/kv", f"crowded/f{number}", {"content": "x"})
    with relay(bao.url) as between:
        between.rule = crowd = Crowd(8, "/data/crowded/f")
        assert len(opened("vault://team/kv/crowded", between.url, retries=0).paths) == 16
        assert crowd.most == 8


def test_a_deleted_secret_is_no_file(bao: Bao) -> None:
    bao.put("team/kv", "deleting/config", {"content": "x"})
    bao.put("team/kv", "deleting/gone", {"content": "x"})
    bao.call("DELETE", "team/kv/data/deleting/gone")
    assert opened("vault://team/kv/deleting", bao.url).paths == {"config"}


def test_a_policy_for_the_tree_alone_is_enough(bao: Bao) -> None:
    bao.policy("tree", {"team/kv/data/hal/*": ["read"], "team/kv/metadata/hal/*": ["list"]})
    bao.policy("root-of-it", {"team/kv/metadata/hal": ["list"]})
    token = bao.token("tree", "root-of-it")
    assert opened("vault://team/kv/hal", bao.url, token).paths == set(FILES)
    with pytest.raises(RemoteError, match="denied access"):
        opened("vault://team/kv/one", bao.url, token)


def test_a_tree_that_changes_while_it_is_read_is_refused(bao: Bao) -> None:
    bao.put("team/kv", "restless/config", {"content": "x"})

    def write(request: Request) -> None:
        if request.path.endswith("/data/restless/config"):
            bao.put("team/kv", "restless/new", {"content": "x"})

    with relay(bao.url) as between:
        between.after = write
        with pytest.raises(
            CorruptError, match=r"vault://team/kv/restless: it changed while it was being read\. Run again\."
        ):
            opened("vault://team/kv/restless", between.url)


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [
        ("number", {"config": 5}, "the key config of the secret itself is not a string. Store the file as one string."),
        ("coded", {"config.base64": "!!"}, "the key config.base64 of the secret itself is not base64."),
        ("twice", {"config": "x", "config.base64": "eA=="}, "has a file both plain and with .base64"),
        ("climbing", {"../config": "x"}, "would leave the tree"),
        ("rooted", {"/config": "x"}, "would leave the tree"),
    ],
)
def test_secrets_that_cannot_be_files_are_refused(bao: Bao, path: str, values: dict[str, object], words: str) -> None:
    bao.put("team/kv", f"bad/{path}", values)
    with pytest.raises(CorruptError) as caught:
        opened(f"vault://team/kv/bad/{path}", bao.url)
    assert words in str(caught.value)


def test_a_file_that_two_secrets_hold_is_refused(bao: Bao) -> None:
    bao.put("team/kv", "double/a", {"b": "x"})
    bao.put("team/kv", "double/a/b", {"content": "y"})
    with pytest.raises(CorruptError, match="a/b exists twice, or is both a file and a folder"):
        opened("vault://team/kv/double", bao.url)


def test_nothing_there_and_nothing_like_that(bao: Bao) -> None:
    with pytest.raises(NotFoundError, match=r"vault://team/kv/none: no secret at or below team/kv/none"):
        opened("vault://team/kv/none", bao.url)
    snapshot = opened("vault://team/kv/hal", bao.url, largest_file=3)
    with pytest.raises(NotFoundError, match="file nothing not found"):
        snapshot.read(["nothing"])
    with pytest.raises(CorruptError, match="config has 5 bytes; the limit is 3"):
        snapshot.read(["config"])


@pytest.mark.parametrize("url", ["vault://", "vault:///x", "vault://host:8200/x", "vault://t@m/x", "vault://m/../x"])
def test_an_address_is_a_mount_and_a_path_and_never_a_server(url: str) -> None:
    assert read_address("vault://m/a/b/") == "m/a/b"
    with pytest.raises(UsageError, match=r"A Vault source must be vault://mount/path\. Fix --repo; set the server"):
        read_address(url)
