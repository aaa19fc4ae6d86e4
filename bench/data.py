"""Made-up configurations of any size: the same accounts as a halgit repository and as a kustomization."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

HEAD = """currentDeployment: default
deploymentConfigurations:
- name: default
  version: '1.36.1'
  providers:
    kubernetes:
      enabled: true
      primaryAccount: account-00000
      accounts:
"""
TAIL = """  deploymentEnvironment:
    type: Distributed
    accountName: account-00000
    location: spinnaker
  persistentStorage:
    persistentStoreType: s3
    s3:
      bucket: example
      region: eu-central-1
  security:
    apiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com/api/v1'}
    uiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com'}
"""
ACCOUNT = """- name: account-{n:05d}
  requiredGroupMembership: []
  permissions:
    READ:
    - developers
    - operators
    WRITE:
    - operators
  providerVersion: V2
  context: cluster-{n:05d}
  cacheThreads: 1
  namespaces:
  - team-{n:05d}
  - shared
  omitNamespaces: []
  kinds: []
  omitKinds:
  - podPreset
  customResources: []
  cachingPolicies: []
  oAuthScopes: []
  onlySpinnakerManaged: true
  serviceAccount: true
  liveManifestCalls: false
"""
CHANGE = """- name: account-{n:05d}
  cacheThreads: 4
  context: moved-{n:05d}
"""


def _indented(text: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def accounts(count: int) -> str:
    """The accounts as a YAML list at the left margin."""
    return "".join(ACCOUNT.format(n=n) for n in range(count))


def changes(count: int, changed: int, first: int = 0) -> str:
    """Items that change every so many accounts, spread over the list, from this account on."""
    step = max(1, count // changed)
    return "".join(CHANGE.format(n=n) for n in range(first, count, step)[:changed])


def repository(folder: Path, count: int, changed: int, overlays: int = 1) -> Path:
    """A repository with `count` Kubernetes accounts in base, and overlays (`prod`, `prod-1`, ...) that change some."""
    base = folder / "base"
    base.mkdir(parents=True)
    (base / "config").write_text(HEAD + _indented(accounts(count), 6) + TAIL)
    head = "deploymentConfigurations:\n- name: default\n  providers:\n    kubernetes:\n      accounts:\n"
    for number in range(overlays):
        items = _indented(changes(count, changed, number), 6)
        overlay = folder / "overlays" / (f"prod-{number}" if number else "prod")
        overlay.mkdir(parents=True)
        (overlay / "halgit.yaml").write_text("bases: [../../base]\n")
        (overlay / "config").write_text(head + items)
    return folder


def kustomization(folder: Path, count: int, changed: int) -> Path:
    """The same accounts as a custom resource with a merge key in its OpenAPI, and the same change as a patch."""
    base, overlay = folder / "base", folder / "overlay"
    for each in (base, overlay):
        each.mkdir(parents=True)
    head = "apiVersion: example.com/v1\nkind: Halconfig\nmetadata:\n  name: default\nspec:\n  accounts:\n"
    (base / "config.yaml").write_text(head + _indented(accounts(count), 2))
    (base / "kustomization.yaml").write_text("resources: [config.yaml]\n")
    (overlay / "patch.yaml").write_text(head + _indented(changes(count, changed), 2))
    (overlay / "schema.json").write_text(json.dumps(_openapi()))
    (overlay / "kustomization.yaml").write_text(
        "resources: [../base]\nopenapi: {path: schema.json}\npatches:\n- path: patch.yaml\n"
    )
    return overlay


def _openapi() -> dict[str, object]:
    accounts = {
        "type": "array",
        "items": {"type": "object"},
        "x-kubernetes-patch-merge-key": "name",
        "x-kubernetes-patch-strategy": "merge",
    }
    spec = {"type": "object", "properties": {"accounts": accounts}}
    kind = {"group": "example.com", "version": "v1", "kind": "Halconfig"}
    resource = {
        "type": "object",
        "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "spec": spec},
        "x-kubernetes-group-version-kind": [kind],
    }
    return {"definitions": {"com.example.v1.Halconfig": resource}}


def plain(folder: Path, count: int) -> Path:
    """A repository of one plain layer."""
    folder.mkdir(parents=True)
    (folder / "config").write_text(HEAD + _indented(accounts(count), 6) + TAIL)
    return folder


def git_repository(folder: Path, files: int) -> Path:
    """A git repository with a small layered configuration and many other files."""
    repository(folder, 10, 1)
    for number in range(files):
        file = folder / "other" / f"{number % 100:02d}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"file {number}\n")
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Add the configuration"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    return folder


def vault_repository(folder: Path, secrets: int, paths: int) -> Path:
    """A repository whose profile refers to many keys of a number of Vault secrets."""
    repository(folder, 10, 1)
    profile = folder / "base" / "default" / "profiles" / "gate-local.yml"
    profile.parent.mkdir(parents=True)
    each = secrets // paths
    lines = (f"key-{n}: encrypted:vault!e:secret!p:app-{n // each}!k:key-{n % each}\n" for n in range(secrets))
    profile.write_text("secrets:\n" + "".join("  " + line for line in lines))
    return folder


def dynamic_accounts(folder: Path, count: int) -> Path:
    """A repository with a file of dynamic accounts."""
    repository(folder, 10, 1)
    file = folder / "accounts" / "clouddriver-local.yml"
    file.parent.mkdir()
    file.write_text("kubernetes:\n  accounts:\n" + _indented(accounts(count), 2))
    return folder


def many_files(folder: Path, count: int) -> Path:
    """A repository whose layer includes many small files, and a profile of the overlay to change."""
    repository(folder, 10, 1)
    for number in range(count):
        file = folder / "base" / "files" / f"{number % 20:02d}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"file {number}\n" * 20)
    (folder / "base" / "halgit.yaml").write_text("include: ['files/**']\n")
    profile = folder / "overlays" / "prod" / "default" / "profiles" / "gate-local.yml"
    profile.parent.mkdir(parents=True)
    profile.write_text("a: 0\n")
    return folder


def toggle(file: Path) -> Callable[[], None]:
    """A function that gives a profile other content at each call."""
    numbers = itertools.count()

    def change() -> None:
        file.write_text(f"a: {next(numbers)}\n")

    return change
