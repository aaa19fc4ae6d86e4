"""Export and import again give the same tree; what the target cannot express is reported, item by item."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from convert.test_resources import RESOURCE, data, imported, rendered
from program import halgit

from halgit import yaml as hyaml
from halgit.halyard.resources import load_table


def exported(tmp_path: Path, repo: Path, target: str, name: str = "export") -> tuple[Path, list[dict[str, str]]]:
    ran = halgit("export", "--to", target, "--repo", str(repo), "--overlay", "prod", str(tmp_path / name),
                 "--format", "json")  # fmt: skip
    assert ran.code == 0, ran.err
    return tmp_path / name, json.loads(ran.out)["decisions"]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    resource = RESOURCE.replace("          accounts:\n", "          accounts:\n").replace(
        "      # the release\n", "      # the release\n      deploymentEnvironment: {accountName: dev}\n"
    )
    (tmp_path / "service.yml").write_text(resource)
    folder, _ = imported(tmp_path, tmp_path / "service.yml")
    return folder


def contents(tree: Path) -> dict[str, object]:
    """The files of a tree by what they mean."""
    return {
        file.relative_to(tree).as_posix(): data(file)
        if file.suffix == ".yml" or file.name == "config"
        else file.read_text()
        for file in tree.rglob("*")
        if file.is_file() and file.name != ".halgit.json"
    }


def test_a_resource_exported_and_imported_again_is_the_same_tree(tmp_path: Path, repo: Path) -> None:
    before = rendered(tmp_path, repo)
    target, decisions = exported(tmp_path, repo, "spinnakerservice")
    text = (target / "spinnakerservice.yml").read_text()
    assert "# IRSA" in text
    assert [one["place"] for one in decisions] == ["config: deploymentEnvironment.accountName"]
    (tmp_path / "again").mkdir()
    again, _ = imported(tmp_path / "again", target / "spinnakerservice.yml")
    after = rendered(tmp_path, again, "hal2")
    assert contents(after) == contents(before)
    second, _ = exported(tmp_path, again, "spinnakerservice", "export2")
    assert (second / "spinnakerservice.yml").read_text() == text


def test_a_kleat_export_passes_its_strict_schema_and_loses_nothing_silently(tmp_path: Path, repo: Path) -> None:
    (repo / "overlays/prod/config").write_text(
        "deploymentConfigurations:\n- name: default\n  notifications:\n"
        "    slack: {enabled: true, botName: bot, token: 'encrypted:k8s!n:slack!k:token'}\n"
        "    github-status: {enabled: true, token: 'encrypted:k8s!n:gh!k:token'}\n"
        "    twilio: {enabled: true, account: a, token: 'encrypted:k8s!n:sms!k:token'}\n"
        "  features: {artifactsRewrite: true}\n  canary: {enabled: true, defaultStorageAccount: main,\n"
        "    serviceIntegrations: [{name: prometheus, enabled: true, accounts: []},\n"
        "    {name: aws, enabled: false, accounts: []}]}\n"
    )
    target, decisions = exported(tmp_path, repo, "kleat")
    config = hyaml.read((target / "halconfig.yml").read_bytes(), "").data
    jsonschema.validate(config, load_table("kleat"))
    assert config["persistentStorage"]["s3"] == {"enabled": True, "bucket": "spin", "region": "eu-west-1"}
    assert config["notifications"] == {
        "slack": {"enabled": True, "botName": "bot"},
        "githubStatus": {"enabled": True},
        "twilio": {"enabled": True, "account": "a"},
    }
    assert config["canary"]["serviceIntegrations"]["prometheus"]["enabled"] is True
    assert config["canary"]["storageAccountName"] == "main"
    echo = data(target / "base/local/echo-local.yml")
    assert echo == {
        "slack": {"token": "encrypted:k8s!n:slack!k:token"},
        "github-status": {"token": "encrypted:k8s!n:gh!k:token"},
        "twilio": {"token": "encrypted:k8s!n:sms!k:token"},
    }
    account = config["providers"]["kubernetes"]["accounts"][0]
    assert account["kubeconfigFile"] == "/var/secrets/dev-config"
    assert (target / "base/secrets/dev-config").exists()
    assert {one["place"] for one in decisions} == {
        "config: notifications.slack.token", "config: notifications.github-status.token",
        "config: notifications.twilio.token", "config: features.artifactsRewrite", "config: version",
        "config:27: k8s://slack#token", "config:30: k8s://gh#token", "config:34: k8s://sms#token",
        "config: providers.kubernetes.accounts.0.providerVersion",
        "service-settings/clouddriver.yml", "service-settings/deck.yml", "service-settings/gate.yml",
    }  # fmt: skip
    report = (target / "export-report.md").read_text()
    assert all(f"- `{one['place']}`: {one['what']}" in report for one in decisions)


def test_a_plain_secret_is_not_exported(tmp_path: Path, repo: Path) -> None:
    (repo / "overlays/prod/halgit.yaml").write_text("bases: [../../base]\nparams: {pw: {secret: true}}\n")
    profile = repo / "overlays/prod/default/profiles/fiat-local.yml"
    profile.parent.mkdir(parents=True)
    profile.write_text("password: ${{ params.pw }}\n")
    ran = halgit("export", "--to", "kleat", "--repo", str(repo), "--overlay", "prod", str(tmp_path / "x"),
                 HALGIT_PARAM_PW="can-ary")  # fmt: skip
    assert ran.code == 2
    assert "A secret parameter has a plain value." in ran.err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("target", ["spinnakerservice", "kleat"])
@pytest.mark.parametrize("token", ["encrypted:k8s!n:a!k:b", "${{ secret('k8s://a#b') }}", "${{ params.pw }}"])
def test_no_token_gets_into_a_file_that_browsers_load(tmp_path: Path, repo: Path, target: str, token: str) -> None:
    (repo / "overlays/prod/halgit.yaml").write_text(
        "bases: [../../base]\nparams: {pw: {secret: true, default: \"${{ secret('k8s://a#b') }}\"}}\n"
    )
    profile = repo / "overlays/prod/default/profiles/settings-local.js"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(f"window.spinnakerSettings.token = '{token}';\n")
    for option in ((), ("--no-validate",)):
        ran = halgit("export", "--to", target, "--repo", repo, "--overlay", "prod", tmp_path / "x", *option)
        assert ran.code == 1, ran.err
        assert "settings-local.js" in ran.err
        assert not (tmp_path / "x").exists()


def test_what_does_not_fit_the_schema_of_the_target_stops_the_export(tmp_path: Path, repo: Path) -> None:
    (repo / "base/files/dev-config").rename(repo / "base/files/dev config")
    config = repo / "base/config"
    config.write_text(config.read_text().replace("files/dev-config", "files/dev config"))
    arguments = ("export", "--to", "spinnakerservice", "--repo", repo, "--overlay", "prod", tmp_path / "x")
    ran = halgit(*arguments)
    assert (ran.code, (tmp_path / "x").exists()) == (1, False)
    assert "spec.spinnakerConfig.files does not fit the schema of spinnakerservice." in ran.err
    assert "Correct the value in its layer, or use --no-validate to write it as it is. [export/schema]" in ran.err
    assert halgit(*arguments, "--no-validate").code == 0


@pytest.mark.parametrize("target", ["spinnakerservice", "kleat"])
def test_a_reference_without_a_form_of_the_target_is_reported(tmp_path: Path, repo: Path, target: str) -> None:
    profile = repo / "overlays/prod/default/profiles/fiat-local.yml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(
        "url: redis://${{ secret('k8s://a#b') }}@x\nversion: ${{ secret('vault://m/p?version=2#k') }}\n"
        "s3: ${{ secret('s3://bucket/file?region=eu-west-1#key') }} # kept\n"
        "manager: ${{ secret('secrets-manager://name?region=eu-west-1#key') }}\n"
    )
    folder, decisions = exported(tmp_path, repo, target)
    name = "spinnakerservice.yml" if target == "spinnakerservice" else "base/local/fiat-local.yml"
    text = (folder / name).read_text()
    assert "s3: encrypted:s3!b:bucket!f:file!r:eu-west-1!k:key # kept" in text
    assert "manager: encrypted:secrets-manager!s:name!r:eu-west-1!k:key" in text
    places = {one["place"] for one in decisions}
    assert {
        "default/profiles/fiat-local.yml:1: k8s://a#b",
        "default/profiles/fiat-local.yml:2: vault://m/p?version=2#k",
    } <= places


@pytest.mark.parametrize("target", ["spinnakerservice", "kleat"])
def test_one_deployment_is_exported_and_the_others_are_named(tmp_path: Path, target: str) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/config").write_text(
        "deploymentConfigurations:\n- version: 1.30.1\n  persistentStorage: {persistentStoreType: redis}\n"
        "- name: two\n  version: 1.30.1\n"
    )
    ran = halgit("export", "--to", target, "--repo", tmp_path / "repo", tmp_path / "x", "--format", "json",
                 "--no-validate")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "config: deployment two" in {one["place"] for one in ran.json["decisions"]}


def test_a_tree_without_a_halconfig_is_not_exported(tmp_path: Path) -> None:
    """A warning about another file does not hide that there is none."""
    settings = tmp_path / "repo" / "default" / "service-settings" / "gate.yml"
    settings.parent.mkdir(parents=True)
    settings.write_text("- {a: b, a: c}\n")
    for command in (
        ("export", "--to", "kleat", "--repo", tmp_path / "repo", "--no-validate", tmp_path / "out"),
        ("render", "--repo", tmp_path / "repo", "--no-validate", "--out", tmp_path / "out"),
    ):
        ran = halgit(*command)
        assert (ran.code, "have no config: Halyard would start an empty Spinnaker." in ran.err) == (1, True), ran.err
        assert not (tmp_path / "out").exists()
