"""Warns of HALGIT_ variables that no option reads: a misspelled one would be silently ignored.

The options of the running command are compared first; the other commands are imported only for names it does not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from halgit.cli.command_line import OTHER_VARIABLES, option_variables
from halgit.cli.output import Output
from halgit.text.phrases import suggest_nearest


def warn_of_unknown_variables(context: click.Context) -> None:
    """Warn of each HALGIT_ variable that no command reads, with the nearest name."""
    names = set(option_variables(os.environ)) - set(_variables(context.command))
    if not names or not isinstance(context.obj, Output):
        return
    known = {*OTHER_VARIABLES, *_all_variables(context.find_root())}
    for name in sorted(names - known):
        context.obj.warning(f"No option reads the variable {name}. {suggest_nearest(name, known, 'Unset it.')}")


def _all_variables(context: click.Context) -> Iterator[str]:
    waiting: list[click.Command] = [context.command]
    while waiting:
        command = waiting.pop()
        yield from _variables(command)
        if isinstance(command, click.Group):
            children = (command.get_command(context, name) for name in command.list_commands(context))
            waiting.extend(child for child in children if child is not None)


def _variables(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        names = parameter.envvar
        yield from [names] if isinstance(names, str) else names or ()
