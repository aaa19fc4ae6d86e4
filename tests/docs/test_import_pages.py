"""The pages for each way in: every command that they show runs, in a folder with what it reads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import needs
import pytest
from convert.test_import import CONFIG, FILES
from convert.test_round_trips import KLEAT, PATCH, RESOURCE
from servers.repositories import Repository

HALCONFIG = """deploymentConfigurations:
- name: default
  version: 1.30.1
  persistentStorage: {persistentStoreType: redis}
  deploymentEnvironment: {type: Distributed, accountName: a}
  providers:
    kubernetes:
      enabled: true
      accounts:
      - {name: a, kubeconfigFile: /etc/kube/config, providerVersion: V2}
"""
HAL = """#!/bin/sh
# hal as far as the page needs it: it archives the tree with its placeholder, and prints the deployment.
case "$1 $2" in
  "backup create") cp -r "$HOME/.hal" copy && tar -C copy -cf halbackup.tar config default ;;
  "config list") sed -n 's/^  //p' "$HOME/.hal/config" | sed '/^- name/d' ;;
  *) exit 1 ;;
esac
"""


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _operator(folder: Path) -> None:
    kustomization = "resources: [spinnakerservice.yml]\npatchesStrategicMerge: [patch.yml]\n"
    patch = PATCH.replace("{name: spinnaker}", "{name: spinnaker, namespace: spin}").replace(
        "prod-config", "dev-config"
    )
    files = {"spinnakerservice.yml": RESOURCE, "patch.yml": patch, "kustomization.yml": kustomization}
    _write(folder, {**files, **{f"kustomize-folder/{name}": text for name, text in files.items()}})


def _kleat(folder: Path) -> None:
    _write(
        folder / "kleat-repository",
        {
            "halconfig.yml": KLEAT.replace("/var/secrets/kubeconfig", "/etc/kube/config"),
            "base/local/gate-local.yml": "a: b\n",
            "base/kustomization.yml": "images:\n- {name: x/gate, newTag: spinnaker-1.30.1}\n",
        },
    )


def _halyard(folder: Path) -> None:
    _write(folder, {".hal/config": HALCONFIG, ".hal/default/profiles/gate-local.yml": "a: b\n", "bin/hal": HAL})
    (folder / "bin/hal").chmod(0o755)


def _predecessor(folder: Path) -> None:
    Repository(folder / "isd-gitops").commit({**FILES, "config": CONFIG})
    _write(folder, {"old-values.yaml": "spinnaker:\n  gitopsHalyard: {mTLS: {enabled: false}}\n"})


SCENES = {
    "import-operator.md": _operator,
    "import-kleat.md": _kleat,
    "import-halyard.md": _halyard,
    "import-predecessor.md": _predecessor,
}


def commands(page: str) -> list[str]:
    text = (needs.ROOT / "docs" / page).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line.partition("   #")[0] for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def test_there_is_a_page_for_each_way_in_and_the_index_names_it() -> None:
    navigation = (needs.ROOT / "mkdocs.yml").read_text()
    for page in SCENES:
        assert commands(page)
        assert page in navigation


@pytest.mark.parametrize("page", SCENES)
def test_every_command_of_a_page_runs(page: str, tmp_path: Path) -> None:
    if page == "import-operator.md":
        needs.program("kubectl", "kubernetes-client")
    SCENES[page](tmp_path)
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    for number, shown in enumerate(commands(page)):
        command = shown.replace("/tmp/prod", str(tmp_path / "prod"))
        command = command.replace("https://git.example.com/ops/isd-gitops.git", f"file://{tmp_path}/isd-gitops")
        if " import " in command:  # each way in starts without a repository
            subprocess.run(["rm", "-rf", str(tmp_path / "spinnaker-config")], check=True)
        done = subprocess.run(
            ["sh", "-ec", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{number}: {command}\n{done.stderr}"
    assert (tmp_path / "spinnaker-config/import-report.md").is_file()
