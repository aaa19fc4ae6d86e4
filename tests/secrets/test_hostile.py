"""A hostile pull request, played with the real program: no repository moves or widens what the operator gave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Ran, halgit, tree
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Relay, relay

CONFIG = "deploymentConfigurations:\n- name: default\n  version: '1.36.1'\n"
CONFIG += "  persistentStorage: {persistentStoreType: s3, s3: {bucket: b}}\n"
GATE = "default/profiles/gate-local.yml"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        running.mount("kv", 2)
        running.put("kv", "hal/gate", {"k": "ours"})
        running.put("kv", "finance/payroll", {"k": "theirs"})
        yield running


@pytest.fixture
def between(bao: Bao) -> Iterator[Relay]:
    """The operator's Vault; `seen` is what it was asked."""
    with relay(bao.url) as running:
        yield running


@pytest.fixture
def evil(bao: Bao) -> Iterator[Relay]:
    """A server that the pull request would like the token to go to."""
    with relay(bao.url) as running:
        yield running


def render(repo: Path, between: Relay, *options: str) -> Ran:
    out = repo.parent / ".hal"
    return halgit("render", "--repo", repo, "--out", out, *options, VAULT_ADDR=between.url, VAULT_TOKEN=ROOT_TOKEN,
                  HOME_OF_HAL="of the operator")  # fmt: skip


def repository(folder: Path, gate: str, settings: str = "") -> Path:
    (folder / "default/profiles").mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    (folder / GATE).write_text(gate)
    (folder / "halgit.yaml").write_text(settings)
    return folder


def line(reference: str) -> str:
    return f"a: \"${{{{ secret('{reference}') }}}}\"\n"


def host(server: Relay) -> str:
    return server.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (line("env://VAULT_TOKEN"), "The engine env is disabled (env://VAULT_TOKEN)."),
        (line("file:///proc/self/environ"), "The engine file is disabled (file:///proc/self/environ)."),
        (line("k8s://kube-system/admin#token"), "secrets of the namespace kube-system are not allowed"),
        ("a: encrypted:k8s!ns:kube-system!n:admin!k:token\n", "secrets of the namespace kube-system are not allowed"),
        ("a: encrypted:k8s!n:../../kube-system/secrets/admin!k:token\n", "is not a valid name of a Kubernetes Secret"),
        (line("vault://{evil}/kv/gate#k"), "a server is not allowed here; only the operator sets servers"),
        (line("s3://{evil}/bucket/x"), "a server is not allowed here; only the operator sets servers"),
        (line("vault://kv/gate?address={evil}#k"), "vault:// has no option address"),
        ("a: encrypted:vault!e:kv!p:gate!k:k!a:{evil}\n", "vault has no parameter a"),
        ("a: encrypted:s3!r:{evil}!b:bucket!f:x\n", "is not a valid region"),
        ("a: encrypted:secrets-manager!r:x.evil.example.com/!s:gate\n", "is not a valid region"),
        (line("vault://kv/hal/../finance/payroll#k"), "is not a valid secret path"),
        (line("https://{evil}/x"), "the reference is malformed"),
    ],
)
def test_no_reference_leads_elsewhere(gate: str, words: str, between: Relay, evil: Relay, tmp_path: Path) -> None:
    ran = render(repository(tmp_path / "repo", gate.replace("{evil}", host(evil))), between)
    assert ran.code == 1
    assert words.lower() in ran.err.lower()
    assert f"{GATE}:1:" in ran.err
    assert between.seen == evil.seen == []
    assert not (tmp_path / ".hal").exists()


def test_a_server_in_disguise_is_but_a_mount_of_the_operators_server(
    between: Relay, evil: Relay, tmp_path: Path
) -> None:
    ran = render(repository(tmp_path / "repo", line(f"vault://{host(evil).replace(':', '%3A')}/kv/gate#k")), between)
    assert ran.code == 4
    assert between.seen
    assert evil.seen == []


@pytest.mark.parametrize(
    "settings",
    ["vaultAddress: '{evil}'\n", "allowEngine: [env, file]\n", "allowNamespace: [kube-system]\n", "secrets: keep\n",
     "allowReference: ['*']\n", "trust: {engines: [env]}\n", "s3Endpoint: '{evil}'\n", "vault: {address: '{evil}'}\n"],
)  # fmt: skip
def test_what_is_the_operators_is_refused_in_a_repository(
    settings: str, between: Relay, evil: Relay, tmp_path: Path
) -> None:
    gate = "a: encrypted:vault!e:kv!p:hal/gate!k:k\n"
    ran = render(repository(tmp_path / "repo", gate, settings.replace("{evil}", evil.url)), between)
    assert ran.code == 1
    assert f"{settings.partition(':')[0]} is an operator setting; a repository cannot set it." in ran.err
    assert between.seen == evil.seen == []


def test_patterns_of_the_operator_narrow_what_is_read_and_parameters_do_not_get_past_them(
    between: Relay, tmp_path: Path
) -> None:
    gate = "a: encrypted:vault!e:kv!p:hal/gate!k:k\nb: ${{ params.of }}\n"
    settings = "params: {of: {reference: true, default: 'encrypted:vault!e:kv!p:%s!k:k'}}\n"
    repo = repository(tmp_path / "repo", gate, settings % "hal/gate")
    narrow = ("--allow-reference", "vault://kv/hal/*")
    assert render(repo, between, *narrow).code == 0
    before, asked = tree(tmp_path / ".hal"), len(between.seen)
    (repo / "halgit.yaml").write_text(settings % "finance/payroll")
    ran = render(repo, between, *narrow)
    assert ran.code == 1
    assert "No --allow-reference pattern matches this reference (vault://kv/finance/payroll#k)." in (ran.err)
    assert len(between.seen) == asked
    assert tree(tmp_path / ".hal") == before
    assert render(repo, between).code == 0


def test_parameters_do_not_choose_what_a_reference_reads(between: Relay, tmp_path: Path) -> None:
    gate = "a: encrypted:vault!e:kv!p:${{ params.of }}!k:k\nb: \"${{ secret('vault://kv/${{ params.of }}#k') }}\"\n"
    gate += "c: ${{ params.whole }}\n"
    settings = "params: {of: hal/gate, whole: 'encrypted:vault!e:kv!p:hal/gate!k:k'}\n"
    ran = render(repository(tmp_path / "repo", gate, settings), between)
    assert ran.code == 1
    joined = "error: The text and its parameters (of) would form a reference."
    lines = [line for line in ran.err.splitlines() if "error: " in line]
    assert [line.partition("error: ")[0] for line in lines] == [
        f"{GATE}:1:27: ", f"{GATE}:2:28: ", "halgit.yaml:1:24: "
    ]  # fmt: skip
    assert [joined in line for line in lines] == [True, True, False]
    assert "The value of parameter whole is a secret reference, but its declaration does not allow one." in lines[2]
    assert between.seen == []


def test_a_variable_is_read_where_the_operator_says_so(between: Relay, tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", line("env://HOME_OF_HAL"))
    assert render(repo, between, "--allow-engine", "env").code == 0
    assert tree(tmp_path / ".hal")[GATE] == b'a: "of the operator"\n'
