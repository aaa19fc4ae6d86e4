"""A parameter inside a block scalar that is itself YAML or JSON: the inner document means what was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import halgit

from halgit import yaml as hyaml

VALUE = 'first "line"\n  second: \\ line'
PROFILE = "default/profiles/gate-local.yml"


def rendered(folder: Path, text: str, value: str = VALUE, more: str = "type: string") -> str:
    """The inner text of a profile after its parameter is replaced, or what went wrong."""
    (folder / "default" / "profiles").mkdir(parents=True)
    (folder / "config").write_text("deploymentConfigurations:\n- name: default\n")
    (folder / "halgit.yaml").write_text(f"params: {{p: {{{more}}}}}\n")
    body = "".join(f"  {line}\n" for line in text.split("\n"))
    (folder / PROFILE).write_text(f"text: |\n{body}")
    out = folder / ".hal"
    ran = halgit("render", "--repo", folder, "--no-validate", "--out", out, HALGIT_PARAM_P=value)
    if ran.code:
        return ran.err
    return str(hyaml.read((out / PROFILE).read_bytes(), "").data["text"])


@pytest.mark.parametrize("more", ["type: string", "type: string, secret: true"])
def test_a_value_of_several_lines_is_indented_in_yaml(tmp_path: Path, more: str) -> None:
    inner = rendered(tmp_path, "a:\n  b: |\n    ${{ params.p }}\n  c: 1", more=more)
    assert hyaml.read(inner.encode(), "").data == {"a": {"b": f"{VALUE}\n", "c": 1}}


def test_a_value_in_double_quotes_is_escaped_in_yaml(tmp_path: Path) -> None:
    inner = rendered(tmp_path, 'a:\n  b: "x ${{ params.p }}"\n  c: 1')
    assert hyaml.read(inner.encode(), "").data == {"a": {"b": f"x {VALUE}", "c": 1}}


def test_a_value_is_escaped_in_a_string_of_json_and_kept_outside(tmp_path: Path) -> None:
    assert json.loads(rendered(tmp_path / "a", '{"a": "x ${{ params.p }}",\n "b": 1}')) == {"a": f"x {VALUE}", "b": 1}
    assert rendered(tmp_path / "b", '{"a": [${{ params.p }}]}', "1, 2") == '{"a": [1, 2]}\n'


def test_a_value_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    told = rendered(tmp_path, "a:\n  b: ${{ params.p }}\n  c: 1")
    assert (
        f"{PROFILE}:3:8: error: Parameter p has several lines, which do not fit at its place in a YAML document. "
        "Put it alone on a line below `key: |`, or in double quotes. [parameter/embedded]" in " ".join(told.split())
    )


def test_other_texts_take_a_value_as_it_is(tmp_path: Path) -> None:
    assert rendered(tmp_path / "a", "Dear ${{ params.p }},\nbye") == f"Dear {VALUE},\nbye\n"
    assert rendered(tmp_path / "b", "a: ${{ params.p }}\nb: 1", "x") == "a: x\nb: 1\n"
