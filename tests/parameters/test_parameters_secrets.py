"""Secret parameters: where they may come from, that they stay hidden, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from merge.layering import layer, told

from halgit import yaml as hyaml
from halgit.merge.layers import merge_layers
from halgit.operator_settings import OperatorSettings
from halgit.parameters.parameter_set import ParameterSet, collect_parameters
from halgit.parameters.substitution import Substitution, substitute_parameters
from halgit.pipeline import File, Layer
from halgit.redaction import MASK, Secret, SecretText

CANARY = 'can"ary/&\\ 1'


def run(
    files: Mapping[str, str | bytes], operator: OperatorSettings, more: tuple[Layer, ...] = ()
) -> tuple[ParameterSet, Substitution]:
    layers = (layer("base", files), *more)
    parameters = collect_parameters(layers, operator)
    return parameters, substitute_parameters(merge_layers(layers).files, parameters, layers)


def by_variable(value: str, name: str = "TOKEN") -> OperatorSettings:
    return OperatorSettings(environment={f"HALGIT_PARAM_{name}": value})


DECLARED = "params: {token: {secret: true}}\n"


def test_a_secret_is_one_everywhere_it_stands() -> None:
    files = {
        "halgit.yaml": DECLARED,
        "config": "whole: ${{ params.token }}\nquoted: '${{ params.token }}'\ninside: redis://:${{ params.token }}@h",
        "default/profiles/rosco/x.sh": "a ${{ params.token }} b\n",
        "default/profiles/rosco/whole.txt": "${{ params.token }}",
    }
    parameters, made = run(files, by_variable(CANARY))
    secret = Secret(CANARY, "parameter token")
    assert parameters.values["token"].value == secret
    assert made.files["config"].data == {
        "whole": secret,
        "quoted": secret,
        "inside": SecretText(("redis://:", secret, "@h")),
    }
    assert made.files["default/profiles/rosco/x.sh"].body == SecretText(("a ", secret, " b\n"))
    assert made.files["default/profiles/rosco/whole.txt"].body == SecretText((secret,))
    assert CANARY not in repr(parameters) + repr(made)
    assert MASK in str(made.files["config"].data["inside"])


def test_a_secret_is_written_as_it_is() -> None:
    _, made = run({"halgit.yaml": DECLARED, "config": "# kept\na:  ${{ params.token }}  # x\n"}, by_variable(CANARY))
    file = made.files["config"]
    assert isinstance(file.body, bytes)
    text = hyaml.replace_scalars(file.body, file.splices, opened=True)
    assert hyaml.read(text, "config").data == {"a": CANARY}
    assert text.startswith(b"# kept\na:  ")
    assert text.endswith(b"  # x\n")


def test_a_secret_in_json_is_escaped_and_stays_one() -> None:
    files = {
        "halgit.yaml": DECLARED,
        "default/profiles/rosco/packer/a.json": '{"a": "<${{ params.token }}>", "b": ${{ params.token }}}',
    }
    _, made = run(files, by_variable(CANARY))
    body = made.files["default/profiles/rosco/packer/a.json"].body
    assert isinstance(body, SecretText)
    assert json.loads(body.open()) == {"a": f"<{CANARY}>", "b": CANARY}
    assert "ary" not in repr(body) + str(body)


@pytest.mark.parametrize("value", ["12345678", "true", "0x1F", "abc #def", "*abc", "a: b", '"', "", "null", "~"])
def test_a_secret_is_always_a_text(value: str) -> None:
    _, made = run({"halgit.yaml": DECLARED, "config": "a: ${{ params.token }}\n"}, by_variable(value))
    file = made.files["config"]
    assert isinstance(file.body, bytes)
    assert hyaml.read(hyaml.replace_scalars(file.body, file.splices, opened=True), "config").data == {"a": value}


@pytest.mark.parametrize(
    "reference",
    ["encrypted:k8s!n:git!k:token", "encrypted:git-token:token", "${{ secret('vault://kv/git#token') }}",
     "encryptedFile:vault!e:kv!p:git!k:key", "encrypted:odd"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["layer", "variable", "set"])
def test_a_reference_stays_a_reference(reference: str, place: str) -> None:
    files = {"halgit.yaml": DECLARED, "config": "a: ${{ params.token }}\n"}
    above = (layer("prod", {"halgit.yaml": f'params: {{token: "{reference}"}}\n'}),)
    operator = {
        "layer": OperatorSettings(),
        "variable": by_variable(reference),
        "set": OperatorSettings(set={"token": reference}),
    }[place]
    parameters, made = run(files, operator, above if place == "layer" else ())
    assert made.files["config"].data == {"a": reference}
    assert parameters.values["token"].secret
    assert not parameters.findings


def test_a_secret_comes_from_a_file_without_its_last_line_break() -> None:
    operator = OperatorSettings(
        environment={"HALGIT_PARAM_TOKEN_FILE": "/run/token"},
        parameter_files={"HALGIT_PARAM_TOKEN_FILE": b"line 1\nline 2\n\n"},
    )
    parameters, made = run({"halgit.yaml": DECLARED, "config": "a: ${{ params.token }}\n"}, operator)
    assert made.files["config"].data == {"a": Secret("line 1\nline 2\n", "")}
    assert parameters.values["token"].set_by == "HALGIT_PARAM_TOKEN_FILE"


def test_what_is_wrong_with_a_file_is_told() -> None:
    files = {"halgit.yaml": "params: {a: {secret: true}, b: {secret: true}, c: {secret: true}}\n"}
    operator = OperatorSettings(
        environment={
            "HALGIT_PARAM_A_FILE": "/run/a",
            "HALGIT_PARAM_B_FILE": "/run/b",
            "HALGIT_PARAM_C": CANARY,
            "HALGIT_PARAM_C_FILE": "/run/c",
        },
        parameter_files={"HALGIT_PARAM_B_FILE": b"\xff\xfe", "HALGIT_PARAM_C_FILE": b"x"},
    )
    parameters, _ = run(files, operator)
    assert told(parameters.findings) == [
        ":0: parameter/environment: HALGIT_PARAM_A_FILE: the file /run/a cannot be read. "
        "Correct the path or its permissions.",
        ":0: parameter/environment: HALGIT_PARAM_B_FILE: the file /run/b is not UTF-8 text. Use a text file.",
        ":0: parameter/environment: HALGIT_PARAM_C_FILE: HALGIT_PARAM_C also sets parameter c. Set only one of the "
        "two.",
    ]


def test_a_secret_on_the_command_line_is_warned_of() -> None:
    parameters, _ = run({"halgit.yaml": DECLARED}, OperatorSettings(set={"token": CANARY}))
    assert told(parameters.findings) == [
        ":0: warning: parameter/secret-in-arguments: --set token: parameter token is secret, and process lists "
        "show the "
        "value of --set. Set it with HALGIT_PARAM_TOKEN_FILE, or use a reference."
    ]


def test_a_secret_in_the_repository_is_warned_of() -> None:
    files = {"halgit.yaml": f"params:\n  token: {{secret: true, default: {json.dumps(CANARY)}}}\n"}
    above = layer("prod", {"halgit.yaml": f"params:\n  token: {json.dumps(CANARY)}\n"})
    parameters, _ = run(files, OperatorSettings(), (above,))
    words = "Parameter token is secret, but its value is in plain text in the repository."
    hint = "Use a reference, or set it with HALGIT_PARAM_TOKEN_FILE."
    assert told(parameters.findings) == [
        f"base/halgit.yaml:2: warning: parameter/secret-in-plain-text: {words} {hint}",
        f"prod/halgit.yaml:2: warning: parameter/secret-in-plain-text: {words} {hint}",
    ]
    assert parameters.values["token"].value == Secret(CANARY, "")


def test_a_secret_of_the_wrong_kind_is_still_hidden() -> None:
    files = {
        "halgit.yaml": "params:\n  pin: {secret: true, default: 48151623}\n  word: {secret: true, pattern: '[a-z]+'}\n",
        "config": "a: ${{ params.pin }}\nb: ${{ params.word }}\n",
    }
    parameters, made = run(files, by_variable("Sup3rSecret", "WORD"))
    assert told(parameters.findings) == [
        "base/halgit.yaml:2: parameter/value: Expected a string, got an integer. Put it in quotes.",
        ":0: parameter/value: HALGIT_PARAM_WORD: the value does not match the pattern [a-z]+. "
        "Correct the value; the pattern must match all of it.",
    ]
    shown = repr(parameters.values) + repr(parameters.findings) + repr(made)
    assert "48151623" not in shown
    assert "Sup3rSecret" not in shown


@pytest.mark.parametrize("value", [CANARY, "encrypted:k8s!n:git!k:token"])
@pytest.mark.parametrize("name", ["settings.js", "settings-local.js"])
def test_no_secret_goes_to_the_browser(value: str, name: str) -> None:
    path = f"default/profiles/{name}"
    text = "var a = 1;\nvar b = '${{ params.token }}';\n"
    _, made = run({"halgit.yaml": DECLARED, path: text}, by_variable(value))
    assert told(made.findings) == [
        f"base/{path}:2: parameter/secret-in-browser: Parameter token is secret, but this file is served to every "
        "browser that opens Deck. Remove it; a browser cannot keep a secret."
    ]
    assert made.files[path].body == text.encode()


def test_a_secret_names_no_item() -> None:
    accounts = "[{name: '${{ params.token }}'}, {name: '${{ params.token }}'}]"
    config = f"deploymentConfigurations:\n- name: default\n  providers: {{kubernetes: {{accounts: {accounts}}}}}\n"
    _, made = run({"halgit.yaml": DECLARED, "config": config}, by_variable(CANARY))
    assert not made.findings


def test_files_without_parameters_are_the_very_same() -> None:
    files = {
        "halgit.yaml": DECLARED,
        "config": "a: 1\n",
        "default/profiles/gate-local.yml": "a: ${x}\n",
        "default/profiles/rosco/a.bin": b"\xff${{ params.token }}",
    }
    layers = (layer("base", files),)
    before: dict[str, File] = dict(merge_layers(layers).files)
    made = substitute_parameters(before, collect_parameters(layers, by_variable("x")), layers)
    assert all(made.files[path] is file for path, file in before.items())
    assert not made.findings
    assert not made.used


def test_a_reference_beside_a_secret_in_one_value_is_refused() -> None:
    files = {
        "halgit.yaml": "params:\n  token: {secret: true}\n  both: {secret: true, default: 'x'}\n",
        "config": "a: ${{ params.both }}\n",
    }
    above = layer("prod", {"halgit.yaml": "params: {both: '${{ params.token }} encrypted:git:token'}\n"})
    parameters, made = run(files, by_variable(CANARY), (above,))
    assert told(parameters.findings)[-1] == (
        "prod/halgit.yaml:1: parameter/joined-reference: The value of parameter both forms a reference from several "
        "values. Write the whole reference as one value, or as the value of a parameter with reference: true."
    )
    assert parameters.values["both"].is_wrong
    assert CANARY not in repr(parameters) + repr(made)


def test_an_option_gives_no_reference_to_a_parameter_that_takes_none() -> None:
    files = {
        "halgit.yaml": "params: {host: {default: h}, may: {reference: true}}\n",
        "config": "a: ${{ params.host }}\n",
    }
    reference = "${{ secret('vault://kv/git#token') }}"
    parameters, made = run(files, OperatorSettings(set={"host": reference, "may": reference}))
    assert told(parameters.findings) == [
        ":0: parameter/reference: --set host: the value of parameter host is a secret reference, but its declaration "
        "does not allow one. Declare it with secret: true or reference: true, or write another value."
    ]
    assert parameters.values["may"].value == reference
    assert not parameters.values["may"].secret
    assert "vault" not in repr(made)
