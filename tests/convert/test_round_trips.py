"""Import, render, export and import again give the same tree, byte for byte: with comments, references and files."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from program import halgit

from halgit import yaml as hyaml

RESOURCE = """# the team's Spinnaker
apiVersion: spinnaker.io/v1alpha2
kind: SpinnakerService
metadata:
  name: spinnaker
  namespace: spin
spec:
  # what halyard reads
  spinnakerConfig:
    # the deployment
    config: # one of several
      # the release
      version: 1.30.1 # pinned

      deploymentEnvironment:
        # sizes
        customSizing:
          spin-gate: {replicas: 2} # peak
      persistentStorage:
        persistentStoreType: s3
        s3:
          bucket: spin # of the team
          region: eu-west-1
          secretAccessKey: encrypted:k8s!n:minio!k:secret # of the operator
      # - a commented block
      #   of two lines
      providers:
        kubernetes:
          enabled: true
          accounts:
          # the first
          - name: dev # short
            providerVersion: V2
            kubeconfigFile: dev-config # from files
            # namespaces it may use
            namespaces: [default]
          primaryAccount: dev
      notifications:
        # posts
        github-status: {enabled: false} # later
    profiles:
      # of gate
      gate: # its profile

        # the port
        default.apiPort: 8085
        url: encrypted:vault!e:secret!n:team/gate!k:url # a vault
        # at its end
      deck:
        settings-local.js: |
          window.spinnakerSettings.authEnabled = false; // no
      spinnakerconfig:
        spring: {profiles: {include: native}} # server
    service-settings:
      clouddriver: # settings
        kubernetes: {serviceAccountName: spin-sa} # IRSA
    files:
      dev-config: |
        apiVersion: v1
        kind: Config
        current-context: dev
        contexts: [{name: dev, context: {cluster: dev, user: dev}}]
        clusters: [{name: dev, cluster: {server: 'https://dev.example.com'}}]
        users: [{name: dev, user: {}}]
      profiles__rosco__packer__aws_custom.json: |
        {"a": 1}
"""
COMMENTS = [
    "# the deployment", "# one of several", "# the release", "# pinned", "# sizes", "# peak", "# of the team",
    "# of the operator", "# - a commented block", "#   of two lines", "# the first", "# short", "# from files",
    "# namespaces it may use", "# posts", "# later", "# of gate", "# its profile", "# the port", "# a vault",
    "# at its end", "# server", "# settings", "# IRSA",
]  # fmt: skip


def imported(source: Path, target: Path) -> str:
    ran = halgit("import", source, target)
    assert ran.code == 0, ran.err
    return (target / "import-report.md").read_text()


def rendered(repo: Path, out: Path) -> dict[str, bytes]:
    ran = halgit("render", "--repo", repo, "--overlay", "prod", "--secrets", "keep", "--no-validate", "--out", out)
    assert ran.code == 0, ran.err
    return {
        file.relative_to(out).as_posix(): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file() and file.name != ".halgit.json"
    }


def exported(repo: Path, target: Path, kind: str, *arguments: str) -> str:
    ran = halgit("export", "--to", kind, "--repo", repo, "--overlay", "prod", target, *arguments)
    assert ran.code == 0, ran.err
    return (target / "export-report.md").read_text()


def comments(text: bytes) -> list[str]:
    return [comment for _, comment in hyaml.list_comments(text)]


def test_a_resource_comes_back_byte_for_byte_with_its_comments(tmp_path: Path) -> None:
    (tmp_path / "service.yml").write_text(RESOURCE)
    report = imported(tmp_path / "service.yml", tmp_path / "first")
    before = rendered(tmp_path / "first", tmp_path / "hal")
    assert sorted(one for text in before.values() for one in comments(text)) == sorted(COMMENTS)
    assert "- `service.yml:1`: This comment belongs to no value of a new file. Copy it if you need it.\n" in report
    assert "- `service.yml:8`: This comment belongs to no value of a new file." in report
    told = exported(tmp_path / "first", tmp_path / "out", "spinnakerservice")
    resource = (tmp_path / "out/spinnakerservice.yml").read_bytes()
    assert sorted(comments(resource)) == sorted(COMMENTS)
    for reference in (b"encrypted:k8s!n:minio!k:secret # of", b"encrypted:vault!e:secret!n:team/gate!k:url # a vault"):
        assert reference in resource
    assert b"${{" not in resource
    assert [line for line in told.splitlines() if line.startswith("- ")] == [
        "- `config: deploymentEnvironment.accountName`: The operator deploys to its own cluster and ignores the "
        "account."
    ]
    imported(tmp_path / "out/spinnakerservice.yml", tmp_path / "second")
    assert rendered(tmp_path / "second", tmp_path / "hal2") == before
    exported(tmp_path / "second", tmp_path / "out2", "spinnakerservice")
    assert (tmp_path / "out2/spinnakerservice.yml").read_bytes() == resource


PATCH = """apiVersion: spinnaker.io/v1alpha2
kind: SpinnakerService
metadata: {name: spinnaker}
spec:
  spinnakerConfig:
    config:
      providers:
        kubernetes:
          accounts:
          - name: prod # only this one
            kubeconfigFile: prod-config
            providerVersion: V2
    profiles:
      gate:
        token: encrypted:k8s!n:gate!k:token
        shown: ${{ not.ours }}
  expose: {type: service, service: {type: NodePort}}
"""
FILES = """apiVersion: spinnaker.io/v1alpha2
kind: SpinnakerService
metadata: {name: spinnaker}
spec:
  spinnakerConfig:
    files: {prod-config: "current-context: prod\\n"}
  kustomize: {gate: {deployment: {patches: [x]}}}
---
apiVersion: v1
kind: Secret
metadata: {name: gate}
"""


def test_a_kustomization_says_which_patches_count_and_in_which_order(tmp_path: Path) -> None:
    source = tmp_path / "src"
    for name, text in {
        "service.yml": RESOURCE,
        "accounts.yml": PATCH,
        "b/files.yml": FILES,
        "unused.yml": PATCH.replace("prod #", "unused #"),
        "kustomization.yml": "resources: [service.yml, 'https://example.com/x', b]\n"
        "patchesStrategicMerge: [accounts.yml]\n"
        "patches: [{path: json.yml, target: {kind: SpinnakerService}}]\nnamePrefix: x\n",
        "json.yml": "- {op: remove, path: /a}\n",
        "b/kustomization.yml": "resources: [../c]\npatches: [{path: files.yml}]\n",
        "c/kustomization.yml": "resources: [../b]\n",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    report = imported(source, tmp_path / "repo")
    settings = (tmp_path / "repo/overlays/prod/halgit.yaml").read_text()
    assert "- ../../base\n- ../../patches/files\n- ../../patches/accounts\n" in settings
    tree = rendered(tmp_path / "repo", tmp_path / "hal")
    deployment = hyaml.read(tree["config"], "").data["deploymentConfigurations"][0]
    assert deployment["providers"]["kubernetes"]["accounts"] == [
        {"name": "prod", "kubeconfigFile": "/home/spinnaker/.hal/files/prod-config", "providerVersion": "V2"}
    ]
    assert deployment["deploymentEnvironment"]["accountName"] == "prod"
    gate = hyaml.read(tree["default/profiles/gate-local.yml"], "").data
    assert (gate["token"], gate["shown"]) == ("${{ secret('k8s://gate#token') }}", "${{ not.ours }}")
    assert hyaml.read(tree["default/service-settings/gate.yml"], "").data == {"kubernetes": {"serviceType": "NodePort"}}
    for line in (
        "- `kustomization.yml: https://example.com/x`: It is not a file or folder of the source. "
        "Import the output of `kubectl kustomize` instead.",
        "- `kustomization.yml: namePrefix`: The import does not apply it. "
        "Import the output of `kubectl kustomize` instead.",
        "- `kustomization.yml: patches.0: json.yml`: It is a JSON patch of a SpinnakerService, which the import does "
        "not apply. Import the output of `kubectl kustomize` instead.",
        "- `b/files.yml: Secret gate`: It is not a SpinnakerService and was not imported. Apply it to the cluster as "
        "before.",
        "- `b/files.yml: spec.kustomize`: It patches Deployments that the operator generates. Write what "
        "service-settings can express there.",
        "- `unused.yml`: the import does not read it",
    ):
        assert line in report


def test_a_null_of_a_patch_deletes_or_is_dropped(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.yml").write_text(RESOURCE)
    (source / "b.yml").write_text(
        "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nspec:\n  spinnakerConfig:\n    config:\n"
        "      notifications: # all\n        github-status: null\n        slack: null # never set\n"
        "      ci: {jenkins: null}\n"
        "    profiles:\n      gate: {url: null, other: null}\n      echo: {a: null}\n"
    )
    imported(source, tmp_path / "repo")
    tree = rendered(tmp_path / "repo", tmp_path / "hal")
    deployment = hyaml.read(tree["config"], "").data["deploymentConfigurations"][0]
    assert (deployment["notifications"], deployment["ci"]) == ({}, {})
    assert hyaml.read(tree["default/profiles/gate-local.yml"], "").data == {"default.apiPort": 8085}
    assert hyaml.read(tree.get("default/profiles/echo-local.yml", b"{}"), "").data == {}


KLEAT = """# the team's Spinnaker
persistentStorage:
  # the store
  s3: {enabled: true, bucket: spin, region: eu-west-1} # one
providers:
  kubernetes:
    enabled: true
    accounts:
    # clusters
    - name: dev # first
      context: dev
      kubeconfigFile: /var/secrets/kubeconfig # mounted
notifications:
  githubStatus: # to GitHub
    enabled: true # posts
canary:
  # of the team
  storageAccountName: main # account
timezone: Etc/UTC # everywhere
"""


def test_a_kleat_repository_comes_back_with_its_comments(tmp_path: Path) -> None:
    source = tmp_path / "src"
    for name, text in {
        "halconfig.yml": KLEAT,
        "base/local/gate-local.yml": "# gate\na: b # kept\n",
        "base/secrets/kubeconfig": "current-context: dev\n",
        "base/kleat/gate.yml": "generated: true\n",
        "base/kustomization.yml": "images:\n- {name: x/gate, newTag: spinnaker-1.30.1}\n",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    report = imported(source, tmp_path / "first")
    assert "- `base/kleat/gate.yml`: the import does not read it" in report
    before = rendered(tmp_path / "first", tmp_path / "hal")
    assert sorted(comments(before["config"])) == sorted(comments(KLEAT.encode()))
    told = exported(tmp_path / "first", tmp_path / "out", "kleat", "--no-validate")
    halconfig = (tmp_path / "out/halconfig.yml").read_bytes()
    assert sorted(comments(halconfig)) == sorted(comments(KLEAT.encode()))
    assert "config: version" in told
    imported(tmp_path / "out", tmp_path / "second")
    assert rendered(tmp_path / "second", tmp_path / "hal2") == before
    exported(tmp_path / "second", tmp_path / "out2", "kleat", "--no-validate")
    assert (tmp_path / "out2/halconfig.yml").read_bytes() == halconfig


BACKUP = """# of the team
currentDeployment: default # only one
deploymentConfigurations:
- name: default
  version: 1.30.1 # pinned
  persistentStorage: {persistentStoreType: redis}
  deploymentEnvironment: {type: Distributed, accountName: a}
  providers:
    kubernetes:
      enabled: true
      accounts:
      # clusters
      - name: a # first
        kubeconfigFile: '{%halconfig-dir%}/.secret/a' # beside
"""


def _archive(path: Path, files: dict[str, bytes]) -> Path:
    """Write an archive as `hal backup create` does, which replaces the path of the tree by a placeholder."""
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            content = text.replace(b"/home/spinnaker/.hal", b"{%halconfig-dir%}")
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_a_backup_of_what_was_rendered_comes_back(tmp_path: Path) -> None:
    kubeconfig = b"current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
    files = {"config": BACKUP.encode(), ".secret/a": kubeconfig, "default/profiles/gate-local.yml": b"a: b # gate\n"}
    imported(_archive(tmp_path / "backup.tar", files), tmp_path / "first")
    before = rendered(tmp_path / "first", tmp_path / "hal")
    assert before["config"] == BACKUP.replace("{%halconfig-dir%}", "/home/spinnaker/.hal").encode()
    imported(_archive(tmp_path / "again.tar", before), tmp_path / "second")
    assert rendered(tmp_path / "second", tmp_path / "hal2") == before
