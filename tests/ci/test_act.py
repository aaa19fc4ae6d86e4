"""The GitHub Action run by a real runner, `act`: on a pull request with findings, without, and from a fork."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import needs
import pytest
from program import SAMPLE, tree
from servers.http import Asked, Said, server
from servers.repositories import Repository

ACTION = (needs.ROOT / "action.yml").read_text()
WORKFLOW = """\
on: [pull_request, pull_request_target]
jobs:
  halgit:
    runs-on: ubuntu-latest
    steps:
    - uses: actions/checkout@v4
    - uses: ./.halgit
      id: check
      with: {install: false, token: canary-token-5d}
    - if: always()
      run: echo "exit code <$CODE>"
      env: {CODE: "${{ steps.check.outputs.exit-code }}"}
"""

UPLOAD = """\
name: upload-sarif
description: Stands for the action of code scanning, and keeps what is uploaded.
inputs: {sarif_file: {description: file}, category: {description: name}}
runs:
  using: composite
  steps:
  - {shell: bash, run: 'cp "$FILE" "$UPLOADED"', env: {FILE: "${{ inputs.sarif_file }}"}}
"""


@dataclass
class Job:
    """How a job ended: exit code, log with the summary page, the comments it wrote, the findings it uploaded."""

    code: int
    log: str
    comments: list[str]
    uploaded: Path


class Pull:
    """A pull request: a checkout with the action beside it, and the forge that takes comments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.act = needs.go_tool("act")
        self.repository = Repository(folder / "work")
        action = {"action.yml": "action.yml", "ci/comment.py": "ci/comment.py"}
        files = {f".halgit/{to}": (needs.ROOT / path).read_bytes() for path, to in action.items()}
        files |= {".github/workflows/halgit.yml": WORKFLOW.encode(), **tree(SAMPLE)}
        self.base = self.repository.commit(files)

    def edit(self, old: str, new: str) -> None:
        """Change the halconfig of the base layer, and commit it."""
        place = self.repository.folder / "base/config"
        text = place.read_text()
        assert old in text
        place.write_text(text.replace(old, new))
        self.repository.commit()

    def run(self, *, head: str = "org/config", event: str = "pull_request") -> Job:
        """Run the workflow for this pull request, from the repository `head`."""
        comments: list[str] = []

        def forge(asked: Asked) -> Said:
            if asked.method == "POST":
                comments.append(json.loads(asked.body)["body"])
                return Said(201, b"{}")
            return Said(200, b"[]")

        uploaded = self.folder / "uploaded.sarif"
        (self.folder / "codeql/upload-sarif").mkdir(parents=True, exist_ok=True)
        (self.folder / "codeql/upload-sarif/action.yml").write_text(UPLOAD)
        (pinned,) = re.findall(r"uses: (github/codeql-action)/upload-sarif(@[0-9a-f]{40}) # v", ACTION)
        with server(forge) as address:
            pull = {"number": 7, "base": {"sha": self.base}, "head": {"repo": {"full_name": head}}}
            (self.folder / "event.json").write_text(json.dumps({"pull_request": pull, "number": 7}))
            done = subprocess.run(
                [self.act, event, "--eventpath", self.folder / "event.json", "-P", "ubuntu-latest=-self-hosted",
                 "--env", f"GITHUB_API_URL={address}", "--env", "GITHUB_REPOSITORY=org/config",
                 "--env", f"UPLOADED={uploaded}",
                 "--local-repository", f"{''.join(pinned)}={self.folder / 'codeql'}"],
                cwd=self.repository.folder, capture_output=True, check=False, timeout=300,
                env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(self.folder),
                     "GIT_CONFIG_GLOBAL": "/dev/null", "XDG_CACHE_HOME": str(self.folder / "cache")},
            )  # fmt: skip
        return Job(done.returncode, (done.stdout + done.stderr).decode(), comments, uploaded)


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    shutil.copy(needs.ROOT / "LICENSE", tmp_path)
    return Pull(tmp_path)


def test_a_pull_request_without_findings_passes_and_gets_a_comment(pull: Pull) -> None:
    pull.edit("cacheThreads: 1", "cacheThreads: 3")
    job = pull.run()
    assert job.code == 0, job.log
    assert "exit code <0>" in job.log
    (comment,) = job.comments
    assert comment.startswith("<!-- halgit diff -->\n### halgit: ")
    assert "cacheThreads: 1 -> 3" in comment
    assert json.loads(job.uploaded.read_text())["version"] == "2.1.0"


def test_findings_fail_the_job_and_control_characters_do_not_reach_its_log(pull: Pull) -> None:
    pull.edit("cacheThreads: 1", '"bad\\e[31mkey\\a": 1')
    job = pull.run()
    assert job.code == 1, job.log
    assert "exit code <1>" in job.log
    assert r"bad\x1b[31mkey\x07" in job.log
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]|\x1b(?!\[[0-9;]*[A-Za-z])|\x1b\[31mkey", job.log)


def test_a_fork_is_validated_and_compared_and_gets_no_comment(pull: Pull) -> None:
    pull.edit("cacheThreads: 1", "cacheThreads: 3")
    job = pull.run(head="somebody/config")
    assert job.code == 0, job.log
    assert job.comments == []
    assert not job.uploaded.exists()
    assert "cacheThreads: 1 -> 3" in job.log
    assert "canary-token-5d" not in job.log


def test_pull_request_target_is_refused(pull: Pull) -> None:
    job = pull.run(event="pull_request_target")
    assert job.code == 1
    assert "Run halgit on pull_request." in job.log
    assert job.comments == []
