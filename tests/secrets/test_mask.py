"""`--secrets mask` writes stand-ins of the kind each field takes, reads nothing, and says so in the tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import halgit
from secret_trees import Store, compiled, opened, resolved

from halgit import yaml as hyaml
from halgit.halyard import model
from halgit.operator_settings import Trust
from halgit.pipeline import Severity
from halgit.secrets import check_references
from halgit.validation.schema import check

GATE = "default/profiles/gate-local.yml"
MIXED = """deploymentConfigurations:
- name: default
  version: 1.36.1
  providers:
    kubernetes:
      accounts:
      - {name: a, context: one, kubeconfigFile: encryptedFile:all:k}
      - {name: b, context: two, kubeconfigFile: encryptedFile:all:k}
    google:
      accounts:
      - {name: c, project: p, jsonPath: encryptedFile:all:k}
    dockerRegistry:
      accounts:
      - {name: d, address: 'https://r', dockerconfigFile: encryptedFile:all:k}
      - {name: e, address: 'https://r', passwordFile: encryptedFile:all:k}
  artifacts:
    github:
      accounts:
      - {name: f, usernamePasswordFile: encryptedFile:all:k}
"""


def fields(config: str) -> dict[str, str]:
    """The values of the local-file fields, by account and field."""
    data = hyaml.read(config.encode(), "config").data
    return {f"{path[-3]}{path[-2]}.{path[-1]}": str(value) for path, value in model.list_local_files(data)}


def test_one_secret_in_fields_of_different_kinds_gets_a_file_of_each_kind() -> None:
    store = Store({})
    files = opened(resolved(compiled({"config": MIXED}), store, "mask"))
    made = {path: text for path, text in files.items() if path.startswith("files/")}
    content = {name: made[path.removeprefix("/home/spinnaker/.hal/")] for name, path in fields(files["config"]).items()}
    (first, second, google, docker, password, github) = content.values()
    assert first == second
    assert [context["name"] for context in json.loads(first)["contexts"]] == ["one", "two"]
    assert json.loads(google) == json.loads(docker) == {}
    assert password == "masked-k8s-all-k\n"
    assert github == "masked:masked-k8s-all-k\n"
    assert len(made) == len(set(fields(files["config"]).values())) == 5
    assert store.asked == []
    again = opened(resolved(compiled({"config": MIXED}), store, "mask"))
    assert again == files


TYPED = """deploymentConfigurations:
- name: default
  version: 1.36.1
  deploymentEnvironment:
    type: encrypted:all:k
    sidecars: {spin-gate: [{name: a, port: encrypted:all:k}]}
  security:
    authn: {ldap: {enabled: encrypted:all:k, url: encrypted:all:k, managerDn: encrypted:all:k}}
  timezone: a encrypted:all:k
"""


def test_a_field_that_takes_no_text_gets_what_it_takes() -> None:
    files = opened(resolved(compiled({"config": TYPED}), Store({}), "mask"))
    data = hyaml.read(files["config"].encode(), "config").data
    deployment = data["deploymentConfigurations"][0]
    assert deployment["deploymentEnvironment"] == {
        "type": "Distributed", "sidecars": {"spin-gate": [{"name": "a", "port": "1"}]}
    }  # fmt: skip
    assert deployment["security"]["authn"]["ldap"] == {
        "enabled": "false", "url": "https://masked.invalid", "managerDn": "masked-k8s-all-k"
    }  # fmt: skip
    assert deployment["timezone"] == "a masked-k8s-all-k"
    assert check(data, "config") == ()


@pytest.mark.parametrize(
    ("reference", "trust", "rule", "message"),
    [
        ("env://HOME", Trust(), "reference/engine", "The engine env is disabled (env://HOME)."),
        ("k8s://apps/a#b", Trust(), "reference/namespace",
         "References to secrets of the namespace apps are not allowed (k8s://apps/a#b)."),
        ("vault://a/b#c", Trust(references=("k8s://*",)), "reference/not-allowed",
         "No --allow-reference pattern matches this reference (vault://a/b#c)."),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_a_warning_where_nothing_is_read(
    reference: str, trust: Trust, rule: str, message: str
) -> None:
    files = {GATE: f"a: \"${{{{ secret('{reference}') }}}}\"\n"}
    (found,) = check_references(compiled(files), trust, "mask")
    assert (found.rule, found.severity, found.message) == (rule, Severity.WARNING, message)
    assert [one.severity for one in check_references(compiled(files), trust, "resolve")] == [Severity.ERROR]
    assert opened(resolved(compiled(files), Store({}), "mask", trust=trust))[GATE].startswith('a: "masked-')


def test_a_tree_of_stand_ins_says_so_in_its_record_and_needs_no_credential(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    (repo / GATE).parent.mkdir(parents=True)
    (repo / "config").write_text(MIXED)
    (repo / GATE).write_text("a: encrypted:vault!e:kv!p:hal!k:k\nb: \"${{ secret('file:///etc/passwd') }}\"\n")
    ran = halgit("render", "--repo", repo, "--secrets", "mask", "--no-validate", "--out", tmp_path / ".hal")
    assert ran.code == 0, ran.err
    assert "The engine file is disabled (file:///etc/passwd)" in ran.err
    told = json.loads((tmp_path / ".hal/.halgit.json").read_text())["secrets"]
    assert told == {
        "mode": "mask",
        "masked": True,
        "note": "The secrets in this tree are placeholder values. Halyard can load it, but services cannot run "
        "with it.",
    }
    assert (tmp_path / ".hal" / GATE).read_text() == 'a: masked-vault-kv-hal-k\nb: "masked-file-etc-passwd"\n'
    assert "root:" not in "".join(path.read_text() for path in (tmp_path / ".hal").rglob("*") if path.is_file())
