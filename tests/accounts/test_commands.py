"""`halgit accounts` as a user runs it: against a git repository, with Clouddriver's classes as the judge."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clouddriver import Judge
from program import Ran, halgit
from servers.aws import KEYS, Cloud
from servers.minio import minio
from servers.openbao import ROOT_TOKEN, openbao
from servers.repositories import Repository

from halgit import yaml as hyaml
from halgit.accounts.cipher import Cipher
from halgit.redaction import Secret

FILE = "accounts/clouddriver-local.yml"
CA = base64.b64encode(b"ca").decode()
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: 'https://x', certificate-authority-data: {CA}}}}}]
users: [{{name: u, user: {{token: canary-token}}}}, {{name: other, user: {{token: canary-other}}}}]
contexts: [{{name: one, context: {{cluster: c, user: u}}}}, {{name: two, context: {{cluster: c, user: other}}}}]
current-context: one
"""
KEY = "the-encrypt-key"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with minio(tmp_path_factory.mktemp("minio")) as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "accounts.git")
    made.commit({"README": "hello\n"})
    made.git("checkout", "--quiet", "--detach")
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "key").write_text(KEY + "\n")
    return made


def accounts(repository: Repository, command: str, *arguments: object, **environment: str) -> Ran:
    ran = halgit(
        "accounts", command, *arguments, "--repo", repository.url, "--ref", "main",
        cwd=repository.folder.parent, **environment,
    )  # fmt: skip
    assert "canary" not in ran.out + ran.err
    return ran


def data(repository: Repository) -> dict[str, object]:
    return dict(hyaml.read(repository.git("show", f"main:{FILE}").encode(), FILE).data)


def entries(repository: Repository, provider: str = "kubernetes") -> list[dict[str, object]]:
    return list(data(repository)[provider]["accounts"])  # type: ignore[index]


def opened(value: object, key: str = KEY) -> str:
    return Cipher(Secret(key, "key")).decrypt(str(value))


def refused(ran: Ran) -> str:
    assert ran.code == 6, (ran.code, ran.err)
    return ran.err.removeprefix("halgit: ").rstrip("\n")


def test_an_account_from_start_to_end(repository: Repository, clouddriver: Judge) -> None:
    assert accounts(repository, "list").out == "No accounts.\n"
    added = accounts(
        repository, "add", "prod-eu", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key",
        "--field", "permissions={READ: [dev], WRITE: [ops]}", "--field", "cacheThreads=2",
    )  # fmt: skip
    assert added.code == 0, added.err
    assert added.out == f"Wrote clouddriver-local.yml as {repository.git('rev-parse', 'main')[:12]}.\n"
    (entry,) = entries(repository)
    text = opened(entry.pop("kubeconfigContents"))
    assert "canary-token" in text
    assert "canary-other" not in text, "only the context that is used is stored"
    assert entry == {
        "name": "prod-eu", "permissions": {"READ": ["dev"], "WRITE": ["ops"]}, "cacheThreads": 2, "context": "one",
    }  # fmt: skip
    (bound,) = clouddriver.of_repository(repository.url, key=KEY).accounts("kubernetes")
    assert (bound["name"], bound["kubeconfigContents"], bound["cacheThreads"]) == ("prod-eu", text, 2)
    listed = accounts(repository, "list")
    assert listed.out == "account  provider    environment  agent  expires\nprod-eu  kubernetes\n"
    shown = accounts(repository, "show", "prod-eu")
    assert "kubeconfigContents: '********'\n" in shown.out
    assert accounts(repository, "update", "prod-eu", "--field", "cacheThreads=3", "--unset", "context").code == 0
    assert entries(repository)[0]["cacheThreads"] == 3
    removed = accounts(repository, "remove", "prod-eu", "--format", "json")
    assert removed.json["notes"] == [
        "Nothing was revoked: the kubeconfig's credentials stay valid until they are revoked at the cluster."
    ]
    assert entries(repository) == []
    kept = data(repository)["halgit"]["keep"]  # type: ignore[index]
    assert opened(kept) == "Keeps Spring decrypting this file after its last account with a secret is removed."
    assert clouddriver.of_repository(repository.url, key=KEY).accounts("kubernetes") == []


def test_a_kubeconfig_is_stored_as_plain_text_only_on_request(repository: Repository) -> None:
    ran = accounts(repository, "add", "a", "--kubeconfig", "kubeconfig")
    assert (ran.code, ran.err) == (
        2,
        "halgit: There is no key to encrypt the kubeconfig with. Add encrypt.key with --encrypt-key-file, or"
        " --plaintext-kubeconfig to store it readable for all.\n",
    )
    assert accounts(repository, "add", "a", "--kubeconfig", "kubeconfig", "--plaintext-kubeconfig").code == 0
    (entry,) = entries(repository)
    file = str(entry["kubeconfigFile"]).removeprefix("configserver:")
    assert "canary-token" in repository.git("show", f"main:accounts/{file}")
    assert hashlib.sha256(repository.git("show", f"main:accounts/{file}").encode()).hexdigest()[:12] not in file
    before = repository.git("rev-parse", "main")
    same = accounts(repository, "update", "a", "--kubeconfig", "kubeconfig", "--plaintext-kubeconfig")
    assert (same.code, entries(repository), repository.git("rev-parse", "main")) == (0, [entry], before)
    ran = accounts(repository, "update", "a", "--field", "kubeconfigContents=canary")
    assert (ran.code, ran.err) == (
        2, "halgit: kubeconfigContents cannot be set as a field. Use --kubeconfig.\n",
    )  # fmt: skip
    (repository.folder.parent / "kubeconfig").write_text(KUBECONFIG.replace("canary-token", "canary-new"))
    ran = accounts(repository, "update", "a", "--kubeconfig", "kubeconfig", "--plaintext-kubeconfig")
    assert ran.code == 0, ran.err
    (new,) = repository.git("ls-tree", "-r", "--name-only", "main", "accounts/kubeconfigs").splitlines()
    assert new != f"accounts/{file}", "Clouddriver never reads a file again whose name it knows"


def test_texts_stay_what_was_typed(repository: Repository, clouddriver: Judge) -> None:
    typed = ("accountId=012345678901", "externalId=0755", "environment=on", "assumeRole=1_000", "lambdaEnabled=on")
    fields = [part for text in typed for part in ("--field", text)]
    ran = accounts(repository, "add", "a", "--provider", "AWS", *fields)
    assert ran.code == 0, ran.err
    assert ran.err == "Clouddriver loads an aws account only when it is restarted.\n"
    (bound,) = clouddriver.of_repository(repository.url).accounts("aws")
    assert {key: bound[key] for key in ("accountId", "externalId", "environment", "assumeRole", "lambdaEnabled")} == {
        "accountId": "012345678901", "externalId": "0755", "environment": "on", "assumeRole": "1_000",
        "lambdaEnabled": True,
    }  # fmt: skip


def test_an_update_is_judged_by_the_entry_it_leads_to(repository: Repository, clouddriver: Judge) -> None:
    docker = ("--provider", "dockerRegistry", "--field", "address=https://r.example.com")
    assert accounts(repository, "add", "d", *docker).code == 0
    assert accounts(repository, "update", "d", "--field", "repositories=[a/b]").code == 0
    cloud = ("--field", "api=api.example.com", "--field", "user=u", "--field", "password=canary-p")
    space = ("--field", "spaceFilter={Org-Space: [dev]}")
    ran = accounts(repository, "add", "c", "--provider", "cloudfoundry", *cloud, *space, "--encrypt-key-file", "key")
    assert ran.code == 0, ran.err
    assert accounts(repository, "update", "c", "--field", "skipSslValidation=true").code == 0
    assert refused(accounts(repository, "update", "c", "--unset", "user")).startswith(
        "The account c is refused: user is required."
    )
    assert "repositories and catalogFile exclude each other" in refused(
        accounts(repository, "update", "d", "--field", "catalogFile=/x", "--allow", "local-file")
    )
    verdict = clouddriver.of_repository(repository.url, key=KEY)
    (bound,) = verdict.accounts("cloudfoundry")
    assert (bound["user"], bound["password"], bound["spaceFilter"]) == ("u", "canary-p", {"Org-Space": ["dev"]})
    assert verdict.accounts("docker-registry")[0]["repositories"] == ["a/b"]


REFUSED = {
    "a name in the fields": (["add", "a", "--field", "Name=b"], "Name cannot be set or removed as a field"),
    "a name as a folder": (["add", "kubeconfigs"], "the name kubeconfigs is a folder that Clouddriver uses"),
    "a name with a slash": (["add", "a/b"], "the name 'a/b' is not a safe file name"),
    "a name that leads up": (["add", "a..b"], "the name 'a..b' is not a safe file name"),
    "a null flag": (["add", "a", "--field", "debug=null"], "debug is not true or false"),
    "a flag as a number": (["add", "a", "--field", "debug=1"], "debug is not true or false"),
    "a number too large": (["add", "a", "--field", "cacheThreads=2147483648"], "cacheThreads is not an integer"),
    "an empty mapping": (["add", "a", "--field", "rawResourcesEndpointConfig={}"], "is an empty mapping"),
    "a null item": (["add", "a", "--field", "customResources=[null]"], "customResources[0] is null, not a mapping"),
    "a wrong permission": (["add", "a", "--field", "permissions={ALL: [x]}"], "ALL is not a permission"),
    "no access": (["add", "a"], "it has no kubeconfig, no agent and no service account"),
    "kubectl of one's own": (
        ["add", "a", "--field", "serviceAccount=true", "--field", "kubectlExecutable=/tmp/x"],
        "kubectlExecutable uses a program or file of Clouddriver's pod, which needs --allow kubectl-executable",
    ),
    "a local kubeconfig": (["add", "a", "--field", "kubeconfigFile=/etc/k"], "which needs --allow local-file"),
    "a file elsewhere": (
        ["add", "a", "--field", "kubeconfigFile=configserver:../x"], "names ../x, which is not a file of the store",
    ),
    "a file that is missing": (
        ["add", "a", "--field", "kubeconfigFile=configserver:x"], "names x, which is not a file of the store",
    ),
    "a command": (
        ["add", "a", "--provider", "docker-registry", "--field", "address=x", "--field", "passwordCommand=id"],
        "which needs --allow password-command",
    ),
    "a placeholder": (["add", "a", "--field", "environment=${HOME}"], "environment holds ${"),
    "a cipher that is none": (
        ["add", "a", "--provider", "docker-registry", "--field", "address=x", "--field", "password={cipher}12 34"],
        "password is not a {cipher} value that Spring can decrypt",
    ),
    "a scheme": (
        ["add", "a", "--provider", "cloudfoundry", "--field", "api=https://x", "--field", "user=u",
         "--field", "password=p"], "api is not a host name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_never_be_written_is_refused(repository: Repository, case: str) -> None:
    before = repository.git("rev-parse", "main")
    arguments, words = REFUSED[case]
    assert words in refused(accounts(repository, *arguments))
    assert repository.git("rev-parse", "main") == before


def test_duplicates_in_any_spelling_are_found_and_edited_in_place(repository: Repository, clouddriver: Judge) -> None:
    repository.git("checkout", "--quiet", "main")
    entry = "  - Name: one\n    Address: https://r.example.com\n    cache-threads: 2 # mine\n"
    text = f"docker-registry:\n  Accounts:\n{entry}"
    repository.commit({FILE: text})
    repository.git("checkout", "--quiet", "--detach")
    assert refused(accounts(repository, "add", "ONE", "--provider", "docker-registry", "--field", "address=x")) == (
        f"{FILE} has a docker-registry account one already. Choose another name, or update that account."
    )
    assert accounts(repository, "update", "one", "--field", "cacheThreads=3").code == 0
    assert repository.git("show", f"main:{FILE}") + "\n" == text.replace("cache-threads: 2", "cache-threads: 3")
    assert accounts(repository, "add", "two", "--provider", "docker-registry", "--field", "address=y").code == 0
    names = [one["name"] for one in clouddriver.of_repository(repository.url).accounts("docker-registry")]
    assert names == ["one", "two"]


SHAPES = {
    "accounts[0] beside accounts": "kubernetes:\n  accounts: []\n  accounts[0]: {name: a}\n",
    "dotted": "kubernetes.accounts:\n- name: a\n",
    "dotted items": "kubernetes:\n  accounts[0].name: a\n",
    "an indexed account as a section": "kubernetes.accounts[0].name: a\n",
    "two sections": "docker-registry: {accounts: []}\ndockerRegistry: {accounts: []}\n",
    "a profile": "spring: {config: {activate: {on-profile: prod}}}\nkubernetes: {accounts: []}\n",
    "two documents": "kubernetes: {accounts: []}\n---\naws: {accounts: []}\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_that_spring_reads_in_another_way_is_refused(repository: Repository, shape: str) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({FILE: SHAPES[shape]})
    repository.git("checkout", "--quiet", "--detach")
    refused(accounts(repository, "add", "b", "--field", "serviceAccount=true"))


def test_indexed_keys_are_found_and_edited_in_place(repository: Repository, clouddriver: Judge) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({FILE: "kubernetes:\n  accounts[0]:\n    name: a\n    serviceAccount: true\n"})
    repository.git("checkout", "--quiet", "--detach")
    assert accounts(repository, "update", "a", "--field", "cacheThreads=2").code == 0
    assert accounts(repository, "add", "b", "--field", "serviceAccount=true").code == 0
    bound = clouddriver.of_repository(repository.url).accounts("kubernetes")
    assert [(one["name"], one["cacheThreads"]) for one in bound] == [("a", 2), ("b", 0)]


def test_a_file_that_takes_precedence_and_a_link_are_reported(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({"accounts/clouddriver-local.properties": "kubernetes.accounts[0].name=x\n"})
    repository.git("checkout", "--quiet", "--detach")
    assert "clouddriver-local.properties takes precedence over clouddriver-local.yml" in refused(
        accounts(repository, "add", "a", "--field", "serviceAccount=true")
    )
    repository.git("checkout", "--quiet", "main")
    (repository.folder / "accounts/clouddriver-local.properties").unlink()
    (repository.folder / FILE).symlink_to("elsewhere.yml")
    repository.commit({"accounts/elsewhere.yml": "kubernetes: {accounts: []}\n"})
    repository.git("checkout", "--quiet", "--detach")
    ran = accounts(repository, "add", "a", "--field", "serviceAccount=true")
    assert f"{FILE} is a symbolic link. Replace it by the file itself." in ran.err


def test_the_key_must_open_what_the_file_has(repository: Repository) -> None:
    accounts(repository, "add", "a", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key")
    (repository.folder.parent / "other").write_text("another-key")
    assert refused(
        accounts(repository, "add", "b", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "other")
    ).startswith(f"{FILE}: the encryption key does not open kubernetes.accounts.0.kubeconfigContents, so Clouddriver")
    for content, words in (
        (b"\xef\xbb\xbfkey", "begins with a byte order mark"), (b"k\xff", "is not UTF-8"),
        (b"key \n", "has spaces or lines around the key"), (b"a\nb\n", "has spaces or lines around the key"),
    ):  # fmt: skip
        (repository.folder.parent / "other").write_bytes(content)
        ran = accounts(repository, "add", "b", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "other")
        assert ran.code == 2
        assert words in ran.err


def test_the_last_secret_cannot_go_without_a_kept_value(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    sealed = Cipher(Secret(KEY, "key")).encrypt("x")
    repository.commit({FILE: f"kubernetes:\n  accounts:\n  - name: a\n    kubeconfigContents: '{sealed}'\n"})
    repository.git("checkout", "--quiet", "--detach")
    assert "the account a has the last {cipher} value of the file" in refused(accounts(repository, "remove", "a"))
    assert accounts(repository, "remove", "a", "--encrypt-key-file", "key").code == 0
    assert "halgit" in data(repository)


def test_a_key_is_rotated_in_one_commit_or_not_at_all(repository: Repository, clouddriver: Judge) -> None:
    for name in ("a", "b"):
        accounts(repository, "add", name, "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key")
    repository.git("checkout", "--quiet", "main")
    others = ("accounts/application.yml", "clouddriver.yml", "accounts/other.yml", "x/application.yml")
    repository.commit(dict.fromkeys(others, "a: '{cipher}00'\n"))
    repository.git("checkout", "--quiet", "--detach")
    (repository.folder.parent / "new").write_text("another-encrypt-key")
    wrong = accounts(repository, "rotate-key", "--old-key-file", "new", "--encrypt-key-file", "key")
    assert wrong.code == 6
    assert wrong.err.startswith(f"halgit: {FILE}: the old key does not open kubernetes.accounts.0.kubeconfigContents,")
    before = int(repository.git("rev-list", "--count", "main"))
    right = accounts(
        repository, "rotate-key", "--old-key-file", "key", "--encrypt-key-file", "new",
        "--encrypt-salt", "cafe", "--old-salt", "deadbeef",
    )  # fmt: skip
    assert right.err == (
        "3 values encrypted with the new key. Change encrypt.key, and encrypt.salt if it is another, in"
        " spinnakerconfig.yml and restart Clouddriver.\naccounts/application.yml has {cipher} values, too: encrypt them"
        " again.\nclouddriver.yml has {cipher} values, too: encrypt them again.\n"
    )
    assert int(repository.git("rev-list", "--count", "main")) == before + 1
    repository.git("checkout", "--quiet", "main")
    for file in ("accounts/application.yml", "clouddriver.yml"):
        (repository.folder / file).unlink()
    repository.commit()
    repository.git("checkout", "--quiet", "--detach")
    verdict = clouddriver.of_repository(repository.url, key="another-encrypt-key", salt="cafe")
    assert ["canary-token" in one["kubeconfigContents"] for one in verdict.accounts("kubernetes")] == [True, True]
    assert clouddriver.of_repository(repository.url, key=KEY).served


def test_the_public_key_is_refused_and_can_be_rotated_away(repository: Repository) -> None:
    public = "password"
    (repository.folder.parent / "public").write_text(public)
    ran = accounts(repository, "add", "a", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "public")
    assert ran.code == 2
    assert "is the default of the ISD charts, which is public." in ran.err
    repository.git("checkout", "--quiet", "main")
    sealed = Cipher(Secret(public, "key"), old=True).encrypt("x")
    repository.commit({FILE: f"kubernetes:\n  accounts:\n  - name: a\n    kubeconfigContents: '{sealed}'\n"})
    repository.git("checkout", "--quiet", "--detach")
    assert accounts(repository, "rotate-key", "--old-key-file", "public", "--encrypt-key-file", "key").code == 0
    assert opened(entries(repository)[0]["kubeconfigContents"]) == "x"


def test_a_dry_run_shows_the_difference_and_writes_nothing(repository: Repository) -> None:
    before = repository.git("rev-parse", "main")
    ran = accounts(
        repository, "add", "a", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key", "--dry-run",
    )  # fmt: skip
    assert ran.out == (
        "+ name: a\n+ context: one\n+ kubeconfigContents: '********'\nWould write clouddriver-local.yml.\n"
    )
    assert repository.git("rev-parse", "main") == before


def test_identical_input_makes_no_commit(repository: Repository) -> None:
    add = ("--kubeconfig", "kubeconfig", "--encrypt-key-file", "key")
    accounts(repository, "add", "a", *add)
    before = repository.git("rev-parse", "main")
    assert accounts(repository, "update", "a", *add).out == "Nothing to change.\n"
    assert repository.git("rev-parse", "main") == before


def test_an_empty_repository_is_a_start(tmp_path: Path) -> None:
    empty = Repository(tmp_path / "accounts.git")
    empty.git("config", "receive.denyCurrentBranch", "ignore")
    assert accounts(empty, "list").out == "No accounts.\n"
    assert accounts(empty, "add", "a", "--field", "serviceAccount=true").code == 0
    assert entries(empty) == [{"name": "a", "serviceAccount": True}]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "crlf"])
def test_kubeconfigs_of_other_machines_are_read(repository: Repository, encoding: str) -> None:
    file = repository.folder.parent / "kubeconfig"
    if encoding == "crlf":
        file.write_bytes(KUBECONFIG.replace("\n", "\r\n").encode())
    else:
        file.write_bytes(KUBECONFIG.encode(encoding))
    ran = accounts(repository, "add", "a", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key")
    assert ran.code == 0, ran.err
    assert "canary-token" in opened(entries(repository)[0]["kubeconfigContents"])


def test_the_config_server_is_told_of_the_store(repository: Repository) -> None:
    ran = accounts(repository, "config-server", "--encrypt-key-file", "key")
    config = hyaml.read(ran.out.encode(), "").data
    assert config["spring"]["cloud"]["config"]["server"]["git"] == {
        "uri": repository.url, "basedir": "/tmp/config-repo", "refreshRate": 10, "forcePull": True,
        "cloneOnStart": True, "defaultLabel": "main", "searchPaths": "accounts",
    }  # fmt: skip
    assert config["encrypt"] == {"key": "<encrypt.key>"}
    salted = accounts(repository, "config-server", "--encrypt-key-file", "key", "--encrypt-salt", "cafe")
    assert hyaml.read(salted.out.encode(), "").data["encrypt"] == {"key": "<encrypt.key>", "salt": "cafe"}


ODD = (
    "0755", "1e3", "true", "null", "2020-01-01", "on", "~", "a #b", "a: b", "@x", " x ", "{a", "- y", "|", '"half',
    "it's", "two\nlines\n\n", "\ttab", "$x {y}", "\U0001f642", "\u2028", "\ufeffx", "x\r\n", "\0",
    'a\n#: {"change": ["a", "b", "c", "d"]}\n',
)  # fmt: skip


@pytest.mark.parametrize("kind", ["s3", "vault"])
def test_the_config_server_reads_what_is_written_with_the_settings_that_are_printed(
    kind: str, clouddriver: Judge, tmp_path: Path
) -> None:
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "key").write_text(KEY)
    with contextlib.ExitStack() as stack:
        if kind == "s3":
            cloud = stack.enter_context(minio(tmp_path))
            cloud.bucket("config", {})
            url, endpoint, environment = "s3://config/team", cloud.url, {**KEYS, "AWS_ENDPOINT_URL_S3": cloud.url}
        else:
            bao = stack.enter_context(openbao(tmp_path))
            bao.mount("kv", 2)
            url, endpoint = "vault://kv/team", bao.url
            environment = {"VAULT_ADDR": bao.url, "VAULT_TOKEN": ROOT_TOKEN}
        for folder in ("accounts/", "."):
            where = ("--repo", url, "--accounts-path", folder, "--encrypt-key-file", "key")
            ran = halgit("accounts", "add", "prod", "--kubeconfig", "kubeconfig", *where, cwd=tmp_path, **environment)
            assert ran.code == 0, ran.err
            ran = halgit("accounts", "config-server", *where, cwd=tmp_path, **environment)
            settings = hyaml.read(ran.out.encode(), "").data["spring"]["cloud"]["config"]["server"]
            (bound,) = clouddriver.of_backend(settings, endpoint, KEY, ROOT_TOKEN).accounts("kubernetes")
            assert (bound["name"], "canary-token" in bound["kubeconfigContents"]) == ("prod", True)
            (tmp_path / "fields").write_bytes(hyaml.dump({"address": "x", "password": "\n", "repositories": list(ODD)}))
            hub = ("--provider", "docker-registry", "--fields", "fields")
            ran = halgit("accounts", "add", "hub", *hub, *where, cwd=tmp_path, **environment)
            assert ran.code == 0, ran.err
            (bound,) = clouddriver.of_backend(settings, endpoint, KEY, ROOT_TOKEN).accounts("docker-registry")
            assert (bound["password"], bound["repositories"]) == ("\n", list(ODD))
        ran = halgit("accounts", "update", "hub", "--field", "email=\x85", *where, cwd=tmp_path, **environment)
        refusal = "has the character U+0085, which Spring reads as a space in Vault's JSON. Remove it from the value."
        assert (ran.code, refusal in ran.err) == ((6, True) if kind == "vault" else (0, False)), ran.err


@pytest.mark.parametrize("folder", ["accounts/", "."])
@pytest.mark.parametrize("url", ["s3://files", "s3://files/team"])
def test_a_kubeconfig_in_s3_is_the_file_that_clouddriver_gets(
    url: str, folder: str, cloud: Cloud, clouddriver: Judge, tmp_path: Path
) -> None:
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    url = url.replace("files", f"files-{len(url + folder)}")
    cloud.bucket(url.split("/")[2], {})
    environment = {**KEYS, "AWS_ENDPOINT_URL_S3": cloud.url}
    where = ("--repo", url, "--accounts-path", folder)
    plain = ("--kubeconfig", "kubeconfig", "--plaintext-kubeconfig")
    ran = halgit("accounts", "add", "prod", *plain, *where, cwd=tmp_path, **environment)
    assert ran.code == 0, ran.err
    printed = halgit("accounts", "config-server", *where, cwd=tmp_path, **environment).out
    settings = hyaml.read(printed.encode(), "").data["spring"]["cloud"]["config"]["server"]
    (bound,) = clouddriver.of_backend(settings, cloud.url, "").accounts("kubernetes")
    file = str(bound["kubeconfigFile"]).removeprefix("configserver:")
    assert "canary-token" in clouddriver.file(file, settings, cloud.url)
    assert halgit("accounts", "remove", "prod", *where, cwd=tmp_path, **environment).code == 0


SETTINGS = {
    "https://git.example.com/org/a.git": {
        "profile": "git", "uri": "https://git.example.com/org/a.git", "searchPaths": ["accounts"], "refreshRate": 10,
        "forcePull": True, "cloneOnStart": True, "username": "<git user>", "password": "<git token>",
    },
    "ssh://git@h/a.git": {"profile": "git", "uri": "ssh://git@h/a.git", "basedir": "/tmp/config-repo"},
    "s3://bucket/team": {"profile": "awss3", "bucket": "bucket", "region": "<region>", "label": "team/accounts"},
    "vault://kv/team": {
        "profile": "vault", "backend": "kv", "kvVersion": 2, "pathToKey": "team/accounts", "scheme": "https",
        "authentication": "KUBERNETES",
    },
}  # fmt: skip


@pytest.mark.parametrize("url", SETTINGS)
def test_the_config_server_knows_every_key_of_the_settings_that_are_printed(url: str, clouddriver: Judge) -> None:
    ran = halgit("accounts", "config-server", "--repo", url, VAULT_ADDR="https://vault", VAULT_TOKEN="t")
    assert ran.code == 0, ran.err
    bound = clouddriver.settings(ran.out)
    assert {key: bound[key] for key in SETTINGS[url]} == SETTINGS[url]


FIELDS = {
    "cacheThreads": "A --field has no name or no value. Write --field KEY=YAML.",
    "a=[": "--field a:",
}


@pytest.mark.parametrize("field", FIELDS)
def test_fields_that_cannot_be_read_are_a_usage_error(repository: Repository, field: str) -> None:
    ran = accounts(repository, "add", "a", "--field", field)
    assert ran.code == 2
    assert ran.err.startswith("halgit: " + FIELDS[field])


def test_options_that_cannot_work_are_a_usage_error(repository: Repository) -> None:
    for arguments, words in (
        (("update", "a"), "There is nothing to change. Add --field, --unset, --kubeconfig or --agent."),
        (("add", "a", "--agent="), "The name of the agent is empty. Name the agent, or remove the option."),
        (("add", "a", "--agent", "x", "--endpoint="), "The name of the endpoint is empty. Name the agent's Kubernetes"),
        (("add", "a", "--agent", "x", "--kubeconfig", "kubeconfig"), "A kubeconfig and an agent exclude each other."),
        (("update", "a", "--context", "x", "--field", "debug=on"), "A context is selected without a kubeconfig."),
        (("add", "a", "--kubeconfig", "kubeconfig", "--field", "context=x"), "context and a kubeconfig exclude each"),
        (("add", "a", "--agent", "x"), "There is no controller. Add --controller-url and the login it needs."),
    ):  # fmt: skip
        ran = accounts(repository, *arguments)
        assert (ran.code, words in ran.err) == (2, True), ran.err


def test_signed_history_is_required_where_it_is_asked_for(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("a@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ\n")
    verify = ("--verify-signatures", "signers")
    (tmp_path / "signing").write_text("x")
    ran = accounts(repository, "add", "a", "--field", "serviceAccount=true", *verify, "--signing-key-file", "signing")
    assert (ran.code, "is not trusted: it is not signed" in ran.err) == (3, True), ran.err


def test_a_space_filter_that_spring_would_lose_is_refused(repository: Repository, clouddriver: Judge) -> None:
    cloud = ("--provider", "cloudfoundry", "--field", "api=api.example.com", "--field", "user=u")
    space = ("--field", "spaceFilter={Org Space: [dev]}", "--field", "password=canary-p")
    assert accounts(repository, "add", "c", *cloud, *space).code == 0
    (bound,) = clouddriver.of_repository(repository.url).accounts("cloudfoundry")
    assert bound["spaceFilter"] == {"Org Space": ["dev"]}
    add = ("add", "k", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key")
    assert "loses keys of spaceFilter that have spaces: c ([Org Space])" in refused(accounts(repository, *add))
    text = repository.git("show", f"main:{FILE}") + f"\nhalgit: {{keep: '{Cipher(Secret(KEY, '')).encrypt('x')}'}}\n"
    assert clouddriver.of_text(text, KEY).accounts("cloudfoundry")[0]["spaceFilter"] == {"Org Space": ["dev"]}
    text = text.replace("canary-p", "'" + Cipher(Secret(KEY, "")).encrypt("x") + "'")
    assert clouddriver.of_text(text, KEY).accounts("cloudfoundry")[0]["spaceFilter"] == {}


def test_a_kubeconfig_comes_from_standard_input(repository: Repository) -> None:
    command = [sys.executable, "-m", "halgit", "accounts", "add", "a", "--kubeconfig", "-", "--encrypt-key-file", "key",
               "--repo", repository.url, "--ref", "main"]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(
        command, cwd=repository.folder.parent, env=environment, input=KUBECONFIG.encode(), capture_output=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "canary-token" in opened(entries(repository)[0]["kubeconfigContents"])


def test_a_removal_asks_on_a_terminal(repository: Repository) -> None:
    import pty

    accounts(repository, "add", "a", "--field", "serviceAccount=true")
    command = [sys.executable, "-m", "halgit", "accounts", "remove", "a", "--repo", repository.url, "--ref", "main"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    for answer, left in ((b"n\n", 1), (b"y\n", 0)):
        ours, theirs = pty.openpty()
        with subprocess.Popen(command, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
            os.close(theirs)
            seen = b""
            while b"Remove the account a?" not in seen:
                seen += os.read(ours, 1000)
            os.write(ours, answer)
            assert process.stdout is not None
            process.stdout.read()
        os.close(ours)
        assert len(entries(repository)) == left
