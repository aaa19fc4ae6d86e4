"""Secrets in plain text that output could show: in messages, excerpts, reports, differences and explanations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli.terminal import on_a_terminal
from program import halgit

from halgit.redaction import Redactor
from halgit.report.tables import Layout, table

CANARY = "canary-Xq7vB2"
CONFIG = "deploymentConfigurations:\n- {name: default, version: 1.36.0}\n"
PEM = f"-----BEGIN PRIVATE KEY-----\n{CANARY}AAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----"

PLACES = {
    "query string": f"url: https://h.example/x?access_token={CANARY}&b=1",
    "jvm option": f"opts: -Xmx1g -Djavax.net.ssl.trustStorePassword={CANARY} -Dx=y",
    "header": f"line: 'Authorization: Bearer {CANARY}'",
    "token in a URL": f"repo: https://{CANARY}@git.example/x",
    "private key": "pem: |\n  " + PEM.replace("\n", "\n  "),
    "docker login": 'docker: \'{"auths": {"h": {"auth": "' + CANARY + "\"}}}'",
    "name and value": "env: [{name: DB_PASSWORD, value: " + CANARY + "}]",
    "pair in a string": f"note: 'password: {CANARY}'",
    "properties in a string": f"text: |\n  a.b=c\n  spring.datasource.password={CANARY}\n",
    "script in a string": f"text: |\n  cd /\n  export DB_PASSWORD='{CANARY}'\n",
    "YAML in a string": f"text: |\n  a:\n  - token: {CANARY}\n",
    "below a sensitive key": "password: {first: " + CANARY + "}",
    "flow mapping": "x: {password: " + CANARY + ", b: c}",
    "key of the config server": "encrypt: {key: " + CANARY + "}",
    "dotted key of the config server": '"encrypt.key": ' + CANARY,
}


def repository(folder: Path, profile: str, more: str = "") -> Path:
    path = folder / "default" / "profiles" / "gate-local.yml"
    path.parent.mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    (folder / "halgit.yaml").write_text("dialect: halgit\n" + more)
    path.write_text(f"{profile}\nlogging: {{level: info}}\n")
    return folder


@pytest.mark.parametrize("place", PLACES)
def test_no_command_shows_it(tmp_path: Path, place: str) -> None:
    old = repository(tmp_path / "old", "a: b")
    new = repository(tmp_path / "new", PLACES[place])
    key = PLACES[place].partition(":")[0]
    for arguments in (
        ["diff", "--repo", new, "--base-repo", old],
        ["diff", "--repo", new, "--base-repo", old, "--format", "json"],
        ["explain", "--repo", new, f"default/profiles/gate-local.yml:{key}"],
        ["validate", "--repo", new],
        ["validate", "--repo", new, "--format", "sarif"],
        ["render", "--repo", new, "--dry-run", "--out", tmp_path / "out"],
    ):
        ran = halgit(*arguments)
        assert ran.code in (0, 1), ran.err
        assert CANARY not in ran.out + ran.err, arguments


def test_no_command_shows_a_secret_inside_a_string_of_dynamic_accounts(tmp_path: Path) -> None:
    old = repository(tmp_path / "old", "a: b")
    new = repository(tmp_path / "new", "a: b")
    accounts = new / "accounts" / "clouddriver-local.yml"
    accounts.parent.mkdir()
    accounts.write_text(f'{{"kubernetes": {{"version": "password: {CANARY}", "url": "https://u:{CANARY}2@h/x"}}}}\n')
    for arguments in (["diff", "--repo", new, "--base-repo", old], ["validate", "--repo", new]):
        ran = halgit(*arguments)
        assert ran.code in (0, 1), ran.err
        assert CANARY not in ran.out + ran.err, arguments


def test_no_command_shows_a_file_that_is_nothing_but_a_secret(tmp_path: Path) -> None:
    old = repository(tmp_path / "old", "a: b")
    new = repository(tmp_path / "new", "a: b")
    settings = new / "default" / "service-settings" / "gate.yml"
    settings.parent.mkdir()
    settings.write_text(f"https://u:{CANARY}@h.example/x\n")
    for arguments in (["diff", "--repo", new, "--base-repo", old], ["validate", "--repo", new]):
        ran = halgit(*arguments)
        assert ran.code in (0, 1), ran.err
        assert CANARY not in ran.out + ran.err, arguments


@pytest.mark.parametrize(
    ("profile", "more"),
    [
        (f"password: !{CANARY} x\nb: [", ""),
        (f"encrypt:\n  key: a\n  key: {CANARY}\n", ""),
        ("a: ${{ params.p }}", "params: {p: {type: integer, secret: true, default: " + CANARY + "}}\n"),
        ("a: ${{ params.p }}", "params: {p: {type: enum, enum: [a, b], secret: true, default: " + CANARY + "}}\n"),
        (f"a: {{password: {CANARY}, b: c", ""),
    ],
    ids=[
        "tag",
        "key of the config server",
        "default of another type",
        "default outside the enum",
        "flow mapping that does not end",
    ],
)
def test_no_message_quotes_it(tmp_path: Path, profile: str, more: str) -> None:
    repo = repository(tmp_path / "repo", profile, more)
    for format in ("text", "json", "sarif", "junit", "github", "markdown"):
        ran = halgit("validate", "--repo", repo, "--format", format)
        assert ran.code == 1
        assert CANARY not in ran.out + ran.err, format


@pytest.mark.parametrize("word", ["error", "severity", "secrets", "findings", "message", "ruleId", "config"])
def test_a_password_that_is_a_word_of_the_report_changes_no_key_severity_or_rule(tmp_path: Path, word: str) -> None:
    repo = repository(tmp_path / "repo", f"gate: {{password: {word}, accounts: {{}}}}\nname: changeit")
    answer = json.loads(halgit("validate", "--repo", repo, "--format", "json").out)
    assert {"findings", "summary"} <= answer.keys()
    for one in answer["findings"]:
        assert one["severity"] in {"error", "warning", "info"}
        assert "*" not in one["rule"]
        assert {"rule", "severity", "message", "hint", "file", "line"} <= one.keys()
    log = json.loads(halgit("validate", "--repo", repo, "--format", "sarif").out)
    assert {result["level"] for result in log["runs"][0]["results"]} <= {"error", "warning", "note"}
    assert all("*" not in result["ruleId"] for result in log["runs"][0]["results"])
    ElementTree.fromstring(halgit("validate", "--repo", repo, "--format", "junit").out.partition("?>")[2])


def test_a_secret_is_masked_before_a_line_is_cut(tmp_path: Path) -> None:
    long = "a" * 100 + " "
    repo = repository(
        tmp_path / "repo", f"x: {long * 1}{CANARY * 12} # halgit: ignore=no/such-rule\npassword: {CANARY * 12}"
    )
    ran = halgit("validate", "--repo", repo)
    assert CANARY not in ran.out + ran.err


SIGNS = ["\u202e", "\u2066", "\u200f", "\x9b31m", "\x1b[31m"]


@pytest.mark.parametrize("sign", SIGNS)
def test_signs_that_drive_a_terminal_are_escaped(tmp_path: Path, sign: str) -> None:
    """In findings of every format, printed and written to a file."""
    escaped = sign.encode("unicode_escape").decode() if sign.isascii() else sign
    repo = repository(tmp_path / "repo", "a: b", f'rules: {{ignore: ["no/{escaped}rule"]}}\n')
    for format in ("text", "json", "sarif", "junit", "github", "markdown"):
        ran = halgit("validate", "--repo", repo, "--format", format)
        halgit("validate", "--repo", repo, "--format", format, "--output", tmp_path / format)
        assert sign not in ran.out + ran.err + (tmp_path / format).read_text(), format
        if format in ("json", "sarif"):
            json.loads(ran.out)
        if format == "junit":
            ElementTree.parse(tmp_path / format)


@pytest.mark.parametrize("sign", SIGNS)
def test_no_command_prints_signs_that_drive_a_terminal(tmp_path: Path, sign: str) -> None:
    """In values of settings, which comparisons and explanations show."""
    escaped = sign.encode("unicode_escape").decode()
    old = repository(tmp_path / "old", "a: b")
    new = repository(tmp_path / "new", f'a: "x{escaped}y"\nurl{sign if sign.isprintable() else ""}: x')
    for name, source in (("a", old), ("b", new)):
        (tmp_path / "both" / "overlays").mkdir(parents=True, exist_ok=True)
        source.joinpath("halgit.yaml").write_text("bases: []\n")
        shutil.copytree(source, tmp_path / "both" / "overlays" / name)
    shown = [
        halgit("diff", "--repo", new, "--base-repo", old, "--format", format) for format in ("text", "json", "markdown")
    ] + [
        halgit("overlays", "--repo", tmp_path / "both", "--format", format)
        for format in ("text", "json", "markdown", "html")
    ]  # fmt: skip
    shown.append(halgit("explain", "--repo", new, "default/profiles/gate-local.yml"))
    for ran in shown:
        assert ran.code == 0, ran.err
        assert sign not in ran.out + ran.err


SPACED = "correct horse battery staple canary"
"""A secret with spaces, at which a table could wrap it."""


def test_a_cell_is_masked_before_it_is_wrapped_or_cut() -> None:
    redactor = Redactor()
    redactor.learn(SPACED)
    layout = Layout(40, redactor.clean)
    text = table(["setting", "value"], [["a.long.name.of.a.setting", f"x {SPACED} y"]], layout=layout)
    assert not {word for word in SPACED.split() if word in text}
    assert "********" in text
    assert layout.shorten(f"{'x' * 20} {SPACED}", 30) == f"{'x' * 20} ********"


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_table_shows_a_secret_with_spaces(tmp_path: Path, columns: int) -> None:
    """On a terminal of this width, which wraps the cells."""
    repo = repository(
        tmp_path / "repo",
        f"db: {{password: {SPACED}}}\nurl: 'see {SPACED} there and then go on for a long while'",
        "rules: {ignore: []}\n",
    )
    (tmp_path / "repo" / "halgit.yaml").rename(tmp_path / "repo" / "base.yaml")
    for name in ("a", "b"):
        folder = repo / "overlays" / name / "default" / "profiles"
        folder.mkdir(parents=True)
        (folder / "gate-local.yml").write_text(f"url: '{name} see {SPACED} there'\ndb: {{password: {SPACED}}}\n")
        (folder.parents[1] / "config").write_text(CONFIG)
    for arguments in (
        ["overlays", "--repo", str(repo)],
        ["explain", "--repo", str(repo), "--overlay", "a", "default/profiles/gate-local.yml"],
        ["render", "--repo", str(repo), "--overlay", "a", "--no-validate", "--out", str(tmp_path / f"out{columns}")],
        ["secrets", "list", "--repo", str(repo), "--overlay", "a"],
    ):
        shown = on_a_terminal(*arguments, columns=columns)
        assert not {word for word in SPACED.split() if word in shown}, (arguments, shown)
