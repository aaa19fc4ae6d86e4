"""The program: finds the command, turns every error into its exit code, and reports the reason where it is read.

An error of the tree in `errors.py` exits with its own code, a signal with 128+n; anything else is a bug: 70 and a
trace. With `--format json` the same reason is on stdout as one object.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from importlib import import_module

from halgit import __version__
from halgit.annotations import Any, Final
from halgit.cli.command_line import has_unknown_variables, parse_options
from halgit.cli.declarations import CommandDeclaration
from halgit.cli.output import Output
from halgit.cli.process import (
    TIMED_OUT,
    Signalled,
    TimedOut,
    call_within_limit,
    describe_timeout,
    find_stop,
    harden_process,
    raise_on_signals,
)
from halgit.errors import DeployError, FindingsError, HalgitError, PublishError
from halgit.pipeline import Severity
from halgit.remotes.private_files import remove_leftovers

COMMANDS: Final = {
    "render": ("render:command", "Render a repository into the .hal tree and write it"),
    "validate": ("validate:command", "Validate a repository offline"),
    "diff": ("diff:command", "Show what a change changes, and which services it affects"),
    "overlays": ("overlays:command", "Compare the overlays of a repository"),
    "explain": ("explain:command", "Show where a value comes from"),
    "secrets": ("secrets:command", "List secret references, or check that the secrets exist"),
    "lock": ("lock:command", "Record what an overlay is rendered from"),
    "sync": ("sync:command", "Keep the tree and the running Spinnaker equal to the repository"),
    "init": ("repository:init", "Start a repository"),
    "import": ("repository:import_", "Convert an existing .hal or OpsMx repository into layers"),
    "export": ("export:command", "Write an overlay as a SpinnakerService resource or a kleat repository"),
    "accounts": ("accounts:command", "List and change Clouddriver's dynamic accounts"),
    "isd": ("isd:command", "Create the Secrets of an ISD installation and register its services"),
    "rules": ("catalog:rules", "List the rules, or explain one"),
    "schema": ("catalog:schema", "Print a JSON schema"),
    "completion": ("help:completion", "Print the completion script for a shell"),
    "help": ("help:help_", "Show the help of a command, the exit codes or the environment"),
}
"""Every command with its module and name below `halgit.cli`, and one line of help. Modules load when needed."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    output = Output.current()
    output.read_arguments(arguments)
    harden_process()
    raise_on_signals()
    remove_leftovers(os.environ)
    try:
        return _finish(output, _call(arguments, output))
    except Signalled as stop:
        return 128 + stop.number


def _call(arguments: Sequence[str], output: Output) -> int:
    try:
        return _dispatch(arguments, output)
    except (Signalled, TimedOut) as stop:
        return _stopped(output, stop)
    except HalgitError as error:
        return _error(output, error)
    except (MemoryError, RecursionError, Exception) as error:  # noqa: BLE001 - the one place that reports a bug
        hidden = find_stop(error)
        return _bug(output, error) if hidden is None else _stopped(output, hidden)


def _dispatch(arguments: Sequence[str], output: Output) -> int:
    """Call the command of an ordinary command line; click reads every other one."""
    command = load_command(arguments[0]) if arguments and arguments[0] in COMMANDS else None
    if isinstance(command, CommandDeclaration) and not has_unknown_variables(command.options, os.environ):
        options = parse_options(command, arguments[1:], os.environ)
        if options is not None:
            result = call_within_limit(lambda: command.function(output, **options), options.get("timeout"), output)
            return result if isinstance(result, int) else 0
    from halgit.cli.program import call_program

    return call_program(arguments, output)


def load_command(name: str) -> Any:
    """Import a command: a declaration, or a command of click."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    return getattr(import_module(f"halgit.cli.{module}"), attribute)


def _finish(output: Output, code: int) -> int:
    try:
        output.finish()
    except PublishError as error:
        return code or _error(output, error)
    return code


def _error(output: Output, error: HalgitError) -> int:
    findings = error.findings if isinstance(error, (FindingsError, DeployError)) else ()
    errors = [finding for finding in findings if finding.severity >= Severity.ERROR]
    output.error(str(error), code=error.exit_code, findings=errors)
    return error.exit_code


def _stopped(output: Output, stop: Signalled | TimedOut) -> int:
    if isinstance(stop, TimedOut):
        output.error(describe_timeout(stop.seconds), code=TIMED_OUT)
        return TIMED_OUT
    if stop.number == signal.SIGPIPE:
        raise stop
    output.error(f"Stopped by {signal.Signals(stop.number).name}. No file is half written.", code=128 + stop.number)
    return 128 + stop.number


def _bug(output: Output, error: BaseException) -> int:
    import traceback

    output.message("".join(traceback.format_exception(error)).rstrip())
    name = type(error).__name__
    output.error(f"This is a bug in halgit {__version__}: {name}. Please report it with the trace.", code=70)
    return 70
