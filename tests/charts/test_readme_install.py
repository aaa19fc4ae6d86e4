"""From the README to a rendered umbrella: its values file and its two commands, in a copy of what git has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import needs
import yaml
from charts_values import EXAMPLES

README = (needs.ROOT / "README.md").read_text()


def test_two_commands_and_five_lines_render_the_umbrella(tmp_path: Path) -> None:
    values = re.search(r"^```yaml\n# isd\.yaml\n(.*?)^```$", README, re.M | re.S)
    commands = re.search(r"^```sh\n(make charts\n.*?)^```$", README, re.M | re.S)
    assert values
    assert commands
    assert len(values[1].splitlines()) == 5
    assert yaml.safe_load(values[1]) == EXAMPLES["example newcomer"]
    checkout = copy_of_the_checkout(tmp_path / "halgit")
    (checkout / "isd.yaml").write_text(values[1])
    first, second = commands[1].splitlines()
    run(first, checkout, tmp_path)
    objects = [one for one in yaml.safe_load_all(run(second, checkout, tmp_path)) if one]
    assert {"StatefulSet", "Deployment", "Job", "Ingress", "NetworkPolicy"} <= {one["kind"] for one in objects}
    halyard = next(one for one in objects if one["kind"] == "StatefulSet" and one["metadata"]["name"] == "isd-halyard")
    init = halyard["spec"]["template"]["spec"]["initContainers"][0]
    assert {"name": "HALGIT_REPO", "value": "https://git.example.org/org/config.git"} in init["env"]


def copy_of_the_checkout(folder: Path) -> Path:
    """The files that git has, beside the environment that these tests run in."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=needs.ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        if name and (needs.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(needs.ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.startswith("."):
            (folder / ".venv" / entry.name).symlink_to(entry)
    (folder / ".venv" / ".run").touch()  # up to date, so that make installs nothing into the environment of the tests
    return folder


def run(command: str, checkout: Path, folder: Path) -> str:
    """Run a line of the README; Helm as Go installs it does not know a version of Kubernetes that it supports."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "helm").write_text(f'#!/bin/sh\nexec {needs.go_tool("helm")} "$@" --kube-version 1.29.0\n')
    (programs / "helm").chmod(0o755)
    env = {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(["sh", "-c", command], env=env, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
