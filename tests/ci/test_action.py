"""The GitHub Action: its form, and each of its shell steps run with bash as the runner would, on a real checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from program import SAMPLE, tree
from servers.http import Asked, Said, server
from servers.repositories import Repository

ACTION: dict[str, Any] = yaml.safe_load((needs.ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"


class Runner:
    """A job's folders, and a checkout of one commit of a pull request: `base` is on the server only."""

    def __init__(self, folder: Path) -> None:
        needs.program("bash", "bash")
        self.folder = folder
        server = Repository(folder / "server")
        self.base = server.commit(tree(SAMPLE))
        server.git("config", "uploadpack.allowAnySHA1InWant", "true")
        config = (server.folder / "base/config").read_text()
        self.head = server.commit({"base/config": config.replace("cacheThreads: 1", "cacheThreads: 3")})
        self.checkout = Repository(folder / "checkout")
        self.checkout.git("remote", "add", "origin", server.url)
        self.checkout.git("fetch", "-q", "--depth=1", "origin", self.head)
        self.checkout.git("checkout", "-q", "FETCH_HEAD")
        (folder / "temp").mkdir()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "RUNNER_TEMP": str(folder / "temp"),
            "GITHUB_ACTION_PATH": str(needs.ROOT),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_PATH": str(folder / "path"),
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }

    def run(self, name: str, **given: str) -> subprocess.CompletedProcess[str]:
        """Run a step's script with the environment it declares, its values as given."""
        step = STEPS[name]
        assert set(given) >= set(step.get("env", {})), "every variable the step declares is given"
        script = self.folder / "script.sh"
        script.write_text(step["run"])
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env={**self.environment, **given},
            cwd=self.checkout.folder, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def said(self, name: str) -> str:
        """What a file of the job holds."""
        place = self.folder / name
        return place.read_text() if place.is_file() else ""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_its_form_is_that_of_an_action() -> None:
    arguments = ["--builtin-schema", "vendor.github-actions", needs.ROOT / "action.yml"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_input_and_no_event_reaches_a_shell_but_by_the_environment() -> None:
    for name, step in STEPS.items():
        assert "${{" not in step.get("run", ""), name
        if "run" in step:
            assert step["shell"] == "bash"


def test_the_token_is_given_to_one_step_and_never_to_a_fork() -> None:
    holders = [name for name, step in STEPS.items() if "inputs.token" in json.dumps(step)]
    assert holders == ["Comment"]
    assert "secrets." not in (needs.ROOT / "action.yml").read_text()
    assert SAME_REPOSITORY in STEPS["Comment"]["if"]
    assert SAME_REPOSITORY in STEPS["Upload findings"]["if"]
    assert ACTION["runs"]["steps"][0]["name"] == "Refuse pull_request_target"
    assert ACTION["runs"]["steps"][0]["if"] == "github.event_name == 'pull_request_target'"


def test_pull_request_target_is_refused(runner: Runner) -> None:
    done = runner.run("Refuse pull_request_target")
    assert done.returncode == 1
    assert done.stdout.startswith("::error::Run halgit on pull_request.")


def test_it_installs_itself_from_its_own_folder(runner: Runner) -> None:
    done = runner.run("Install halgit", HOME=os.environ.get("HOME", "/"))
    assert done.returncode == 0, done.stderr
    (place,) = runner.said("path").splitlines()
    assert (Path(place) / "halgit").is_file()


def test_validate_writes_sarif_summary_and_its_exit_code(runner: Runner) -> None:
    done = runner.run("Validate", SOURCE=".", OVERLAY="", FAIL_ON="error")
    assert done.returncode == 0, done.stderr
    assert runner.said("output") == "exit-code=0\n"
    assert json.loads(runner.said("temp/halgit.sarif"))["version"] == "2.1.0"
    assert runner.said("summary") == "### halgit: no findings\n"


def test_validate_annotates_what_is_wrong_and_the_last_step_fails_the_job(runner: Runner) -> None:
    place = runner.checkout.folder / "base/config"
    place.write_text(place.read_text().replace("cacheThreads: 3", "cacheThreads: three"))
    done = runner.run("Validate", SOURCE=".", OVERLAY="dev", FAIL_ON="error")
    assert done.returncode == 0, done.stderr
    assert runner.said("output") == "exit-code=1\n"
    assert re.search(r"^::(error|warning) file=base/config,line=\d+", done.stdout, re.M)
    assert "cacheThreads" in runner.said("summary")
    assert runner.run("Result", CODE="1").returncode == 1
    assert runner.run("Result", CODE="0").returncode == 0


def test_a_text_of_an_input_is_never_a_command(runner: Runner) -> None:
    evil = '"; touch evil; $(touch evil) `touch evil`'
    runner.run("Validate", SOURCE=".", OVERLAY=evil, FAIL_ON="error")
    runner.run("Compare", SOURCE=".", OVERLAY=evil, BASE=runner.base, SUBMODULE_HOSTS=evil)
    assert runner.said("output") == "exit-code=2\n"
    assert not list(runner.folder.rglob("evil"))


def test_compare_fetches_the_base_and_writes_the_comment(runner: Runner) -> None:
    hosts = "git.example.com localhost"
    done = runner.run("Compare", SOURCE=".", OVERLAY="", BASE=runner.base, SUBMODULE_HOSTS=hosts)
    assert done.returncode == 0, done.stderr
    told = runner.said("temp/halgit-diff.md")
    assert told.startswith("### halgit: ")
    assert "cacheThreads: 1 -> 3" in told
    assert "#### Overlay staging" in told
    assert runner.said("summary") == told


def test_compare_passes_on_the_hosts_of_submodules(runner: Runner) -> None:
    done = runner.run("Compare", SOURCE=".", OVERLAY="", BASE=runner.base, SUBMODULE_HOSTS="git.example.com a/b")
    assert "--submodule-host must be a host name." in done.stderr


class Forge:
    """GitHub's comments of issue 7, a hundred of other people's first."""

    def __init__(self) -> None:
        self.comments = [{"id": number, "body": f"comment {number}"} for number in range(100)]
        self.asked: list[Asked] = []
        self.refuses = False

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        if self.refuses:
            return Said(403, b"{}")
        body = json.loads(asked.body or b"null")
        if asked.method == "POST":
            self.comments.append({"id": 500, "body": body["body"]})
            return Said(201, json.dumps(self.comments[-1]).encode())
        if asked.method == "PATCH":
            number = int(asked.path.rsplit("/", 1)[1])
            next(one for one in self.comments if one["id"] == number)["body"] = body["body"]
            return Said()
        page = int(asked.path.rsplit("page=", 1)[1])
        return Said(body=json.dumps(self.comments[(page - 1) * 100 : page * 100]).encode())


def comment(runner: Runner, forge: Forge, text: str) -> subprocess.CompletedProcess[str]:
    (runner.folder / "temp/halgit-diff.md").write_text(text)
    with server(forge.answer) as url:
        return runner.run(
            "Comment", GITHUB_TOKEN="canary-token", NUMBER="7", GITHUB_API_URL=url, GITHUB_REPOSITORY="ops/conf"
        )


def test_the_comment_is_made_once_and_then_set_right(runner: Runner) -> None:
    forge = Forge()
    assert (
        comment(runner, forge, "### halgit: no difference\n").stdout == "Nothing differs, so no comment is created.\n"
    )
    assert len(forge.comments) == 100
    assert comment(runner, forge, "### halgit: one\n").stdout == "The comment was created.\n"
    assert comment(runner, forge, "### halgit: two\n").stdout == "The comment was updated.\n"
    assert comment(runner, forge, "### halgit: no difference\n").stdout == "The comment was updated.\n"
    assert [one["body"] for one in forge.comments[100:]] == ["<!-- halgit diff -->\n### halgit: no difference\n"]
    assert {asked.headers["authorization"] for asked in forge.asked} == {"Bearer canary-token"}
    assert forge.asked[-1].path == "/repos/ops/conf/issues/comments/500"


def test_a_comment_that_is_refused_is_a_warning_and_no_failure(runner: Runner) -> None:
    forge = Forge()
    forge.refuses = True
    done = comment(runner, forge, "### halgit: one\n")
    assert done.returncode == 0
    assert done.stdout == ("::warning::The comment was not written: HTTP 403. The job needs pull-requests: write.\n")
    assert "canary" not in done.stdout + done.stderr


def test_without_a_comparison_no_comment_is_made(runner: Runner) -> None:
    done = runner.run("Comment", GITHUB_TOKEN="x", NUMBER="7", GITHUB_API_URL="http://127.0.0.1:9")
    assert done.stdout == "There is no comparison, so no comment is created.\n"
