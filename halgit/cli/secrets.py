"""`halgit secrets`: which references a repository holds, and whether the secrets are there. Never a value."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from halgit import secrets
from halgit.cli import options as given
from halgit.cli.output import Output
from halgit.cli.session import Session
from halgit.compiler import refuse
from halgit.errors import SecretError
from halgit.pipeline import Severity
from halgit.report.tables import counted, table


@click.group("secrets")
def command() -> None:
    """List the secret references of a repository, or check that the secrets exist.

    \b
    Example:
      halgit secrets list --repo . --overlay prod
    """


@command.command("list")
@given.source_options
@given.trust_options
@given.access_options
@given.log_options
@given.option("--format", type=click.Choice(["text", "json"]), default="text", help="How the list is told.")
@click.pass_obj
def listing(output: Output, /, **options: Any) -> None:
    """List every reference with its engine and the places that use it. Reads no secret.

    \b
    Example:
      halgit secrets list --repo . --overlay prod
    """
    with Session(options, output) as run:
        compilation = run.compile(run.open())
        rows = secrets.rows(compilation.plan, compilation.places.put)
        if output.json:
            output.answer({"secrets": [asdict(row) for row in rows]})
        elif rows:
            output.result(table(["reference", "engine", "used at"], [line for row in rows for line in _lines(row)]))
        else:
            output.result("No references.")


def _lines(row: secrets.Row) -> list[list[str]]:
    """A row for each place; reference and engine stand in the first only."""
    first, *rest = row.places
    left = " (left as it is)" if row.left else ""
    return [[row.reference, row.engine, first + left], *(["", "", place] for place in rest)]


@command.command("check")
@given.source_options
@given.trust_options
@given.access_options
@given.log_options
@given.option("--format", type=click.Choice(["text", "json"]), default="text", help="How the list is told.")
@click.pass_obj
def checking(output: Output, /, **options: Any) -> None:
    """Check that every secret exists: by metadata where the engine can, else by reading it.

    \b
    Example:
      halgit secrets check --repo . --overlay prod --vault-address https://vault.example.com
    """
    with Session(options, output) as run:
        compilation = run.compile(run.open())
        refuse(
            [found for found in compilation.findings if found.rule.startswith("reference/")], Severity.ERROR, written=""
        )
        output.progress("Asking for secrets")
        found = secrets.check(compilation.plan, run.engine, compilation.places.put)
        lost = [one for one in found if one.state != "there"]
        if output.json:
            output.answer({"secrets": [asdict(one) for one in found]})
        else:
            rows = [[one.row.reference, one.row.engine, one.state, one.how, one.detail] for one in found]
            output.result(table(["reference", "engine", "state", "asked by", ""], rows) if rows else "No references.")
        if lost:
            places = "\n".join(
                f"{place}: {one.row.reference}: {one.detail}" for one in lost for place in one.row.places
            )
            raise SecretError(f"{counted(len(lost), 'secret')} cannot be had:\n{places}")
