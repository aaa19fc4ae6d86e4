"""Users' decisions: every finding can be ignored, graded and waived, whatever produced it, but for the fatal ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from catalog.examples import Layout, layouts
from program import Ran, halgit

from halgit import yaml as hyaml
from halgit.catalog import CATALOG
from halgit.operator_settings import OperatorSettings, Trust
from halgit.pipeline import Finding, Severity
from halgit.record import replace
from halgit.report import explanation

CONFIG = "currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  version: 1.36.0\n"
GATE, ORCA = "default/profiles/gate-local.yml", "default/profiles/orca-local.yml"
SETTINGS, PROD = "default/profiles/settings-local.js", "overlays/prod/halgit.yaml"
OVERLAY = {PROD: "bases: [../../base]\n", "base/config": CONFIG}
OPSMX = {"config": CONFIG, "halgit.yaml": "dialect: opsmx\n"}
KUBERNETES = """\
  deploymentEnvironment: {type: Distributed, accountName: a, location: spin}
  providers: {kubernetes: {enabled: true, accounts: [{name: a, kubeconfigFile: /home/spinnaker/.hal/files/a}]}}
"""
LARGE = "x: '" + "y" * 1_100_000 + "'\n"

SCENARIOS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "merge/named-list": (
        {**OVERLAY, f"base/{GATE}": "a: {b: [{name: x}]}\n", f"overlays/prod/{GATE}": "a: {b: [{name: y}]}\n"},
        {},
    ),
    "merge/no-key": ({**OVERLAY, f"base/{GATE}": "a: [1]\n", f"overlays/prod/{GATE}": "a: [{$list: merge}, 2]\n"}, {}),
    "merge/several-documents": (
        {**OVERLAY, f"base/{GATE}": "a: 1\n---\nb: 1\n", f"overlays/prod/{GATE}": "a: 2\n"},
        {},
    ),
    "merge/two-spellings": ({**OVERLAY, f"base/{GATE}": "a.b: 1\n", f"overlays/prod/{GATE}": "a: {b: 2}\n"}, {}),
    "patch/ambiguous": (
        {
            **OVERLAY,
            f"base/{GATE}": "a: [{name: x}, {name: x}]\n",
            PROD: OVERLAY[PROD] + f"patches: [{{target: {GATE}, ops: [{{op: remove, path: '/a/[name=x]'}}]}}]\n",
        },
        {},
    ),
    "patch/not-merged": (
        {
            **OVERLAY,
            "base/default/profiles/settings-local.js": "var a = 1;\n",
            PROD: OVERLAY[PROD]
            + "patches: [{target: default/profiles/settings-local.js, ops: [{op: remove, path: /a}]}]\n",
        },
        {},
    ),
    "patch/several-documents": (
        {
            **OVERLAY,
            f"base/{GATE}": "a: 1\n---\nb: 1\n",
            PROD: OVERLAY[PROD] + f"patches: [{{target: {GATE}, ops: [{{op: remove, path: /a}}]}}]\n",
        },
        {},
    ),
    "opsmx/bom": ({**OPSMX, "bom": "services:\n  gat: {image: x}\n"}, {}),
    "opsmx/empty-token": ({**OPSMX, ORCA: "a: JIRA_URL\n"}, {"environment": {"HALGIT_PARAM_JIRA_URL": ""}}),
    "opsmx/in-key": ({**OPSMX, ORCA: "JIRA_URL: 1\n"}, {}),
    "opsmx/misplaced-token": ({**OPSMX, GATE: "a: JIRA_URL\n"}, {}),
    "opsmx/misspelled-token": ({**OPSMX, ORCA: "a: JIRAA_URL\n"}, {}),
    "opsmx/no-private-key": (
        {**OPSMX, "default/profiles/spinnakerconfig.yml": "a: 1\n"},
        {"variant": "ssh"},
    ),
    "opsmx/open-token": ({**OPSMX, ORCA: "a: JIRA_URL\n"}, {}),
    "parameter/embedded": (
        {"config": CONFIG, "halgit.yaml": 'params: {p: "1\\n2"}\n', GATE: "a: |\n  b: ${{ params.p }}\n  c: 1\n"},
        {},
    ),
    "parameter/environment": (
        {"config": CONFIG, "halgit.yaml": "params: {p: {secret: true}}\n", GATE: "a: ${{ params.p }}\n"},
        {"environment": {"HALGIT_PARAM_P_FILE": "/none"}},
    ),
    "parameter/in-pattern": (
        {
            "config": CONFIG,
            "halgit.yaml": "params: {p: x}\n",
            SETTINGS: "a = /${{ params.p }}/;\n",
        },
        {},
    ),
    "parameter/params-file": ({"config": CONFIG}, {"params_file": "p.yml", "params_text": b"a: {b: 1}\n"}),
    "parameter/redeclared": (
        {
            **OVERLAY,
            "base/halgit.yaml": "params: {p: {type: string, default: x}}\n",
            PROD: OVERLAY[PROD] + "params: {p: {type: string, default: y}}\n",
            f"base/{GATE}": "a: ${{ params.p }}\n",
        },
        {},
    ),
    "parameter/secret-in-arguments": (
        {"config": CONFIG, "halgit.yaml": "params: {p: {secret: true}}\n", GATE: "a: ${{ params.p }}\n"},
        {"set": {"p": "x"}},
    ),
    "parameter/secret-in-plain-text": (
        {
            **OVERLAY,
            "base/halgit.yaml": "params: {p: {secret: true}}\n",
            PROD: OVERLAY[PROD] + "params: {p: x}\n",
            f"base/{GATE}": "a: ${{ params.p }}\n",
        },
        {},
    ),
    "reference/not-allowed": (
        {"config": CONFIG, GATE: "a: encrypted:k8s!n:b!k:c\n"},
        {"trust": Trust(references=("vault://*",))},
    ),
    "reference/several-documents": ({"config": CONFIG, GATE: "a: encrypted:b:c\n---\nb: 1\n"}, {}),
    "profiles/too-large": ({"config": CONFIG + KUBERNETES, GATE: LARGE}, {}),
    "local-files/too-large": ({"config": CONFIG + KUBERNETES, "files/a": LARGE}, {}),
    "settings/root-only": ({**OVERLAY, PROD: OVERLAY[PROD] + "dialect: halgit\n"}, {}),
    "source/submodule": (
        {"config": CONFIG, ".gitmodules": '[submodule "x"]\n\tpath = default\n\turl = ../x\n'},
        {},
    ),
}
"""What causes the findings that have no example: files, and the operator's settings."""

LATE = {entry.id for entry in CATALOG.values() if entry.late}
FATAL = {entry.id for entry in CATALOG.values() if entry.fatal}
OPERATORS = {id for id in CATALOG if id.startswith("trust/")}
ALL = sorted(set(CATALOG) - LATE - FATAL - OPERATORS - {"schema/too-large"})
"""All but one that the YAML reader refuses first."""


def find_layout(id: str, folder: Path) -> Layout:
    """A repository that causes this finding."""
    if id in SCENARIOS:
        files, operator = SCENARIOS[id]
        for path, text in files.items():
            (folder / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "repo" / path).write_text(text)
        overlay = "prod" if PROD in files else ""
        return Layout([folder / "repo"], folder / "repo", OperatorSettings(overlay=overlay, **operator))
    return next(one for one in layouts(CATALOG[id], folder) if id in rules(one.findings()))


def rules(findings: Iterable[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


def add_rules(layout: Layout, settings: dict[str, Any]) -> None:
    file = layout.settings / "halgit.yaml"
    data = hyaml.read(file.read_bytes(), "").data if file.exists() else None
    both = {**(data or {}).get("rules", {}), **settings}
    file.write_bytes(hyaml.dump({**(data or {}), "rules": both}))


@pytest.mark.parametrize("id", ALL)
def test_a_finding_can_be_ignored_graded_and_waived(id: str, tmp_path: Path) -> None:
    layout = find_layout(id, tmp_path)
    before = [one for one in layout.findings() if one.rule == id]
    assert before
    assert id not in rules(layout.findings(ignore=(id,)))
    assert id not in rules(layout.findings(ignore=(id,), validate=False))
    waive(layout, id)
    settings = layout.settings / "halgit.yaml"
    own = settings.read_bytes() if settings.exists() else b""
    other = Severity.INFO if before[0].severity is not Severity.INFO else Severity.ERROR
    add_rules(layout, {"severity": {id: str(other)}})
    assert {one.severity for one in layout.findings() if one.rule == id} == {other}
    settings.write_bytes(own)
    add_rules(layout, {"ignore": [id]})
    assert id not in rules(layout.findings())
    assert id not in rules(layout.findings(validate=False))


def at(folder: Path, layer: str) -> bool:
    """Whether a layer, which several sources name by their address, is in this one."""
    return layer.startswith(f"{folder}/")


NOWHERE = {
    "parameter/environment",
    "parameter/params-file",
    "parameter/secret-in-arguments",
    "profiles/no-deployment-folder",
    "source/submodule",
    "waiver/no-reason",
    "waiver/unused",
}
"""Findings that are ignored and not waived: about no file, one that is not read, or a waiver."""


def waive(layout: Layout, id: str) -> None:
    """Waive every finding with this id in place, and put the files back."""
    several = len(layout.folders) > 1
    places = {(one.file, one.line, one.layer if several else "") for one in layout.findings() if one.rule == id}
    texts: dict[Path, bytes] = {}
    for name, line, layer in sorted(places, reverse=True):
        if id in NOWHERE or name.endswith((".json", ".gitmodules")):
            return
        file = next(one / name for one in layout.folders if (one / name).is_file() and (not layer or at(one, layer)))
        texts.setdefault(file, file.read_bytes())
        lines = file.read_text().splitlines(keepends=True)
        sign = "//" if name.endswith(".js") else "#"
        blank = re.match(" *", lines[line - 1] if lines else "")
        lines.insert(max(line - 1, 0), f"{blank[0] if blank else ''}{sign} halgit: ignore={id} a reason\n")
        file.write_text("".join(lines))
    for validate in (True, False):
        assert id not in rules(layout.findings(validate=validate))
    for file, text in texts.items():
        file.write_bytes(text)


@pytest.mark.parametrize("id", sorted(FATAL))
def test_a_fatal_finding_says_that_it_cannot_be_ignored(id: str, tmp_path: Path) -> None:
    assert "cannot be waived, ignored or given another severity" in explanation.text(CATALOG[id])
    if not CATALOG[id].example:
        return
    layout = find_layout(id, tmp_path)
    severity = {one.rule: one.severity for one in layout.findings()}[id]
    found = layout.findings(ignore=(id,))
    assert id in rules(found)
    assert {one.severity for one in found if one.rule == id} == {severity}


def test_ids_are_ignored_by_the_operator_only_where_the_operator_decides(tmp_path: Path) -> None:
    for id in sorted(OPERATORS):
        layout = find_layout(id, tmp_path / id)
        assert id not in rules(layout.findings(ignore=(id,)))
        add_rules(layout, {"ignore": [id]})
        assert id in rules(replace_ignore(layout).findings())


def replace_ignore(layout: Layout) -> Layout:
    return Layout(layout.folders, layout.settings, replace(layout.operator, ignore=()))


# --- after validation ------------------------------------------------------------------------------------------

SECRETS = {"reference/empty": "", "reference/trailing-newline": "x\n", "reference/placeholder": "a${b}"}


def render(folder: Path, value: str, *options: str, line: str = "a: ${{ secret('env://A') }}\n", more: str = "") -> Ran:
    files = {"config": CONFIG, GATE: line, "halgit.yaml": more or "{}\n"}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return halgit("render", "--repo", folder, "--no-validate", "--allow-engine", "env", "--out", folder.parent / "hal",
                  *options, A=value)  # fmt: skip


@pytest.mark.parametrize("id", SECRETS)
def test_findings_about_secrets_too(id: str, tmp_path: Path) -> None:
    value, line = SECRETS[id], f"a: ${{{{ secret('env://A') }}}} # halgit: ignore={id} a reason\n"
    repo = tmp_path / "repo"
    assert f"[{id}]" in render(repo, value).err
    ran = render(repo, value, "--format", "json", "--force")
    assert [(one["rule"], one["line"]) for one in ran.json["findings"]] == [(id, 1)]
    assert render(repo, value, "--fail-on", "warning", "--force").code == 1
    assert render(repo, value, "--force", more=f"rules: {{severity: {{{id}: error}}}}\n").code == 1
    for ran in (
        render(repo, value, "--fail-on", "warning", "--force", line=line),
        render(repo, value, "--fail-on", "warning", "--force", more=f"rules: {{ignore: [{id}]}}\n"),
    ):
        assert (ran.code, id in ran.err) == (0, False), ran.err
    render(repo, value, line=line)
    assert "waiver/unused" not in halgit("validate", "--repo", repo).out


def test_the_findings_of_an_export_too(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    (repo / "files").mkdir(parents=True)
    (repo / "files/a b").write_text("x: 1\n")
    (repo / "config").write_text(CONFIG + KUBERNETES.replace("files/a", "files/a b"))
    command = ("export", "--to", "spinnakerservice", "--repo", repo)
    outcomes = []
    for number, rules in enumerate((OTHERS, f"{OTHERS[:-1]}, export]", GRADED)):
        (repo / "halgit.yaml").write_text(f"rules: {{{rules}}}\n")
        ran = halgit(*command, tmp_path / str(number))
        outcomes.append((ran.code, "[export/schema]" in ran.err))
    assert outcomes == [(1, True), (0, False), (0, True)], ran.err


OTHERS = "ignore: [storage, kubernetes, local-files, deployment, deployment-environment]"
GRADED = OTHERS + ", severity: {export/schema: warning}"


def test_a_waiver_is_for_its_own_source(tmp_path: Path) -> None:
    layout = find_layout("deployment/no-version", tmp_path)
    assert len(layout.folders) == 2
    (other,) = set(layout.folders) - {layout.settings}
    base = (layout.settings / "config").read_text().splitlines(keepends=True)
    (finding,) = (one for one in layout.findings() if one.rule == "deployment/no-version")
    base.insert(finding.line - 1, "# halgit: ignore=deployment/no-version a reason\n")
    (layout.settings / "config").write_text("".join(base))
    assert at(other, finding.layer)
    assert "deployment/no-version" in rules(layout.findings())
