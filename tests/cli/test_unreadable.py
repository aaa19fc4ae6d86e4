"""A file that cannot be read is one finding in every command, whatever kind of file it is and whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from catalog.examples import Layout
from program import halgit

from halgit.operator_settings import OperatorSettings

PROD = "overlays/prod/halgit.yaml"
PATCHES = """\
bases: [../../base]
params: {threads: 3}
remove: [default/profiles/orca-local.yml]
mergeKeys: {default/profiles/fiat-local.yml: {a: id}}
patches:
- target: config
  ops:
  - {op: test, path: /currentDeployment, value: default}
  - {op: replace, path: '/deploymentConfigurations/[name=default]/timezone', value: Europe/Berlin}
- {target: default/profiles/gate-local.yml, ops: [{op: remove, path: /p}]}
- {target: default/service-settings/gate.yml, ops: [{op: replace, path: /artifactId, value: 'x/y:2'}]}
"""
IGNORED = "public-addresses, dynamic-accounts/kubeconfig, secrets, profiles/disabled-service"
FILES = {
    "halgit.yaml": f"rules: {{ignore: [{IGNORED}]}}\n",
    "base/halgit.yaml": """\
params:
  threads: {type: integer, default: 2}
  host: {type: string, default: h}
  pw: {type: string, secret: true, default: 'encrypted:k8s!n:a!k:b'}
""",
    "base/config": """\
currentDeployment: default
deploymentConfigurations:
- name: default
  version: 1.36.0
  timezone: UTC
  providers:
    kubernetes:
      enabled: true
      accounts: [{name: a, serviceAccount: true, cacheThreads: '${{ params.threads }}'}]
  deploymentEnvironment: {type: Distributed, accountName: a, location: spin}
  persistentStorage: {persistentStoreType: redis}
""",
    "base/default/profiles/gate-local.yml": "a: ${{ params.host }}\nb: ${{ secret('k8s://x#y') }}\np: 1\n"
    "q: ${{ params.pw }}\n",
    "base/default/profiles/orca-local.yml": "x: 1\nref: encrypted:k8s!n:a!k:b\n",
    "base/default/profiles/fiat-local.yml": "a: [{id: x, v: 1}]\n",
    "base/default/service-settings/gate.yml": "artifactId: x/y:1\n",
    PROD: PATCHES,
    "overlays/prod/config": "deploymentConfigurations:\n- name: default\n  providers: {kubernetes: {accounts: "
    "[{name: b, serviceAccount: true, cacheThreads: '${{ params.threads }}'}]}}\n",
    "overlays/prod/default/profiles/gate-local.yml": "a: null\ne: ${{ params.host }}\n",
    "overlays/prod/default/profiles/fiat-local.yml": "a: [{id: x, $patch: delete}, {id: y}]\n",
    "overlays/prod/default/service-settings/gate.yml": "env: {A: b}\n",
    "overlays/dev/halgit.yaml": "bases: [../../base]\n",
    "accounts/clouddriver-local.yml": "kubernetes: {accounts: [{name: dyn, kubeconfigContents: 'apiVersion: v1'}]}\n",
}
BROKEN = {
    "bracket": b"a: [\n",
    "quote": b"a: 'x\n",
    "Latin-1": b"a: \xe9\n",
    "UTF-16": "a: 1\n".encode("utf-16"),
    "UTF-16, big-endian": b"\xfe\xff\x00a\x00:\x00 \x001\x00\n",
    "byte order mark": b"\xef\xbb\xbfa: [\n",
    "tab": b"a:\n\tb: 1\n",
    "control character": b"a: \x00\n",
    "conflict": b"<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n",
}


def write(folder: Path, changed: dict[str, str | bytes]) -> Path:
    for path, text in {**FILES, **changed}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def found(folder: Path, overlay: str = "prod", **changes: Any) -> list[str]:
    """The rules of the errors and warnings, with their files."""
    layout = Layout([folder], folder, OperatorSettings(overlay=overlay))
    return [f"{one.rule} {one.file}" for one in layout.findings(**changes)]


def test_the_repository_has_no_findings(tmp_path: Path) -> None:
    assert found(write(tmp_path, {})) == []


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", FILES)
def test_each_broken_file_is_one_finding(path: str, broken: str, tmp_path: Path) -> None:
    overlay = "dev" if path.startswith("overlays/dev") else "prod"
    (one,) = found(write(tmp_path, {path: BROKEN[broken]}), overlay)
    assert one.split()[1] == path
    assert one.startswith(("yaml/", "dynamic-accounts/unreadable"))
    if not one.startswith("dynamic-accounts"):
        assert found(tmp_path, overlay, validate=False) == [one]


NO_BASE = PATCHES.replace("[../../base]", "[../nope]")
DECLARED = FILES["base/halgit.yaml"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({PROD: NO_BASE}, f"merge/base-missing {PROD}"),
        ({PROD: PATCHES.replace("[../../base]", "[../../../x]")}, f"merge/base-outside {PROD}"),
        ({PROD: PATCHES.replace("[../../base]", "1")}, f"settings/type {PROD}"),
        ({PROD: PATCHES.replace("bases:", "base:")}, f"settings/unknown-key {PROD}"),
        ({"base/halgit.yaml": "bases: [../overlays/prod]\n" + DECLARED}, "merge/base-cycle base/halgit.yaml"),
        ({"base/halgit.yaml": "params: 1\n"}, "settings/type base/halgit.yaml"),
        ({"base/halgit.yaml": DECLARED.replace("params:", "param:")}, "settings/unknown-key base/halgit.yaml"),
        ({"base/halgit.yaml": DECLARED.replace("  host:", "  ho st:")}, "settings/parameter-name base/halgit.yaml"),
        ({"base/halgit.yaml": DECLARED.replace("integer", "intger")}, "settings/value base/halgit.yaml"),
        ({PROD: PATCHES.replace("{default/profiles/fiat-local.yml: {a: id}}", "1")}, f"settings/type {PROD}"),
        ({"base/halgit.yaml": DECLARED.replace("default: h", "required: true")}, "parameter/required base/halgit.yaml"),
    ],
)
def test_what_follows_from_a_missing_base_or_unknown_parameters_is_not_reported(
    changed: dict[str, str | bytes], expected: str, tmp_path: Path
) -> None:
    assert found(write(tmp_path, changed)) == [expected]
    assert found(tmp_path, validate=False) == [expected]


@pytest.mark.parametrize(("text", "rule"), [("a: [\n", "yaml/syntax"), ("bases: [../nope]\n", "merge/base-missing")])
def test_an_overlay_of_nothing_else_is_not_a_source_without_layers(text: str, rule: str, tmp_path: Path) -> None:
    path = "overlays/dev/halgit.yaml"
    assert found(write(tmp_path, {path: text}), "dev") == [f"{rule} {path}"]
    assert halgit("validate", "--repo", tmp_path, "--all-overlays").code == 1


PARAMETERS = {
    "version": "1.36.0", "zone": "UTC", "enabled": True, "threads": 2, "names": ["x"], "address": "https://index.docker.io",
    "password": "encrypted:k8s!n:a!k:b", "type": "Distributed", "account": "a", "place": "spin", "store": "s3",
    "region": "eu-west-1", "ldap": "ldap://h:389", "image": "x/y:1", "port": "8084",
}  # fmt: skip
TYPED = """\
currentDeployment: default
deploymentConfigurations:
- name: default
  version: ${{ params.version }}
  timezone: ${{ params.zone }}
  providers:
    kubernetes:
      enabled: ${{ params.enabled }}
      accounts:
      - {name: a, serviceAccount: true, cacheThreads: '${{ params.threads }}'}
      - name: b
        serviceAccount: true
        namespaces: ${{ params.names }}
    dockerRegistry:
      enabled: true
      accounts: [{name: d, address: '${{ params.address }}', password: '${{ params.password }}', username: u}]
  deploymentEnvironment:
    type: ${{ params.type }}
    accountName: ${{ params.account }}
    location: ${{ params.place }}
  persistentStorage:
    persistentStoreType: ${{ params.store }}
    s3: {region: '${{ params.region }}', bucket: b, rootFolder: f}
  security: {authn: {ldap: {enabled: true, url: '${{ params.ldap }}', userDnPattern: x}}}
"""


def declared(name: str, change: dict[str, Any] | None) -> str:
    """Declarations of all parameters, with a change to one; it is not declared at all without one."""
    types = {bool: "boolean", int: "integer", list: "list", str: "string"}
    known = {one: {"type": types[type(value)], "default": value} for one, value in PARAMETERS.items()}
    known["password"]["secret"] = True
    if change is None:
        del known[name]
    elif name:
        known[name] = {**{key: value for key, value in known[name].items() if key != "default"}, **change}
    return json.dumps({"params": known})


def typed(folder: Path, name: str, change: dict[str, Any] | None) -> list[str]:
    files = {
        "base/config": TYPED,
        "base/halgit.yaml": declared(name, change),
        "base/default/service-settings/gate.yml": "artifactId: ${{ params.image }}\n",
        "base/default/profiles/gate-local.yml": "server: {port: '${{ params.port }}'}\n",
    }
    return [one.split()[0] for one in found(write(folder, files), "dev")]


def test_the_parameters_fit(tmp_path: Path) -> None:
    assert typed(tmp_path, "", {}) == []


WRONG: dict[type, Any] = {bool: "x", int: "abc", list: "q", str: 5}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_wrong_parameter_is_one_finding_wherever_it_is_used(name: str, tmp_path: Path) -> None:
    assert typed(tmp_path, name, None) == ["parameter/undeclared"]
    assert typed(tmp_path, name, {}) == ["parameter/no-value"]
    assert typed(tmp_path, name, {"required": True}) == ["parameter/required"]
    wrong = WRONG[type(PARAMETERS[name])]
    assert typed(tmp_path, name, {"default": wrong})[:1] == ["parameter/value"]
    assert len(typed(tmp_path, name, {"default": wrong})) == 1
    if isinstance(PARAMETERS[name], str):
        both = {"default": PARAMETERS[name], "pattern": "[q]"}
        assert typed(tmp_path, name, both) == ["parameter/value"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"threads: [\n", "yaml/syntax"),
        ("threads: 1\n".encode("utf-16"), "yaml/encoding"),
        (b"- 1\n", "parameter/params-file"),
    ],
)
def test_a_broken_file_of_parameters_is_one_finding_in_the_folder_of_the_reader(
    text: bytes, rule: str, tmp_path: Path
) -> None:
    required = {
        "base/halgit.yaml": DECLARED.replace("default: 2", "required: true"),
        PROD: PATCHES.replace("params: {threads: 3}\n", ""),
    }
    write(tmp_path / "repo", required)
    (tmp_path / "p.yml").write_bytes(text)
    ran = halgit(
        "validate", "--repo", "repo", "--overlay", "prod", "--params", "p.yml", "--format", "json", cwd=tmp_path
    )
    assert [(one["rule"], one["file"]) for one in ran.json["findings"]] == [(rule, "p.yml")]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_broken_file_of_a_secret_is_one_finding(content: bytes | None, tmp_path: Path) -> None:
    write(
        tmp_path / "repo", {"base/halgit.yaml": DECLARED.replace("default: 'encrypted:k8s!n:a!k:b'", "required: true")}
    )
    if content:
        (tmp_path / "pw").write_bytes(content)
    ran = halgit("validate", "--repo", tmp_path / "repo", "--overlay", "prod", "--format", "json",
                 HALGIT_PARAM_PW_FILE=str(tmp_path / "pw"))  # fmt: skip
    assert [one["rule"] for one in ran.json["findings"]] == ["parameter/environment"]


# --- the other commands ----------------------------------------------------------------------------------------

SYNTAX = "the list opened by [ here is not closed."


@pytest.mark.parametrize(
    "command",
    [
        ("render", "--secrets", "mask", "--out", "hal"),
        ("explain", "config:currentDeployment"),
        ("explain", "default/profiles/fiat-local.yml:a"),
        ("diff", "--base-overlay", "dev"),
        ("secrets", "list"),
        ("secrets", "check"),
        ("lock",),
        ("export", "--to", "kleat", "new"),
    ],
)
def test_each_command_reports_it_once(command: tuple[str, ...], tmp_path: Path) -> None:
    write(tmp_path / "repo", {"overlays/prod/config": "a: [\n"})
    verbs = 2 if command[0] == "secrets" else 1
    options = ("--repo", "repo", "--overlay", "prod")
    ran = halgit(*command[:verbs], *options, *command[verbs:], cwd=tmp_path)
    assert (ran.code, ran.err.count(SYNTAX)) == (1, 1), ran.err
    assert ran.err.splitlines()[1] == "1 error."


def test_a_comparison_of_overlays_warns(tmp_path: Path) -> None:
    ran = halgit("overlays", "--repo", write(tmp_path, {"overlays/prod/config": "a: [\n"}))
    assert ran.err == (
        "warning: Overlay prod has files that cannot be read, so more than its own settings differs. "
        f"overlays/prod/config:1: {SYNTAX}\n"
    )


@pytest.mark.parametrize(
    "path", ["config", "default/profiles/gate-local.yml", "default/service-settings/gate.yml", "bom"]
)
def test_an_import_reports_it_once(path: str, tmp_path: Path) -> None:
    files = {"config": FILES["base/config"].replace("'${{ params.threads }}'", "1"), path: "a: [\n"}
    for name, text in files.items():
        (tmp_path / "repo" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / name).write_text(text)
    ran = halgit("import", tmp_path / "repo", tmp_path / "new")
    assert (ran.code, ran.err.count("error: "), ran.err.count(SYNTAX)) == (1, 1, 1), ran.err
    assert not (tmp_path / "new").exists()
