"""`halgit accounts` as a user runs it: against a git repository and a controller that asks for a certificate."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Ran, halgit
from servers.controller import FakeController, controller
from servers.repositories import Repository

from halgit import yaml as hyaml
from halgit.accounts.cipher import Cipher
from halgit.redaction import Secret

FILE = "accounts/clouddriver-local.yml"
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://x', certificate-authority-data: YQ==}}]
users: [{name: u, user: {token: canary-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "accounts.git")
    made.commit({"README": "hello\n"})
    made.git("checkout", "--quiet", "--detach")
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "key").write_text("the-encrypt-key\n")
    return made


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[FakeController]:
    with controller(tmp_path) as running:
        yield running


def accounts(repository: Repository, *arguments: object, **environment: str) -> Ran:
    command, *rest = arguments
    ran = halgit(
        "accounts",
        command,
        *rest,
        "--repo",
        repository.url,
        "--ref",
        "main",
        cwd=repository.folder.parent,
        **environment,
    )
    assert "canary" not in ran.out + ran.err
    return ran


def entries(repository: Repository) -> list[dict[str, object]]:
    data = hyaml.read(repository.git("show", f"main:{FILE}").encode(), FILE).data
    return list(data["kubernetes"]["accounts"])


def test_an_account_from_start_to_end(repository: Repository) -> None:
    assert accounts(repository, "list").out == "No accounts.\n"
    added = accounts(
        repository, "add", "prod-eu", "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key",
        "--field", "permissions={READ: [dev], WRITE: [ops]}", "--field", "cacheThreads=2",
    )  # fmt: skip
    assert added.code == 0, added.err
    assert added.out == f"Wrote clouddriver-local.yml as {repository.git('rev-parse', 'main')[:12]}.\n"
    (entry,) = entries(repository)
    sealed = str(entry.pop("kubeconfigContents"))
    assert Cipher(Secret("the-encrypt-key", "key")).decrypt(sealed) == KUBECONFIG
    assert entry == {
        "name": "prod-eu", "permissions": {"READ": ["dev"], "WRITE": ["ops"]}, "cacheThreads": 2, "context": "one",
    }  # fmt: skip
    listed = accounts(repository, "list")
    assert listed.out == "account  provider    environment\nprod-eu  kubernetes\n"
    shown = accounts(repository, "show", "prod-eu")
    assert "kubeconfigContents: '********'\n" in shown.out
    assert accounts(repository, "update", "prod-eu", "--field", "cacheThreads=3", "--unset", "context").code == 0
    assert entries(repository)[0]["cacheThreads"] == 3
    removed = accounts(repository, "remove", "prod-eu", "--format", "json")
    assert removed.json["notes"] == [
        "Nothing was revoked: what the kubeconfig grants stays valid until it is revoked at the cluster.",
        "No {cipher} value is left in the file. Clouddriver keeps its copy of the old list until it is restarted.",
    ]
    assert entries(repository) == []


def test_a_kubeconfig_stands_in_the_open_only_where_that_is_asked_for(repository: Repository) -> None:
    refused = accounts(repository, "add", "a", "--kubeconfig", "kubeconfig")
    assert (refused.code, refused.err) == (
        2,
        "halgit: There is no key to encrypt the kubeconfig with. Give encrypt.key with --encrypt-key-file, or"
        " --plaintext-kubeconfig to keep it readable for all.\n",
    )
    assert accounts(repository, "add", "a", "--kubeconfig", "kubeconfig", "--plaintext-kubeconfig").code == 0
    (entry,) = entries(repository)
    file = str(entry["kubeconfigFile"]).removeprefix("configserver:")
    assert repository.git("show", f"main:accounts/{file}") + "\n" == KUBECONFIG
    ran = accounts(repository, "update", "a", "--field", "kubeconfigContents=canary")
    assert (ran.code, ran.err) == (
        2, "halgit: kubeconfigContents is not given as a field. Give the kubeconfig with --kubeconfig.\n",
    )  # fmt: skip


def test_a_key_is_rotated_in_one_commit_or_not_at_all(repository: Repository) -> None:
    for name in ("a", "b"):
        accounts(repository, "add", name, "--kubeconfig", "kubeconfig", "--encrypt-key-file", "key")
    (repository.folder.parent / "new").write_text("another-encrypt-key")
    wrong = accounts(repository, "rotate-key", "--old-key-file", "new", "--encrypt-key-file", "key")
    assert wrong.code == 6
    assert wrong.err.startswith(f"halgit: {FILE}: the old key does not open kubernetes.accounts.0.kubeconfigContents,")
    before = int(repository.git("rev-list", "--count", "main"))
    right = accounts(repository, "rotate-key", "--old-key-file", "key", "--encrypt-key-file", "new")
    assert right.err == "2 values encrypted anew. Change encrypt.key in spinnakerconfig.yml and restart Clouddriver.\n"
    assert int(repository.git("rev-list", "--count", "main")) == before + 1
    opened = {
        Cipher(Secret("another-encrypt-key", "")).decrypt(str(e["kubeconfigContents"])) for e in entries(repository)
    }
    assert opened == {KUBECONFIG}


def test_a_remote_account_asks_the_controller(repository: Repository, remote: FakeController) -> None:
    remote.names = {"shop": ["kubernetes"]}
    ran = accounts(repository, "add", "shop-prod", "--agent", "shop", "--encrypt-key-file", "key", *remote.options())
    assert (ran.code, ran.err) == (0, "")
    assert remote.asked == [
        ("generateKubectlComponents", {"agentName": "shop", "name": "kubernetes"}), ("getAgentStatistics", None),
    ]  # fmt: skip
    text = Cipher(Secret("the-encrypt-key", "key")).decrypt(str(entries(repository)[0]["kubeconfigContents"]))
    data = hyaml.read(text.encode(), "").data
    assert data["clusters"][0]["cluster"]["server"] == "https://controller:9002"
    assert data["current-context"] == "shop-prod"


def test_an_agent_that_is_not_there_yet_is_told_of(repository: Repository, remote: FakeController) -> None:
    options = ("--encrypt-key-file", "key", *remote.options())
    ran = accounts(repository, "add", "a", "--agent", "shop", *options)
    assert (ran.code, ran.err) == (0, "The agent shop is not connected: apply its manifest in the cluster.\n")
    remote.names = {"shop": ["one", "two"]}
    ran = accounts(repository, "add", "b", "--agent", "shop", "--endpoint", "three", *options)
    assert ran.err == "The agent shop offers no Kubernetes endpoint three (endpoints: one, two).\n"


def test_a_controller_of_the_fifth_generation_takes_and_gives_tokens(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "fifth").mkdir()
    (tmp_path / "token").write_text("canary-control")
    with controller(tmp_path / "fifth", token="canary-control") as remote:
        login = ["--controller-url", remote.url, "--controller-ca-file", str(remote.ca)]
        ran = accounts(
            repository, "add", "a", "--agent", "shop", "--encrypt-key-file", "key", *login,
            "--controller-token-file", tmp_path / "token",
        )  # fmt: skip
        assert ran.code == 0, ran.err
    text = Cipher(Secret("the-encrypt-key", "key")).decrypt(str(entries(repository)[0]["kubeconfigContents"]))
    assert hyaml.read(text.encode(), "").data["users"][0]["user"] == {"token": "controller-made-token"}


def test_what_goes_wrong_with_a_controller_is_told_and_nothing_written(
    repository: Repository, remote: FakeController, tmp_path: Path
) -> None:
    before = repository.git("rev-parse", "main")

    def failed(*options: object) -> tuple[int, str]:
        ran = accounts(repository, "add", "a", "--agent", "shop", "--encrypt-key-file", "key", *options)
        return ran.code, ran.err.removeprefix("halgit: ").rstrip("\n")

    (tmp_path / "stranger").mkdir()
    with controller(tmp_path / "stranger") as other:
        pass
    ca, cert, key = (
        ["--controller-ca-file", remote.ca],
        ["--controller-cert-file", remote.cert],
        ["--controller-key-file", remote.key],
    )
    url = ["--controller-url", remote.url]
    theirs = ["--controller-cert-file", other.cert, "--controller-key-file", other.key]
    at = f"The controller at {remote.url}"
    assert failed(*url, *ca, *theirs) == (
        3, f"{at} does not take the control certificate. It may have expired: `halgit isd status` tells.",
    )  # fmt: skip
    assert failed(*url, "--controller-ca-file", other.ca, *cert, *key) == (
        3, f"{at} has a certificate that --controller-ca-file does not vouch for. Give its own authority.",
    )  # fmt: skip
    local = ["--controller-url", remote.url.replace("127.0.0.1", "localhost")]
    assert failed(*local, *ca, *cert, *key) == (
        3, f"The controller at {local[1]} has a certificate for another name. Give that name with"
        " --controller-server-name.",
    )  # fmt: skip
    assert failed(*url, *ca) == (
        2, "The controller needs a login. Give --controller-cert-file and --controller-key-file, or a token.",
    )  # fmt: skip
    assert failed() == (2, "No controller is known. Give --controller-url and the login it asks for.")
    assert failed("--controller-url", other.url, *ca, *cert, *key, "--retries", 0) == (
        3, f"The controller at {other.url} is unreachable. Check --controller-url and the network.",
    )  # fmt: skip
    assert failed(*url, *ca, *cert, "--controller-key-file", "nowhere") == (
        2, "The controller's login: nowhere cannot be read. Name a readable file.",
    )  # fmt: skip
    assert repository.git("rev-parse", "main") == before


def test_the_name_in_the_certificate_can_be_given(repository: Repository, remote: FakeController) -> None:
    remote.url = remote.url.replace("127.0.0.1", "localhost")
    options = (*remote.options(), "--controller-server-name", "127.0.0.1")
    assert accounts(repository, "add", "a", "--agent", "shop", "--encrypt-key-file", "key", *options).code == 0


def test_a_manifest_goes_to_a_file_only_its_owner_reads(remote: FakeController, tmp_path: Path) -> None:
    target = tmp_path / "agent.yaml"
    ran = halgit(
        "accounts", "manifest", "shop", "--namespace", "opsmx", "--output", target, *remote.options(),
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    kinds = {document["kind"]: document for document in hyaml.read(target.read_bytes(), "", many=True).documents}
    assert list(kinds) == ["ServiceAccount", "Role", "RoleBinding", "Secret", "ConfigMap", "Deployment"]
    container = kinds["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "quay.io/opsmxpublic/forwarder-agent:v3.5.7"
    wide = halgit(
        "accounts", "manifest", "shop", "--namespace", "opsmx", "--output", target, "--cluster-wide", *remote.options(),
    )  # fmt: skip
    assert wide.code == 0
    kinds = {document["kind"] for document in hyaml.read(target.read_bytes(), "", many=True).documents}
    assert {"ClusterRole", "ClusterRoleBinding"} <= kinds


FIELDS = {
    "cacheThreads": "A --field has no name or no value. Write --field KEY=YAML.",
    "a=[": "--field a:",
}


@pytest.mark.parametrize("field", FIELDS)
def test_fields_that_are_none_are_wrong_use(repository: Repository, field: str) -> None:
    ran = accounts(repository, "add", "a", "--field", field)
    assert ran.code == 2
    assert ran.err.startswith("halgit: " + FIELDS[field])


def test_an_update_of_nothing_is_wrong_use(repository: Repository) -> None:
    ran = accounts(repository, "update", "a")
    assert (ran.code, ran.err) == (
        2, "halgit: There is nothing to change. Give --field, --unset, --kubeconfig or --agent.\n",
    )  # fmt: skip
