"""What went wrong in the init scripts these repositories were written for, and goes right here.

Each test is named by what goes right. The scripts replaced tokens with sed, one expression after the other, without
looking at the outcome; what they did is told in each test's first line.

All 41 defects are counted; what is not here is held elsewhere:

| defects | held by |
|---|---|
| 5, 7 to 10, 12, 32, 36, 39, 41 | `cli/test_opsmx_jobs.py` |
| 11 | `sources/test_git_canary.py` (arguments and files of git), `canary/test_canary.py` (of every program) |
| 24 to 31 | `reveal/test_decoder_defects.py` |
| 33 (waiting for load balancers), 40 | nothing of rendering: addresses are given, and the charts choose a source |
"""

from __future__ import annotations

import base64

import pytest
from merge.layering import layer, told
from opsmx.tokens import Rendered, by_variables, render, unquoted

from halgit.pipeline import Variant
from halgit.redaction import Secret

GIT_CONFIG = "default/profiles/spinnakerconfig.yml"
GIT = """\
spring:
  cloud:
    config:
      server:
        git:
          uri: DYNAMIC_ACCOUNTS_REPO   # DYNAMIC_ACCOUNTS_REPO is put in when the pod starts
          username: GIT_USER
          password: GIT_TOKEN
          searchPaths: DYN_ACCNT_CONFG_PATH
          defaultLabel: BRANCH
encrypt:
  key: KEY
"""
VALUES = {
    "DYNAMIC_ACCOUNTS_REPO": "https://git.example.com/a/b.git",
    "GIT_USER": "ci",
    "GIT_TOKEN": "t0k3n",
    "DYN_ACCNT_CONFG_PATH": "accounts",
    "BRANCH": "main",
    "KEY": "k3y",
}


def git_config(**values: str) -> Rendered:
    return render([layer("", {GIT_CONFIG: GIT})], by_variables({**VALUES, **values}))


def git_values(rendered: Rendered) -> dict[str, str]:
    data = rendered.data(GIT_CONFIG)
    git: dict[str, str] = data["spring"]["cloud"]["config"]["server"]["git"]
    return {**git, "key": data["encrypt"]["key"]}


ODD = ["ab/cd", "ab&cd", "a b", "a\\b", "a\\1b", "$HOME `id` $(id)", "a|b%c,d?e", "línea", "'", '"', "12345678", "true",
       "0x1F", "1e3", "null", "~", "abc #def", "*abc", "a: b", "- a", "{a", "%a", "@a", "2020-01-01", " a ", "a\nb\n",
       "\ta", "GIT_TOKEN", "KEY", "<<", "="]  # fmt: skip


@pytest.mark.parametrize("value", ODD)
def test_1_2_3_37_a_token_takes_any_text(value: str) -> None:
    """sed broke on `/`, blanks and backslashes and expanded `&`; values without quotes changed type or were cut."""
    rendered = git_config(GIT_TOKEN=value)
    assert rendered.findings == ()
    assert git_values(rendered)["password"] == value
    assert rendered.files[GIT_CONFIG].data["spring"]["cloud"]["config"]["server"]["git"]["password"] == Secret(
        value, ""
    )


@pytest.mark.parametrize("name", ["GIT_TOKEN", "KEY", "GIT_USER", "BRANCH"])
def test_4_an_empty_token_is_refused(name: str) -> None:
    """An empty token became an empty password."""
    line = {"GIT_USER": 7, "GIT_TOKEN": 8, "BRANCH": 10, "KEY": 12}[name]
    give = f"HALGIT_PARAM_{name}_FILE or" if name in {"GIT_TOKEN", "KEY"} else f"HALGIT_PARAM_{name}, --set or"
    assert told(git_config(**{name: ""}).findings) == [
        f"{GIT_CONFIG}:{line}: opsmx/empty-token: The value of token {name} is empty. Set it with {give} in --params."
    ]


def test_4_the_folder_of_the_account_files_may_be_empty() -> None:
    """The root of the repository is a folder too."""
    rendered = git_config(DYN_ACCNT_CONFG_PATH="")
    assert rendered.findings == ()
    assert git_values(rendered)["searchPaths"] == ""


def test_6_a_file_that_is_not_there_is_no_fault_of_the_others() -> None:
    """A missing file made sed fail, unseen, and what came after was left out."""
    rendered = render([layer("", {"config": "a: RELEASE_NAME-x\n"})], by_variables({"RELEASE_NAME": "isd"}))
    assert rendered.findings == ()
    assert unquoted(rendered.text("config")) == unquoted(b'a: "isd-x"\n')


def test_13_every_occurrence_is_replaced() -> None:
    """Some tokens were replaced once a line only."""
    text = "a: RELEASE_NAME.RELEASE_NAME  # RELEASE_NAME\nb: [RELEASE_NAME, 'RELEASE_NAME']\n"
    rendered = render([layer("", {"config": text})], by_variables({"RELEASE_NAME": "isd"}))
    assert unquoted(rendered.text("config")) == unquoted(b'a: "isd.isd"  # RELEASE_NAME\nb: ["isd", "isd"]\n')


@pytest.mark.parametrize("branch", ["release/4.0", "KEYSTONE", "KEY", "GIT_TOKEN", "BRANCH"])
def test_14_15_a_branch_can_have_any_name(branch: str) -> None:
    """`release/4.0` broke sed, and the pass for KEY went over the branch KEYSTONE that an earlier pass had put in."""
    values = git_values(git_config(BRANCH=branch))
    assert values["defaultLabel"] == branch
    assert (values["key"], values["password"]) == ("k3y", "t0k3n")


def test_16_a_key_can_hold_slashes() -> None:
    """An encryption key with `/` stayed the literal KEY."""
    assert git_values(git_config(KEY="a/b+c=="))["key"] == "a/b+c=="


SSH = """\
encrypt:
  key: KEY
motd: |
  two
  lines
spring:
  cloud:
    config:
      server:
        git:
          uri: DYNAMIC_ACCOUNTS_REPO
          defaultLabel: BRANCH
          privateKey: |
"""
PRIVATE_KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\nAAAA & / \\1\n-----END OPENSSH PRIVATE KEY-----"
)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_17_the_ssh_variant_has_its_tokens_replaced_and_its_key_in_one_place(end: str) -> None:
    """BRANCH and KEY were not replaced in it, and the key was pasted after every line with a `|`."""
    repository = layer("", {GIT_CONFIG: GIT, f"{GIT_CONFIG}.ssh": SSH})
    rendered = render([repository], by_variables({**VALUES, "GIT_SSH_KEY": PRIVATE_KEY + end}), "ssh")
    data = rendered.data(GIT_CONFIG)
    assert data["spring"]["cloud"]["config"]["server"]["git"] == {
        "uri": VALUES["DYNAMIC_ACCOUNTS_REPO"],
        "defaultLabel": "main",
        "privateKey": PRIVATE_KEY + "\n",
    }
    assert (data["encrypt"]["key"], data["motd"]) == ("k3y", "two\nlines\n")
    assert list(rendered.files) == [GIT_CONFIG]


def test_17_the_ssh_key_is_secret() -> None:
    """The key was left behind in a folder beside the rendered tree."""
    repository = layer("", {f"{GIT_CONFIG}.ssh": SSH})
    rendered = render([repository], by_variables({**VALUES, "GIT_SSH_KEY": PRIVATE_KEY}), "ssh")
    assert "b3BlbnNzaC1rZXktdjEA" not in repr(rendered.files)
    assert rendered.parameters.values["GIT_SSH_KEY"].secret


@pytest.mark.parametrize(("variant", "expected"), [("token", 1), ("s3", 2), ("ssh", 3)])
def test_18_no_variant_stands_beside_the_file_it_replaces(variant: Variant, expected: int) -> None:
    """Halyard hands every profile whose name begins with `spinnaker` to every service, `.s3` and `.ssh` files too."""
    files = {GIT_CONFIG: "a: 1\n", f"{GIT_CONFIG}.s3": "a: 2\n", f"{GIT_CONFIG}.ssh": f"a: 3\n{SSH}"}
    rendered = render([layer("", files)], by_variables({**VALUES, "GIT_SSH_KEY": "k"}), variant)
    assert list(rendered.files) == [GIT_CONFIG]
    assert rendered.data(GIT_CONFIG)["a"] == expected


ORCA = "default/profiles/orca-local.yml"
STAGES = """\
webhook:
  preconfigured:
  # Provide the credentials as base64 of USER:PASSWORD/TOKEN, not JIRA_BASE64_USR_PASSWD
  - url: JIRA_URL/rest/api/2/issue/${parameterValues['issue']}
    customHeaders: {Authorization: Basic JIRA_BASE64_USR_PASSWD}
    payload: |-
      {
        "url": "JIRA_URL",
        "by": "SERVICENOW_URL"
      }
"""


def test_19_20_a_long_base64_text_stays_in_one_piece() -> None:
    """`base64` wrapped credentials of more than 57 bytes, and those with a `/` broke sed; the pod never started."""
    long = base64.b64encode(b"user:" + bytes(range(200, 256)) * 3).decode()
    assert "/" in long
    values = {"JIRA_URL": "https://jira", "SERVICENOW_URL": "https://snow", "JIRA_BASE64_USR_PASSWD": long}
    rendered = render([layer("", {ORCA: STAGES})], by_variables(values))
    stage = rendered.data(ORCA)["webhook"]["preconfigured"][0]
    assert stage["customHeaders"]["Authorization"] == f"Basic {long}"
    assert stage["url"] == "https://jira/rest/api/2/issue/${parameterValues['issue']}"
    assert stage["payload"] == '{\n  "url": "https://jira",\n  "by": "https://snow"\n}'


def test_21_comments_and_other_words_stay() -> None:
    """Every TOKEN of the file was rewritten, in comments too."""
    values = {"JIRA_URL": "j", "SERVICENOW_URL": "s", "JIRA_BASE64_USR_PASSWD": "b", "TOKEN": "t"}
    rendered = render([layer("", {ORCA: STAGES + "other: TOKEN\n"})], by_variables(values))
    lines = rendered.text(ORCA).decode().splitlines()
    assert lines[2] == STAGES.splitlines()[2]
    assert lines[-1] == "other: TOKEN"
    assert told(rendered.findings) == [
        ":0: warning: parameter/undeclared: HALGIT_PARAM_TOKEN: no parameter with this name is declared. "
        "Did you mean HALGIT_PARAM_GIT_TOKEN?"
    ]


def test_22_the_message_names_what_is_missing() -> None:
    """A missing Jira secret was told as one of ServiceNow."""
    rendered = render([layer("", {ORCA: STAGES})], by_variables({"SERVICENOW_URL": "s"}))
    about = "user:password or user:token for Jira in base64"
    assert told(rendered.findings) == [
        f"{ORCA}:4: opsmx/open-token: Token JIRA_URL (base URL of Jira) has no value. "
        "Set it with HALGIT_PARAM_JIRA_URL, --set or in --params.",
        f"{ORCA}:5: opsmx/open-token: Token JIRA_BASE64_USR_PASSWD ({about}) has no value. "
        "Set it with HALGIT_PARAM_JIRA_BASE64_USR_PASSWD_FILE or in --params.",
        f"{ORCA}:8: opsmx/open-token: Token JIRA_URL (base URL of Jira) has no value. "
        "Set it with HALGIT_PARAM_JIRA_URL, --set or in --params.",
    ]


def test_23_35_a_key_that_is_not_given_is_not_the_word_null() -> None:
    """yq printed `null` for a missing path, and that became the key; older charts left KEY and BRANCH as they stood."""
    values = {name: value for name, value in VALUES.items() if name not in {"KEY", "BRANCH"}}
    rendered = render([layer("", {GIT_CONFIG: GIT})], by_variables(values))
    assert [(finding.rule, finding.line) for finding in rendered.findings] == [
        ("opsmx/open-token", 10),
        ("opsmx/open-token", 12),
    ]
    assert git_values(rendered)["key"] == "KEY"


def test_33_two_tokens_in_one_scalar_are_both_replaced() -> None:
    """One of two ways through the scripts left PROTOCOL where it stood."""
    rendered = render(
        [layer("", {"config": "url: PROTOCOL://OVERRIDE_DECK_URL\n"})],
        by_variables({"PROTOCOL": "https", "OVERRIDE_DECK_URL": "spin.example.com/PROTOCOL"}),
    )
    assert rendered.data("config") == {"url": "https://spin.example.com/PROTOCOL"}


def test_34_a_misspelt_token_is_told() -> None:
    """Nothing looked for placeholders that were left: a misspelt one is in the repository to this day."""
    text = "auth:\n  url: ldap://RELEASE-openldap:389\n  # RELEASE-openldap\n  other: RELASE_NAME-x\n"
    rendered = render([layer("", {"default/profiles/fiat-local.yml": text})], by_variables({}))
    words = "resembles a token but is none, and is kept unchanged. Did you mean RELEASE_NAME?"
    assert told(rendered.findings) == [
        f"default/profiles/fiat-local.yml:2: warning: opsmx/misspelled-token: RELEASE {words}",
        f"default/profiles/fiat-local.yml:4: warning: opsmx/misspelled-token: RELASE_NAME {words}",
    ]


def test_38_a_token_is_not_url_encoded_where_no_url_is() -> None:
    """A blank in the token became a `+`, which stands for itself in a login."""
    assert git_values(git_config(GIT_TOKEN="a b+c%20d"))["password"] == "a b+c%20d"
