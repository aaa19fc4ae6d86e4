"""`--secrets native` leaves what Spinnaker's services decrypt in the versions they have, and resolves the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import halgit
from secret_trees import Store, compiled, opened, resolved

from halgit.operator_settings import Trust
from halgit.remotes.engine import SecretData
from halgit.secrets import check_references

GATE, ORCA, ALL = (f"default/profiles/{name}-local.yml" for name in ("gate", "orca", "spinnaker"))
S3 = "encrypted:s3!r:us-east-1!b:bucket!f:x!k:y"
FILE = "encryptedFile:s3!r:us-east-1!b:bucket!f:x"
STORE = {"s3://bucket/x?region=us-east-1": SecretData(whole=b"y: value")}
BILL = ".boms/bom/mine.yml"


def config(version: str, more: str = "") -> str:
    return f"deploymentConfigurations:\n- name: default\n  version: '{version}'\n{more}"


def bill(**versions: str) -> str:
    lines = "".join(f"  {name}: {{version: '{version}'}}\n" for name, version in versions.items())
    return f"version: mine\nservices:\n{lines}"


def native(files: dict[str, str]) -> dict[str, str]:
    return opened(resolved(compiled(files), Store(STORE), "native"))


@pytest.mark.parametrize(
    ("version", "left"),
    [("1.36.1", True), ("1.20.0", True), ("2025.1.0", True), ("1.19.14", False), ("2.30.0", False), ("branch:m", False),
     ("master-latest-unvalidated", False), ("local:mine", False), ("", False)],
)  # fmt: skip
def test_a_release_that_is_surely_new_enough_decrypts_itself(version: str, left: bool) -> None:
    result = native({"config": config(version), GATE: f"a: {S3}\n"})
    assert result[GATE] == f"a: {S3 if left else 'value'}\n"


def test_the_artifacts_of_a_bill_of_ones_own_are_looked_at_one_by_one() -> None:
    files = {
        "config": config("local:mine"),
        BILL: bill(gate="1.5.3", orca="2.4.0-20190101", echo="master"),
        GATE: f"a: {S3}\n",
        ORCA: f"a: {S3}\n",
        "default/profiles/echo-local.yml": f"a: {S3}\n",
        ALL: f"a: {S3}\n",
    }
    result = native(files)
    assert result[GATE] == f"a: {S3}\n"
    assert result[ORCA] == result["default/profiles/echo-local.yml"] == "a: value\n"
    assert result[ALL] == "a: value\n", "all Spring services read it, and orca cannot"
    result = native({**files, BILL: bill(gate="1.5.3", orca="2.4.1")})
    assert (result[ORCA], result[ALL]) == (f"a: {S3}\n", f"a: {S3}\n")
    assert result["default/profiles/echo-local.yml"] == "a: value\n", "the bill has no echo"


def test_each_deployment_has_its_own_version() -> None:
    files = {
        "config": config("1.36.1") + "- name: old\n  version: 1.18.0\n",
        GATE: f"a: {S3}\n",
        "old/profiles/gate-local.yml": f"a: {S3}\n",
    }
    result = native(files)
    assert (result[GATE], result["old/profiles/gate-local.yml"]) == (f"a: {S3}\n", "a: value\n")


def test_halyard_decrypts_secret_fields_and_settings_whatever_the_version() -> None:
    """What it only hands on depends on the service, and what it reads itself or writes into pods nobody decrypts."""
    more = (
        f"  timezone: {S3}\n"
        f"  notifications: {{slack: {{token: '{S3}'}}}}\n"
        f"  security: {{authn: {{ldap: {{managerPassword: '{S3}'}}}}}}\n"
        f"  deploymentEnvironment: {{sidecars: {{spin-gate: [{{name: a, env: {{A: '{S3}'}}}}]}}}}\n"
    )
    settings = "default/service-settings/gate.yml"
    for version, managers in (("1.36.1", 1), ("1.18.0", 0)):
        result = native({"config": config(version, more), settings: f"env: {{A: '{S3}'}}\nartifactId: {S3}\n"})
        assert result[settings] == f"env: {{A: '{S3}'}}\nartifactId: value\n"
        assert f"token: '{S3}'" in result["config"]
        assert "timezone: value" in result["config"]
        assert "env: {A: 'value'}" in result["config"]
        assert result["config"].count("managerPassword: 'encrypted") == managers


def test_a_secret_file_in_a_profile_is_left_only_where_the_service_decrypts_it() -> None:
    old = {"config": config("local:mine"), BILL: bill(gate="1.5.2"), GATE: f"a: {FILE}\n"}
    (found,) = check_references(compiled(old), Trust(), "resolve")
    assert (found.rule, found.file, found.path) == ("reference/file-place", GATE, ("a",))
    assert found.message == (
        "The reader of this file does not decrypt secrets, so no secret file is possible here "
        "(s3://bucket/x?region=us-east-1)."
    )
    assert found.hint == (
        "Use encrypted: or secret() for a string, use a Spinnaker version whose service decrypts, or mount the file "
        "with kubernetes.volumes in service-settings."
    )
    for fine in ({**old, BILL: bill(gate="1.5.3")}, {"config": config("local:gone"), GATE: f"a: {FILE}\n"}):
        assert check_references(compiled(fine), Trust(), "resolve") == ()
    daemon = {"config": config("1.36.1"), "default/profiles/spinnaker-monitoring-local.yml": f"a: {FILE}\n"}
    assert [found.rule for found in check_references(compiled(daemon), Trust())] == ["reference/file-place"]


def test_a_secret_file_in_a_list_that_is_no_deployment_is_an_error_and_no_bug(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("default: [[encryptedFile:noop!v:x]]\ndeploymentConfigurations: b\n")
    ran = halgit("validate", "--repo", tmp_path)
    assert (ran.code, "Traceback" in ran.err) == (1, False)
