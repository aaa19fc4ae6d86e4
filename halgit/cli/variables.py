"""Warns of HALGIT_ variables that no option reads: a misspelled one would be silently ignored.

The options of the running command are compared first; the other commands are imported only for names it does not know.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

import click

from halgit.cli.output import Output
from halgit.text.phrases import suggest_nearest

_OTHER: Final = frozenset({"HALGIT_GIT_TOKEN", "HALGIT_GIT_USER", "HALGIT_TERMINATION_FILE", "HALGIT_HOME"})
_NOT_OURS: Final = re.compile(
    r"HALGIT_PARAM_|HALGIT_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$|HALGIT_TEST_|HALGIT_UPDATE_"
)
"""Parameters, the variables Kubernetes sets for a Service named halgit, and those of the tests."""


def warn_of_unknown_variables(context: click.Context) -> None:
    """Warn of each HALGIT_ variable that no command reads, with the nearest name."""
    names = {name for name in os.environ if name.startswith("HALGIT_") and not _NOT_OURS.match(name)} - _OTHER
    names -= set(_variables(context.command))
    if not names or not isinstance(context.obj, Output):
        return
    known = {*_OTHER, *_all_variables(context.find_root())}
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
