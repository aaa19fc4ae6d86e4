"""The program as click knows it: all commands, their help and completion, and messages about wrong command lines."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any

import click

from halgit import __version__
from halgit.cli.app import COMMANDS, load_command
from halgit.cli.commands import Command, Group, build_command
from halgit.cli.declarations import CommandDeclaration
from halgit.cli.output import Output
from halgit.cli.process import Signalled, silence_libraries


class Commands(Group):
    """The group of all commands, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = load_command(cmd_name)
        if isinstance(command, CommandDeclaration):
            return build_command(command)
        assert isinstance(command, (Command, Group))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="See `halgit help exit-codes` and `halgit help environment`.",
)
@click.version_option(__version__, message="halgit %(version)s")
def program() -> None:
    """Compile layers of Spinnaker configuration into the .hal tree that Halyard loads.

    \b
    Example:
      halgit render --repo . --overlay prod --out .hal
    """


def call_program(arguments: Sequence[str], output: Output) -> int:
    """Let click read a command line and call its command; returns the exit code."""
    silence_libraries()
    try:
        result: Any = program.main(list(arguments), prog_name="halgit", standalone_mode=False, obj=output)
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        output.message(error.format_message())
        return 2
    except click.ClickException as error:
        return _usage_error(output, error)
    except click.Abort:
        raise Signalled(signal.SIGINT) from None
    return result if isinstance(result, int) else 0


def _usage_error(output: Output, error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    see = f" See `{context.command_path} --help`." if context else ""
    output.error(error.format_message() + see, code=2)
    return 2
