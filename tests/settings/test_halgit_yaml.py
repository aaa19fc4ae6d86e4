"""`halgit.yaml`: what it can say, what is refused and in which words, and that the schema says the same."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from halgit import settings
from halgit import yaml as hyaml
from halgit.pipeline import MISSING, Finding, Patch, PlainScalar, RuleSettings, Severity, Value

HERE = Path(__file__).parent / "examples"
SCHEMA = json.loads((HERE.parents[2] / "schemas" / "halgit.schema.json").read_text(encoding="utf-8"))
FILE = "overlays/prod/halgit.yaml"


def examples(kind: str) -> list[Path]:
    return sorted((HERE / kind).glob("*.yaml"))


def told(findings: tuple[Finding, ...]) -> str:
    return "".join(f"{f.line}:{f.column}: {f.rule}: {f.message} {f.hint}\n" for f in findings)


def refused_by_schema(text: bytes) -> set[tuple[str | int, ...]]:
    """Where the schema has something to say."""
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(as_json(hyaml.read(text, FILE).data))
    return {tuple(error.absolute_path) for error in errors}


def as_json(value: Value) -> object:
    """The value as an editor's JSON schema support sees it: a date is no text."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return {"date": str(value)} if isinstance(value, PlainScalar) else value


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("example", examples("positive"), ids=lambda path: path.stem)
def test_what_is_right_has_no_finding(example: Path) -> None:
    text = example.read_bytes()
    said, findings = settings.parse_settings(text, FILE, root=True)
    assert told(findings) == ""
    assert (said.file, said.text) == (FILE, text)
    assert not refused_by_schema(text)


@pytest.mark.parametrize("example", examples("negative"), ids=lambda path: path.stem)
def test_what_is_wrong_is_told_with_its_place(example: Path) -> None:
    text = example.read_bytes()
    _, findings = settings.parse_settings(text, FILE, root=True)
    assert told(findings) == example.with_suffix(".txt").read_text(encoding="utf-8")
    assert {(f.file, f.layer, f.severity) for f in findings} == {(FILE, "overlays/prod", Severity.ERROR)}
    refused = refused_by_schema(text)
    for finding in findings:
        near = {finding.path[:depth] for depth in range(min(len(finding.path) - 1, 2), len(finding.path) + 1)}
        assert refused & near or (not finding.path and () in refused), f"the schema accepts {finding.path}"


@pytest.mark.parametrize("example", examples("beyond"), ids=lambda path: path.stem)
def test_some_faults_are_beyond_a_schema(example: Path) -> None:
    _, findings = settings.parse_settings(example.read_bytes(), FILE, root=True)
    assert findings
    assert {finding.layer for finding in findings} == {"overlays/prod"}


def test_every_key_is_read() -> None:
    said, _ = settings.parse_settings((HERE / "positive" / "whole-root.yaml").read_bytes(), "halgit.yaml", root=True)
    assert said.bases == ("base", "shared/observability")
    assert said.remove == ("default/profiles/igor-local.yml",)
    assert said.include == ("files/**", "kubeconfig")
    assert said.merge_keys == {"default/profiles/orca-local.yml": {"job.preconfigured.kubernetes": "label"}}
    assert (said.deployment, said.dialect, said.variant) == ("default", "halgit", "token")
    assert said.rules == RuleSettings(
        ("hygiene/unused-account",), {"secret/plain": Severity.ERROR, "yaml/octal": Severity.INFO}
    )
    assert [(patch.target, len(patch.ops), patch.path) for patch in said.patches] == [("config", 6, ("patches", 0))]


def test_parameters_are_values_or_declarations() -> None:
    said, _ = settings.parse_settings((HERE / "positive" / "whole-root.yaml").read_bytes(), "halgit.yaml", root=True)
    host, token, level = said.params["gateHost"], said.params["gitToken"], said.params["level"]
    assert (host.declares, host.required, host.value, host.type) == (True, True, MISSING, "string")
    assert (host.pattern, host.description) == ("[a-z0-9.-]+", "public name of gate")
    assert (token.secret, level.enum, level.value) == (True, ("INFO", "DEBUG"), "INFO")
    plain = {name: one.value for name, one in said.params.items() if not one.declares}
    assert plain == {
        "namespace": "spinnaker-prod",
        "replicas": 3,
        "share": 0.5,
        "debug": False,
        "hosts": ["a.example.com", "b.example.com"],
    }
    assert said.params["replicas"].path == ("params", "replicas")


def test_a_layer_cannot_speak_for_the_repository() -> None:
    text = b"bases: [../../base]\ndialect: opsmx\nvariant: s3\ndeployment: prod\nrules: {ignore: []}\n"
    said, findings = settings.parse_settings(text, FILE, root=False)
    assert told(findings) == (
        "2:1: settings/root-only: dialect is a setting of the whole repository. Move it to the root halgit.yaml.\n"
        "3:1: settings/root-only: variant is a setting of the whole repository. Move it to the root halgit.yaml.\n"
        "4:1: settings/root-only: deployment is a setting of the whole repository. Move it to the root halgit.yaml.\n"
        "5:1: settings/root-only: rules is a setting of the whole repository. Move it to the root halgit.yaml.\n"
    )
    assert (said.dialect, said.variant, said.deployment, said.rules) == (None, None, None, RuleSettings())
    assert said.bases == ("../../base",)


def test_a_patch_with_a_fault_is_left_out_whole() -> None:
    text = b"patches:\n- {target: a, ops: [{op: remove, path: /a}]}\n- {target: b, ops: [{op: remove}]}\n"
    said, findings = settings.parse_settings(text, FILE, root=False)
    assert said.patches == (Patch("a", ({"op": "remove", "path": "/a"},), ("patches", 0)),)
    assert told(findings) == ("3:21: settings/value: The operation remove requires path. Add path.\n")


def test_a_fault_does_not_hide_what_is_right() -> None:
    said, findings = settings.parse_settings(b"bases: [../base, 7]\nparams: {a: 1, b: }\n", FILE, root=False)
    assert said.bases == ("../base",)
    assert list(said.params) == ["a"]
    assert len(findings) == 2


@pytest.mark.parametrize(
    "key",
    ["vaultAddress", "vault-address", "VAULT_ADDR", "gitTokenFile", "sshKeyFile", "knownHostsFile", "caFile", "halHome",
     "failOn", "trust", "engines", "allow_reference", "repo", "set", "secrets", "environment", "s3Region"],
)  # fmt: skip
def test_what_is_the_operators_is_called_so(key: str) -> None:
    _, (finding,) = settings.parse_settings(f"{key}: x\n".encode(), FILE, root=True)
    assert finding.message == f"{key} is an operator setting; a repository cannot set it."
    assert finding.hint == "Remove it here and set it as an option or HALGIT_ variable of the run."
