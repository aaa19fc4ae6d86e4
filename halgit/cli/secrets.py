"""`halgit secrets`: which references a repository holds, and whether the secrets exist. Never shows a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from halgit import secrets
from halgit.cli.commands import Group
from halgit.cli.declarations import combine
from halgit.cli.options import access_options, format_option, log_options, source_options, trust_options
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import find_commands, is_unreadable, require_below
from halgit.errors import SecretError
from halgit.pipeline import Finding, Severity
from halgit.record import to_dict
from halgit.report.tables import counted, table

_OPTIONS = combine([source_options, trust_options, access_options, format_option(), log_options])


@click.group("secrets", cls=Group)
def command() -> None:
    """List the secret references of a repository, or check that the secrets exist.

    \b
    Example:
      halgit secrets list --repo . --overlay prod
    """


@command.command("list")
@_OPTIONS
@click.pass_obj
def list_references(output: Output, /, **options: Any) -> None:
    """List every reference with its engine and the places that use it, and commands. Reads no secret.

    \b
    Example:
      halgit secrets list --repo . --overlay prod
    """
    with Session(options, output) as run:
        compilation = run.compile(run.open())
        rows = secrets.list_references(compilation.plan, compilation.locator.locate_findings)
        commands = compilation.locator.locate_findings(find_commands(compilation.compiled))
        lines = [line for row in rows for line in _lines(row)]
        _report(output, ["reference", "engine", "used at"], lines, rows)
        _report_commands(output, commands)
        unreadable = [one for one in compilation.findings if is_unreadable(one)]
        run.report(unreadable)
        require_below(unreadable, Severity.ERROR, written="")


def _report_commands(output: Output, commands: Sequence[Finding]) -> None:
    """List the fields that run a program or read a file of a pod, which can reach credentials without a reference."""
    if output.json:
        output.add(commands=[{"path": f"{one.file}:{one.line}", "message": one.message} for one in commands])
    elif commands:
        output.result(
            "\n"
            + table(
                ["runs a program or reads a file", "at"], [[one.message, f"{one.file}:{one.line}"] for one in commands]
            )
        )


def _lines(row: secrets.ReferenceRow) -> list[list[str]]:
    """Return a line for each place; only the first one names reference and engine."""
    first, *rest = row.places
    suffix = " (not resolved)" if row.left else ""
    return [[row.reference, row.engine, first + suffix], *(["", "", place] for place in rest)]


@command.command("check")
@_OPTIONS
@click.pass_obj
def check_secrets(output: Output, /, **options: Any) -> None:
    """Check that every secret exists: by metadata if the engine supports it, otherwise by reading it.

    \b
    Example:
      halgit secrets check --repo . --overlay prod --vault-address https://vault.example.com
    """
    with Session(options, output) as run:
        compilation = run.compile(run.open())
        wrong = [one for one in compilation.findings if one.rule.startswith("reference/") or is_unreadable(one)]
        run.report([one for one in wrong if one.severity >= Severity.ERROR])
        require_below(wrong, Severity.ERROR, written="")
        engines = run.engines(compilation.plan, "Checking secrets")
        found = secrets.check_secrets(compilation.plan, engines, compilation.locator.locate_findings)
        lines = [[one.row.reference, one.row.engine, one.state, one.how, one.detail] for one in found]
        _report(output, ["reference", "engine", "state", "checked by", ""], lines, found)
        absent = [one for one in found if one.state != "there"]
        if absent:
            places = [f"{place}: {one.row.reference}: {one.detail}" for one in absent for place in one.row.places]
            verb = "is" if len(absent) == 1 else "are"
            raise SecretError("\n".join([f"{counted(len(absent), 'secret')} {verb} unavailable:", *places]))


def _report(
    output: Output,
    head: Sequence[str],
    lines: Sequence[Sequence[str]],
    rows: Sequence[secrets.ReferenceRow | secrets.SecretCheck],
) -> None:
    if output.json:
        output.answer({"secrets": [to_dict(row) for row in rows]})
    else:
        output.result(table(head, lines, layout=output.layout()) if lines else "No references.")
