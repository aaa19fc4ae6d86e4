"""`halgit isd configure`: what it tells the services, what it leaves, whom it waits for, and what it says of faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import program
import pytest
from servers import ports
from servers.http import Asked, Said
from servers.isd_services import Services, isd_services, said

Run = Callable[..., program.Ran]
TOKEN = "git-token-of-the-test"
SECRETS = {"gate-user": "admin\n", "gate-password": "gate-password\n", "git-user": "robot\n", "git-token": TOKEN}


@pytest.fixture
def services() -> Iterator[Services]:
    with isd_services() as running:
        yield running


@pytest.fixture
def configure(services: Services, tmp_path: Path) -> Run:
    """The program with all options a release gives it."""
    for name, text in SECRETS.items():
        (tmp_path / name).write_text(text)

    def run(*arguments: str, wait: int = 0, **changed: str) -> program.Ran:
        options = {
            "platform-url": services.platform, "sapor-url": services.sapor, "opa-url": "http://isd-opa:8181",
            "spinnaker-name": "main", "gate-url": services.gate,
            "gate-user-file": "gate-user", "gate-password-file": "gate-password",
            "accounts-repository": "https://github.com/org/accounts.git", "accounts-path": "/folder",
            "git-user-file": "git-user", "git-token-file": "git-token", "wait": str(wait),
        }  # fmt: skip
        options.update({name.replace("_", "-"): value for name, value in changed.items()})
        given = [f"--{name}={value}" for name, value in options.items() if value]
        return program.halgit("isd", "configure", *given, *arguments, cwd=tmp_path)

    return run


def test_all_is_made_where_nothing_is(services: Services, configure: Run) -> None:
    done = configure()
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Login at the gate: accepted",
        "Data source OPA: created",
        "Data source Autopilot: created",
        "Data source gitops: created",
        "Spinnaker main: created",
    ]
    assert services.sources == [
        {"id": 1, "datasourceType": "OPA", "name": "OPA", "configurationFields": {"endPoint": "http://isd-opa:8181"}},
        {"id": 2, "datasourceType": "AUTOPILOT", "name": "Autopilot", "configurationFields": {"username": "admin"}},
        {
            "id": 3, "datasourceType": "GITHUB", "name": "gitops", "spinEnabled": "false",
            "configurationFields": {
                "hostUrl": "https://github.com/", "url": "https://api.github.com", "username": "robot", "token": TOKEN,
            },
        },
    ]  # fmt: skip
    assert services.spinnakers == [
        {
            "name": "main", "url": services.gate, "authenticationType": "LDAP", "externalAccountFlag": True,
            "pipelinePromotionFlag": False, "syncAccountFlag": False, "pipelinePromotionConfiguration": None,
            "externalAccountConfiguration": {
                "accountId": "3", "accountName": "gitops", "provider": "GITHUB",
                "config": {
                    "bucketName": "", "region": "", "endPoint": "https://github.com/org/accounts.git",
                    "sourcePath": "folder",
                },
            },
            "userName": "admin", "password": "gate-password",
        }
    ]  # fmt: skip


def test_no_secret_is_in_an_address_a_header_or_the_output(services: Services, configure: Run) -> None:
    done = configure("--log-format=json")
    for secret in (TOKEN, "gate-password"):
        assert secret not in done.out + done.err
        for _, asked in services.asked:
            assert secret not in asked.path + repr(asked.headers)


def test_a_second_run_tells_nobody_anything(services: Services, configure: Run) -> None:
    assert configure().code == 0
    before = len(services.posted())
    done = configure("--format=json")
    assert done.code == 0
    assert len(services.posted()) == before
    states = {row["name"]: row["state"] for row in done.json["integrations"]}
    assert states == {
        "Login at the gate": "accepted", "Data source OPA": "exists", "Data source Autopilot": "exists",
        "Data source gitops": "exists", "Spinnaker main": "exists",
    }  # fmt: skip


def test_a_run_that_broke_off_is_completed(services: Services, configure: Run) -> None:
    services.rule = lambda name, asked: Said(500) if asked.path.endswith("v4/spinnaker") else None
    done = configure()
    assert done.code == 3
    assert done.err.startswith(
        f"halgit: Spinnaker main was not created: sapor at {services.sapor} responded to POST "
        "/oes/accountsConfig/v4/spinnaker with HTTP 500. See the service's log."
    )
    services.rule = lambda name, asked: None
    before = len(services.posted())
    assert configure().code == 0
    assert services.posted()[before:] == ["/oes/accountsConfig/v4/spinnaker"]
    assert services.spinnakers[0]["externalAccountConfiguration"]["accountId"] == "3"


def test_without_gate_and_repository_only_data_sources_are_made(services: Services, configure: Run) -> None:
    nothing = dict.fromkeys(("spinnaker_name", "gate_url", "accounts_repository"), "")
    done = configure(**nothing)
    assert done.code == 0, done.err
    assert services.posted() == ["/platformservice/v2/datasources"] * 2
    assert {name for name, _ in services.asked} == {"platform"}


def test_a_spinnaker_without_repository_has_no_external_accounts(services: Services, configure: Run) -> None:
    assert configure(accounts_repository="").code == 0
    assert services.spinnakers[0]["externalAccountFlag"] is False
    assert services.spinnakers[0]["externalAccountConfiguration"] is None


def test_what_somebody_else_made_meanwhile_is_there(services: Services, configure: Run) -> None:
    services.rule = lambda name, asked: Said(409) if asked.path.endswith("v4/spinnaker") else None
    done = configure()
    assert done.code == 0, done.err
    assert "Spinnaker main: exists" in done.out


def test_services_that_start_slowly_are_waited_for(services: Services, configure: Run) -> None:
    refused: list[str] = []

    def slow(name: str, asked: Asked) -> Said | None:
        if name == "platform" and not refused:
            refused.append(asked.path)
            return Said(503)
        return None

    services.rule = slow
    done = configure("--log-format=json", wait=60)
    assert done.code == 0, done.err
    assert '{"message": "Waiting for platform: 0 of 60 seconds", "level": "progress"}' in done.err


def test_all_that_fails_is_told(services: Services, configure: Run) -> None:
    services.login = ("admin", "another")
    services.rule = lambda name, asked: Said(400) if name == "platform" and b"OPA" in asked.body else None
    closed = f"http://127.0.0.1:{ports.free_port()}"
    done = configure(sapor_url=closed)
    assert done.code == 3
    first, second, third = done.err.removeprefix("halgit: ").splitlines()
    assert first == f"the gate at {services.gate} rejected the login. Check the user name and password."
    assert second.startswith(f"Data source OPA was not created: platform at {services.platform} responded to POST ")
    assert "HTTP 400. See the service's log: it rejected the request." in second
    assert third.startswith(f"sapor at {closed} is unreachable. Check that it is running, and the network policies.")
    assert "Data source Autopilot: created" in done.out


def test_a_list_that_is_none_makes_nothing(services: Services, configure: Run) -> None:
    def strange(name: str, asked: Asked) -> Said | None:
        return said({"error": "no"}) if name == "platform" else None

    services.rule = strange
    done = configure()
    assert done.code == 3
    assert "does not return a list of named objects at /platformservice/v2/datasources." in done.err
    assert "Spinnaker main is not registered: its data source gitops is missing." in done.err
    assert services.posted() == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Said(401), "with HTTP 401. Check the user and its permissions."),
        (Said(302, b"", {"Location": "/login"}), "with HTTP 302. Check the user and its permissions."),
        (Said(405), "with HTTP 405. Check the address and the service's version."),
        (Said(200, b"<html>"), "with something other than JSON. Check the address."),
    ],
    ids=["refused", "redirected", "absent", "html"],
)
def test_an_answer_that_is_none_is_not_waited_for(services: Services, configure: Run, answer: Said, words: str) -> None:
    services.rule = lambda name, asked: answer if name == "sapor" else None
    done = configure(wait=600)
    assert done.code == 3
    assert f"sapor at {services.sapor} responded to GET /oes/accountsConfig/v3/spinnaker {words}" in done.err


@pytest.mark.parametrize(
    ("url", "kind", "fields"),
    [
        ("https://git.example.org/o/r.git", "GITLAB", {"hostUrl": "https://git.example.org/",
                                                       "url": "https://git.example.org/api/v4"}),
        ("https://gitlab.com/o/r", "GITLAB", {"hostUrl": "https://gitlab.com/", "url": "https://gitlab.com/api/v4"}),
        ("https://github.acme.example/o/r", "GITHUB", {"url": "https://github.acme.example/api/v3"}),
        ("https://bitbucket.org/o/r", "BITBUCKET", {"url": "https://api.bitbucket.org/2.0/", "authType": "bearer",
                                                    "read": "", "write": ""}),
    ],
)  # fmt: skip
def test_each_provider_is_told_in_its_own_way(
    services: Services, configure: Run, url: str, kind: str, fields: dict[str, str]
) -> None:
    provider = {"git_provider": "gitlab"} if "git.example" in url else {}
    done = configure(accounts_repository=url, **provider)
    assert done.code == 0, done.err
    made = services.sources[-1]
    assert made["datasourceType"] == kind
    assert fields.items() <= made["configurationFields"].items()


@pytest.mark.parametrize(
    ("changed", "said_"),
    [
        ({"spinnaker_name": ""}, "--gate-url requires --spinnaker-name. Set all of them or"),
        ({"gate_user_file": "", "gate_password_file": ""},
         "--spinnaker-name requires --gate-user-file, --gate-password-file."),
        ({"gate_url": "", "spinnaker_name": ""}, "--accounts-repository requires a Spinnaker."),
        ({"accounts_repository": "https://git.example.org/o/r"},
         "--accounts-repository: the git provider of git.example.org is unknown. Add --git-provider: github, gitlab,"),
        ({"accounts_repository": "git@github.com:o/r"}, "--accounts-repository is not an https address of a git"),
        ({"accounts_repository": "https://u:p@github.com/o/r"}, "--accounts-repository holds credentials."),
        ({"platform_url": "platform:8095"}, "The address of platform is not an http or https URL. Write http://host:port."),
        ({"sapor_url": "http://u:p@sapor"}, "The address of sapor contains credentials. Provide credentials as files."),
        ({"git_token_file": "/nowhere"}, "--git-token-file: cannot read /nowhere: No such file or directory."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(
    services: Services, configure: Run, changed: dict[str, str], said_: str
) -> None:
    done = configure(**changed)
    assert done.code == 2
    assert said_ in done.err
    assert services.asked == []


def test_an_empty_secret_is_refused(services: Services, configure: Run, tmp_path: Path) -> None:
    (tmp_path / "gate-password").write_text("\n")
    done = configure()
    assert (done.code, services.asked) == (2, [])
    assert "--gate-password-file: gate-password is empty. Store the value there." in done.err
