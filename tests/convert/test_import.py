"""`halgit import` as a user runs it: what is rendered means the same, and the report says what is left to decide."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import judge
import pytest
import real_repository
import yaml
from charts_values import over
from helm_python import Chart
from needs import ROOT, shared_data
from program import SAMPLE, Ran, halgit, tree
from servers.repositories import Repository

sys.path.insert(0, str(ROOT / "scripts"))
import package_charts

CONFIG = """\
# The halconfig, with words on it.
currentDeployment: default
deploymentConfigurations:
- name: default
  version: 1.36.1
  providers:
    kubernetes:
      enabled: true
      accounts:
      - name: prod   # the one
        serviceAccount: false
        kubeconfigFile: encryptedFile:kube:config
        context: x
      - {name: near, context: y, kubeconfigFile: /home/spinnaker/.hal/kube/near.yml}
    dockerRegistry:
      enabled: true
      accounts:
      - {name: hub, address: https://hub, password: "encrypted:hub:pass.word"}
      - {name: aws, address: https://aws, password: 'encrypted:s3!r:eu-west-1!b:box!f:file!k:key'}
  deploymentEnvironment: {type: Distributed, accountName: prod, location: SPINNAKER_NAMESPACE}
  security:
    uiSecurity: {overrideBaseUrl: PROTOCOL://OVERRIDE_DECK_URL}
  persistentStorage: {persistentStoreType: redis}
"""
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: y
clusters: [{name: c, cluster: {server: https://c}}]
users: [{name: u, user: {token: canary-kube}}]
contexts: [{name: y, context: {cluster: c, user: u}}]
"""
FILES = {
    "config": CONFIG,
    "kube/near.yml": KUBECONFIG,
    "default/profiles/gate-local.yml": "a: x encrypted:one:two/encrypted:three:four y\n"
    "b: 'literal ${{ params.x }} here'\n",
    "default/profiles/echo-local.yml": "# ${{ nothing\nc: 1\n---\nd: 2\n",
    "default/profiles/settings-local.js": "window.a = '${{ one }}'; // ${{ x }}\n",
    "default/profiles/rosco/packer/x.json": '{"a": "${{ params.y }}", "b": "${{ secret(\'k8s://a#b\') }}"}\n',
    "default/profiles/spinnakerconfig.yml": "spring: {cloud: {config: {server: {git: {uri: 'DYNAMIC_ACCOUNTS_REPO', "
    "password: GIT_TOKEN, searchPaths: 'a/DYN_ACCNT_CONFG_PATH'}}}}}\n",
    "default/profiles/spinnakerconfig.yml.ssh": "spring:\n  cloud:\n    config:\n      server:\n        git:\n"
    "          uri: DYNAMIC_ACCOUNTS_REPO\n          privateKey: |\n",
    "default/profiles/gate-local.yml.bak": "secret: canary-bak\n",
    "default/service-settings/gate.yml": "env: {A: SPINNAKER_NAMESPACE-x, B: '012'}\n",
    "clouddriver-local.yml": "kubernetes: {accounts: []}\n",
    "halyard.yaml": "server: {port: 8064}\n",
    "README.md": "Not for Halyard.\n",
}
TOKENS = {
    "SPINNAKER_NAMESPACE": "012",
    "PROTOCOL": "https",
    "OVERRIDE_DECK_URL": "deck.example.com",
    "DYNAMIC_ACCOUNTS_REPO": "https://git.example.com/a.git",
    "DYN_ACCNT_CONFG_PATH": "",
}
SECRETS = {"GIT_TOKEN": "tok: 'en#1", "GIT_SSH_KEY": "-----BEGIN-----\nabc\n-----END-----"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        place = tmp_path / "source" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path / "source"


def environment(folder: Path, values: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    """Values for the tokens: their variables are the same before and after an import."""
    given = {f"HALGIT_PARAM_{name}": value for name, value in values.items()}
    for name, value in secrets.items():
        (folder / name).write_text(value)
        given[f"HALGIT_PARAM_{name}_FILE"] = str(folder / name)
    return given


def meaning(folder: Path) -> dict[str, Any]:
    """Every file of a rendered tree: YAML as SnakeYAML reads it, the rest by its bytes."""
    files = tree(folder)
    files.pop(".halgit.json")
    documents = {path for path in files if path == "config" or path.endswith(".yml")}
    return {path: judge.read_all(text) if path in documents else text for path, text in files.items()}


def same(tmp_path: Path, source: Path, given: dict[str, str], *options: str, variant: str = "token") -> Ran:
    """Import a source, render both, and hold the imported one to the meaning of the other; how the import ran."""
    ran = halgit("import", source, tmp_path / "made", "--variant", variant)
    assert ran.code == 0, ran.err
    of = ("render", *options, "--no-validate")
    before = halgit(*of, "--repo", source, "--variant", variant, "--out", tmp_path / "before", **given)
    assert before.code == 0, before.err
    after = halgit(*of, "--repo", tmp_path / "made", "--overlay", "prod", "--out", tmp_path / "after", **given)
    assert after.code == 0, after.err
    assert meaning(tmp_path / "after") == meaning(tmp_path / "before")
    return ran


@pytest.mark.parametrize("variant", ["token", "ssh"])
def test_a_repository_of_tokens_means_the_same(variant: str, source: Path, tmp_path: Path) -> None:
    given = environment(tmp_path, TOKENS, SECRETS)
    if variant == "ssh":
        del given["HALGIT_PARAM_GIT_TOKEN_FILE"], given["HALGIT_PARAM_DYN_ACCNT_CONFG_PATH"]
    else:
        del given["HALGIT_PARAM_GIT_SSH_KEY_FILE"]
    same(tmp_path, source, given, "--secrets", "mask", variant=variant)


def test_values_of_an_overlay_and_a_reference_for_a_secret_parameter_render_without_a_variable(
    source: Path, tmp_path: Path
) -> None:
    halgit("import", source, tmp_path / "made")
    place = tmp_path / "made/overlays/prod/halgit.yaml"
    said = yaml.safe_load(place.read_text())
    assert said == {"bases": ["../../base"]}
    words = {"spinnakerNamespace": "012", "protocol": "https", "overrideDeckUrl": "d", "dynamicAccountsRepo": "r"}
    said["params"] = {**words, "gitToken": "${{ secret('k8s://git#token') }}"}
    place.write_text(yaml.safe_dump(said))
    arguments = ("--repo", tmp_path / "made", "--overlay", "prod", "--secrets", "mask", "--out", tmp_path / "out")
    ran = halgit("render", *arguments)
    assert ran.code == 0, ran.err
    assert "password: masked-k8s-git-token" in (
        tmp_path / "out/default/profiles/spinnakerconfig.yml"
    ).read_text().replace("'", "")


def test_layers_parameters_and_references_are_written_as_the_contract_has_them(source: Path, tmp_path: Path) -> None:
    halgit("import", source, tmp_path / "made", "--overlay", "eu")
    made = {path: text.decode() for path, text in tree(tmp_path / "made").items()}
    assert {path for path in made if not path.startswith("base/default")} == {
        "halgit.yaml",
        "base/config",
        "base/halgit.yaml",
        "base/halyard.yaml",
        "base/kube/near.yml",
        "overlays/eu/halgit.yaml",
        "accounts/clouddriver-local.yml",
        "import-report.md",
    }
    config = made["base/config"]
    assert config.startswith("# The halconfig, with words on it.\n")
    assert "- name: prod   # the one\n" in config
    assert "kubeconfigFile: ${{ secretFile('k8s://kube#config') }}\n" in config
    assert "password: \"${{ secret('k8s://hub#pass.word') }}\"}" in config
    assert "password: 'encrypted:s3!r:eu-west-1!b:box!f:file!k:key'" in config
    assert "overrideBaseUrl: '${{ params.protocol }}://${{ params.overrideDeckUrl }}'" in config
    declared = yaml.safe_load(made["base/halgit.yaml"])["params"]
    assert declared["gitToken"] == {
        "type": "string",
        "secret": True,
        "required": True,
        "pattern": r"[\s\S]+",
        "description": "token or password for the repository of dynamic accounts",
    }
    assert declared["dynAccntConfgPath"]["default"] == ""
    assert "#  spinnakerNamespace: the namespace Spinnaker runs in\n" in made["overlays/eu/halgit.yaml"]
    assert made["accounts/clouddriver-local.yml"] == FILES["clouddriver-local.yml"]


@pytest.mark.parametrize("value", ["", "x"])
def test_an_imported_token_may_not_be_empty(value: str, source: Path, tmp_path: Path) -> None:
    halgit("import", source, tmp_path / "made")
    ran = halgit("render", "--repo", tmp_path / "made", "--overlay", "prod", "--secrets", "mask", "--out",
                 tmp_path / "hal", HALGIT_PARAM_GIT_TOKEN=value)  # fmt: skip
    assert ("HALGIT_PARAM_GIT_TOKEN: the value does not match the pattern" in ran.err) is (value == ""), ran.err


def test_the_report_says_what_was_done_and_what_is_to_decide(source: Path, tmp_path: Path) -> None:
    ran = halgit("import", source, tmp_path / "made", "--format", "json")
    told = ran.json
    assert told["references"] == 4
    assert told["skipped"] == [
        {"path": "README.md", "reason": "Halyard does not read it"},
        {"path": "default/profiles/gate-local.yml.bak", "reason": "backup copy of gate-local.yml"},
        {
            "path": "default/profiles/spinnakerconfig.yml.ssh",
            "reason": "it is the ssh variant of default/profiles/spinnakerconfig.yml; the selected variant is token",
        },
    ]
    decided = {row["place"]: row["what"] for row in told["decisions"]}
    assert decided["parameter gitToken"] == (
        "Set it with HALGIT_PARAM_GIT_TOKEN_FILE, or as a reference in the overlay: it is a secret."
    )
    assert decided["parameter protocol"] == "Set it in the overlay, or with HALGIT_PARAM_PROTOCOL."
    assert decided["base/kube/near.yml"] == (
        "It may contain a secret. Move it to a secret store and reference it with secretFile()."
    )
    assert decided["accounts/clouddriver-local.yml"] == (
        "It was at the root. Add accounts to searchPaths of the config server (spinnakerconfig.yml)."
    )
    assert "canary" not in ran.out + ran.err
    text = halgit("import", source, tmp_path / "again")
    assert text.out.startswith(f"{len(told['files'])} files, 6 parameters, 4 references rewritten in canonical form.\n")
    assert "Next: halgit render --repo" in text.err


def test_accounts_that_clouddriver_does_not_load_are_to_decide(source: Path, tmp_path: Path) -> None:
    (source / "clouddriver-local.yml").write_text(
        "kubernetes:\n  accounts:\n  - {name: a/b, serviceAccount: true}\n  - {name: Kubeconfigs, cacheThreads: 2}\n"
        "dockerRegistry:\n  accounts:\n  - {name: hub, address: 'https://r.example'}\n  - {name: HUB, address: ''}\n"
        "  - {address: x, trackDigests: 1}\n"
    )
    told = halgit("import", source, tmp_path / "made", "--format", "json").json
    decided = [(row["place"], row["what"]) for row in told["decisions"] if row["place"].startswith("accounts/")]
    file = "accounts/clouddriver-local.yml"
    assert decided[1:] == [
        (f"{file}:3", "The account a/b: the name 'a/b' is not a safe file name; use letters, digits, and dashes, dots,"
         " underscores or spaces between them, at most 200."),
        (f"{file}:4", "The account Kubeconfigs: the name Kubeconfigs is a folder that Clouddriver uses."),
        (f"{file}:8", "The account HUB: the name is a duplicate."),
        (f"{file}:8", "The account HUB: address is required."),
        (f"{file}:9", "The docker-registry account without a name: trackDigests is not true or false."),
        (f"{file}:9", "The docker-registry account without a name: name is required."),
    ]  # fmt: skip


def test_plain_secrets_are_told_by_place_and_never_shown(source: Path, tmp_path: Path) -> None:
    place = source / "config"
    place.write_text(place.read_text().replace('"encrypted:hub:pass.word"', "canary-plain"))
    ran = halgit("import", source, tmp_path / "made")
    assert ran.code == 0, ran.err
    assert "config:18" in ran.out, ran.out
    assert "canary" not in ran.out + ran.err


@pytest.mark.parametrize("overlay", ["dev", "staging", "prod"])
@pytest.mark.parametrize("mode", ["keep", "mask"])
def test_a_rendered_tree_of_the_sample_means_the_same(mode: str, overlay: str, tmp_path: Path) -> None:
    ran = halgit("render", "--repo", SAMPLE, "--overlay", overlay, "--secrets", mode, "--out", tmp_path / "hal")
    assert ran.code == 0, ran.err
    same(tmp_path, tmp_path / "hal", {}, "--secrets", "mask")


def test_the_starting_repository_rendered_means_the_same(tmp_path: Path) -> None:
    halgit("init", tmp_path / "start")
    arguments = ("--overlay", "prod", "--secrets", "keep", "--out", tmp_path / "hal")
    assert halgit("render", "--repo", tmp_path / "start", *arguments).code == 0
    same(tmp_path, tmp_path / "hal", {}, "--secrets", "mask")


def test_the_real_repository_means_the_same(tmp_path: Path) -> None:
    source = shared_data() / "standard-isd-gitops"
    ran = same(
        tmp_path, source, environment(tmp_path, real_repository.VALUES, real_repository.SECRETS), "--secrets", "mask"
    )
    assert "RELEASE resembles a token but is none, and is kept unchanged. Did you mean RELEASE_NAME?" in ran.out


def test_a_git_repository_is_imported_from_its_url(source: Path, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "git")
    repository.commit({f"conf/{path}": text for path, text in FILES.items()})
    ran = halgit("import", repository.url, tmp_path / "made", "--path", "conf")
    assert ran.code == 0, ran.err
    halgit("import", source, tmp_path / "other")
    assert tree(tmp_path / "made") == tree(tmp_path / "other")


def test_values_of_the_environment_and_the_branch_are_not_imported(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "git")
    config = "server: {git: {defaultLabel: BRANCH, username: GIT_USER, password: GIT_TOKEN}}\n"
    repository.commit({**FILES, "default/profiles/spinnakerconfig.yml": config})
    values = {"HALGIT_PARAM_GIT_USER": "bob", "HALGIT_PARAM_GIT_TOKEN": "canary-token"}
    ran = halgit("import", repository.url, tmp_path / "made", **values)
    assert ran.code == 0, ran.err
    assert (tmp_path / "made/base/default/profiles/spinnakerconfig.yml").read_text() == (
        "server: {git: {defaultLabel: '${{ params.branch }}', username: '${{ params.gitUser }}', "
        "password: '${{ params.gitToken }}'}}\n"
    )
    assert not any("canary-token" in text for text in map(str, tree(tmp_path / "made").values()))


def test_a_token_in_a_key_stops_the_import(source: Path, tmp_path: Path) -> None:
    with (source / "default/profiles/orca-local.yml").open("a") as file:
        file.write("---\nJIRA_URL: x\n")
    ran = halgit("import", source, tmp_path / "made")
    assert ran.code == 1
    assert "Token JIRA_URL is used in a mapping key, where tokens are not replaced. Write the key itself." in ran.err


VALUES = """\
global:
  ssl: {enabled: true}
  commonGate: {enabled: false}
  spinDeck: {host: deck.example.com}
  spinGate: {host: gate.example.com}
  oesGate: {host: other.example.com}
  ldap: {managerPassword: canary-ldap, url: ldap://x}
  nodeSelector: {a: b}
spinnaker:
  gitopsHalyard:
    repo: {token: canary-token, username: bob, dynAccntConfigPath: '012', dynamicAccRepository: null}
minio: {rootPassword: canary-unknown}
"""


def test_values_of_a_predecessor_become_parameters_and_its_secrets_are_only_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(VALUES)
    ran = halgit("import", source, tmp_path / "made", "--values", tmp_path / "values.yaml", "--format", "json")
    assert ran.code == 0, ran.err
    said = yaml.safe_load((tmp_path / "made/overlays/prod/halgit.yaml").read_text())
    assert said["params"] == {
        "protocol": "https",
        "overrideDeckUrl": "deck.example.com",
        "dynAccntConfgPath": "012",
    }
    decided = {row["place"]: row["what"] for row in ran.json["decisions"]}
    assert decided["value global.ldap.managerPassword"] == (
        "It is a secret and was not imported. Put it into a Secret: global.credentials.ldap"
    )
    assert decided["value spinnaker.gitopsHalyard.repo.token"].endswith("Put it into a Secret: global.credentials.git")
    assert decided["value minio.rootPassword"] == "The old chart does not have this value."
    assert decided["value of GIT_USER"] == "No file of the repository uses this token, so it was not imported."
    assert {"key": "global.ldap.url", "to": "global.ldap.url (empty: the release's own)"} in ran.json["values_moved"]
    written = "".join(text.decode() for text in tree(tmp_path / "made").values())
    assert "canary-t" not in written
    assert "canary" not in ran.out + ran.err


def test_the_values_of_the_new_chart_are_written_and_accepted_by_it(source: Path, tmp_path: Path) -> None:
    """What can be translated is; secrets are only named, and the rest says where it belongs. Helm renders the file."""
    text = """\
    installSpinnaker: true
    imagePullSecret: registry-login
    global:
      ssl: {enabled: true}
      createIngress: true
      oesUI: {host: isd.example.com, protocol: https}
      oesGate: {host: gate.example.com}
      spinDeck: {host: deck.example.com}
      ldap: {enabled: true, url: "ldaps://ldap.example.com", managerPassword: canary-ldap, userDnPattern: "uid={0}"}
      minio: {persistence: {size: 20Gi}}
    db: {storageMountSize: 30Gi, url: "jdbc:postgresql://db:5432"}
    sapor: {resources: {limits: {memory: 3Gi}}}
    saporgate: {enabled: true}
    spinnaker:
      gitopsHalyard:
        repo: {type: git, baseUrlHostName: git.example.com, organization: org, repository: config, token: canary-token,
               halConfigBranch: prod, halConfigPath: conf, dynamicAccRepository: accounts}
    """
    (tmp_path / "values.yaml").write_text(textwrap.dedent(text))
    ran = halgit("import", source, tmp_path / "made", "--values", tmp_path / "values.yaml")
    assert ran.code == 0, ran.err
    written = (tmp_path / "made" / "isd-values.yaml").read_text()
    assert "canary" not in written
    assert "# global.ldap.managerPassword: a secret. Put it into a Secret: global.credentials.ldap\n" in written
    assert "# db.url: global.database.host, global.database.port (jdbc:postgresql://HOST:PORT in two)\n" in written
    values = yaml.safe_load(written)
    assert values["global"]["hosts"] == {
        "ui": "isd.example.com", "oesGate": "gate.example.com", "deck": "deck.example.com",
    }  # fmt: skip
    assert values["global"]["login"] == {"kind": "ldap"}
    assert values["global"]["image"] == {"pullSecrets": ["registry-login"]}
    assert values["oes-db"] == {"persistence": {"size": "30Gi"}}
    assert values["sapor"] == {"resources": {"limits": {"memory": "3Gi"}}}
    assert values["halyard"]["source"] == {
        "ref": "prod", "path": "conf", "repositories": ["https://git.example.com/org/config.git"],
    }  # fmt: skip
    assert values["configure"]["accountsRepository"] == "https://git.example.com/org/accounts.git"
    login = {"existingSecret": "a-login"}
    more = {"global": {"credentials": {"git": login, "ldap": login}}, "configure": {"gitProvider": "gitlab"}}
    with Chart.load(package_charts.vendor(ROOT / "chart" / "isd", tmp_path / "charts")) as chart:
        assert chart.render(over(values, more), name="isd", namespace="isd-ns")


def test_the_repository_of_dynamic_accounts_is_an_address(source: Path, tmp_path: Path) -> None:
    """The old value is a name; the config server needs the address."""
    repo = "organization: org, repository: config, dynamicAccRepository: accounts"
    (tmp_path / "values.yaml").write_text(f"spinnaker: {{gitopsHalyard: {{repo: {{{repo}}}}}}}\n")
    profile = source / "default/profiles/spinnakerconfig.yml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text("spring: {cloud: {config: {server: {git: {uri: DYNAMIC_ACCOUNTS_REPO}}}}}\n")
    ran = halgit("import", source, tmp_path / "made", "--values", tmp_path / "values.yaml")
    assert ran.code == 0, ran.err
    said = yaml.safe_load((tmp_path / "made/overlays/prod/halgit.yaml").read_text())
    assert said["params"]["dynamicAccountsRepo"] == "https://github.com/org/accounts.git"


@pytest.mark.parametrize(
    ("common", "host"), [("", "other.example.com"), ("commonGate: {enabled: false}, ", "gate.example.com")]
)
def test_the_host_of_gate_is_one_of_two(common: str, host: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    text = CONFIG.replace("OVERRIDE_DECK_URL", "OVERRIDE_API_URL")
    (tmp_path / "source/config").write_text(text)
    (tmp_path / "source/kube").mkdir()
    (tmp_path / "source/kube/near.yml").write_text(KUBECONFIG)
    hosts = "spinGate: {host: gate.example.com}, oesGate: {host: other.example.com}"
    (tmp_path / "values.yaml").write_text(f"global: {{{common}{hosts}}}\n")
    halgit("import", tmp_path / "source", tmp_path / "made", "--values", tmp_path / "values.yaml")
    said = yaml.safe_load((tmp_path / "made/overlays/prod/halgit.yaml").read_text())
    assert said["params"] == {"overrideApiUrl": host}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", "is not a mapping of values. Pass the values file of the old release."),
        ("a: [b\n", "values.yaml:2: "),
        (None, "values.yaml: No such file or directory. Check the path."),
    ],
)
def test_values_that_cannot_be_read(text: str | None, words: str, source: Path, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "values.yaml").write_text(text)
    ran = halgit("import", source, tmp_path / "made", "--values", tmp_path / "values.yaml")
    assert ran.code == 2
    assert words in ran.err
    assert not (tmp_path / "made").exists()


def test_a_folder_that_holds_anything_is_refused_and_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/mine").write_text("x")
    ran = halgit("import", source, tmp_path / "made")
    assert ran.code == 5
    assert "the folder is not empty (it contains mine). Name an empty or new folder." in ran.err
    assert tree(tmp_path / "made") == {"mine": b"x"}
    ran = halgit("import", source, tmp_path / "made/mine")
    assert ran.code == 5
    assert "is a file, not a folder. Name another folder." in ran.err


def test_an_empty_folder_and_one_of_a_folder_to_be_made_are_taken(source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert halgit("import", source, ".", cwd=tmp_path / "empty").code == 0
    assert halgit("import", source, tmp_path / "new/deep").code == 0
    assert tree(tmp_path / "empty") == tree(tmp_path / "new/deep")
    assert {path.name for path in tmp_path.iterdir()} == {"source", "empty", "new"}


def test_a_tree_that_cannot_be_read_is_told_whole_and_nothing_is_written(source: Path, tmp_path: Path) -> None:
    (source / "config").write_text("a: [b\n")
    (source / "default/service-settings/gate.yml").write_text("a: b: c\n")
    ran = halgit("import", source, tmp_path / "made")
    assert ran.code == 1
    assert "2 errors; nothing was written." in ran.err
    assert "config:2" in ran.err
    assert "default/service-settings/gate.yml:1" in ran.err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((SAMPLE, "made"), 2, "is already a repository of layers. Render it with --repo."),
        (("nowhere", "made"), 3, "nowhere: the directory does not exist."),
        ((".", "made", "--overlay", "../x"), 2, "--overlay: '../x' is not a valid name."),
        ((".", "made"), 3, "has no file of a layer"),
    ],
)
def test_what_cannot_be_imported(arguments: tuple[Any, ...], code: int, words: str, tmp_path: Path) -> None:
    ran = halgit("import", *arguments, cwd=tmp_path)
    assert ran.code == code
    assert words in ran.err
    assert list(tmp_path.iterdir()) == []


def test_findings_of_rules_do_not_stop_an_import(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/config").write_text(CONFIG)
    ran = halgit("import", tmp_path / "source", tmp_path / "made")
    assert ran.code == 0, ran.err
    assert "[local-files/missing]" in ran.err
    ran = halgit("import", tmp_path / "source", tmp_path / "quiet", "--no-validate")
    assert ran.code == 0, ran.err
    assert "[local-files/missing]" not in ran.err
    (tmp_path / "source/config").write_text("a: [\n")
    assert halgit("import", tmp_path / "source", tmp_path / "broken").code == 1


def test_a_file_of_kleat_that_cannot_be_edited_is_refused(tmp_path: Path) -> None:
    """Flow style cannot be indented into a halconfig."""
    (tmp_path / "hal").mkdir()
    (tmp_path / "hal" / "halconfig.yml").write_text('{"severity": "a", "security": [], "providers": "-.inf"}')
    ran = halgit("import", tmp_path / "hal", tmp_path / "new")
    words = "hal cannot be converted: expected a key with a value, got a line without a colon. Write the file in block"
    assert (ran.code, words in ran.err, (tmp_path / "new").exists()) == (2, True, False), ran.err
