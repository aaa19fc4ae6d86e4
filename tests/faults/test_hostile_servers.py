"""The program against servers that answer what no server should: redirects, nulls, deep JSON, pages for people."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from program import Ran, halgit
from servers.http import Asked, Said, server
from servers.tls import authority

TOKEN = "hvs.canary-of-the-token"
LOOKUP = Said(body=b'{"data": {"ttl": 0}}')
MOUNT = Said(body=b'{"data": {"path": "kv/", "options": {"version": "2"}}}')


def vault(secret: Said, asked: list[Asked]) -> Callable[[Asked], Said]:
    """A Vault with one KV 2 mount whose only secret answers this."""

    def answer(request: Asked) -> Said:
        asked.append(request)
        if "lookup-self" in request.path:
            return LOOKUP
        return MOUNT if "ui/mounts" in request.path else secret

    return answer


def of(value: object) -> Said:
    return Said(body=json.dumps({"data": {"data": {"k": value}, "metadata": {"version": 1}}}).encode())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A layer whose profile holds one reference to Vault."""
    profiles = tmp_path / "repo" / "default" / "profiles"
    profiles.mkdir(parents=True)
    (tmp_path / "repo" / "config").write_text("deploymentConfigurations:\n- {name: default, version: 1.36.0}\n")
    (profiles / "gate-local.yml").write_text("a: \"${{ secret('vault://kv/gate#k') }}\"\n")
    return tmp_path / "repo"


def render(repository: Path, url: str, token: str = TOKEN, *options: object) -> Ran:
    out = repository.parent / ".hal"
    return halgit(
        "render", "--repo", repository, "--out", out, "--no-validate", "--retries", "0", "--vault-address", url,
        *options,
        VAULT_TOKEN=token,
    )  # fmt: skip


def test_a_token_does_not_follow_a_redirect_to_another_origin(repository: Path) -> None:
    elsewhere: list[Asked] = []
    with server(vault(of("stolen"), elsewhere)) as evil:
        redirect = Said(307, b"", {"Location": f"{evil}/v1/kv/data/gate"})
        with server(vault(redirect, [])) as url:
            ran = render(repository, url)
    assert ran.code == 4
    assert f"redirects to {evil.rpartition(':')[0]}, which is not followed with a token." in ran.err
    assert elsewhere == []


def test_an_answer_that_unpacks_to_gigabytes_is_not_unpacked(repository: Path) -> None:
    body = gzip.compress(b'{"data": {"data": {"k": "' + b"x" * 200_000_000 + b'"}}}', 1)
    bomb = Said(200, body, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (800 << 20,) * 2)\n"
    code = f"{limited}from halgit.cli import main; main()"
    with server(vault(bomb, [])) as url:
        command = ["render", "--repo", str(repository), "--out", str(repository.parent / ".hal"), "--no-validate"]
        ran = subprocess.run(
            [sys.executable, "-c", code, *command, "--retries", "0", "--vault-address", url],
            env={"PATH": os.environ["PATH"], "VAULT_TOKEN": TOKEN}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (ran.returncode, f"The response of {url} is larger than 33554432 bytes." in ran.stderr) == (4, True), (
        ran.stderr
    )


def test_a_redirect_on_the_same_server_is_followed(repository: Path) -> None:
    def answer(request: Asked) -> Said:
        if request.path == "/v1/kv/data/gate":
            return Said(307, b"", {"Location": "/v1/kv/data/moved"})
        return vault(of("value"), [])(request)

    with server(answer) as url:
        assert render(repository, url).code == 0
    assert (repository.parent / ".hal/default/profiles/gate-local.yml").read_text() == 'a: "value"\n'


def test_a_null_is_null(repository: Path) -> None:
    with server(vault(of(None), [])) as url:
        assert render(repository, url).code == 0
    assert (repository.parent / ".hal/default/profiles/gate-local.yml").read_text() == "a: null\n"
    (repository / "default/profiles/gate-local.yml").write_text("a: \"x-${{ secret('vault://kv/gate#k') }}\"\n")
    with server(vault(of(None), [])) as url:
        ran = render(repository, url)
    assert (ran.code, "Vault secret kv/gate is null. Store a value" in ran.err) == (4, True)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (Said(body=b'{"data": null}'), "The Vault secret gate has no values."),
        (Said(body=b'{"data": {"data": null}}'), "The Vault secret gate has no values."),
        (Said(body=b'{"data": {"data": {"k": "\\ud800"}}}'), "Vault secret kv/gate is not valid Unicode."),
        (Said(body=b"[" * 100_000), "to kv/data/gate is nested too deeply."),
        (Said(body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}), "is not JSON. Set --vault-address"),
    ],
    ids=["data null", "values null", "lone surrogate", "deep", "a page"],
)
def test_an_invalid_answer_is_named(repository: Path, secret: Said, words: str) -> None:
    with server(vault(secret, [])) as url:
        ran = render(repository, url)
    assert (ran.code, words in ran.err) == (4, True), ran.err


@pytest.mark.parametrize(
    "token", ["hvs.two\nlines-of-a-token", "hvs.t\u00f6ken-of-the-canary"], ids=["newline", "umlaut"]
)
def test_a_token_that_http_cannot_carry_is_refused_unseen(repository: Path, token: str) -> None:
    ran = render(repository, "http://127.0.0.1:9", token)
    assert ran.code == 4
    assert "The Vault token in VAULT_TOKEN is not one line of ASCII characters. Store it alone on one line." in ran.err
    assert "canary" not in ran.err
    assert "lines-of" not in ran.err


def test_a_token_in_the_place_of_a_file_name_is_not_shown(repository: Path) -> None:
    ran = render(repository, "http://127.0.0.1:9", "", "--vault-token-file", TOKEN)
    assert (ran.code, "canary" in ran.err + ran.out) == (4, False)
    assert "The file (not shown) for the Vault token cannot be read: No such file or directory." in ran.err
    ran = halgit("render", "--repo", "https://127.0.0.1:9/x", "--git-token-file", "ghp_" + "canary" * 5, "--out", "x")
    assert (ran.code, "canary" in ran.err + ran.out) == (2, False)


def test_plain_http_to_a_remote_vault_is_a_warning(repository: Path) -> None:
    ran = render(repository, "http://vault.invalid:8200")
    assert "warning: Vault at http://vault.invalid:8200: plain http" in ran.err
    assert "plain http" not in render(repository, "http://127.0.0.1:9").err


def test_a_bucket_in_another_region_is_named(repository: Path) -> None:
    moved = b"<Error><Code>TemporaryRedirect</Code><Endpoint>b.s3-eu.example</Endpoint></Error>"

    def answer(request: Asked) -> Said:
        return Said(307, moved, {"Content-Type": "application/xml", "Location": "http://b.s3-eu.example/"})

    with server(answer) as url:
        ran = halgit(
            "render", "--repo", "s3://b-of-test/x", "--s3-endpoint", url, "--retries", "0",
            "--out", repository.parent / "x", AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="secret-key",
        )  # fmt: skip
    assert (ran.code, "Traceback" in ran.err) == (3, False), ran.err
    assert "region" in ran.err


def test_a_clock_that_is_wrong_is_named(repository: Path) -> None:
    skewed = Said(403, b"<Error><Code>RequestTimeTooSkewed</Code></Error>", {"Content-Type": "application/xml"})
    with server(lambda _: skewed) as url:
        ran = halgit(
            "render", "--repo", "s3://b-of-test/x", "--s3-endpoint", url, "--s3-region", "us-east-1", "--retries", "0",
            "--out", repository.parent / "x", AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="secret-key",
        )  # fmt: skip
    assert "the clock of this machine differs from the server's (RequestTimeTooSkewed). Set the clock." in ran.err


def test_a_web_page_is_no_git_repository(tmp_path: Path) -> None:
    page = Said(body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})
    with server(lambda _: page) as url:
        ran = halgit("render", "--repo", f"{url}/repo", "--out", tmp_path / "x", "--retries", "0")
    assert ran.code == 3
    assert "no default branch; it is empty, or the URL leads to a web page. Push a branch, or fix the URL." in ran.err


@pytest.mark.parametrize("hosts", [("a.invalid", "b.invalid")])
def test_one_token_is_not_sent_to_several_hosts(tmp_path: Path, hosts: tuple[str, str]) -> None:
    (tmp_path / "token").write_text("ghp_canary")
    repos = [part for host in hosts for part in ("--repo", f"https://{host}/x")]
    ran = halgit("render", *repos, "--git-token-file", tmp_path / "token", "--out", tmp_path / "x")
    assert ran.code == 2
    assert "--git-token-file: one token for several hosts. Write HOST=FILE for each of a.invalid, b.invalid." in ran.err


def test_the_usual_variables_of_git_reach_the_login(tmp_path: Path) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Said:
        asked.append(request)
        return Said(401, b"", {"WWW-Authenticate": 'Basic realm="git"'})

    with server(answer) as url:
        halgit(
            "render", "--repo", f"{url}/repo", "--out", tmp_path / "x", "--retries", "0", GIT_TOKEN="t-1", GIT_USER="me"
        )
    assert any(one.headers.get("authorization") == "Basic bWU6dC0x" for one in asked)


@pytest.fixture
def no_temporary_folder() -> str:
    """Code that takes every folder for temporary files away."""
    return (
        "import os, tempfile; os.access = lambda *_: False\n"
        "tempfile._candidate_tempdir_list = lambda: ['/proc/nowhere']; tempfile.tempdir = None\n"
    )


def test_a_read_only_root_names_the_variable(tmp_path: Path, no_temporary_folder: str) -> None:
    code = no_temporary_folder + "import sys; from halgit.cli.app import run; sys.exit(run(sys.argv[1:]))"
    ran = subprocess.run(
        [sys.executable, "-c", code, "render", "--repo", "file:///nowhere", "--out", str(tmp_path / "x")],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 3
    assert "No writable folder for temporary files: TMPDIR is not set, and /tmp is not writable." in ran.stderr
    assert "Set TMPDIR to a writable folder." in ran.stderr


def test_an_unknown_variable_is_named_with_the_nearest(repository: Path) -> None:
    ran = halgit("validate", "--repo", repository, HALGIT_DENY_COMAMNDS="1", HALGIT_SERVICE_PORT_HTTP="1")
    assert "No option reads the variable HALGIT_DENY_COMAMNDS. Did you mean HALGIT_DENY_COMMANDS?" in ran.err
    assert "SERVICE_PORT" not in ran.err


def test_timeout_ends_the_whole_run(repository: Path) -> None:
    """Each request is quick enough, and all together are not."""
    names = [f"k{number}: \"${{{{ secret('vault://kv/s{number}#k') }}}}\"\n" for number in range(200)]
    (repository / "default/profiles/gate-local.yml").write_text("".join(names))

    def answer(request: Asked) -> Said:
        time.sleep(0.7)
        return vault(of("value"), [])(request)

    with server(answer) as url:
        began = time.monotonic()
        ran = render(repository, url, TOKEN, "--timeout", "1")
        seconds = time.monotonic() - began
    assert ran.code == 3
    assert "The run did not finish within 1 seconds. Raise --timeout, or see with --log-format json" in ran.err
    assert seconds < 15
    assert not (repository.parent / ".hal").exists()


def test_a_ca_file_adds_to_the_certificates_of_the_system(repository: Path, tmp_path: Path) -> None:
    """One server has a certificate of the system's CA, the other one of --ca-file; the same options reach both."""
    (tmp_path / "system").mkdir()
    (tmp_path / "own").mkdir()
    of_system, system = authority(tmp_path / "system")
    of_own, own = authority(tmp_path / "own")
    for certificate in (of_system, of_own):
        with server(vault(of("value"), []), certificate) as url:
            ran = halgit(
                "render", "--repo", repository, "--out", tmp_path / "out", "--no-validate", "--retries", "0",
                "--vault-address", url, "--ca-file", own, VAULT_TOKEN=TOKEN, SSL_CERT_FILE=str(system),
            )  # fmt: skip
        assert ran.code == 0, ran.err
    with server(vault(of("value"), []), of_own) as url:
        ran = halgit(
            "render", "--repo", repository, "--out", tmp_path / "other", "--no-validate", "--retries", "0",
            "--vault-address", url, VAULT_TOKEN=TOKEN, SSL_CERT_FILE=str(system),
        )  # fmt: skip
    assert (ran.code, "certificate" in ran.err) == (4, True), ran.err
