"""`halgit validate` as a user runs it: which findings, in which place, in which format, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import needs
import pytest
from program import SAMPLE, Ran, halgit

HALCONFIG = """\
deploymentConfigurations:
- name: default
  version: ''
  deploymentEnvironment: {type: Distributed, accountName: main, location: spinnaker}
  providers:
    kubernetes:
      enabled: true
      primaryAccount: main
      accounts:
      - {name: main, serviceAccount: true}
    dockerRegistry:
      accounts:
      - name: hub
        address: https://index.docker.io
        password: in-the-open
  persistentStorage:
    persistentStoreType: s3
    s3: {bucket: example, region: eu-central-1}
"""
NO_VERSION = ("deployment/no-version", "error", 3, 12)
OPEN = ("secrets/plain-text", "warning", 15, 19)
ONLY = ("--select", "deployment/no-version", "--select", "secrets/plain-text")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A repository of one plain layer with one error and one warning."""
    return written(tmp_path / "plain", {"config": HALCONFIG})


@pytest.fixture
def layered(tmp_path: Path) -> Path:
    """A base with an error that the overlay `good` mends by a patch and `bad` does not, and `worse` makes another."""
    return written(
        tmp_path / "layered",
        {
            "halgit.yaml": "params: {release: ''}\n",
            "base/config": HALCONFIG,
            "overlays/good/halgit.yaml": patch("1.36.1"),
            "overlays/bad/halgit.yaml": "bases: [../../base]\n",
            "overlays/worse/halgit.yaml": patch("${{ params.release }}"),
        },
    )


def patch(version: str) -> str:
    """A `halgit.yaml` that patches the version."""
    op = f"{{op: replace, path: '/deploymentConfigurations/[name=default]/version', value: '{version}'}}"
    return f"bases: [../../base]\npatches:\n- target: config\n  ops:\n  - {op}\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def validate(repo: Path, *options: object) -> Ran:
    """Run it over a repository, with two rules only."""
    return halgit("validate", "--repo", repo, *ONLY, *options)


def found(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(one["rule"], one["severity"], one["line"], one["column"]) for one in report["findings"]]


# --- which findings, and where ---------------------------------------------------------------------------------


def test_a_finding_stands_at_the_line_of_the_layer_that_wins(layered: Path) -> None:
    report = validate(layered, "--overlay", "bad", "--format", "json").json
    first = report["findings"][0]
    assert (first["file"], first["line"], first["layer"]) == ("base/config", 3, "base")
    assert first["path"] == "deploymentConfigurations[0].version"


def test_a_value_that_came_by_a_patch_or_a_parameter_is_found_where_it_was_written(layered: Path) -> None:
    written(layered, {"overlays/patched/halgit.yaml": patch("")})
    patched = validate(layered, "--overlay", "patched", "--format", "json").json["findings"][0]
    assert (patched["file"], patched["line"], patched["layer"]) == (
        "overlays/patched/halgit.yaml",
        5,
        "overlays/patched",
    )
    written(layered, {"param/config": HALCONFIG.replace("version: ''", "version: ${{ params.release }}")})
    written(layered, {"overlays/given/halgit.yaml": "bases: [../../param]\nparams: {release: ''}\n"})
    given = validate(layered, "--overlay", "given", "--format", "json").json["findings"][0]
    assert (given["file"], given["line"], given["layer"]) == ("overlays/given/halgit.yaml", 2, "overlays/given")
    assert given["path"] == "deploymentConfigurations[0].version"
    assert given["hint"].endswith("such as '1.36.1'. Parameter release is used at param/config:3.")
    by_hand = validate(layered, "--overlay", "given", "--set", "release=", "--format", "json").json["findings"][0]
    assert (by_hand["file"], by_hand["line"], by_hand["layer"]) == ("param/config", 3, "param")


def test_all_overlays_says_a_shared_finding_once(layered: Path) -> None:
    ran = validate(layered, "--all-overlays", "--format", "json")
    assert ran.code == 1
    places = [(one["rule"], one["file"]) for one in ran.json["findings"]]
    assert places == [
        ("deployment/no-version", "base/config"),
        ("deployment/no-version", "halgit.yaml"),
        ("secrets/plain-text", "base/config"),
    ]


def test_in_all_overlays_a_waiver_one_of_them_needs_is_used(layered: Path) -> None:
    waived = HALCONFIG.replace("version: ''", "version: '' # halgit: ignore=deployment/no-version overlays set it")
    written(layered, {"base/config": waived, "halgit.yaml": "{}\n"})
    written(layered, {"overlays/worse/halgit.yaml": patch("")})
    assert found(validate(layered, "--overlay", "good", "--format", "json").json) == [
        OPEN,
        ("waiver/unused", "info", 3, 15),
    ]
    every = validate(layered, "--all-overlays", "--format", "json").json
    assert [one["rule"] for one in every["findings"]] == ["deployment/no-version", "secrets/plain-text"]
    written(layered, {"base/config": waived.replace("version: ''", "version: '1.36.1'")})
    written(layered, {"overlays/worse/halgit.yaml": "bases: [../../base]\n"})
    every = validate(layered, "--all-overlays", "--format", "json").json
    assert [one["rule"] for one in every["findings"]] == ["secrets/plain-text", "waiver/unused"]


def test_in_all_overlays_a_parameter_one_of_them_uses_is_used(layered: Path) -> None:
    assert "parameter/unused" in validate(layered, "--overlay", "bad").out
    assert "parameter/unused" not in validate(layered, "--all-overlays").out
    written(layered, {"overlays/worse/halgit.yaml": "bases: [../../base]\n"})
    assert validate(layered, "--all-overlays").out.count("[parameter/unused]") == 1


def test_all_overlays_and_an_overlay_exclude_each_other(layered: Path, plain: Path) -> None:
    ran = validate(layered, "--all-overlays", "--overlay", "bad")
    assert (ran.code, ran.err) == (
        2,
        "halgit: --overlay and --all-overlays are mutually exclusive. Remove one of them.\n",
    )
    ran = validate(plain, "--all-overlays")
    assert (ran.code, ran.err) == (
        2,
        "halgit: There are no overlays. Omit --all-overlays, or add layers as overlays/NAME.\n",
    )


def test_the_sample_has_no_finding() -> None:
    ran = halgit("validate", "--repo", SAMPLE, "--all-overlays", "--fail-on", "warning")
    assert (ran.code, ran.out, ran.err) == (0, "No findings.\n", "")


# --- choosing, severities, waivers, baseline --------------------------------------------------------------------


def test_rules_are_selected_and_left_out_by_id_subject_or_pattern(plain: Path) -> None:
    def rules(*options: str) -> set[str]:
        report = halgit("validate", "--repo", plain, "--format", "json", *options).json
        return {one["rule"] for one in report["findings"]}

    assert rules("--select", "deployment") == {"deployment/no-version"}
    assert rules("--select", "deploy*/no-*") == {"deployment/no-version"}
    assert rules("--select", "deployment", "--ignore", "deployment/no-version") == set()
    assert not {"deployment/no-version", "secrets/plain-text"} & rules(
        "--ignore", "deployment", "--ignore", "secrets/*"
    )


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_name_that_is_no_rules_is_wrong_use_for_it_would_pass_everything(plain: Path, option: str) -> None:
    ran = halgit("validate", "--repo", plain, option, "deploymnt/no-version")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"halgit: {option}: rule deploymnt/no-version not found. Did you mean deployment/no-version?\n"


def test_the_root_settings_leave_rules_out_and_change_severities(layered: Path) -> None:
    rules = "rules:\n  ignore: [secrets]\n  severity: {deployment/no-version: warning}\n"
    written(layered, {"halgit.yaml": rules})
    ran = validate(layered, "--overlay", "bad", "--format", "json")
    assert ran.code == 0
    assert found(ran.json) == [("deployment/no-version", "warning", 3, 12)]
    assert validate(layered, "--overlay", "bad", "--fail-on", "warning").code == 1


def test_a_rule_the_root_settings_misspell_is_a_warning_at_its_line(layered: Path) -> None:
    written(layered, {"halgit.yaml": "rules:\n  ignore: [secrts]\n  severity: {deployment/no-versoin: info}\n"})
    ran = validate(layered, "--overlay", "good")
    assert ran.out.splitlines()[3:9] == [
        "halgit.yaml:2:12: warning: There is no rule secrts. Did you mean secrets? [settings/no-such-rule]",
        "    2 |   ignore: [secrts]",
        "                   ^",
        "halgit.yaml:3:37: warning: There is no rule deployment/no-versoin. Did you mean deployment/no-version?"
        " [settings/no-such-rule]",
        "    3 |   severity: {deployment/no-versoin: info}",
        "                                            ^",
    ]


WAIVED = {
    "version: '' # halgit: ignore=deployment/no-version a test pins it": [],
    "# halgit: ignore=deployment/* a test pins it\n  version: ''": [],
    "version: '' # halgit: ignore=deployment/no-version": [
        ("deployment/no-version", "error", 3, 12),
        ("waiver/no-reason", "warning", 3, 15),
    ],
    "version: '1.36.1' # halgit: ignore=deployment/no-version not needed": [("waiver/unused", "info", 3, 21)],
    "# halgit: ignore=deployment/no-version too far away\n\n  version: ''": [
        ("deployment/no-version", "error", 5, 12),
        ("waiver/unused", "info", 3, 3),
    ],
}


@pytest.mark.parametrize("line", WAIVED)
def test_a_waiver_holds_for_its_line_or_the_next_and_needs_a_reason(plain: Path, line: str) -> None:
    written(plain, {"config": HALCONFIG.replace("version: ''", line)})
    report = halgit("validate", "--repo", plain, "--select", "deployment", "--format", "json").json
    assert found(report) == WAIVED[line]


def test_a_waiver_does_not_hold_for_what_the_compiler_finds(tmp_path: Path) -> None:
    text = "deploymentConfigurations: [] # halgit: ignore=config/no-deployment we like it so\n"
    ran = halgit("validate", "--repo", written(tmp_path, {"config": text}), "--format", "json")
    assert "config/no-deployment" in {one["rule"] for one in ran.json["findings"]}
    assert ran.code == 1


def test_a_baseline_leaves_out_what_is_known_also_when_lines_move(plain: Path, tmp_path: Path) -> None:
    known = tmp_path / "known" / "baseline.json"
    ran = validate(plain, "--format", "json", "--output", known)
    assert (ran.code, list(ran.json)) == (1, ["summary", "error"])
    assert f"Wrote {known}.\n" in ran.err
    written(plain, {"config": "# one line more\n" + HALCONFIG})
    again = validate(plain, "--baseline", known)
    assert (again.code, again.out) == (0, "No findings.\n")
    more = HALCONFIG.replace("- name: hub", "- {name: more, password: also-open}\n      - name: hub")
    written(plain, {"config": more})
    assert len(found(validate(plain, "--baseline", known, "--format", "json").json)) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"findings": [{}]}', '{"findings": 3}'])
def test_a_baseline_that_is_none_is_wrong_use(plain: Path, tmp_path: Path, text: str) -> None:
    known = tmp_path / "baseline.json"
    known.write_text(text)
    ran = validate(plain, "--baseline", known)
    assert ran.code == 2
    hint = "Create one with `halgit validate --format json --output FILE`."
    assert ran.err == f"halgit: --baseline: the file is not a JSON report. {hint}\n"


def test_a_baseline_works_for_every_name_of_the_source(plain: Path, tmp_path: Path) -> None:
    """A folder, its absolute path, a subfolder of git at a URL: what one lists, the others know."""
    work = tmp_path / "work"
    shutil.copytree(plain, work / "sub")
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run([needs.program("git", "git"), *words], cwd=work, check=True)
    names = [
        (["--repo", "work", "--path", "sub"], tmp_path),
        (["--repo", "work/sub"], tmp_path),
        (["--repo", str(work / "sub")], tmp_path),
        (["--repo", "."], work / "sub"),
        (["--repo", f"file://{work}", "--path", "sub"], tmp_path),
        (["--repo", f"file://{work}?path=sub"], tmp_path),
    ]
    for number, (name, folder) in enumerate(names):
        halgit("validate", *name, *ONLY, "--format", "json", "--output", tmp_path / f"{number}.json", cwd=folder)
        for other, where in names:
            ran = halgit("validate", *other, *ONLY, "--baseline", tmp_path / f"{number}.json", cwd=where)
            assert (ran.code, ran.out) == (0, "No findings.\n"), (name, other)


def test_a_baseline_that_is_missing_is_wrong_use(plain: Path) -> None:
    ran = validate(plain, "--baseline", "nowhere.json")
    assert (ran.code, ran.err) == (
        2,
        "halgit: --baseline: cannot read nowhere.json: No such file or directory. Check the path.\n",
    )


# --- formats ----------------------------------------------------------------------------------------------------


def test_text_shows_the_line_and_marks_the_column_and_no_secret(plain: Path) -> None:
    ran = validate(plain)
    assert ran.code == 1
    assert ran.err == "halgit: 1 error. Fix the findings listed above.\n"
    assert ran.out == (
        "config:3:12: error: The deployment default has no version. Set version to a release of Spinnaker, such as"
        " '1.36.1'. [deployment/no-version]\n"
        "    3 |   version: ''\n"
        "                   ^\n"
        "config:15:19: warning: password contains a secret in plain text. Replace it with a reference, such as"
        " encrypted:ENGINE!k:v, and rotate the secret. [secrets/plain-text]\n"
        "    15 |         password: ********\n"
        "                           ^\n"
        "1 error, 1 warning.\n"
    )


def test_json_has_the_fields_of_the_contract(plain: Path) -> None:
    ran = validate(plain, "--format", "json")
    assert list(ran.json) == ["findings", "summary", "error"]
    assert list(ran.json["findings"][0]) == [
        "rule", "severity", "message", "file", "line", "column", "path", "layer", "hint",
    ]  # fmt: skip
    assert found(ran.json) == [NO_VERSION, OPEN]
    assert ran.json["summary"] == {"error": 1, "warning": 1, "info": 0}
    assert ran.json["error"] == {"code": 1, "message": "1 error. Fix the findings listed above."}


def test_sarif_is_sarif(plain: Path) -> None:
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

    ran = validate(plain, "--format", "sarif")
    log = Sarif.model_validate_json(ran.out)
    (run,) = log.runs
    assert [rule.id for rule in run.tool.driver.rules] == ["deployment/no-version", "secrets/plain-text"]
    levels = [(result.ruleIndex, result.level.value) for result in run.results]
    assert levels == [(0, "error"), (1, "warning")]
    raw = json.loads(ran.out)["runs"][0]["results"][0]
    assert raw["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "config"}, "region": {"startLine": 3, "startColumn": 12}}}
    ]
    assert len(raw["partialFingerprints"]["halgit/v1"]) == 32


def test_a_sarif_fingerprint_stays_when_lines_move(plain: Path) -> None:
    def fingerprints() -> list[str]:
        results = json.loads(validate(plain, "--format", "sarif").out)["runs"][0]["results"]
        return [result["partialFingerprints"]["halgit/v1"] for result in results]

    before = fingerprints()
    written(plain, {"config": "# one line more\n" + HALCONFIG})
    assert fingerprints() == before
    assert len(set(before)) == 2


def test_junit_has_a_suite_for_each_file_and_only_errors_fail(plain: Path) -> None:
    root = ElementTree.fromstring(validate(plain, "--format", "junit").out)
    (suite,) = root
    assert (suite.tag, suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "testsuite",
        "config",
        "2",
        "1",
    )
    failed, passed = suite
    assert failed.find("failure").get("type") == "deployment/no-version"
    assert passed.find("failure") is None
    assert "warning: config:15:19:" in passed.find("system-out").text


def test_junit_without_findings_holds_a_passed_test() -> None:
    root = ElementTree.fromstring(halgit("validate", "--repo", SAMPLE, "--overlay", "prod", "--format", "junit").out)
    assert [(suite.get("tests"), suite.get("failures")) for suite in root] == [("1", "0")]


def test_github_writes_a_command_for_each_line(plain: Path) -> None:
    lines = validate(plain, "--format", "github").out.splitlines()
    assert lines[0] == (
        "::error file=config,line=3,col=12,title=deployment/no-version::The deployment default has no version."
        " Set version to a release of Spinnaker, such as '1.36.1'."
    )
    assert lines[1].startswith("::warning file=config,line=15,col=19,title=secrets/plain-text::")


def test_a_file_name_cannot_break_out_of_a_workflow_command(tmp_path: Path) -> None:
    repo = written(tmp_path, {"config": HALCONFIG, "default/profiles/x,line=9::error::%0A.yml": "a: 1\n"})
    lines = halgit("validate", "--repo", repo, "--select", "profiles", "--format", "github").out.splitlines()
    name = "file=default/profiles/x%2Cline=9%3A%3Aerror%3A%3A%250A.yml,line=1,col=1,title=profiles/"
    assert lines
    assert all(line.startswith("::warning ") and name in line.split("::")[1] for line in lines)


def test_markdown_is_a_table_whose_cells_hold(plain: Path) -> None:
    written(plain, {"default/profiles/pipe|and`tick.yml": "a: 1\n"})
    lines = halgit("validate", "--repo", plain, "--format", "markdown").out.splitlines()
    assert lines[0].startswith("### halgit: 1 error, ")
    assert lines[2:4] == ["| severity | location | finding | rule |", "|---|---|---|---|"]
    assert "| error | `config:3` | The deployment default has no version. " in lines[4]
    assert all(line.replace("\\|", "").count("|") == 5 for line in lines[2:])


def test_a_report_can_go_to_a_file_and_the_exit_stays(plain: Path, tmp_path: Path) -> None:
    for kind in ("text", "json", "sarif", "junit", "github", "markdown"):
        ran = validate(plain, "--format", kind, "--output", tmp_path / "reports" / kind)
        assert ran.code == 1
        shown = ran.err if kind == "json" else ran.out
        assert "config:3:12: error: The deployment default has no version." in shown
        assert kind != "json" or ran.json["summary"]["error"] == 1
        assert "no version" in (tmp_path / "reports" / kind).read_text()


def test_files_are_named_from_where_the_reader_stands(plain: Path) -> None:
    ran = halgit("validate", "--repo", "plain", *ONLY, "--format", "json", cwd=plain.parent)
    assert {one["file"] for one in ran.json["findings"]} == {"plain/config"}
    deeper = halgit("validate", "--repo", ".", "--path", "plain", *ONLY, "--format", "json", cwd=plain.parent)
    assert {one["file"] for one in deeper.json["findings"]} == {"plain/config"}


def test_the_secret_is_in_no_format(plain: Path) -> None:
    for kind in ("text", "json", "sarif", "junit", "github", "markdown"):
        ran = validate(plain, "--format", kind)
        assert "secrets/plain-text" in ran.out
        assert "in-the-open" not in ran.out + ran.err


# --- beside it --------------------------------------------------------------------------------------------------


def test_render_refuses_what_validate_finds_and_writes_nothing(plain: Path, tmp_path: Path) -> None:
    ran = halgit("render", "--repo", plain, "--out", tmp_path / "hal")
    assert ran.code == 1
    assert "config:3:12: error: The deployment default has no version." in ran.err
    assert not (tmp_path / "hal").exists()
    assert halgit("render", "--repo", plain, "--out", tmp_path / "hal", "--no-validate").code == 0


SOCKETS = """
import socket, sys
def refused(*a, **k):
    print("a socket was opened", file=sys.stderr)
    sys.exit(99)
socket.socket.__init__ = refused
socket.create_connection = socket.getaddrinfo = refused
from halgit.cli import app
sys.exit(app.run(sys.argv[1:]))
"""


def test_validate_opens_no_socket_for_a_directory(tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", SOCKETS, "validate", "--repo", str(SAMPLE), "--all-overlays"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "No findings.\n", "")


def test_an_include_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{}\n")
    (tmp_path / "halgit.yaml").write_text("include: ['files/*', 'notes/**']\n")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").touch()
    ran = halgit("validate", "--repo", tmp_path, "--format", "json")
    found = [finding for finding in ran.json["findings"] if finding["rule"] == "settings/include-nothing"]
    assert [(one["severity"], one["line"], one["column"], one["message"], one["hint"]) for one in found] == [
        ("warning", 1, 22, "No file of the layer matches notes/**.", "Correct the pattern, or remove it.")
    ]
