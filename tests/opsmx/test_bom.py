"""The root file `bom`: which version and images it sets, where they come from, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import needs
import pytest
from program import halgit

from halgit import yaml as hyaml

CONFIG = """currentDeployment: default
deploymentConfigurations:
- name: default
  version: 1.28.4 # kept
- name: other
  version: 1.28.4
"""
BOM = """version: 1.30.1
services:
  clouddriver: {image: quay.io/x/clouddriver:2}
  gate: {image: quay.io/x/gate:2}
  fiat: {image: quay.io/x/fiat:2}
"""
SETTINGS = "default/service-settings"
FILES = {
    "config": CONFIG,
    "bom": BOM,
    f"{SETTINGS}/clouddriver-ro.yml": "# images\nartifactId: quay.io/x/clouddriver:1 # replaced\nenv: {A: b}\n",
    f"{SETTINGS}/gate.yml": "healthEndpoint: /health\n",
    f"{SETTINGS}/echo.yml": "artifactId: quay.io/x/echo:1\n",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def render(repo: Path, out: Path, *options: str) -> dict[str, object]:
    ran = halgit("render", "--repo", str(repo), "--dialect", "opsmx", "--secrets", "mask", "--out", str(out),
                 "--no-validate", "--format", "json", *options)  # fmt: skip
    assert ran.code == 0, ran.err + ran.out
    return dict(json.loads(ran.out))


def test_version_and_images_are_set_and_the_rest_is_kept(tmp_path: Path) -> None:
    result = render(write(tmp_path / "repo", FILES), tmp_path / "hal")
    tree = tmp_path / "hal"
    assert (tree / "config").read_text() == CONFIG.replace("1.28.4", "'1.30.1'")
    assert (tree / f"{SETTINGS}/clouddriver-ro.yml").read_text() == (
        "# images\nartifactId: quay.io/x/clouddriver:2 # replaced\nenv: {A: b}\n"
    )
    gate = hyaml.read((tree / f"{SETTINGS}/gate.yml").read_bytes(), "").data
    assert gate == {"healthEndpoint": "/health", "artifactId": "quay.io/x/gate:2"}
    assert (tree / f"{SETTINGS}/echo.yml").read_text() == "artifactId: quay.io/x/echo:1\n"
    assert not (tree / f"{SETTINGS}/fiat.yml").exists()
    assert not (tree / "bom").exists()
    assert {"path": "bom", "reason": "its version and images are set in config and service-settings"} in result[
        "skipped"
    ]


def test_an_entry_is_for_all_files_that_begin_with_its_name_and_a_later_one_counts(tmp_path: Path) -> None:
    names = ("clouddriver", "clouddriver-ro", "clouddriver-ro-deck", "clouddriver-caching")
    settings = {f"{SETTINGS}/{name}.yml": "artifactId: old\n" for name in names}
    bom = "services:\n  clouddriver: {image: all}\n  clouddriver-ro: {image: read-only}\n"
    render(write(tmp_path / "repo", {"config": CONFIG, "bom": bom, **settings}), tmp_path / "hal")
    images = [(tmp_path / "hal" / SETTINGS / f"{name}.yml").read_text() for name in names]
    assert images == [f"artifactId: {image}\n" for image in ("all", "read-only", "read-only", "all")]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("config:deploymentConfigurations[name=default].version", "bom:1:10"),
        (f"{SETTINGS}/clouddriver-ro.yml:artifactId", "bom:3:24"),
        (f"{SETTINGS}/gate.yml:artifactId", "bom:4:17"),
    ],
)
def test_the_origin_is_the_bom(tmp_path: Path, target: str, line: str) -> None:
    repo = write(tmp_path / "repo", FILES)
    ran = halgit("explain", "--repo", str(repo), "--dialect", "opsmx", target)
    assert ran.code == 0, ran.err
    assert f"{line} (layer ., by bom)" in ran.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "services: {gat: {image: x}}\n",
            "bom:1:12: warning: The bom names an unknown service: gat. Did you mean gate?",
        ),
        ("version: 1.30\n", "bom:1:1: error: Expected a string, got a number. Write the value in quotes."),
        ("- a\n", "bom:1:1: error: Expected a mapping, got a list. Write `version` and `services.<name>.image`."),
        ("services: {gate: x}\n", "bom:1:12: error: Expected a mapping, got a string."),
        ("services: {gate: {image: ''}}\n", "bom:1:19: error: The value is empty. Write it, or remove the key."),
        ("services: {gate: {image: }}\n", "bom:1:12: warning: The bom names no image for gate."),
        (
            "services: {gate: }\n",
            "bom:1:12: warning: The bom names no image for gate. Write `image`, or remove the entry.",
        ),
        (
            "service: {gate: {image: x}}\n",
            "bom:1:1: warning: Unknown key service, which is not read. Did you mean services?",
        ),
        (
            "services: {gate: {image: x, tag: y}}\n",
            "bom:1:29: warning: Unknown key tag, which is not read. Use image only.",
        ),
        (
            "services: {fiat: {image: x}}\n",
            "bom:1:19: warning: The image of fiat is not used: no file of service-settings has a name that begins with "
            "fiat. Add default/service-settings/fiat.yml, or remove the entry.",
        ),
        ("version: 1.30.1\nversion: 1.30.2\n", "bom:2:1: warning: duplicate key version in this mapping"),
        ("version: 1.30.1\n---\nversion: 1.30.2\n", "bom:2:1: error: a second document begins here"),
        ("a: [\n", "bom:1:4: error: the list opened by [ here is not closed."),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    repo = write(tmp_path / "repo", {**FILES, "bom": text})
    ran = halgit("render", "--repo", str(repo), "--dialect", "opsmx", "--secrets", "mask", "--out", str(tmp_path / "x"),
                 "--no-validate")  # fmt: skip
    assert message.rsplit(":", 1)[0] in ran.err
    assert message in ran.err


def test_a_version_may_be_missing_and_a_file_without_keys_gets_its_image(tmp_path: Path) -> None:
    files = {"config": CONFIG, "bom": "version:\nservices: {gate: {image: x}, fiat: {image: y}}\n",
             f"{SETTINGS}/gate.yml": "# none yet\n", f"{SETTINGS}/fiat.yml": "env: {A: b} # c\n"}  # fmt: skip
    render(write(tmp_path / "repo", files), tmp_path / "hal")
    assert (tmp_path / "hal/config").read_text() == CONFIG
    assert (tmp_path / "hal" / SETTINGS / "gate.yml").read_text() == "# none yet\nartifactId: x\n"
    assert (tmp_path / "hal" / SETTINGS / "fiat.yml").read_text() == "env: {A: b} # c\nartifactId: 'y'\n"


def test_import_writes_the_values_of_the_bom_and_keeps_comments(tmp_path: Path) -> None:
    repo = write(tmp_path / "repo", FILES)
    ran = halgit("import", str(repo), str(tmp_path / "new"))
    assert ran.code == 0, ran.err
    base = tmp_path / "new/base"
    assert (base / "config").read_text() == CONFIG.replace("1.28.4", "'1.30.1'")
    assert (base / SETTINGS / "gate.yml").read_text() == "healthEndpoint: /health\nartifactId: quay.io/x/gate:2\n"
    assert (
        (base / SETTINGS / "clouddriver-ro.yml")
        .read_text()
        .startswith("# images\nartifactId: quay.io/x/clouddriver:2 #")
    )
    assert not (base / "bom").exists()
    assert "bom:5" in (tmp_path / "new/import-report.md").read_text()


def test_in_the_halgit_dialect_the_file_has_no_meaning(tmp_path: Path) -> None:
    repo = write(tmp_path / "repo", {**FILES, "bom": "a: [\n"})
    options = ("--dialect", "halgit", "--secrets", "mask", "--no-validate")
    ran = halgit("render", "--repo", str(repo), "--out", str(tmp_path / "x"), *options)
    assert ran.code == 0, ran.err
    assert (tmp_path / "x" / "config").read_text() == CONFIG
    assert "bom      only the dialect opsmx reads it" in ran.out


REAL = {
    "SPINNAKER_NAMESPACE": "isd", "RELEASE_NAME": "isd", "PROTOCOL": "https", "OVERRIDE_DECK_URL": "isd.example.com",
    "OVERRIDE_API_URL": "isd.example.com/gate", "DYNAMIC_ACCOUNTS_REPO": "https://git.example.com/a.git",
    "GIT_USER": "git", "GIT_TOKEN": "encrypted:git:token", "DYN_ACCNT_CONFG_PATH": "", "BRANCH": "main",
    "KEY": "encrypted:git:key", "SERVICENOW_URL": "https://snow.example.com",
    "SERVICENOW_BASE64_USR_PASSWD": "encrypted:snow:key", "JIRA_URL": "https://jira.example.com",
    "JIRA_BASE64_USR_PASSWD": "encrypted:jira:key", "CDName": "isd",
}  # fmt: skip
"""A value for every token of standard-isd-gitops."""


def test_the_real_repository_renders_with_the_version_and_images_of_its_bom(tmp_path: Path) -> None:
    folder = needs.shared_data() / "standard-isd-gitops-4.0.4.2"
    bom = hyaml.read((folder / "bom").read_bytes(), "bom").data
    sets = [option for name, value in REAL.items() for option in ("--set", f"{name}={value}")]
    ran = halgit("render", "--repo", str(folder), "--secrets", "mask", "--out", str(tmp_path / "hal"), *sets)
    assert ran.code == 0, ran.err
    config = hyaml.read((tmp_path / "hal" / "config").read_bytes(), "config").data
    assert config["deploymentConfigurations"][0]["version"] == bom["version"] == "1.30.1"
    images = {
        file.stem: hyaml.read(file.read_bytes(), "").data.get("artifactId")
        for file in (tmp_path / "hal" / SETTINGS).glob("*.yml")
    }
    for service, entry in bom["services"].items():
        own = {name: image for name, image in images.items() if name == service or name.startswith(f"{service}-")}
        assert own, service
        assert set(own.values()) == {entry["image"]}


# --- Stormdriver -----------------------------------------------------------------------------------------------

STORM = {
    "config": """deploymentConfigurations:
- name: default
  version: 1.30.1
  persistentStorage: {persistentStoreType: redis}
""",
    **{f"default/profiles/{name}-overrides.yml": "a: b\n" for name in ("orca", "fiat", "gate", "echo")},
    "default/profiles/stormdriver-spinnaker.yml": "a: {host: RELEASE_NAME-storm}\n",
}


def test_files_of_stormdriver_are_skipped_with_the_reason_by_default(tmp_path: Path) -> None:
    result = render(write(tmp_path / "repo", STORM), tmp_path / "hal", "--set", "RELEASE_NAME=isd")
    profiles = {file.name for file in (tmp_path / "hal/default").rglob("*.yml")}
    assert profiles == {"echo-overrides.yml"}
    reason = "it is for Stormdriver, and the parameter stormdriver is not true"
    names = ("fiat-overrides", "gate-overrides", "orca-overrides", "stormdriver-spinnaker")
    for name in names:
        assert {"path": f"default/profiles/{name}.yml", "reason": reason} in result["skipped"]


def test_with_the_parameter_they_are_rendered(tmp_path: Path) -> None:
    options = ("--set", "RELEASE_NAME=isd", "--set", "stormdriver=true")
    render(write(tmp_path / "repo", STORM), tmp_path / "hal", *options)
    profiles = tmp_path / "hal/default/profiles"
    assert {file.name for file in profiles.iterdir()} >= {
        "fiat-overrides.yml", "gate-overrides.yml", "orca-overrides.yml", "spinnaker.yml",
    }  # fmt: skip
    assert (profiles / "spinnaker.yml").read_text() == "a: {host: isd-storm}\n"


@pytest.mark.parametrize(
    ("used", "skipped", "reason"),
    [
        ("false", "spinnaker", "it is for Stormdriver, and the parameter stormdriver is not true"),
        ("true", "stormdriver-spinnaker", "spinnaker.yml is its copy, which is rendered instead"),
    ],
)
def test_an_edited_copy_of_its_services_is_rendered_with_stormdriver_only(
    tmp_path: Path, used: str, skipped: str, reason: str
) -> None:
    repo = write(tmp_path / "repo", {**STORM, "default/profiles/spinnaker.yml": "a: {host: mine}\n"})
    options = ("--set", f"stormdriver={used}")
    result = render(repo, tmp_path / "hal", *options)
    assert {"path": f"default/profiles/{skipped}.yml", "reason": reason} in result["skipped"]
    copy = tmp_path / "hal/default/profiles/spinnaker.yml"
    assert (copy.exists() and copy.read_text()) == (used == "true" and "a: {host: mine}\n")


def test_a_wrong_value_is_one_error(tmp_path: Path) -> None:
    repo = write(tmp_path / "repo", STORM)
    ran = halgit("render", "--repo", str(repo), "--dialect", "opsmx", "--secrets", "mask", "--out", str(tmp_path / "x"),
                 "--no-validate", "--set", "stormdriver=yes", "--set", "RELEASE_NAME=isd")  # fmt: skip
    assert ran.err.splitlines()[:2] == [
        "error: --set stormdriver: expected a boolean, got another string. Write true or false. [parameter/value]",
        "1 error.",
    ]


def test_explain_shows_why_a_file_is_skipped(tmp_path: Path) -> None:
    repo = write(tmp_path / "repo", STORM)
    ran = halgit("explain", "--repo", str(repo), "--dialect", "opsmx", "default/profiles/orca-overrides.yml")
    assert ran.code == 2
    assert "is not in the rendered tree: it is for Stormdriver, and the parameter stormdriver is not true." in ran.err


def test_import_skips_its_files_without_the_value(tmp_path: Path) -> None:
    repo = write(tmp_path / "repo", STORM)
    (tmp_path / "values.yaml").write_text("global: {stormdriver: false}\n")
    ran = halgit("import", str(repo), str(tmp_path / "new"), "--values", str(tmp_path / "values.yaml"))
    assert ran.code == 0, ran.err
    assert not (tmp_path / "new/base/default/profiles/orca-overrides.yml").exists()
    assert "`default/profiles/orca-overrides.yml`: it is for Storm" in (tmp_path / "new/import-report.md").read_text()


@pytest.mark.parametrize(
    "values",
    [
        "global: {stormdriver: true}\n",
        "global: {stormdriver: 'true'}\n",
        "global: {stormdriver: 1}\n",
        "global: {stormdriver: {enabled: true}}\n",
    ],
)
def test_import_reads_it_from_the_values_of_the_old_chart(tmp_path: Path, values: str) -> None:
    repo = write(tmp_path / "repo", STORM)
    (tmp_path / "values.yaml").write_text(values)
    ran = halgit("import", str(repo), str(tmp_path / "new"), "--values", str(tmp_path / "values.yaml"))
    assert ran.code == 0, ran.err
    base = tmp_path / "new/base/default/profiles"
    assert (base / "orca-overrides.yml").exists()
    assert (base / "spinnaker.yml").read_text() == "a: {host: '${{ params.releaseName }}-storm'}\n"


def test_a_token_in_a_string_that_is_json_or_yaml_is_fitted_into_it(tmp_path: Path) -> None:
    profile = (
        'json: |\n  {"url": "JIRA_URL/x",\n   "n": 1}\n'
        "yaml: |\n  a: |\n    SERVICENOW_URL\n  b: 1\n"
        "text: see JIRA_URL\n"
    )  # fmt: skip
    repo = write(tmp_path / "repo", {"config": CONFIG, "default/profiles/orca-local.yml": profile})
    values = {"JIRA_URL": 'https://j/"a"\\b', "SERVICENOW_URL": "one\ntwo: x"}
    (tmp_path / "values.yml").write_text(json.dumps(values))
    render(repo, tmp_path / "hal", "--params", str(tmp_path / "values.yml"))
    data = hyaml.read((tmp_path / "hal/default/profiles/orca-local.yml").read_bytes(), "").data
    assert json.loads(data["json"]) == {"url": 'https://j/"a"\\b/x', "n": 1}
    assert hyaml.read(data["yaml"].encode(), "").data == {"a": "one\ntwo: x\n", "b": 1}
    assert data["text"] == 'see https://j/"a"\\b'
