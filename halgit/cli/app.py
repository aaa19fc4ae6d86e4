"""The program's frame: finds the command, turns every error into its exit code, and says the reason where it is read.

An error of the tree in `errors.py` ends with its own code, a signal with 128+n, anything else is a bug: 70 and a
trace. With `--format json` the same reason stands on stdout as one object.
"""

from __future__ import annotations

import importlib
import signal
import traceback
from collections.abc import Sequence
from types import FrameType

import click

from halgit import __version__
from halgit.cli.confining import confine
from halgit.cli.output import Output
from halgit.cli.streams import Signalled
from halgit.errors import FindingsError, HalgitError, PublishError
from halgit.pipeline import Severity

COMMANDS: dict[str, str] = {
    "render": "make the .hal tree and write it",
    "validate": "say what Halyard would refuse or get wrong",
    "diff": "say what a change changes, and which services it reaches",
    "explain": "say where a value comes from",
    "lock": "write down what an overlay is rendered from",
    "secrets": "list the secret references, or check that the secrets exist",
    "accounts": "list and change Clouddriver's dynamic accounts",
    "isd": "make the Secrets of an ISD installation and introduce its services",
    "rules": "list the rules, or explain one",
    "init": "start a repository",
    "import": "make a repository of layers of an existing .hal or OpsMx repository",
    "schema": "print a JSON schema",
}
"""Every command with its one line; each lives in the module of its name and loads when it is called."""


class Commands(click.Group):
    """The group of commands, each imported only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"halgit.cli.{cmd_name.replace('import', 'import_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every option can be given as HALGIT_<OPTION>; lists are separated by newlines.",
)
@click.version_option(__version__, message="halgit %(version)s")
def program() -> None:
    """Compile layers of Spinnaker configuration into the .hal tree that Halyard reads.

    \b
    Example:
      halgit render --repo . --overlay prod --out .hal
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    output = Output.current()
    output.expect(arguments)
    confine()
    _listen()
    try:
        code = _finished(output, _call(arguments, output))
    except Signalled as stop:
        code = 128 + stop.number
    return code


def _call(arguments: Sequence[str], output: Output) -> int:
    try:
        result = program.main(list(arguments), prog_name="halgit", standalone_mode=False, obj=output)
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        output.say(error.format_message())
        return 2
    except click.ClickException as error:
        return _usage(output, error)
    except click.Abort:
        return _stopped(output, signal.SIGINT)
    except Signalled as stop:
        return _stopped(output, stop.number)
    except HalgitError as error:
        return _failed(output, error)
    except (MemoryError, RecursionError, Exception) as error:  # noqa: BLE001 - the one place a bug is reported
        return _bug(output, error)
    return result if isinstance(result, int) else 0


def _finished(output: Output, code: int) -> int:
    try:
        output.finish()
    except PublishError as error:
        return code or _failed(output, error)
    return code


def _listen() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Signalled(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)


def _usage(output: Output, error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    where = f" See `{context.command_path} --help`." if context else ""
    output.error(error.format_message() + where, code=2)
    return 2


def _failed(output: Output, error: HalgitError) -> int:
    findings = error.findings if isinstance(error, FindingsError) else ()
    worst = [finding for finding in findings if finding.severity >= Severity.ERROR]
    output.error(str(error), code=error.exit_code, findings=worst)
    return error.exit_code


def _stopped(output: Output, number: int) -> int:
    if number == signal.SIGPIPE:
        raise Signalled(number)
    name = signal.Signals(number).name
    output.error(f"Stopped by {name}. Nothing was left half written.", code=128 + number)
    return 128 + number


def _bug(output: Output, error: BaseException) -> int:
    trace = "".join(traceback.format_exception(error))
    output.say(trace.rstrip())
    output.error(
        f"This is a bug in halgit {__version__}: {type(error).__name__}. Please report it with the trace.", code=70
    )
    return 70
