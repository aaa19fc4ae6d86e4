"""`halgit render` as a user runs it: exit codes, what is said and where, what is written and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import SAMPLE, halgit, tree

MINIMAL = """\
deploymentConfigurations:
- name: default
  version: '1.36.1'
  persistentStorage: {persistentStoreType: s3, s3: {bucket: one}}
"""


def repository(folder: Path, **files: str) -> Path:
    """A plain layer with these files; `__` in a name is a `/`, and `config` is valid unless it is given."""
    for name, text in {"config": MINIMAL, **files}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("overlay", ["dev", "staging", "prod"])
def test_the_sample_renders_without_a_finding(overlay: str, tmp_path: Path) -> None:
    ran = halgit("render", "--repo", SAMPLE, "--overlay", overlay, "--secrets", "mask", "--out", tmp_path / ".hal")
    assert (ran.code, ran.err) == (0, "")
    assert "config" in tree(tmp_path / ".hal")


def test_the_summary_tells_sources_layers_files_parameters_and_what_was_left_out(tmp_path: Path) -> None:
    ran = halgit("render", "--repo", SAMPLE, "--overlay", "prod", "--secrets", "keep", "--out", tmp_path / ".hal")
    lines = {line.split()[0]: line for line in ran.out.splitlines() if line.strip()}
    assert "base < overlays/prod" in lines["layers"]
    assert "copied" in lines["files"]
    assert "merged" in lines["files"]
    assert "publicHost" in lines["parameters"]
    assert "(1 secret)" in lines["parameters"]
    assert lines["halyard.yaml"].split(None, 1)[1] == "it configures the Halyard daemon; --daemon-config writes it"


def test_json_is_one_object_with_the_fields_of_the_contract(tmp_path: Path) -> None:
    ran = halgit(
        "render", "--repo", SAMPLE, "--overlay", "prod", "--secrets", "keep", "--out", tmp_path / ".hal",
        "--format", "json",
    )  # fmt: skip
    assert list(ran.json) == ["sources", "overlay", "files", "parameters", "skipped", "findings"]
    config = next(file for file in ran.json["files"] if file["path"] == "config")
    assert config == {"path": "config", "how": "merged", "layers": ["base", "overlays/prod"]}
    assert "slackToken" in ran.json["parameters"]


def test_a_second_render_of_the_same_writes_nothing(tmp_path: Path) -> None:
    arguments = ("render", "--repo", SAMPLE, "--overlay", "prod", "--secrets", "keep", "--out", tmp_path / ".hal")
    halgit(*arguments)
    before = (tmp_path / ".hal").stat().st_mtime_ns
    assert "unchanged, nothing written" in halgit(*arguments).out
    assert (tmp_path / ".hal").stat().st_mtime_ns == before


def test_check_says_what_would_change_and_writes_nothing(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    out = tmp_path / ".hal"
    assert halgit("render", "--repo", repo, "--out", out).code == 0
    assert halgit("render", "--repo", repo, "--out", out, "--check").code == 0
    repository(repo, default__profiles__gate_local="x", **{"default__profiles__gate-local.yml": "a: 1\n"})
    (repo / "config").write_text(MINIMAL.replace("1.36.1", "1.36.0"))
    before = tree(out)
    ran = halgit("render", "--repo", repo, "--out", out, "--check")
    assert ran.code == 1
    assert ran.out.splitlines()[:2] == ["+ default/profiles/gate-local.yml", "~ .halgit.json"]
    assert f"A render would change {out}" in ran.err
    assert tree(out) == before
    assert halgit("render", "--repo", repo, "--out", out, "--dry-run").code == 0
    assert tree(out) == before


def test_a_dry_run_says_that_a_render_would_be_refused(tmp_path: Path) -> None:
    repo, out = repository(tmp_path / "repo"), tmp_path / ".hal"
    out.mkdir()
    (out / "config").write_text("mine\n")
    told = ("render", "--repo", repo, "--out", out, "--dry-run")
    refused = "so a render would be refused. Choose another --out or use --force."
    ran = halgit(*told)
    assert f"warning: {out}: halgit did not write this tree, {refused}\n" in ran.err
    assert (ran.code, ran.out.splitlines()) == (0, ["+ .halgit.json", "~ config"])
    assert "refused" not in halgit(*told, "--force").err
    halgit("render", "--repo", repo, "--out", out, "--force")
    (out / "config").write_text("mine\n")
    ran = halgit(*told, "--format", "json")
    assert f"warning: {out}: files were modified since halgit wrote them, {refused}\n" in ran.err
    assert ran.json["changes"] == [
        {"path": "config", "change": "changed"},
        {"path": "config", "change": "modified"},
    ]


def test_every_option_can_be_a_variable_and_lists_are_lines(tmp_path: Path) -> None:
    ran = halgit(
        "render",
        HALGIT_REPO=str(SAMPLE),
        HALGIT_OVERLAY="dev",
        HALGIT_SECRETS="mask",
        HALGIT_SET="logLevel=WARN\nbucket=other bucket",
        HALGIT_OUT=str(tmp_path / ".hal"),
        HALGIT_FORMAT="json",
        HALGIT_PARAM_PUBLIC_HOST="from.environment.example.com",
    )
    assert ran.code == 0, ran.err
    config = (tmp_path / ".hal" / "config").read_text()
    assert "bucket: other bucket" in config
    assert "overrideBaseUrl: https://from.environment.example.com\n" in config
    assert "WARN" in (tmp_path / ".hal/default/profiles/spinnaker-local.yml").read_text()


def test_findings_that_fail_leave_nothing_and_come_all_together(tmp_path: Path) -> None:
    repo = repository(
        tmp_path / "repo",
        **{
            "halgit.yaml": "params: {unused: 1}\n",
            "default__profiles__gate-local.yml": "a: ${{ params.one }}\nb: '${{ params.two }}'\n",
            "default__profiles__echo-local.yml": "x: 1\ny: ${{ elsewhere.three }}\n",
        },
    )
    ran = halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--format", "json")
    assert ran.code == 1
    assert not (tmp_path / ".hal").exists()
    assert ran.json["error"]["code"] == 1
    assert "2 errors" in ran.json["error"]["message"]
    places = {(f["rule"], f["file"], f["line"]) for f in ran.json["findings"]}
    assert ("parameter/unused", "halgit.yaml", 1) in places
    assert {(file, line) for _, file, line in places} >= {
        ("default/profiles/gate-local.yml", 1),
        ("default/profiles/gate-local.yml", 2),
        ("default/profiles/echo-local.yml", 2),
    }
    repository(repo, **{"default__profiles__orca-local.yml": "x: 1\nx: 2\n"})
    again = halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--format", "json").json["findings"]
    rules = {finding["rule"] for finding in again}
    assert {"yaml/duplicate-key", "parameter/undeclared"} <= rules
    assert "parameter/unused" not in rules, "a file that cannot be read may use it"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["render"], 2, "Missing option '--repo'"),
        (["render", "--repo", "{sample}"], 2, "Choose one with --overlay: dev, prod, staging."),
        (
            ["render", "--repo", "{sample}", "--overlay", "qa"],
            2,
            "has no overlay qa. Its overlays are: dev, prod, staging.",
        ),
        (
            ["render", "--repo", "{sample}", "--set", "x"],
            2,
            "--set: the name or the = is missing. Write --set NAME=VALUE.",
        ),
        (["render", "--repo", "{tmp}/nowhere"], 3, "nowhere"),
        (["render", "--repo", "{sample}", "--path", "accounts"], 3, "has no file of a layer"),
        (["render", "--repo", "{sample}", "--path", "../sample-repo"], 2, ".."),
        (["render", "--repo", "https://user:hunter2@example.com/x.git"], 2, "contains credentials"),
        (["render", "--repo", "a", "--repo", "b", "--ref", "main"], 2, "--ref and --path need exactly one --repo."),
        (["nonsense"], 2, "Unknown command 'nonsense'"),
        (["explain", "--repo", "{sample}", "--overlay", "prod", "confg"], 2, "confg is not in the rendered tree."),
    ],
)
def test_wrong_use_and_sources_that_cannot_be_had(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    ran = halgit(*(part.format(sample=SAMPLE, tmp=tmp_path) for part in arguments), cwd=tmp_path)
    assert words in ran.err
    assert ran.code == code
    assert "hunter2" not in ran.err + ran.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "Layer . and its bases have no config: Halyard would start an empty Spinnaker."),
        ("", "The halconfig is empty: Halyard would start an empty Spinnaker."),
        ("# nothing\n", "The halconfig is empty"),
        ("deploymentConfigurations:\n- name: other\n", "The halconfig has no deployment default (deployments: other)."),
        ("deploymentConfigurations: []\n", "The halconfig has no deployment default (it has none)."),
    ],
)
def test_a_halconfig_that_would_start_an_empty_spinnaker_is_an_error_without_rules_too(
    config: str | None, words: str, tmp_path: Path
) -> None:
    repo = repository(tmp_path / "repo", **{"default__profiles__gate-local.yml": "a: 1\n"})
    (repo / "config").unlink() if config is None else (repo / "config").write_text(config)
    ran = halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--no-validate")
    assert ran.code == 1
    assert words in ran.err
    assert not (tmp_path / ".hal").exists()


def test_the_daemon_gets_its_own_files(tmp_path: Path) -> None:
    daemon = tmp_path / "daemon"
    ran = halgit(
        "render", "--repo", SAMPLE, "--overlay", "prod", "--secrets", "mask", "--out", tmp_path / ".hal",
        "--daemon-config", daemon, "--halyard-address", "0.0.0.0",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert (daemon / "halyard.yml").read_bytes() == (SAMPLE / "base/halyard.yaml").read_bytes()
    assert (daemon / "halyard-local.yml").read_text() == "server:\n  address: '0.0.0.0'\n"
    assert "halyard.yaml" not in tree(tmp_path / ".hal")
    assert "skipped     0 files" in ran.out


def test_without_a_file_of_its_own_the_daemon_gets_its_port_and_no_grpc(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--daemon-config", tmp_path / "daemon")
    assert (tmp_path / "daemon/halyard.yml").read_text() == "server:\n  port: 8064\ngrpc:\n  enabled: false\n"


def test_files_the_halconfig_names_are_part_of_the_tree(tmp_path: Path) -> None:
    account = "{name: one, kubeconfigFile: keys/one.conf}, {name: two, kubeconfigFile: /srv/hal/keys/two.conf}"
    config = MINIMAL + "  providers: {kubernetes: {enabled: true, accounts: [" + account + "]}}\n"
    repo = repository(
        tmp_path / "repo",
        config=config,
        **{"keys__one.conf": "1\n", "keys__two.conf": "2\n", "keys__three.conf": "3\n"},
    )
    ran = halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--hal-home", "/srv/hal", "--no-validate")
    assert ran.code == 0, ran.err
    assert set(tree(tmp_path / ".hal")) == {".halgit.json", "config", "keys/one.conf", "keys/two.conf"}
    assert "keys/three.conf" in ran.out


def test_a_secret_parameter_is_shown_nowhere_but_in_the_tree(tmp_path: Path) -> None:
    repo = repository(
        tmp_path / "repo",
        **{
            "halgit.yaml": "params:\n  code: {secret: true, type: string, required: true}\n",
            "default__profiles__gate-local.yml": "greeting: ${{ params.code }}\nurl: redis://:${{ params.code }}@x\n",
        },
    )
    (tmp_path / "code").write_text("canary-7c1f\n")
    given = {"HALGIT_PARAM_CODE_FILE": str(tmp_path / "code"), "HALGIT_REPO": str(repo)}
    said = ""
    for arguments in (
        ["render", "--out", str(tmp_path / ".hal")],
        ["render", "--out", str(tmp_path / ".hal"), "--check", "--format", "json"],
        ["explain", "default/profiles/gate-local.yml"],
        ["explain", "default/profiles/gate-local.yml:url", "--format", "json"],
    ):
        ran = halgit(*arguments, **given)
        assert ran.code == 0, ran.err
        said += ran.out + ran.err
    assert "canary" not in said
    assert "********" in said
    written = (tmp_path / ".hal/default/profiles/gate-local.yml").read_text()
    assert written == "greeting: canary-7c1f\nurl: redis://:canary-7c1f@x\n"
    assert "canary" not in (tmp_path / ".hal/.halgit.json").read_text()


def test_a_reference_beside_a_parameter_is_told_where_its_text_stands() -> None:
    listed = halgit("secrets", "list", "--repo", SAMPLE, "--overlay", "prod").out.splitlines()
    places = {line.split()[0]: line.split()[2] for line in listed}
    assert places["k8s://spinnaker-redis#password"] == "base/default/profiles/clouddriver-local.yml:4:"
    assert places["k8s://spinnaker-slack#token"] == "base/halgit.yaml:23:"


def test_the_pod_is_told_the_reason(tmp_path: Path) -> None:
    log = tmp_path / "termination-log"
    log.touch()
    ran = halgit("render", "--repo", tmp_path / "nowhere", HALGIT_TERMINATION_FILE=str(log))
    assert ran.code == 3
    assert "nowhere" in log.read_text()


def test_log_lines_can_be_json(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", **{"halgit.yaml": "params: {unused: 1}\n"})
    ran = halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--log-format", "json")
    lines = [json.loads(line) for line in ran.err.splitlines()]
    assert any(line.get("rule") == "parameter/unused" and line["level"] == "warning" for line in lines)


def test_fail_on_warning(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", **{"halgit.yaml": "params: {unused: 1}\n"})
    ran = halgit("render", "--repo", repo, "--out", tmp_path / ".hal", "--fail-on", "warning")
    assert ran.code == 1
    assert "nothing was written" in ran.err
