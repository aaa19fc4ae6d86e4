"""No secret is seen of what talks to running programs: dynamic accounts, the controller, the jobs of an installation.

The servers are faithless: they repeat what they were sent, headers and bodies, and halgit may pass on their words.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from canary.driven import Driver
from canary.planted import core, seen, value
from program import Ran
from servers.controller import controller
from servers.google import google
from servers.http import Asked, Said
from servers.isd_services import isd_services
from servers.kubernetes_api import TOKEN, kubernetes, status
from servers.openbao import ROOT_TOKEN, Bao, openbao
from servers.relay import Answer, Request, relay
from servers.repositories import CLEAN, Repository

FORMS = ("text", "json")


@pytest.fixture
def drive(tmp_path: Path) -> Driver:
    return Driver(tmp_path / "driven", {"HALGIT_RETRIES": "0", "HALGIT_TIMEOUT": "10"})


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as running:
        yield running


def nothing_shown(driver: Driver, ran: Ran, *more: str) -> None:
    """Neither what a run said, nor its last words, nor its files, nor the programs it started hold a canary."""
    started = driver.log.read_bytes() if driver.log.exists() else b""
    for text in (ran.out.encode(), ran.err.encode(), driver.reason.read_bytes(), started, *driver.left().values()):
        assert seen(text) == set()
        assert not any(each.encode() in text for each in more)


def echo(asked: Asked, code: int = 400) -> Said:
    """A refusal that repeats the request."""
    sent = json.dumps({**asked.headers, "body": asked.body.decode("utf-8", "replace")})
    body = {"error": {"message": f"cannot read {sent}"}, "errors": [sent], "message": sent}
    return Said(code, json.dumps(body).encode(), {"Content-Type": "application/json"})


@pytest.mark.parametrize("form", FORMS)
def test_accounts_made_by_a_controller(form: str, drive: Driver, tmp_path: Path) -> None:
    served = Repository(tmp_path / "served", **CLEAN)
    served.commit({"README": "hello\n"})
    served.git("checkout", "--quiet", "--detach")
    (tmp_path / "key").write_text(value("secret"))
    (tmp_path / "token").write_text(core("token") + "\n")
    common = ("--encrypt-key-file", tmp_path / "key", "--repo", served.url, "--ref", "main", "--log-format", form)
    made = ("canary-key of the user", "canary-key of the agent", "controller-made-token")
    encoded = [base64.b64encode(each.encode()).decode().rstrip("=")[:-1] for each in made]
    with controller(tmp_path) as remote:
        remote.names["agent"] = ["new"]
        login = remote.options()
        for arguments, code in (
            (["add", "new", "--agent", "agent", *login, *common], 0),
            (["manifest", "agent", "--namespace", "apps", "--output", tmp_path / "agent.yml", *login], 0),
            (["add", "bad", "--agent", "agent", *login, *common, "--dry-run"], 0),
        ):
            ran = drive("accounts", *arguments)
            assert ran.code == code, ran.err
            if arguments[0] != "manifest":
                nothing_shown(drive, ran, *made, *encoded)
        remote.token = core("secret")
        ran = drive("accounts", "add", "b", "--agent", "agent", *login, *common, "--controller-token-file",
                    tmp_path / "token")  # fmt: skip
        assert ran.code != 0
        nothing_shown(drive, ran, *made)
    assert "{cipher}" in served.git("show", "main:accounts/clouddriver-local.yml")


@pytest.mark.parametrize("pad", [0, 150, 190])
def test_a_controller_that_repeats_its_token(pad: int, drive: Driver, tmp_path: Path) -> None:
    """Its words are masked before they are cut."""
    (tmp_path / "token").write_text(core("token") + "\n")
    agent = ("manifest", "agent", "--namespace", "apps", "--output", tmp_path / "agent.yml",
             "--controller-token-file", tmp_path / "token")  # fmt: skip
    with controller(tmp_path) as remote:
        words = json.dumps({"error": {"message": "x" * pad + " " + core("token")}}).encode()
        remote.rule = lambda asked: Said(401, words)
        ran = drive("accounts", *agent, *remote.options())
        assert ran.code == 3, ran.err
        assert f"refuses the request ({'x' * pad} ***" in ran.err
        nothing_shown(drive, ran, core("token")[:6])
        remote.rule = echo
        nothing_shown(drive, drive("accounts", *agent, *remote.options()))


@pytest.mark.parametrize("form", FORMS)
def test_an_installation_whose_services_repeat_what_they_are_told(form: str, drive: Driver, tmp_path: Path) -> None:
    secrets = {
        "gate-user": "admin",
        "gate-password": value("password"),
        "git-user": "robot",
        "git-token": value("token"),
    }
    for name, text in secrets.items():
        (tmp_path / name).write_text(text)
    with isd_services() as services:
        services.login = ("admin", value("password"))
        options = {
            "platform-url": services.platform, "sapor-url": services.sapor, "opa-url": "http://opa:8181",
            "spinnaker-name": "main", "gate-url": services.gate, "accounts-path": "folder", "wait": "0", "format": form,
            "accounts-repository": "https://github.com/org/accounts.git",
            **{f"{name}-file": str(tmp_path / name) for name in secrets},
        }  # fmt: skip
        command = ("isd", "configure", *(f"--{name}={text}" for name, text in options.items()))
        for code in (400, 401, 403, 404, 409, 500):
            services.rule = lambda service, asked, code=code: echo(asked, code) if asked.method == "POST" else None
            ran = drive(*command)
            assert ran.code not in (0, 70), ran.err
            nothing_shown(drive, ran)
        services.rule = lambda service, asked: Said(200, b"no JSON " + asked.body) if asked.method == "POST" else None
        nothing_shown(drive, drive(*command))
        services.rule = lambda service, asked: None
        for _ in range(2):
            ran = drive(*command)
            assert ran.code == 0, ran.err
            nothing_shown(drive, ran)
        tokens = [source["configurationFields"].get("token") for source in services.sources]
        assert tokens == [None, None, value("token")]


@pytest.mark.parametrize("form", FORMS)
def test_what_an_installation_makes_for_itself(form: str, drive: Driver, tmp_path: Path) -> None:
    create = ("isd", "create-ca", "--ca-secret=ca", "--control-secret=control", "--service-auth-secret=auth",
              "--trust-secret=trust", "--generate=db:password,username=postgres", "--format", form)  # fmt: skip
    with kubernetes(tmp_path) as cluster:
        login = {"KUBECONFIG": cluster.kubeconfig("isd")}
        cluster.rule = lambda asked: echo(asked, 422) if asked.method == "POST" else None
        refused = drive(*create, **login)
        assert refused.code not in (0, 70)
        nothing_shown(drive, refused)
        cluster.rule = lambda asked: None
        runs = [drive(*create, **login), drive(*create, **login)]
        runs.append(drive("isd", "status", *create[2:6], "--format", form, **login))
        assert [ran.code for ran in runs] == [0, 0, 0], runs[-1].err
        lines = (cluster.secrets["isd/ca"]["tls.key"] + cluster.secrets["isd/control"]["tls.key"]).decode().splitlines()
        made = [line for line in lines if len(line) > 30 and "-----" not in line]
        made.append(cluster.secrets["isd/db"]["password"].decode())
        assert len(made) > 10
        for ran in (refused, *runs):
            nothing_shown(drive, ran, *made)


def test_a_cluster_that_repeats_the_login(drive: Driver, tmp_path: Path) -> None:
    repo = repository(drive, "a: encrypted:gate:pw\n")
    with kubernetes(tmp_path) as cluster:
        for code in (400, 401, 403, 404, 422, 429, 500):
            cluster.rule = lambda asked, code=code: status(code, f"cannot read {asked.headers['authorization']}")
            ran = drive("render", "--repo", repo, "--out", ".hal", KUBECONFIG=cluster.kubeconfig())
            assert ran.code == 4, ran.err
            nothing_shown(drive, ran, TOKEN)
        (tmp_path / "bug").write_text(f"a bug that has {TOKEN}, the login")
        cluster.rule = lambda asked: None
        cluster.secrets["spinnaker/gate"] = {"pw": b"a-password"}
        ran = drive("render", "--repo", repo, "--no-validate", "--out", ".hal", KUBECONFIG=cluster.kubeconfig(),
                    WATCH_BUG=str(tmp_path / "bug"))  # fmt: skip
        assert ran.code == 70
        assert "a bug that has ********, the login" in ran.err
        nothing_shown(drive, ran, TOKEN)


def test_google_repeats_the_login(drive: Driver, tmp_path: Path) -> None:
    repo = repository(drive, "a: ${{ secret('google-secrets-manager://77/gate') }}\n")
    with google(tmp_path) as gcp:
        login = dict(gcp.access().environment)
        for code in (400, 401, 403, 404, 429, 500):
            gcp.rule = lambda asked, code=code: echo(asked, code)
            ran = drive("render", "--repo", repo, "--out", ".hal", **login)
            assert ran.code == 4, ran.err
            nothing_shown(drive, ran, "google-token")
        gcp.rule = lambda asked: None
        gcp.secrets["77/gate"] = [b"a-password"]
        (tmp_path / "bug").write_text("a bug that has google-token, the login")
        ran = drive(
            "render", "--repo", repo, "--no-validate", "--out", ".hal", WATCH_BUG=str(tmp_path / "bug"), **login
        )
        assert ran.code == 70
        assert "a bug that has ********, the login" in ran.err


def test_vault_repeats_the_token_of_a_login(bao: Bao, drive: Driver, tmp_path: Path) -> None:
    """The token that a login gives is in no file and no variable, and what it was got with is in a file."""
    bao.call("POST", "sys/auth/userpass", {"type": "userpass"})
    bao.call("POST", "auth/userpass/users/hal", {"password": value("password"), "token_policies": ["root"]})
    bao.call("PUT", "sys/policies/acl/all", {"policy": 'path "*" {capabilities = ["read", "list"]}'})
    bao.call("POST", "auth/userpass/users/hal", {"password": value("password"), "token_policies": ["all"]})
    (tmp_path / "password").write_text(value("password"))
    repo = repository(drive, "a: encrypted:vault!e:kv!p:hal!k:k\n")
    tokens: list[str] = []
    with relay(bao.url) as between:

        def rule(request: Request) -> Answer | None:
            token = request.headers.get("X-Vault-Token") or request.headers.get("x-vault-token")
            if not token or "lookup-self" in request.path:
                return None
            tokens.append(token)
            words = {"errors": ["y" * 170 + f" no entry for {token}"]}
            return Answer(400, json.dumps(words).encode(), {"Content-Type": "application/json"})

        between.rule = rule
        ran = drive(
            "render", "--repo", repo, "--out", ".hal", "--vault-address", between.url, "--vault-auth", "userpass",
            "--vault-role", "hal", "--vault-secret-file", tmp_path / "password",
        )  # fmt: skip
    assert ran.code == 4, ran.err
    assert "yy no entry for ****" in ran.err
    assert tokens
    assert ROOT_TOKEN not in tokens
    nothing_shown(drive, ran, tokens[0][:8])


def repository(drive: Driver, gate: str) -> Path:
    """A plain layer with this profile of Gate."""
    folder = drive.folder / "repo"
    (folder / "default/profiles").mkdir(parents=True)
    (folder / "config").write_text(
        "deploymentConfigurations:\n- {name: default, version: 1.36.1, persistentStorage: "
        "{persistentStoreType: s3, s3: {bucket: b}}}\n"
    )
    (folder / "default/profiles/gate-local.yml").write_text(gate)
    return folder
