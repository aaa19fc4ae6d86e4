"""Command lines that are read without click have the same options as click reads, and others are left to click."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import click
import pytest
from program import SAMPLE

from halgit.cli.app import COMMANDS, load_command
from halgit.cli.command_line import has_unknown_variables, parse_options
from halgit.cli.commands import build_command
from halgit.cli.declarations import Choice, CommandDeclaration, Count, FilePath, OptionDeclaration, Seconds

DECLARED = {name: command for name in COMMANDS if isinstance(command := load_command(name), CommandDeclaration)}
EACH = pytest.mark.parametrize("name", DECLARED)


def by_click(name: str, arguments: list[str]) -> dict[str, Any] | None:
    """The options as click reads them; None for an error."""
    command = build_command(DECLARED[name])
    try:
        return command.make_context(name, list(arguments)).params
    except click.exceptions.Exit:  # --help
        return None
    except click.ClickException:
        return None


def values(option: OptionDeclaration) -> list[str]:
    """Good and bad values of an option."""
    if isinstance(option.type, Choice):
        return [*option.type.words, "none-of-them", option.type.words[0].upper(), ""]
    if isinstance(option.type, Count):
        return ["0", "3", " 4 ", "1_0", "11", "-1", "x", "1.5"]
    if isinstance(option.type, Seconds):
        return ["1", "2.5", "1e3", " 7 ", "nan", "inf", "-1", "86401", "x"]
    if isinstance(option.type, FilePath):
        return [".", "missing/file", "", "-", str(SAMPLE)]
    return ["a", "a=b", "", "-", "--", "-x", "two words", "ä", "1\n2"]


def command_line(rng: random.Random, name: str) -> list[str]:
    """A command line of random options, good and bad."""
    words = []
    for option in rng.sample(DECLARED[name].options, rng.randrange(1, 5)):
        for _ in range(rng.choice([1, 1, 2])):
            value = rng.choice(values(option)[: rng.choice([1, 2, 3, 99])])
            if option.is_flag:
                words.append(option.long + rng.choice(["", "", "", "=true"]))
            else:
                words += rng.choice([[option.long, value], [f"{option.long}={value}"]])
    odd = [["--"], ["word"], ["--help"], ["-h"], ["--bogus"], [option.long[:-1]], [option.long]]
    return words + (rng.choice(odd) if rng.random() < 0.1 else [])


@EACH
def test_random_command_lines_mean_what_click_reads(name: str) -> None:
    rng = random.Random(13)
    direct = 0
    for _ in range(300):
        arguments = command_line(rng, name)
        options = parse_options(DECLARED[name], arguments, {})
        if options is not None:
            direct += 1
            assert options == by_click(name, arguments), arguments
            assert all(type(options[key]) is type(value) for key, value in by_click(name, arguments).items()), arguments
    assert direct > 50


@EACH
def test_random_variables_mean_what_click_reads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(13)
    direct = 0
    for _ in range(200):
        options = rng.sample(DECLARED[name].options, 3)
        flags = ["true", "1", "false", "0", "yes", "no", "", "x"]
        variables = {str(one.variable): rng.choice(flags if one.is_flag else values(one)) for one in options}
        with monkeypatch.context() as patch:
            for variable, value in variables.items():
                patch.setenv(variable, value)
            found = parse_options(DECLARED[name], [], variables)
            if found is not None:
                direct += 1
                assert found == by_click(name, []), variables
    assert direct > 30


@EACH
def test_every_option_is_read_without_click(name: str) -> None:
    for option in DECLARED[name].options:
        assert option.is_ordinary, option.long
        arguments = [option.long] if option.is_flag else [option.long, values(option)[0]]
        options = parse_options(DECLARED[name], arguments, {})
        assert options == by_click(name, arguments)
        assert options is not None


def test_a_file_that_is_not_readable_is_left_to_click(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may read everything
    assert parse_options(DECLARED["render"], ["--out", str(tmp_path)], {}) is None


def test_variables_that_no_option_reads_and_completion_are_left_to_click() -> None:
    options = DECLARED["render"].options
    known = {"HALGIT_OVERLAY", "HALGIT_PARAM_X", "HALGIT_HOME", "HALGIT_SERVICE_HOST", "PATH"}
    assert not has_unknown_variables(options, known)
    assert has_unknown_variables(options, {*known, "HALGIT_OVERLY"})
    assert has_unknown_variables(options, {*known, "HALGIT_DEPLOY_TIMEOUT"})  # of another command
    assert has_unknown_variables(options, {*known, "_HALGIT_COMPLETE"})
