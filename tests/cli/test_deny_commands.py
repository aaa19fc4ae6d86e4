"""`--deny-commands`, against a repository that tries to get out of it."""

from __future__ import annotations

import json
from pathlib import Path

import program
import pytest

CONFIG = """\
deploymentConfigurations:
- name: default
  version: 1.36.0
  providers:
    dockerRegistry:
      accounts:
      # halgit: ignore=trust/runs-command we need it
      - {name: hub, address: 'https://h.example', username: bot, passwordCommand: cat /tmp/password}
"""
MESSAGE = "passwordCommand runs a program in the pod that reads it."


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that waives, ignores and lowers the rule."""
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "halgit.yaml").write_text(
        "rules: {ignore: [trust/*, trust], severity: {trust/runs-command: info}}\ndialect: halgit\n"
    )
    return tmp_path


def test_no_repository_setting_lowers_it(repository: Path) -> None:
    ran = program.halgit("validate", "--repo", repository, "--format", "json")
    found = [one for one in json.loads(ran.out)["findings"] if one["rule"] == "trust/runs-command"]
    assert [(one["severity"], one["message"], one["line"]) for one in found] == [("warning", MESSAGE, 8)]


@pytest.mark.parametrize("arguments", [["--deny-commands"], ["--deny-commands", "--no-validate"]])
def test_the_operator_refuses_it(repository: Path, tmp_path: Path, arguments: list[str]) -> None:
    out = tmp_path / "out" / ".hal"
    ran = program.halgit("render", "--repo", repository, "--out", out, *arguments)
    assert ran.code == 1
    assert f"config:8:83: error: {MESSAGE}" in ran.err
    assert not out.exists()


def test_a_variable_is_enough(repository: Path) -> None:
    ran = program.halgit("validate", "--repo", repository, HALGIT_DENY_COMMANDS="true")
    assert ran.code == 1


def test_the_list_of_secrets_names_it(repository: Path) -> None:
    ran = program.halgit("secrets", "list", "--repo", repository)
    assert MESSAGE in ran.out
    answer = json.loads(program.halgit("secrets", "list", "--repo", repository, "--format", "json").out)
    assert answer["commands"] == [{"path": "config:8", "message": MESSAGE}]


RUNS, LOADS = "runs a program in the pod that reads it.", "loads code or runs a program in the pod of the service."
PLUGS, READS = "makes the service load plug-ins, which are programs that run in its pod.", "a file of its pod."
PLAIN = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
ORCA, PROPS = "default/profiles/orca-local.yml", "default/profiles/orca-local.properties"
SETTINGS = "default/service-settings/orca.yml"
JSON = """SPRING_APPLICATION_JSON: '{"helm": {"v3-executable-path": "/tmp/x"}}\'"""

HOSTILE: dict[str, tuple[str, str, str]] = {
    "second document": (ORCA, "a: 1\n---\nhelm: {v3ExecutablePath: /tmp/x}\n", f"v3ExecutablePath {RUNS}"),
    "properties": (PROPS, "# a\nhelm.v3-exec\\\n  utable-path = /tmp/x\n", f"helm.v3-executable-path {RUNS}"),
    "escaped properties": (PROPS, "helm.v3Executable\\u0050ath:/tmp/x\n", f"helm.v3ExecutablePath {RUNS}"),
    "dotted key": (ORCA, "helm.v3_executable_path: /tmp/x\n", f"helm.v3_executable_path {RUNS}"),
    "upper case": (ORCA, "HELM: {V3EXECUTABLEPATH: /tmp/x}\n", f"V3EXECUTABLEPATH {RUNS}"),
    "expression": (ORCA, "a: ['#{T(java.lang.Runtime).getRuntime()}']\n", "a holds #{, an expression that Spring"),
    "log settings": (ORCA, "logging: {config: 'https://x/logback.xml'}\n", f"config {LOADS}"),
    "imported settings": (ORCA, "spring: {config: {import: ['https://x/a.yml']}}\n", f"import {LOADS}"),
    "settings elsewhere": (ORCA, "spring.config.location: /x/\n", f"spring.config.location {LOADS}"),
    "options of a script": (SETTINGS, "env: {ORCA_OPTS: '-javaagent:/tmp/x'}\n", f"ORCA_OPTS {LOADS}"),
    "options of every JVM": (SETTINGS, "env: {_JAVA_OPTIONS: '-XX:OnError=x'}\n", f"_JAVA_OPTIONS {LOADS}"),
    "file of options": (SETTINGS, "env: {JDK_JAVA_OPTIONS: '@/tmp/x'}\n", f"JDK_JAVA_OPTIONS {LOADS}"),
    "flags": (SETTINGS, "env: {JAVA_OPTS: '-Xmx1g -XX:Flags=/tmp/x'}\n", f"JAVA_OPTS {LOADS}"),
    "debugger": (SETTINGS, "env: {JAVA_OPTS: '-Xrunjdwp:onthrow=a,launch=x'}\n", f"JAVA_OPTS {LOADS}"),
    "defined property": (SETTINGS, "env: {JAVA_OPTS: -Dhelm.v3ExecutablePath=/tmp/x}\n", f"JAVA_OPTS {LOADS}"),
    "start of a shell": (SETTINGS, "env: {BASH_ENV: /tmp/x}\n", f"BASH_ENV {LOADS}"),
    "search path": (SETTINGS, "env: {PATH: /tmp/x}\n", f"PATH {LOADS}"),
    "other Java": (SETTINGS, "env: {JAVA_HOME: /tmp/x}\n", f"JAVA_HOME {LOADS}"),
    "property of a variable": (SETTINGS, "env: {HELM_V3EXECUTABLEPATH: /tmp/x}\n", f"HELM_V3EXECUTABLEPATH {RUNS}"),
    "item of a variable": (SETTINGS, "env: {DOCKER_ACCOUNTS_0_PASSWORDCOMMAND: x}\n", f"PASSWORDCOMMAND {RUNS}"),
    "JSON of a variable": (SETTINGS, f"env:\n  {JSON}\n", f"SPRING_APPLICATION_JSON {LOADS}"),
    "plug-ins": (ORCA, "spinnaker: {extensibility: {repositories: {a: {url: x}}}}\n", f"repositories {PLUGS}"),
    "plug-ins of a property": (PROPS, "spinnaker.extensibility.plugins-root-path=/x\n", f"plugins-root-path {PLUGS}"),
    "file of the pod": (ORCA, "a: 'optional:file:/var/run/../run/secrets/x'\n", f"/var/run/../run/secrets/x, {READS}"),
    "tree of the pod": (ORCA, "a: 1\n---\nb: 'configtree:/run/secrets/x/'\n", f"configtree:/run/secrets/x/, {READS}"),
    "file of a property": (PROPS, "a=/proc/self/environ\n", f"a makes the service read /proc/self/environ, {READS}"),
    "local file": (
        "config", CONFIG.replace("passwordCommand: cat /tmp/password", "passwordFile: /home/a/.aws/credentials"),
        f"passwordFile makes Halyard read /home/a/.aws/credentials, {READS}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_every_way_to_run_a_program_or_to_read_a_file_of_a_pod_is_found(case: str, tmp_path: Path) -> None:
    """Whatever the repository does to lower it; an error for the operator who denies it; listed with the secrets."""
    path, text, words = HOSTILE[case]
    waived = "".join(f"{line} # halgit: ignore=trust/* needed\n" for line in text.splitlines())
    waived = waived if path == ORCA and "---" not in text else text
    settings = "dialect: halgit\nrules: {ignore: ['trust/*'], severity: {trust/runs-command: info}}\n"
    for name, content in {"config": PLAIN, "halgit.yaml": settings, path: waived}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    answer = json.loads(program.halgit("validate", "--repo", tmp_path, "--format", "json").out)
    found = [one for one in answer["findings"] if one["rule"].startswith("trust/") and words in one["message"]]
    assert [one["severity"] for one in found] == ["warning"]
    assert found[0]["line"] > 0
    deny = ("--deny-commands", "--no-validate", "--secrets", "mask", "--out", tmp_path / "out")
    ran = program.halgit("render", "--repo", tmp_path, *deny)
    assert (ran.code, f"error: {found[0]['message']}" in ran.out + ran.err) == (1, True), ran.err
    listed = json.loads(program.halgit("secrets", "list", "--repo", tmp_path, "--format", "json").out)["commands"]
    assert found[0]["message"] in [one["message"] for one in listed]


def test_an_operator_may_permit_plugins_alone(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(PLAIN)
    for path, text in ((ORCA, HOSTILE["plug-ins"][1]), (SETTINGS, HOSTILE["search path"][1])):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    deny = ("render", "--repo", tmp_path, "--no-validate", "--deny-commands", "--allow-plugins")
    ran = program.halgit(*deny, "--out", tmp_path / "out")
    assert (ran.code, PLUGS in ran.err, LOADS in ran.err) == (1, False, True)
    (tmp_path / SETTINGS).unlink()
    assert program.halgit(*deny, "--out", tmp_path / "out").code == 0


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (SETTINGS, "env: {JAVA_OPTS: '-Xmx1g -XX:+HeapDumpOnOutOfMemoryError -Da.b=x', A_OPTS: '-a'}\n"),
        (ORCA, "path: /x\nserver: {ssl: {key-store: /opt/x.jks}}\nlogging: {level: INFO}\na: '${b:#}'\n"),
        (PROPS, "logging.level.root=INFO\na.path=/opt/x\n!b=/proc/x\n"),
    ],
)  # fmt: skip
def test_ordinary_settings_are_not_found(path: str, text: str, tmp_path: Path) -> None:
    for name, content in {"config": PLAIN, path: text}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    answer = json.loads(program.halgit("validate", "--repo", tmp_path, "--format", "json").out)
    assert [one for one in answer["findings"] if one["rule"].startswith("trust/")] == []
