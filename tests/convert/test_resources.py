"""Import of SpinnakerService resources, kleat repositories and backups: the same tree, comments included."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from program import halgit

from halgit import yaml as hyaml

RESOURCE = """apiVersion: spinnaker.io/v1alpha2
kind: SpinnakerService
metadata:
  name: spinnaker
  namespace: spin # where it runs
spec:
  spinnakerConfig:
    config:
      # the release
      version: 1.30.1 # pinned
      persistentStorage:
        persistentStoreType: s3
        s3:
          bucket: spin
          region: eu-west-1
      providers:
        kubernetes:
          enabled: true
          accounts:
          - name: dev
            providerVersion: V2
            kubeconfigFile: dev-config # of the cluster
            namespaces: [default]
    profiles:
      # of gate
      gate:
        default.apiPort: 8085
      deck:
        settings-local.js: |
          window.spinnakerSettings.authEnabled = false;
      echo: {}
      spinnaker:
        x: y
    service-settings:
      clouddriver:
        kubernetes: {serviceAccountName: spin-sa} # IRSA
      fiat: {}
    files:
      dev-config: |
        apiVersion: v1
        kind: Config
        current-context: dev
        contexts: [{name: dev, context: {cluster: dev, user: dev}}]
        clusters: [{name: dev, cluster: {server: 'https://dev.example.com'}}]
        users: [{name: dev, user: {token: 'encrypted:k8s!n:dev!k:token'}}]
      profiles__rosco__packer__aws_custom.json: |
        {"a": 1}
  expose:
    type: service
    service:
      type: LoadBalancer
      annotations: {a/b: c}
      overrides:
        gate: {publicPort: 443}
  validation:
    providers: {}
  kustomize:
    gate: {deployment: {patches: [x]}}
"""
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
            context: prod
            kubeconfigFile: dev-config
            providerVersion: V2
    profiles:
      gate:
        default.apiPort: 9000
"""


def imported(tmp_path: Path, source: Path) -> tuple[Path, list[dict[str, str]]]:
    ran = halgit("import", str(source), str(tmp_path / "new"), "--format", "json")
    assert ran.code == 0, ran.err
    return tmp_path / "new", json.loads(ran.out)["decisions"]


def rendered(tmp_path: Path, repo: Path, name: str = "hal") -> Path:
    ran = halgit("render", "--repo", str(repo), "--overlay", "prod", "--secrets", "keep", "--no-validate",
                 "--out", str(tmp_path / name))  # fmt: skip
    assert ran.code == 0, ran.err
    return tmp_path / name


def data(file: Path) -> object:
    return hyaml.read(file.read_bytes(), file.name).data


def test_a_resource_becomes_a_base_with_its_comments(tmp_path: Path) -> None:
    (tmp_path / "service.yml").write_text(RESOURCE)
    repo, decisions = imported(tmp_path, tmp_path / "service.yml")
    base = repo / "base"
    config = (base / "config").read_text()
    assert config.startswith(
        "currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  # the release\n"
    )
    for comment in ("version: 1.30.1 # pinned", "# of the cluster"):
        assert comment in config
    deployment = hyaml.read(config.encode(), "").data["deploymentConfigurations"][0]
    assert deployment["deploymentEnvironment"] == {
        "type": "Distributed", "location": "spin", "accountName": "dev",
    }  # fmt: skip
    account = deployment["providers"]["kubernetes"]["accounts"][0]
    assert account["kubeconfigFile"] == "/home/spinnaker/.hal/files/dev-config"
    assert (base / "default/profiles/gate-local.yml").read_text() == "# of gate\ndefault.apiPort: 8085\n"
    assert (base / "default/profiles/settings-local.js").read_text() == (
        "window.spinnakerSettings.authEnabled = false;\n"
    )
    assert not (base / "default/profiles/echo-local.yml").exists()
    assert data(base / "default/profiles/spinnaker-local.yml") == {"x": "y"}
    clouddriver = (base / "default/service-settings/clouddriver.yml").read_text()
    assert clouddriver == "kubernetes: {serviceAccountName: spin-sa} # IRSA\n"
    assert (base / "default/profiles/rosco/packer/aws_custom.json").read_text() == '{"a": 1}\n'
    exposed = {"kubernetes": {"serviceType": "LoadBalancer", "serviceAnnotations": {"a/b": "c"}}}
    assert data(base / "default/service-settings/gate.yml") == exposed
    assert data(base / "default/service-settings/deck.yml") == exposed
    places = {one["place"] for one in decisions}
    assert {
        "service.yml: spec.kustomize", "service.yml: spec.validation", "service.yml: expose for gate",
        "service.yml: expose for deck", "service.yml: expose.publicPort of gate",
    } <= places  # fmt: skip
    report = (repo / "import-report.md").read_text()
    assert all(f"- `{place}`: " in report for place in places)
    tree = rendered(tmp_path, repo)
    assert (tree / "files/dev-config").read_text().startswith("apiVersion: v1\n")


def test_a_patch_becomes_a_layer_whose_lists_replace(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/service.yml").write_text(RESOURCE)
    (tmp_path / "src/accounts.yml").write_text("# kustomization elsewhere\nkind: ConfigMap\n---\n" + PATCH)
    repo, _ = imported(tmp_path, tmp_path / "src")
    assert "# only this one" in (repo / "patches/accounts/config").read_text()
    tree = rendered(tmp_path, repo)
    deployment = hyaml.read((tree / "config").read_bytes(), "").data["deploymentConfigurations"][0]
    assert [one["name"] for one in deployment["providers"]["kubernetes"]["accounts"]] == ["prod"]
    assert deployment["version"] == "1.30.1"
    assert data(tree / "default/profiles/gate-local.yml") == {"default.apiPort": 9000}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.yml": PATCH}, "Expected one SpinnakerService with a version, found: none."),
        ({"a.yml": RESOURCE, "b.yml": RESOURCE}, "Expected one SpinnakerService with a version, found: a.yml, b.yml."),
    ],
)
def test_there_must_be_one_base(tmp_path: Path, files: dict[str, str], message: str) -> None:
    (tmp_path / "src").mkdir()
    for name, text in files.items():
        (tmp_path / "src" / name).write_text(text)
    ran = halgit("import", str(tmp_path / "src"), str(tmp_path / "new"))
    assert ran.code == 2
    assert message in ran.err
    assert not (tmp_path / "new").exists()


KLEAT = """# the team's Spinnaker
persistentStorage:
  s3: {enabled: true, bucket: spin, region: eu-west-1}
  gcs: {enabled: false}
providers:
  kubernetes:
    enabled: true
    accounts:
    - name: dev # first
      context: dev
      kubeconfigFile: /var/secrets/kubeconfig
notifications:
  githubStatus: {enabled: true, token: 'encrypted:k8s!n:github!k:token'}
canary:
  serviceIntegrations:
    prometheus: {enabled: true, accounts: []}
  storageAccountName: main
security:
  authn:
    saml: {enabled: true, metadataUrl: 'file:///etc/saml.xml', redirectHostname: gate.example.com, redirectBasePath: /x}
managedDelivery: {enabled: true}
"""


def test_a_kleat_repository_becomes_a_halconfig_of_halyard(tmp_path: Path) -> None:
    files = {
        "halconfig.yml": KLEAT,
        "base/local/gate-local.yml": "a: b # kept\n",
        "base/secrets/kubeconfig": "current-context: dev\n",
        "base/kleat/gate.yml": "generated: true\n",
        "base/kustomization.yml": "images:\n- {name: x/gate, newTag: spinnaker-1.30.1}\n",
    }
    for name, text in files.items():
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_text(text)
    repo, decisions = imported(tmp_path, tmp_path / "src")
    config = (repo / "base/config").read_text()
    assert "# first" in config
    deployment = hyaml.read(config.encode(), "").data["deploymentConfigurations"][0]
    assert deployment["version"] == "1.30.1"
    assert deployment["persistentStorage"] == {
        "s3": {"bucket": "spin", "region": "eu-west-1"}, "gcs": {}, "persistentStoreType": "s3",
    }  # fmt: skip
    assert deployment["notifications"]["github-status"]["enabled"] is True
    assert deployment["canary"] == {
        "serviceIntegrations": [{"name": "prometheus", "enabled": True, "accounts": []}],
        "defaultStorageAccount": "main",
    }
    assert deployment["security"]["authn"]["saml"] == {
        "enabled": True, "metadataLocal": "/etc/saml.xml", "serviceAddress": "https://gate.example.com/x",
    }  # fmt: skip
    account = deployment["providers"]["kubernetes"]["accounts"][0]
    assert account["kubeconfigFile"] == "/home/spinnaker/.hal/files/kubeconfig"
    assert (repo / "base/files/kubeconfig").read_text() == "current-context: dev\n"
    assert (repo / "base/default/profiles/gate-local.yml").read_text() == "a: b # kept\n"
    assert "managedDelivery" not in deployment
    assert "halconfig.yml: managedDelivery" in {one["place"] for one in decisions}


def test_a_backup_becomes_the_tree_it_was_made_of(tmp_path: Path) -> None:
    config = (
        "deploymentConfigurations:\n- name: default\n  version: 1.30.1\n"
        "  persistentStorage: {persistentStoreType: redis}\n  deploymentEnvironment: {type: Distributed}\n"
        "  providers:\n    kubernetes:\n      enabled: true\n      accounts:\n      - name: a\n"
        "        kubeconfigFile: '{%halconfig-dir%}/.secret/a'\n"
    )
    files = {"config": config, ".secret/a": "current-context: a\n", "default/profiles/gate-local.yml": "a: b\n"}
    with tarfile.open(tmp_path / "backup.tar", "w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    repo, decisions = imported(tmp_path, tmp_path / "backup.tar")
    assert (repo / "base/config").read_text() == config.replace("{%halconfig-dir%}", "/home/spinnaker/.hal")
    assert (repo / "base/.secret/a").read_text() == "current-context: a\n"
    assert "config" in {one["place"] for one in decisions}


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "backup.tar").write_bytes(content)
    ran = halgit("import", str(tmp_path / "backup.tar"), str(tmp_path / "new"))
    assert ran.code == 2
    assert "Pass the file that `hal backup create` wrote." in ran.err


@pytest.mark.parametrize(
    "version", ["spinnaker.io/v1alpha1", "spinnaker.io/v1alpha2", "spinnaker.armory.io/v1alpha1",
                "spinnaker.armory.io/v1alpha2"]
)  # fmt: skip
def test_every_group_and_version_of_the_resource_is_read(tmp_path: Path, version: str) -> None:
    text = RESOURCE.replace("spinnaker.io/v1alpha2", version).replace(
        "    config:\n", "    config:\n      armory: {}\n"
    )
    (tmp_path / "service.yml").write_text(text)
    repo, decisions = imported(tmp_path, tmp_path / "service.yml")
    assert "version: 1.30.1 # pinned" in (repo / "base/config").read_text()
    assert "armory" not in (repo / "base/config").read_text()
    assert "service.yml: config.armory" in {one["place"] for one in decisions}


@pytest.mark.parametrize("spec", ["{spinnakerConfig: {configMap: {name: x}}}", "{halConfig: {configMap: {name: x}}}"])
def test_the_old_form_is_refused_with_a_hint(tmp_path: Path, spec: str) -> None:
    (tmp_path / "s.yml").write_text(f"apiVersion: spinnaker.io/v1alpha1\nkind: SpinnakerService\nspec: {spec}\n")
    ran = halgit("import", tmp_path / "s.yml", tmp_path / "new")
    assert ran.code == 2
    assert "s.yml: It names a ConfigMap of the cluster. Write its halconfig to spinnakerConfig.config" in ran.err


def test_an_account_with_the_name_of_a_file_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text(RESOURCE.replace("name: dev\n", "name: dev-config\n"))
    repo, _ = imported(tmp_path, tmp_path / "s.yml")
    account = hyaml.read((repo / "base/config").read_bytes(), "").data["deploymentConfigurations"][0]["providers"]
    assert account["kubernetes"]["accounts"][0]["name"] == "dev-config"


def test_a_broken_resource_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text(RESOURCE.replace("          enabled: true", "\t  enabled: true"))
    ran = halgit("import", tmp_path / "s.yml", tmp_path / "new")
    assert ran.code == 2
    assert "s.yml:18: a tab indents this line" in ran.err
