"""The pre-commit hook installed and run, the GitLab template run job by job, and what docs/ci.md shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from program import SAMPLE, tree
from servers.repositories import Repository

from halgit import __version__

PAGE = (needs.ROOT / "docs/ci.md").read_text()
SNIPPETS = dict(re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.M | re.S))
GITLAB: dict[str, Any] = yaml.safe_load((needs.ROOT / "ci/gitlab.yml").read_text())
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def fits(schema: str, file: Path) -> None:
    """Hold a file to one of the schemas check-jsonschema brings along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def edit(repository: Repository, file: str, old: str, new: str) -> None:
    place = repository.folder / file
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))


# --- pre-commit


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """This project as a git repository, as pre-commit would clone it."""
    made = Repository(tmp_path_factory.mktemp("tool") / "halgit")
    left = shutil.ignore_patterns(
        ".git", ".venv", "build", "dist", "tests", "chart", "bench", "__pycache__", ".*_cache"
    )
    shutil.copytree(needs.ROOT, made.folder, ignore=left, dirs_exist_ok=True)
    made.commit()
    return made


def pre_commit(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        env={**os.environ, "PATH": PATH, "PRE_COMMIT_HOME": str(home)},
        cwd=folder, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


def test_the_hook_passes_the_sample_and_stops_a_commit_that_halyard_would_refuse(
    tool: Repository, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "conf")
    hooks = [{"repo": str(tool.folder), "rev": tool.git("rev-parse", "HEAD"), "hooks": [{"id": "halgit-validate"}]}]
    files = tree(SAMPLE) | {".pre-commit-config.yaml": yaml.safe_dump({"repos": hooks}).encode()}
    repository.commit(files)
    done = pre_commit(repository.folder, tmp_path / "home", "run", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    edit(repository, "base/config", "cacheThreads: 1", "cacheThreads: [")
    repository.git("add", "--all")
    done = pre_commit(repository.folder, tmp_path / "home", "run")
    assert done.returncode == 1
    assert "base/config:" in done.stdout
    assert "[yaml/syntax]" in done.stdout


# --- GitLab


def job(name: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a job as a runner does, with the variables of the template."""
    variables = {**GITLAB[".halgit"]["variables"], **given}
    install, *before = GITLAB[".halgit"]["before_script"]
    assert "pip install" in install
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join([*before, *GITLAB[name]["script"]])],
        env={"PATH": PATH, "HOME": str(folder.parent), "GIT_CONFIG_GLOBAL": "/dev/null", **variables},
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_the_gitlab_template_has_the_form_of_one() -> None:
    fits("vendor.gitlab-ci", needs.ROOT / "ci/gitlab.yml")
    text = (needs.ROOT / "ci/gitlab.yml").read_text()
    assert not re.search(r"TOKEN|PASSWORD|SECRET", text)


def test_the_jobs_of_gitlab_write_what_their_artifacts_name(tmp_path: Path) -> None:
    server = Repository(tmp_path / "server")
    base = server.commit(tree(SAMPLE))
    server.git("config", "uploadpack.allowAnySHA1InWant", "true")
    edit(server, "base/config", "cacheThreads: 1", "cacheThreads: 3")
    head = server.commit()
    checkout = Repository(tmp_path / "checkout")
    checkout.git("remote", "add", "origin", server.url)
    checkout.git("fetch", "-q", "--depth=1", "origin", head)
    checkout.git("checkout", "-q", "FETCH_HEAD")
    done = job("halgit-validate", checkout.folder)
    assert done.returncode == 0, done.stderr
    junit = GITLAB["halgit-validate"]["artifacts"]["reports"]["junit"]
    assert (checkout.folder / junit).read_text().startswith("<?xml")
    done = job("halgit-diff", checkout.folder, CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert done.returncode == 0, done.stderr
    (report,) = GITLAB["halgit-diff"]["artifacts"]["paths"]
    assert "cacheThreads: 1 -> 3" in (checkout.folder / report).read_text()
    edit(checkout, "base/config", "cacheThreads: 3", "cacheThreads: [")
    assert job("halgit-validate", checkout.folder).returncode == 1
    assert "yaml/syntax" in (checkout.folder / junit).read_text()


def test_the_jobs_of_gitlab_work_without_overlays_and_for_one_overlay(tmp_path: Path) -> None:
    plain = Repository(tmp_path / "plain")
    config = b"deploymentConfigurations:\n- {name: default, version: 1.36.1}\n"
    base = plain.commit({"config": config, "default/profiles/gate-local.yml": b"a: 1\n"})
    plain.git("remote", "add", "origin", plain.url)
    edit(plain, "default/profiles/gate-local.yml", "a: 1", "a: 2")
    done = job("halgit-diff", plain.folder, CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert done.returncode == 0, done.stderr
    assert "a: 1 -> 2" in (plain.folder / "halgit-diff.md").read_text()
    done = job("halgit-validate", plain.folder)
    assert "There are no overlays" not in done.stderr
    assert (plain.folder / "halgit-validate.xml").is_file()
    sample = Repository(tmp_path / "sample")
    sample.commit({f"spinnaker/{path}": content for path, content in tree(SAMPLE).items()})
    done = job("halgit-validate", sample.folder, HALGIT_PATH="spinnaker", HALGIT_OVERLAY="prod")
    assert done.returncode == 0, done.stderr


# --- docs/ci.md


def test_the_pages_snippets_have_the_form_of_what_they_are(tmp_path: Path) -> None:
    assert set(SNIPPETS) == {".pre-commit-config.yaml", ".github/workflows/halgit.yml", ".gitlab-ci.yml"}
    (tmp_path / "workflow.yml").write_text(SNIPPETS[".github/workflows/halgit.yml"])
    (tmp_path / "gitlab.yml").write_text(SNIPPETS[".gitlab-ci.yml"])
    (tmp_path / "hooks.yaml").write_text(SNIPPETS[".pre-commit-config.yaml"])
    fits("vendor.github-workflows", tmp_path / "workflow.yml")
    fits("vendor.gitlab-ci", tmp_path / "gitlab.yml")
    done = pre_commit(tmp_path, tmp_path / "home", "validate-config", "hooks.yaml")
    assert done.returncode == 0, done.stdout
    done = pre_commit(tmp_path, tmp_path / "home", "validate-manifest", str(needs.ROOT / ".pre-commit-hooks.yaml"))
    assert done.returncode == 0, done.stdout


def test_what_the_snippets_name_is_there() -> None:
    hooks = {hook["id"] for hook in yaml.safe_load((needs.ROOT / ".pre-commit-hooks.yaml").read_text())}
    (repo,) = yaml.safe_load(SNIPPETS[".pre-commit-config.yaml"])["repos"]
    assert {hook["id"] for hook in repo["hooks"]} <= hooks
    (include,) = yaml.safe_load(SNIPPETS[".gitlab-ci.yml"])["include"]
    assert (needs.ROOT / include["remote"].split(f"/v{__version__}/")[1]).is_file()
    action = yaml.safe_load((needs.ROOT / "action.yml").read_text())
    steps = yaml.safe_load(SNIPPETS[".github/workflows/halgit.yml"])["jobs"]["halgit"]["steps"]
    assert set(steps[-1]["with"]) <= set(action["inputs"])
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.M) == list(action["inputs"])


def test_the_pages_commands_run(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "sample-repo")
    (block,) = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
    for command in re.findall(r"^\$ (.*)$", block, re.M):
        done = subprocess.run(
            ["sh", "-c", command], env={"PATH": PATH}, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "halgit.xml").is_file()
    assert (tmp_path / "halgit-diff.md").read_text() == "### halgit: no difference\n"
