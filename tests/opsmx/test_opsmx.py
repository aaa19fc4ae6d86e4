"""The opsmx dialect: when it is taken, which tokens stand where, variants, and what is said of the rest."""

from __future__ import annotations

import pytest
from merge.layering import layer, told
from opsmx.tokens import by_variables, render, unquoted

from halgit.compiler import compile_tree
from halgit.convert.tree_source import MemorySnapshot
from halgit.halyard.resources import load_table
from halgit.operator_settings import OperatorSettings
from halgit.opsmx import substitution, tokens
from halgit.opsmx.variants import select_variants
from halgit.pipeline import Origin, Severity, Skipped, SourceId
from halgit.record import replace
from halgit.redaction import SecretText

CANARY = "can:ary-5"

GIT_CONFIG = "default/profiles/spinnakerconfig.yml"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"config": "a: RELEASE_NAME-x\n"}, True),
        ({"config": "a: 'x://PROTOCOL'\n"}, True),
        ({f"{GIT_CONFIG}.s3": "a: AWS_S3_BUCKET\n"}, True),
        ({"default/service-settings/gate.yml": "a: SPINNAKER_NAMESPACE\n"}, True),
        ({"default/profiles/orca-local.yml": "a: b\n---\na: SPINNAKER_NAMESPACE\n"}, True),
        ({"config": "# RELEASE_NAME\na: 1\n"}, False),
        ({"config": "a: RELEASE_NAMES\nb: MY_RELEASE_NAME\nc: xRELEASE_NAME\n"}, False),
        ({"default/profiles/gate-local.yml": "a: RELEASE_NAME\n"}, False),
        ({"config": "a: ${{ params.x }}\n"}, False),
        ({"config": "a: [RELEASE_NAME\n"}, False),
        ({"config": "a: RELEASE_NAME\n", "halgit.yaml": ""}, False),
        ({"config": "a: RELEASE_NAME\n", "halgit.yaml": "params: {}\n"}, False),
    ],
)
def test_the_dialect_is_found_by_its_tokens(files: dict[str, str], expected: bool) -> None:
    assert substitution.is_opsmx([layer("", files)]) is expected


def test_each_token_has_its_files_and_what_it_is_for() -> None:
    rows = load_table("opsmx_tokens")
    assert {name for name, row in rows.items() if row["secret"]} == {
        "GIT_TOKEN", "GIT_SSH_KEY", "KEY", "AWS_SECRET_ACCESS_KEY", "SERVICENOW_BASE64_USR_PASSWD",
        "JIRA_BASE64_USR_PASSWD",
    }  # fmt: skip
    assert all(row["files"] and row["description"] for row in rows.values())
    assert "RELEASE" not in rows
    parameters = substitution.collect_tokens([], OperatorSettings())
    assert set(parameters.values) == {*rows, "stormdriver"}
    assert not parameters.findings


def test_a_token_belongs_to_its_files() -> None:
    files = {
        "config": "a: SPINNAKER_NAMESPACE\nb: GIT_USER\n",
        "default/profiles/gate-local.yml": "host: RELEASE_NAME-redis\nshell: ${BRANCH} $KEY\nword: MY_BRANCH\n",
        "default/profiles/settings-local.js": "// KEY\nvar a = 'OVERRIDE_DECK_URL';\n",
        "default/profiles/RELEASE_NAME.txt": "RELEASE_NAME\n",
        "README.md": "RELEASE_NAME\n",
    }
    rendered = render([layer("", files)], by_variables({"SPINNAKER_NAMESPACE": "isd", "GIT_USER": "x"}))
    in_release = (
        "config, default/profiles/fiat-local.yml, default/profiles/rosco-local.yml, "
        "default/profiles/stormdriver-spinnaker.yml and default/service-settings/redis.yml"
    )
    assert told(rendered.findings) == [
        "config:2: warning: opsmx/misplaced-token: Token GIT_USER is not replaced in this file. "
        f"Write the value itself; the token is replaced in {GIT_CONFIG} only.",
        "default/profiles/gate-local.yml:1: warning: opsmx/misplaced-token: Token RELEASE_NAME is not replaced in this "
        f"file. Write the value itself; the token is replaced in {in_release} only.",
        "default/profiles/settings-local.js:2: warning: opsmx/misplaced-token: Token OVERRIDE_DECK_URL is not "
        "replaced in this file. Write the value itself; the token is replaced in config only.",
        ":0: warning: parameter/unused: HALGIT_PARAM_GIT_USER: parameter GIT_USER is not used. Remove it.",
    ]
    assert unquoted(rendered.text("config")) == unquoted(b'a: "isd"\nb: GIT_USER\n')
    assert rendered.text("default/profiles/gate-local.yml").decode() == files["default/profiles/gate-local.yml"]


def test_every_other_byte_stays() -> None:
    text = b"# RELEASE_NAME\r\na:   'RELEASE_NAME-x'   # RELEASE_NAME  \r\nb: {c: \"RELEASE_NAME\"}\r\n\r\nd: ~"
    rendered = render([layer("", {"config": text})], by_variables({"RELEASE_NAME": "isd"}))
    kept = b'# RELEASE_NAME\r\na:   "isd-x"   # RELEASE_NAME  \r\nb: {c: "isd"}\r\n\r\nd: ~'
    assert unquoted(rendered.text("config")) == unquoted(kept)


def test_no_parameter_of_the_other_dialect_is_read() -> None:
    text = "a: ${{ params.RELEASE_NAME }}\nb: $${{ x\nc: '${{ nothing }}'\n"
    rendered = render([layer("", {"config": text})], by_variables({"RELEASE_NAME": "isd"}))
    assert unquoted(rendered.text("config")) == unquoted(b"a: \"${{ params.isd }}\"\nb: $${{ x\nc: '${{ nothing }}'\n")
    assert not rendered.findings


def test_a_token_in_a_key_is_an_error() -> None:
    files = {"config": "a:\n  SPINNAKER_NAMESPACE:\n    b: 1\n"}
    rendered = render([layer("", files)], by_variables({"SPINNAKER_NAMESPACE": "isd"}))
    assert told(rendered.findings) == [
        "config:2: opsmx/in-key: Token SPINNAKER_NAMESPACE is used in a mapping key, where tokens are not replaced. "
        "Write the key itself."
    ]


def test_tokens_are_replaced_in_every_document_of_a_file() -> None:
    text = "# JIRA_URL\na: JIRA_URL # kept\n---\nb: [x, 'JIRA_URL']\nc: &x JIRA_URL\nd: *x\n---\n"
    text += "e: Basic JIRA_BASE64_USR_PASSWD\n"
    values = {"JIRA_URL": "https://jira.example.com"}
    secret = {"HALGIT_PARAM_JIRA_BASE64_USR_PASSWD": CANARY}
    operator = OperatorSettings(environment={**by_variables(values).environment, **secret})
    rendered = render([layer("", {"default/profiles/orca-local.yml": text})], operator)
    assert not rendered.findings
    body = rendered.files["default/profiles/orca-local.yml"].body
    assert isinstance(body, SecretText)
    assert CANARY not in str(body)
    assert unquoted(body.open().encode()) == unquoted(
        b"# JIRA_URL\na: https://jira.example.com # kept\n---\nb: [x, https://jira.example.com]\n"
        b"c: &x https://jira.example.com\nd: *x\n---\ne: Basic " + CANARY.encode() + b"\n"
    )


def test_an_open_token_of_a_later_document_is_an_error_at_its_line() -> None:
    text = "a: 1\n---\n# JIRA_URL\nb: JIRA_URL\n"
    rendered = render([layer("", {"default/profiles/orca-local.yml": text})], OperatorSettings())
    assert told(rendered.findings) == [
        "default/profiles/orca-local.yml:4: opsmx/open-token: Token JIRA_URL (base URL of Jira) has no value. "
        "Set it with HALGIT_PARAM_JIRA_URL, --set or in --params."
    ]


def test_values_come_from_the_repository_too_and_declared_tokens_stay_secret() -> None:
    token = "{type: string, default: 'encrypted:git:token'}"
    settings = f"dialect: opsmx\nparams:\n  BRANCH: main\n  GIT_TOKEN: {token}\n  KEY: {{}}\n"
    made = layer("", {"halgit.yaml": settings, GIT_CONFIG: "a: BRANCH\nb: GIT_TOKEN\nc: KEY\n"})
    rendered = render([made], by_variables({"KEY": "k3y"}))
    assert not rendered.findings
    assert rendered.data(GIT_CONFIG) == {"a": "main", "b": "encrypted:git:token", "c": "k3y"}
    assert "k3y" not in repr(rendered)


def test_a_number_where_a_token_needs_a_text_is_an_error() -> None:
    operator = OperatorSettings(params_file="values.yaml", params_text=b"GIT_TOKEN: 12345678\nBRANCH: 4.0\n")
    rendered = render([layer("", {GIT_CONFIG: "a: GIT_TOKEN\nb: BRANCH\n"})], operator)
    assert told(rendered.findings) == [
        "values.yaml:1: parameter/value: Expected a string, got an integer. Put it in quotes.",
        "values.yaml:2: parameter/value: Expected a string, got a number. Put it in quotes.",
    ]


def test_what_is_given_and_no_token_is_a_warning() -> None:
    operator = OperatorSettings(
        set={"RELEASE_NAM": "x", "zzz": "y"}, params_file="values.yaml", params_text=b"other: 1\n"
    )
    rendered = render([layer("", {"config": "a: 1\n"})], operator)
    assert {finding.severity for finding in rendered.findings} == {Severity.WARNING}
    assert told(rendered.findings) == [
        "values.yaml:1: warning: parameter/undeclared: Parameter other is not declared. Remove it.",
        ":0: warning: parameter/undeclared: --set RELEASE_NAM: parameter RELEASE_NAM is not declared. "
        "Did you mean RELEASE_NAME?",
        ":0: warning: parameter/undeclared: --set zzz: parameter zzz is not declared. Remove it.",
    ]


SSH = "spring: {cloud: {config: {server: {git: {uri: DYNAMIC_ACCOUNTS_REPO, privateKey: ''}}}}}\n"


def test_a_place_in_a_variant_is_told_by_its_own_name() -> None:
    rendered = render([layer("base", {f"{GIT_CONFIG}.ssh": "\n" + SSH})], by_variables({}), "ssh")
    assert [(finding.file, finding.line, finding.rule) for finding in rendered.findings] == [
        (f"base/{GIT_CONFIG}.ssh", 2, "opsmx/open-token"),
        (f"base/{GIT_CONFIG}.ssh", 2, "opsmx/open-token"),
    ]
    assert [finding.message.split()[1] for finding in rendered.findings] == ["DYNAMIC_ACCOUNTS_REPO", "GIT_SSH_KEY"]
    trace = rendered.files[GIT_CONFIG].trace
    assert trace
    assert trace.origin.file == f"base/{GIT_CONFIG}.ssh"


def test_variants_of_several_layers_meet_in_the_merge() -> None:
    base = layer("base", {GIT_CONFIG: "a: {b: 1, c: 2}\n", f"{GIT_CONFIG}.s3": "a: {b: 3, c: AWS_S3_BUCKET}\n"})
    prod = layer("prod", {GIT_CONFIG: "a: {b: 4}\n"})
    rendered = render([base, prod], by_variables({"AWS_S3_BUCKET": "accounts"}), "s3")
    file = rendered.files[GIT_CONFIG]
    assert file.data == {"a": {"b": 4, "c": "accounts"}}
    assert file.trace
    assert file.trace.at(("a", "c")).origin == Origin(
        base.id, f"base/{GIT_CONFIG}.s3", ("a", "c"), "parameter AWS_S3_BUCKET"
    )
    assert file.trace.at(("a", "b")).overridden == (Origin(base.id, f"base/{GIT_CONFIG}.s3", ("a", "b")),)
    assert file.trace.at(("a", "b")).origin.file == f"prod/{GIT_CONFIG}"


def test_variants_that_are_not_chosen_are_left_out_with_the_reason() -> None:
    chosen = select_variants([layer("", {GIT_CONFIG: "", f"{GIT_CONFIG}.s3": "", f"{GIT_CONFIG}.ssh": ""})], "s3")
    assert chosen.skipped == (
        Skipped(f"{GIT_CONFIG}.ssh", f"it is the ssh variant of {GIT_CONFIG}; the selected variant is s3"),
    )
    assert chosen.layers[0].paths == {GIT_CONFIG} == set(chosen.layers[0].files)


def test_a_private_key_that_is_there_is_kept_and_one_that_has_no_place_is_told() -> None:
    there = SSH.replace("''", "encrypted:git:ssh")
    values = by_variables({"DYNAMIC_ACCOUNTS_REPO": "git@host:a/b.git"})
    rendered = render([layer("", {GIT_CONFIG: there})], values, "ssh")
    assert not rendered.findings
    nowhere = render([layer("", {GIT_CONFIG: "spring: {cloud: {config: {}}}\n"})], values, "ssh")
    assert [finding for finding in told(nowhere.findings) if "unused" not in finding] == [
        f"{GIT_CONFIG}:1: opsmx/no-private-key: Variant ssh requires "
        "spring.cloud.config.server.git.privateKey, which is missing. Add an empty privateKey, or select another "
        "variant."
    ]


def test_the_table_names_files_as_layers_have_them() -> None:
    for row in load_table("opsmx_tokens").values():
        assert all(tokens.without_variant(file) == file and not file.startswith("/") for file in row["files"])


class Branched(MemorySnapshot):
    """A snapshot in memory of a source with branches."""

    def branch(self) -> str:
        assert b"BRANCH\n" in self.content[GIT_CONFIG], "asked for a branch that no file uses"
        return self.source.ref


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a: BRANCH\n", {}, "release/4.0"),
        ("a: BRANCH\n", {"BRANCH": "other"}, "other"),
        ("a: main  # not BRANCH.\n", {}, "main"),
    ],
)
def test_without_a_value_the_branch_is_that_of_the_source(text: str, values: dict[str, str], expected: str) -> None:
    """Only a file that uses the token makes halgit ask, and no warning says that it is unused."""
    config = b"currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  version: 1.30.1\n"
    snapshot = Branched(SourceId("https://git", "1", "release/4.0"), {"config": config, GIT_CONFIG: text.encode()})
    operator = replace(by_variables(values), dialect="opsmx")
    compiled = compile_tree([snapshot], operator)
    assert compiled.files[GIT_CONFIG].data == {"a": expected}
    assert not [one for one in compiled.findings if "BRANCH" in one.message]
