"""Whatever stands anywhere in the files of a repository, every command ends with findings or an error of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from program import SAMPLE, halgit, tree
from validation.odd_values import ODD, everything, places, side, with_odd, with_odd_key

from halgit import yaml as hyaml

SAMPLE_FILES = {
    path: text for path, text in tree(SAMPLE).items() if not path.startswith(("overlays/dev", "overlays/st"))
}
SMALL = {
    "halgit.yaml": b"""\
deployment: default
dialect: halgit
variant: token
rules: {ignore: [secrets], severity: {scalars/changed-string: error}}
mergeKeys: {default/profiles/orca-local.yml: {jobs: label}}
params: {region: eu}
""",
    "base/halgit.yaml": b"""\
include: ['files/**']
params:
  namespace: {type: string, required: true, pattern: '[a-z]+', description: the namespace}
  level: {type: enum, enum: [INFO, 1, true], default: INFO}
  sizes: {type: list, default: [1, 2]}
  slackToken: {type: string, secret: true, default: encrypted:gate:pw}
""",
    "overlays/prod/halgit.yaml": b"""\
bases: [../../base]
params: {namespace: apps}
remove: [default/profiles/igor-local.yml]
patches:
- target: config
  ops:
  - {op: replace, path: '/deploymentConfigurations/[name=default]/version', value: 1.36.1}
  - {op: test, path: /currentDeployment, value: default}
  - {op: move, from: /deploymentConfigurations/0/timezone, path: /deploymentConfigurations/0/name}
""",
    "base/config": b"""\
currentDeployment: default
deploymentConfigurations:
- {name: default, timezone: default, version: 1.30.1, persistentStorage: {persistentStoreType: s3, s3: {bucket: a}}}
""",
    "base/default/profiles/igor-local.yml": b"a: 1\n",
    "base/default/profiles/orca-local.yml": b"jobs: [{label: a, n: 1}]\nlevel: ${{ params.level }}\n",
    "overlays/prod/default/profiles/orca-local.yml": b"jobs: [{label: a, n: 2}]\ntoken: ${{ params.slackToken }}\n"
    b"sizes: ${{ params.sizes }}\nnamespace: ${{ params.namespace }}\nregion: ${{ params.region }}\n",
    "base/files/a.txt": b"${{ params.namespace }}\n",
    "accounts/clouddriver-local.yml": b"""\
kubernetes:
  accounts:
  - {name: a, kubeconfigContents: '{cipher}abababababababababababababababababababababababababababababababab',
     namespaces: [x], permissions: {READ: [b]},
     customResources: [{kubernetesKind: c}]}
aws: {accounts: [{name: b, accountId: '1', regions: [{name: eu}]}]}
""",
}  # fmt: skip
SAMPLE_SIDE, SMALL_SIDE = side(SAMPLE_FILES), side(SMALL)
PARAMS = b"namespace: apps\nlevel: INFO\nsizes: [1]\nslackToken: encrypted:gate:pw\n"


def document(text: bytes) -> Any:
    read = hyaml.read(text, "")
    assert not read.findings
    return read.data


def spots(files: dict[str, bytes]) -> st.SearchStrategy[tuple[str, tuple[Any, ...], str]]:
    """A file of these, a place in it, and something odd for it."""
    found = [(path, place) for path, text in files.items() for place in places(document(text))]
    return st.tuples(st.sampled_from(found), st.sampled_from(ODD)).map(lambda one: (*one[0], one[1]))


def yaml_files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: text for path, text in files.items() if path.endswith((".yml", ".yaml", "config"))}


def test_nothing_odd_has_nothing_wrong() -> None:
    for files in (SAMPLE_FILES, SMALL):
        findings = everything(files, side(files))
        assert findings is not None
        assert [str(found) for found in findings if found.severity > 2] == []


@settings(max_examples=60, deadline=None)
@given(spots(yaml_files(SAMPLE_FILES)))
def test_something_odd_anywhere_in_the_sample(spot: tuple[str, tuple[Any, ...], str]) -> None:
    path, place, odd = spot
    everything({**SAMPLE_FILES, path: with_odd(document(SAMPLE_FILES[path]), place, odd)}, SAMPLE_SIDE)


@pytest.mark.parametrize("path", ["halgit.yaml", "base/halgit.yaml", "overlays/prod/halgit.yaml", "base/config",
                                  "accounts/clouddriver-local.yml"])  # fmt: skip
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_something_odd_in_settings_patches_and_accounts(path: str, data: st.DataObject) -> None:
    _, place, odd = data.draw(spots({path: SMALL[path]}))
    everything({**SMALL, path: with_odd(document(SMALL[path]), place, odd)}, SMALL_SIDE)
    if place and isinstance(place[-1], str):
        everything({**SMALL, path: with_odd_key(document(SMALL[path]), place, odd)}, SMALL_SIDE)


@settings(max_examples=80, deadline=None)
@given(spots({"params": PARAMS}))
def test_something_odd_in_the_file_of_parameters(spot: tuple[str, tuple[Any, ...], str]) -> None:
    _, place, odd = spot
    everything(SMALL, SMALL_SIDE, params_file="p.yml", params_text=with_odd(document(PARAMS), place, odd))


@pytest.mark.parametrize("section", ["security", "providers", "persistentStorage", "deploymentEnvironment", "canary"])
@pytest.mark.parametrize("odd", ["a text", "[1, [2]]", "2020-01-01", "1"])
def test_a_section_of_another_kind_is_a_finding_of_the_program(section: str, odd: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"deploymentConfigurations:\n- name: default\n  {section}: {odd}\n")
    ran = halgit("validate", "--repo", tmp_path)
    assert ran.code == 1, ran.err
    assert "config:3:" in ran.out
    assert "[schema/" in ran.out
