"""References, parameters and tokens in values that aliases and `<<` repeat: replaced wherever a reader sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import halgit
from secret_trees import Store, compiled, opened, resolved

from halgit import yaml as hyaml
from halgit.merge.scalars import with_values
from halgit.pipeline import File, LayerId, SourceId
from halgit.remotes.engine import SecretData

GATE = "default/profiles/gate-local.yml"
SHAPES = [
    "a: &x REF\nb: *x\n",
    "a: &x [REF, 1]\nb: *x\nc: {d: *x}\n",
    "a: &x {password: REF}\nb: {<<: *x, c: 1}\n",
    "a: &x {password: REF}\nb: {<<: [*x, {other: REF}]}\n",
    "z: &z 1\na: {<<: {password: REF}}\nb: *z\n",
    "a: {<<: {password: REF}}\n",
    "a: {<<: &y {u: REF}, u: 1}\nb: *y\n",
    "a: &a {p: REF}\nb: &b {<<: *a, q: REF}\nc: {<<: *b}\n",
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reference", ["encrypted:git:key", "'x ${{ secret(''k8s://git#key'') }}'"])
def test_a_secret_is_written_once_at_its_anchor(shape: str, reference: str) -> None:
    text = shape.replace("REF", reference)
    tree = compiled({GATE: text})
    written = opened(resolved(tree, Store({"k8s://git": SecretData({"key": b"it's"})})))[GATE]
    before = str(hyaml.read(text.encode(), GATE, many=True).data)
    values = before.replace("encrypted:git:key", "it's").replace("${{ secret('k8s://git#key') }}", "it's")
    after = str(hyaml.read(written.encode(), GATE, many=True).data)
    assert after.replace('"', "'") == values.replace('"', "'")
    assert written.count("*") == text.count("*")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("documents", [1, 2])
@pytest.mark.parametrize("dialect", ["halgit", "opsmx"])
def test_no_parameter_or_token_stays_open(shape: str, documents: int, dialect: str, tmp_path: Path) -> None:
    use = "'${{ params.JIRA_URL }}'" if dialect == "halgit" else "JIRA_URL"
    text = "---\n".join([shape.replace("REF", use)] * documents)
    profile = tmp_path / "repo/default/profiles/orca-local.yml"
    profile.parent.mkdir(parents=True)
    profile.write_text(text)
    (tmp_path / "repo/config").write_text("deploymentConfigurations: [{name: default, version: 1.36.0}]\n")
    (tmp_path / "repo/halgit.yaml").write_text(f"dialect: {dialect}\nparams: {{JIRA_URL: 'https://j'}}\n")
    ran = halgit("render", "--repo", str(tmp_path / "repo"), "--secrets", "mask", "--no-validate",
                 "--out", str(tmp_path / "hal"))  # fmt: skip
    assert ran.code == 0, ran.err
    written = (tmp_path / "hal/default/profiles/orca-local.yml").read_bytes()
    assert b"JIRA" not in written
    expected = hyaml.read(text.replace(use, "https://j").encode(), "", many=True).documents
    assert hyaml.read(written, "", many=True).documents == expected


def test_a_file_is_written_again_where_an_alias_repeats_what_differs_now() -> None:
    body = b"a: &x {u: 1} # kept\nb: *x\n"
    file = File("config", "copied", (LayerId("base", SourceId("s")),), hyaml.read(body, "").data, body)
    same = with_values(file, {"a": {"u": 2}, "b": {"u": 2}}, {("a", "u"): 2, ("b", "u"): 2})
    assert isinstance(same.body, bytes)
    assert hyaml.replace_scalars(same.body, same.splices) == b"a: &x {u: 2} # kept\nb: *x\n"
    for data, values in (
        ({"a": {"u": 2}, "b": {"u": 1}}, {("a", "u"): 2}),
        ({"a": {"u": 1}, "b": {"u": 2}}, {("b", "u"): 2}),
        ({"a": {"u": 2}, "b": {"u": 3}}, {("a", "u"): 2, ("b", "u"): 3}),
    ):
        changed = with_values(file, data, values)
        assert changed.body is None
        assert changed.data == data
