"""What helps people at the command line: groups of options, topics, suggestions, the default source, colors, order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli.terminal import on_a_terminal
from program import SAMPLE, halgit
from servers.repositories import Repository

from halgit.cli.app import COMMANDS
from halgit.cli.help import EXIT_CODES
from halgit.cli.program import program
from halgit.errors import HalgitError

SECRETS = ("--secrets", "mask")


def sections(text: str) -> dict[str, str]:
    """The sections of a help text by heading."""
    parts = re.split(r"^(\S.*):$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_options_of_render_are_in_groups_and_the_five_common_ones_come_first() -> None:
    found = sections(halgit("render", "--help").out)
    assert re.findall(r"^  (--[a-z-]+)", found["Options"], re.M) == [
        "--repo", "--overlay", "--set", "--out", "--secrets",
    ]  # fmt: skip
    assert {"Source", "Secrets", "Network", "Validation", "Output", "General"} <= set(found)
    assert "--vault-address" in found["Login (each for all hosts, or as HOST=VALUE for one)"]
    assert list(found)[-1] == "General"


def test_help_of_a_command_is_the_same_both_ways() -> None:
    assert halgit("help", "render").out == halgit("render", "--help").out
    assert halgit("help", "secrets", "check").out == halgit("secrets", "check", "--help").out


def test_help_lists_every_exit_code_that_an_error_has() -> None:
    shown = re.findall(r"^(\d+) ", halgit("help", "exit-codes").out, re.M)
    classes, codes = [HalgitError], {70}
    while classes:
        one = classes.pop()
        codes.add(one.exit_code)
        classes += one.__subclasses__()
    assert codes <= set(map(int, shown))
    assert {str(code) for code in codes} <= set(EXIT_CODES)


def test_help_lists_every_variable() -> None:
    text = halgit("help", "environment").out
    for name in COMMANDS:
        command = program.get_command(click.Context(program), name)
        for parameter in command.params if command else ():
            if isinstance(parameter, click.Option):
                assert f"{parameter.envvar} " in text
    assert re.search(r"^HALGIT_LOG_FORMAT +--log-format: all commands$", text, re.M)
    assert re.search(r"^HALGIT_REF +--ref: .*, sync, .*secrets \(check, list\)", text, re.M)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rendr"], "Unknown command 'rendr'. Did you mean render?"),
        (["secrets", "lst"], "Unknown command 'lst'. Did you mean list?"),
        (["help", "valdate"], "Unknown command 'valdate'. Did you mean validate?"),
        (["render", "--overlya", "x"], "Unknown option --overlya. Did you mean --overlay? See `halgit render --help`."),
        (["render", "--repoo=x"], "Unknown option --repoo. Did you mean --repo? "),
        (["accounts", "add", "prod", "--contex", "x"], "Unknown option --contex. Did you mean --context? "),
        (["isd", "--hlep"], "Unknown option --hlep. Did you mean --help? See `halgit isd --help`."),
        (["render", "--zzz"], "Unknown option --zzz. See `halgit render --help`."),
        (["render", "--repo", SAMPLE, "--overlay", "stagin"], "Did you mean staging?"),
        (["rules", "deployment/no-versoin"], "Did you mean deployment/no-version?"),
        (["schema", "halconfg"], "Did you mean halconfig?"),
    ],
)
def test_a_misspelled_name_gets_a_suggestion(arguments: list[object], words: str) -> None:
    ran = halgit(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_the_current_folder_is_the_source_if_it_is_one(tmp_path: Path) -> None:
    ran = halgit("render", "--overlay", "dev", *SECRETS, "--out", tmp_path / ".hal", cwd=SAMPLE)
    assert (ran.code, ran.err) == (0, "")
    ran = halgit("render", *SECRETS, cwd=tmp_path / ".hal")
    assert ran.code == 0
    (tmp_path / "empty").mkdir()
    ran = halgit("render", *SECRETS, cwd=tmp_path / "empty")
    assert (ran.code, ran.err) == (
        2,
        "halgit: Missing option '--repo': the current folder is not a source (no halgit.yaml, overlays or config). "
        "Pass --repo SRC, or run halgit in a repository.\n",
    )


# --- colors and terminals


@pytest.fixture
def finding(tmp_path: Path) -> list[object]:
    """A command line that prints a finding in color."""
    made = Repository(tmp_path / "repo")
    made.commit({"config": "deploymentConfigurations: [{name: default, version: 1.36.1, bad: 1}]\n"})
    return ["validate", "--repo", made.folder]


@pytest.mark.parametrize(
    ("options", "environment", "is_colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"HALGIT_COLOR": "always"}, True),
    ],
)
def test_when_there_are_colors(
    options: list[str], environment: dict[str, str], is_colored: bool, finding: list[object]
) -> None:
    ran = halgit(*finding, *options, **environment)
    assert ran.code == 1
    assert ("\033[31merror\033[0m" in ran.out) == is_colored
    assert ("\033[31mhalgit:\033[0m" in ran.err) == is_colored


def test_text_of_a_repository_cannot_color_or_drive_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        'deploymentConfigurations: [{name: default, version: 1.36.1, "\\e[31mbad\\u202e\\a": 1}]\n'
    )
    ran = halgit("validate", "--repo", tmp_path, "--color", "always")
    assert "\033[31mbad" not in ran.out + ran.err
    assert r"\x1b[31mbad\u202e\x07" in ran.out
    assert "\033[31merror\033[0m" in ran.out


def test_stdout_and_stderr_keep_their_order_in_one_stream(finding: list[object]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "halgit", *map(str, finding)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]}, check=False,
    )  # fmt: skip
    lines = done.stdout.decode().splitlines()
    assert "error" in lines[0]
    assert lines[-1].startswith("halgit: ")


def test_a_progress_line_never_overwrites_a_message(finding: list[object]) -> None:
    text = on_a_terminal(*finding[:-1], f"file://{finding[-1]}")
    shown = [line.rsplit("\r\033[K", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    assert any("error" in line for line in shown)
    assert "Fetching sources: 1 of 1" in text
    assert not any("Fetching" in line or "Merging" in line for line in shown)


def test_progress_counts_overlays_and_secrets_on_a_terminal(tmp_path: Path) -> None:
    assert "Compiling overlays: 3 of 3" in on_a_terminal("validate", "--repo", SAMPLE, "--all-overlays")
    config = "deploymentConfigurations: [{name: default, version: 1.36.1}]\n"
    (tmp_path / "default/profiles").mkdir(parents=True)
    (tmp_path / "config").write_text(config)
    references = "a: encrypted:noop!v:one-secret\nb: encrypted:noop!v:two-secret\nc: encrypted:noop!v:one-secret\n"
    (tmp_path / "default/profiles/gate-local.yml").write_text(references)
    command = ("render", "--repo", tmp_path, "--no-validate", "--dry-run", "--out", tmp_path / "new")
    assert "Reading secrets: 2 of 2" in on_a_terminal(*command)
    assert "Reading" not in halgit(*command).err


def test_tables_wrap_to_the_terminal() -> None:
    narrow = on_a_terminal("rules", columns=84).replace("\r\n", "\n")
    assert max(map(len, narrow.splitlines())) <= 84
    assert len(halgit("rules").out.splitlines()) < len(narrow.splitlines())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    ran = halgit("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert "_HALGIT_COMPLETE" in ran.out
    assert f"{shell}_complete" in ran.out
